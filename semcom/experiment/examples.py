"""examples: a few test pictures or spectra of words sent once more, for the eye, where pictures or speech are sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from channels import Chance
from semcom.experiment.build import load_codec
from semcom.experiment.data import data_of
from semcom.metrics.spectra import RANGE_DB
from semcom.models.classifier import Classifier
from semcom.models.codec import Codec
from semcom.scenario.work import Build, Run, Sweep
from semcom.sources.batch import Batch
from semcom.sources.pictures import BRIGHTEST, PictureBatch
from semcom.store.examples import Arrival, Examples, Spectra, write_examples
from semcom.store.folder import RunFolder
from semcom.store.store import Store
from semcom.tasks.picture_data import PictureData
from semcom.tasks.speech_data import SpeechData
from semcom.tasks.task import Data
from semcom.tasks.trip import draw_parts, in_company

SHOWN = 3
# Beside those shown, for neighbors to send.
COMPANY = 32


@dataclass(frozen=True, eq=False)
class _Chosen:
    """The messages that are sent once more.

    Args:
        batch: those shown first, and behind them those for neighbors to send.
        sent: of those shown, as they are kept in examples.json.
        classes: names of all classes; none where the message itself is wanted.
        told: the class of each of those shown; none where the message itself is wanted.
        spectra: how spectra are to be read; None where `sent` are pictures.
    """

    batch: Batch
    sent: np.ndarray
    classes: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    spectra: Spectra | None = None


def keep_examples(
    sweep: Sweep, store: Store, place: RunFolder, sealed: Callable[[Build], Build], *, device: str
) -> None:
    """Write examples.json, where pictures were sent or spectra rebuilt.

    The first test messages that are measured go once through the codecs of the first seed, at every SNR, with the
    fewest and with the most interferers of the sweep and in the first air that it names. Neighbors send other test
    messages through the wanted user's own codec.

    Args:
        sealed: a build with what its files must be.

    Raises:
        UserMistake: the disk refuses, or a codec is not what its build wrote.
    """
    done = store.done_runs()
    runs = [run for run in sweep.runs if run.identity in done]
    # Where several tasks are carried out, those of the first that has something to show.
    first = next((run.build for run in runs if _is_shown(run.build)), None)
    runs = [run for run in runs if first and run.build.task == first.task]
    if not runs:
        return
    seed, fading = runs[0].build.seed, runs[0].link.fading
    # Of nobody there is no kind.
    kinds = [run.link.interference for run in runs if run.link.interferers]
    crowds = {run.link.interferers for run in runs}
    chosen: dict[tuple[str, float, int], Run] = {}
    for run in runs:
        alike = run.link.fading == fading and (not run.link.interferers or run.link.interference == kinds[0])
        if run.build.seed == seed and alike and run.link.interferers in (min(crowds), max(crowds)):
            chosen.setdefault((run.build.name, run.link.snr_db, run.link.interferers), run)
    if not chosen:
        return
    data = data_of(sealed(runs[0].build), place.path)
    messages = _messages(data, skip=runs[0].measure.skip, count=max(COMPANY, max(crowds) + SHOWN), device=device)
    if messages is None:
        return
    arrivals = tuple(
        _arrival(run, messages, load_codec(sealed(run.build), place.path, device))
        for run in chosen.values()
        if run.link.interferers < len(messages.batch)
    )
    write_examples(Examples(messages.sent, messages.told, seed, arrivals, messages.spectra), place.examples_file)


def _is_shown(build: Build) -> bool:
    return build.task.carries == "pictures" or build.task.scores == "spectra"


def _messages(data: Data, *, skip: int, count: int, device: str) -> _Chosen | None:
    """The first so many test messages behind those skipped, in the order of the split; None of a task of other data."""
    if isinstance(data, PictureData):
        pictures = data.pictures.test.part(skip, count)
        batch, shown = pictures.batch(range(len(pictures))).to(device), min(SHOWN, len(pictures))
        told = tuple(data.classes[each] for each in pictures.labels[:shown].tolist()) if data.classes else ()
        return _Chosen(batch, pictures.pixels[:shown].numpy(), data.classes, told)
    if not isinstance(data, SpeechData):
        return None
    words = data.rows(skip, count)
    spectra = data.spectra([words])[:SHOWN]
    names = tuple(data.words.classes[each] for each in words.labels[: len(spectra)].tolist())
    shape = Spectra(tuple(map(len, spectra)), rate=data.rate, hop=words.hop, words=names)
    longest = max(shape.frames)
    ends = [((0, longest - frames), (0, 0)) for frames in shape.frames]
    filled = [np.pad(each, end, constant_values=-RANGE_DB) for each, end in zip(spectra, ends, strict=True)]
    sent = np.stack([shape.packed(each) for each in filled])
    return _Chosen(words.to(device), sent, spectra=shape)


@torch.inference_mode()
def _arrival(run: Run, messages: _Chosen, codec: Codec) -> Arrival:
    batch, classes = messages.batch, messages.classes
    airs = draw_parts([run.link], codec, batch, Chance(run.build.seed).of("examples"))
    arrived = in_company(codec.send(batch).symbols, batch, airs, codec=codec)
    answers = codec.decode(arrived, batch)[:SHOWN].cpu()
    kept: np.ndarray | None = None
    if messages.spectra:
        longest = messages.sent.shape[3]
        kept = np.stack([messages.spectra.packed(each[:longest].numpy()) for each in answers])
    elif not classes:
        kept = answers[:, 0].numpy()
    elif isinstance(codec, Classifier) and codec.spec.is_raw:
        assert isinstance(batch, PictureBatch)
        shades: Tensor = batch.shades_of(codec.receiver.pixels(arrived.symbols[:SHOWN]))
        kept = (shades.clamp(0, 1) * BRIGHTEST).round().to(torch.uint8).cpu().numpy()
    return Arrival(
        codec=run.build.name,
        role=run.role,
        snr_db=run.link.snr_db,
        interferers=run.link.interferers,
        pictures=kept,
        classes=tuple(classes[each] for each in answers[:, 0].tolist()) if classes else (),
    )
