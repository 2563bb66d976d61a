"""Generated frames: clean signals of known modulations, made with known truth instead of recorded."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from semcom.files import digest
from semcom.mistakes import UserMistake
from semcom.sources.sentences import Progress, Split

if TYPE_CHECKING:
    from channels.waveform import Waveform
    from semcom.sources.frames import FrameCorpus, FrameSet

    Splits = dict[str, FrameSet]

# One number, or two between which every frame draws its own; that of `channels.ranges`, which loads torch.
Range = float | tuple[float, float]
# Part of the fingerprint: raise it when a change here or in `channels` alters a single sample.
GENERATION_VERSION = 1
# Frames that are drawn together. Part of what the frames are, because each chunk has streams of its own.
CHUNK = 256
MOST_PATHS = 100
LARGEST_BYTES = 8_000_000_000
BYTES_PER_SAMPLE = 8


@dataclass(frozen=True)
class GeneratedFrames:
    """Frames of known modulations: each transmitter's own clean signal, at mean power 1.

    A frame holds what one transmitter's signal is at the receiver's antenna, with its echoes; noise, flat fading and
    other transmitters are added by the simulated link, which takes other frames for the others. So one set of frames
    serves every SNR and every crowd. Every frame is a realisation of its own, with its own symbols, clock, oscillator
    and echoes, and each split draws from streams of its own: no split holds a piece of what another holds. Of two
    numbers, every frame draws one between them.

    One core makes about 10,000 frames of 128 samples a second, and 900 of 1,024; they are kept in the cache.

    Args:
        classes: names of the modulations, in the order of their labels, or one of two lists of them: the 11 of
            RML2016.10a, the 24 of RML2018.01a.
        length: samples of a frame.
        train: frames to train on.
        validation: frames to validate on.
        test: frames to test on.
        samples_per_symbol: symbol duration of digital modulations [samples], at least 2.
        rolloff: of the root raised cosine of linear modulations, from 0.1 to 1.
        message_band: highest frequency in the message of analogue modulations [cycles per sample].
        timing: where in a symbol the frame begins [symbols].
        phase: of the carrier when the frame begins [cycles].
        carrier_offset: from the receiver's own carrier [cycles per sample].
        clock_offset_ppm: how much faster the transmitter's clock runs than the receiver's [millionths].
        linewidth: of the oscillator, at half its power, which is its phase noise [cycles per sample].
        paths: echoes of one signal, one sample apart, the first among them; 1 is none.
        path_fading: how each path arrives; with `none` each has its mean power, and from the second a phase of its own.
        delay_spread: the delay by which the mean power of the paths has fallen to 1/e [samples].
        doppler: the largest shift of frequency of a path [cycles per sample].
        seed: of all that is drawn.
    """

    classes: tuple[str, ...] | Literal["rml2016", "rml2018"] = "rml2016"
    length: int = 128
    train: int = 22_000
    validation: int = 2_200
    test: int = 11_000
    samples_per_symbol: Range = (4.0, 12.0)
    rolloff: Range = (0.15, 0.5)
    message_band: Range = (0.02, 0.08)
    timing: Range = (0.0, 1.0)
    phase: Range = (0.0, 1.0)
    carrier_offset: Range = (-0.005, 0.005)
    clock_offset_ppm: Range = (-50.0, 50.0)
    linewidth: Range = (0.0, 1e-5)
    paths: int = 1
    path_fading: Literal["none", "rayleigh", "rician", "nakagami"] = "none"
    delay_spread: Range = (0.2, 2.0)
    doppler: Range = 0.0
    seed: int = 0
    source: Literal["generated"] = "generated"

    def __post_init__(self) -> None:
        waveform = waveform_of(self)
        for split, count in self._counts().items():
            if count < len(waveform.modulations):
                raise UserMistake(
                    f"{split} must be at least {len(waveform.modulations)} frames, one of each class, got {count}; "
                    "give more, or fewer classes"
                )
        size = sum(self._counts().values()) * self.length * BYTES_PER_SAMPLE
        if size > LARGEST_BYTES:
            raise UserMistake(
                f"generated frames must fit {LARGEST_BYTES:,} bytes of memory, got {size:,}; give fewer or shorter ones"
            )

    def fingerprint(self) -> str:
        """Covers every setting and the version of the generator; the frames are the same wherever they are made.

        To rounding: processors differ in the last bit of a sine.
        """
        facts = {name: _plain(value) for name, value in asdict(self).items()}
        facts["classes"] = waveform_of(self).modulations
        return digest(json.dumps([GENERATION_VERSION, CHUNK, facts], sort_keys=True).encode())

    def prepare(self, progress: Progress | None = None) -> str:
        """Make the frames once and keep them in the cache."""
        return f"{self.source}: {self.load(progress).account}"

    def load(self, progress: Progress | None = None) -> FrameCorpus:
        """The frames, from the cache where it has them."""
        from semcom.sources import frame_cache
        from semcom.sources.frames import FrameCorpus

        waveform, fingerprint = waveform_of(self), self.fingerprint()
        splits = frame_cache.remember(
            "frames-generated", fingerprint, lambda: make_splits(waveform, self._counts(), self.seed, progress)
        )
        classes = waveform.modulations
        account = f"{sum(self._counts().values()):,} frames of {self.length:,} samples in {len(classes)} classes"
        return FrameCorpus(**splits, classes=classes, fingerprint=fingerprint, account=account)

    def _counts(self) -> dict[Split, int]:
        return {"train": self.train, "validation": self.validation, "test": self.test}


def waveform_of(frames: GeneratedFrames) -> Waveform:
    """The generator's settings, which also checks them."""
    # Settings alone need nothing of torch; without this, naming a source would load it.
    from semcom.lazy_torch import load_torch_when_used

    load_torch_when_used()
    from channels.catalog import FADING
    from channels.emission import Emitter
    from channels.modulation import RML2016, RML2018
    from channels.multipath import Multipath
    from channels.waveform import Waveform

    named = {"rml2016": RML2016, "rml2018": RML2018}
    fading = {each.kind: each for each in FADING}
    if frames.path_fading not in fading:
        raise ValueError(f"path_fading must be one of {', '.join(fading)}, got {frames.path_fading!r}")
    emitter = Emitter(
        samples_per_symbol=frames.samples_per_symbol,
        rolloff=frames.rolloff,
        message_band=frames.message_band,
        timing=frames.timing,
        phase=frames.phase,
        carrier_offset=frames.carrier_offset,
        clock_offset_ppm=frames.clock_offset_ppm,
        linewidth=frames.linewidth,
    )
    if not 1 <= frames.paths <= MOST_PATHS:
        raise ValueError(f"paths must be from 1 to {MOST_PATHS}, got {frames.paths}; 1 is a channel without echoes")
    multipath = Multipath(fading[frames.path_fading](), frames.paths, frames.delay_spread, frames.doppler)
    if isinstance(frames.classes, str) and frames.classes not in named:
        raise ValueError(f"classes must be a list of names, rml2016 or rml2018, got {frames.classes!r}")
    classes = named[frames.classes] if isinstance(frames.classes, str) else frames.classes
    return Waveform(classes, frames.length, emitter=emitter, multipath=multipath)


