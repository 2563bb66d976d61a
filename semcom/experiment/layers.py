"""How close the layers that a student generates come to its teacher's, for the record of its build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from channels import Chance
from semcom.distillation.features import layers_of, places_of
from semcom.models.codec import Codec
from semcom.models.plugged import PluggedIn
from semcom.models.spec import Side, Stack
from semcom.sources.batch import Batch
from semcom.tasks.trip import draw_parts, rehearse
from semcom.training.settings import TrainingSettings

MESSAGES = 400
"""Test messages that layers are compared on."""
SIDES: dict[Stack, Side] = {"sent": "transmitter", "heard": "receiver"}


# What is added up over a message, in the order of `_compared`: see `closeness`.
SUMS = ("tokens", "apart", "gap", "size")


@torch.no_grad()
def closeness(
    codec: PluggedIn, teacher: Codec, batches: Iterable[Batch], settings: TrainingSettings, *, chance: Chance
) -> dict[str, Any]:
    """What a build notes of every layer that its codec makes, running free.

    It hears its own transmitter, in air drawn like the training air; the teacher sends the same messages through the
    same air.

    Args:
        chance: of the air.

    Returns:
        `messages`: where each stands in the list that the batches were made from, rising. `rows`: of each layer, stack
        and number; mean cosine, mean absolute difference (l1) and its share of the teacher's mean absolute value over
        all tokens; and under `sums` of each message, to four digits, its tokens, what their cosines lack to 1 (apart),
        their absolute differences (gap) and the teacher's absolute values (size), means over channels.
    """
    found: dict[tuple[Stack, int], list[Tensor]] = {}
    messages: list[int] = []
    for index, batch in enumerate(batches):
        here = chance.of(index)
        airs = draw_parts(settings.links(here.of("link"), len(batch)), codec, batch, here.of("air"))
        ours, theirs = rehearse(codec, batch, airs), rehearse(teacher, batch, airs)
        messages += batch.rows
        for stack in (each for each, side in SIDES.items() if codec.spec.makes(side)):
            true, places = layers_of(theirs, stack), places_of(ours, stack)
            for number, made in zip(codec.spec.wanted(stack), layers_of(ours, stack), strict=True):
                found.setdefault((stack, number), []).append(_compared(made, true[number - 1], places).cpu())
    order = sorted(range(len(messages)), key=messages.__getitem__)
    rows = [
        {"stack": SIDES[stack], "layer": number, **_noted(torch.cat(parts)[order])}
        for (stack, number), parts in found.items()
    ]
    return {"messages": sorted(messages), "rows": rows}


def _compared(made: Tensor, true: Tensor, mask: Tensor) -> Tensor:
    """Of each message the `SUMS` over its real places, double [batch, 4]."""
    apart = 1 - F.cosine_similarity(made, true, dim=-1)
    of_tokens = (torch.ones_like(apart), apart, (made - true).abs().mean(-1), true.abs().mean(-1))
    return torch.stack([each.double().masked_fill(~mask, 0).sum(dim=1) for each in of_tokens], dim=1)


def _noted(sums: Tensor) -> dict[str, Any]:
    """What the record holds of one layer, from the sums of its messages [messages, 4]."""
    tokens, apart, gap, size = sums.sum(dim=0).tolist()
    return {
        "cosine": 1 - apart / tokens,
        "l1": gap / tokens,
        "l1_share": gap / size if size else 0.0,
        "tokens": int(tokens),
        # Four digits are far more than an interval needs, and a quarter of the bytes.
        "sums": {name: [float(f"{each:.4g}") for each in sums[:, at].tolist()] for at, name in enumerate(SUMS)},
    }


def without_messages(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a build less what it notes of single messages, which is long and only good for intervals."""
    if "layers" not in record:
        return dict(record)
    rows = [{name: each for name, each in row.items() if name != "sums"} for row in record["layers"]["rows"]]
    layers = {name: each for name, each in record["layers"].items() if name != "messages"}
    return {**record, "layers": {**layers, "rows": rows}}


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
