"""Streams belong to their causes: same cause same numbers, another cause other numbers, no order, no globals."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from channels import Chance, complex_gaussian

CAUSES = st.tuples() | st.lists(st.text(max_size=8) | st.integers(), max_size=4).map(tuple)


def numbers(chance: Chance, count: int = 8) -> torch.Tensor:
    return torch.rand(count, generator=chance.generator())


@given(seed=st.integers(), causes=CAUSES)
def test_the_same_cause_gives_the_same_numbers(seed: int, causes: tuple[str | int, ...]) -> None:
    assert torch.equal(numbers(Chance(seed).of(*causes)), numbers(Chance(seed, causes)))


@given(seed=st.integers(), one=CAUSES, other=CAUSES)
def test_another_cause_gives_other_numbers(seed: int, one: tuple[str | int, ...], other: tuple[str | int, ...]) -> None:
    assert (one == other) == (Chance(seed).of(*one).integer() == Chance(seed).of(*other).integer())


@given(seed=st.integers(), order=st.permutations(["noise", "fading", "csi", "interference"]))
def test_streams_do_not_depend_on_the_order_of_asking(seed: int, order: list[str]) -> None:
    drawn = {cause: numbers(Chance(seed).of(cause)) for cause in order}
    assert torch.equal(drawn["fading"], numbers(Chance(seed).of("fading")))


@given(causes=CAUSES, cause=st.text(max_size=4))
def test_narrowing_twice_is_narrowing_by_both(causes: tuple[str | int, ...], cause: str) -> None:
    assert Chance(3).of(*causes).of(cause) == Chance(3).of(*causes, cause)


def test_words_and_numbers_that_look_alike_are_different_causes() -> None:
    alike = [("user", 1), ("user", "1"), ("user1",), ("use", "r1"), ("user", 1, ""), ("('user', 1)",)]
    assert len({Chance(0).of(*causes).integer() for causes in alike}) == len(alike)


def test_the_number_behind_a_cause_never_changes() -> None:
    # Golden: computed once by this code. Another value means that no older result can be repeated.
    assert Chance(11).of("fading", 2).integer() == 7214104925288460194


def test_the_seeds_of_other_generators_fit_in_63_bits() -> None:
    drawn = [Chance(5).of(i).integer() for i in range(2000)]
    assert max(drawn) < 2**63
    assert max(drawn) > 2**62
    assert len(set(drawn)) == 2000


def test_the_global_generator_is_neither_used_nor_moved() -> None:
    before = torch.get_rng_state()
    one = numbers(Chance(1).of("noise"))
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert torch.equal(numbers(Chance(1).of("noise")), one)


@pytest.mark.parametrize("cause", [True, 1.0, None])
def test_a_cause_is_a_plain_word_or_count(cause: object) -> None:
    with pytest.raises(ValueError, match="a cause must be a plain str or int, got"):
        Chance(1).of(cause)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a cause must be a plain str or int, got"):
        Chance(1).begin(torch.Generator(), cause)  # type: ignore[arg-type]


def test_a_seed_is_a_plain_int() -> None:
    with pytest.raises(ValueError, match=r"seed must be a plain int, got 1\.5"):
        Chance(1.5)  # type: ignore[arg-type]


@given(seed=st.integers(), causes=CAUSES, before=st.integers(0, 700))
def test_a_generator_that_begins_anew_forgets_where_it_was(
    seed: int, causes: tuple[str | int, ...], before: int
) -> None:
    generator = Chance(0).generator()
    torch.rand(before, generator=generator)
    begun = Chance(seed).of("batch").begin(generator, *causes)
    assert begun is generator
    assert torch.equal(torch.rand(8, generator=begun), numbers(Chance(seed).of("batch", *causes)))


def test_half_a_normal_number_is_not_carried_into_the_next_stream() -> None:
    # torch draws normal numbers in pairs, and up to 15 of them one by one: a generator keeps the second for later.
    generator = Chance(1).generator()
    torch.randn(1, generator=generator)
    expected = torch.randn(1, generator=Chance(2).generator())
    assert torch.equal(torch.randn(1, generator=Chance(2).begin(generator)), expected)


def test_the_numbers_of_a_stream_never_change() -> None:
    # Golden, from before noise was drawn as complex numbers in one call: few numbers and many take different ways.
    for count, last in (
        (5, [-0.11194857954978943, 0.4213349223136902]),
        (40, [0.06268894672393799, -0.02228657715022564]),
    ):
        drawn = complex_gaussian((count,), power=0.1, generator=Chance(11).of("noise").generator())
        assert torch.view_as_real(drawn[-1]).tolist() == last


@pytest.mark.parametrize("power", [1.0, 0.01, 40.0])
def test_complex_gaussian_splits_its_power_over_two_axes(power: float, assert_mean) -> None:
    z = complex_gaussian((200_000,), power=power, generator=Chance(4).generator())
    assert z.dtype == torch.complex64
    assert_mean(z.real.square() / power, 0.5)
    assert_mean(z.imag.square() / power, 0.5)
    assert_mean(z.real * z.imag / power, 0.0)
    assert_mean(z.abs().pow(4) / power**2, 2.0)


def test_streams_of_two_causes_are_uncorrelated(assert_mean) -> None:
    one, other = (complex_gaussian((100_000,), generator=Chance(4).of("user", user).generator()) for user in (0, 1))
    assert_mean((one * other.conj()).real, 0.0)
