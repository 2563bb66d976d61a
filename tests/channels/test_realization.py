"""Chance apart from arithmetic, joins that refuse what does not fit, and an honest record of what arrived."""

from __future__ import annotations

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from channels import (
    Chance,
    Energies,
    Gaussian,
    Link,
    Mmse,
    Nakagami,
    Neighbors,
    NoisyCsi,
    PerBlock,
    PerSymbol,
    Qam,
    Rayleigh,
    Rician,
    complex_gaussian,
    draw,
    equalize,
    everyone,
    mean_sinr_db,
    mean_sir_db,
    measured_powers,
    superpose,
)

CROWD = Link(
    snr_db=6.0,
    fading=Rayleigh(),
    coherence=PerBlock(4),
    interferers=3,
    interference=Gaussian(level_db=-3.0),
    csi=NoisyCsi(),
    antennas=2,
)

# Of a fading crowd; what else a realization holds is None or plain numbers.
TENSORS = ("gains", "noise", "interference", "csi_error")


def test_superposition_is_the_sum_it_says() -> None:
    # Second opinion: the equation in one einsum, with the gains written out symbol by symbol.
    for coherence in (PerBlock(4), PerBlock(5), PerSymbol()):
        air = draw(dataclasses.replace(CROWD, coherence=coherence), (6, 12), Chance(1))
        signals = Qam().draw((6 * 4, 12), generator=Chance(2).generator()).reshape(6, 4, 12)
        gains = air.gains.repeat_interleave(12 // air.gains.shape[3], dim=3)
        expected = torch.einsum("buak,buk->bak", gains, signals) + air.noise
        torch.testing.assert_close(superpose(signals, air), expected)


def test_superposition_has_no_randomness_and_leaves_the_air_alone() -> None:
    air = draw(CROWD, (6, 12), Chance(1))
    noise, gains = air.noise.clone(), air.gains.clone()
    signals = torch.ones(6, 4, 12, dtype=torch.complex64)
    assert torch.equal(superpose(signals, air), superpose(signals, air))
    assert torch.equal(air.noise, noise)
    assert torch.equal(air.gains, gains)


def test_gradients_are_the_gains() -> None:
    air = draw(dataclasses.replace(CROWD, interference=Neighbors(level_db=-3.0)), (6, 12), Chance(1))
    signals = torch.zeros(6, 4, 12, dtype=torch.complex64, requires_grad=True)
    superpose(signals, air).real.sum().backward()
    # d Re(h x) / d Re x - j... : torch's convention gives the conjugate of the gain, summed over antennas.
    expected = air.gains.conj().sum(dim=2).repeat_interleave(4, dim=2)
    torch.testing.assert_close(signals.grad, expected)


def test_the_same_chance_is_the_same_air_bit_for_bit() -> None:
    one, same, other = (draw(CROWD, (6, 12), chance) for chance in (Chance(1), Chance(1), Chance(2)))
    for name in TENSORS:
        assert torch.equal(getattr(one, name), getattr(same, name))
        assert not torch.equal(getattr(one, name), getattr(other, name))


def test_air_moves_as_a_whole() -> None:
    moved = draw(CROWD, (6, 12), Chance(1)).to("meta")
    for name in TENSORS:
        assert getattr(moved, name).device.type == "meta"
    alone = draw(Link(), (6, 12), Chance(1)).to("meta")
    assert alone.interference is None
    assert alone.csi_error is None


@pytest.mark.parametrize("interference", [Neighbors(), Gaussian()], ids=lambda kind: kind.kind)
def test_the_whole_trip_follows_the_device_of_its_inputs(interference: Neighbors | Gaussian) -> None:
    # The meta device computes shapes alone and refuses to meet a CPU tensor, as a GPU would.
    link = dataclasses.replace(CROWD, interference=interference, equalizer=Mmse())
    air = draw(link, (6, 12), Chance(1)).to("meta")
    symbols = torch.empty(6, 12, dtype=torch.complex64, device="meta")
    estimate = equalize(superpose(everyone(symbols, link, air), air), link, air)
    assert estimate.shape == (6, 12)
    assert estimate.device.type == "meta"


def test_interferers_alone_may_fade(assert_mean) -> None:
    link = Link(interferers=1, interference=Gaussian(level_db=-6.0, fading=Rayleigh()), coherence=PerSymbol())
    gains = draw(link, (300, 300), Chance(1)).gains
    assert torch.equal(gains[:, 0], torch.ones_like(gains[:, 0]))
    assert_mean(gains[:, 1].abs().square(), 10**-0.6)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0)])
def test_an_empty_batch_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="shape must be at least one sentence of one symbol, got"):
        draw(Link(), shape, Chance(1))


def test_signals_must_fit_the_air() -> None:
    air = draw(CROWD, (6, 12), Chance(1))
    with pytest.raises(ValueError, match=r"signals must be \(6, 4, 12\) \(batch, users, symbols\).*got \(6, 1, 12\)"):
        superpose(torch.zeros(6, 1, 12, dtype=torch.complex64), air)


