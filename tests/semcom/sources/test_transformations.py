"""Transformations do what they are called, and each is refused where it means nothing."""

from __future__ import annotations

import typing

import pytest
import torch

from semcom.sources.transformations import OF_FRAMES, TURNS, USUAL, Transformation, transformed, unsuited, views_of

FRAMES = torch.randn(3, 32, dtype=torch.complex64, generator=torch.Generator().manual_seed(1))
PICTURES = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(2))


def test_every_transformation_is_of_frames_or_of_pictures() -> None:
    assert {*OF_FRAMES, *TURNS} == set(typing.get_args(Transformation))
    assert not set(OF_FRAMES) & set(TURNS)
    assert all(not unsuited(names, carries) for carries, names in USUAL.items())


@pytest.mark.parametrize("name", OF_FRAMES)
def test_frames_keep_their_form_and_power_and_change(name: Transformation) -> None:
    found = transformed(FRAMES, name)
    assert (found.shape, found.dtype, found.is_conj()) == (FRAMES.shape, FRAMES.dtype, False)
    assert not torch.equal(found, FRAMES)
    torch.testing.assert_close(found.abs().square().sum(1), FRAMES.abs().square().sum(1))


def test_frames_by_hand() -> None:
    ramp = torch.arange(8.0)[None].to(torch.complex64)
    assert transformed(ramp, "segment_permutation").real[0].tolist() == [4, 5, 0, 1, 6, 7, 2, 3]
    assert transformed(ramp, "time_reversal").real[0].tolist() == [7, 6, 5, 4, 3, 2, 1, 0]
    tone = torch.ones(1, 32, dtype=torch.complex64)
    assert torch.fft.fft(transformed(tone, "frequency_shift")).abs().argmax().item() == 32 // 8
    assert transformed(1j * tone, "conjugation")[0, 0] == -1j


def test_turns_of_pictures_are_quarters_against_the_clock() -> None:
    quarter = transformed(PICTURES, "quarter_turn")
    assert torch.equal(quarter[:, :, 7, 0], PICTURES[:, :, 0, 0]), "the corner above left goes below left"
    assert torch.equal(transformed(quarter, "quarter_turn"), transformed(PICTURES, "half_turn"))
    assert torch.equal(transformed(quarter, "half_turn"), transformed(PICTURES, "three_quarter_turn"))
    assert torch.equal(transformed(quarter, "three_quarter_turn"), PICTURES)


def test_views_stand_below_each_other() -> None:
    views = views_of(PICTURES, TURNS)
    assert views.shape == (8, 3, 8, 8)
    assert torch.equal(views[:2], PICTURES)
    assert torch.equal(views[6:], transformed(PICTURES, "three_quarter_turn"))


@pytest.mark.parametrize(
    ("messages", "name"), [(FRAMES, "half_turn"), (PICTURES, "conjugation"), (PICTURES[..., :5], "quarter_turn")]
)
def test_messages_of_another_form_are_refused(messages: torch.Tensor, name: Transformation) -> None:
    with pytest.raises(ValueError, match=f"{name} must be of"):
        transformed(messages, name)


def test_the_reason_against_a_turn_of_frames_is_true() -> None:
    """A quarter turn of a QPSK or square QAM constellation is that constellation."""
    assert "QPSK and square QAM look the same after" in unsuited(("quarter_turn",), "frames")
    assert unsuited(("conjugation",), "pictures") == "conjugation is no transformation of pictures"
    for levels in ((-1, 1), (-3, -1, 1, 3)):
        points = {complex(i, q) for i in levels for q in levels}
        assert {1j * each for each in points} == points
