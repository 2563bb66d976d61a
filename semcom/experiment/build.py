"""Carry out a build: from text, and perhaps a teacher, to a trained codec on disk."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from channels import Chance
from semcom.compression.cost import count
from semcom.compression.evidence import Evidence
from semcom.compression.gather import evidence_of
from semcom.distillation.distiller import Distiller
from semcom.distillation.teaching import Teaching
from semcom.experiment.data import data_of
from semcom.experiment.equipment import equip, study
from semcom.experiment.layers import MESSAGES, closeness, own_parameters
from semcom.identity import canonical
from semcom.mistakes import UserMistake
from semcom.models.codec import Codec
from semcom.models.make import initialize, spec_from
from semcom.models.plugged import PluggedIn
from semcom.models.spec import Spec
from semcom.models.speech import SpeechCodec
from semcom.models.trace import Trace
from semcom.scenario.neighbor_supply import most_neighbors
from semcom.scenario.work import Adoption, Build
from semcom.sources.batch import Batch
from semcom.store.circumstances import circumstances
from semcom.store.digests import WEIGHTS_DIGEST
from semcom.store.folder import RunFolder
from semcom.tasks.neighbors import neighbors_in
from semcom.tasks.task import Data
from semcom.tasks.trip import draw_parts, rehearse
from semcom.training.checkpoint import Checkpoint, about_codec, about_of, load_weights, save_weights
from semcom.training.fit import History, Progress, fit, processes, silent
from semcom.training.objective import HardLabels
from semcom.training.pace import Pace


def made_spec(build: Build, folder: Path) -> Spec:
    """The shape that a finished build really has; of one that was pruned the header of its weights tells it.

    Raises:
        UserMistake: there are no such weights, or their header is none of ours.
    """
    if not build.is_reshaped:
        return build.spec
    path = RunFolder(folder).weights(build.identity)
    try:
        return spec_from(build.spec, json.loads(about_of(path)["spec"]))
    except (KeyError, ValueError, RecursionError):
        raise UserMistake(f"{path}: must tell in its header what was pruned; delete it and run again") from None


def recorded_spec(build: Build, record: Mapping[str, Any]) -> Spec:
    """The same, as the record of the build tells it."""
    if not build.is_reshaped or "spec" not in record:
        return build.spec
    return spec_from(build.spec, record["spec"])


def load_codec(build: Build, folder: Path, device: str = "cpu") -> Codec:
    """A finished build's codec, ready to measure."""
    codec = initialize(made_spec(build, folder), data_of(build, folder).outputs, seed=0)
    load_weights(codec, RunFolder(folder).weights(build.identity), build=build.identity, noted=build.digests.weights)
    equip(codec, build, folder)
    return codec.eval().to(device)


def carry_out_build(
    build: Build, known: dict[str, Build], folder: Path, *, device: str = "cpu", progress: Progress = silent
) -> dict[str, Any]:
    """Train one codec and save it; killed and begun again, it ends with the same weights.

    Args:
        known: all builds of the sweep by identity, to find the teacher's.

    Returns:
        The record: costs, times, the history of the losses.
    """
    fabric = processes(build.settings, device, idle=_leaves_weights_alone(build.lesson))
    # The work is bound beforehand: Fabric looks into the arguments of a launch and refuses frozen records.
    work = partial(_train, build=build, known=known, folder=folder, threads=torch.get_num_threads())
    if build.settings.devices == 1:
        return work(fabric, progress=progress)
    # Processes of their own cannot reach this one's progress board.
    record: dict[str, Any] = fabric.launch(partial(work, progress=silent))
    return record


def _train(
    fabric: Fabric, *, build: Build, known: dict[str, Build], folder: Path, threads: int, progress: Progress
) -> dict[str, Any]:
    """The work of one process; only the first of them writes files."""
    # Fabric gives processes that it starts as many as it sees fit, and numbers depend on it.
    torch.set_num_threads(threads)
    began, device = time.perf_counter(), str(fabric.device)
    data, settings = data_of(build, folder), build.settings
    chance = build.chance.of("training")
    codec, pruning = _begun(build, known, folder, data, device=device)
    place, pace, history = RunFolder(folder), Pace(), History()
    study(codec, build, data)
    if build.spec.learns:
        objective = _objective(build, codec, known, folder, device=device)
        history = fit(
            objective,
            data.training(
                batch=settings.batch,
                share=settings.share,
                salt=build.salt,
                chance=chance.of("batches"),
                neighbors=most_neighbors(settings),
            ),
            settings,
            chance,
            checkpoint=Checkpoint(place.checkpoint(build.identity), build.identity),
            validate=_validation(build, objective, data, device),
            progress=progress,
            fabric=fabric,
            pace=pace,
        )
    seconds = time.perf_counter() - began
    layers = _closeness(build, codec, known, folder, data=data, device=device)
    saved = ""
    if fabric.global_rank == 0:
        about = about_codec(canonical(codec.spec), vocabulary=codec.outputs, build=build.identity)
        # The checkpoint stays until the store knows of the build: a kill meanwhile costs no training.
        saved = save_weights(codec, place.weights(build.identity), about=about)
    fabric.barrier()
    return {
        "name": build.name,
        "seed": build.seed,
        "draw": build.draw or 1,
        "method": build.method,
        "spec": canonical(codec.spec),
        "settings": canonical(build.settings),
        **vars(count(codec)),
        "size_bytes": place.weights(build.identity).stat().st_size,
        "train_sentences": data.training_messages,
        "vocabulary": codec.outputs,
        WEIGHTS_DIGEST: saved,
        "seconds": round(seconds, 2),
        "step_ms": pace.step_ms,
        **vars(circumstances(device)),
        **({"pruning": pruning} if pruning else {}),
        **({"layers": layers} if layers else {}),
        "history": vars(history),
    }


