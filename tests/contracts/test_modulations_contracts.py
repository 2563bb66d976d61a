"""What every modulation promises; a line in channels/modulation.py is enough to have it tested here."""

from __future__ import annotations

import dataclasses
import pickle
from typing import get_args

import pytest
import torch

from channels import MODULATIONS, RML2016, RML2018, Chance, Emitter, Waveform, make_frames, modulation_named
from channels.modulation import Linear, Modulation

EACH = [pytest.param(modulation, id=modulation.name) for modulation in MODULATIONS]


def emission(frames: int = 20, length: int = 128):
    return Emitter().draw(frames, length, Chance(1))


def test_names_are_different_and_the_two_sets_are_whole() -> None:
    names = [modulation.name for modulation in MODULATIONS]
    assert len(set(names)) == len(names)
    assert len(set(RML2016)) == 11
    assert len(set(RML2018)) == 24
    assert set(names) == {*RML2016, *RML2018}
    assert {type(modulation) for modulation in MODULATIONS} == set(get_args(Modulation))


@pytest.mark.parametrize("modulation", EACH)
def test_a_modulation_is_a_frozen_value_found_by_its_name(modulation: Modulation) -> None:
    assert modulation_named(modulation.name) is modulation
    assert hash(modulation) == hash(dataclasses.replace(modulation))
    assert pickle.loads(pickle.dumps(modulation)) == modulation
    assert dataclasses.fields(modulation)[-1].name == "kind"
    with pytest.raises(dataclasses.FrozenInstanceError):
        modulation.name = "another"  # type: ignore[misc]


@pytest.mark.parametrize("modulation", EACH)
def test_a_number_in_a_name_is_the_number_of_points(modulation: Modulation) -> None:
    order = "".join(letter for letter in modulation.name if letter.isdigit())
    if order:
        assert isinstance(modulation, Linear)
        assert len(set(modulation.points)) == int(order)


@pytest.mark.parametrize("modulation", EACH)
def test_a_modulation_has_unit_mean_power(modulation: Modulation, assert_mean) -> None:
    assert_mean(modulation.envelope(emission(3000, 32)).abs().square().mean(dim=1), 1.0)


@pytest.mark.parametrize("length", [1, 128, 1024])
@pytest.mark.parametrize("modulation", EACH)
def test_frames_of_any_length_are_finite_and_repeatable(modulation: Modulation, length: int) -> None:
    one, same = (modulation.envelope(emission(4, length)) for _ in range(2))
    assert one.shape == (4, length)
    assert one.dtype == torch.complex64
    assert one.isfinite().all()
    assert torch.equal(one, same)


@pytest.mark.parametrize("modulation", EACH)
def test_a_frame_does_not_depend_on_those_beside_it(modulation: Modulation) -> None:
    whole, few = emission(), torch.tensor([3, 11, 12])
    torch.testing.assert_close(modulation.envelope(whole)[few], modulation.envelope(whole.rows(few)))


@pytest.mark.parametrize("modulation", EACH)
def test_frames_and_noise_come_from_streams_of_their_own(modulation: Modulation) -> None:
    waveform = Waveform(modulations=(modulation.name,), others=("CPFSK", "QPSK"), snr_db=0.0)
    labels = torch.zeros(6, dtype=torch.long)
    alone = make_frames(waveform, labels, Chance(2))
    among = make_frames(dataclasses.replace(waveform, interferers=2), labels, Chance(2))
    assert torch.equal(alone.wanted.signal, among.wanted.signal)
    assert torch.equal(alone.noise, among.noise)
    assert (alone.received != make_frames(waveform, labels, Chance(3)).received).any(dim=1).all()
