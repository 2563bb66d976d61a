"""A codec of two senses: each at unit power in its own symbols, drowned in training alone, and joined."""

from __future__ import annotations

import pytest
import torch

from channels import Arrived
from semcom.models.make import initialize
from semcom.models.senses_spec import SensesSpec
from semcom.sources.pictures import PictureBatch

SPEC = SensesSpec(rows=8, columns=8, widths=(4, 8, 8), hidden=16, symbols=6, caption_symbols=4)
NAMES = ("shirt", "ankle boot", "bag")
LABELS = torch.tensor([0, 1, 2, 1])


def batch(names: tuple[str, ...] = NAMES) -> PictureBatch:
    pixels = torch.randint(256, (4, 1, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    return PictureBatch(pixels, LABELS, (0, 1, 2, 3), names=names)


def test_each_sense_has_its_stretch_and_its_power() -> None:
    codec = initialize(SPEC, 3, seed=1).eval()
    symbols = codec.send(batch()).symbols
    assert symbols.shape == (4, 10) and SPEC.symbols_per_unit == 10
    for sense in symbols.split((6, 4), dim=1):
        torch.testing.assert_close(sense.abs().square().mean(dim=1), torch.ones(4))
    captions = symbols[:, 6:]
    torch.testing.assert_close(captions[1], captions[3], msg="a caption says the class and nothing of the picture")
    assert not torch.allclose(captions[0], captions[1])


def test_one_sense_of_some_messages_is_drowned_and_in_training_alone() -> None:
    spec = SensesSpec(rows=8, columns=8, widths=(4, 8, 8), hidden=16, symbols=6, caption_symbols=4, drowned=1.0)
    receiver = initialize(spec, 3, seed=1).receiver
    signal = torch.zeros(200, 10, dtype=torch.complex64)
    noise = receiver._drowning(signal).abs()
    first, second = (part.amax(dim=1) > 0 for part in noise.split((6, 4), dim=1))
    assert bool((first ^ second).all()), "of every message one sense, never both"
    assert 60 < int(first.sum()) < 140
    receiver.eval()
    torch.testing.assert_close(receiver(signal[:1]).logits.expand(200, -1, -1), receiver(signal).logits)


def test_either_sense_reaches_the_answer() -> None:
    codec = initialize(SPEC, 3, seed=1).eval()
    symbols = codec.send(batch()).symbols.detach().requires_grad_()
    codec.hear(Arrived(symbols, ()), batch()).logits.square().sum().backward()
    for sense in symbols.grad.split((6, 4), dim=1):
        assert bool((sense.abs() > 0).any())


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="names must be those of the classes"):
        initialize(SPEC, 3, seed=1).send(batch(names=()))
    with pytest.raises(ValueError, match="caption_symbols must be from 1"):
        SensesSpec(caption_symbols=0)
    with pytest.raises(ValueError, match="drowned must be a share"):
        SensesSpec(drowned=1.5)
    with pytest.raises(ValueError, match="transmitter_stages must be left out"):
        SensesSpec(transmitter_stages=1)
