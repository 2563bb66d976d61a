"""The semantic codec: unit power, padding that changes nothing, one matrix if asked for, gradients everywhere."""

import copy
from dataclasses import replace
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from semcom.models.codec import air_shape
from semcom.models.make import initialize
from semcom.models.search import shifted
from semcom.models.semantic import SemanticCodec
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.models.sides import attention_mask
from semcom.sources.batches import SentenceBatch, make_batch

SMALL = SideSpec(width=12, layers=2, heads=3, feedforward=20, channel_hidden=9)
LARGE = SideSpec(width=16, layers=1, heads=2, feedforward=24, channel_hidden=11)
VOCABULARY = 23
SYMBOLS = 3
RAGGED = [[5, 6, 7, 8, 9, 10], [11, 12], [13], [14, 15, 16, 17]]
DECODING = ("parallel", "autoregressive")
NORMS = ("pre", "post")


def shape(decoding: str = "parallel", norm: str = "pre", *, tied: bool = True, equal: bool = True) -> SemanticSpec:
    receiver = replace(SMALL, channel_hidden=13) if equal else LARGE
    return SemanticSpec(SMALL, receiver, symbols_per_token=SYMBOLS, decoding=decoding, tied=tied, norm=norm)


def codec_of(spec: SemanticSpec) -> SemanticCodec:
    return initialize(spec, VOCABULARY, seed=5).eval()


def noisy(symbols: torch.Tensor) -> torch.Tensor:
    """Noise everywhere, on padding too: a receiver hears it there all the same."""
    noise = torch.randn((*symbols.shape, 2), generator=torch.Generator().manual_seed(9))
    return symbols + 0.5 * torch.view_as_complex(noise)


def listen(codec: SemanticCodec, equalized: torch.Tensor, batch: SentenceBatch) -> torch.Tensor:
    return codec.receiver(equalized, batch, previous=shifted(batch.tokens)).logits


every_shape = pytest.mark.parametrize(
    "spec", [shape(*each) for each in product(DECODING, NORMS)], ids=lambda spec: f"{spec.decoding}-{spec.norm}"
)


@every_shape
def test_symbols_have_unit_power_and_padding_is_silent(spec: SemanticSpec) -> None:
    codec, batch = codec_of(spec), make_batch(RAGGED)
    symbols = codec.send(batch).symbols
    assert symbols.dtype == torch.complex64
    assert tuple(symbols.shape) == air_shape(codec, batch) == (4, 6 * SYMBOLS)
    for row, length in zip(symbols, batch.lengths.tolist(), strict=True):
        assert row[: length * SYMBOLS].abs().square().mean().item() == pytest.approx(1, abs=1e-5)
        assert torch.count_nonzero(row[length * SYMBOLS :]) == 0


