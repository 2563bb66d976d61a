"""Word error rate, and the share of sentences that arrived word for word."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from semcom.metrics.metric import check_pairs

if TYPE_CHECKING:
    from semcom.metrics.metric import Statistics


@dataclass(frozen=True)
class WordErrorRate:
    """Words to change, drop or add per reference word, over the whole corpus.

        WER = (substitutions + deletions + insertions) / reference words

    The fewest edits that turn a reference into its hypothesis, by Levenshtein's distance on words. Exceeds 1 when
    the receiver says more than was sent. A corpus of empty references counts as one word, as jiwer has it:
    the value is then the number of words made up.

    Source: Levenshtein, Soviet Physics Doklady 10, 1966; computed by jiwer.
    """

    name: ClassVar[str] = "word_error_rate"
    label: ClassVar[str] = "word error rate"
    higher_is_better: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    family: ClassVar[Hashable] = "word_error_rate"

    def statistics(self, references: Sequence[str], hypotheses: Sequence[str]) -> Statistics:
        """Errors and reference words, [sentences, 2]."""
        import numpy as np
        from jiwer import process_words

        check_pairs(references, hypotheses)
        # jiwer parts words at spaces only; the other metrics part them at any white space.
        aligned = process_words([_single_spaced(r) for r in references], [_single_spaced(h) for h in hypotheses])
        errors = [
            sum(
                max(part.ref_end_idx - part.ref_start_idx, part.hyp_end_idx - part.hyp_start_idx)
                for part in alignment
                if part.type != "equal"
            )
            for alignment in aligned.alignments
        ]
        words = [len(reference) for reference in aligned.references]
        return np.column_stack([errors, words]).astype(float)

    def combine(self, totals: Statistics) -> Statistics:
        """Errors per reference word."""
        import numpy as np

        rate: Statistics = totals[..., 0] / np.maximum(totals[..., 1], 1.0)
        return rate

    def provenance(self) -> str:
        """jiwer's version."""
        from importlib.metadata import version

        return f"jiwer {version('jiwer')}"


@dataclass(frozen=True)
class ExactMatch:
    """Share of sentences whose every word arrived, in order: one minus the sentence error rate.

    White space does not count, everything else does.
    """

    name: ClassVar[str] = "exact_match"
    label: ClassVar[str] = "sentences received exactly"
    higher_is_better: ClassVar[bool] = True
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    family: ClassVar[Hashable] = "exact_match"

    def statistics(self, references: Sequence[str], hypotheses: Sequence[str]) -> Statistics:
        """Whether it matched, and one: [sentences, 2]."""
        import numpy as np

        check_pairs(references, hypotheses)
        pairs = zip(references, hypotheses, strict=True)
        return np.array(
            [[reference.split() == hypothesis.split(), 1.0] for reference, hypothesis in pairs], dtype=float
        )

    def combine(self, totals: Statistics) -> Statistics:
        """Matches per sentence."""
        share: Statistics = totals[..., 0] / totals[..., 1]
        return share

    def provenance(self) -> str:
        """Nothing but this file."""
        return "word for word"


def _single_spaced(text: str) -> str:
    return " ".join(text.split())
