"""One search for all receivers: the sentence that signal and language together find likeliest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from semcom.languages.language import BOUNDARY, Language
from semcom.languages.lattice import Lattice, Step
from semcom.languages.prior import Prior
from semcom.languages.settings import SearchSettings, Weights
from semcom.models.evidence import Evidence
from semcom.sources.batches import SentenceBatch
from semcom.sources.tokenizer import PAD

COLUMN = 8
TRACE = 1e-12  # nats: far below what any two sentences differ by, far above what a double loses at a thousand nats


@dataclass(frozen=True, eq=False)
class Found:
    """What a search decided.

    Args:
        tokens: the sentences [batch, longest], PAD behind the end of each.
        score: of each sentence, in all [batch, nats].
        margin: by how much it leads the best other sentence that was still in the running [batch, nats]; infinite where
            none was. None where it was not asked for.
        confidence: of each token [batch, longest], from 0 to 1; 1 behind the end of a sentence: the share, by score, of
            all sentences that the search kept a way to, which have this token here. It knows nothing of what was cut
            on the way: with a beam of one it is always 1. None where it was not asked for.
        certainty: the same of each sentence as a whole [batch]. None where it was not asked for.
    """

    tokens: Tensor
    score: Tensor
    margin: Tensor | None
    confidence: Tensor | None
    certainty: Tensor | None


@torch.inference_mode()
def search(
    evidence: Evidence,
    batch: SentenceBatch,
    *,
    language: Language | None = None,
    unigram: Tensor | None = None,
    weights: Weights | None = None,
    settings: SearchSettings | None = None,
    confidence: bool = True,
) -> Found:
    """The sentences of the highest score (see `Weights`), as far as the search looks (see `SearchSettings`).

    A beam search over positions, for all sentences at once. Of hypotheses with the same future, which are those that
    agree in the last tokens that signal and language look at, only the better stays. Where it is as wide as there are
    such endings, and no candidate is cut, the sentence found is the best there is (Viterbi's algorithm). The receiver
    is told the length of each sentence, as in `semcom.models.search`.

    Args:
        evidence: of the signals; `Codec.listen` gives it.
        batch: only its mask and lengths are read, never its tokens.
        language: None decides by the evidence alone; then the weights of language and unigram do not count.
        unigram: log-probability of every token number in the text that the receiver was trained on [vocabulary]
            (`unigram_of`); needed where alpha or floor counts.
        weights: None takes the defaults.
        settings: None takes the defaults.
        confidence: also work out margin, confidence and certainty; keeps [length, batch, beam, beam] numbers for them.

    Raises:
        ValueError: when language, unigram and evidence disagree on the vocabulary, or a needed unigram is missing.
    """
    settings = settings or SearchSettings()
    prior = Prior(language, unigram, weights or Weights())
    if language is not None and language.outputs != evidence.vocabulary:
        raise ValueError(
            f"a language must have the receiver's {evidence.vocabulary} token numbers, got {language.outputs}; "
            "use one made with the same tokenizer"
        )
    lattice = _Beam(evidence, prior, settings, batch).run(arcs=confidence)
    score, path = lattice.best()
    tokens = torch.stack([step.tokens for step in lattice.steps], dim=1).gather(2, path[..., None])[..., 0]
    return Found(
        tokens.masked_fill(~batch.mask, PAD),
        score,
        lattice.margin(score, path) if confidence else None,
        lattice.confidence(path).masked_fill(~batch.mask, 1.0) if confidence else None,
        lattice.certainty(score) if confidence else None,
    )


class _Beam:
    """A beam search under way: [batch, beam] hypotheses, all of one length.

    Totals are double: at a total of a hundred nats, single precision would no longer tell close tokens apart.
    """

    def __init__(self, evidence: Evidence, prior: Prior, settings: SearchSettings, batch: SentenceBatch) -> None:
        self.evidence, self.prior, self.settings, self.batch = evidence, prior, settings, batch
        shape = (len(batch), settings.beam)
        device = batch.mask.device
        # All hypotheses start alike, so only the first may win the first round.
        self.totals = torch.full(shape, -torch.inf, dtype=torch.double, device=device)
        self.totals[:, 0] = 0.0
        self.memory = _memory(evidence, prior, settings)
        self.stay = torch.arange(settings.beam, device=device).expand(shape)
        self.recent = torch.full((*shape, (self.memory or 1) - 1), BOUNDARY, device=device)

    def run(self, *, arcs: bool) -> Lattice:
        """The search from the first position to the end of every sentence."""
        return Lattice(list(self._steps(arcs)), self.final)

    def _steps(self, arcs: bool) -> Iterator[Step]:
        batch, beam, length = self.batch, self.settings.beam, self.batch.mask.shape[1]
        ends = set(batch.lengths.tolist())
        heard, told = self.evidence.begin(beam), self.prior.begin(len(batch) * beam)
        self.final = torch.zeros_like(self.totals)
        for position in range(length):
            scores = self.evidence.scores(heard)
            tokens = self._candidates(scores, told)
            added = self.prior.weights.temperature * _pick(scores, tokens) + self.prior.scores(told, tokens, beam)
            step = self._advance(tokens, added, batch.mask[:, position, None], arcs)
            yield step
            if position + 1 < length:
                heard = self.evidence.extend(heard, step.parents, step.tokens)
            told = self.prior.extend(told, step.parents, step.tokens)
            if position + 1 in ends:
                over = batch.lengths[:, None] == position + 1
                self.final = torch.where(over, self.prior.end(told, self.stay), self.final)

    def _candidates(self, scores: Tensor, told: Any) -> Tensor:
        """The tokens to try [batch, C], in ascending order, the same for all hypotheses of a sentence.

        Those in which the likeliest beginnings go on, by the signal. Where signal alone counts, this cuts nothing that
        a beam no wider than C could keep. Where the signal cannot tell, the language is asked about all tokens, and
        then nothing is cut either.

        Args:
            told: the state of the prior.
        """
        batch, hypotheses, vocabulary = scores.shape
        if self.settings.candidates >= vocabulary:
            return torch.arange(vocabulary, device=scores.device).expand(batch, vocabulary)
        likeliest = scores[:, 0]
        if hypotheses > 1:
            added = self.prior.weights.temperature * scores
            if not self.evidence.sifts:
                everything = torch.arange(vocabulary, device=scores.device).expand(batch, vocabulary)
                added += self.prior.scores(told, everything, self.settings.beam)
            likeliest = added.add_(self.totals[..., None]).amax(dim=1)
        return _places_of_highest(likeliest, self.settings.candidates).sort(dim=1).values

    def _advance(self, tokens: Tensor, added: Tensor, real: Tensor, arcs: bool) -> Step:
        """One position on; behind its end (where it is not real) a sentence stays as it is."""
        same = self._same_future()
        totals = self.totals[..., None] + added
        totals = totals if same is None else _without_losers(totals, same)
        best, index = _highest(totals.flatten(1), self.settings.beam)
        column = index % tokens.shape[1]
        parents = torch.where(real, index // tokens.shape[1], self.stay)
        self.totals = torch.where(real, best, self.totals)
        chosen = tokens.gather(1, column)
        if self.recent.shape[2]:
            recent = self.recent.gather(1, parents[..., None].expand_as(self.recent))
            self.recent = torch.cat((recent[..., 1:], chosen[..., None]), dim=2)
        drawn = self._arcs(added, column, parents, same=same, real=real) if arcs else None
        return Step(parents, chosen, self.totals, drawn)

    def _same_future(self) -> Tensor | None:
        """Which hypotheses become one with the same next token [batch, beam, beam]; None where none ever do."""
        if self.memory is None:
            return None
        return (self.recent[:, :, None] == self.recent[:, None]).all(dim=-1)

    def _arcs(self, added: Tensor, column: Tensor, parents: Tensor, *, same: Tensor | None, real: Tensor) -> Tensor:
        """The arcs of a step (see `Step`)."""
        square = (*self.stay.shape, self.settings.beam)
        step = added.expand(-1, self.settings.beam, -1).gather(2, column[:, None].expand(square))
        mine = self.stay[..., None] == parents[:, None]
        leads = mine if same is None else same.gather(2, parents[:, None].expand(square))
        # A place that no hypothesis was left for must not pass for one that lost.
        leads = leads & self.totals.isfinite()[:, None]
        step = torch.where(real[..., None], step, torch.zeros_like(step))
        return step.masked_fill(~torch.where(real[..., None], leads, mine), -torch.inf)


def _memory(evidence: Evidence, prior: Prior, settings: SearchSettings) -> int | None:
    """How many last tokens decide about the future of a hypothesis; None for all."""
    known = [each for each in (evidence.remembers, prior.memory) if each is not None]
    if len(known) < 2 and settings.recombine is None:
        return None
    # At least the last token: hypotheses that differ in it are what margin and confidence are made of.
    return max(1, *known, *([] if len(known) == 2 else [settings.recombine or 1]))


def _pick(scores: Tensor, tokens: Tensor) -> Tensor:
    """The scores [batch, hypotheses, C] of some tokens [batch, C]."""
    if tokens.shape[1] == scores.shape[2]:
        return scores  # all of them, in order
    return scores.gather(2, tokens[:, None].expand(-1, scores.shape[1], -1))


def _without_losers(totals: Tensor, same: Tensor) -> Tensor:
    """Totals [batch, hypotheses, C] without those of hypotheses that with this token become one with a better one."""
    group = same.byte().argmax(dim=2)[..., None].expand_as(totals)  # the first of each group stands for it
    # Equals would live on side by side for ever, so the first of them is preferred by a trace.
    ranked = totals - TRACE * torch.arange(totals.shape[1], device=totals.device)[:, None]
    best = torch.full_like(totals, -torch.inf).scatter_reduce(1, group, ranked, "amax")
    return totals.masked_fill(ranked < best.gather(1, group), -torch.inf)


def _places_of_highest(scores: Tensor, count: int) -> Tensor:
    """Where the highest scores of each row are [batch, count], in no order.

    They stand in the columns with the highest heads, so a look at the heads spares most of the work: a half of it or
    more in vocabularies of thousands.
    """
    width = scores.shape[1]
    if width < 2 * COLUMN * count:
        return scores.topk(count, dim=1, sorted=False).indices
    columns = F.pad(scores, (0, -width % COLUMN), value=-torch.inf).unflatten(1, (COLUMN, -1))
    heads = columns.amax(dim=1).topk(count, dim=1, sorted=False).indices
    within = (
        columns.gather(2, heads[:, None].expand(-1, COLUMN, -1)).flatten(1).topk(count, dim=1, sorted=False).indices
    )
    return within // count * columns.shape[2] + heads.gather(1, within % count)


def _highest(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The highest scores [batch, count] and where they are; of one alone the first of equals, as argmax has it."""
    found = scores.max(dim=1, keepdim=True) if count == 1 else scores.topk(count, dim=1)
    return found.values, found.indices
