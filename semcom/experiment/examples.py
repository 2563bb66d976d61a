"""examples: a few test pictures sent once more, for the eye, where a task sends pictures."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from channels import Chance
from semcom.experiment.build import load_codec
from semcom.experiment.data import data_of
from semcom.models.classifier import Classifier
from semcom.models.codec import Codec
from semcom.scenario.work import Build, Run, Sweep
from semcom.sources.pictures import BRIGHTEST, PictureBatch
from semcom.store.examples import Arrival, Examples, write_examples
from semcom.store.folder import RunFolder
from semcom.store.store import Store
from semcom.tasks.picture_data import PictureData
from semcom.tasks.trip import draw_parts, in_company

SHOWN = 3
# Beside those shown, for neighbors to send.
COMPANY = 32


def keep_examples(
    sweep: Sweep, store: Store, place: RunFolder, sealed: Callable[[Build], Build], *, device: str
) -> None:
    """Write examples.json, where pictures were sent.

    The first test pictures that are measured go once through the codecs of the first seed, at every SNR, with the
    fewest and with the most interferers of the sweep and in the first air that it names. Neighbors send other test
    pictures through the wanted user's own codec.

    Args:
        sealed: a build with what its files must be.

    Raises:
        UserMistake: the disk refuses, or a codec is not what its build wrote.
    """
    done = store.done_runs()
    runs = [run for run in sweep.runs if run.identity in done]
    # Where several tasks are carried out, those of the first that sends pictures.
    sent = next((run.build for run in runs if run.build.task.carries == "pictures"), None)
    runs = [run for run in runs if sent and run.build.task == sent.task]
    if not runs or not isinstance(data := data_of(sealed(runs[0].build), place.path), PictureData):
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
    pictures = data.pictures.test.part(runs[0].measure.skip, max(COMPANY, max(crowds) + SHOWN))
    batch = pictures.batch(range(len(pictures))).to(device)
    arrivals = tuple(
        _arrival(run, batch, load_codec(sealed(run.build), place.path, device), data.classes)
        for run in chosen.values()
        if run.link.interferers < len(batch)
    )
    shown = min(SHOWN, len(batch))
    classes = tuple(data.classes[each] for each in pictures.labels[:shown].tolist()) if data.classes else ()
    write_examples(Examples(pictures.pixels[:shown].numpy(), classes, seed, arrivals), place.examples_file)


@torch.inference_mode()
def _arrival(run: Run, batch: PictureBatch, codec: Codec, classes: tuple[str, ...]) -> Arrival:
    airs = draw_parts([run.link], codec, batch, Chance(run.build.seed).of("examples"))
    arrived = in_company(codec.send(batch).symbols, batch, airs, codec=codec)
    answers = codec.decode(arrived, batch)[:SHOWN].cpu()
    pictures: Tensor | None = None
    if not classes:
        pictures = answers[:, 0]
    elif isinstance(codec, Classifier) and codec.spec.is_raw:
        shades = batch.shades_of(codec.receiver.pixels(arrived.symbols[:SHOWN]))
        pictures = (shades.clamp(0, 1) * BRIGHTEST).round().to(torch.uint8).cpu()
    told = tuple(classes[each] for each in answers[:, 0].tolist()) if classes else ()
    return Arrival(
        codec=run.build.name,
        role=run.role,
        snr_db=run.link.snr_db,
        interferers=run.link.interferers,
        pictures=None if pictures is None else pictures.numpy(),
        classes=told,
    )
