"""The search by signal and language: as good as trying every sentence, where every sentence can be tried."""

import math
from dataclasses import dataclass, replace
from itertools import product

import pytest
import torch
from torch import Tensor

from channels import Arrived, Chance, Link, draw
from semcom.languages.language import BOUNDARY
from semcom.languages.prior import unigram_of
from semcom.languages.search import Found, search
from semcom.languages.settings import SIGNAL_ALONE, SearchSettings, Weights
from semcom.models.evidence import Apart, Evidence
from semcom.models.make import initialize
from semcom.models.recognizer_spec import RecognizerSpec
from semcom.models.search import decode, listen
from semcom.models.semantic import SemanticCodec
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.sources.batches import SentenceBatch, make_batch

V = 4


def noise(seed: int, *shape: int, scale: float = 1.0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale


def lengths(*counts: int) -> SentenceBatch:
    """A batch of which only the lengths matter."""
    return make_batch([[3] * count for count in counts])


@dataclass
class Table:
    """A language that looks at the last two tokens; `memory` is what it says of itself."""

    table: Tensor  # [V, V, V]: two before, one before, this one
    memory: int | None = 2

    @property
    def outputs(self) -> int:
        return len(self.table)

    def begin(self, rows: int) -> Tensor:
        return torch.full((rows, 2), BOUNDARY)

    def scores(self, state: Tensor, candidates: Tensor | None = None) -> Tensor:
        told = self.table[state[:, 0], state[:, 1]]
        return told if candidates is None else told.gather(1, candidates)

    def extend(self, state: Tensor, parents: Tensor, tokens: Tensor) -> Tensor:
        return torch.stack((state[parents, 1], tokens), dim=1)

    def tell(self, batch: SentenceBatch) -> Tensor:
        raise NotImplementedError  # a search asks token by token


@dataclass
class Echoes:
    """A signal in which each token is blurred by the one before it."""

    table: Tensor  # [batch, length, V before, V]
    remembers: int | None = 1
    sifts: bool = True

    @property
    def vocabulary(self) -> int:
        return self.table.shape[3]

    def begin(self, hypotheses: int) -> tuple[int, Tensor]:
        return 0, torch.full((len(self.table), hypotheses), BOUNDARY)

    def scores(self, state: tuple[int, Tensor]) -> Tensor:
        position, last = state
        rows = torch.arange(len(last))[:, None]
        return self.table[rows, position, last].double()

    def extend(self, state: tuple[int, Tensor], parents: Tensor, tokens: Tensor) -> tuple[int, Tensor]:
        return state[0] + 1, tokens


def table(seed: int, memory: int | None = 2) -> Table:
    return Table(noise(seed, V, V, V, scale=2).log_softmax(dim=-1), memory)


def evidence_of(kind: str, seed: int, batch: SentenceBatch) -> Evidence:
    rows, length = batch.mask.shape
    if kind == "apart":
        return Apart(noise(seed, rows, length, V, scale=1.5))
    return Echoes(
        noise(seed, rows, length, V, V, scale=1.5).log_softmax(dim=-1), {"echoes": 1, "forgetful": None}[kind]
    )


def totals(evidence: Evidence, language: Table, unigram: Tensor, weights: Weights, sentences: Tensor) -> Tensor:
    """The score of every one of some sentences [N, L] in the first signal, written out from the equation."""
    marks = torch.full((len(sentences), 1), BOUNDARY)
    ended = torch.cat((marks, marks, sentences, marks), dim=1)
    told = language.table[ended[:, :-2], ended[:, 1:-1], ended[:, 2:]].double()
    if weights.floor is not None:
        told = told.maximum(unigram[ended[:, 2:]] - weights.floor)
    places = torch.arange(sentences.shape[1])
    if isinstance(evidence, Echoes):
        heard = evidence.table[0, places, ended[:, 1:-2], sentences]
    else:
        heard = torch.stack([evidence.scores(place)[0, 0] for place in places.tolist()])[places, sentences]
    own = weights.temperature * heard.double() - weights.alpha * unigram[sentences]
    return own.sum(dim=1) + weights.language * told.sum(dim=1)


UNIGRAM = torch.tensor([0.1, 0.2, 0.3, 0.4]).log()
PLAIN = Weights(alpha=0.5, language=0.9, floor=None)
HARD = Weights(alpha=0.4, language=1.3, temperature=0.8, floor=1.5)


# As good as trying everything


@pytest.mark.parametrize("weights", [Weights(), PLAIN, HARD, SIGNAL_ALONE])
@pytest.mark.parametrize("kind", ["apart", "echoes"])
def test_as_wide_as_there_are_endings_it_finds_the_best_of_all_sentences(kind: str, weights: Weights) -> None:
    """Sixteen hypotheses for the sixteen endings of two tokens, of 1,024 sentences."""
    batch, missed = lengths(5), 0
    everything = torch.tensor(list(product(range(V), repeat=5)))
    for seed in range(6):
        evidence, language = evidence_of(kind, seed, batch), table(seed + 50)
        expected = totals(evidence, language, UNIGRAM, weights, everything).sort(descending=True)
        found = search(evidence, batch, language=language, unigram=UNIGRAM, weights=weights)
        assert found.tokens[0].tolist() == everything[expected.indices[0]].tolist()
        assert found.score.item() == pytest.approx(expected.values[0].item(), abs=1e-5)
        assert found.margin is not None
        assert found.margin.item() == pytest.approx((expected.values[0] - expected.values[1]).item(), abs=1e-5)
        narrow = SearchSettings(beam=1)
        greedy = search(evidence, batch, language=language, unigram=UNIGRAM, weights=weights, settings=narrow)
        missed += not torch.equal(greedy.tokens, found.tokens)
    # Looking no further must fail somewhere, or this test would prove nothing; where all is independent it cannot.
    assert missed > 0 or (kind, weights) == ("apart", SIGNAL_ALONE)


@pytest.mark.parametrize("kind", ["apart", "echoes"])
def test_confidence_is_the_posterior_over_all_sentences(kind: str) -> None:
    batch, weights = lengths(5), HARD
    everything = torch.tensor(list(product(range(V), repeat=5)))
    for seed in range(4):
        evidence, language = evidence_of(kind, seed, batch), table(seed + 50)
        found = search(evidence, batch, language=language, unigram=UNIGRAM, weights=weights)
        posterior = totals(evidence, language, UNIGRAM, weights, everything).softmax(dim=0)
        agrees = everything == found.tokens
        assert found.confidence is not None
        torch.testing.assert_close(found.confidence[0], posterior @ agrees.double(), atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ["apart", "echoes"])
def test_keeping_all_apart_finds_nothing_better(kind: str) -> None:
    """The same language and signal, but they do not say that they forget."""
    batch = lengths(4, 4, 4)
    apart = SearchSettings(beam=V**4, recombine=None)
    for seed in range(5):
        evidence, language = evidence_of(kind, seed, batch), table(seed + 20)
        brief = search(evidence, batch, language=language, unigram=UNIGRAM)
        full = search(evidence, batch, language=replace(language, memory=None), unigram=UNIGRAM, settings=apart)
        assert torch.equal(brief.tokens, full.tokens)
        torch.testing.assert_close(brief.score, full.score)
        torch.testing.assert_close(brief.margin, full.margin, atol=1e-9, rtol=0)
        torch.testing.assert_close(brief.confidence, full.confidence, atol=1e-9, rtol=0)


def test_a_limit_on_endless_memory_is_exact_where_the_memory_is_as_short_in_truth() -> None:
    batch = lengths(6, 6)
    evidence, language = evidence_of("forgetful", 3, batch), table(4, memory=None)
    limited = search(evidence, batch, language=language, unigram=UNIGRAM, settings=SearchSettings(recombine=2))
    known = search(replace(evidence, remembers=1), batch, language=replace(language, memory=2), unigram=UNIGRAM)
    assert torch.equal(limited.tokens, known.tokens)
    torch.testing.assert_close(limited.score, known.score)


# Without a language


SIDE = SideSpec(width=12, layers=2, heads=3, feedforward=20, channel_hidden=9)


def codec_of(decoding: str, *, vocabulary: int = 23) -> SemanticCodec:
    spec = SemanticSpec(SIDE, SIDE, symbols_per_token=2, decoding=decoding, tied=False)
    codec = initialize(spec, vocabulary, seed=5).eval()
    with torch.no_grad():
        codec.receiver.channel_decoder.norm.weight.mul_(4)
        for layer in codec.receiver.layers:
            layer.attention.output.weight.mul_(8)
    return codec


def signal(batch: SentenceBatch, seed: int = 9) -> Tensor:
    return torch.view_as_complex(noise(seed, len(batch), batch.mask.shape[1] * 2, 2))


def arrived(symbols: Tensor) -> Arrived:
    link = Link()
    return Arrived(symbols, ((link, draw(link, tuple(symbols.shape), Chance(1))),))


@pytest.mark.parametrize("decoding", ["parallel", "autoregressive"])
@torch.inference_mode()
def test_a_beam_of_one_by_signal_alone_is_todays_decision(decoding: str) -> None:
    codec, batch = codec_of(decoding), lengths(6, 2, 1, 4)
    blunt = SearchSettings(beam=1, candidates=5)
    silent = Table(noise(1, 23, 23, 23))  # says what it likes; it does not count
    for seed in range(5):
        equalized = signal(batch, seed)
        expected = decode(codec.receiver, equalized, batch)[batch.mask]
        evidence = codec.listen(arrived(equalized), batch)
        for language in (None, silent):
            found = search(evidence, batch, language=language, weights=SIGNAL_ALONE, settings=blunt)
            assert torch.equal(found.tokens[batch.mask], expected)


def test_of_equal_logits_the_first_token_is_taken_as_argmax_does() -> None:
    """Also of many, and of two that differ so little that their log-probabilities in single precision would not."""
    logits = torch.zeros(1, 3, 50)
    logits[0, 0, [9, 44, 3, 30, 21]] = 7.0
    logits[0, 1, 5] = 0.01
    logits[0, 1, 6] = torch.nextafter(logits[0, 1, 5], torch.tensor(1.0))
    logits[0, 2] = noise(6, 50)
    settings = SearchSettings(beam=1, candidates=8)
    found = search(Apart(logits), lengths(3), weights=SIGNAL_ALONE, settings=settings)
    assert found.tokens.tolist() == logits.argmax(dim=-1).tolist()


@torch.inference_mode()
def test_with_all_hypotheses_apart_it_is_the_beam_search_of_the_receiver() -> None:
    codec, batch = codec_of("autoregressive"), lengths(6, 2, 1, 4)
    for seed in range(5):
        evidence = listen(codec.receiver, signal(batch, seed), batch)
        found = search(evidence, batch, settings=SearchSettings(beam=5, recombine=None))
        beam = decode(codec.receiver, signal(batch, seed), batch, beam=5)
        assert torch.equal(found.tokens[batch.mask], beam[batch.mask])


@pytest.mark.parametrize("logits", [noise(3, 2, 5, V), torch.tensor([2.0, 2.0, 1.0, 0.0]).expand(2, 5, V)])
def test_confidence_of_the_signal_alone_is_its_own_probability(logits: Tensor) -> None:
    """Of equals too, which must not crowd the others out of the beam."""
    found = search(Apart(logits), lengths(5, 5), settings=SearchSettings(beam=V))
    assert found.confidence is not None
    torch.testing.assert_close(found.confidence.float(), logits.softmax(dim=-1).amax(dim=-1))
    # What needs no search, where no token hangs on another, is that to the last digits.
    tokens, sure = Apart(logits).likeliest()
    assert torch.equal(tokens, logits.argmax(dim=-1))
    torch.testing.assert_close(sure, found.confidence.float())


# Batches and cuts


@pytest.mark.parametrize("decoding", ["parallel", "autoregressive"])
@torch.inference_mode()
def test_ragged_sentences_are_found_as_each_alone(decoding: str) -> None:
    codec, batch = codec_of(decoding, vocabulary=V), lengths(6, 2, 1, 4)
    equalized, settings = signal(batch), SearchSettings(beam=6)
    language = table(8)

    def find(symbols: Tensor, of: SentenceBatch) -> Found:
        evidence = listen(codec.receiver, symbols, of)
        return search(evidence, of, language=language, unigram=UNIGRAM, settings=settings)

    together = find(equalized, batch)
    for row, count in enumerate(batch.lengths.tolist()):
        alone = find(equalized[row : row + 1, : count * 2], lengths(count))
        assert together.tokens[row].tolist() == [*alone.tokens[0].tolist(), *[0] * (6 - count)]
        for one, other in ((together.score, alone.score), (together.margin, alone.margin)):
            assert one is not None and other is not None
            assert one[row].item() == pytest.approx(other[0].item(), abs=1e-4)
        assert together.confidence is not None and alone.confidence is not None
        torch.testing.assert_close(together.confidence[row, :count], alone.confidence[0], atol=1e-4, rtol=0)
        assert (together.confidence[row, count:] == 1).all()


def test_a_cut_that_cuts_nothing_changes_nothing_and_one_that_cuts_leaves_the_likeliest() -> None:
    batch = lengths(6, 6, 6)
    evidence, language = evidence_of("apart", 1, batch), table(2)
    whole, cut, narrow = (
        search(evidence, batch, language=language, unigram=UNIGRAM, settings=SearchSettings(candidates=count))
        for count in (64, V, 2)
    )
    assert torch.equal(whole.tokens, cut.tokens) and torch.equal(whole.score, cut.score)
    likeliest = torch.stack([evidence.scores(position)[:, 0] for position in range(6)], dim=1).topk(2).indices
    assert (likeliest == narrow.tokens[..., None]).any(dim=2).all()
    assert not torch.equal(narrow.tokens, whole.tokens)


def test_the_likeliest_of_thousands_are_found_as_by_sorting() -> None:
    """Five candidates of 1,003 tokens, which is no multiple of anything; confidence tells which they are."""
    batch, settings = lengths(3, 3), SearchSettings(beam=5, candidates=5)
    logits = noise(4, 2, 3, 1003)
    found = search(Apart(logits), batch, settings=settings)
    assert torch.equal(found.tokens, logits.argmax(dim=-1))
    kept = logits.log_softmax(dim=-1).topk(5).values.double()
    expected = kept.softmax(dim=-1)[..., 0]
    torch.testing.assert_close(found.confidence, expected, atol=1e-5, rtol=0)


def test_the_search_never_reads_the_sentence() -> None:
    batch = lengths(5, 3)
    evidence, language = evidence_of("apart", 1, batch), table(2)
    blank = replace(batch, tokens=torch.zeros_like(batch.tokens))
    found, honest = (search(evidence, each, language=language, unigram=UNIGRAM) for each in (batch, blank))
    assert torch.equal(found.tokens, honest.tokens)


# What a language may do


def test_a_floor_bounds_what_a_language_may_take_from_a_foreign_token() -> None:
    """A signal that is sure by six nats, and a language that has never seen what it says."""
    even = torch.full((V,), 1 / V).log()
    never = torch.full((V, V, V), 1e-9)
    never[..., 2] = 1.0
    language = Table((never / never.sum(dim=-1, keepdim=True)).log())
    logits = torch.zeros(1, 4, V)
    logits[..., 3] = 6.0
    believing = Weights(alpha=0, language=1, floor=None)
    for floor, expected in ((None, 2), (8.0, 2), (3.0, 3)):
        weights = replace(believing, floor=floor)
        found = search(Apart(logits), lengths(4), language=language, unigram=even, weights=weights)
        assert found.tokens.tolist() == [[expected] * 4]


def test_the_unigram_counts_every_end_and_leaves_nothing_impossible() -> None:
    told = unigram_of([[3, 3, 2], [3]], 5)
    torch.testing.assert_close(told.exp(), torch.tensor([1, 3, 2, 4, 1], dtype=torch.double) / 11)


# What is refused


def test_what_does_not_fit_together_is_refused() -> None:
    batch = lengths(3)
    evidence, language = evidence_of("apart", 1, batch), table(2)
    with pytest.raises(ValueError, match="alpha and floor need the unigram"):
        search(evidence, batch, language=language)
    with pytest.raises(ValueError, match=r"unigram must have the language's 4 token numbers, got 5"):
        search(evidence, batch, language=language, unigram=torch.zeros(5))
    with pytest.raises(ValueError, match=r"a language must have the receiver's 4 token numbers, got 6"):
        search(evidence, batch, language=Table(torch.zeros(6, 6, 6)), unigram=torch.zeros(6))
    with pytest.raises(ValueError, match="sends no language"):
        initialize(RecognizerSpec(), 3, seed=1).listen(arrived(torch.zeros(1, 1)), batch)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Weights(alpha=-0.1), "alpha must be a weight of at least 0, got -0.1"),
        (lambda: Weights(language=math.nan), "language must be a weight of at least 0, got nan"),
        (lambda: Weights(temperature=0), "temperature must be above 0, got 0"),
        (lambda: Weights(floor=0), "floor must be above 0 nats, got 0; leave it out for no limit"),
        (lambda: SearchSettings(beam=0), "beam must be from 1 to 1024, got 0"),
        (lambda: SearchSettings(candidates=0), "candidates must be from 1 to 65536, got 0"),
        (lambda: SearchSettings(recombine=0), "recombine must be at least 1 token, got 0; None keeps all apart"),
    ],
)
def test_settings_out_of_range_are_refused(make, told: str) -> None:
    with pytest.raises(ValueError) as refused:
        make()
    assert str(refused.value) == told
