"""The rules of the physics, each with a closed form that falls when the rule is broken.

Checked by breaking the code on purpose, one line at a time. Break -> tests that fall, without their `test_`, the most
telling first; those of other files of this folder with the file's name. Run the exercise again when the air changes.

- noise power grows with the users -> a_silent_network_gives_exactly_the_receivers_noise and 7 more
- noise added again for each user -> a_silent_network_gives_exactly_the_receivers_noise and 12 more
- Rician power doubled -> fading: rician_shares_its_power_in_the_ratio_k and 7 more
- factor two missing in the complex Gaussian -> a_silent_network_gives_exactly_the_receivers_noise and 23 more
- factor two missing in the noise alone -> qpsk_over_awgn and 12 more
- padding counted in the power -> power: power_is_one_whatever_scale_and_padding
- padding sent -> power: whatever_stands_in_the_padding_is_not_heard, power: power_is_one_whatever_scale_and_padding
- power normalized over the batch -> power: every_sentence_is_normalized_by_itself
- no floor under silence -> power: silence_stays_silent_with_a_finite_gradient, a_silent_codec_gets_a_finite_gradient
- SNR measured from the batch -> a_loud_sentence_leaves_its_batch_alone and 4 more
- level as the total of all interferers -> interfering_power_is_the_sum_of_the_levels and 7 more
- level counted twice (power as amplitude) -> interfering_power_is_the_sum_of_the_levels and 10 more
- every interferer at the first level -> link: a_tuple_gives_each_interferer_its_own_level and 2 more
- decibels of amplitude -> link: the_default_is_a_single_user_at_twelve_decibels and 22 more
- a sentence may be its own interferer -> nobody_is_their_own_interferer and 4 more
- two neighbors may be the same sentence -> interference: neighbors_are_distinct_others_of_the_batch and 2 more
- a neighbor's slot depends on how many there are -> interference: one_more_neighbor_moves_nobody and 2 more
- gradient flows to the neighbors -> interference: no_gradient_reaches_the_neighbors and 1 more
- one fading stream for all users -> users_fade_independently_of_each_other_and_of_the_antenna and 4 more
- one sending stream for all interferers -> interferers_send_independently_of_each_other and 6 more
- the wanted user's gains drawn from the noise's beginning -> noise_gains_and_interference_are_independent and 18 more
- the wanted user's gains drawn before the noise -> other_fading_of_the_wanted_user_leaves_the_noise_and_the_interferers
- one generator for the whole draw, gains first -> one_more_user_changes_neither_the_others_nor_the_noise
- the batch's name forgotten (seed reuse) -> chance: another_cause_gives_other_numbers, new_batches_meet_new_air
- torch's global generator -> teacher_and_student_meet_the_same_air_whatever_happened_before and 9 more
- interferers arrive with the wanted user's gain -> noise_gains_and_interference_are_independent and 6 more
- one gain for the whole batch -> coherence: sentences_do_not_share_gains and 16 more
- one noise for all antennas -> error_rates_with_several_antennas
- one gain for all antennas -> users_fade_independently_of_each_other_and_of_the_antenna and 3 more
- MMSE ignores interference -> receiver: mmse_error_is_the_closed_form_without_fading and 2 more
- MMSE ignores noise -> receiver: mmse_error_is_the_closed_form_without_fading and 3 more
- rejection ignores the interferers -> receiver: rejection_silences_a_loud_interferer and 3 more
- one-antenna rejection forgets the others -> receiver: rejection_with_one_antenna_is_the_mmse_of_the_moment and 1 more
- gain not conjugated -> receiver: zero_forcing_undoes_the_gain_exactly and 8 more
- equal gain instead of maximum ratio -> receiver: array_gain_multiplies_the_mean_snr_by_the_antennas and 6 more
- pilots not counted in the estimate's error -> receiver: an_estimate_is_wrong_by_the_noise_over_the_pilots and 1 more
- estimates without error -> receiver: an_estimate_is_wrong_by_the_noise_over_the_pilots and 1 more
- no CSI knows the gains after all -> receiver: without_csi_rayleigh_phases_are_guesswork
- Nakagami power not divided by m -> fading: nakagami_power_varies_by_one_over_m and 6 more
- Nakagami power taken for amplitude -> fading: nakagami_of_one_is_rayleigh and 7 more
- a random phase that is always the same -> error_rates_among_qpsk_at_any_phase and 12 more
- strata dealt alike to all users -> stratified: users_antennas_and_blocks_of_a_sentence_stay_independent and 12 more
- strata over all gains of a batch at once -> stratified: the_mean_of_a_batch_strays_as_little_as_computed and 17 more
- QAM of corner power one -> interference: qam_is_a_square_grid_of_unit_mean_power and 1 more
- bursts no louder for being rare -> interference: bursts_are_on_for_their_share_of_the_time and 2 more
- blocks of the wrong length -> coherence: blocks_share_a_gain_and_neighboring_blocks_do_not and 5 more
- measured noise counts padding -> realization: padding_is_not_measured
- closed-form SINR forgets the noise -> link: level_is_per_interferer_so_a_crowd_gets_louder and 2 more
"""

