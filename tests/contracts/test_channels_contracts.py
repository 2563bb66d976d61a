"""What every variant of the air promises; naming one in channels/catalog.py is enough to have it tested here."""

from __future__ import annotations

import dataclasses
import itertools
import math
import pickle
from typing import Literal, get_args, get_origin, get_type_hints

import pytest
import torch

from channels import (
    COHERENCE,
    CSI,
    EQUALIZERS,
    FADING,
    INTERFERENCE,
    Chance,
    Coherence,
    Csi,
    Equalizer,
    Fading,
    Interference,
    Link,
    Qam,
    Rayleigh,
    bit_error_rate,
    draw,
    equalize,
    ergodic_capacity,
    everyone,
    outage_probability,
    superpose,
)
from channels.theory import laplace

CATALOGS = {
    "fading": (FADING, Fading),
    "coherence": (COHERENCE, Coherence),
    "interference": (INTERFERENCE, Interference),
    "equalizer": (EQUALIZERS, Equalizer),
    "csi": (CSI, Csi),
}
VARIANTS = [
    pytest.param(variant, id=f"{name}-{variant().kind}")
    for name, (catalog, _) in CATALOGS.items()
    for variant in catalog
]


def each(catalog: tuple[type, ...]) -> list[object]:
    return [pytest.param(variant, id=variant().kind) for variant in catalog]


def symbols(batch: int, length: int) -> torch.Tensor:
    return Qam().draw((batch, length), generator=Chance(1).of("symbols").generator())


@pytest.mark.parametrize("name", CATALOGS)
def test_a_catalog_and_its_annotation_name_the_same_variants(name: str) -> None:
    catalog, annotation = CATALOGS[name]
    assert get_args(annotation) == catalog
    kinds = [variant().kind for variant in catalog]
    assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_a_frozen_value_named_by_its_kind(variant: type) -> None:
    made = variant()
    assert made == variant()
    assert hash(made) == hash(variant())
    assert made.__doc__
    fields = dataclasses.fields(variant)
    assert fields[-1].name == "kind"
    # The scenario parser reads these annotations: they must mean something where the class was written.
    hints = get_type_hints(variant)
    assert get_origin(hints["kind"]) is Literal
    assert get_args(hints["kind"]) == (made.kind,)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.kind = "another"
    assert pickle.loads(pickle.dumps(made)) == made, "workers receive links by pickle of our own making"


@pytest.mark.parametrize("variant", each(FADING))
def test_fading_has_unit_mean_power_and_no_memory(variant: type, assert_mean) -> None:
    def gains(*causes: str | int) -> torch.Tensor:
        drawn: torch.Tensor = variant().draw((100, 2, 500), generator=Chance(2).of(*causes).generator())
        return drawn

    one = gains("fading", 0)
    assert one.shape == (100, 2, 500)
    assert one.dtype == torch.complex64
    assert_mean(one.abs().square(), 1.0)
    assert torch.equal(gains("fading", 0), one)
    centered = one - one.mean()
    assert_mean((centered[:, :, 1:] * centered[:, :, :-1].conj()).real[:, :, ::2], 0.0)


@pytest.mark.parametrize("variant", each(FADING))
def test_fading_has_its_closed_forms(variant: type, assert_mean) -> None:
    power = variant().draw((200_000,), generator=Chance(2).generator()).abs().square().double()
    link = Link(snr_db=5.0, fading=variant())
    snr = 1 / link.noise_power
    assert_mean(torch.exp(-2.0 * power), laplace(link.fading, 2.0))
    assert_mean(torch.special.ndtr(-torch.sqrt(snr * power)), bit_error_rate(link))
    assert_mean(torch.log2(1 + snr * power), ergodic_capacity(link))
    assert_mean((torch.log2(1 + snr * power) < 1.5).double(), outage_probability(link, bits_per_symbol=1.5))


@pytest.mark.parametrize("symbols_sent", [1, 7, 16, 48])
@pytest.mark.parametrize("variant", each(COHERENCE))
def test_coherence_keeps_as_many_gains_as_fit_the_symbols(variant: type, symbols_sent: int) -> None:
    air = draw(Link(fading=Rayleigh(), coherence=variant()), (3, symbols_sent), Chance(3))
    assert symbols_sent % air.gains.shape[3] == 0
    assert 1 <= variant().span(symbols_sent) <= symbols_sent


