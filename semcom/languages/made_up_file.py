"""Made-up sentences on disk: safetensors, checked before anybody learns from them."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from semcom.files import digest, digest_of, write_atomically
from semcom.languages.language import BOUNDARY
from semcom.mistakes import UserMistake
from semcom.sources.tokenizer import PAD

Sentences = list[list[int]]


def write_sentences(path: Path, sentences: Sentences) -> str:
    """Write sentences of token numbers in one move; returns the digest of the file."""
    parts = {
        "lengths": torch.tensor([len(each) for each in sentences], dtype=torch.int32),
        "tokens": torch.tensor([token for each in sentences for token in each], dtype=torch.int32),
    }
    content = save(parts)
    write_atomically(path, content)
    return digest(content)


def read_sentences(path: Path, *, outputs: int, noted: str | None = None) -> Sentences:
    """What `write_sentences` wrote.

    Args:
        outputs: the vocabulary, which no token number may pass.
        noted: the digest that the file had when it was saved; None takes any bytes.

    Raises:
        UserMistake: the file is missing, damaged, or none of ours.
    """
    try:
        if noted is not None and digest_of(path) != noted:
            raise ValueError("a damaged, edited or exchanged file")
        with safe_open(path, framework="pt", device="cpu") as stored:
            lengths, tokens = stored.get_tensor("lengths"), stored.get_tensor("tokens")
        _check(lengths, tokens, outputs)
    except FileNotFoundError:
        raise UserMistake(f"{path}: no such file; have the sentences made up with `semcom run`") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise UserMistake(
            f"{path}: must be sentences that semcom wrote, got {error}; delete it and run again to make them anew"
        ) from None
    return [each.tolist() for each in tokens.split(lengths.tolist())]


def _check(lengths: Tensor, tokens: Tensor, outputs: int) -> None:
    for each in (lengths, tokens):
        if each.ndim != 1 or each.dtype != torch.int32 or not len(each):
            raise ValueError("no list of whole numbers")
    if lengths.min() < 1 or int(lengths.sum()) != len(tokens):
        raise ValueError("lengths that do not fit its tokens")
    if tokens.min() <= max(PAD, BOUNDARY) or tokens.max() >= outputs:
        raise ValueError("a token number that cannot be in a sentence")
