"""The trip of a batch: what arrives, what is measured on the way, and where gradients go."""

import math
from dataclasses import replace

import pytest
import torch

from channels import (
    Chance,
    Energies,
    Gaussian,
    Link,
    NoFading,
    PerSymbol,
    Rayleigh,
    arrive,
    draw,
    everyone,
    mean_sinr_db,
    superpose,
)
from semcom.models.codec import air_shape
from semcom.models.make import initialize
from semcom.models.search import decode
from semcom.models.semantic import SemanticCodec
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.sources.batches import SentenceBatch, evaluation_batches, make_batch
from semcom.tasks.trip import crowd_of, deliver, draw_parts, encode_once, rehearse, transmit

SIDE = SideSpec(width=12, layers=1, heads=3, feedforward=20, channel_hidden=16)
VOCABULARY = 29
CHANCE = Chance(3, ("trip",))
CLEAR = Link(snr_db=100.0)
CROWDED = Link(snr_db=3.0, interferers=2, fading=Rayleigh())


def codec_of(decoding: str = "parallel", *, tied: bool = True) -> SemanticCodec:
    spec = SemanticSpec(SIDE, SIDE, symbols_per_token=4, decoding=decoding, tied=tied)
    codec = initialize(spec, VOCABULARY, seed=5).eval()
    # Attentive, because an untrained decoder may say one word whatever it hears.
    torch.nn.init.constant_(codec.receiver.channel_decoder.norm.weight, 4.0)
    return codec


def sentences(count: int, *, shortest: int = 3, longest: int = 7) -> list[list[int]]:
    generator = torch.Generator().manual_seed(count)
    lengths = torch.randint(shortest, longest + 1, (count,), generator=generator).tolist()
    return [torch.randint(4, VOCABULARY, (length,), generator=generator).tolist() for length in lengths]


ragged = make_batch(sentences(12))


@pytest.mark.parametrize("decoding", ["parallel", "autoregressive"])
def test_in_clear_air_everything_that_was_sent_arrives(decoding: str) -> None:
    codec = codec_of(decoding)
    with torch.inference_mode():
        clean = decode(codec.receiver, codec.send(ragged).symbols, ragged)
    arrived = transmit(codec, ragged, CLEAR, CHANCE)
    assert torch.equal(arrived[ragged.mask], clean[ragged.mask])
    assert len(arrived[ragged.mask].unique()) > 3


@pytest.mark.parametrize("decoding", ["parallel", "autoregressive"])
@pytest.mark.parametrize(
    "link", [replace(CROWDED, interferers=0), replace(CROWDED, interference=Gaussian())], ids=["alone", "gaussian"]
)
def test_encoding_once_is_sending_batch_by_batch(decoding: str, link: Link) -> None:
    codec, batches = codec_of(decoding), evaluation_batches(sentences(40), 8)
    expected: dict[int, list[int]] = {}
    for index, batch in enumerate(batches):
        arrived = transmit(codec, batch, link, CHANCE.of("batch", index)).tolist()
        expected |= {row: ids[:n] for row, ids, n in zip(batch.rows, arrived, batch.lengths.tolist(), strict=True)}
    assert deliver(encode_once(codec, batches), link, CHANCE).answers == [expected[row] for row in range(40)]


def test_one_batch_is_its_own_crowd_either_way() -> None:
    codec = codec_of()
    arrived = transmit(codec, ragged, CROWDED, CHANCE.of("batch", 0)).tolist()
    expected = [ids[:length] for ids, length in zip(arrived, ragged.lengths.tolist(), strict=True)]
    assert deliver(encode_once(codec, [ragged]), CROWDED, CHANCE).answers == expected


def test_a_sweep_encodes_each_batch_once() -> None:
    codec, batches, calls = codec_of(), evaluation_batches(sentences(40), 8), []
    codec.transmitter.register_forward_hook(lambda *_: calls.append(1))
    encoded = encode_once(codec, batches)
    for snr_db in range(0, 24, 3):
        for interferers in (0, 1, 2, 4):
            deliver(encoded, Link(snr_db=snr_db, interferers=interferers), CHANCE)
    assert len(calls) == len(batches)


