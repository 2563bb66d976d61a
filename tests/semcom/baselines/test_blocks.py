"""Blocks on the air: as good as Sionna's own, as theory says without a code, and as large as the symbols allow."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest
import torch
from torch import Tensor

from channels import Chance, Link, arrive, draw, superpose
from channels.theory import bit_error_rate
from semcom.baselines.blocks import Block, block_of
from semcom.baselines.ldpc import HOPELESS, checksum, information, ldpc
from semcom.baselines.mapping import levels, to_ratios, to_symbols
from semcom.baselines.separate_spec import BITS_OF, SeparateSpec
from semcom.models.likelihoods import per_symbol

SIGMAS = 5.0


def heard(coded: Tensor, bits_per_symbol: int, snr_db: float, chance: Chance) -> Tensor:
    """Ratios of coded bits after our own link."""
    symbols, link = to_symbols(coded, bits_per_symbol), Link(snr_db=snr_db)
    air = draw(link, tuple(symbols.shape), chance)
    arrived = arrive(superpose(symbols[:, None], air), link, air)
    gain, noise = (per_symbol(each, arrived) for each in (arrived.gain, arrived.noise_power))
    return to_ratios(arrived.symbols, gain, noise, bits_per_symbol)


def bits_of(shape: tuple[int, int], name: str) -> Tensor:
    return torch.randint(0, 2, shape, generator=Chance(5).of(name).generator()).float()


def test_blocks_fail_as_often_as_sionnas_own() -> None:
    """An independent chain: Sionna's mapper and demapper, torch's noise, its decoder without our early ends."""
    k, symbols, snr_db, count = 152, 116, 3.0, 400
    block = Block(bits=k, crc=16, symbols=symbols, bits_per_symbol=2, code="ldpc")
    payload = bits_of((count, k - 16), "payload")
    found, believed = block.decode(heard(block.encode(payload), 2, snr_db, Chance(6)), 20)
    ours = (found != payload).any(dim=1).double().mean().item()
    assert (found == payload).all(dim=1)[believed].all(), "one in 65,000 wrong ones is believed"

    with torch.random.fork_rng(devices=[]):
        from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder
        from sionna.phy.mapping import Demapper, Mapper

        torch.default_generator.manual_seed(1)
        encoder, noise = LDPC5GEncoder(k, 2 * symbols, device="cpu"), torch.tensor(10 ** (-snr_db / 10))
        bits = torch.randint(0, 2, (count, k)).float()
        sent = Mapper("qam", 2, device="cpu")(encoder(bits))
        ratios = Demapper("app", "qam", 2, device="cpu")(sent + noise.sqrt() * torch.randn_like(sent), noise)
        guessed = LDPC5GDecoder(encoder, num_iter=20, device="cpu")(ratios)
    theirs = (guessed != bits).any(dim=1).double().mean().item()
    spread = math.sqrt((ours * (1 - ours) + theirs * (1 - theirs)) / count)
    assert 0.05 < theirs < 0.6, "a point on the slope, where a decibel would show"
    assert abs(ours - theirs) < SIGMAS * spread


@pytest.mark.parametrize(("order", "snr_db"), [(4, 4.0), (16, 10.0), (64, 16.0)])
def test_uncoded_bits_fail_as_theory_says(order: int, snr_db: float) -> None:
    bits_per_symbol = order.bit_length() - 1
    bits = bits_of((100, 60 * bits_per_symbol), "uncoded")
    ratios = heard(bits, bits_per_symbol, snr_db, Chance(7))
    expected = bit_error_rate(Link(snr_db=snr_db), order=order)
    spread = math.sqrt(expected * (1 - expected) * 2 / bits.numel())  # bits of one symbol fail together a little
    assert ((ratios > 0) != (bits > 0)).double().mean().item() == pytest.approx(expected, abs=SIGMAS * spread)


@pytest.mark.parametrize("bits", [2, 4, 6, 8])
def test_points_are_those_of_5g_at_unit_power(bits: int) -> None:
    labels = (torch.arange(2**bits)[:, None] >> torch.arange(bits - 1, -1, -1) & 1).float()
    points = to_symbols(labels, bits)[:, 0]
    assert points.abs().square().mean().item() == pytest.approx(1.0, rel=1e-6)
    assert len(set(points.tolist())) == 2**bits
    # Neighbors differ in one bit.
    order = levels(bits // 2).argsort()
    assert all(bin(one ^ other).count("1") == 1 for one, other in zip(order.tolist(), order.tolist()[1:], strict=False))
    if bits == 4:  # TS 38.211, section 5.1.4: (1 - 2 b0) (2 - (1 - 2 b2))
        assert (points[0b0010] * math.sqrt(10)).item() == pytest.approx(3 + 1j, rel=1e-6)


def test_repeated_bits_are_heard_together() -> None:
    """Four times the symbols without a code are four times the energy of a bit: 6 dB."""
    payload = bits_of((200, 64), "repeated")
    rates = []
    for times, snr_db in ((1, 4.0), (4, 4.0 - 10 * math.log10(4))):
        block = Block(bits=64, crc=0, symbols=32 * times, bits_per_symbol=2, code="none")
        found, believed = block.decode(heard(block.encode(payload), 2, snr_db, Chance(8).of(times)), 1)
        assert believed.all()
        rates.append((found != payload).double().mean().item())
    expected = bit_error_rate(Link(snr_db=4.0), order=4)
    assert rates == pytest.approx([expected] * 2, abs=SIGMAS * math.sqrt(expected / payload.numel()))


def test_low_rates_repeat_what_the_code_gives() -> None:
    payload = bits_of((40, 24), "low")
    block = Block(bits=40, crc=16, symbols=400, bits_per_symbol=2, code="ldpc")
    found, believed = block.decode(heard(block.encode(payload), 2, -8.0, Chance(9)), 20)
    assert believed.double().mean() > 0.5 and (found == payload).all(dim=1)[believed].all()


def test_the_lowest_order_that_protects_well_is_taken() -> None:
    def chosen(payload: int, **changes: object) -> tuple[int, str | None]:
        block = block_of(SeparateSpec(crc=0, **changes), payload, symbols=100)  # type: ignore[arg-type]
        assert payload <= block.bits < 1.035 * payload + 8 and block.bits % 8 == 0
        return block.bits_per_symbol, block.code

    assert chosen(128) == (2, "ldpc") and chosen(144) == (4, "ldpc") and chosen(400) == (6, "ldpc")
    assert chosen(720) == (8, "ldpc"), "at the highest order up to the highest rate"
    assert chosen(800) == (8, None), "no bit is protected"
    assert chosen(800, modulation="qpsk") == (2, None) and chosen(184, modulation="qpsk") == (2, "ldpc")
    assert chosen(200, code="none") == (2, "none") and chosen(208, code="none") == (4, "none")
    assert set(BITS_OF.values()) == {2, 4, 6, 8}


def test_what_does_not_fit_is_not_believed() -> None:
    block = block_of(SeparateSpec(), 900, symbols=100)
    payload = bits_of((3, block.bits - block.crc), "too many")
    found, believed = block.decode(heard(block.encode(payload), block.bits_per_symbol, 60.0, Chance(9)), 20)
    assert not believed.any() and (found[:, :800] == payload[:, :800]).all(), "its beginning was sent all the same"


def test_nobody_succeeds_who_is_given_up() -> None:
    """With so little heard of a block even all iterations would not find it."""
    code, payload = ldpc(152, 232, 2), bits_of((300, 136), "hopeless")
    bits = checksum(16, 136)(payload)
    ratios = heard(code.encode(bits), 2, 1.5, Chance(10))
    poor = information(ratios) < HOPELESS * 152
    assert poor.double().mean() > 0.1, "or nothing is tested"

    def passes(found: Tensor) -> Tensor:
        return (checksum(16, 136)(found[:, :136]) == found).all(dim=1)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("semcom.baselines.ldpc.HOPELESS", 0.0)
        tried = code.decode(ratios, 20, passes)
    assert not (tried == bits).all(dim=1)[poor].any()


@pytest.mark.parametrize("snr_db", [-3.0, 4.0])
def test_what_is_heard_of_bits_is_what_a_channel_carries(snr_db: float) -> None:
    """Of binary points over Gaussian noise, by numerical integration."""
    ratios = heard(bits_of((50, 2000), "information"), 2, snr_db, Chance(11))
    deviation = math.sqrt(10 ** (-snr_db / 10) / 2)
    at = torch.linspace(-8, 8, 20001, dtype=torch.double) * deviation + math.sqrt(0.5)
    density = torch.exp(-((at - math.sqrt(0.5)) ** 2) / (2 * deviation**2)) / (deviation * math.sqrt(2 * math.pi))
    said = 1 - torch.log2(1 + torch.exp(-2 * at * math.sqrt(0.5) / deviation**2))
    expected = torch.trapezoid(density * said, at).item()
    each = information(ratios) / 2000
    assert each.mean().item() == pytest.approx(expected, abs=SIGMAS * each.std().item() / math.sqrt(50))


def test_a_checksum_misses_as_few_as_it_should() -> None:
    bits = checksum(6, 40)(bits_of((4000, 40), "checked"))
    broken = (bits + bits_of((4000, 46), "flips")) % 2
    missed = (checksum(6, 40)(broken[:, :-6]) == broken).all(dim=1).double().mean().item()
    assert missed == pytest.approx(2**-6, abs=NormalDist().inv_cdf(1 - 1e-6) * math.sqrt(2**-6 / 4000))
