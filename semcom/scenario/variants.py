"""The lower floors' own dataclasses as parts of a scenario: marked strict, and told apart by their kind."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from channels import Coherence, Csi, Equalizer, Fading, Interference
from channels.catalog import COHERENCE, CSI, EQUALIZERS, FADING, INTERFERENCE
from semcom.compression.catalog import PRUNINGS, AnyPruning
from semcom.compression.criteria import CRITERIA, AnyCriterion
from semcom.distillation.catalog import METHODS, AnyMethod
from semcom.distillation.language_lesson import LanguageLesson
from semcom.distillation.teaching import Teaching
from semcom.languages.made_up_spec import MadeUp
from semcom.languages.settings import SearchSettings
from semcom.metrics.embedding_model import EmbeddingModel
from semcom.models.semantic_spec import SideSpec
from semcom.scenario.plan import STRICT, by
from semcom.scenario.task_plans import TYPED
from semcom.sources.augmentation import Augmentation
from semcom.sources.catalog import CORPORA, FRAMES, PICTURES, SPEECH, TOKENIZERS, AnyFrames, AnyPictures, AnySpeech
from semcom.tasks.detectors import DETECTORS, Detector
from semcom.training.recipe import Recipe
from semcom.training.settings import TrainingSettings

FadingPlan = Annotated[Fading, by("kind")]
CoherencePlan = Annotated[Coherence, by("kind")]
InterferencePlan = Annotated[Interference, by("kind")]
CsiPlan = Annotated[Csi, by("kind")]
EqualizerPlan = Annotated[Equalizer, by("kind")]
DetectorPlan = Annotated[Detector, by("kind")]
CriterionPlan = Annotated[AnyCriterion, by("kind")]
PruningPlan = Annotated[AnyPruning, by("kind")]
MethodPlan = Annotated[AnyMethod, by("kind")]

# The dataclasses of the lower floors know nothing of pydantic. They are marked here, once: unknown keys are
# refused, and where one holds another, the variant is told by its kind.
_TOLD_APART: dict[str, Any] = {
    "Fading": FadingPlan,
    "Fading | None": FadingPlan | None,
    "Coherence": CoherencePlan,
    "Interference": InterferencePlan,
    "Csi": CsiPlan,
    "Equalizer": EqualizerPlan,
    "AnyCriterion": CriterionPlan,
    "AnyFrames": Annotated[AnyFrames, by("source")],
    "AnyPictures": Annotated[AnyPictures, by("kind")],
    "AnySpeech": Annotated[AnySpeech, by("kind")],
}


OneOrMore = Annotated[
    Annotated[str, Tag("one")] | Annotated[tuple[str, ...], Field(min_length=1), Tag("list")],
    Discriminator(lambda value: "list" if isinstance(value, list | tuple) else "one"),
]
Sinr = Annotated[float, Field(ge=-100, le=100)]

# What only a scenario asks of a key, beyond what the class itself refuses.
_NARROWER: dict[tuple[str, str], Any] = {
    ("Teaching", "teacher"): OneOrMore,
    ("Teaching", "methods"): Annotated[tuple[MethodPlan, ...], Field(min_length=1)],
    ("LanguageLesson", "methods"): tuple[MethodPlan, ...],
    ("Teaching", "label_weight"): Annotated[float, Field(ge=0)],
    ("Teaching", "cleaner_db"): Annotated[float, Field(ge=0, le=100)],
    ("Teaching", "above_sinr_db"): Sinr | None,
    ("Teaching", "rises_over_db"): tuple[Sinr, Sinr] | None,
}


def _mark(*variants: type) -> None:
    for variant in variants:
        variant.__pydantic_config__ = STRICT  # type: ignore[attr-defined]
        for each in dataclasses.fields(variant):
            if (variant.__name__, each.name) in _NARROWER:
                each.type = _NARROWER[variant.__name__, each.name]
            elif isinstance(each.type, str) and each.type in _TOLD_APART:
                each.type = _TOLD_APART[each.type]


_mark(*FADING, *COHERENCE, *INTERFERENCE, *CSI, *EQUALIZERS, *METHODS, *PRUNINGS, *CRITERIA, *CORPORA, *TOKENIZERS)
_mark(*FRAMES, *PICTURES, *SPEECH, *TYPED, *DETECTORS, Augmentation)
_mark(SideSpec, TrainingSettings, EmbeddingModel, Teaching, SearchSettings, LanguageLesson, MadeUp, Recipe)
