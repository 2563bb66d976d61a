"""Speech: recordings of single words, in splits and in batches whose order one seed fixes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import torch
from torch import Tensor

from semcom.sources.labelled import LabelledBatch
from semcom.sources.recorded import mixed

FULL = 32_768  # of 16 bit


@dataclass(frozen=True, eq=False)
class SpeechBatch(LabelledBatch):
    """Several spoken words and their classes; a word is one unit, however long it takes to say.

    Args:
        samples: [batch, samples], int16, zeros behind the end of each word.
        durations: samples that belong to each word [batch], long.
        labels: places in the list of classes [batch], long.
        rows: where each word stands in its split.
        longest: samples of the longest word of the batch, or more; what lies behind is silence in all of them.
        hidden: frames that a codec shall not hear [batch, frames]; None hides none.
    """

    samples: Tensor
    durations: Tensor
    labels: Tensor
    rows: tuple[int, ...]
    longest: int
    hidden: Tensor | None = None

    @property
    def waveform(self) -> Tensor:
        """What was spoken [batch, longest], float, from -1 to 1."""
        return self.samples[:, : self.longest].float() / FULL

    def turned(self, shift: int) -> Self:
        """The batch with every word so many rows further up, those at the top coming in at the bottom."""
        return replace(
            self,
            samples=self.samples.roll(-shift, dims=0),
            durations=self.durations.roll(-shift),
            labels=self.labels.roll(-shift),
            rows=self.rows[shift:] + self.rows[:shift],
            hidden=None if self.hidden is None else self.hidden.roll(-shift, dims=0),
        )

    def to(self, device: torch.device | str) -> Self:
        """The same batch on another device."""
        moved = {name: getattr(self, name).to(device) for name in ("samples", "durations", "labels")}
        return replace(self, **moved, hidden=None if self.hidden is None else self.hidden.to(device))


@dataclass(frozen=True, eq=False)
class FramedBatch(SpeechBatch):
    """The same words counted in frames: each is as many units as it has frames, the last of them begun.

    Args:
        hop: samples of a frame.
    """

    hop: int = field(kw_only=True)

    @property
    def lengths(self) -> Tensor:
        """Frames of each word [batch], long."""
        return (self.durations + self.hop - 1) // self.hop

    @property
    def mask(self) -> Tensor:
        """True where a frame belongs to the word [batch, frames of the longest]."""
        frames = -(-self.longest // self.hop)
        return torch.arange(frames, device=self.durations.device) < self.lengths[:, None]

    @property
    def ragged(self) -> bool:
        """Whether some words have fewer frames than others; taken to be so without looking where memory is far off."""
        return self.durations.device.type != "cpu" or not bool(self.mask.all())

    @property
    def targets(self) -> Tensor:
        """The word's class at each of its frames [batch, frames], long, 0 behind its end."""
        return self.labels[:, None] * self.mask


@dataclass(frozen=True, eq=False)
class SpeechSet:
    """The words of one split, in an order of which any beginning holds the classes as evenly as can be.

    Args:
        samples: [words, samples], int16.
        durations: [words], long, at least 1.
        labels: [words], long.
        speakers: who said each; empty where nobody knows.
    """

    samples: Tensor
    durations: Tensor
    labels: Tensor
    speakers: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, rows: Sequence[int]) -> SpeechBatch:
        """Those words."""
        index = torch.tensor(rows)
        durations = self.durations[index]
        return SpeechBatch(self.samples[index], durations, self.labels[index], tuple(rows), int(durations.max()))

    def part(self, skip: int, count: int) -> SpeechSet:
        """The first `count` behind those skipped, or fewer if there are fewer."""
        return self.taken(torch.arange(len(self))[skip : skip + count])

    def reordered(self, salt: int) -> SpeechSet:
        """The same words with those of each class in another order; classes still take turns."""
        return self.taken(mixed(self.labels, salt))

    def taken(self, rows: Tensor) -> SpeechSet:
        """Those words, in this order."""
        speakers = tuple(self.speakers[row] for row in rows.tolist()) if self.speakers else ()
        return SpeechSet(self.samples[rows], self.durations[rows], self.labels[rows], speakers)


@dataclass(frozen=True, eq=False)
class FramedSet:
    """The words of one split, in batches that count frames.

    Args:
        words: the split.
        hop: samples of a frame.
    """

    words: SpeechSet
    hop: int

    def __len__(self) -> int:
        return len(self.words)

    def batch(self, rows: Sequence[int]) -> FramedBatch:
        """Those words."""
        return FramedBatch(**vars(self.words.batch(rows)), hop=self.hop)


@dataclass(frozen=True, eq=False)
class SpeechCorpus:
    """Spoken words in three splits that share none, and no speaker either where speakers are known.

    Args:
        classes: what is said; labels are places in it.
        fingerprint: hash of everything the words depend on, as their source gives it.
        account: what was read or made, as one line for people.
    """

    train: SpeechSet
    validation: SpeechSet
    test: SpeechSet
    classes: tuple[str, ...]
    fingerprint: str
    account: str = ""