def test_symbols_must_fit_the_air() -> None:
    air = draw(CROWD, (6, 12), Chance(1))
    with pytest.raises(ValueError, match=r"symbols must be \(6, 12\) \(batch, symbols\).*got \(5, 12\)"):
        everyone(torch.zeros(5, 12, dtype=torch.complex64), CROWD, air)


def test_received_must_fit_the_air() -> None:
    air = draw(CROWD, (6, 12), Chance(1))
    with pytest.raises(ValueError, match=r"received must be \(6, 2, 12\) .*got \(6, 12\)"):
        equalize(torch.zeros(6, 12, dtype=torch.complex64), CROWD, air)


def test_reals_are_no_symbols() -> None:
    link = Link()
    with pytest.raises(ValueError, match=r"symbols must be complex, got torch\.float32; pair reals with to_symbols"):
        everyone(torch.zeros(6, 12), link, draw(link, (6, 12), Chance(1)))


@pytest.mark.parametrize(("drawn", "sent"), [(Neighbors(), Gaussian()), (Gaussian(), Neighbors())], ids=str)
def test_air_of_another_kind_of_interferers_is_refused(drawn: Neighbors | Gaussian, sent: Neighbors | Gaussian) -> None:
    # What picks neighbors is whole numbers up to 2^50: sent as they are, they would drown everything.
    air = draw(Link(interferers=2, interference=drawn), (6, 12), Chance(1))
    with pytest.raises(ValueError, match=f"must be drawn for interferers of kind {sent.kind}, got air for"):
        everyone(torch.zeros(6, 12, dtype=torch.complex64), Link(interferers=2, interference=sent), air)


def test_a_mask_that_does_not_fit_is_no_measurement() -> None:
    air = draw(Link(), (2, 8), Chance(1))
    with pytest.raises(ValueError, match=r"sent must mark every symbol of \(2, 1, 8\), got \(8,\)"):
        measured_powers(torch.ones(2, 1, 8, dtype=torch.complex64), air, sent=torch.ones(8, dtype=torch.bool))


@pytest.mark.parametrize("changes", [{"interferers": 2}, {"antennas": 1}])
def test_air_of_another_link_is_refused(changes: dict[str, int]) -> None:
    air = draw(CROWD, (6, 12), Chance(1))
    other = dataclasses.replace(CROWD, **changes)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"the air must be drawn for \d users and \d antennas, got air for 4 and 2"):
        everyone(torch.zeros(6, 12, dtype=torch.complex64), other, air)
    with pytest.raises(ValueError, match="draw it for the link that uses it"):
        equalize(air.noise, other, air)


def measure(link: Link, shape: tuple[int, int], batches: int) -> Energies:
    total = Energies()
    for batch in range(batches):
        chance = Chance(9).of("batch", batch)
        air = draw(link, shape, chance)
        symbols = Qam().draw(shape, generator=chance.of("symbols").generator())
        total = total + measured_powers(everyone(symbols, link, air), air)
    return total


@pytest.mark.parametrize("antennas", [1, 3])
@pytest.mark.parametrize("fading", [Rayleigh(), Rician(3.0)], ids=str)
def test_measured_ratios_meet_the_closed_form(fading: Rayleigh | Rician, antennas: int) -> None:
    link = Link(
        snr_db=4.0,
        fading=fading,
        coherence=PerSymbol(),
        interferers=2,
        interference=Qam(level_db=(-3.0, -8.0)),
        antennas=antennas,
    )
    energies = measure(link, (50, 400), batches=5)
    assert energies.symbols == 50 * 400 * 5 * antennas
    # Powers of exponential samples have a standard error of 1/sqrt(symbols); a ratio of two at most twice that.
    tolerance = 5 * 2 * 10 / math.log(10) / math.sqrt(50 * 400 * 5)
    assert energies.snr_db == pytest.approx(4.0, abs=tolerance)
    assert energies.sir_db == pytest.approx(mean_sir_db(link), abs=tolerance)
    assert energies.sinr_db == pytest.approx(mean_sinr_db(link), abs=tolerance)


def test_energies_are_plain_sums() -> None:
    air = draw(CROWD, (6, 12), Chance(1))
    signals = everyone(Qam().draw((6, 12), generator=Chance(2).generator()), CROWD, air)
    energies = measured_powers(signals, air)
    gains = air.gains.repeat_interleave(4, dim=3)
    assert energies.wanted == pytest.approx((gains[:, 0] * signals[:, :1]).abs().square().sum().item(), rel=1e-5)
    overlap = (gains[:, 1:] * signals[:, 1:].unsqueeze(2)).sum(dim=1)
    assert energies.interference == pytest.approx(overlap.abs().square().sum().item(), rel=1e-5)
    assert energies.noise == pytest.approx(air.noise.abs().square().sum().item(), rel=1e-5)
    assert energies.symbols == 6 * 12 * 2


