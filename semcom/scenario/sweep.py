"""Sweep: the axes over which a scenario repeats its measurements."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from semcom.models.semantic_spec import MOST_HIDDEN, MOST_LAYERS, MOST_WIDTH
from semcom.scenario.axes import Steps, axis_of, values, whole_numbers
from semcom.scenario.plan import Plan
from semcom.scenario.variants import CsiPlan, DetectorPlan, EqualizerPlan, FadingPlan, InterferencePlan
from semcom.training.settings import MOST_ANTENNAS

MOST_DECIBELS = 100
MOST_INTERFERERS = 1000
MOST_SEED = 10**15  # below it every tool that reads a table reads whole numbers right
Decibels = Annotated[float, Field(ge=-MOST_DECIBELS, le=MOST_DECIBELS)]
Count = Annotated[int, Field(ge=0, le=MOST_INTERFERERS)]
Layers = Annotated[int, Field(ge=1, le=MOST_LAYERS)]
Width = Annotated[int, Field(ge=2, le=MOST_WIDTH, multiple_of=2)]
Hidden = Annotated[int, Field(ge=1, le=MOST_HIDDEN)]


class SweepPlan(Plan):
    """The only way to say `several`: axes multiply in the order written here.

    An axis is one value, a list, or `{start, stop, step}`. `layers`, `width`, `feedforward` and `channel_hidden` vary
    the codecs themselves (see shapes.py), the others the air they are measured in.

    Args:
        codec: the codecs that are measured.
        layers: Transformer layers of both sides.
        width: features per token of both sides.
        feedforward: hidden units of the feed-forward parts of both sides.
        channel_hidden: hidden units of the channel encoder and decoder.
        seed: seeds to train and measure with; without it the scenario's `seed`.
        fading: kinds of fading, in place of `link.fading`.
        interference: kinds of interference, in place of `link.interference`.
        crowd: crowds, each a list of codecs that neighbors send through, in place of `link.crowd`.
        detector: detectors, in place of `link.detector`.
        csi: what receivers know of the gains, in place of `link.csi`.
        equalizer: equalizers, in place of `link.equalizer`.
        antennas: numbers of receive antennas, in place of `link.antennas`.
        level_db: mean power of each interferer relative to the wanted user, in place of the level of the interference
            [dB].
        interferers: numbers of interferers.
        snr_db: mean received power of the wanted user over the noise power, per complex symbol [dB].
    """

    codec: tuple[str, ...]
    layers: axis_of(Layers) | None = None  # type: ignore[valid-type]
    width: axis_of(Width) | None = None  # type: ignore[valid-type]
    feedforward: axis_of(Hidden) | None = None  # type: ignore[valid-type]
    channel_hidden: axis_of(Hidden) | None = None  # type: ignore[valid-type]
    seed: tuple[Annotated[int, Field(ge=0, lt=MOST_SEED)], ...] | None = None
    fading: tuple[FadingPlan, ...] | None = None
    interference: tuple[InterferencePlan, ...] | None = None
    crowd: tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...] | None = None
    detector: tuple[DetectorPlan, ...] | None = None
    csi: tuple[CsiPlan, ...] | None = None
    equalizer: tuple[EqualizerPlan, ...] | None = None
    antennas: tuple[Annotated[int, Field(ge=1, le=MOST_ANTENNAS)], ...] | None = None
    level_db: axis_of(Decibels) | None = None  # type: ignore[valid-type]
    interferers: axis_of(Count) = 0  # type: ignore[valid-type]
    snr_db: axis_of(Decibels) = 12.0  # type: ignore[valid-type]

    @field_validator("interferers")
    @classmethod
    def _whole(cls, axis: Any) -> Any:
        return whole_numbers(axis, 0, MOST_INTERFERERS)

    @field_validator("layers")
    @classmethod
    def _deep(cls, axis: Any) -> Any:
        return None if axis is None else whole_numbers(axis, 1, MOST_LAYERS)

    @field_validator("width")
    @classmethod
    def _wide(cls, axis: Any) -> Any:
        if axis is None:
            return None
        points = whole_numbers(axis, 2, MOST_WIDTH)
        if odd := [point for point in points if point % 2]:
            raise ValueError(f"must be even (positions are sine and cosine pairs), got {odd[0]}")
        return points

    @field_validator("feedforward", "channel_hidden")
    @classmethod
    def _hidden(cls, axis: Any) -> Any:
        return None if axis is None else whole_numbers(axis, 1, MOST_HIDDEN)

    @field_validator("snr_db", "level_db")
    @classmethod
    def _bearable(cls, axis: Any) -> Any:
        # Ends of steps are checked here, where it is known that they are decibels.
        if isinstance(axis, Steps) and max(abs(axis.start), abs(axis.stop)) > MOST_DECIBELS:
            what = f"must stay between -{MOST_DECIBELS} and {MOST_DECIBELS} dB"
            raise ValueError(f"{what}, got {axis.start:g} to {axis.stop:g}")
        return axis

    @model_validator(mode="after")
    def _something_once(self) -> Self:
        for name in type(self).model_fields:
            axis = getattr(self, name)
            points = () if axis is None else values(axis)
            if axis is not None and not points:
                raise ValueError(f"{name} must name at least one value, got an empty list; leave the key out instead")
            if len(set(points)) < len(points):
                raise ValueError(f"{name} names a value twice: {', '.join(map(str, points))}")
        return self
