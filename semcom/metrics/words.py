"""Word error rate, and the share of sentences that arrived word for word."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from semcom.metrics.axis import Axis
from semcom.metrics.metric import Scored, check_pairs

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
    scores: ClassVar[Scored] = "sentences"
    axis: ClassVar[Axis] = Axis(
        "word error rate",
        "Word error rate (errors per word sent, less is better)",
        most=math.inf,
        higher_is_better=False,
    )
    options: ClassVar[Mapping[str, str]] = {}
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
    scores: ClassVar[Scored] = "sentences"
    axis: ClassVar[Axis] = Axis("exact match", "Exact match (share of sentences, 0 to 1)", is_share=True)
    options: ClassVar[Mapping[str, str]] = {}
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
