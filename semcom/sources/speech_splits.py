"""Speech splits: recordings cut to one length, and dealt to training, validation and test by who speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from semcom.mistakes import UserMistake
from semcom.sources.recorded import deal
from semcom.words import visible

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from semcom.sources.speech import SpeechCorpus, SpeechSet

# Part of every fingerprint here: raise it when a change alters which samples are read or where they go.
READING_VERSION = 1
LARGEST_BYTES = 16_000_000_000
MOST_CLASSES = 1000
LONGEST_S = 10.0
SPLITS = ("train", "validation", "test")
SHARES_OF_A_SPEAKER = (0.1, 0.1)  # for validation and test, where speakers are told apart


def check_speech(rate: int, seconds: float) -> None:
    """Refuse settings of recordings that no recognizer here reads.

    Raises:
        ValueError: in words that name the setting.
    """
    if not 4000 <= rate <= 48_000 or rate % 50:
        raise ValueError(f"rate must be from 4000 to 48000 samples a second and a multiple of 50, got {rate}")
    if not 0.1 <= seconds <= LONGEST_S:
        raise ValueError(f"seconds must be from 0.1 to {LONGEST_S:g}, got {seconds:g}")


def window_of(rate: int, seconds: float) -> int:
    """Samples that every word is cut or filled up to."""
    return round(rate * seconds)


def collected(
    words: Sequence[np.ndarray], labels: Sequence[int], speakers: Sequence[str], *, window: int, called: str
) -> SpeechSet:
    """Recordings [samples] of int16 in one tensor; what lies behind the window is cut off.

    Raises:
        UserMistake: they would fill the memory.
    """
    import torch

    from semcom.sources.speech import SpeechSet

    if (size := 2 * window * len(words)) > LARGEST_BYTES:
        raise UserMistake(
            f"{called}: recordings must fit {LARGEST_BYTES:,} bytes of memory, got {size:,}; keep fewer or shorter ones"
        )
    samples = torch.zeros((len(words), window), dtype=torch.int16)
    for place, word in enumerate(words):
        kept = word[:window]
        samples[place, : len(kept)] = torch.from_numpy(kept.copy())
    durations = torch.tensor([min(len(word), window) for word in words])
    return SpeechSet(samples, durations, torch.tensor(labels), tuple(speakers))


def by_speaker(speakers: Sequence[str], *, validation: Sequence[str], test: Sequence[str]) -> dict[str, Tensor]:
    """The rows of each split where these speakers are kept for validation and test, and all others train."""
    import torch

    held = {**dict.fromkeys(validation, "validation"), **dict.fromkeys(test, "test")}
    places = [held.get(speaker, "train") for speaker in speakers]
    return {split: torch.tensor([row for row, place in enumerate(places) if place == split]) for split in SPLITS}


def some_speakers(
    speakers: Sequence[str], *, shares: tuple[float, float], seed: int, called: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Speakers for validation and for test, chosen by chance: shares of all, but at least one each.

    Raises:
        UserMistake: there are too few.
    """
    import torch

    from channels.chance import Chance

    names = sorted(set(speakers))
    validation, test = (max(1, round(share * len(names))) for share in shares)
    if validation + test >= len(names):
        raise UserMistake(
            f"{called}: must have speakers to train on beside {validation} for validation and {test} for the test, "
            f"got {len(names)} in all; record more, or set speakers: none"
        )
    order = torch.randperm(len(names), generator=Chance(seed).of("speakers").generator()).tolist()
    mixed = [names[place] for place in order]
    return tuple(mixed[:validation]), tuple(mixed[validation : validation + test])


def split_speech(
    words: SpeechSet,
    rows: Mapping[str, Tensor],
    *,
    seed: int,
    classes: Sequence[str],
    fingerprint: str,
    account: str,
    called: str,
) -> SpeechCorpus:
    """The words of each split, classes taking turns.

    Args:
        rows: of each split.
        seed: of the order.

    Raises:
        UserMistake: a split has no word of some class.
    """
    import torch

    from semcom.sources.speech import SpeechCorpus

    sets = {}
    for split in SPLITS:
        there = words.taken(rows[split].long())
        absent = sorted(set(range(len(classes))) - set(torch.unique(there.labels).tolist()))
        if absent:
            names = ", ".join(visible(classes[place]) for place in absent[:5])
            raise UserMistake(f"{called}: must have words of every class for {split}, got none of {names}; add some")
        sets[split] = there.taken(deal(there.labels, shares=(0.0, 0.0), seed=seed)["train"])
    return SpeechCorpus(**sets, classes=tuple(classes), fingerprint=fingerprint, account=account)


def of_speakers(words: SpeechCorpus) -> SpeechCorpus:
    """The same recordings where it is who speaks that is told apart: of each speaker some for every split.

    Raises:
        UserMistake: nobody knows who speaks, or one speaks alone, or somebody said too little for three splits.
    """
    import torch

    from semcom.sources.speech import SpeechCorpus, SpeechSet

    sets = (words.train, words.validation, words.test)
    speakers = [each for part in sets for each in part.speakers]
    names = sorted(set(speakers))
    if len(speakers) < sum(map(len, sets)) or len(names) < 2:
        raise UserMistake(
            f"task.wants: speaker must have recordings of two speakers at least, who are known, got {len(names)}; "
            "take a source that tells speakers apart"
        )
    labels = torch.tensor([names.index(each) for each in speakers])
    samples, durations = (torch.cat([getattr(part, name) for part in sets]) for name in ("samples", "durations"))
    everything = SpeechSet(samples, durations, labels, tuple(speakers))
    dealt = deal(labels, shares=SHARES_OF_A_SPEAKER, seed=0)
    parts = {split: everything.taken(dealt[split]) for split in SPLITS}
    if poor := sorted(
        names[label] for label in range(len(names)) if any(label not in each.labels for each in parts.values())
    ):
        raise UserMistake(
            "task.wants: speaker must have recordings of everybody for every split, got too few of "
            f"{visible(poor[0])}; add some"
        )
    return SpeechCorpus(
        **parts, classes=tuple(map(visible, names)), fingerprint=words.fingerprint, account=words.account
    )
