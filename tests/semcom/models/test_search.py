"""Search: with a cache as without, and as good as trying everything where everything can be tried."""

from dataclasses import replace
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from semcom.models.evidence import START
from semcom.models.make import initialize
from semcom.models.search import decode, shifted
from semcom.models.semantic import SemanticCodec
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.models.sides import Receiver
from semcom.sources import tokenizer
from semcom.sources.batches import SentenceBatch, make_batch

SIDE = SideSpec(width=12, layers=2, heads=3, feedforward=20, channel_hidden=9)
SYMBOLS = 2
RAGGED = [[5, 6, 7, 8, 9, 10], [11, 12], [13], [14, 15, 16, 17]]
WAYS = [("parallel", 1), ("autoregressive", 1), ("autoregressive", 3)]


def codec_of(decoding: str, *, vocabulary: int = 23, seed: int = 5, norm: str = "pre") -> SemanticCodec:
    # Untied, and listening hard to the air and to its own past: never trained, it would else say one word over and
    # over, and no past that got lost or mixed up would show.
    spec = SemanticSpec(SIDE, SIDE, symbols_per_token=SYMBOLS, decoding=decoding, norm=norm, tied=False)
    codec = initialize(spec, vocabulary, seed=seed).eval()
    with torch.no_grad():
        codec.receiver.channel_decoder.norm.weight.mul_(4)
        for layer in codec.receiver.layers:
            layer.attention.output.weight.mul_(8)
    return codec


def signal(batch: SentenceBatch, seed: int = 9) -> torch.Tensor:
    """Anything at all may arrive."""
    shape = (*batch.tokens.shape[:1], batch.tokens.shape[1] * SYMBOLS, 2)
    return torch.view_as_complex(torch.randn(shape, generator=torch.Generator().manual_seed(seed)))


def lengths(*counts: int) -> SentenceBatch:
    """A batch of which only the lengths matter."""
    return make_batch([[3] * count for count in counts])


def test_start_is_the_tokenizers() -> None:
    assert tokenizer.START == START


@pytest.mark.parametrize(("decoding", "beam"), WAYS)
@torch.inference_mode()
def test_padding_changes_no_token(decoding: str, beam: int) -> None:
    codec, batch = codec_of(decoding), make_batch(RAGGED)
    equalized = signal(batch)
    together = decode(codec.receiver, equalized, batch, beam=beam)
    assert together.shape == batch.tokens.shape and together.dtype == torch.long
    for row, sentence in enumerate(RAGGED):
        alone = decode(
            codec.receiver, equalized[row : row + 1, : len(sentence) * SYMBOLS], make_batch([sentence]), beam=beam
        )
        assert together[row, : len(sentence)].tolist() == alone[0].tolist()


@pytest.mark.parametrize(("decoding", "beam"), WAYS)
@torch.inference_mode()
def test_search_never_reads_the_sentence(decoding: str, beam: int) -> None:
    codec, batch = codec_of(decoding), make_batch(RAGGED)
    blank = replace(batch, tokens=torch.zeros_like(batch.tokens))
    heard, honest = (decode(codec.receiver, signal(batch), each, beam=beam) for each in (batch, blank))
    assert torch.equal(heard, honest)


@torch.inference_mode()
def test_a_parallel_decoder_takes_each_best_token() -> None:
    codec, batch = codec_of("parallel"), make_batch(RAGGED)
    equalized = signal(batch)
    best = codec.receiver(equalized, batch).logits.argmax(dim=-1)
    assert torch.equal(decode(codec.receiver, equalized, batch), best)
    assert torch.equal(decode(codec.receiver, equalized, batch, beam=4), best)


