"""Speech: words are spoken and sent, and the receiver wants to know which, or who speaks, or their spectrum."""

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
from semcom.models.speech_rebuilder_spec import SPEECH_REBUILDER_SIZES, SpeechRebuilderSpec
from semcom.models.speech_spec import FRAMES_A_SECOND, SPEECH_SIZES
from semcom.models.word_spec import USUAL_S
from semcom.sources.formant_words import FormantWords
from semcom.sources.speech_splits import of_speakers
from semcom.tasks.task import Counts, Progress

if TYPE_CHECKING:
    from semcom.sources.catalog import AnySpeech
    from semcom.tasks.speech_data import SpeechData

SIZE = ("rate", "samples")


@dataclass(frozen=True)
class Speech:
    """Spoken words; the receiver names the word that was said, or who said it, or rebuilds its spectrum.

    Nobody who is tested was heard in training, except where speakers are to be named: then a tenth of the recordings of
    each validates, a tenth is tested, whatever the source says of speakers.

    Args:
        source: where the words come from.
        wants: `word` for which word it was, `speaker` for who said it, `spectrum` for its log-mel
            spectrum, frame by frame.
    """

    source: AnySpeech = FormantWords()
    wants: Literal["word", "speaker", "spectrum"] = "word"
    kind: Literal["speech"] = "speech"

    carries: ClassVar[Carries] = "speech"
    message: ClassVar[str] = "word"
    codec: ClassVar[str] = "speech"
    sizes: ClassVar[Mapping[str, Spec]] = {
        **SPEECH_SIZES,
        **PRETRAINED_SPEECH_SIZES,
        **GENERATIVE_SPEECH_SIZES,
        **SPEECH_REBUILDER_SIZES,
    }
    usual_size: ClassVar[str] = "speech_small"
    defaults: ClassVar[Mapping[str, Any]] = {"measure": {"metrics": list(default_metrics("classes"))}}

    def __post_init__(self) -> None:
        if self.wants not in ("word", "speaker", "spectrum"):
            raise ValueError(f"wants must be 'word', 'speaker' or 'spectrum', got {self.wants!r}")
        if self.wants == "speaker" and getattr(self.source, "speakers", None) == "none":
            raise ValueError(
                "wants: speaker must have a source that tells who speaks, got speakers: none; set source.speakers: "
                "folder, or name"
            )

    @classmethod
    def usually(cls, typed: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """Where the spectrum is wanted, codecs rebuild it and its metrics compare spectra."""
        if typed.get("wants") == "spectrum":
            return SpeechRebuilderSpec.kind, {"measure": {"metrics": list(default_metrics("spectra"))}}
        return cls.codec, cls.defaults

    @property
    def scores(self) -> Scored:
        """As the receiver wants it."""
        return "spectra" if self.wants == "spectrum" else "classes"

    @property
    def unit(self) -> str:
        """A word that is named takes equally many symbols however long it is; one that is rebuilt, as many a frame."""
        return "frame" if self.wants == "spectrum" else "word"

    @property
    def usual_units(self) -> int:
        """One word, or its frames."""
        return round(USUAL_S * FRAMES_A_SECOND) if self.wants == "spectrum" else 1

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
        """The task and its source, and what is wanted unless it is the word."""
        wanted = {} if self.wants == "word" else {"wants": self.wants}
        return {"task": self.kind, "source": fingerprint, **wanted}

    def exam_facts(self, fingerprint: str) -> dict[str, Any]:
        """The same."""
        return self.facts(fingerprint)

    def kept_files(self, kept: Path, fingerprint: str) -> tuple[Path, ...]:
        """None: what is learned of the words is in the weights."""
        return ()

    def count(self, progress: Progress | None = None) -> Counts:
        """Make or read the words, once, and let them go again."""
        words = self.source.load(progress)
        words = of_speakers(words) if self.wants == "speaker" else words
        account = f"{self.source.kind}: {words.account}" if words.account else ""
        return Counts(len(words.train), len(words.validation), len(words.test), account)

    def load(self, kept: Path, fingerprint: str, *, noted: str | None = None) -> SpeechData:
        """See `Task.load`."""
        from semcom.tasks.speech_data import load_speech

        rebuilt = self.fitted(SpeechRebuilderSpec()) if self.wants == "spectrum" else None
        return load_speech(self.source, fingerprint, rebuilt=rebuilt, speakers=self.wants == "speaker")
