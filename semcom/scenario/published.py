"""Curves that others published, with where they come from and how far their SNR axis is from ours."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "independent re-run of the official DeepSC code, repository mucahitsancar/adaptive-llm-semcom, 2026"

# The official code scales noise for unit power per complex symbol and sends unit power per real number, so the
# SNR that its complex symbols really have is 10 log10(2) above its label.
DEEPSC_OFFSET_DB = 3.0103


@dataclass(frozen=True)
class Published:
    """One published curve, on its own axis.

    Args:
        name: how a scenario asks for it.
        note: what a reader of the figure must know.
        fading: the kind it was measured under.
        symbols_per_word: its bandwidth.
        snr_db: the labels of its axis.
        offset_db: added to a label to give our SNR.
        scores: metric name to values, one a label.
    """

    name: str
    note: str
    fading: str
    symbols_per_word: float
    snr_db: tuple[float, ...]
    offset_db: float
    scores: dict[str, tuple[float, ...]]


LABELS = (0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0)


def _deepsc(name: str, trained: str, fading: str, *, bleu_1: tuple[float, ...], bleu_4: tuple[float, ...]) -> Published:
    note = f"DeepSC code re-run ({trained}), axis shifted +3 dB to our SNR, 8 symbols a word"
    return Published(name, note, fading, 8.0, LABELS, DEEPSC_OFFSET_DB, scores={"bleu_1": bleu_1, "bleu_4": bleu_4})


PUBLISHED = (
    _deepsc(
        "deepsc_code_awgn",
        "trained at 5-10 dB",
        "none",
        bleu_1=(0.565, 0.858, 0.922, 0.931, 0.932, 0.933, 0.933),
        bleu_4=(0.151, 0.624, 0.765, 0.778, 0.782, 0.781, 0.782),
    ),
    _deepsc(
        "deepsc_code_awgn_wide",
        "trained at 0-18 dB",
        "none",
        bleu_1=(0.726, 0.888, 0.911, 0.914, 0.913, 0.911, 0.909),
        bleu_4=(0.365, 0.684, 0.737, 0.746, 0.748, 0.748, 0.748),
    ),
    _deepsc(
        "deepsc_code_rayleigh",
        "per-sentence gain",
        "rayleigh",
        bleu_1=(0.511, 0.702, 0.769, 0.842, 0.874, 0.897, 0.910),
        bleu_4=(0.245, 0.455, 0.539, 0.641, 0.678, 0.709, 0.729),
    ),
)
