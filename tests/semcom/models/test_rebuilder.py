"""Rebuilders: pictures of any size come back in their size, at the bandwidth that is said."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from channels import Chance, Link, draw
from semcom.metrics.structure import structural_similarity
from semcom.models.codec import air_shape
from semcom.models.make import initialize
from semcom.models.rebuilder import Rebuilder
from semcom.models.rebuilder_spec import RebuilderSpec
from semcom.models.trace import Trace
from semcom.sources.pictures import PictureBatch
from semcom.tasks.trip import rehearse

SMALL = RebuilderSpec(rows=12, columns=12, widths=(3, 4), halvings=2, channels=2)


def batch(spec: RebuilderSpec, count: int = 4) -> PictureBatch:
    shape = (count, spec.planes, spec.rows, spec.columns)
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=Chance(1).generator())
    return PictureBatch(pixels, torch.zeros(count, dtype=torch.long), tuple(range(count)))


def codec(spec: RebuilderSpec) -> Rebuilder:
    made = initialize(spec, 256, seed=1)
    assert isinstance(made, Rebuilder)
    return made


def trip(made: Rebuilder, pictures: PictureBatch, snr_db: float = 10.0) -> Trace:
    link = Link(snr_db=snr_db)
    return rehearse(made, pictures, [(link, draw(link, air_shape(made, pictures), Chance(1)))])


@pytest.mark.parametrize(("rows", "columns", "planes"), [(8, 8, 1), (28, 28, 1), (32, 32, 3), (9, 14, 1), (7, 5, 3)])
def test_a_picture_comes_back_in_its_size(rows: int, columns: int, planes: int) -> None:
    spec = replace(SMALL, rows=rows, columns=columns, planes=planes)
    made, pictures = codec(spec), batch(spec)
    trace = trip(made, pictures)
    assert trace.sent.symbols.shape == (4, spec.symbols_per_unit)
    torch.testing.assert_close(trace.sent.symbols.abs().square().mean(dim=1), torch.ones(4))
    assert trace.heard.picture is not None and trace.heard.picture.shape == pictures.pixels.shape
    assert trace.heard.picture.min() >= 0 and trace.heard.picture.max() <= 1
    answers = made.decode(trace.arrived, pictures)
    assert answers.shape == (4, 1, planes, rows, columns) and answers.dtype == torch.uint8
    shapes = [(each.shape[2], each.shape[1]) for each in trace.stages]
    assert shapes == [(channels, down * right) for channels, down, right in spec.stage_shapes]


def test_the_bandwidth_ratio_is_complex_symbols_over_values() -> None:
    """As in the paper: c = 16 for 32 x 32 pixels in 3 colors is k / n = 1 / 6, with k complex and n real."""
    paper = RebuilderSpec(planes=3, rows=32, columns=32, channels=16)
    assert (paper.symbols_per_unit, paper.values) == (512, 3072)
    assert paper.bandwidth_ratio == 1 / 6
    assert "512 symbols a picture of 3072 values, bandwidth ratio 0.167" in paper.told


def test_the_loss_is_what_it_says() -> None:
    pictures = batch(SMALL)
    plain, mixed = codec(SMALL), codec(replace(SMALL, structure=0.25))
    trace = trip(plain, pictures)
    rebuilt = trace.heard.picture
    assert rebuilt is not None
    error = (rebuilt - pictures.pixels / 255).square().mean()
    structure = structural_similarity(rebuilt, pictures.shades).mean()
    torch.testing.assert_close(plain.loss(trace, pictures), error)
    torch.testing.assert_close(mixed.loss(trip(mixed, pictures), pictures), 0.75 * error + 0.25 * (1 - structure))
    mixed.loss(trip(mixed, pictures), pictures).backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in mixed.parameters())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"channels": 3}, "channels must be even"),
        ({"halvings": 3}, "halvings must be from 0 to 2"),
        ({"structure": 1.0}, r"structure must be in \[0, 1\)"),
        ({"widths": ()}, "widths must be 1 to 16 numbers"),
    ],
)
def test_shapes_that_are_none_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(SMALL, **changes)  # type: ignore[arg-type]
