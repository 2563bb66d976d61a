"""FormantWords: words of vowels from a synthesizer of a few lines, where no recorded speech is at hand."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from semcom.files import digest
from semcom.sources.sentences import Progress
from semcom.sources.speech_splits import by_speaker, collected, split_speech, window_of

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from channels.chance import Chance
    from semcom.sources.speech import SpeechCorpus

# Part of the fingerprint: raise it when a change here alters a single sample.
GENERATION_VERSION = 1
RATE = 8000
SECONDS = 1.0
HIGHEST_HZ = 3800.0
MOST_WORDS = 100_000
# The first three formants of men's vowels [Hz]. Source: Peterson and Barney, Control Methods Used in a Study of the
# Vowels, JASA 24, 1952, Table II.
VOWELS: dict[str, tuple[float, float, float]] = {
    "i": (270, 2290, 3010),
    "e": (530, 1840, 2480),
    "a": (730, 1090, 2440),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}
VOCABULARY = ("ia", "ai", "ua", "au", "ei", "ie", "oi", "io", "aia", "uiu")


@dataclass(frozen=True)
class FormantWords:
    """Words of two or three vowels from a synthesizer with speakers of its own; no one spoke them.

    Every speaker has a pitch and a length of vocal tract, by which all formants are scaled; every time that a word is
    said it takes another time, glides and fades otherwise and lies in a little noise. The last speaker is tested, the
    one before validates, and neither is heard in training. It shows that everything works, and nothing about speech.

    Args:
        words: of the vocabulary, the first so many, from 2 to 10.
        speakers: in all, at least 3.
        takes: how often every speaker says every word.
        seed: of all that is drawn.
    """

    words: int = 6
    speakers: int = 8
    takes: int = 8
    seed: int = 0
    kind: Literal["formant_words"] = "formant_words"

    def __post_init__(self) -> None:
        if not 2 <= self.words <= len(VOCABULARY):
            raise ValueError(f"words must be from 2 to {len(VOCABULARY)}, got {self.words}")
        if self.speakers < 3:
            raise ValueError(f"speakers must be at least 3, to train, to validate and to test, got {self.speakers}")
        if self.takes < 1 or self.words * self.speakers * self.takes > MOST_WORDS:
            raise ValueError(
                f"takes must be at least 1 and leave at most {MOST_WORDS:,} words in all, got {self.takes} by "
                f"{self.speakers} speakers"
            )
        if type(self.seed) is not int:
            raise ValueError(f"seed must be a whole number, got {self.seed!r}")

    @property
    def rate(self) -> int:
        """Samples a second."""
        return RATE

    @property
    def samples(self) -> int:
        """That every word is filled up to."""
        return window_of(RATE, SECONDS)

    @property
    def is_at_hand(self) -> bool:
        """They are made in a second."""
        return True

    def fingerprint(self) -> str:
        """Covers every setting and the version of the synthesizer; the same wherever they are made, to rounding."""
        return digest(json.dumps([GENERATION_VERSION, asdict(self)], sort_keys=True).encode())

    def prepare(self, progress: Progress | None = None) -> str:
        """Make them once."""
        return f"{self.kind}: {self.load(progress).account}"

    def load(self, progress: Progress | None = None) -> SpeechCorpus:
        """The words, dealt to their splits."""
        if progress:
            progress("synthesizing words", 0, 0)
        return _made(self)


@lru_cache(maxsize=2)
def _made(source: FormantWords) -> SpeechCorpus:
    words, labels, speakers = [], [], []
    for speaker in range(source.speakers):
        for label in range(source.words):
            for take in range(source.takes):
                words.append(say(VOCABULARY[label], speaker=speaker, take=take, seed=source.seed))
                labels.append(label)
                speakers.append(f"speaker {speaker + 1}")
    names = [f"speaker {number + 1}" for number in range(source.speakers)]
    return split_speech(
        collected(words, labels, speakers, window=source.samples, called=source.kind),
        by_speaker(speakers, validation=names[-2:-1], test=names[-1:]),
        seed=source.seed,
        classes=VOCABULARY[: source.words],
        fingerprint=source.fingerprint(),
        account=f"{len(words):,} synthesized words by {source.speakers} made-up speakers at {RATE:,} Hz",
        called=source.kind,
    )


def say(word: str, *, speaker: int, take: int, seed: int = 0) -> np.ndarray:
    """One word as samples [samples], int16.

    Harmonics of a gliding pitch, of amplitude 1 / h, through three resonances (F, B) in a row:

        x(t) = sum_h 1/h  prod_i | 1 - (f/F_i)^2 + j f B_i / F_i^2 |^-1  sin(2 pi int f dt),   f = h f_0(t)

    F_i(t) goes in straight lines from vowel to vowel and is scaled by the speaker's tract.

    Source: the cascade of resonators, Klatt, Software for a Cascade/Parallel Formant Synthesizer, JASA 67, 1980.
    """
    import torch

    from channels.chance import Chance

    person = _uniform(2, Chance(seed).of("speaker", speaker))
    here = Chance(seed).of("word", speaker, VOCABULARY.index(word), take)
    pace, glide, level, quiet = _uniform(4, here).tolist()
    pitch = 90.0 * 2.5 ** float(person[0])
    tract = 0.85 + 0.35 * float(person[1])
    length = int(RATE * (0.1 * len(word) + 0.1 + 0.2 * pace))
    time = torch.linspace(0, 1, length, dtype=torch.float64)
    pitches = pitch * (1 + 0.2 * (glide - 0.5) * time)
    # Each vowel is held, and left over a quarter of the word.
    place = time * (len(word) - 1)
    step = ((place - place.floor() - 0.5) * 2).clamp(-0.5, 0.5) + 0.5
    first = place.floor().long().clamp(max=len(word) - 2)
    step = torch.where(place.floor() > first, torch.ones_like(step), step)
    targets = torch.tensor([VOWELS[vowel] for vowel in word], dtype=torch.float64) * tract
    formants = targets[first] + step[:, None] * (targets[first + 1] - targets[first])
    count = int(HIGHEST_HZ / (1.1 * pitch))
    numbers = torch.arange(1, count + 1, dtype=torch.float64)[:, None]
    heights = numbers * pitches
    tone = torch.sin(2 * math.pi * numbers * pitches.cumsum(0) / RATE) / numbers
    for formant in formants.unbind(1):
        width = 60 + 0.05 * formant
        ratio = heights / formant
        tone = tone / torch.sqrt((1 - ratio**2) ** 2 + (heights * width / formant**2) ** 2)
    voice = tone.sum(dim=0) * torch.sin(math.pi * time).clamp(min=0) ** 0.5
    voice = voice / voice.abs().max() * (0.2 + 0.6 * level)
    hiss = torch.randn(length, generator=here.of("noise").generator(), dtype=torch.float64) * 0.002 * (1 + 4 * quiet)
    samples: np.ndarray = ((voice + hiss).clamp(-1, 1) * 32_767).round().to(torch.int16).numpy()
    return samples


def _uniform(count: int, chance: Chance) -> Tensor:
    import torch

    return torch.rand(count, generator=chance.of("uniform").generator(), dtype=torch.float64)
