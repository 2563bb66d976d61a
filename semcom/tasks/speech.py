"""Speech: words are spoken and sent, and the receiver wants to know which they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from semcom.metrics.catalog import default_metrics
from semcom.metrics.metric import Scored
from semcom.models.generative_speech_spec import GENERATIVE_SPEECH_SIZES
from semcom.models.pretrained_speech_spec import PRETRAINED_SPEECH_SIZES, PretrainedSpeechSpec
from semcom.models.spec import Carries, Spec
from semcom.models.speech_spec import SPEECH_SIZES
from semcom.sources.formant_words import FormantWords
from semcom.tasks.task import Counts, Progress

if TYPE_CHECKING:
    from semcom.sources.catalog import AnySpeech
    from semcom.tasks.speech_data import SpeechData

SIZE = ("rate", "samples")


@dataclass(frozen=True)
class Speech:
    """Spoken words, told apart by who speaks; the receiver names the word that was said.

    Args:
        source: where the words come from.
    """

    source: AnySpeech = FormantWords()
    kind: Literal["speech"] = "speech"

    carries: ClassVar[Carries] = "speech"
    scores: ClassVar[Scored] = "classes"
    unit: ClassVar[str] = "word"
    message: ClassVar[str] = "word"
    usual_units: ClassVar[int] = 1
    codec: ClassVar[str] = "speech"
    sizes: ClassVar[Mapping[str, Spec]] = {
        **SPEECH_SIZES,
        **PRETRAINED_SPEECH_SIZES,
        **GENERATIVE_SPEECH_SIZES,
    }
    usual_size: ClassVar[str] = "speech_small"
    defaults: ClassVar[Mapping[str, Any]] = {"measure": {"metrics": list(default_metrics("classes"))}}

    @classmethod
    def usually(cls, typed: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The same whatever is typed."""
        return cls.codec, cls.defaults

    @property
    def source_name(self) -> str:
        """Of the source."""
        return self.source.kind

    @property
    def is_at_hand(self) -> bool:
        """As the source says."""
        return self.source.is_at_hand

    def fitted(self, spec: Any) -> Any:
        """A codec of words of this rate and length, with the encoder of its folder, or one plugged in around such."""
        if any(each.name == "plugged" for each in fields(spec)):
            return replace(spec, plugged=self.fitted(spec.plugged))
        if not {each.name for each in fields(spec)}.issuperset(SIZE):
            return spec
        fitted = replace(spec, rate=self.source.rate, samples=self.source.samples)
        return fitted.found() if isinstance(fitted, PretrainedSpeechSpec) else fitted

    def fingerprint(self) -> str:
        """Of the source."""
        return self.source.fingerprint()

    def facts(self, fingerprint: str) -> dict[str, Any]:
        """The task and its source."""
        return {"task": self.kind, "source": fingerprint}

    def exam_facts(self, fingerprint: str) -> dict[str, Any]:
        """The task and its source."""
        return self.facts(fingerprint)

    def kept_files(self, kept: Path, fingerprint: str) -> tuple[Path, ...]:
        """None: what is learned of the words is in the weights."""
        return ()

    def count(self, progress: Progress | None = None) -> Counts:
        """Make or read the words, once, and let them go again."""
        words = self.source.load(progress)
        account = f"{self.source.kind}: {words.account}" if words.account else ""
        return Counts(len(words.train), len(words.validation), len(words.test), account)

    def load(self, kept: Path, fingerprint: str, *, noted: str | None = None) -> SpeechData:
        """See `Task.load`."""
        from semcom.tasks.speech_data import load_speech

        return load_speech(self.source, fingerprint)