def make_splits(waveform: Waveform, counts: dict[Split, int], seed: int, progress: Progress | None = None) -> Splits:
    """Make so many clean frames for each split, whose labels take turns: frame i is of class i modulo their number.

    A smaller split is the beginning of a larger one, and no split depends on the size of another.
    """
    import torch

    from channels.chance import Chance
    from channels.waveform import arrive
    from semcom.sources.frames import FrameSet

    total, done = sum(counts.values()), 0
    made: Splits = {}
    for split, count in counts.items():
        labels = torch.arange(-(-count // CHUNK) * CHUNK) % len(waveform.modulations)
        samples = torch.empty((count, waveform.length), dtype=torch.complex64)
        for chunk, first in enumerate(range(0, count, CHUNK)):
            if progress:
                progress("generating frames", done + first, total)
            # Whole chunks, whatever is kept of the last: what is drawn for a frame must not depend on how many follow.
            chance = Chance(seed).of("frames", split, chunk)
            arrived = arrive(waveform, waveform.modulations, labels[first : first + CHUNK], chance)
            samples[first : first + CHUNK] = arrived.signal[: count - first]
        made[split] = FrameSet(samples, labels[:count].clone())
        done += count
    return made


def _plain(value: object) -> object:
    """Equal numbers written alike: 4 and 4.0 samples are the same symbol."""
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