def test_a_delivery_follows_rows() -> None:
    """However the sentences were cut into batches, each arrives in its own place, without its padding."""
    codec, said = codec_of(), sentences(30)
    with torch.inference_mode():
        alone = [
            decode(codec.receiver, codec.send(batch).symbols, batch)[0].tolist()
            for batch in (make_batch([sentence]) for sentence in said)
        ]
    assert len({tuple(ids) for ids in alone}) > 20
    batches = [
        make_batch(said, rows) for rows in ((7, 3, 11), (29, *range(12, 29)), (0, 2, 1, *range(4, 7)), (8, 9, 10))
    ]
    for order in (batches, batches[::-1]):
        assert deliver(encode_once(codec, order), CLEAR, CHANCE).answers == alone


def test_a_delivery_may_leave_sentences_out() -> None:
    codec, said = codec_of(), sentences(10)
    part = deliver(encode_once(codec, [make_batch(said, (8, 2))]), CLEAR, CHANCE).answers
    whole = deliver(encode_once(codec, [make_batch(said)]), CLEAR, CHANCE).answers
    assert part == [whole[2], whole[8]]


def test_a_beam_is_handed_on() -> None:
    codec = codec_of("autoregressive")
    encoded = encode_once(codec, [ragged])
    air = draw(CROWDED, encoded.symbols[0].shape, CHANCE.of("batch", 0))
    with torch.inference_mode():
        signals = everyone(encoded.symbols[0], CROWDED, air, encoded.crowds[0])
        rows = codec.decode(arrive(superpose(signals, air), CROWDED, air), ragged, beam=4).tolist()
    expected = [ids[:length] for ids, length in zip(rows, ragged.lengths.tolist(), strict=True)]
    assert deliver(encoded, CROWDED, CHANCE, beam=4).answers == expected != deliver(encoded, CROWDED, CHANCE).answers


# Without fading all users arrive in phase, so that two neighbors of an untrained codec, whose symbols favor one
# direction, add amplitudes rather than powers: the closed form holds there for one neighbor at most.
@pytest.mark.parametrize(
    ("fading", "interferers"),
    [*((Rayleigh(), k) for k in range(5)), (NoFading(), 0), (NoFading(), 1)],
    ids=lambda value: str(getattr(value, "kind", value)),
)
def test_measured_powers_are_what_the_link_promises(fading: Rayleigh | NoFading, interferers: int) -> None:
    """Thirty sweeps in independent air: five standard errors, estimated from them, around the closed forms."""
    # Equally long sentences: a neighbor's window is then a whole sentence, of exactly unit power.
    encoded = encode_once(codec_of(), evaluation_batches(sentences(48, shortest=5, longest=5), 16))
    link = Link(snr_db=2.0, interferers=interferers, fading=fading, coherence=PerSymbol())
    sweeps = [deliver(encoded, link, Chance(seed)).energies for seed in range(30)]
    total = sum(sweeps, Energies())
    assert total.symbols == 30 * 48 * 5 * 4

    def near(values: list[float], measured: float, expected: float) -> bool:
        error = torch.tensor(values).double().std().item() / math.sqrt(len(values))
        return abs(measured - expected) <= 5 * error + 1e-4

    expected_powers = {"wanted": 1.0, "noise": link.noise_power, "interference": float(interferers)}
    for name, power in expected_powers.items():
        each = [getattr(sweep, name) / sweep.symbols for sweep in sweeps]
        assert near(each, sum(each) / len(each), power), name
    assert near([sweep.snr_db for sweep in sweeps], total.snr_db, link.snr_db)
    assert near([sweep.sinr_db for sweep in sweeps], total.sinr_db, mean_sinr_db(link))


