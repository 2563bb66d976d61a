"""Corpus BLEU-1 to BLEU-4 by the book, from sacreBLEU's own counts."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias, get_args

from semcom.metrics.axis import Axis
from semcom.metrics.metric import Scored, check_pairs
from semcom.mistakes import UserMistake
from semcom.words import LOST, LOST_LETTER, LOST_WORD

if TYPE_CHECKING:
    from semcom.metrics.metric import Statistics

# BLEU is defined up to any order; four is what the field reports, and one count up to four serves all lower orders.
LONGEST_NGRAM = 4
# Those of sacreBLEU's tokenizers that need neither another package nor a download.
BleuTokenizer: TypeAlias = Literal["13a", "intl", "zh", "char"]


@dataclass(frozen=True)
class Bleu:
    """Clipped n-gram precision times a penalty for saying too little, on 0 to 1.

        BLEU-n = min(1, exp(1 - r / c)) * (p_1 p_2 ... p_n)^(1/n)

    p_i is the share of the hypotheses' i-grams found in their references, counted over the whole corpus; c and r are
    the total lengths of hypotheses and references in words. No smoothing, one reference. A word is what stands between
    white space, unless one of sacreBLEU's own tokenizers is asked for, as text without spaces between words needs it.

    A corpus value, not the mean of sentence values. Without smoothing, one order without any match makes it 0:
    a corpus in which no sentence has n words scores 0 even when it arrives unharmed.

    Args:
        order: longest n-gram counted, 1 to 4.
        tokenize: what cuts text into words: `13a` and `intl` part punctuation from words, `zh` also Chinese characters
            from each other, `char` all characters; None takes what white space parts.

    Raises:
        UserMistake: an order outside 1 to 4, or a tokenizer that does not exist.

    Source: Papineni et al., BLEU, ACL 2002, section 2.3; counts and conventions of Post, A Call for Clarity in
    Reporting BLEU Scores, WMT 2018.
    """

    order: int = LONGEST_NGRAM
    tokenize: BleuTokenizer | None = None

    scores: ClassVar[Scored] = "sentences"
    options: ClassVar[Mapping[str, str]] = {"bleu_tokenize": "tokenize"}

    def __post_init__(self) -> None:
        if not 1 <= self.order <= LONGEST_NGRAM:
            raise UserMistake(f"order must be 1 to {LONGEST_NGRAM}, got {self.order}; choose bleu_1 to bleu_4")
        if self.tokenize not in (None, *get_args(BleuTokenizer)):
            names = ", ".join(get_args(BleuTokenizer))
            raise UserMistake(f"tokenize must be one of {names}, got {self.tokenize}; leave it out for white space")

    @property
    def name(self) -> str:
        """`bleu_1` to `bleu_4`."""
        return f"bleu_{self.order}"

    @property
    def axis(self) -> Axis:
        """`BLEU-1` to `BLEU-4`, on 0 to 1."""
        return Axis(f"BLEU-{self.order}", f"BLEU-{self.order} (corpus, 0 to 1)")

    @property
    def family(self) -> Hashable:
        """One per tokenizer."""
        return "bleu" if self.tokenize is None else ("bleu", self.tokenize)

    def statistics(self, references: Sequence[str], hypotheses: Sequence[str]) -> Statistics:
        """Matches of order 1 to 4, i-grams of order 1 to 4, hypothesis words, reference words: [sentences, 10].

        All four orders whatever this metric's own, so that bleu_1 to bleu_4 share one count.
        """
        import numpy as np
        from sacrebleu.metrics.bleu import BLEU

        check_pairs(references, hypotheses)
        # Only the counts are taken, and the effective order has no part in them; asking for it keeps sacreBLEU
        # from logging a warning for every sentence.
        counter = BLEU(
            tokenize=self.tokenize or "none",
            smooth_method="none",
            effective_order=True,
            max_ngram_order=LONGEST_NGRAM,
            force=True,
        )
        heard = hypotheses if self.tokenize is None else [_in_one_piece(h) for h in hypotheses]
        counted = (counter.sentence_score(h, [r]) for r, h in zip(references, heard, strict=True))
        return np.array([[*each.counts, *each.totals, each.sys_len, each.ref_len] for each in counted], dtype=float)

    def combine(self, totals: Statistics) -> Statistics:
        """BLEU of the corpus whose counts are summed up in the last axis."""
        import numpy as np

        matches = totals[..., : self.order]
        possible = totals[..., LONGEST_NGRAM : LONGEST_NGRAM + self.order]
        spoken, expected = totals[..., -2], totals[..., -1]
        # Without words there is no match either, so the lower limit of one never shows; it spares a division by zero.
        precisions = matches / np.maximum(possible, 1.0)
        logs = np.log(precisions, where=matches > 0, out=np.full(matches.shape, -np.inf))
        brevity = np.minimum(0.0, 1.0 - expected / np.maximum(spoken, 1.0))
        value: Statistics = np.exp(brevity + logs.mean(axis=-1))
        return value

    def provenance(self) -> str:
        """sacreBLEU's signature: settings and version."""
        from sacrebleu.metrics.bleu import BLEU

        scorer = BLEU(tokenize=self.tokenize or "none", smooth_method="none", max_ngram_order=self.order, force=True)
        # The signature counts the references, so it exists only once something has been scored.
        scorer.corpus_score([""], [[""]])
        return f"sacrebleu {scorer.get_signature()}"


def _in_one_piece(hypothesis: str) -> str:
    """A tokenizer would cut what stands for a lost word or letter into words that a sentence may hold."""
    return hypothesis.replace(LOST_WORD, LOST).replace(LOST_LETTER, LOST)
