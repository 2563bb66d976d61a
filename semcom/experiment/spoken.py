"""Spoken: languages that are made, loaded again for whoever asks or counts with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import torch
from torch import nn

from semcom.experiment.data import text_of
from semcom.languages.language import Language
from semcom.languages.mixture import Mixture
from semcom.languages.mixture_spec import MixtureSpec
from semcom.languages.ngram import NGram
from semcom.languages.ngram_spec import NGramSpec
from semcom.languages.transformer import initialize_language
from semcom.languages.transformer_spec import TransformerSpec
from semcom.scenario.work import LanguageBuild
from semcom.store.folder import RunFolder
from semcom.training.checkpoint import load_weights

Known = Mapping[str, LanguageBuild]
"""All languages of a scenario by identity."""


def load_language(build: LanguageBuild, known: Known, folder: Path, device: str = "cpu") -> Language:
    """A finished language, ready to ask.

    Args:
        known: where the parts of a mixture are found.
    """
    path = RunFolder(folder).weights(build.identity)
    if isinstance(build.spec, NGramSpec):
        return NGram.load(path, noted=build.digests.weights)
    if isinstance(build.spec, MixtureSpec):
        weight = Weight(0.5)
        load_weights(weight, path, build=build.identity, noted=build.digests.weights)
        first, second = (load_language(known[each], known, folder, device) for each in build.needs)
        return Mixture(first, second, float(weight.weight))
    assert isinstance(build.spec, TransformerSpec), "a made-up text is read by `invented_for`"
    language = initialize_language(build.spec, text_of(build, folder).outputs, seed=0)
    load_weights(language, path, build=build.identity, noted=build.digests.weights)
    return language.requires_grad_(False).eval().to(device)


class Weight(nn.Module):
    """The one number of a mixture, kept as weights are."""

    weight: torch.Tensor

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.register_buffer("weight", torch.tensor(weight, dtype=torch.float64))


# What one worker measures in a row is mostly one language under many conditions.
@lru_cache(maxsize=4)
def spoken(languages: tuple[LanguageBuild, ...], folder: Path, device: str = "cpu") -> Language:
    """The first of these, which is made from the others."""
    return load_language(languages[0], {each.identity: each for each in languages}, folder, device)


def parts_of(language: LanguageBuild, known: Known) -> Iterator[LanguageBuild]:
    """All that a language is made from."""
    for each in language.needs:
        yield known[each]
        yield from parts_of(known[each], known)