@given(st.lists(st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=7), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_a_sentence_is_as_loud_and_says_the_same_in_any_company(sentences: list[list[int]]) -> None:
    codec = codec_of(shape())
    together = codec.send(make_batch(sentences)).symbols
    for row, sentence in zip(together, sentences, strict=True):
        alone = codec.send(make_batch([sentence])).symbols[0]
        torch.testing.assert_close(row[: len(alone)], alone, atol=1e-5, rtol=0)
        assert alone.abs().square().mean().item() == pytest.approx(1, abs=1e-5)


@every_shape
def test_padding_changes_no_logit(spec: SemanticSpec) -> None:
    codec, batch = codec_of(spec), make_batch(RAGGED)
    equalized = noisy(codec.send(batch).symbols)
    together = listen(codec, equalized, batch)
    for row, sentence in enumerate(RAGGED):
        alone = listen(codec, equalized[row : row + 1, : len(sentence) * SYMBOLS], make_batch([sentence]))
        torch.testing.assert_close(together[row, : len(sentence)], alone[0], atol=1e-5, rtol=0)


@every_shape
def test_the_fast_path_is_the_masked_path(spec: SemanticSpec) -> None:
    codec, fast = codec_of(spec), make_batch([[5, 6, 7], [8, 9, 10]])
    masked = replace(fast, ragged=True)
    assert attention_mask(fast) is None and tuple(attention_mask(masked).shape) == (2, 1, 1, 3)
    torch.testing.assert_close(codec.send(masked).symbols, codec.send(fast).symbols, atol=1e-5, rtol=0)
    equalized = noisy(codec.send(fast).symbols)
    torch.testing.assert_close(listen(codec, equalized, masked), listen(codec, equalized, fast), atol=1e-5, rtol=0)


@pytest.mark.parametrize("norm", NORMS)
def test_a_causal_decoder_does_not_look_ahead(norm: str) -> None:
    """The token at t enters as the one before t + 1: every logit up to t must stay, and t + 1 must move."""
    codec, batch = codec_of(shape("autoregressive", norm)), make_batch([[5, 6, 7, 8, 9]])
    equalized = noisy(codec.send(batch).symbols)
    before = listen(codec, equalized, batch)
    for position in range(4):
        tokens = batch.tokens.clone()
        tokens[0, position] = 20
        after = listen(codec, equalized, replace(batch, tokens=tokens))
        assert torch.equal(after[:, : position + 1], before[:, : position + 1])
        assert not torch.allclose(after[:, position + 1], before[:, position + 1], atol=1e-3)


@pytest.mark.parametrize("decoding", DECODING)
def test_the_receiver_never_reads_the_sentence(decoding: str) -> None:
    """All it may know of a batch is how long its sentences are."""
    codec, batch = codec_of(shape(decoding)), make_batch(RAGGED)
    equalized, previous = noisy(codec.send(batch).symbols), shifted(batch.tokens)
    blank = replace(batch, tokens=torch.zeros_like(batch.tokens))
    heard, honest = (codec.receiver(equalized, each, previous=previous).logits for each in (batch, blank))
    assert torch.equal(heard, honest)


def test_a_parallel_receiver_needs_no_previous_tokens() -> None:
    codec, batch = codec_of(shape()), make_batch(RAGGED)
    equalized = codec.send(batch).symbols
    assert torch.equal(codec.receiver(equalized, batch).logits, listen(codec, equalized, batch))


def test_an_autoregressive_receiver_asks_for_previous_tokens() -> None:
    codec, batch = codec_of(shape("autoregressive")), make_batch(RAGGED)
    with pytest.raises(ValueError, match="needs the previous tokens"):
        codec.receiver(codec.send(batch).symbols, batch)


@pytest.mark.parametrize("decoding", DECODING)
def test_layers_are_kept_to_compare(decoding: str) -> None:
    codec, batch = codec_of(shape(decoding, equal=False)), make_batch(RAGGED)
    sent = codec.transmitter(batch)
    heard = codec.receiver(sent.symbols, batch, previous=shifted(batch.tokens))
    assert [tuple(layer.shape) for layer in sent.layers] == [(4, 6, 12)] * 2
    assert [tuple(layer.shape) for layer in heard.layers] == [(4, 6, 16)]
    assert tuple(heard.features.shape) == (4, 6, 16) and tuple(heard.logits.shape) == (4, 6, VOCABULARY)


@pytest.mark.parametrize("decoding", DECODING)
def test_tied_is_one_matrix(decoding: str) -> None:
    codec = codec_of(shape(decoding))
    assert codec.receiver.output.weight is codec.transmitter.embedding.weight is codec.receiver.embedding.weight
    vocabulary = [p for p in codec.parameters() if VOCABULARY in p.shape]
    assert [tuple(p.shape) for p in vocabulary] == [(VOCABULARY, 12)]
    # A copy, as distillation and quantization make them, is tied to itself alone.
    other = copy.deepcopy(codec)
    assert other.receiver.output.weight is other.transmitter.embedding.weight
    assert other.receiver.output.weight is not codec.receiver.output.weight


@pytest.mark.parametrize("decoding", DECODING)
def test_unequal_widths_keep_their_own(decoding: str) -> None:
    codec = codec_of(shape(decoding, equal=False))
    assert codec.receiver.output.weight is codec.receiver.embedding.weight
    vocabulary = [tuple(p.shape) for p in codec.parameters() if VOCABULARY in p.shape]
    assert vocabulary == [(VOCABULARY, 12), (VOCABULARY, 16)]


@pytest.mark.parametrize(("decoding", "matrices"), [("parallel", 2), ("autoregressive", 3)])
def test_untied_keeps_every_matrix_it_needs(decoding: str, matrices: int) -> None:
    codec = codec_of(shape(decoding, tied=False))
    vocabulary = [p for p in codec.parameters() if VOCABULARY in p.shape]
    assert len(vocabulary) == matrices == len({p.data_ptr() for p in vocabulary})


@pytest.mark.parametrize(
    "spec",
    [
        shape(decoding, norm, tied=tied, equal=equal)
        for decoding, norm, tied, equal in product(DECODING, NORMS, (True, False), (True, False))
    ],
    ids=lambda spec: f"{spec.decoding}-{spec.norm}-{'tied' if spec.tied else 'untied'}-{spec.receiver.width}",
)
def test_gradient_reaches_every_parameter(spec: SemanticSpec) -> None:
    codec, batch = initialize(spec, VOCABULARY, seed=5), make_batch(RAGGED)
    logits = listen(codec, noisy(codec.send(batch).symbols), batch)
    torch.nn.functional.cross_entropy(logits[batch.mask], batch.tokens[batch.mask]).backward()
    for name, parameter in codec.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
        # One number added to all scores of a query moves nothing, so a key's bias alone has no gradient to get.
        assert parameter.grad.abs().max() > 1e-7 or name.endswith(".key.bias"), name
