"""Carry out the languages of a scenario: count, train or mix them, and load them again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import nn

from channels import Chance
from semcom.distillation.taught_language import TaughtLanguage
from semcom.experiment.build import data_of
from semcom.experiment.made_up_text import carry_out_text
from semcom.identity import canonical
from semcom.languages.bits import bits_per_token
from semcom.languages.language import Language
from semcom.languages.made_up_file import read_sentences
from semcom.languages.made_up_spec import MadeUpSpec
from semcom.languages.mixture import Mixture, fitted_mixture
from semcom.languages.mixture_spec import MixtureSpec
from semcom.languages.ngram import NGram, count
from semcom.languages.ngram_spec import NGramSpec
from semcom.languages.transformer import TransformerLanguage, initialize_language
from semcom.languages.transformer_spec import TransformerSpec
from semcom.scenario.work import LanguageBuild, Tuning
from semcom.sources.batches import TrainingBatches
from semcom.store.circumstances import circumstances
from semcom.store.digests import WEIGHTS_DIGEST
from semcom.store.folder import RunFolder
from semcom.tasks.text_data import TextData, by_hash, shared
from semcom.training.checkpoint import Checkpoint, about_codec, load_weights, save_weights
from semcom.training.fit import Progress, silent
from semcom.training.language_objective import NextToken
from semcom.training.train_language import train_language

VALIDATION_BATCH = 64
AT_ONCE = 20_000  # sentences that are turned into tokens together

Known = Mapping[str, LanguageBuild]
"""All languages of a scenario by identity."""


def carry_out_language(
    build: LanguageBuild, known: Known, folder: Path, *, device: str = "cpu", progress: Progress = silent
) -> dict[str, Any]:
    """Make one language and save it; a training killed and begun again ends with the same weights.

    Returns:
        The record: size, how well it knows validation text, times.
    """
    if isinstance(build.spec, MadeUpSpec):
        (teacher,) = build.needs
        spoken = load_language(known[teacher], known, folder, device)
        return carry_out_text(build, spoken, folder, device=device, progress=progress)
    began = time.perf_counter()
    data = text_of(build, folder)
    made, saved, facts = _made(build, known, folder, data, device=device, progress=progress)
    bits = bits_per_token(made, [batch.to(device_of(made)) for batch in data.validation(VALIDATION_BATCH)])
    return {
        "name": build.name,
        "seed": build.seed,
        "kind": build.spec.kind,
        "spec": canonical(build.spec),
        "parameters": size_of(made),
        "size_bytes": RunFolder(folder).weights(build.identity).stat().st_size,
        "vocabulary": data.outputs,
        # Of text that it never saw, without the ends of sentences, which a receiver is told.
        "bits_per_token": bits,
        **facts,
        WEIGHTS_DIGEST: saved,
        "seconds": round(time.perf_counter() - began, 2),
        **vars(circumstances(device)),
    }


def _made(
    build: LanguageBuild, known: Known, folder: Path, data: TextData, *, device: str, progress: Progress
) -> tuple[Language, str, dict[str, Any]]:
    """The language, the digest of its file, and what else is to be told of it."""
    path = RunFolder(folder).weights(build.identity)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(build.spec, MixtureSpec):
        parts = [load_language(known[each], known, folder) for each in build.needs]
        mixed = fitted_mixture(parts[0], parts[1], data.validation(VALIDATION_BATCH))
        facts = {"weight": mixed.weight, "mixed_of": [known[each].name for each in build.needs]}
        return mixed, save_weights(_Weight(mixed.weight), path, about={"build": build.identity}), facts
    sentences, invented = sentences_of(build, data), invented_for(build, known, folder, data)
    facts = {"sentences": len(sentences), **({"made_up": len(invented)} if invented else {})}
    text = chain(encoded(data, sentences), invented)
    if isinstance(build.spec, NGramSpec):

        def tell(what: str, done: int, total: int) -> None:
            progress(done, total, what)

        counted = count(text, data.outputs, build.spec, tell)
        return counted, counted.save(path), facts
    trained, history = _trained(build, known, folder, data=data, text=text, device=device, progress=progress)
    about = about_codec(canonical(build.spec), vocabulary=data.outputs, build=build.identity)
    return trained, save_weights(trained, path, about=about), {**facts, "history": history}


def _trained(
    build: LanguageBuild,
    known: Known,
    folder: Path,
    *,
    data: TextData,
    text: Iterable[list[int]],
    device: str,
    progress: Progress,
) -> tuple[TransformerLanguage, dict[str, Any]]:
    """A Transformer after its training, and the history of that."""
    recipe, lesson, chance = build.recipe, build.lesson, Chance(build.seed or 0).of("language")
    assert isinstance(build.spec, TransformerSpec) and recipe is not None
    batches = TrainingBatches(list(text), recipe.batch, chance.of("batches"))
    objective: Callable[[TransformerLanguage], nn.Module] = NextToken
    if lesson is not None:
        teacher = load_language(known[lesson.teacher], known, folder, device)
        objective = partial(TaughtLanguage, teacher=teacher, methods=lesson.methods, label_weight=lesson.label_weight)
    trained, history = train_language(
        build.spec,
        data.outputs,
        batches,
        recipe,
        chance=chance,
        objective=objective,
        validation=data.validation(VALIDATION_BATCH),
        device=device,
        checkpoint=Checkpoint(RunFolder(folder).checkpoint(build.identity), build.identity),
        progress=progress,
    )
    return trained, vars(history)


def load_language(build: LanguageBuild, known: Known, folder: Path, device: str = "cpu") -> Language:
    """A finished language, ready to ask.

    Args:
        known: where the parts of a mixture are found.
    """
    path = RunFolder(folder).weights(build.identity)
    if isinstance(build.spec, NGramSpec):
        return NGram.load(path, noted=build.digests.weights)
    if isinstance(build.spec, MixtureSpec):
        weight = _Weight(0.5)
        load_weights(weight, path, build=build.identity, noted=build.digests.weights)
        first, second = (load_language(known[each], known, folder, device) for each in build.needs)
        return Mixture(first, second, float(weight.weight))
    assert isinstance(build.spec, TransformerSpec), "a made-up text is read by `invented_for`"
    language = initialize_language(build.spec, text_of(build, folder).outputs, seed=0)
    load_weights(language, path, build=build.identity, noted=build.digests.weights)
    return language.requires_grad_(False).eval().to(device)


class _Weight(nn.Module):
    """The one number of a mixture, kept as weights are."""

    weight: torch.Tensor

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.register_buffer("weight", torch.tensor(weight, dtype=torch.float64))


def size_of(language: Language) -> int:
    """Its parameters, or n-grams: the numbers that a receiver must hold."""
    if isinstance(language, NGram):
        return language.entries
    if isinstance(language, Mixture):
        return size_of(language.first) + size_of(language.second)
    assert isinstance(language, nn.Module)
    return sum(each.numel() for each in language.parameters())


def device_of(language: Language) -> torch.device:
    """Where it wants its tokens; counts take them from anywhere."""
    if isinstance(language, Mixture):
        first, second = device_of(language.first), device_of(language.second)
        return second if first.type == "cpu" else first
    return next(language.parameters()).device if isinstance(language, nn.Module) else torch.device("cpu")


def text_of(build: LanguageBuild | Tuning, folder: Path) -> TextData:
    """The scenario's sentences."""
    data = data_of(build, folder)
    assert isinstance(data, TextData), "only sentences are made of language"
    return data


def sentences_of(build: LanguageBuild, data: TextData) -> Sequence[str]:
    """The sentences that a language is made from: never one that it is measured or tuned on."""
    if build.corpus is None:
        train: Sequence[str] = data.corpus.train
    else:
        held = {*data.corpus.validation, *data.corpus.test}
        train = [sentence for sentence in build.corpus.load().train if sentence not in held]
    # Hashing all of a large text takes longer than counting it, and orders what needs no order.
    return train if build.share == 1 else by_hash(train, build.salt)[: shared(build.share, len(train))]


def invented_for(build: LanguageBuild, known: Known, folder: Path, data: TextData) -> list[list[int]]:
    """The sentences that another language made up for it, in token numbers; none if none did."""
    if build.made_up is None:
        return []
    text = known[build.made_up]
    return read_sentences(RunFolder(folder).weights(text.identity), outputs=data.outputs, noted=text.digests.weights)


def encoded(data: TextData, sentences: Sequence[str]) -> Iterator[list[int]]:
    """Token numbers, some thousand sentences at a time."""
    for first in range(0, len(sentences), AT_ONCE):
        yield from data.tokenizer.encode(sentences[first : first + AT_ONCE])
