"""Language plans: what a person types under `languages`, one kind of language model each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from semcom.languages.ngram_spec import HIGHEST_ORDER, NGramSpec
from semcom.scenario.plan import Plan, any_of, by
from semcom.sources.catalog import AnyCorpus

MOST_LANGUAGES = 64


class LanguagePlan(Plan):
    """What all kinds of languages share.

    Args:
        share: share of the training sentences that it is made from, above 0, at most 1; smaller shares are subsets of
            larger ones, and those of codecs with an equal share.
        corpus: other text to make it from, cut by the scenario's own tokenizer; the scenario's validation and test
            sentences are left out of it. Without the key the scenario's own text.
    """

    share: float = Field(default=1.0, gt=0, le=1)
    corpus: Annotated[AnyCorpus, by("source")] | None = None

    @property
    def origins(self) -> tuple[str, ...]:
        """The languages that must exist before this one."""
        return ()


class NGramPlan(LanguagePlan):
    """Counts of n-grams with interpolated Kneser-Ney smoothing: no training, and hard to beat with as little text.

    Args:
        order: length of the longest n-grams, 1 to 6 [tokens]; a token is predicted from the order - 1 before it. More
            than 4 pays with millions of sentences.
    """

    kind: Literal["ngram"] = "ngram"
    order: int = Field(default=4, ge=1, le=HIGHEST_ORDER)

    @property
    def spec(self) -> NGramSpec:
        """Its shape."""
        return NGramSpec(self.order)


LANGUAGES: tuple[type[LanguagePlan], ...] = (NGramPlan,)

if TYPE_CHECKING:
    AnyLanguagePlan = NGramPlan
else:
    AnyLanguagePlan = any_of(LANGUAGES, "kind") if len(LANGUAGES) > 1 else NGramPlan
