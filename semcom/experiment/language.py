"""Carry out the languages of a scenario: count them, weigh them beside a codec's signal, and load them again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from channels import Chance
from semcom.experiment.build import load_codec
from semcom.languages.bits import bits_per_token
from semcom.languages.language import Language
from semcom.languages.ngram import NGram, count
from semcom.languages.prior import unigram_of
from semcom.languages.reader import Reader
from semcom.languages.tuning import Tuned, tune
from semcom.languages.tuning_file import read_tuning, write_tuning
from semcom.models.codec import Codec
from semcom.models.evidence import Evidence
from semcom.scenario.neighbor_supply import most_neighbors
from semcom.scenario.work import Build, LanguageBuild, Tuning
from semcom.sources.batches import SentenceBatch
from semcom.store.circumstances import circumstances
from semcom.store.digests import WEIGHTS_DIGEST
from semcom.store.folder import RunFolder
from semcom.tasks.neighbors import neighbors_in
from semcom.tasks.text_data import VALIDATION_SENTENCES, TextData, by_hash, shared
from semcom.tasks.trip import draw_parts, in_company
from semcom.training.fit import Progress, silent

TUNING_BATCH = 64
AIRS = 8
"""Draws of training air that a tuning's validation sentences are spread over."""


def carry_out_language(
    build: LanguageBuild, folder: Path, *, device: str = "cpu", progress: Progress = silent
) -> dict[str, Any]:
    """Make one language and save it.

    Returns:
        The record: size, how well it knows validation text, times.
    """
    began = time.perf_counter()
    data = text_of(build, folder)
    sentences = sentences_of(build, data)
    vocabulary = data.outputs

    def tell(what: str, done: int, total: int) -> None:
        progress(done, total, what)

    language = count(_encoded(data, sentences), vocabulary, build.spec, tell)
    path = RunFolder(folder).weights(build.identity)
    path.parent.mkdir(parents=True, exist_ok=True)
    saved = language.save(path)
    return {
        "name": build.name,
        "kind": build.spec.kind,
        "parameters": language.entries,
        "size_bytes": path.stat().st_size,
        "sentences": len(sentences),
        "vocabulary": vocabulary,
        # What it does with text that it never saw, per token and without the end of the sentence.
        "bits_per_token": bits_per_token(language, data.validation(TUNING_BATCH)),
        WEIGHTS_DIGEST: saved,
        "seconds": round(time.perf_counter() - began, 2),
        **vars(circumstances(device)),
    }


def carry_out_tuning(
    tuning: Tuning, folder: Path, *, device: str = "cpu", progress: Progress = silent
) -> dict[str, Any]:
    """Fit the weights of one codec's signal and one language, on validation sentences in the codec's training air."""
    began = time.perf_counter()
    build = tuning.codec
    data = text_of(tuning, folder)
    codec, language = load_codec(build, folder, device), load_language(tuning.language, folder)
    share = shared(build.settings.share, data.training_messages)
    unigram = unigram_of(_encoded(data, by_hash(data.corpus.train)[:share]), data.outputs)
    heard = list(_heard(codec, data, build, Chance(build.seed).of("tuning"), device=device))
    tuned = tune(heard, language, unigram, settings=tuning.search)
    path = RunFolder(folder).weights(tuning.identity)
    path.parent.mkdir(parents=True, exist_ok=True)
    saved = write_tuning(path, tuned.weights, unigram)
    progress(1, 1, "")
    return {
        "name": tuning.name,
        "seed": build.seed,
        "weights": vars(tuned.weights),
        **_gain(tuned),
        "tried": [{**vars(each.weights), "error": each.error} for each in tuned.tried],
        "parameters": 0,
        WEIGHTS_DIGEST: saved,
        "seconds": round(time.perf_counter() - began, 2),
        **vars(circumstances(device)),
    }


def _gain(tuned: Tuned) -> dict[str, float]:
    """Validation tokens that came out wrong, without a language and with it."""
    errors = {each.weights: each.error for each in tuned.tried}
    return {"error_alone": tuned.tried[0].error, "error": errors[tuned.weights]}


def load_language(build: LanguageBuild, folder: Path) -> Language:
    """A finished language, ready to ask."""
    return NGram.load(RunFolder(folder).weights(build.identity), noted=build.digests.weights)


@lru_cache(maxsize=8)
def reader_of(tuning: Tuning, folder: Path) -> Reader:
    """What a receiver decides with that knows a language."""
    weights, unigram = read_tuning(RunFolder(folder).weights(tuning.identity), noted=tuning.digests.weights)
    return Reader(load_language(tuning.language, folder), unigram, weights, tuning.search)


def text_of(build: LanguageBuild | Tuning, folder: Path) -> TextData:
    """The scenario's sentences."""
    place = RunFolder(folder)
    data = build.task.load(place.tokenizers, build.fingerprint, noted=build.digests.tokenizer)
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
    return train if build.share == 1 else by_hash(train)[: shared(build.share, len(train))]


def _encoded(data: TextData, sentences: Sequence[str]) -> Iterator[list[int]]:
    """Token numbers, some thousand sentences at a time."""
    for first in range(0, len(sentences), 20_000):
        yield from data.tokenizer.encode(sentences[first : first + 20_000])


def _heard(
    codec: Codec, data: TextData, build: Build, chance: Chance, *, device: str
) -> Iterator[tuple[Evidence, SentenceBatch]]:
    """Validation sentences as the codec's receiver hears them, in air drawn like its training air."""
    neighbors = most_neighbors(build.settings)
    for index, each in enumerate(data.validation(VALIDATION_SENTENCES // AIRS)):
        lengths = each.lengths.tolist()
        if neighbors_in(lengths, max(lengths)) < neighbors:
            continue
        batch, own = each.to(device), chance.of(index)
        with torch.inference_mode():
            airs = draw_parts([build.settings.link(own.of("link"))], codec, batch, own.of("air"))
            arrived = in_company(codec.send(batch).symbols, batch, airs, codec=codec)
            assert isinstance(batch, SentenceBatch)
            yield codec.listen(arrived, batch), batch
