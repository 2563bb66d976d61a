"""Language plans: what a person types under `languages`, one kind of language model each."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from semcom.distillation.language_lesson import LanguageLesson
from semcom.languages.made_up_spec import MadeUp
from semcom.languages.mixture_spec import MixtureSpec
from semcom.languages.ngram_spec import HIGHEST_ORDER, NGramSpec
from semcom.languages.transformer_spec import LANGUAGE_SIZES, TransformerSpec
from semcom.scenario.hints import suggestion
from semcom.scenario.plan import Plan, any_of, by, changed, changes_to
from semcom.scenario.sweep import MOST_SEED
from semcom.sources.catalog import AnyCorpus
from semcom.training.recipe import Recipe

MOST_LANGUAGES = 64
USUAL_RECIPE = Recipe(steps=3000, batch=64, learning_rate=2e-3)

if TYPE_CHECKING:
    RecipeChanges = BaseModel
else:
    RecipeChanges = changes_to(Recipe)


class LanguagePlan(Plan):
    """What all kinds of languages share."""

    @property
    def spec(self) -> NGramSpec | TransformerSpec | MixtureSpec:
        """Its shape."""
        raise NotImplementedError

    @property
    def origins(self) -> tuple[str, ...]:
        """The languages that must exist before this one."""
        return ()

    def key_of(self, origin: str) -> str:
        """The key under which one of the origins is named."""
        return "of"


class FromText(LanguagePlan):
    """A language that is made from text.

    Args:
        share: share of the training sentences that it is made from, above 0, at most 1; smaller shares are subsets of
            larger ones, and those of codecs with an equal share.
        own_share: whether each seed takes a share of its own, instead of all the same sentences.
        corpus: other text to make it from, cut by the scenario's own tokenizer; the scenario's validation and test
            sentences are left out of it. Without the key the scenario's own text.
        made_up: sentences that another language makes up, to learn from beside that text.
    """

    share: float = Field(default=1.0, gt=0, le=1)
    own_share: bool = False
    corpus: Annotated[AnyCorpus, by("source")] | None = None
    made_up: MadeUp | None = None

    @property
    def origins(self) -> tuple[str, ...]:
        """The language whose sentences it learns from."""
        return (self.made_up.by,) if self.made_up else ()

    def key_of(self, origin: str) -> str:
        """See `LanguagePlan.key_of`."""
        return "made_up.by" if self.made_up and self.made_up.by == origin else "distill.teacher"


class NGramPlan(FromText):
    """Counts of n-grams with interpolated Kneser-Ney smoothing: no training, and hard to beat with as little text.

    Args:
        order: length of the longest n-grams, 1 to 6 [tokens]; a token is predicted from the order - 1 before it. More
            than 4 pays with millions of sentences.
    """

    kind: Literal["ngram"] = "ngram"
    order: int = Field(default=4, ge=1, le=HIGHEST_ORDER)

    @property
    def spec(self) -> NGramSpec:
        """See `LanguagePlan.spec`."""
        return NGramSpec(self.order)


class TransformerPlan(FromText):
    """A decoder-only Transformer that predicts each token from all before it; the default size is `base`.

    Args:
        size: a named size (`semcom list languages`); the keys beside it change it.
        width: features per token; even, at most 4096.
        layers: Transformer layers, from 1 to 64.
        heads: attention heads; must divide the width.
        feedforward: hidden units of each layer's feed-forward part, at most 16384.
        dropout: share of features dropped in training.
        seed: one language for all seeds of the scenario, made with this one; without it each has its own.
        training: what differs from the usual training of a language, which is 3000 steps of 64 sentences at a learning
            rate of 0.002; its `share` is not used.
        distill: from which language to learn, and how; without it from text alone.
    """

    kind: Literal["transformer"] = "transformer"
    size: str = "base"
    width: int | None = Field(default=None, ge=2)
    layers: int | None = Field(default=None, ge=1)
    heads: int | None = Field(default=None, ge=1)
    feedforward: int | None = Field(default=None, ge=1)
    dropout: float | None = Field(default=None, ge=0, lt=1)
    seed: int | None = Field(default=None, ge=0, lt=MOST_SEED)
    training: RecipeChanges | None = None
    distill: LanguageLesson | None = None

    @field_validator("size")
    @classmethod
    def _known(cls, size: str) -> str:
        if size not in LANGUAGE_SIZES:
            raise ValueError(
                f"must be one of {', '.join(LANGUAGE_SIZES)}, got '{size}'{suggestion(size, LANGUAGE_SIZES)}"
            )
        return size

    @model_validator(mode="after")
    def _makes_sense(self) -> Any:
        _ = self.spec
        if self.recipe.devices != 1:
            raise ValueError(f"training.devices must be 1 for a language, got {self.recipe.devices}")
        return self

    _SHAPE: ClassVar[tuple[str, ...]] = ("width", "layers", "heads", "feedforward", "dropout")

    @property
    def spec(self) -> TransformerSpec:
        """See `LanguagePlan.spec`."""
        typed = {name: value for name in self._SHAPE if (value := getattr(self, name)) is not None}
        return dataclasses.replace(LANGUAGE_SIZES[self.size], **typed)

    @property
    def recipe(self) -> Recipe:
        """How it is trained."""
        made: Recipe = changed(USUAL_RECIPE, self.training)
        return made

    @property
    def origins(self) -> tuple[str, ...]:
        """Its teacher, and the language whose sentences it learns from."""
        return (*((self.distill.teacher,) if self.distill else ()), *super().origins)


class MixturePlan(LanguagePlan):
    """Two languages interpolated; the weight is fitted on validation sentences.

    Args:
        of: the two languages.
    """

    kind: Literal["mixture"] = "mixture"
    of: tuple[str, str]

    @property
    def spec(self) -> MixtureSpec:
        """See `LanguagePlan.spec`."""
        return MixtureSpec()

    @property
    def origins(self) -> tuple[str, ...]:
        """The two."""
        return self.of


LANGUAGES: tuple[type[LanguagePlan], ...] = (NGramPlan, TransformerPlan, MixturePlan)

if TYPE_CHECKING:
    AnyLanguagePlan = NGramPlan | TransformerPlan | MixturePlan
else:
    AnyLanguagePlan = any_of(LANGUAGES, "kind")
