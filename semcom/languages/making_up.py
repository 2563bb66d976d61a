"""Sentences that a language makes up: text without end from a teacher, none of it from the corpus."""

from __future__ import annotations

import torch
from torch import Tensor

from channels import Chance
from semcom.languages.language import BOUNDARY, Language
from semcom.sources.tokenizer import PAD, UNKNOWN

LONGEST = 64  # tokens
HOPELESS = 20  # times as many sentences as were asked for, hardly any of which came to an end


def make_up(
    language: Language,
    count: int,
    chance: Chance,
    *,
    longest: int = LONGEST,
    temperature: float = 1.0,
    at_once: int = 1024,
) -> list[list[int]]:
    """Sentences in token numbers, each drawn token by token until the language ends it.

    They hold no padding, no unknown token and no BOUNDARY, and at least one token: what the language leaves those is
    shared out among the rest. A sentence that has not ended after `longest` tokens is thrown away and another drawn.
    The same chance gives the same sentences; another `at_once` gives others.

    Args:
        temperature: below 1 for likelier sentences, above for stranger ones; 1 draws from the language as it is.
        at_once: sentences that are made side by side.

    Raises:
        ValueError: numbers that make no sense, or a language that hardly ever ends a sentence.
    """
    for name, value in (("count", count), ("longest", longest), ("at_once", at_once)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if not 0 < temperature < torch.inf:
        raise ValueError(f"temperature must be positive and finite, got {temperature}; 1 is the language as it is")
    found: list[list[int]] = []
    rows, tried = min(count, at_once), 0
    while len(found) < count:
        if tried > HOPELESS * (count + rows):
            raise ValueError(
                f"a language must end its sentences within {longest} tokens, got {len(found)} of {tried} that did; "
                "train it further, or allow longer ones"
            )
        # Rounds are taken whole: those that end first are the short ones.
        found += _some(language, rows, chance.of("round", tried), longest=longest, temperature=temperature)
        tried += rows
    return found[:count]


def _some(language: Language, rows: int, chance: Chance, *, longest: int, temperature: float) -> list[list[int]]:
    """Those of so many sentences that ended in time."""
    state, generator = language.begin(rows), chance.generator()
    scores = language.scores(state)
    device = scores.device
    going = torch.arange(rows, device=device)  # the rows of `made` that the state's rows stand for
    made = torch.full((rows, longest + 1), PAD, device=device)
    for position in range(longest + 1):
        # Drawn for all rows, those that have ended too, so that none depends on when another ends.
        luck = torch.rand(rows, generator=generator, dtype=torch.double).to(device)[going]
        tokens = _drawn(scores, luck, temperature, may_end=position > 0)
        made[going, position] = tokens
        staying = (tokens != BOUNDARY).nonzero()[:, 0]
        going = going[staying]
        if not len(going) or position == longest:
            break
        state = language.extend(state, staying, tokens[staying])
        scores = language.scores(state)
    sentences: list[list[int]] = made.tolist()
    return [sentence[: sentence.index(BOUNDARY)] for sentence in sentences if BOUNDARY in sentence]


def _drawn(scores: Tensor, luck: Tensor, temperature: float, *, may_end: bool) -> Tensor:
    """One token a row, by where luck in [0, 1) falls among the probabilities laid end to end."""
    logits = scores.double() / temperature
    logits[:, [PAD, UNKNOWN] if may_end else [PAD, UNKNOWN, BOUNDARY]] = -torch.inf
    laid = logits.softmax(dim=-1).cumsum(dim=-1)
    places = torch.searchsorted(laid, (luck * laid[:, -1])[:, None], right=True)[:, 0]
    return places.clamp_max(scores.shape[1] - 1)
