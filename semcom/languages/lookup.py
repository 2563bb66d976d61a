"""Lookup: the log-probabilities of candidates found among smoothed n-grams, many rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from semcom.languages.counting import Keys, bits_of, lowest
from semcom.languages.language import BOUNDARY
from semcom.languages.smoothing import Smoothed

Tokens = NDArray[np.int64]
Logs = NDArray[np.float32]

# Up to this vocabulary, all pairs of tokens are kept in a table of five bytes a pair: 84 MB at most.
LARGEST_TABLE = 4096


@dataclass(frozen=True, eq=False)
class State:
    """Beginnings of sentences.

    Args:
        last: their last order - 1 tokens as a key, PADs before short ones [rows].
        owed: at place k, what is added to log-probabilities found at order k + 1: the backoffs of all longer contexts
            [order, rows].
    """

    last: Keys
    owed: Logs


@dataclass(frozen=True, eq=False)
class Lookup:
    """Where to find what n-grams say.

    Args:
        outputs: the vocabulary [tokens].
        levels: the n-grams of one token, of two, and so on.
    """

    outputs: int
    levels: tuple[Smoothed, ...]

    def begin(self, rows: int) -> Keys:
        """The last tokens of empty beginnings."""
        return np.full(rows, BOUNDARY & self._mask, dtype=np.int64)

    def behind(self, last: Keys, tokens: Tokens) -> Keys:
        """The last tokens of beginnings that go on with one token each."""
        return (last << self._bits | tokens) & self._mask

    def state(self, last: Keys) -> State:
        """The state of beginnings with these last tokens."""
        owed = np.zeros((len(self.levels), len(last)), dtype=np.float32)
        for length in range(len(self.levels) - 1, 0, -1):
            level = self.levels[length - 1]
            places, found = _found(level.keys, last & lowest(length, self._bits))
            owed[length - 1] = owed[length]
            owed[length - 1, found] += level.backoff.take(places)
        return State(last, owed)

    def log_p(self, state: State, candidates: Tokens) -> Logs:
        """Log-probabilities of candidates [rows, C]: the inner loop of every search.

        An n-gram was seen only if it was seen without its first token too. So each order is asked only about what the
        order below has found, and few candidates get to the highest.
        """
        rows, columns = candidates.shape
        tokens = candidates.reshape(-1)
        if self._has_table:
            table, seen = self._pairs
            places = (self._newest(state) * self.outputs)[:, None] + candidates
            log_p = table.take(places)
            log_p += state.owed[1][:, None]
            alive = np.flatnonzero(seen.take(places))
        else:
            log_p = self.levels[0].log_p.take(candidates) + state.owed[0][:, None]
            alive = np.arange(rows * columns)
        log_p = log_p.reshape(-1)
        for level, contexts, owed in self._longer(state):
            owner = alive // columns
            places, found = _found(level.keys, contexts.take(owner) | tokens.take(alive))
            alive = alive.take(found)
            log_p[alive] = level.log_p.take(places) + owed.take(owner.take(found))
        return log_p.reshape(rows, columns)

    def all_log_p(self, state: State) -> Logs:
        """Log-probabilities of all tokens [rows, vocabulary]: what was seen behind a context stands in one place."""
        if self._has_table:
            log_p = self._pairs[0].reshape(self.outputs, -1)[self._newest(state)] + state.owed[1][:, None]
        else:
            log_p = self.levels[0].log_p + state.owed[0][:, None]
        for level, contexts, owed in self._longer(state):
            firsts = _places(level.keys, contexts)
            behind = _places(level.keys, contexts | lowest(1, self._bits), right=True) - firsts
            row = np.repeat(np.arange(len(behind)), behind)
            places = np.arange(len(row)) + (firsts - behind.cumsum() + behind).take(row)
            tokens = level.keys.take(places) & lowest(1, self._bits)
            log_p[row, tokens] = level.log_p.take(places) + owed.take(row)
        return log_p

    @cached_property
    def _bits(self) -> int:
        return bits_of(self.outputs, len(self.levels))

    @cached_property
    def _mask(self) -> int:
        return lowest(len(self.levels) - 1, self._bits)

    @property
    def _has_table(self) -> bool:
        return len(self.levels) >= 2 and self.outputs <= LARGEST_TABLE

    @cached_property
    def _pairs(self) -> tuple[Logs, NDArray[np.bool_]]:
        """Log-probabilities of all tokens behind each token, and which pairs were seen, both flat."""
        single, double = self.levels[:2]
        table = (single.backoff[:, None] + single.log_p).reshape(-1)
        places = (double.keys >> self._bits) * self.outputs + (double.keys & lowest(1, self._bits))
        table[places] = double.log_p
        seen = np.zeros(len(table), dtype=bool)
        seen[places] = True
        return table, seen

    def _newest(self, state: State) -> Tokens:
        return state.last & lowest(1, self._bits)

    def _longer(self, state: State) -> Iterator[tuple[Smoothed, Keys, Logs]]:
        """Of each order that the first step leaves: its n-grams, the rows' contexts as keys, and what they owe."""
        for length in range(3 if self._has_table else 2, len(self.levels) + 1):
            contexts = (state.last & lowest(length - 1, self._bits)) << self._bits
            yield self.levels[length - 1], contexts, state.owed[length - 1]


def _places(keys: Keys, asked: Keys, *, right: bool = False) -> NDArray[np.int64]:
    """How many keys are smaller, or not larger, than each of those asked for."""
    # Torch's search takes half of numpy's time or less, the more keys the less.
    places: NDArray[np.int64] = torch.searchsorted(torch.from_numpy(keys), torch.from_numpy(asked), right=right).numpy()
    return places


def _found(keys: Keys, asked: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where in the keys those asked for stand that are there, and which of those asked for these are."""
    if not len(keys):
        # No sentence was as long as that.
        return (np.zeros(0, dtype=np.int64),) * 2
    places = _places(keys, asked)
    np.minimum(places, len(keys) - 1, out=places)
    found = np.flatnonzero(keys.take(places) == asked)
    return places.take(found), found
