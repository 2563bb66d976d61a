"""RecognizerSpec: published shapes parameter for parameter, shapes of pruned networks, and nonsense that is refused."""

import subprocess
import sys
from dataclasses import FrozenInstanceError, replace

import pytest

from semcom.models.recognizer import Recognizer
from semcom.models.recognizer_spec import RECOGNIZER_SIZES, RecognizerSpec


def parameters(spec, classes=11):
    return sum(each.numel() for each in Recognizer(spec, classes).parameters())


@pytest.mark.parametrize(
    ("name", "count"),
    [
        # Counted by hand from the layers of the official code, 11 classes at length 128.
        ("iq_resnet56", 852_795),
        ("iq_resnet110", 1_727_739),
        ("iq_vgg", 8_854_475),
        ("iq_cnn1d", 100_907),
        # And ours.
        ("iq_resnet20", 91_275),
        ("iq_resnet8", 25_867),
        ("iq_small", 6_795),
        ("iq_tiny", 1_867),
    ],
)
def test_named_sizes_have_these_parameters(name: str, count: int) -> None:
    assert parameters(RECOGNIZER_SIZES[name]) == count
    assert RECOGNIZER_SIZES[name].symbols_per_unit == 128


def test_pruned_as_published_as_many_parameters_go_as_published() -> None:
    """ResNet56 keeps 1, 2 and 1 units of its stages on RML2016.10a: 759.16 k go; 1, 1 and 1 on the others: 777.73 k."""
    whole = RECOGNIZER_SIZES["iq_resnet56"]
    assert parameters(whole) - parameters(replace(whole, kept=(0, 9, 10, 18))) == 759_168
    assert parameters(whole, 12) - parameters(replace(whole, kept=(0, 9, 18)), 12) == 777_728


def test_shapes_along_the_units() -> None:
    spec = RecognizerSpec(units=(1, 2, 1), length=9, planes=2)
    shapes = [(unit.entering, unit.leaving) for unit in spec.chain()]
    assert shapes == [
        ((16, 2, 9), (16, 2, 9)),
        ((16, 2, 9), (32, 1, 5)),
        ((32, 1, 5), (32, 1, 5)),
        ((32, 1, 5), (64, 1, 3)),
    ]
    pruned = replace(spec, kept=(0, 3))
    assert [unit.entering for unit in pruned.chain()] == [(16, 2, 9), (32, 1, 5)]
    assert pruned.remaining == (0, 3) and pruned.leaving == spec.leaving
    assert RECOGNIZER_SIZES["iq_vgg"].layers_of_head == (4608, 256, 128)
    assert RECOGNIZER_SIZES["iq_cnn1d"].layers_of_head == (64, 128)


def test_one_shape_has_one_spec() -> None:
    spec = RecognizerSpec(units=(1, 1, 1))
    assert replace(spec, kept=(0, 1, 2)) == spec
    assert replace(spec, hidden=(16, 32, 64)) == spec
    assert replace(spec, hidden=(16, 32, 63)) != spec
    assert hash(replace(spec, kept=(1,))) == hash(replace(spec, kept=(1,)))
    with pytest.raises(FrozenInstanceError):
        spec.length = 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"family": "lstm"}, "family must be 'residual', 'vgg' or 'cnn', got 'lstm'"),
        ({"planes": 3}, "planes must be 1 or 2, got 3"),
        ({"length": 0}, "length must be from 1 to 65536, got 0"),
        ({"length": 10**9}, "length must be from 1 to 65536, got 1000000000"),
        ({"kernel": 4}, "kernel must be odd"),
        ({"kernel": 33}, "kernel must be from 1 to 31, got 33"),
        ({"widths": ()}, r"one number for each stage, got \(\) and \(3, 3, 3\)"),
        ({"widths": (8, 8)}, r"one number for each stage, got \(8, 8\)"),
        ({"widths": (8, 0, 8)}, "widths must be from 1 to 4096, got 0"),
        ({"widths": (8, 8, 5000)}, "widths must be from 1 to 4096, got 5000"),
        ({"units": (1, -1, 1)}, "units must be from 1 to 256, got -1"),
        ({"units": (100, 100, 100)}, "units must be at most 256 together, got 300"),
        ({"head": (100_000,)}, "head must be from 1 to 16384, got 100000"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"),
        ({"kept": ()}, r"kept must be rising numbers from 0 to 8, at least one, got \(\)"),
        ({"kept": (2, 1)}, "kept must be rising"),
        ({"kept": (1, 1)}, "kept must be rising"),
        ({"kept": (-1, 1)}, "kept must be rising"),
        ({"kept": (9,)}, "kept must be rising"),
        ({"kept": (0, 3), "hidden": (16,)}, r"at most \(16, 32\), unit by unit, got \(16,\)"),
        ({"kept": (0, 3), "hidden": (17, 32)}, r"hidden must be at least 1 and at most \(16, 32\)"),
        ({"kept": (0, 3), "hidden": (0, 32)}, r"hidden must be at least 1"),
        ({"family": "vgg", "hidden": (1,) * 9}, "hidden must be None for a vgg"),
        ({"family": "vgg", "length": 7}, "length must leave samples and rows after halving them 3 times, got 7"),
        ({"family": "cnn"}, "length must leave samples and rows after halving them 9 times, got 128"),
        ({"family": "vgg", "length": 65_536, "widths": (8, 8, 4096)}, "must read at most 1048576 features"),
    ],
)
def test_nonsense_is_refused(changes, message) -> None:
    with pytest.raises(ValueError, match=message):
        replace(RecognizerSpec(), **changes)


def test_a_spec_loads_no_torch() -> None:
    code = "import sys, semcom.cli, semcom.models.recognizer_spec, semcom.compression.recognizer_cost\n" + (
        "print('torch._C' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
