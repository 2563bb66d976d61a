"""Stratified gains: each gain is distributed as before, and the mean of a batch strays as little as it should."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from scipy import integrate, stats

from channels import (
    Chance,
    Fading,
    Link,
    Nakagami,
    PerBlock,
    PerSentence,
    PerSymbol,
    Rayleigh,
    Rician,
    db_to_ratio,
    draw,
    ergodic_capacity,
)
from channels.fading import even
from channels.theory import gain_below, laplace

PLAIN: list[Fading] = [Rayleigh(), Rician(-5.0), Rician(6.0), Nakagami(0.5), Nakagami(3.0)]
BATCH, DRAWS = 16, 4000


def stratified(fading: Fading) -> Fading:
    return dataclasses.replace(fading, stratified=True)


def gains(fading: Fading, *, draws: int = DRAWS, batch: int = BATCH) -> torch.Tensor:
    """[draws, batch]; the columns of one draw are batches of their own."""
    drawn = fading.draw((batch, draws), generator=Chance(8).of("fading", 0).generator())
    assert drawn.dtype == torch.complex64
    return drawn.T


def one_of_each(drawn: torch.Tensor) -> torch.Tensor:
    """One gain of each batch: only those are independent."""
    return drawn[torch.arange(drawn.shape[0]), torch.arange(drawn.shape[0]) % drawn.shape[1]]


def within_parts(power, density, parts: int) -> float:
    """Sum over n equally likely parts of what a function of a number varies by within each, over n^2."""
    total = 0.0
    for part in range(parts):
        low, high = density.ppf(part / parts), density.ppf((part + 1) / parts)
        low, high = max(low, density.ppf(1e-13)), min(high, density.isf(1e-13))
        first, second = (
            parts * integrate.quad(lambda x, k=k: power(x) ** k * density.pdf(x), low, high)[0] for k in (1, 2)
        )
        total += second - first**2
    return total / parts**2


def variance_of_mean(fading: Fading, batch: int) -> float:
    """Of the mean power of a stratified batch, in closed form up to quadrature."""
    match fading:
        case Rayleigh():
            return within_parts(lambda x: x, stats.expon(), batch)
        case Nakagami(m=m):
            # In amplitudes, whose density has no pole.
            amplitude = stats.nakagami(m)
            return within_parts(lambda x: x * x, amplitude, batch)
        case Rician(k_factor_db=k_factor_db):
            k = db_to_ratio(k_factor_db)
            axis = stats.norm(scale=math.sqrt(0.5 / (k + 1)))
            path = math.sqrt(k / (k + 1))
            return within_parts(lambda x: (path + x) ** 2, axis, batch) + within_parts(lambda x: x * x, axis, batch)
    raise AssertionError(fading)


@pytest.mark.parametrize("fading", PLAIN, ids=str)
def test_each_gain_is_distributed_as_without(fading: Fading, assert_mean) -> None:
    power = one_of_each(gains(stratified(fading), draws=40_000)).abs().square().double()
    for x in (0.05, 0.4, 1.0, 2.5):
        assert_mean((power < x).double(), gain_below(fading, x, antennas=1))
    assert_mean(power, 1.0)
    assert_mean(torch.exp(-2 * power), laplace(fading, 2.0))
    assert_mean(torch.log2(1 + 4 * power), ergodic_capacity(Link(snr_db=10 * math.log10(4), fading=fading)))
    variance = power_variance(fading)
    assert_mean((power - 1).square(), variance)


def power_variance(fading: Fading) -> float:
    """Var |h|^2, from the textbook moments."""
    match fading:
        case Rician(k_factor_db=k_factor_db):
            k = db_to_ratio(k_factor_db)
            return (2 * k + 1) / (k + 1) ** 2
        case Nakagami(m=m):
            return 1 / m
    return 1.0


@pytest.mark.parametrize("fading", PLAIN, ids=str)
def test_each_gain_keeps_its_phase(fading: Fading, assert_mean) -> None:
    h = one_of_each(gains(stratified(fading), draws=40_000)).to(torch.complex128)
    k = db_to_ratio(fading.k_factor_db) if isinstance(fading, Rician) else 0.0
    assert_mean(h.real, math.sqrt(k / (k + 1)))
    assert_mean(h.imag, 0.0)
    scatter = h - math.sqrt(k / (k + 1))
    assert_mean(scatter.square().real, 0.0)
    assert_mean(scatter.square().imag, 0.0)


@pytest.mark.parametrize("batch", [2, 16, 64])
@pytest.mark.parametrize("fading", PLAIN, ids=str)
def test_the_mean_of_a_batch_strays_as_little_as_computed(fading: Fading, batch: int, assert_mean) -> None:
    means = gains(stratified(fading), batch=batch).abs().square().double().mean(dim=1)
    expected = variance_of_mean(fading, batch)
    assert_mean(means, 1.0)
    assert_mean((means - 1).square(), expected)
    # Without, the mean of a batch varies by Var / batch: what is left of it, at 64 sentences, is under a tenth.
    ratio = expected / (power_variance(fading) / batch)
    assert ratio < {2: 0.8, 16: 0.3, 64: 0.1}[batch]


@pytest.mark.parametrize("fading", [Rayleigh(), Nakagami(0.5), Nakagami(3.0)], ids=str)
def test_powers_lie_one_in_each_part(fading: Fading) -> None:
    powers = gains(stratified(fading), draws=50).abs().square().double()
    quantiles = torch.tensor([[gain_below(fading, float(x), antennas=1) for x in row] for row in powers])
    parts = (quantiles * BATCH).sort(dim=1).values
    assert torch.equal(parts.floor(), torch.arange(float(BATCH)).expand(50, BATCH))


def test_the_order_within_a_batch_is_random(assert_mean) -> None:
    ranks = (even((BATCH, DRAWS), generator=Chance(1).generator()) * BATCH).floor()
    for place in (0, 7, 15):
        assert_mean(ranks[place], (BATCH - 1) / 2)
        assert_mean(ranks[place].square(), (BATCH - 1) * (2 * BATCH - 1) / 6)
    # In a random order of n numbers any two correlate by -1/(n-1).
    ours, theirs = (ranks[place] - (BATCH - 1) / 2 for place in (3, 4))
    assert_mean(ours * theirs, -(BATCH**2 - 1) / 12 / (BATCH - 1))


@pytest.mark.parametrize("fading", [Rayleigh(), Rician(0.0), Nakagami(0.7)], ids=str)
@pytest.mark.parametrize("coherence", [PerBlock(5), PerSymbol(), PerSentence()], ids=lambda each: each.kind)
def test_users_antennas_and_blocks_of_a_sentence_stay_independent(fading: Fading, coherence, assert_mean) -> None:
    link = Link(fading=stratified(fading), coherence=coherence, interferers=2, antennas=2)
    airs = [draw(link, (BATCH, 20), Chance(7).of("batch", batch)) for batch in range(400)]
    power = torch.stack([air.gains for air in airs]).abs().square().double() - 1  # [batch, B, U, A, G]
    # A sentence of each batch: those of one batch are not independent of each other.
    first = power[:, 3]
    for ours, theirs in [((0, 0), (1, 0)), ((1, 0), (2, 0)), ((0, 0), (0, 1)), ((1, 1), (2, 0))]:
        assert_mean(first[:, ours[0], ours[1], 0] * first[:, theirs[0], theirs[1], 0], 0.0)
    if power.shape[-1] > 1:
        assert_mean(first[:, 0, 0, 0] * first[:, 0, 0, 1], 0.0)
    # All of a batch together would show two users that are dealt the same parts.
    assert_mean((power[:, :, 0, 0, 0] * power[:, :, 1, 0, 0]).mean(dim=1), 0.0)


@pytest.mark.parametrize("fading", [Rayleigh(), Rician(0.0), Nakagami(0.7)], ids=str)
def test_one_more_user_still_moves_nobody(fading: Fading) -> None:
    few, many = (draw(Link(fading=stratified(fading), interferers=count), (8, 6), Chance(1)) for count in (1, 3))
    assert torch.equal(many.gains[:, :2], few.gains)
    assert torch.equal(many.noise, few.noise)


@pytest.mark.parametrize("fading", [Rayleigh(), Rician(0.0), Nakagami(0.7)], ids=str)
def test_a_batch_of_one_is_an_ordinary_draw(fading: Fading, assert_mean) -> None:
    power = gains(stratified(fading), batch=1, draws=20_000).abs().square().double()
    assert_mean(power, 1.0)
    assert_mean((power - 1).square(), power_variance(fading))


@pytest.mark.parametrize("fading", PLAIN, ids=str)
def test_false_is_the_same_as_leaving_it_out(fading: Fading) -> None:
    said = dataclasses.replace(fading, stratified=False)
    assert said == fading and hash(said) == hash(fading)
    assert stratified(fading) != fading
    plain, spoken = (each.draw((5, 3), generator=Chance(1).generator()) for each in (fading, said))
    assert torch.equal(plain, spoken)


@pytest.mark.parametrize("fading", [Rician(100.0), Rician(-100.0), Nakagami(0.5), Nakagami(1e6), Rayleigh()], ids=str)
def test_extremes_stay_finite(fading: Fading) -> None:
    power = gains(stratified(fading), batch=1000, draws=20).abs().square().double()
    assert power.isfinite().all()
    assert power.mean() == pytest.approx(1.0, abs=0.01)
