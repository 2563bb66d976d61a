"""layers.csv: how close the layers that students generate come to their teachers', layer by layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from channels import Chance
from semcom.distillation.features import layers_of, places_of
from semcom.models.codec import Codec
from semcom.models.plugged import PluggedIn
from semcom.models.spec import Side, Stack
from semcom.scenario.work import Build, Sweep
from semcom.sources.batch import Batch
from semcom.store.results import write_table
from semcom.store.store import Finished
from semcom.tasks.trip import draw_parts, rehearse
from semcom.training.settings import TrainingSettings

MESSAGES = 400
"""Test messages that layers are compared on."""
SIDES: dict[Stack, Side] = {"sent": "transmitter", "heard": "receiver"}


@dataclass(frozen=True, kw_only=True)
class LayerRow:
    """One line of layers.csv, one layer that a codec of one seed generates; the fields are its columns.

    Compared on the first test sentences, the codec running free, with what the codec around makes of the same sentences
    in the same air, drawn like the training air. Each hears its own transmitter: a layer of the receiver is to be what
    it would have been there, and every codec is held against the same layers.

    Args:
        around: the codec whose layers they are.
        family: generated one after another, or from heads.
        stack: transmitter or receiver, where the layers stand.
        layer: its number among the layers of the codec around, from 1 on.
        cosine: mean over tokens of the cosine between the two.
        l1: mean absolute difference over tokens and channels.
        l1_share: the same over the mean absolute value of the teacher's layer.
        tokens: how many were compared; frames, where words are spoken.
        own_parameters: of all makers of the codec's layers together, apart from what it took over.
    """

    codec: str
    seed: int
    around: str
    family: str
    stack: str
    layer: int
    cosine: float
    l1: float
    l1_share: float
    tokens: int
    own_parameters: int


COLUMNS = tuple(each.name for each in dataclasses.fields(LayerRow))


@torch.no_grad()
def closeness(
    codec: PluggedIn, teacher: Codec, batches: Iterable[Batch], settings: TrainingSettings, *, chance: Chance
) -> list[dict[str, Any]]:
    """What a build notes of every layer that its codec makes, running free: the measured columns of `LayerRow`.

    Args:
        chance: of the air.
    """
    sums: dict[tuple[Stack, int], Tensor] = {}
    counts: dict[Stack, int] = {}
    for index, batch in enumerate(batches):
        here = chance.of(index)
        airs = draw_parts(settings.links(here.of("link"), len(batch)), codec, batch, here.of("air"))
        ours, theirs = rehearse(codec, batch, airs), rehearse(teacher, batch, airs)
        for stack in (each for each, side in SIDES.items() if codec.spec.makes(side)):
            true, places = layers_of(theirs, stack), places_of(ours, stack)
            counts[stack] = counts.get(stack, 0) + int(places.sum())
            for number, made in zip(codec.spec.wanted(stack), layers_of(ours, stack), strict=True):
                found = _compared(made, true[number - 1], places)
                sums[stack, number] = sums.get((stack, number), 0.0) + found
    rows = []
    for (stack, number), total in sums.items():
        cosine, gap, size = (total / counts[stack]).tolist()
        share = gap / size if size else 0.0
        rows.append({"stack": SIDES[stack], "layer": number, "cosine": cosine, "l1": gap, "l1_share": share})
        rows[-1]["tokens"] = counts[stack]
    return rows


def _compared(made: Tensor, true: Tensor, mask: Tensor) -> Tensor:
    """Sums over real places of cosine, absolute difference and absolute value of the true layer, double [3]."""
    of_tokens = (F.cosine_similarity(made, true, dim=-1), (made - true).abs().mean(-1), true.abs().mean(-1))
    return torch.stack([each[mask].double().sum() for each in of_tokens])


def closeness_of(record: Mapping[str, Any]) -> str:
    """How close the generated layers of a build came, for a line on the board; empty of a codec that generates none."""
    rows = record.get("layers", {}).get("rows", ())
    if not rows:
        return ""
    told = ", ".join(f"{row['cosine']:.3f}" for row in rows)
    return f", cosines {told} to the layers of the codec around"


def own_parameters(codec: Codec) -> int:
    """Of what makes the layers; none of what was taken over."""
    return sum(each.numel() for name, each in codec.named_parameters() if ".maker." in name)


def layer_rows(sweep: Sweep, builds: Mapping[str, Finished]) -> list[LayerRow]:
    """Rows for every codec and seed of the sweep that generates layers, in the order of the table.

    Args:
        builds: what the store remembers, by identity.
    """
    named: dict[tuple[str, int], Build] = {}
    for build in (*(run.build for run in sweep.runs), *sweep.builds):
        named.setdefault((build.name, build.seed), build)
    names = {build.identity: build.name for build in sweep.builds}
    known = {key: each.record for key, each in builds.items() if each.status == "done"}
    return [
        LayerRow(
            codec=build.name,
            seed=build.seed,
            around=names.get(build.adoption.donor if build.adoption else "", ""),
            family=getattr(build.spec, "family", ""),
            own_parameters=known[build.identity]["layers"]["own_parameters"],
            **row,
        )
        for build in named.values()
        for row in known.get(build.identity, {}).get("layers", {}).get("rows", ())
    ]


def write_layers(rows: Sequence[LayerRow], path: Path) -> None:
    """Replace the table by these rows; without any there is no table.

    Raises:
        UserMistake: the disk refuses.
    """
    if rows:
        write_table(rows, COLUMNS, path)
    else:
        path.unlink(missing_ok=True)