def _begun(
    build: Build, known: dict[str, Build], folder: Path, data: Data, *, device: str
) -> tuple[Codec, dict[str, Any] | None]:
    """The codec as its training finds it, in the order start, adopt, prune; and the account of the pruning."""
    chance = build.chance.of("training")
    origin = known[build.start] if build.start else None
    spec = made_spec(origin, folder) if origin else build.spec
    codec = initialize(spec, data.outputs, seed=chance.of("weights").integer())
    if origin and not build.fresh:
        path, noted = RunFolder(folder).weights(origin.identity), origin.digests.weights
        load_weights(codec, path, build=origin.identity, noted=noted)
    if build.adoption:
        _adopt(codec, build.adoption, load_codec(known[build.adoption.donor], folder))
    codec.to(device)
    if build.prune is None:
        return codec, None
    pruned = build.prune.prune(_evidence(build, codec.eval(), data, chance.of("prune"), device=device))
    assert isinstance(pruned.network, Codec)
    return pruned.network.train(), {**pruned.account, "before": vars(count(codec))}


def _evidence(build: Build, codec: Codec, data: Data, chance: Chance, *, device: str) -> Evidence:
    """What a pruning may look at: trips of training messages in training air, and the validation loss."""
    settings = build.settings
    batches = data.training(
        batch=settings.batch,
        share=settings.share,
        salt=build.salt,
        chance=chance.of("batches"),
        neighbors=most_neighbors(settings),
    )

    def trips() -> Iterator[Trace]:
        for index in range(getattr(build.prune, "batches", 0)):
            here, batch = chance.of("trip", index), batches.at(index).to(device)
            with torch.no_grad():
                airs = draw_parts(settings.links(here.of("link"), len(batch)), codec, batch, here.of("air"))
                yield rehearse(codec, batch, airs)

    def loss(network: Codec) -> float:
        return _validation(build, HardLabels(network.eval()), data, device)()

    return evidence_of(codec, trips, loss=loss, chance=chance)


def _leaves_weights_alone(lesson: Teaching | None) -> bool:
    """Whether nothing that is taught reaches the output layer, as where symbols or layers alone are compared."""
    return lesson is not None and not lesson.label_weight and not any("logits" in each.sees for each in lesson.methods)


def _adopt(codec: Codec, adoption: Adoption, donor: Codec) -> None:
    """Put the donor's side into the codec and freeze it; `fit` leaves its running statistics alone as well."""
    if adoption.side == "around":
        assert isinstance(codec, PluggedIn), "as the plan of a codec has seen"
        codec.plug_in(donor)
        return
    if adoption.side == "encoder":
        assert isinstance(codec, SpeechCodec), "as the plan of a codec has seen"
        codec.take_encoder(donor)
        return
    side: nn.Module = getattr(codec, adoption.side)
    side.load_state_dict(getattr(donor, adoption.side).state_dict())
    side.requires_grad_(False)


def _objective(
    build: Build, codec: Codec, known: dict[str, Build], folder: Path, *, device: str
) -> HardLabels | Distiller:
    if build.lesson is None:
        return HardLabels(codec)
    teachers = [load_codec(known[each], folder, device) for each in build.lesson.teachers]
    seed = build.chance.of("training", "adapters").integer()
    return Distiller(codec, teachers, build.lesson, seed=seed)


def _closeness(
    build: Build, codec: Codec, known: dict[str, Build], folder: Path, *, data: Data, device: str
) -> dict[str, Any] | None:
    """How close the layers of a codec that generates them are to those of the codec around; None of any other."""
    if build.adoption is None or not isinstance(codec, PluggedIn):
        return None
    teacher = load_codec(known[build.adoption.donor], folder, device)
    exam = data.exam(MESSAGES, build.settings.batch)
    batches = [batch.to(device) for batch in exam.batches if has_enough(batch, build)]
    chance = Chance(build.seed).of("closeness")
    noted = closeness(codec.eval(), teacher, batches, build.settings, chance=chance)
    return {"own_parameters": own_parameters(codec), **noted}


def _validation(build: Build, objective: HardLabels | Distiller, data: Data, device: str) -> Callable[[], float]:
    """The objective on fixed validation messages in fixed air drawn like the training air."""
    batches = [batch.to(device) for batch in data.validation(build.settings.batch) if has_enough(batch, build)]
    airs = [Chance(build.seed).of("validation", index) for index in range(len(batches))]
    links = [build.settings.links(air.of("link"), len(batch)) for air, batch in zip(airs, batches, strict=True)]

    @torch.no_grad()
    def validate() -> float:
        losses = [
            sum(float(loss) for loss in objective(batch, those, air.of("air")).values())
            for batch, those, air in zip(batches, links, airs, strict=True)
        ]
        return sum(losses) / max(1, len(losses))

    return validate


def has_enough(batch: Batch, build: Build) -> bool:
    """Whether the codec neighbors of the build's training find messages to send in this batch."""
    lengths: list[int] = batch.lengths.tolist()
    return neighbors_in(lengths, max(lengths)) >= most_neighbors(build.settings)
