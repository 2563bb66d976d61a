"""Smoothing: probabilities of all tokens after every context, by interpolated Kneser-Ney with three discounts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semcom.languages.counting import Counts, Keys, Level, bits_of, lowest
from semcom.sources.sentences import Progress

Floats = NDArray[np.float64]

# Where a text is too small to say anything about its discounts.
_HALF = 0.5


@dataclass(frozen=True, eq=False)
class Smoothed:
    """The n-grams of one length with what they are worth.

    Args:
        keys: the n-grams [n-grams]; those of one token are all token numbers in order.
        log_p: log-probability of the last token after the others [nats].
        backoff: what is added to the log-probability of a token that was never seen behind this n-gram, after the
            n-gram without its first token [nats]; 0 where nothing was seen behind it at all.
    """

    keys: Keys
    log_p: NDArray[np.float32]
    backoff: NDArray[np.float32]


def discounts(counts: NDArray[np.int32]) -> Floats:
    """What is taken from counts of 0, 1, 2, and 3 or more.

        Y = n1 / (n1 + 2 n2),  D1 = 1 - 2 Y n2 / n1,  D2 = 2 - 3 Y n3 / n2,  D3+ = 3 - 4 Y n4 / n3

    where n_i is how many n-grams have the count i. Where one of the four is missing, or a discount would leave its
    count nothing or take nothing from it, all discounts are Y; where Y would be none or all, a half.

    Source: Chen and Goodman, An Empirical Study of Smoothing Techniques for Language Modeling, Computer Speech and
    Language 13, 1999, section 3.
    """
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == count)) for count in (1, 2, 3, 4))
    single = n1 / (n1 + 2 * n2) if n1 and n2 else _HALF
    if n1 and n2 and n3 and n4:
        three = np.array([0, 1 - 2 * single * n2 / n1, 2 - 3 * single * n3 / n2, 3 - 4 * single * n4 / n3])
        if (three[1:] > 0).all() and (three[1:] < (1, 2, 3)).all():
            return three
    return np.array([0, single, single, single])


def smoothed(counts: Counts, progress: Progress | None = None) -> tuple[Smoothed, ...]:
    """Interpolated Kneser-Ney, shortest n-grams first.

        p(w | h) = (c(h w) - D(c(h w))) / c(h .) + gamma(h) p(w | h'),  gamma(h) = sum_w D(c(h w)) / c(h .)

    with c as `counting` has it, h' the context without its first token, and one divided by the vocabulary below the
    unigrams, so that every token number has a probability and those behind each context sum to one.

    Source: Chen and Goodman 1999 (see `discounts`), section 3; the original, Kneser and Ney, Improved Backing-off for
    M-gram Language Modeling, ICASSP 1995.
    """
    orders = len(counts.levels)
    bits = bits_of(counts.outputs, orders)
    keys, p = np.arange(counts.outputs, dtype=np.int64), _unigrams(counts)
    found = []
    for length, level in enumerate(counts.levels[1:], 2):
        if progress:
            progress("smoothing", length - 1, orders)
        own, shares = _divided(level, bits)
        backoff = np.zeros(len(keys), dtype=np.float32)
        backoff[np.searchsorted(keys, shares.contexts)] = np.log(shares.gamma)
        found.append(Smoothed(keys, np.log(p).astype(np.float32), backoff))
        lower = p[np.searchsorted(keys, level.keys & lowest(length - 1, bits))]
        # In place, for these are the largest arrays of all.
        lower *= np.repeat(shares.gamma, shares.behind)
        own += lower
        keys, p = level.keys, own
    # Nothing follows the longest.
    found.append(Smoothed(keys, np.log(p).astype(np.float32), np.zeros(0, dtype=np.float32)))
    if progress:
        progress("smoothing", orders, orders)
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Shares:
    """Contexts in order, the share gamma that each leaves to shorter ones, and how many n-grams stand behind it."""

    contexts: Keys
    gamma: Floats
    behind: NDArray[np.int64]


def _divided(level: Level, bits: int) -> tuple[Floats, _Shares]:
    """What is left to each n-gram itself, and the rest."""
    taken = discounts(level.counts)[np.minimum(level.counts, 3)]
    contexts = level.keys >> bits
    firsts = np.flatnonzero(np.diff(contexts, prepend=-1))
    behind = np.diff(firsts, append=len(contexts))
    contexts = contexts[firsts]
    totals = np.add.reduceat(level.counts, firsts)
    shares = _Shares(contexts, np.add.reduceat(taken, firsts) / totals, behind)
    own = np.subtract(level.counts, taken, out=taken)
    own /= np.repeat(totals, behind)
    return own, shares


def _unigrams(counts: Counts) -> Floats:
    """Probabilities of all token numbers behind nothing."""
    level = counts.levels[0]
    seen = np.zeros(counts.outputs, dtype=np.int64)
    seen[level.keys] = level.counts
    discount = discounts(level.counts)[np.minimum(seen, 3)]
    return (seen - discount + discount.sum() / counts.outputs) / seen.sum()
