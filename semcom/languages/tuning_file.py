"""Fitted weights on disk, with the unigram that they are weighed against: checked before anybody believes them."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from semcom.files import digest, digest_of, write_atomically
from semcom.languages.settings import Weights
from semcom.mistakes import UserMistake

# The one entry of the header: safetensors writes several in any order.
_ENTRY = "semcom tuning 1"


def write_tuning(path: Path, weights: Weights, unigram: Tensor) -> str:
    """Write the weights in one move; returns the digest of the file.

    Args:
        unigram: log-probability of every token number [vocabulary].
    """
    content = save({"unigram": unigram.contiguous()}, metadata={_ENTRY: json.dumps(vars(weights), sort_keys=True)})
    write_atomically(path, content)
    return digest(content)


def read_tuning(path: Path, *, noted: str | None = None) -> tuple[Weights, Tensor]:
    """What `write_tuning` wrote.

    Args:
        noted: the digest that the file had when it was saved; None takes any bytes.

    Raises:
        UserMistake: the file is missing, damaged, or none of ours.
    """
    try:
        if noted is not None and digest_of(path) != noted:
            raise ValueError("a damaged, edited or exchanged file")
        with safe_open(path, framework="pt", device="cpu") as stored:
            told = json.loads((stored.metadata() or {})[_ENTRY])
            unigram: Tensor = stored.get_tensor("unigram")
        if unigram.ndim != 1 or not unigram.is_floating_point() or not torch.isfinite(unigram).all():
            raise ValueError("a unigram that is no list of log-probabilities")
        return Weights(**told), unigram
    except FileNotFoundError:
        raise UserMistake(f"{path}: no such file; fit the weights first with `semcom run`") from None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UserMistake(
            f"{path}: must be fitted weights that semcom wrote, got {error}; delete it and run again to fit them anew"
        ) from None
