"""Counted languages on disk: safetensors, mapped into memory and checked before anybody believes them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from semcom.files import digest, digest_of, write_atomically
from semcom.languages.counting import bits_of
from semcom.languages.ngram_spec import NGramSpec
from semcom.languages.smoothing import Smoothed
from semcom.mistakes import UserMistake

# The one entry of the header: safetensors writes several in any order.
_ENTRY = "semcom ngram 1"


@dataclass(frozen=True)
class About:
    """What stands in the header of the file.

    Args:
        order: length of the longest n-grams [tokens].
        outputs: the vocabulary [tokens].
        sentences: how many were counted.
        tokens: how many these held.
        tokenizer: digest of the tokenizer that encoded them; None if nobody told.
    """

    order: int
    outputs: int
    sentences: int
    tokens: int
    tokenizer: str | None = None


def write_ngrams(path: Path, about: About, levels: tuple[Smoothed, ...]) -> str:
    """Write a counted language in one move; returns the digest of the file."""
    arrays: dict[str, NDArray[Any]] = {f"log_p_{length}": level.log_p for length, level in enumerate(levels, 1)}
    arrays |= {f"backoff_{length}": level.backoff for length, level in enumerate(levels[:-1], 1)}
    # Those of one token are all token numbers.
    arrays |= {f"keys_{length}": level.keys for length, level in enumerate(levels[1:], 2)}
    content = save(arrays, metadata={_ENTRY: json.dumps(asdict(about), sort_keys=True)})
    write_atomically(path, content)
    return digest(content)


def read_ngrams(path: Path, *, tokenizer: str | None, noted: str | None) -> tuple[About, tuple[Smoothed, ...]]:
    """What `write_ngrams` wrote; the arrays stay in the file. See `NGram.load`."""
    again = "delete it and run again to count anew"
    try:
        if noted is not None and digest_of(path) != noted:
            raise ValueError("a damaged, edited or exchanged file")
        # By way of torch, because it maps files instead of reading them.
        with safe_open(path, framework="pt", device="cpu") as stored:
            about = _about((stored.metadata() or {}).get(_ENTRY))
            arrays = {name: stored.get_tensor(name).numpy() for name in stored.keys()}  # noqa: SIM118 (no mapping)
        levels = _levels(about, arrays)
    except FileNotFoundError:
        raise UserMistake(f"{path}: no such file; count the language first with `semcom run`") from None
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise UserMistake(f"{path}: must be a counted language that semcom wrote, got {error}; {again}") from None
    if tokenizer is not None and about.tokenizer != tokenizer:
        raise UserMistake(
            f"{path}: must be counted with tokenizer {tokenizer}, got {about.tokenizer or 'one nobody told'}; {again}"
        )
    return about, levels


def _about(text: str | None) -> About:
    facts = json.loads(text) if text is not None else None
    if not isinstance(facts, dict) or set(facts) != {field.name for field in fields(About)}:
        raise ValueError(f"no {_ENTRY!r} mark")
    about = About(**facts)
    numbers = (about.order, about.outputs, about.sentences, about.tokens)
    _check(all(type(number) is int and number > 0 for number in numbers), "a header with numbers that cannot be")
    _check(about.tokenizer is None or isinstance(about.tokenizer, str), "a header with a tokenizer that is no digest")
    return about


def _levels(about: About, arrays: dict[str, NDArray[Any]]) -> tuple[Smoothed, ...]:
    NGramSpec(order=about.order)
    bits = bits_of(about.outputs, about.order)
    levels = []
    for length in range(1, about.order + 1):
        log_p = _log(arrays, f"log_p_{length}")
        if length == 1:
            _check(len(log_p) == about.outputs, "another vocabulary than its header says")
            keys: NDArray[Any] = np.arange(about.outputs, dtype=np.int64)
        else:
            keys = _taken(arrays, f"keys_{length}", np.int64)
            inside = not len(keys) or (keys[0] >= 0 and int(keys[-1]) >> bits * length == 0)
            _check(bool(inside and (keys[1:] > keys[:-1]).all()), f"keys_{length} that do not rise")
        _check(len(log_p) == len(keys), f"log_p_{length} and keys of different lengths")
        backoff = np.zeros(0, dtype=np.float32)
        if length < about.order:
            backoff = _log(arrays, f"backoff_{length}")
            _check(len(backoff) == len(keys), f"backoff_{length} and keys of different lengths")
        levels.append(Smoothed(keys, log_p, backoff))
    _check(not arrays, f"what no counted language holds: {', '.join(sorted(arrays)[:3])}")
    return tuple(levels)


def _log(arrays: dict[str, NDArray[Any]], name: str) -> NDArray[np.float32]:
    """Logarithms of what is at most one."""
    values = _taken(arrays, name, np.float32)
    _check(bool(np.isfinite(values).all() and (values <= 0).all()), f"{name} that are no logarithms of probabilities")
    return values


def _taken(arrays: dict[str, NDArray[Any]], name: str, kind: type[np.generic]) -> NDArray[Any]:
    values = arrays.pop(name, None)
    if values is None or values.ndim != 1 or values.dtype != kind:
        raise ValueError(f"no row of {kind.__name__} named {name}")
    return values


def _check(sound: bool, otherwise: str) -> None:
    if not sound:
        raise ValueError(otherwise)
