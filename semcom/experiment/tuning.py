"""Carry out a tuning: how much a language counts beside a codec's signal; and the reader that follows from it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from channels import Chance
from semcom.experiment.build import has_enough, load_codec
from semcom.experiment.data import text_of
from semcom.experiment.language import encoded
from semcom.experiment.spoken import Known, load_language, parts_of, spoken
from semcom.languages.prior import unigram_of
from semcom.languages.reader import Reader
from semcom.languages.tuning import Tuned, tune
from semcom.languages.tuning_file import read_tuning, write_tuning
from semcom.models.codec import Codec
from semcom.models.evidence import Evidence
from semcom.scenario.work import Build, Tuning
from semcom.sources.batches import SentenceBatch
from semcom.store.circumstances import circumstances
from semcom.store.digests import WEIGHTS_DIGEST
from semcom.store.folder import RunFolder
from semcom.tasks.text_data import TextData
from semcom.tasks.trip import draw_parts, in_company
from semcom.training.fit import Progress, silent
from semcom.training.settings import bounds

TUNING_BATCH = 16
"""Validation sentences in one draw of training air; of 256 that makes some sixteen draws."""


def carry_out_tuning(
    tuning: Tuning, known: Known, folder: Path, *, device: str = "cpu", progress: Progress = silent
) -> dict[str, Any]:
    """Fit the weights of one codec's signal and one language, on validation sentences in the codec's training air.

    Returns:
        The record: the weights, and all that were tried with the share of validation tokens that came out wrong.
    """
    began = time.perf_counter()
    build, data = tuning.codec, text_of(tuning, folder)
    codec, language = load_codec(build, folder, device), load_language(tuning.language, known, folder, device)
    train = data.shared(build.settings.share, build.salt)
    unigram = unigram_of(encoded(data, train), data.outputs)
    heard = list(_heard(codec, data, build, device=device))
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
    """Share of validation tokens that came out wrong, without a language and with it."""
    errors = {each.weights: each.error for each in tuned.tried}
    return {"error_alone": tuned.tried[0].error, "error": errors[tuned.weights]}


def _heard(codec: Codec, data: TextData, build: Build, *, device: str) -> Iterator[tuple[Evidence, SentenceBatch]]:
    """Validation sentences as the codec's receiver hears them, in air drawn like its training air.

    SNRs are not left to chance: a few draws that all were high would show no use of a language. They are spread evenly
    over the training's range, and dealt to batches in an order of their own, since batches are sorted by length.
    """
    chance = Chance(build.seed).of("tuning")
    batches = [each for each in data.validation(TUNING_BATCH) if has_enough(each, build)]
    low, high = bounds(build.settings.snr_db)
    order = torch.randperm(len(batches), generator=chance.of("order").generator()).tolist()
    for index, (each, place) in enumerate(zip(batches, order, strict=True)):
        batch, own = each.to(device), chance.of(index)
        snr_db = low + (high - low) * (place + 0.5) / len(batches)
        with torch.inference_mode():
            link = replace(build.settings.link(own.of("link")), snr_db=snr_db)
            airs = draw_parts([link], codec, batch, own.of("air"))
            arrived = in_company(codec.send(batch).symbols, batch, airs, codec=codec)
            yield codec.listen(arrived, batch), batch


def reader_of(tuning: Tuning, known: Known, folder: Path, device: str = "cpu") -> Reader:
    """What a receiver decides with that knows a language."""
    weights, unigram = read_tuning(RunFolder(folder).weights(tuning.identity), noted=tuning.digests.weights)
    language = spoken((tuning.language, *parts_of(tuning.language, known)), folder, device)
    return Reader(language, unigram.to(device), weights, tuning.search)