from __future__ import annotations

import dataclasses

import pytest
import torch

from channels import (
    Bursts,
    Chance,
    Coherence,
    Fading,
    Gaussian,
    Interference,
    Link,
    Nakagami,
    Neighbors,
    NoFading,
    NoisyCsi,
    PerBlock,
    PerSentence,
    PerSymbol,
    Qam,
    RandomPhase,
    Rayleigh,
    Realization,
    Rician,
    Tone,
    ZeroForcing,
    bit_error_rate,
    db_to_ratio,
    draw,
    equalize,
    ergodic_capacity,
    everyone,
    mean_sinr_db,
    normalize_power,
    outage_probability,
    superpose,
)

KINDS: list[Interference] = [Neighbors(), Qam(), Gaussian(), Tone(), Bursts()]
FADINGS: list[Fading] = [NoFading(), RandomPhase(), Rayleigh(), Rician(3.0), Nakagami(0.7)]


# Noise belongs to the receiver.


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 17.0])
@pytest.mark.parametrize("interferers", [0, 1, 5])
def test_a_silent_network_gives_exactly_the_receivers_noise(interferers: int, snr_db: float, assert_mean) -> None:
    link = Link(snr_db=snr_db, fading=Rayleigh(), interferers=interferers, antennas=2)
    air = draw(link, (60, 500), Chance(1))
    silence = torch.zeros(60, 500, dtype=torch.complex64)
    heard = superpose(everyone(silence, link, air), air)
    assert torch.equal(heard, air.noise)
    assert_mean(heard.abs().square() * 10 ** (snr_db / 10), 1.0)


@pytest.mark.parametrize("interference", KINDS, ids=lambda kind: kind.kind)
def test_one_more_user_changes_neither_the_others_nor_the_noise(interference: Interference) -> None:
    link = Link(fading=Rician(), coherence=PerBlock(5), interference=interference, csi=NoisyCsi(), antennas=2)
    few, many = (draw(dataclasses.replace(link, interferers=count), (8, 20), Chance(1)) for count in (2, 5))
    assert torch.equal(many.noise, few.noise)
    assert torch.equal(many.gains[:, :3], few.gains)
    assert torch.equal(many.csi_error[:, :3], few.csi_error)  # type: ignore[index,arg-type]
    assert torch.equal(many.interference[:, :2], few.interference)  # type: ignore[index,arg-type]


