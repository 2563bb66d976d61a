"""Classifiers: the networks of the papers, cut wherever by the air; in clear air pixels arrive as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from channels import Chance, Link, draw
from semcom.compression.cost import count
from semcom.models.classifier import Classifier
from semcom.models.classifier_spec import CLASSIFIER_SIZES, ClassifierSpec
from semcom.models.codec import air_shape
from semcom.models.make import initialize
from semcom.models.trace import Trace
from semcom.sources.pictures import PictureBatch, Scale
from semcom.tasks.trip import rehearse

CLEAR = Link(snr_db=90.0)
SMALL = ClassifierSpec(rows=9, columns=8, planes=3, widths=(4, 6, 8), units=(1, 1, 1), symbols=5, hidden=12)


def batch(spec: ClassifierSpec = SMALL, count: int = 6) -> PictureBatch:
    pixels = torch.randint(0, 256, (count, *spec.entering), dtype=torch.uint8, generator=Chance(1).generator())
    return PictureBatch(pixels, torch.arange(count) % 3, tuple(range(count)), Scale((0.5,) * 3, (0.29,) * 3))


def codec(spec: ClassifierSpec, seed: int = 1) -> Classifier:
    made = initialize(spec, 3, seed=seed)
    assert isinstance(made, Classifier)
    return made.eval()


def trip(made: Classifier, pictures: PictureBatch, link: Link = CLEAR) -> Trace:
    return rehearse(made, pictures, [(link, draw(link, air_shape(made, pictures), Chance(1)))])


@pytest.mark.parametrize(
    ("name", "planes", "expected"),
    [
        # Of the papers for CIFAR-10: He et al., table 6; Zagoruyko and Komodakis, table 4 (40-1, 40-2, 16-2 of theirs).
        ("resnet20", 3, 0.27e6),
        ("resnet32", 3, 0.46e6),
        ("resnet56", 3, 0.85e6),
        ("wrn_40_1", 3, 0.56e6),
        ("wrn_40_2", 3, 2.2e6),
        ("wrn_16_2", 3, 0.69e6),
    ],
)
def test_networks_have_as_many_parameters_as_published(name: str, planes: int, expected: float) -> None:
    spec = replace(CLASSIFIER_SIZES[name], planes=planes, rows=32, columns=32, transmitter_stages=0)
    with torch.device("meta"):
        made = Classifier(spec, 10)
    assert sum(each.numel() for each in made.parameters()) == pytest.approx(expected, rel=0.03)


def test_pixels_sent_through_clear_air_are_the_network_without_a_link() -> None:
    spec = replace(SMALL, transmitter_stages=0)
    made, pictures = codec(spec), batch()
    with torch.no_grad():
        trace = trip(made, pictures)
        receiver = made.receiver
        features, _ = receiver.trunk(pictures.standard)
        alone = receiver.output(features.mean(dim=(2, 3)))
    torch.testing.assert_close(trace.heard.logits[:, 0], alone, atol=1e-3, rtol=1e-3)
    assert spec.symbols_per_unit == 108 == trace.sent.symbols.shape[1] and spec.bandwidth_ratio == 0.5
    assert not list(made.transmitter.parameters())
    torch.testing.assert_close(
        pictures.shades_of(receiver.pixels(trace.arrived.symbols)), pictures.shades, atol=1e-3, rtol=0
    )
    # Of standard pictures two values are a symbol of mean power 1.
    assert trace.sent.symbols.abs().square().mean().item() == pytest.approx(
        pictures.standard.square().mean().item(), rel=1e-5
    )


def test_an_odd_number_of_values_is_filled_up_with_silence() -> None:
    spec = replace(SMALL, planes=1, rows=5, columns=5, transmitter_stages=0)
    pictures = replace(batch(spec), scale=Scale())
    made = codec(spec)
    symbols = made.send(pictures).symbols
    assert symbols.shape[1] == 13 and not symbols[:, -1].imag.any()
    torch.testing.assert_close(made.receiver.pixels(symbols), pictures.standard)


@pytest.mark.parametrize("family", ["residual", "wide"])
@pytest.mark.parametrize("cut", [None, 0, 1, 2])
def test_every_cut_shows_all_stages_and_learns_all_its_weights(family: str, cut: int | None) -> None:
    spec = replace(SMALL, family=family, transmitter_stages=cut)  # type: ignore[arg-type]
    made, pictures = codec(spec).train(), batch()
    trace = trip(made, pictures, Link(snr_db=6.0))
    assert trace.sent.symbols.shape == (6, spec.symbols_per_unit)
    assert len(trace.sent.stages) == (3 if cut is None else cut)
    shapes = [(each.shape[2], each.shape[1]) for each in trace.stages]
    assert (
        shapes
        == [(4, 72), (6, 5 * 4), (8, 3 * 2)]
        == [(channels, rows * columns) for channels, rows, columns in spec.stage_shapes]
    )
    assert tuple(each.shape[2] for each in trace.sent.layers) == spec.widths_of("sent")
    if cut != 0:
        power = trace.sent.symbols.abs().square().mean(dim=1)
        torch.testing.assert_close(power, torch.ones(6))
    made.loss(trace, pictures).backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in made.parameters())
    cost = count(made)
    assert (cost.transmitter_multiply_adds > 0) == (cost.transmitter_body_parameters > 0) == (cost_has := cut != 0)
    assert cost.parameters == sum(each.numel() for each in made.parameters()) and cost_has in (True, False)
    assert sum(map(len, made.stacks())) == 3


def test_multiply_adds_are_those_of_the_convolutions() -> None:
    """The network of the paper on CIFAR-10: 40.8 M for ResNet-20, which is what others count for it."""
    spec = replace(CLASSIFIER_SIZES["resnet20"], planes=3, rows=32, columns=32, transmitter_stages=0)
    by_hand = 9 * 32 * 32 * (3 * 16 + 6 * 16 * 16)
    by_hand += 9 * 16 * 16 * (16 * 32 + 5 * 32 * 32) + 9 * 8 * 8 * (32 * 64 + 5 * 64 * 64) + 64 * 10
    assert count(Classifier(spec, 10)).multiply_adds == by_hand
    assert round(by_hand / 1e6, 1) == 40.6


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"family": "dense"}, "family must be 'residual' or 'wide'"),
        ({"transmitter_stages": 4}, "transmitter_stages must be from 0 to 3"),
        ({"units": (1, 1)}, "one number for each stage"),
        ({"symbols": 0}, "symbols must be from 1"),
        ({"rows": 4096}, "rows must be from 1 to 1024"),
        ({"units": (200, 200, 1)}, "at most 256 together"),
        ({"dropout": 1.0}, "dropout must be in"),
    ],
)
def test_shapes_that_are_none_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(SMALL, **changes)  # type: ignore[arg-type]


def test_pictures_and_signals_of_another_size_are_refused() -> None:
    made = codec(SMALL)
    with pytest.raises(ValueError, match="pictures must be of"):
        made.send(batch(replace(SMALL, rows=10)))
    with pytest.raises(ValueError, match=r"a signal must be complex \[batch, 5\]"):
        made.receiver(torch.zeros(2, 6, dtype=torch.complex64))


def test_all_stages_is_one_shape_whether_said_or_not() -> None:
    assert replace(SMALL, transmitter_stages=3) == SMALL
