"""Cost of recognizers: multiply-adds against torch's own counter, and against the published savings."""

from dataclasses import replace

import pytest

from semcom.compression.cost import count, counted_multiply_adds
from semcom.compression.recognizer_cost import recognizer_multiply_adds
from semcom.models.recognizer import Recognizer
from semcom.models.recognizer_spec import RECOGNIZER_SIZES, RecognizerSpec

SPECS = [
    replace(spec, planes=planes, length=length, kernel=kernel, kept=kept)
    for spec in (
        RecognizerSpec(widths=(4, 6, 8), units=(2, 1, 2), hidden=None),
        RecognizerSpec("vgg", widths=(4, 6), units=(1, 2), head=(7, 5)),
        RecognizerSpec("cnn", widths=(4,), units=(3,), head=(7,)),
    )
    for planes in (1, 2)
    for length, kernel in ((16, 3), (21, 5))
    for kept in (None, (0,), (1, 2))
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s.family} {s.planes} {s.length} {s.kernel} {s.kept}")
def test_multiply_adds_are_what_torch_counts(spec: RecognizerSpec) -> None:
    for each in (spec, spec if spec.family == "vgg" else replace(spec, hidden=(2,) * len(spec.remaining))):
        recognizer = Recognizer(each, 5).eval()
        assert recognizer_multiply_adds(each, 5) == counted_multiply_adds(
            lambda: recognizer.receiver(recognizer.example().samples)  # noqa: B023
        )


def test_pruned_as_published_as_much_is_saved_as_published() -> None:
    """36.82 M of ResNet56 on RML2016.10a, and 36.57 M without the 2 a value that its counter gives normalization."""
    whole = RECOGNIZER_SIZES["iq_resnet56"]
    saved = recognizer_multiply_adds(whole, 11) - recognizer_multiply_adds(replace(whole, kept=(0, 9, 10, 18)), 11)
    normalized = 2 * 2 * (8 * 16 * 256 + 7 * 32 * 64 + 8 * 64 * 32)
    assert saved == 36_569_088
    assert round((saved + normalized) / 1e6, 2) == 36.82


def test_all_of_it_is_the_receivers() -> None:
    recognizer = Recognizer(RECOGNIZER_SIZES["iq_tiny"], 11)
    cost = count(recognizer)
    assert cost.parameters == recognizer.receiver.output.weight.numel() + cost.body_parameters == 1_867
    assert cost.body_parameters == cost.receiver_body_parameters
    assert cost.multiply_adds == cost.receiver_multiply_adds == 70_832
    assert cost.transmitter_body_parameters == cost.transmitter_multiply_adds == 0
