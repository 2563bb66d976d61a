"""Helpers for methods on features: find the layers of a side, pair them, and measure how far two are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, Self

import torch

from semcom.models.spec import has_own_places

if TYPE_CHECKING:
    from semcom.models.spec import Part, Spec, Stack
    from semcom.models.trace import Trace

Side = Literal["encoder", "decoder", "both"]
On = Literal["stages", "receiver", "transmitter", "both"]
Value = Literal["energy", "features"]
Between = Literal["sentences", "tokens"]

STACKS: dict[On, tuple[Stack, ...]] = {"receiver": ("heard",), "transmitter": ("sent",), "both": ("sent", "heard")}
MOST_WIDTH = 4096


def check_width(width: int) -> None:
    """Refuse queries and keys of no width, and those far wider than any codec."""
    if not 1 <= width <= MOST_WIDTH:
        raise ValueError(f"width must be from 1 to {MOST_WIDTH}, got {width}")


def usual_place(spec: Spec) -> On:
    """Where a codec's features are looked for unless somebody says: its stages, or else layers of several places."""
    if "stages" in spec.shows:
        return "stages"
    return "transmitter" if has_own_places(spec) else "receiver"


def parts_of(on: On | None) -> frozenset[Part]:
    """What of a trip that is; None is not settled yet, and never a transmitter alone."""
    return frozenset({"stages"}) if on in (None, "stages") else frozenset(STACKS[on])


class OnFeatures:
    """What methods share that leave to the kind of codec whose features they are on.

    A copy of the teacher still loses something under them, since every feature looks at several.
    """

    on: On | None
    vanishes = False
    by_place = True

    @property
    def sees(self) -> frozenset[Part]:
        """The features that it is on."""
        return parts_of(self.on)

    def settled(self, spec: Spec) -> Self:
        """The same on what this kind of codec shows, where nobody said on what."""
        return self if self.on else replace(self, on=usual_place(spec))  # type: ignore[type-var]

    def unsuited(self, spec: Spec) -> str:
        """Why a kind of codec cannot learn so, beside what it shows; empty where it can."""
        if not has_own_places(spec) or self.on == "transmitter":
            return ""
        if self.on == "both":
            return f"the sides of {spec.carries} have layers of unequal places: set on: transmitter"
        # Of one place there is one energy, and cut to length 1 it is 1.
        if self.on == "receiver" and getattr(self, "value", "energy") == "energy":
            return f"a receiver of {spec.carries} has a single place, where energies are alike: set on: transmitter"
        return ""


def stacks(side: Side) -> tuple[Stack, ...]:
    """Where the Transformer layers of a side stand in a trace: the encoder's in `sent`, the decoder's in `heard`."""
    return {"encoder": ("sent",), "decoder": ("heard",), "both": ("sent", "heard")}[side]  # type: ignore[return-value]


def layers_of(trace: Trace, stack: Stack) -> tuple[torch.Tensor, ...]:
    """One side's layers [batch, length, width], first to last."""
    return (trace.sent if stack == "sent" else trace.heard).layers


def places_of(trace: Trace, stack: Stack) -> torch.Tensor:
    """Which places of one side's layers are real [batch, length]: the units of the message, unless the side says."""
    own = trace.sent.places if stack == "sent" else None
    return trace.mask if own is None else own


def over_places(gaps: Mapping[Stack, Sequence[torch.Tensor]], trace: Trace) -> torch.Tensor:
    """The mean of what was found of layers [batch, length] over real places and layers, all layers counting alike.

    Args:
        gaps: of the layers of each side.
        trace: whose places they have.
    """
    from semcom.models.trace import masked_mean

    masks = [places_of(trace, stack) for stack in gaps]
    if all(mask is masks[0] for mask in masks):
        return masked_mean(torch.stack([gap for each in gaps.values() for gap in each]).mean(dim=0), masks[0])
    count = sum(map(len, gaps.values()))
    means = zip(gaps.values(), masks, strict=True)
    return torch.stack([masked_mean(torch.stack([*each]).sum(dim=0), mask) for each, mask in means]).sum() / count


def evenly(ours: int, theirs: int) -> list[int]:
    """For each of our layers the one of theirs that it learns from: evenly spaced, the last from the last.

    Source: Sun et al., Patient Knowledge Distillation for BERT Model Compression, EMNLP 2019 (its PKD-Skip), with
    the last layer kept.
    """
    return [-(-(layer * theirs) // ours) - 1 for layer in range(1, ours + 1)]


def turn(ours: torch.Tensor, theirs: torch.Tensor) -> torch.Tensor:
    """How far one feature is turned from another, over the last axis: | a/|a| - b/|b| |^2.

    0 for one direction, 2 for unrelated ones, 4 for opposite ones, whatever the width and the scale: so hints weigh
    alike at every layer of every size of teacher.

    Source: Sun et al., Patient Knowledge Distillation for BERT Model Compression, EMNLP 2019, the patient loss.
    """
    normalize = torch.nn.functional.normalize
    return (normalize(ours, dim=-1) - normalize(theirs, dim=-1)).square().sum(dim=-1)