@pytest.mark.parametrize("coherence", [PerSymbol(), PerBlock(2), PerBlock(3), PerSentence()], ids=str)
@pytest.mark.parametrize("theirs", [NoFading(), Rayleigh()], ids=str)
def test_a_first_interferer_leaves_the_estimate_of_an_unfaded_user_alone(theirs: Fading, coherence: Coherence) -> None:
    """What an estimate is wrong by lasts as long as the coherence says, whether anybody fades or not."""
    others = Gaussian(fading=theirs)
    link = Link(snr_db=6.0, coherence=coherence, csi=NoisyCsi(), interference=others, antennas=2)
    alone, disturbed = (draw(dataclasses.replace(link, interferers=count), (8, 20), Chance(1)) for count in (0, 1))
    assert alone.csi_error is not None and disturbed.csi_error is not None
    assert torch.equal(disturbed.csi_error[:, :1], alone.csi_error)
    assert torch.equal(disturbed.noise, alone.noise)


def test_another_snr_only_scales_the_noise() -> None:
    link = Link(snr_db=0.0, fading=Nakagami(), interferers=2, csi=NoisyCsi(), coherence=PerSymbol())
    loud, quiet = (draw(dataclasses.replace(link, snr_db=snr_db), (8, 20), Chance(1)) for snr_db in (0.0, 20.0))
    torch.testing.assert_close(quiet.noise, loud.noise / 10)
    torch.testing.assert_close(quiet.csi_error, loud.csi_error / 10)  # type: ignore[operator]
    assert torch.equal(quiet.gains, loud.gains)
    assert torch.equal(quiet.interference, loud.interference)  # type: ignore[arg-type]


def test_another_level_only_scales_that_interferer() -> None:
    link = Link(fading=Rayleigh(), interferers=2, interference=Gaussian(level_db=(0.0, 0.0)))
    louder = dataclasses.replace(link, interference=Gaussian(level_db=(0.0, 20.0)))
    one, other = (draw(each, (8, 20), Chance(1)) for each in (link, louder))
    assert torch.equal(other.gains[:, :2], one.gains[:, :2])
    torch.testing.assert_close(other.gains[:, 2], 10 * one.gains[:, 2])
    assert torch.equal(other.noise, one.noise)


@pytest.mark.parametrize(
    "changes", [{"fading": NoFading()}, {"fading": Nakagami()}, {"coherence": PerSymbol()}], ids=str
)
def test_other_fading_of_the_wanted_user_leaves_the_noise_and_the_interferers(changes: dict[str, object]) -> None:
    # It shares the noise's stream, and therefore comes after the noise.
    link = Link(fading=Rayleigh(), interferers=2, interference=Gaussian())
    one, other = (draw(each, (8, 20), Chance(1)) for each in (link, dataclasses.replace(link, **changes)))
    assert torch.equal(other.noise, one.noise)
    assert torch.equal(other.interference, one.interference)  # type: ignore[arg-type]


# SNR is a property of the link, never of a batch.


def test_how_loud_a_batch_is_changes_nothing_in_the_air(qpsk) -> None:
    link = Link(snr_db=3.0, fading=Rayleigh())
    air = draw(link, (8, 20), Chance(1))
    symbols = qpsk(8, 20)
    arrived = superpose(everyone(symbols, link, air), air) - air.noise
    shouted = superpose(everyone(7 * symbols, link, air), air) - air.noise
    torch.testing.assert_close(shouted, 7 * arrived, atol=1e-5, rtol=1e-5)


def test_a_loud_sentence_leaves_its_batch_alone(qpsk) -> None:
    link = Link(snr_db=3.0, fading=Rayleigh())
    air = draw(link, (8, 20), Chance(1))
    symbols = qpsk(8, 20)
    before = superpose(everyone(symbols, link, air), air)
    symbols[0] *= 100
    assert torch.equal(superpose(everyone(symbols, link, air), air)[1:], before[1:])


@pytest.mark.parametrize("fading", FADINGS, ids=str)
@pytest.mark.parametrize("snr_db", [0.0, 10.0])
def test_snr_is_mean_received_power_over_noise_power(fading: Fading, snr_db: float, qpsk, assert_mean) -> None:
    link = Link(snr_db=snr_db, fading=fading, coherence=PerSymbol(), antennas=2)
    air = draw(link, (100, 500), Chance(2))
    signals = everyone(qpsk(100, 500), link, air)
    wanted = superpose(signals, dataclasses.replace(air, noise=torch.zeros_like(air.noise)))
    assert_mean(wanted.abs().square(), 1.0)
    assert_mean(air.noise.abs().square() * 10 ** (snr_db / 10), 1.0)


