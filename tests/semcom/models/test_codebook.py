"""Codebook: one book for all of a spec, symbols that follow from the last tokens, and likelihoods that are exact."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from channels import Arrived, Chance, Gaussian, Link, PerBlock, Rayleigh, arrive, draw, everyone, superpose
from semcom.models.codebook import Codebook
from semcom.models.codebook_spec import CodebookSpec
from semcom.models.codec import air_shape
from semcom.models.make import initialize
from semcom.models.trace import masked_mean
from semcom.sources.batches import SentenceBatch, make_batch

V = 50
SPECS = {
    "memory 0": CodebookSpec(symbols_per_token=4),
    "memory 1": CodebookSpec(symbols_per_token=4, memory=1),
    "memory 3": CodebookSpec(symbols_per_token=3, memory=3),
    "learned": CodebookSpec(symbols_per_token=4, learned=True),
}
each_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
with_memory = pytest.mark.parametrize("spec", [each for each in SPECS.values() if each.memory])


def codec_of(spec: CodebookSpec, seed: int = 1) -> Codebook:
    made = initialize(spec, V, seed=seed)
    assert isinstance(made, Codebook)
    return made.eval()


def sentences(*lengths: int, seed: int = 0) -> SentenceBatch:
    generator = torch.Generator().manual_seed(seed)
    return make_batch([torch.randint(2, V, (length,), generator=generator).tolist() for length in lengths])


@torch.inference_mode()
def through(codec: Codebook, batch: SentenceBatch, link: Link) -> Arrived:
    symbols = codec.send(batch).symbols
    air = draw(link, air_shape(codec, batch), Chance(3))
    return arrive(superpose(everyone(symbols, link, air), air), link, air)


def rows_sent(codec: Codebook, batch: SentenceBatch) -> Tensor:
    with torch.inference_mode():
        return codec.send(batch).symbols.unflatten(1, (-1, codec.spec.symbols_per_token))


@each_spec
def test_a_book_hangs_on_its_spec_alone(spec: CodebookSpec) -> None:
    batch = sentences(6, 4)
    first, second = (rows_sent(codec_of(spec, seed), batch) for seed in (1, 2))
    assert torch.equal(first, second)
    assert not torch.allclose(first, rows_sent(codec_of(replace(spec, book=2)), batch))


@each_spec
def test_every_token_has_unit_power_and_padding_is_silent(spec: CodebookSpec) -> None:
    batch = sentences(7, 2)
    power = rows_sent(codec_of(spec), batch).abs().square().mean(dim=2)
    torch.testing.assert_close(power, batch.mask.float())


def test_without_memory_a_token_is_sent_alike_wherever_it_stands() -> None:
    rows = rows_sent(codec_of(SPECS["memory 0"]), make_batch([[5, 9, 5, 7], [9, 9, 5, 3]]))
    assert torch.equal(rows[0, 0], rows[0, 2]) and torch.equal(rows[0, 0], rows[1, 2])
    assert not torch.equal(rows[0, 0], rows[0, 1])


@with_memory
def test_a_token_changes_its_own_symbols_and_those_of_the_next_ones_it_is_remembered_for(spec: CodebookSpec) -> None:
    codec, batch = codec_of(spec), sentences(12)
    before = rows_sent(codec, batch)
    for place in range(12):
        batch.tokens[0, place] ^= 1
        changed = (rows_sent(codec, batch) != before).any(dim=2)[0]
        batch.tokens[0, place] ^= 1
        assert changed.nonzero().flatten().tolist() == list(range(place, min(12, place + spec.memory + 1)))


@with_memory
def test_after_one_past_no_two_tokens_share_their_symbols(spec: CodebookSpec) -> None:
    every = make_batch([[4, 7, 9, token] for token in range(2, V)])
    places = codec_of(spec).transmitter.places(every.tokens)
    assert len(set(places[:, -1].tolist())) == V - 2
    # And the same token is sent otherwise at another position, even where its past is the same.
    twice = codec_of(spec).transmitter.places(make_batch([[6] * 12]).tokens)[0, spec.memory :]
    assert len(set(twice.tolist())) == len(twice)


LINKS = {
    "awgn": Link(snr_db=3.0),
    "blocks": Link(snr_db=8.0, fading=Rayleigh(), coherence=PerBlock(6), antennas=2),
    "others": Link(snr_db=9.0, interferers=2, interference=Gaussian(level_db=-3.0), fading=Rayleigh()),
}


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
@each_spec
def test_likelihoods_are_those_of_the_equation(spec: CodebookSpec, link: Link) -> None:
    """-|y - g x|^2 / N summed up symbol by symbol, for each token in the place of each."""
    codec, batch = codec_of(spec), sentences(6, 6, 6)
    arrived = through(codec, batch, link)
    length, n = batch.mask.shape[1], spec.symbols_per_token
    gain, power = (
        each.repeat_interleave(length * n // each.shape[1], dim=1).unflatten(1, (length, n))
        for each in (arrived.gain, arrived.noise_power)
    )
    expected = torch.empty(*batch.mask.shape, V, dtype=torch.double)
    for place in range(length):
        others = batch.tokens[:, None].repeat(1, V, 1)
        others[:, :, place] = torch.arange(V)
        sent = rows_sent(codec, make_batch(others.flatten(0, 1).tolist())).unflatten(0, (len(batch), V))[:, :, place]
        received = arrived.symbols.unflatten(1, (length, n))[:, place]
        away = received[:, None] - gain[:, place, None] * sent
        expected[:, place] = -(away.abs().square() / power[:, place, None]).double().sum(dim=2)
    with torch.inference_mode():
        found = codec.hear(arrived, batch).logits.double()
    torch.testing.assert_close(found, expected, rtol=2e-4, atol=2e-3)


@each_spec
def test_evidence_of_a_search_is_what_training_hears(spec: CodebookSpec) -> None:
    codec, batch = codec_of(spec), sentences(5, 5)
    arrived = through(codec, batch, Link(snr_db=4.0))
    with torch.inference_mode():
        heard = codec.hear(arrived, batch).logits.double().log_softmax(dim=-1)
        evidence = codec.listen(arrived, batch)
        assert evidence.remembers == spec.memory and evidence.sifts == (spec.memory == 0)
        state = evidence.begin(3)
        for place in range(5):
            scores = evidence.scores(state)
            assert scores.dtype == torch.double
            torch.testing.assert_close(scores[:, 0].log_softmax(dim=-1), heard[:, place], rtol=1e-4, atol=1e-4)
            # The first hypothesis is the truth, the others are something else.
            tokens = batch.tokens[:, place, None] + torch.tensor([0, -1, -2])
            state = evidence.extend(state, torch.zeros(2, 3, dtype=torch.long), tokens)


@each_spec
def test_in_clear_air_everything_arrives(spec: CodebookSpec) -> None:
    codec, batch = codec_of(spec), sentences(9, 4, 12)
    arrived = through(codec, batch, Link(snr_db=40.0, fading=Rayleigh(), antennas=2))
    for beam in (1, 4):
        assert torch.equal(codec.decode(arrived, batch, beam=beam)[batch.mask], batch.tokens[batch.mask])


def test_memory_ties_a_wrong_token_to_those_behind_it() -> None:
    """At an SNR where single tokens are often wrong, more whole sentences arrive with memory."""
    batch = sentences(*[8] * 60)
    wholes = []
    for memory in (0, 1):
        codec = codec_of(CodebookSpec(symbols_per_token=3, memory=memory))
        found = codec.decode(through(codec, batch, Link(snr_db=4.0)), batch, beam=32)
        wholes.append((found == batch.tokens).all(dim=1).float().mean().item())
    assert wholes[1] > wholes[0] + 0.1


def test_only_a_learned_book_has_weights_and_they_reach_the_loss() -> None:
    assert not list(codec_of(SPECS["memory 1"]).parameters())
    codec, batch = codec_of(SPECS["learned"]), sentences(6, 6)
    link = Link(snr_db=2.0)
    air = draw(link, air_shape(codec, batch), Chance(3))
    optimizer = torch.optim.SGD(codec.parameters(), lr=0.05)
    losses = []
    for _ in range(3):
        arrived = arrive(superpose(everyone(codec.send(batch).symbols, link, air), air), link, air)
        told = codec.hear(arrived, batch).logits.log_softmax(dim=-1)
        loss = -masked_mean(told.gather(2, batch.tokens[..., None])[..., 0], batch.mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[2] < losses[1] < losses[0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"symbols_per_token": 65}, "symbols_per_token must be from 1 to 64, got 65"),
        ({"memory": -1}, "memory must be from 0 to 16, got -1"),
        ({"book": 0}, "book must be from 1"),
        ({"learned": True, "memory": 2}, "learned must be without memory, got memory 2; set memory to 0"),
    ],
)
def test_what_is_no_codebook_is_refused(changes: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CodebookSpec(**changes)  # type: ignore[arg-type]
