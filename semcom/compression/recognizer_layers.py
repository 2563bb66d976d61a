"""The units of a recognizer: what is seen of them, what flows through them, and one of fewer or of narrower ones."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from channels import Chance
from semcom.compression.channel_pruning import Inside, l1_channels
from semcom.compression.evidence import Evidence, Kept, Seen
from semcom.compression.recognizer_cost import recognizer_multiply_adds
from semcom.models.codec import Codec
from semcom.models.make import initialize
from semcom.models.recognizer import Recognizer
from semcom.models.recognizer_spec import RecognizerSpec
from semcom.models.recognizer_units import Unit, join
from semcom.models.trace import Trace

FRAMES_OF_ONES = 2  # a normalized head needs more than one to take statistics from


def recognizer_evidence(
    recognizer: Recognizer,
    trips: Callable[[], Iterable[Trace]],
    *,
    loss: Callable[[Codec], float],
    chance: Chance,
) -> Evidence:
    """All that the units of a recognizer may be chosen by; it has one stack, over all stages.

    Args:
        trips: makes the trips of this recognizer that are looked at, the same ones every time.
        loss: what a recognizer is worth; smaller is better.
    """
    spec, outputs, device = recognizer.spec, recognizer.outputs, recognizer.receiver.output.weight.device
    return Evidence(
        network=recognizer,
        fresh=lambda: initialize(spec, outputs, seed=chance.of("fresh").integer()).to(device),
        flow=lambda network: flow_of_ones(cast(Recognizer, network)),
        observe=lambda: (seen_of(trace) for trace in trips()),
        rebuild=lambda kept: keep_layers(recognizer, kept),
        loss=lambda network: loss(cast(Codec, network)),
        multiply_adds=lambda network: recognizer_multiply_adds(cast(Recognizer, network).spec, outputs),
        narrow=lambda budget: narrow_units(recognizer, budget),
        chance=chance,
    )


def keep_layers(recognizer: Recognizer, kept: Kept) -> Recognizer:
    """A recognizer with these units alone, and a spec that says so; its weights fit any that is made from that spec.

    All that stays is the same bits. Where units follow each other whose shapes do not meet, a bridge goes between, as
    in `reassembly`. One that was there and still fits stays as it is trained.

    Args:
        kept: numbers of units as they stand in this recognizer's stack.
    """
    (numbers,) = _checked(kept, len(recognizer.receiver.units))
    pruned = copy.deepcopy(recognizer)
    receiver, spec = pruned.receiver, pruned.spec
    units = [cast(Unit, receiver.units[number]) for number in numbers]
    receiver.after = join(units, spec.stem_leaving, spec.leaving, receiver.after)
    receiver.units = nn.ModuleList(units)
    left = tuple(spec.remaining[number] for number in numbers)
    hidden = None if spec.hidden is None else tuple(spec.hidden[number] for number in numbers)
    return _of_spec(pruned, replace(spec, kept=left, hidden=hidden))


def narrow_units(recognizer: Recognizer, budget: int) -> Recognizer:
    """A recognizer with all its units, each narrower inside, as wide as a budget of multiply-adds allows.

    Args:
        budget: multiply-adds a frame, such as `recognizer_multiply_adds` of a recognizer with fewer units.

    Raises:
        UserMistake: one channel a unit costs more.
    """
    pruned = l1_channels(
        recognizer,
        lambda network: [inside for unit in _units(network) for inside in _insides(unit)],
        lambda network: recognizer_multiply_adds(_narrowed(cast(Recognizer, network)), recognizer.outputs),
        budget,
    )
    small = cast(Recognizer, pruned)
    return _of_spec(small, _narrowed(small))


def seen_of(trace: Trace) -> Seen:
    """What every unit made of a batch, as [batch, channels, places]."""
    return Seen((tuple(stage.transpose(1, 2) for stage in trace.heard.stages),), trace.targets.flatten())


def flow_of_ones(recognizer: Recognizer) -> Tensor:
    """Logits [frames, 1, classes] for frames of ones, level control left out, in the recognizer's own precision."""
    weight = recognizer.receiver.output.weight
    ones = torch.ones(FRAMES_OF_ONES, *recognizer.spec.entering, dtype=weight.dtype, device=weight.device)
    return recognizer.receiver.through(ones).logits


def _checked(kept: Kept, depth: int) -> Kept:
    if len(kept) != 1:
        raise ValueError(f"kept layers must be told for the one stack of a recognizer, got {len(kept)}")
    numbers = kept[0]
    if not numbers or any(a >= b for a, b in pairwise(numbers)) or numbers[0] < 0 or numbers[-1] >= depth:
        raise ValueError(f"kept layers must be rising numbers from 0 to {depth - 1}, at least one, got {numbers}")
    return kept


def _of_spec(recognizer: Recognizer, spec: RecognizerSpec) -> Recognizer:
    recognizer.spec = recognizer.receiver.spec = spec
    return recognizer


def _units(network: nn.Module) -> list[Unit]:
    return [cast(Unit, unit) for unit in cast(Recognizer, network).receiver.units]


def _insides(unit: Unit) -> list[Inside]:
    found = [Inside(makes, reads, norm) for makes, reads, norm in unit.insides()]
    if not found:
        raise ValueError(f"units must have channels inside to be made narrower, got {type(unit).__name__}")
    return found


def _narrowed(recognizer: Recognizer) -> RecognizerSpec:
    """The spec of what a recognizer has become."""
    return replace(recognizer.spec, hidden=tuple(_insides(unit)[0].width for unit in _units(recognizer)))