# Error rates against closed forms.


@pytest.mark.parametrize("snr_db", [0.0, 4.0, 8.0])
def test_qpsk_over_awgn(snr_db: float, bit_errors, assert_mean) -> None:
    link = Link(snr_db=snr_db)
    assert_mean(bit_errors(link), bit_error_rate(link))


@pytest.mark.parametrize("order", [2, 4, 16])
@pytest.mark.parametrize("fading", FADINGS, ids=str)
def test_error_rates_under_fading(fading: Fading, order: int, bit_errors, assert_mean) -> None:
    link = Link(snr_db=7.0, fading=fading, coherence=PerSymbol(), equalizer=ZeroForcing())
    assert_mean(bit_errors(link, order=order), bit_error_rate(link, order=order))


def test_error_rates_of_slow_fading_are_the_same_with_less_evidence(bit_errors, assert_mean) -> None:
    link = Link(snr_db=7.0, fading=Rayleigh())
    # One sample a sentence: the symbols of a sentence share their fade.
    assert_mean(bit_errors(link, shape=(20_000, 10)).mean(dim=1), bit_error_rate(link))


@pytest.mark.parametrize("antennas", [2, 4])
def test_error_rates_with_several_antennas(antennas: int, bit_errors, assert_mean) -> None:
    link = Link(snr_db=3.0, fading=Rayleigh(), coherence=PerSymbol(), antennas=antennas)
    assert_mean(bit_errors(link, order=2), bit_error_rate(link, order=2))
    assert_mean(bit_errors(link, order=4), bit_error_rate(link, order=4))


@pytest.mark.parametrize("interferers", [1, 2, 4])
@pytest.mark.parametrize("fading", [NoFading(), Rayleigh()], ids=str)
def test_error_rates_among_gaussian_interferers(fading: Fading, interferers: int, bit_errors, assert_mean) -> None:
    link = Link(
        snr_db=9.0,
        fading=fading,
        coherence=PerSymbol(),
        interferers=interferers,
        interference=Gaussian(level_db=-7.0),
    )
    assert_mean(bit_errors(link), bit_error_rate(link))


@pytest.mark.parametrize("order", [4, 16])
def test_error_rates_among_qam_interferers_are_not_those_of_noise(order: int, bit_errors, assert_mean) -> None:
    link = Link(snr_db=9.0, interferers=2, interference=Qam(order=order, level_db=(-6.0, -9.0)))
    assert_mean(bit_errors(link), bit_error_rate(link))
    as_noise = bit_error_rate(dataclasses.replace(link, interference=Gaussian(level_db=(-6.0, -9.0))))
    with pytest.raises(AssertionError):
        assert_mean(bit_errors(link), as_noise)


@pytest.mark.parametrize("level_db", [-9.0, -3.0, 0.0])
@pytest.mark.parametrize("fading", [NoFading(), RandomPhase()], ids=str)
def test_error_rates_among_qpsk_at_any_phase(fading: Fading, level_db: float, bit_errors, assert_mean) -> None:
    """The other's part on one axis is sqrt(p) cos(t), t uniform: P = E Q((1/sqrt(2) + sqrt(p) cos t) sqrt(2 snr))."""
    link = Link(snr_db=9.0, fading=fading, coherence=PerSymbol(), interferers=1, equalizer=ZeroForcing())
    link = dataclasses.replace(link, interference=Qam(level_db=level_db, fading=RandomPhase()))
    deviation = (db_to_ratio(-9.0) / 2) ** 0.5
    t = torch.linspace(0, 2 * torch.pi, 4097, dtype=torch.float64)[:-1]
    axis = 0.5**0.5 + db_to_ratio(level_db) ** 0.5 * t.cos()
    any_phase = float(torch.special.ndtr(-axis / deviation).mean())
    errors = bit_errors(link)
    assert_mean(errors, any_phase)
    in_phase = bit_error_rate(dataclasses.replace(link, fading=NoFading(), interference=Qam(level_db=level_db)))
    with pytest.raises(AssertionError):
        assert_mean(errors, in_phase)


