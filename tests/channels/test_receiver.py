"""Receivers against their optimality: least mean squared error, array gain, rejected interference, honest estimates."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from channels import (
    Chance,
    Coherence,
    Equalizer,
    Gaussian,
    InterferenceRejecting,
    Link,
    Mmse,
    NoCsi,
    NoEqualizer,
    NoFading,
    NoisyCsi,
    PerBlock,
    PerfectCsi,
    PerSentence,
    PerSymbol,
    Qam,
    Rayleigh,
    Realization,
    Rician,
    ZeroForcing,
    draw,
    equalize,
    everyone,
    superpose,
)

SHAPE = (300, 400)


def trip(link: Link, shape: tuple[int, int] = SHAPE) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, Realization]:
    """Send Gaussian symbols; give them, what was received, what was made of it, and the air."""
    air = draw(link, shape, Chance(31))
    symbols = Gaussian().draw(shape, generator=Chance(31).of("symbols").generator())
    received = superpose(everyone(symbols, link, air), air)
    return symbols, received, equalize(received, link, air), air


def weights(link: Link, air: Realization) -> torch.Tensor:
    return link.equalizer.weights(
        air.gains, noise_power=link.noise_power, interference_power=sum(link.interferer_powers)
    )


@pytest.mark.parametrize("interferers", [0, 1, 3])
def test_mmse_error_is_the_closed_form_without_fading(interferers: int, assert_mean) -> None:
    link = Link(snr_db=3.0, interferers=interferers, interference=Gaussian(level_db=-5.0), equalizer=Mmse())
    symbols, _, estimate, _ = trip(link)
    disturbance = 10**-0.3 + interferers * 10**-0.5
    assert_mean((estimate - symbols).abs().square(), disturbance / (1 + disturbance))


LEAST_ERROR = [
    Link(snr_db=3.0, interferers=2, interference=Gaussian(level_db=-5.0), equalizer=Mmse()),
    Link(snr_db=3.0, fading=Rayleigh(), equalizer=Mmse(), antennas=3),
    Link(
        snr_db=3.0,
        fading=Rayleigh(),
        interferers=2,
        interference=Gaussian(level_db=-5.0, fading=NoFading()),
        equalizer=Mmse(),
    ),
    Link(
        snr_db=9.0, fading=Rayleigh(), interferers=2, interference=Qam(), equalizer=InterferenceRejecting(), antennas=2
    ),
    Link(snr_db=9.0, fading=Rician(), interferers=2, interference=Qam(), equalizer=InterferenceRejecting(), antennas=1),
    Link(
        snr_db=9.0, fading=Rayleigh(), interferers=1, interference=Qam(), equalizer=InterferenceRejecting(), antennas=4
    ),
]


@pytest.mark.parametrize(
    "link", LEAST_ERROR, ids=lambda link: f"{link.equalizer.kind}-{link.antennas}-{link.interferers}"
)
def test_least_squares_error_is_orthogonal_to_what_was_received(link: Link, assert_mean) -> None:
    # The orthogonality principle holds for the optimum and nothing else: any other scale or direction leaves a trace.
    link = dataclasses.replace(link, coherence=PerSymbol())
    symbols, received, estimate, air = trip(link)
    matched = (air.gains[:, 0].conj() * received).sum(dim=1)
    for seen in (matched, received[:, 0] * air.gains[:, 0, 0].conj()):
        assert_mean(((symbols - estimate) * seen.conj()).real, 0.0)
        assert_mean(((symbols - estimate) * seen.conj()).imag, 0.0)


def test_zero_forcing_undoes_the_gain_exactly() -> None:
    link = Link(snr_db=120.0, fading=Rician(), equalizer=ZeroForcing(), antennas=2)
    symbols, _, estimate, _ = trip(link)
    torch.testing.assert_close(estimate, symbols, atol=1e-4, rtol=1e-3)


def test_zero_forcing_is_unbiased_and_mmse_shrinks(assert_mean) -> None:
    link = Link(snr_db=0.0, equalizer=ZeroForcing())
    symbols, _, estimate, _ = trip(link)
    assert_mean((estimate * symbols.conj()).real, 1.0)
    symbols, _, estimate, _ = trip(dataclasses.replace(link, equalizer=Mmse()))
    assert_mean((estimate * symbols.conj()).real, 0.5)


def test_no_equalizer_hands_on_what_came() -> None:
    _, received, estimate, _ = trip(Link(fading=Rayleigh(), equalizer=NoEqualizer()))
    assert torch.equal(estimate, received[:, 0])
    _, received, estimate, _ = trip(Link(fading=Rayleigh(), equalizer=NoEqualizer(), antennas=3))
    torch.testing.assert_close(estimate, received.mean(dim=1))


@pytest.mark.parametrize("equalizer", [ZeroForcing(), Mmse(), InterferenceRejecting()], ids=lambda each: each.kind)
@pytest.mark.parametrize("antennas", [1, 2, 4])
def test_array_gain_multiplies_the_mean_snr_by_the_antennas(antennas: int, equalizer: Equalizer, assert_mean) -> None:
    link = Link(snr_db=5.0, fading=Rayleigh(), coherence=PerSymbol(), equalizer=equalizer, antennas=antennas)
    air = draw(link, (100, 400), Chance(3))
    w = weights(link, air)
    through = (w * air.gains[:, 0]).sum(dim=1).abs().square()
    noise = link.noise_power * w.abs().square().sum(dim=1)
    assert_mean(through / noise * link.noise_power, antennas)


def after_combining(link: Link) -> torch.Tensor:
    """SINR of every symbol behind the combiner, from the weights and the true gains."""
    air = draw(link, (100, 200), Chance(3))
    w = weights(link, air)
    heard = (w.unsqueeze(1) * air.gains).sum(dim=2).abs().square()
    return heard[:, 0] / (heard[:, 1:].sum(dim=1) + link.noise_power * w.abs().square().sum(dim=1))


def test_rejection_silences_a_loud_interferer(assert_mean) -> None:
    link = Link(
        snr_db=10.0,
        fading=Rayleigh(),
        interferers=1,
        interference=Qam(level_db=30.0),
        equalizer=InterferenceRejecting(),
        antennas=2,
    )
    symbols, _, estimate, _ = trip(link, (20_000, 1))
    error = (estimate - symbols).abs().square()
    # One of two looks is spent on the null: what is left is one Rayleigh branch, of mean squared error
    # E[1/(1 + snr g)] with g exponential, which is exp(1/snr) E1(1/snr) / snr.
    assert_mean(error, 0.2014642)


@pytest.mark.parametrize(("antennas", "interferers"), [(2, 1), (3, 1), (3, 2), (4, 2)])
def test_rejection_spends_one_antenna_for_each_loud_interferer(antennas: int, interferers: int, assert_mean) -> None:
    # Nulling N strangers leaves A - N independent looks at the wanted user: mean SINR (A - N) / N0.
    link = Link(
        snr_db=10.0,
        fading=Rayleigh(),
        coherence=PerSymbol(),
        interferers=interferers,
        interference=Qam(level_db=30.0),
        equalizer=InterferenceRejecting(),
        antennas=antennas,
    )
    assert_mean(after_combining(link) * link.noise_power, antennas - interferers)
    deaf = after_combining(dataclasses.replace(link, equalizer=Mmse()))
    assert deaf.median() < 0.1


def test_rejection_with_one_antenna_is_the_mmse_of_the_moment() -> None:
    link = Link(fading=Rayleigh(), interferers=2, interference=Qam(level_db=-3.0), equalizer=InterferenceRejecting())
    air = draw(link, (50, 10), Chance(3))
    moment = air.gains[:, 1:].abs().square().sum(dim=1)
    expected = air.gains[:, 0].conj() / (air.gains[:, 0].abs().square() + moment + link.noise_power)
    torch.testing.assert_close(weights(link, air), expected)
    steady = dataclasses.replace(link, interference=Qam(level_db=-3.0, fading=NoFading()))
    air = draw(steady, (50, 10), Chance(3))
    torch.testing.assert_close(weights(steady, air), weights(dataclasses.replace(steady, equalizer=Mmse()), air))


def test_rejection_meets_the_formula_written_out() -> None:
    # Second opinion: R^-1 h / (1 + h^H R^-1 h), with R built interferer by interferer in double precision.
    link = Link(fading=Rayleigh(), interferers=2, interference=Qam(), equalizer=InterferenceRejecting(), antennas=3)
    air = draw(link, (20, 5), Chance(3))
    for gains, w in zip(air.gains[..., 0].to(torch.complex128), weights(link, air)[..., 0], strict=True):
        noise = link.noise_power * torch.eye(3, dtype=torch.complex128)
        r = sum((torch.outer(h, h.conj()) for h in gains[1:]), noise)
        answer = torch.linalg.inv(r) @ gains[0]
        expected = (answer / (1 + torch.vdot(gains[0], answer))).conj()
        torch.testing.assert_close(w.to(torch.complex128), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("pilots", [1, 4, 100])
def test_an_estimate_is_wrong_by_the_noise_over_the_pilots(pilots: int, assert_mean) -> None:
    link = Link(
        snr_db=7.0,
        fading=Rayleigh(),
        coherence=PerSymbol(),
        csi=NoisyCsi(pilots=pilots),
        interferers=1,
        interference=Qam(),
        antennas=2,
    )
    air = draw(link, (100, 200), Chance(3))
    error = link.csi.known(air.gains, air.csi_error, amplitudes=link.amplitudes) - air.gains
    assert_mean(error.abs().square() * pilots / link.noise_power, 1.0)
    assert_mean((error * air.gains.conj()).real, 0.0)


def test_an_estimate_is_wrong_once_for_each_gain() -> None:
    link = Link(fading=Rayleigh(), csi=NoisyCsi())
    assert draw(link, (5, 60), Chance(3)).csi_error.shape == (5, 1, 1, 1)  # type: ignore[union-attr]
    assert draw(dataclasses.replace(link, csi=PerfectCsi()), (5, 60), Chance(3)).csi_error is None


@pytest.mark.parametrize("pilots", [1, 8])
def test_bpsk_with_estimated_gains_meets_theory(pilots: int, bit_errors, assert_mean) -> None:
    # Decisions on Re(h_hat^* y) of two related Gaussians: (1 - rho)/2 with their correlation rho.
    # Source: Proakis and Salehi, Digital Communications, 5th edition, appendix B, for one branch.
    link = Link(
        snr_db=6.0, fading=Rayleigh(), coherence=PerSymbol(), csi=NoisyCsi(pilots=pilots), equalizer=ZeroForcing()
    )
    noise = link.noise_power
    rho = 1 / math.sqrt((1 + noise) * (1 + noise / pilots))
    assert_mean(bit_errors(link, order=2), (1 - rho) / 2)


def test_without_csi_a_receiver_is_right_only_without_fading() -> None:
    told, untold = (
        trip(Link(interferers=1, interference=Qam(level_db=-3.0), csi=csi, antennas=2))[2]
        for csi in (PerfectCsi(), NoCsi())
    )
    assert torch.equal(told, untold)


def test_without_csi_rayleigh_phases_are_guesswork(bit_errors, assert_mean) -> None:
    link = Link(snr_db=20.0, fading=Rayleigh(), coherence=PerSymbol(), csi=NoCsi())
    assert_mean(bit_errors(link, order=2), 0.5)


def test_csi_changes_the_receiver_and_not_the_air() -> None:
    perfect, noisy, none = (
        draw(Link(fading=Rayleigh(), interferers=1, interference=Qam(), csi=csi), (4, 6), Chance(3))
        for csi in (PerfectCsi(), NoisyCsi(), NoCsi())
    )
    for other in (noisy, none):
        assert torch.equal(other.gains, perfect.gains)
        assert torch.equal(other.noise, perfect.noise)
        assert torch.equal(other.interference, perfect.interference)  # type: ignore[arg-type]


def test_an_estimate_that_was_never_drawn_is_refused() -> None:
    air = draw(Link(), (4, 6), Chance(3))
    with pytest.raises(ValueError, match="the air must hold an error for every estimate, got none"):
        equalize(air.noise, Link(csi=NoisyCsi()), air)


@pytest.mark.parametrize("coherence", [PerSymbol(), PerBlock(3), PerSentence()], ids=str)
def test_an_unfaded_gain_is_estimated_as_often_as_the_coherence_says(coherence: Coherence) -> None:
    """h is 1, so zero forcing divides by 1 + e; the noise and e are as they were drawn."""
    link = Link(snr_db=10.0, coherence=coherence, csi=NoisyCsi(), equalizer=ZeroForcing())
    air = draw(link, (4, 7), Chance(3))
    assert air.csi_error is not None
    estimates = 1 + air.csi_error[:, 0, 0]
    each = estimates.repeat_interleave(7 // estimates.shape[1], dim=1)
    torch.testing.assert_close(equalize(air.noise, link, air), air.noise[:, 0] / each)


def test_rejecting_loud_interferers_over_no_noise_at_all_stays_finite() -> None:
    link = Link(snr_db=160.0, interferers=2, interference=Gaussian(level_db=20.0), antennas=3)
    link = dataclasses.replace(link, equalizer=InterferenceRejecting())
    air = draw(link, (4, 6), Chance(3))
    symbols = torch.ones(4, 6, dtype=torch.complex64)
    assert torch.isfinite(equalize(superpose(everyone(symbols, link, air), air), link, air).abs()).all()


def test_a_gain_of_zero_is_silence_and_not_a_nan() -> None:
    air = Realization(paths=(torch.zeros(2, 1, 1, dtype=torch.complex64),), noise=draw(Link(), (2, 3), Chance(1)).noise)
    assert torch.count_nonzero(equalize(air.noise, Link(equalizer=ZeroForcing()), air)) == 0


def test_pilots_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="pilots must be at least 1, got 0"):
        NoisyCsi(pilots=0)