@pytest.mark.parametrize("variant", each(INTERFERENCE))
def test_interference_has_unit_power_and_its_level_is_in_the_gain(variant: type, assert_mean) -> None:
    # The mean over a sentence: one independent sample each, and what a jammer of half of it puts on the message.
    link = Link(interferers=1, interference=variant(level_db=-20.0))
    air = draw(link, (40_000, 2), Chance(4))
    sent = everyone(symbols(40_000, 2), link, air)
    assert sent.dtype == torch.complex64
    assert_mean(sent[:, 1].abs().square().mean(dim=1), 1.0)
    torch.testing.assert_close(air.gains[:, 1].abs().square(), torch.full_like(air.gains[:, 1].real, 0.01))


@pytest.mark.parametrize("variant", each(INTERFERENCE))
def test_interference_gets_no_gradient(variant: type) -> None:
    link = Link(interferers=2, interference=variant())
    wanted = symbols(4, 6).requires_grad_()
    heard = everyone(wanted, link, draw(link, (4, 6), Chance(4)))
    (grad,) = torch.autograd.grad(heard[:, 1:].abs().sum() + 0 * wanted.real.sum(), wanted)
    assert torch.count_nonzero(grad) == 0


@pytest.mark.parametrize("antennas", [1, 3])
@pytest.mark.parametrize("csi", each(CSI))
@pytest.mark.parametrize("variant", each(EQUALIZERS))
def test_equalizers_agree_where_the_air_is_clear(variant: type, csi: type, antennas: int) -> None:
    link = Link(snr_db=90.0, equalizer=variant(), csi=csi(), antennas=antennas)
    air = draw(link, (4, 6), Chance(5))
    wanted = symbols(4, 6)
    estimate = equalize(superpose(everyone(wanted, link, air), air), link, air)
    torch.testing.assert_close(estimate, wanted, atol=1e-3, rtol=0)


@pytest.mark.parametrize("csi", each(CSI))
@pytest.mark.parametrize("variant", each(EQUALIZERS))
def test_equalizers_are_linear_in_what_was_received(variant: type, csi: type) -> None:
    link = Link(
        snr_db=3.0, fading=Rayleigh(), equalizer=variant(), csi=csi(), interferers=1, interference=Qam(), antennas=2
    )
    air = draw(link, (4, 6), Chance(5))
    one, other = symbols(8, 6).reshape(4, 2, 6), air.noise
    together = equalize(one + 2j * other, link, air)
    torch.testing.assert_close(
        together, equalize(one, link, air) + 2j * equalize(other, link, air), atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize("csi", each(CSI))
def test_csi_knows_a_gain_for_every_gain(csi: type) -> None:
    link = Link(snr_db=3.0, fading=Rayleigh(), csi=csi(), interferers=2, antennas=3)
    air = draw(link, (4, 6), Chance(6))
    known = link.csi.known(air.gains, air.csi_error, amplitudes=link.amplitudes)
    assert known.shape == air.gains.shape
    assert math.isfinite(link.csi.error_power(link.noise_power))


@pytest.mark.parametrize("antennas", [1, 2])
@pytest.mark.parametrize(
    ("fading", "coherence", "interference"),
    [
        pytest.param(*variants, id="-".join(v().kind for v in variants))
        for variants in itertools.product(FADING, COHERENCE, INTERFERENCE)
    ],
)
def test_every_combination_goes_through_with_a_finite_gradient(
    fading: type, coherence: type, interference: type, antennas: int
) -> None:
    for equalizer, csi in itertools.product(EQUALIZERS, CSI):
        link = Link(
            fading=fading(),
            coherence=coherence(),
            interferers=2,
            interference=interference(),
            csi=csi(),
            equalizer=equalizer(),
            antennas=antennas,
        )
        air = draw(link, (4, 18), Chance(7))
        wanted = symbols(4, 18).requires_grad_()
        estimate = equalize(superpose(everyone(wanted, link, air), air), link, air)
        assert estimate.shape == wanted.shape
        estimate.abs().square().sum().backward()
        assert wanted.grad is not None
        assert wanted.grad.isfinite().all()