@pytest.mark.parametrize("level_db", [-12.0, -6.0, 0.0, 3.0])
def test_a_random_phase_leaves_the_mean_sinr_and_gaussian_interference_as_they_are(level_db: float) -> None:
    steady, turned = (
        Link(snr_db=7.0, interferers=3, interference=Gaussian(level_db=level_db, fading=fading))
        for fading in (NoFading(), RandomPhase())
    )
    assert mean_sinr_db(turned) == mean_sinr_db(steady)
    assert bit_error_rate(turned) == bit_error_rate(steady)
    assert ergodic_capacity(turned) == ergodic_capacity(steady)
    both = dataclasses.replace(turned, fading=RandomPhase())
    assert bit_error_rate(both) == bit_error_rate(steady)
    assert outage_probability(both, bits_per_symbol=0.5) == outage_probability(steady, bits_per_symbol=0.5)


@pytest.mark.parametrize("interferers", [1, 2, 5])
def test_equal_signals_in_phase_add_as_amplitudes_and_at_any_phase_as_powers(interferers: int, assert_mean) -> None:
    same = torch.ones(20_000, 1 + interferers, 1, dtype=torch.complex64)
    for fading, power in ((NoFading(), (1 + interferers) ** 2.0), (RandomPhase(), 1.0 + interferers)):
        link = Link(interferers=interferers, interference=Gaussian(fading=fading))
        air = draw(link, (20_000, 1), Chance(9))
        assert_mean(superpose(same, dataclasses.replace(air, noise=torch.zeros_like(air.noise))).abs().square(), power)


def test_zero_interferers_is_the_single_user_link(qpsk) -> None:
    heard = []
    for interference in KINDS:
        link = Link(fading=Rayleigh(), interferers=0, interference=interference)
        air = draw(link, (4, 30), Chance(5))
        heard.append(superpose(everyone(qpsk(4, 30), link, air), air))
    assert all(torch.equal(each, heard[0]) for each in heard)


# Interference: level per interferer, each user on its own.


@pytest.mark.parametrize("interference", KINDS, ids=lambda kind: kind.kind)
@pytest.mark.parametrize("fading", FADINGS, ids=str)
def test_interfering_power_is_the_sum_of_the_levels(
    interference: Interference, fading: Fading, qpsk, assert_mean
) -> None:
    levels = (3.0, -3.0, -3.0)
    link = Link(
        fading=fading,
        coherence=PerSymbol(),
        interferers=3,
        interference=dataclasses.replace(interference, level_db=levels),
    )
    # Two symbols a sentence and only the first one counted: bursts and tones give one independent sample each.
    air = draw(link, (40_000, 2), Chance(6))
    signals = everyone(qpsk(40_000, 2), link, air)
    signals[:, 0] = 0
    silent = dataclasses.replace(air, noise=torch.zeros_like(air.noise))
    heard = superpose(signals, silent)[:, 0, 0]
    assert_mean(heard.abs().square(), 10**0.3 + 2 * 10**-0.3)


@pytest.mark.parametrize("fading", FADINGS[1:], ids=str)
def test_users_fade_independently_of_each_other_and_of_the_antenna(fading: Fading, assert_mean) -> None:
    link = Link(fading=fading, coherence=PerSymbol(), interferers=2, antennas=2)
    gains = draw(link, (100, 400), Chance(7)).gains
    gains = gains - gains.mean(dim=(0, 3), keepdim=True)
    streams = gains.permute(1, 2, 0, 3).flatten(0, 1)
    for one in range(6):
        for other in range(one):
            product = streams[one] * streams[other].conj()
            assert_mean(product.real, 0.0)
            assert_mean(product.imag, 0.0)