def test_padding_is_not_measured() -> None:
    link = Link(interferers=1, interference=Gaussian())
    air = draw(link, (2, 8), Chance(1))
    sent = torch.arange(8) < torch.tensor([[8], [3]])
    symbols = torch.ones(2, 8, dtype=torch.complex64) * sent
    energies = measured_powers(everyone(symbols, link, air), air, sent=sent)
    assert energies.symbols == 11
    assert energies.wanted == pytest.approx(11.0)
    assert energies.noise == pytest.approx(air.noise[sent.unsqueeze(1)].abs().square().sum().item(), rel=1e-5)


def test_nothing_measured_has_no_ratio() -> None:
    assert math.isnan(Energies().snr_db)
    assert math.isnan(Energies().sinr_db)
    assert Energies().sir_db == math.inf


def test_users_that_do_not_fade_are_numbers_and_give_the_same_sum() -> None:
    """Steady gains go through superpose as numbers; as tensors they must give the same."""
    link = Link(snr_db=3.0, interferers=2, interference=Gaussian(level_db=(-3.0, 2.0)), antennas=2)
    air = draw(link, (6, 12), Chance(1))
    assert air.paths == link.amplitudes
    written_out = dataclasses.replace(air, paths=tuple(torch.full((6, 2, 1), a + 0j) for a in link.amplitudes))
    assert torch.equal(air.gains, written_out.gains)
    signals = everyone(torch.ones(6, 12, dtype=torch.complex64), link, air)
    torch.testing.assert_close(superpose(signals, air), superpose(signals, written_out))


def test_gains_are_the_paths_side_by_side() -> None:
    air = draw(CROWD, (6, 12), Chance(1))
    assert air.gains.shape == (6, 4, 2, 3)
    for user, path in enumerate(air.paths):
        assert torch.equal(air.gains[:, user], torch.as_tensor(path))


def test_nothing_passes_from_one_draw_to_another() -> None:
    # All draws of a thread share one generator. Whatever a draw left in it, the next one finds none of it.
    alone = draw(CROWD, (6, 12), Chance(1))
    draw(Link(fading=Nakagami()), (3, 5), Chance(2))
    again = draw(CROWD, (6, 12), Chance(1))
    for name in TENSORS:
        assert torch.equal(getattr(alone, name), getattr(again, name))


def test_a_draw_leaves_the_generators_of_others_alone() -> None:
    held, expected = Chance(1).of("noise").generator(), Chance(1).of("noise").generator()
    draw(CROWD, (6, 12), Chance(1))
    assert torch.equal(torch.rand(8, generator=held), torch.rand(8, generator=expected))


def test_threads_that_draw_at_once_meet_the_air_they_asked_for() -> None:
    # Large enough that torch lets go of the interpreter in the midst of a stream: one generator for both threads fails.
    link = dataclasses.replace(CROWD, coherence=PerSymbol())
    seeds = [1, 2, 3, 4] * 5
    with ThreadPoolExecutor(4) as threads:
        drawn = list(threads.map(lambda seed: draw(link, (40, 250), Chance(seed)), seeds))
    for seed, air in zip(seeds, drawn, strict=True):
        alone = draw(link, (40, 250), Chance(seed))
        for name in TENSORS:
            assert torch.equal(getattr(air, name), getattr(alone, name))


def test_gains_first_asked_for_without_gradients_serve_a_training_after_it() -> None:
    link, symbols = Link(antennas=3), torch.ones(5, 7, dtype=torch.complex64, requires_grad=True)
    with torch.inference_mode():
        assert draw(link, (5, 7), Chance(1)).gains.shape == (5, 1, 3, 1)
    air = draw(link, (5, 7), Chance(1))
    (air.gains[:, 0] * symbols.unsqueeze(1)).abs().sum().backward()
    assert symbols.grad is not None


def test_every_stream_is_named_after_its_cause() -> None:
    # Written out stream by stream, each with a generator of its own.
    air, chance, each = draw(CROWD, (6, 12), Chance(1)), Chance(1), (6, 2, 3)
    streams = {cause: [chance.of(cause, user).generator() for user in range(4)] for cause in ("fading", "csi")}
    # The noise's stream goes on with the wanted user's gains.
    streams["fading"][0] = chance.of("noise").generator()
    noise = complex_gaussian((6, 2, 12), power=CROWD.noise_power, generator=streams["fading"][0])
    assert torch.equal(air.noise, noise)
    for user, (gain, error) in enumerate(zip(streams["fading"], streams["csi"], strict=True)):
        expected = complex_gaussian(each, generator=gain) * CROWD.amplitudes[user]
        assert torch.equal(air.gains[:, user], expected)
        power = CROWD.noise_power / NoisyCsi().pilots
        assert air.csi_error is not None
        assert torch.equal(air.csi_error[:, user], complex_gaussian(each, power=power, generator=error))
    for user in (1, 2, 3):
        sent = complex_gaussian((6, 12), generator=chance.of("interference", user).generator())
        assert air.interference is not None
        assert torch.equal(air.interference[:, user - 1], sent)