def test_padding_is_not_measured() -> None:
    """With gains of one the wanted energy is the number of symbols really sent, exactly."""
    energies = deliver(encode_once(codec_of(), [ragged]), CLEAR, CHANCE).energies
    assert energies.symbols == 4 * int(ragged.lengths.sum())
    assert energies.wanted == pytest.approx(energies.symbols, rel=1e-5)
    # Noise on padding is left out too: its mean power is a mean over as many exponential numbers.
    noise = energies.noise / energies.symbols / CLEAR.noise_power
    assert abs(noise - 1) <= 5 / math.sqrt(energies.symbols)


def test_more_interferers_leave_signal_and_noise_alone() -> None:
    encoded = encode_once(codec_of(), [ragged])
    counted = [deliver(encoded, replace(CROWDED, interferers=k), CHANCE).energies for k in range(5)]
    assert [each.interference > 0 for each in counted] == [False, True, True, True, True]
    for each in counted[1:]:
        assert each.wanted == pytest.approx(counted[0].wanted, rel=1e-6)
        assert each.noise == pytest.approx(counted[0].noise, rel=1e-6)


@torch.inference_mode()
def test_one_more_interferer_adds_its_own_part_alone() -> None:
    codec = codec_of()
    symbols = codec.send(ragged).symbols
    crowd = crowd_of(symbols, ragged, codec)
    for before in range(4):
        fewer, more = (replace(CROWDED, interferers=k) for k in (before, before + 1))
        air, grown = draw(fewer, symbols.shape, CHANCE), draw(more, symbols.shape, CHANCE)
        signals, louder = everyone(symbols, fewer, air, crowd), everyone(symbols, more, grown, crowd)
        assert torch.equal(louder[:, : before + 1], signals)
        assert torch.equal(grown.gains[:, : before + 1], air.gains) and torch.equal(grown.noise, air.noise)
        added = superpose(louder, grown) - superpose(signals, air)
        expected = grown.gains[:, before + 1] * louder[:, before + 1 :]
        torch.testing.assert_close(added, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("link", [CLEAR, CROWDED], ids=["clear", "crowded"])
def test_rehearsal_is_the_trip(link: Link) -> None:
    codec = codec_of()
    trace = rehearse(codec, ragged, [(link, draw(link, air_shape(codec, ragged), CHANCE))])
    arrived = transmit(codec, ragged, link, CHANCE)
    assert torch.equal(trace.heard.logits.argmax(dim=-1)[ragged.mask], arrived[ragged.mask])
    assert trace.targets is ragged.tokens and trace.mask is ragged.mask
    torch.testing.assert_close(trace.sent.symbols, codec.send(ragged).symbols)


def test_rehearsal_of_what_arrived_is_the_trip_too() -> None:
    """An autoregressive codec that says the right words chooses each of them in rehearsal as well."""
    codec = codec_of("autoregressive")
    arrived = transmit(codec, ragged, CROWDED, CHANCE)
    trace = rehearse(codec, ragged, [(CROWDED, draw(CROWDED, air_shape(codec, ragged), CHANCE))])
    heard = codec.hear(trace.arrived, replace(ragged, tokens=arrived))
    assert torch.equal(heard.logits.argmax(dim=-1)[ragged.mask], arrived[ragged.mask])


@pytest.mark.parametrize("decoding", ["parallel", "autoregressive"])
def test_gradient_crosses_the_air(decoding: str) -> None:
    codec = codec_of(decoding, tied=False)
    trace = rehearse(codec, ragged, [(CROWDED, draw(CROWDED, air_shape(codec, ragged), CHANCE))])
    trace.heard.logits[ragged.mask].logsumexp(dim=-1).sum().backward()
    for name, parameter in codec.transmitter.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 1e-7 or name.endswith(".key.bias"), name


@pytest.mark.parametrize("interferers", [1, 4])
def test_no_gradient_flows_to_neighbors(interferers: int) -> None:
    """What one sentence hears of the others moves it, but they cannot be asked to be quieter."""
    codec, link = codec_of(), replace(CROWDED, interferers=interferers)
    trace = rehearse(codec, ragged, [(link, draw(link, air_shape(codec, ragged), CHANCE))])
    for row in (0, 5, len(ragged) - 1):
        heard = trace.heard.logits[row][ragged.mask[row]].logsumexp(dim=-1).sum()
        (gradient,) = torch.autograd.grad(heard, trace.sent.symbols, retain_graph=True)
        assert torch.count_nonzero(gradient[row]) > 0
        gradient[row] = 0
        assert torch.count_nonzero(gradient) == 0


def test_the_same_chance_gives_the_same_trip() -> None:
    codec, link = codec_of(), replace(CROWDED, snr_db=-5.0)
    encoded = encode_once(codec, [ragged, make_batch(sentences(9))])
    first, again, other = (deliver(encoded, link, chance) for chance in (CHANCE, Chance(3, ("trip",)), Chance(4)))
    assert first.answers == again.answers and first.energies == again.energies
    assert first.answers != other.answers and first.energies != other.energies
    assert torch.equal(transmit(codec, ragged, link, CHANCE), transmit(codec, ragged, link, CHANCE))


def test_batches_meet_different_air() -> None:
    """The same batch twice in one delivery, or repeats would be no repeats."""
    codec, link = codec_of(), Link(snr_db=-5.0)
    twin = SentenceBatch(ragged.tokens, ragged.mask, ragged.lengths, tuple(range(12, 24)), ragged.ragged)
    tokens = deliver(encode_once(codec, [ragged, twin]), link, CHANCE).answers
    assert tokens[:12] != tokens[12:]


def test_a_trip_takes_nobodys_chance() -> None:
    codec, before = codec_of(), torch.get_rng_state()
    transmit(codec, ragged, CROWDED, CHANCE)
    assert torch.equal(torch.get_rng_state(), before)


def test_training_goes_on_after_listening() -> None:
    """What inference leaves behind (kept positions, for one) must not enter the next training step."""
    codec, batch = codec_of(), make_batch(sentences(6, shortest=31, longest=33))
    deliver(encode_once(codec, [batch]), CROWDED, CHANCE)
    trace = rehearse(codec, batch, [(CROWDED, draw(CROWDED, air_shape(codec, batch), CHANCE))])
    trace.heard.logits.square().mean().backward()
    assert torch.isfinite(codec.transmitter.embedding.weight.grad).all()


# Parts of a batch in airs of their own


def test_each_part_meets_the_air_that_was_drawn_for_it() -> None:
    """Rows of a part arrive as they do where the whole batch goes through that part's link and gains."""
    codec = codec_of()
    links = [replace(CROWDED, snr_db=snr_db, interferers=others) for snr_db, others in ((-3.0, 0), (9.0, 2), (20.0, 1))]
    trace = rehearse(codec, ragged, draw_parts(links, codec, ragged, CHANCE))
    assert trace.arrived.gain.shape[0] == trace.arrived.noise_power.shape[0] == len(ragged)
    crowd, first = crowd_of(trace.sent.symbols, ragged, codec), 0
    for index, (link, (again, air)) in enumerate(zip(links, trace.arrived.airs, strict=True)):
        rows = slice(first, first := first + air.shape[0])
        assert again == link
        redrawn = draw(link, (air.shape[0], air.shape[2]), CHANCE.of("part", index))
        assert torch.equal(redrawn.noise, air.noise)
        part = replace(crowd, ends=crowd.ends[rows])
        signals = everyone(trace.sent.symbols[rows], link, redrawn, part)
        alone = arrive(superpose(signals, redrawn), link, redrawn)
        for name in ("symbols", "gain", "noise_power"):
            assert torch.equal(getattr(trace.arrived, name)[rows], getattr(alone, name)), name
    assert first == len(ragged), "every row belongs to one part"


def test_one_part_is_the_old_draw() -> None:
    codec = codec_of()
    ((link, air),) = draw_parts([CROWDED], codec, ragged, CHANCE)
    assert link == CROWDED
    assert torch.equal(air.noise, draw(CROWDED, air_shape(codec, ragged), CHANCE).noise)