@pytest.mark.parametrize("interference", KINDS[1:], ids=lambda kind: kind.kind)
def test_interferers_send_independently_of_each_other(interference: Interference, assert_mean) -> None:
    link = Link(interferers=2, interference=interference)
    sent = draw(link, (20_000, 2), Chance(7)).interference
    assert sent is not None
    assert_mean((sent[:, 0, 0] * sent[:, 1, 0].conj()).real, 0.0)


@pytest.mark.parametrize("interferers", [1, 3, 7])
def test_nobody_is_their_own_interferer(interferers: int) -> None:
    link = Link(interferers=interferers)
    for batch in range(20):
        air = draw(link, (8, 3), Chance(8).of("batch", batch))
        owners = torch.arange(8.0).unsqueeze(1).expand(8, 3).to(torch.complex64)
        heard = everyone(owners, link, air).real
        assert (heard[:, 1:] != heard[:, :1]).all()


# Chance apart from arithmetic.


def test_new_batches_meet_new_air(assert_mean) -> None:
    link = Link(snr_db=0.0, fading=Rayleigh(), coherence=PerSymbol(), interferers=1, interference=Gaussian())
    one, other = (draw(link, (100, 300), Chance(9).of("batch", batch)) for batch in (0, 1))
    for mine, theirs in ((one.noise, other.noise), (one.gains, other.gains), (one.interference, other.interference)):
        assert mine is not None
        assert theirs is not None
        assert_mean((mine * theirs.conj()).real, 0.0)


def test_noise_gains_and_interference_are_independent(assert_mean) -> None:
    link = Link(snr_db=0.0, fading=Rayleigh(), coherence=PerSymbol(), interferers=1, interference=Gaussian())
    air = draw(link, (100, 300), Chance(9))
    assert air.interference is not None
    parts = [air.noise[:, 0], air.gains[:, 0, 0], air.gains[:, 1, 0], air.interference[:, 0]]
    for i, one in enumerate(parts):
        for other in parts[:i]:
            assert_mean((one * other.conj()).real, 0.0)


def test_teacher_and_student_meet_the_same_air_whatever_happened_before(qpsk) -> None:
    link = Link(fading=Rayleigh(), interferers=3, csi=NoisyCsi())

    def heard() -> torch.Tensor:
        air = draw(link, (8, 20), Chance(10).of("batch", 4))
        return superpose(everyone(qpsk(8, 20), link, air), air)

    before = torch.get_rng_state()
    first = heard()
    assert torch.equal(torch.get_rng_state(), before), "the air must leave torch's global generator alone"
    torch.manual_seed(123)
    torch.rand(5)
    assert torch.equal(heard(), first)


# Gradients.


def test_gradients_flow_through_the_whole_trip(qpsk) -> None:
    link = Link(fading=Rayleigh(), interferers=2, antennas=2, coherence=PerBlock(5), csi=NoisyCsi())
    air = draw(link, (6, 20), Chance(13))
    reals = qpsk(6, 20).mul(3).requires_grad_()
    estimate = equalize(superpose(everyone(normalize_power(reals), link, air), air), link, air)
    estimate.abs().square().sum().backward()
    assert reals.grad is not None
    assert reals.grad.isfinite().all()
    assert (reals.grad.abs() > 0).all()


def test_a_silent_codec_gets_a_finite_gradient() -> None:
    link = Link(fading=Rayleigh(), interferers=2)
    air: Realization = draw(link, (6, 20), Chance(13))
    symbols = torch.zeros(6, 20, dtype=torch.complex64, requires_grad=True)
    equalize(superpose(everyone(normalize_power(symbols), link, air), air), link, air).real.sum().backward()
    assert symbols.grad is not None
    assert symbols.grad.isfinite().all()
