"""Separate coding as a codec: what it sends, what of it arrives, and that nobody else notices Sionna."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from channels import (
    Arrived,
    Cdl,
    Chance,
    InterferenceRejecting,
    Link,
    Mmse,
    Qam,
    Rayleigh,
    Tdl,
    arrive,
    draw,
    everyone,
    superpose,
)
from semcom.baselines.ldpc import Ldpc
from semcom.baselines.separate import Separate
from semcom.baselines.separate_spec import CRC_BITS, TABLE_BYTES, SeparateSpec
from semcom.compression.cost import count
from semcom.languages.ngram import NGramSpec
from semcom.languages.ngram import count as count_ngrams
from semcom.models.codec import air_shape
from semcom.models.make import initialize, make
from semcom.sources.batches import SentenceBatch, make_batch
from semcom.sources.tokenizer import BytePairs, Tokenizer


@pytest.fixture(scope="module")
def tokenizer(made_up) -> Tokenizer:
    return BytePairs(400).train(made_up(300))


@pytest.fixture(scope="module")
def batch(tokenizer: Tokenizer, made_up) -> SentenceBatch:
    return make_batch(tokenizer.encode(made_up(312)[300:]))


@pytest.fixture(scope="module")
def equipped(tokenizer: Tokenizer, made_up):
    """Hand out codecs with all that they need."""
    sentences = made_up(300)
    counts = count_ngrams(tokenizer.encode(sentences), tokenizer.size, NGramSpec(order=2))

    def make_one(**changes: object) -> Separate:
        codec = Separate(SeparateSpec(**changes), tokenizer.size)  # type: ignore[arg-type]
        codec.study(sentences)
        codec.equip(tokenizer, counts)
        return codec.eval()

    return make_one


def through(codec: Separate, batch: SentenceBatch, link: Link, seed: int = 1) -> Arrived:
    symbols = codec.send(batch).symbols
    air = draw(link, air_shape(codec, batch), Chance(seed))
    return arrive(superpose(symbols[:, None], air), link, air)


@pytest.mark.parametrize("source", TABLE_BYTES)
@pytest.mark.parametrize("code", ["ldpc", "none"])
def test_every_scheme_sends_at_unit_power_and_arrives_in_good_air(equipped, batch, source, code) -> None:
    codec = equipped(source=source, code=code)
    symbols = codec.send(batch).symbols
    assert symbols.shape == air_shape(codec, batch) and symbols.dtype == torch.complex64
    sent = batch.mask.repeat_interleave(codec.spec.symbols_per_unit, dim=1)
    power = symbols.abs().square()
    assert power[sent].mean().item() == pytest.approx(1.0, abs=0.05) and not power[~sent].any()
    link = Link(snr_db=30.0, fading=Rayleigh(), antennas=2)
    answers = codec.decode(through(codec, batch, link), batch)
    assert torch.equal(answers, batch.tokens)


@pytest.mark.parametrize("fading", [Tdl(), Cdl(model="B")], ids=["tdl", "cdl"])
def test_combining_lets_blocks_through_a_standard_channel_beside_an_interferer(equipped, batch, fading) -> None:
    codec = equipped(source="arithmetic")
    arrived = {}
    for equalizer in (Mmse(), InterferenceRejecting()):
        loud = Qam(level_db=12.0)
        link = Link(24.0, fading, interferers=1, interference=loud, antennas=2, equalizer=equalizer)
        air = draw(link, air_shape(codec, batch), Chance(1))
        heard = arrive(superpose(everyone(codec.send(batch).symbols, link, air), air), link, air)
        whole = (codec.decode(heard, batch) == batch.tokens).all(dim=1)
        arrived[equalizer.kind] = float(whole.double().mean())
    assert arrived["interference_rejecting"] > 0.9 > 0.5 > arrived["mmse"]


def test_a_failed_block_is_dropped_or_kept(equipped, batch, tokenizer) -> None:
    link = Link(snr_db=-6.0)
    dropped, kept = (equipped(source="huffman_words", on_failure=how) for how in ("drop", "keep"))
    assert not dropped.decode(through(dropped, batch, link), batch).any()
    answers = kept.decode(through(kept, batch, link), batch)
    assert answers.any(dim=1).double().mean() > 0.5
    assert len(tokenizer.decode(answers.tolist())) == len(batch)


def test_of_the_sentences_a_receiver_is_told_the_size_of_blocks_alone(equipped, batch) -> None:
    """Other sentences whose blocks are as long are decoded to the same, as what arrives alone decides."""
    codec = equipped(source="tokens", symbols_per_token=4)
    arrived = through(codec, batch, Link(snr_db=4.0))
    others = replace(batch, tokens=torch.where(batch.mask, batch.tokens.flip(0).clamp_min(3), 0))
    assert torch.equal(codec.decode(arrived, batch), codec.decode(arrived, others))


def test_it_learns_nothing_and_costs_what_its_decoder_computes(equipped) -> None:
    codec = equipped(source="compressor")
    assert not codec.spec.learns and not list(codec.parameters()) and codec.stacks() == ()
    cost = count(codec)
    assert cost.parameters == 0 and cost.multiply_adds == cost.receiver_multiply_adds == 16 * 5 * 20
    with torch.device("meta"):
        assert count(make(codec.spec, codec.outputs)) == cost
    assert len(codec.example()) == 1
    with pytest.raises(ValueError, match="learns nothing"):
        codec.hear(None, None)  # type: ignore[arg-type]


def test_tables_are_kept_as_weights_are(equipped, batch, tokenizer) -> None:
    codec = equipped(source="huffman_words")
    again = initialize(codec.spec, codec.outputs, seed=0)
    again.load_state_dict(codec.state_dict())
    again.equip(tokenizer)
    assert torch.equal(again.send(batch).symbols, codec.send(batch).symbols)


@pytest.mark.parametrize("source", ["arithmetic", "characters"])
def test_what_it_needs_and_was_not_given_is_asked_for(batch, source) -> None:
    with pytest.raises(ValueError, match=r"needs a (language|tokenizer), got None; equip"):
        Separate(SeparateSpec(source=source), 400).send(batch)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"symbols_per_token": 0}, "symbols_per_token must be from 1 to 1024, got 0"),
        ({"iterations": 201}, "iterations must be from 1 to 200, got 201"),
        ({"crc": 8}, f"crc must be one of {', '.join(map(str, CRC_BITS))} bits, got 8"),
    ],
)
def test_shapes_that_are_none_are_refused(changes, told) -> None:
    with pytest.raises(ValueError, match=told):
        SeparateSpec(**changes)


# Sionna seeds generators; nobody may notice.


def test_chance_is_as_it_was_after_every_use(equipped, batch) -> None:
    def states() -> list[object]:
        return [torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()]

    torch.default_generator.manual_seed(7)
    before = states()
    codec = equipped(source="huffman_characters", symbols_per_token=7)
    Ldpc(96, 240, 2)  # one that no other test has made
    codec.decode(through(codec, batch, Link(snr_db=3.0)), batch)
    assert states() == before


def test_sionna_is_imported_by_a_code_alone_and_moves_no_draw() -> None:
    program = (
        "import random, sys, torch, numpy\n"
        "torch.manual_seed(3); random.seed(3); numpy.random.seed(3)\n"
        "from semcom.models.make import initialize\n"
        "from semcom.tasks.text import Text\n"
        "codec = initialize(Text.sizes['separate'], 300, seed=1)\n"
        "assert 'sionna' not in sys.modules\n"
        "if sys.argv[1] == 'yes':\n"
        "    codec.send(codec.example()); assert 'sionna' in sys.modules\n"
        "print(torch.rand(3).tolist(), random.random(), numpy.random.rand(), torch.get_default_dtype())\n"
        "print(torch.get_float32_matmul_precision(), torch.get_num_threads(), torch.is_grad_enabled())"
    )
    told = [
        subprocess.run([sys.executable, "-c", program, how], capture_output=True, text=True, check=True).stdout
        for how in ("yes", "no")
    ]
    assert told[0] == told[1]