def greedy_by_whole_passes(receiver: Receiver, equalized: torch.Tensor, batch: SentenceBatch) -> torch.Tensor:
    """No cache: one whole pass over the sentence for every position."""
    tokens = torch.zeros_like(batch.tokens)
    for position in range(tokens.shape[1]):
        logits = receiver(equalized, batch, previous=shifted(tokens)).logits
        tokens[:, position] = logits[:, position].argmax(dim=-1)
    return tokens


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("batch", [lengths(5, 5, 5), lengths(6, 2, 1, 4)], ids=["even", "ragged"])
@torch.inference_mode()
def test_the_cache_changes_nothing(batch: SentenceBatch, norm: str) -> None:
    receiver = codec_of("autoregressive", norm=norm).receiver
    equalized = signal(batch)
    tokens = decode(receiver, equalized, batch)
    expected = greedy_by_whole_passes(receiver, equalized, batch)
    assert torch.equal(tokens[batch.mask], expected[batch.mask])
    assert len(tokens.unique()) > 2  # and it is not one word over and over, which would hide a lost past


@torch.inference_mode()
def test_a_beam_of_one_is_greedy() -> None:
    """By way of the beam search itself, which `decode` would not take for a beam of one."""
    from semcom.models.search import _beam

    receiver, batch = codec_of("autoregressive").receiver, lengths(6, 2, 1, 4)
    for seed in range(5):
        equalized = signal(batch, seed)
        greedy = decode(receiver, equalized, batch, beam=1)
        assert torch.equal(_beam(receiver, equalized, batch, 1)[batch.mask], greedy[batch.mask])


def total_score(receiver: Receiver, equalized: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Log-probability of whole sentences [rows, length], each in the one signal [1, K]."""
    batch = make_batch(tokens.tolist())
    logits = receiver(equalized.expand(len(tokens), -1), batch, previous=shifted(tokens)).logits
    return logits.log_softmax(dim=-1).gather(2, tokens[..., None]).sum(dim=(1, 2))


@pytest.mark.parametrize(("vocabulary", "length", "beam"), [(5, 2, 5), (4, 3, 16), (3, 4, 27)])
@torch.inference_mode()
def test_a_wide_beam_finds_the_best_sentence_there_is(vocabulary: int, length: int, beam: int) -> None:
    """As many hypotheses as there are beginnings of one token less: nothing is ever lost."""
    everything = torch.tensor(list(product(range(vocabulary), repeat=length)))
    batch, missed = lengths(length), 0
    for seed in range(40):
        receiver = codec_of("autoregressive", vocabulary=vocabulary, seed=seed).receiver
        equalized = signal(batch, seed)
        best = everything[total_score(receiver, equalized, everything).argmax()]
        assert decode(receiver, equalized, batch, beam=beam)[0].tolist() == best.tolist()
        missed += decode(receiver, equalized, batch)[0].tolist() != best.tolist()
    assert missed > 0  # greedy must fail somewhere, or this test would prove nothing


@torch.inference_mode()
def test_a_beam_wider_than_all_sentences_is_harmless() -> None:
    receiver, batch = codec_of("autoregressive", vocabulary=4).receiver, lengths(2, 1)
    wide = decode(receiver, signal(batch), batch, beam=40)
    assert torch.equal(wide[batch.mask], decode(receiver, signal(batch), batch, beam=4)[batch.mask])


@torch.inference_mode()
def test_ended_sentences_wait_for_long_ones() -> None:
    """Each row of a ragged batch gets its own best sentence, however long its neighbors go on."""
    batch, everything = lengths(4, 2), torch.tensor(list(product(range(4), repeat=2)))
    for seed in range(6):
        receiver = codec_of("autoregressive", vocabulary=4, seed=seed).receiver
        equalized = signal(batch, seed)
        short = equalized[1:, : 2 * SYMBOLS]
        best = everything[total_score(receiver, short, everything).argmax()]
        assert decode(receiver, equalized, batch, beam=4)[1, :2].tolist() == best.tolist()


@given(st.lists(st.lists(st.integers(0, 99), min_size=4, max_size=4), min_size=1, max_size=5))
def test_the_token_before_each_token(rows: list[list[int]]) -> None:
    tokens = torch.tensor(rows)
    assert shifted(tokens).tolist() == [[START, *row[:-1]] for row in rows]
    assert tokens.tolist() == rows
