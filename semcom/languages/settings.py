"""Weights and SearchSettings: how much a language counts beside the signal, and how far a search looks."""

from __future__ import annotations

import math
from dataclasses import dataclass

MOST_HYPOTHESES = 1024
MOST_CANDIDATES = 65_536


@dataclass(frozen=True)
class Weights:
    """How signal and language are added up.

    score = sum_i [temperature log p(t_i | signal) - alpha log p_1(t_i) + language log p_LM(t_i | t_<i)]
            + language log p_LM(end),   p_LM never below p_1 e^-floor

    A receiver that was trained on sentences has the frequency of tokens in its softmax already, and a language says it
    once more: alpha takes it out. Multiplying all three weights by one factor changes no decision, only how sure of it
    the search claims to be.

    Args:
        alpha: weight of the unigram that is taken out, at least 0.
        language: weight of the language, at least 0.
        temperature: exponent of the receiver's probabilities, above 0; below 1 where it is surer than it should be.
        floor: by how much at most a language may find a token less likely than its mere frequency says [nats]; above 0,
            None sets no limit. It bounds the harm that a language does to sentences unlike all that it has read.

    The defaults are near what `semcom.languages.tuning` found for one codec and a 4-gram of its text; a language weight
    above alpha costs rare tokens at high SNR.
    """

    alpha: float = 0.9
    language: float = 0.8
    temperature: float = 1.0
    floor: float | None = 4.0

    def __post_init__(self) -> None:
        for name, value in (("alpha", self.alpha), ("language", self.language)):
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be a weight of at least 0, got {value:g}")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"temperature must be above 0, got {self.temperature:g}")
        if self.floor is not None and not (math.isfinite(self.floor) and self.floor > 0):
            raise ValueError(f"floor must be above 0 nats, got {self.floor:g}; leave it out for no limit")


SIGNAL_ALONE = Weights(alpha=0.0, language=0.0, floor=None)
"""No language: what the receiver alone finds likeliest."""


@dataclass(frozen=True)
class SearchSettings:
    """How far a search looks.

    Args:
        beam: hypotheses kept of each sentence.
        candidates: tokens tried at each position, the likeliest by the signal; more than there are tries all of them.
        recombine: where signal or language remembers a whole sentence, hypotheses that agree in so many last tokens are
            taken for one all the same, and the better stays: an approximation that makes room in the beam. None never
            does so. Where all memories are short, recombination is exact and always done.
    """

    beam: int = 16
    candidates: int = 64
    recombine: int | None = 3

    def __post_init__(self) -> None:
        ranges = (("beam", self.beam, MOST_HYPOTHESES), ("candidates", self.candidates, MOST_CANDIDATES))
        for name, value, most in ranges:
            if not 1 <= value <= most:
                raise ValueError(f"{name} must be from 1 to {most}, got {value}")
        if self.recombine is not None and self.recombine < 1:
            raise ValueError(f"recombine must be at least 1 token, got {self.recombine}; None keeps all apart")
