"""Modulation recognition: signal frames are sent as they are, and the receiver wants to know how they are modulated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from semcom.metrics.catalog import default_metrics
from semcom.metrics.metric import Scored
from semcom.models.recognizer_spec import RECOGNIZER_SIZES, RecognizerSpec
from semcom.models.spec import Carries, Spec
from semcom.sources.generated_frames import GeneratedFrames
from semcom.tasks.task import Counts, Progress

if TYPE_CHECKING:
    from semcom.sources.catalog import AnyFrames
    from semcom.tasks.frame_data import FrameData

# Samples of a frame where the source has one length alone.
LENGTHS = {"rml2016": 128, "rml2018": 1024}


@dataclass(frozen=True)
class Modulation:
    """Labelled frames; a codec's transmitter sends the frame itself, its receiver names the class.

    A receiver that does not know how a frame is modulated has no pilots in it either: unless a scenario says
    otherwise, nothing is known of the gains and nothing is equalized, in training and in the measurements.

    Args:
        source: where the frames come from.
    """

    source: AnyFrames = GeneratedFrames()
    kind: Literal["modulation"] = "modulation"

    carries: ClassVar[Carries] = "frames"
    scores: ClassVar[Scored] = "classes"
    unit: ClassVar[str] = "frame"
    message: ClassVar[str] = "frame"
    usual_units: ClassVar[int] = 1
    codec: ClassVar[str] = "recognizer"
    sizes: ClassVar[Mapping[str, Spec]] = RECOGNIZER_SIZES
    usual_size: ClassVar[str] = "iq_resnet8"
    defaults: ClassVar[Mapping[str, Any]] = {
        "training": {"csi": {"kind": "none"}, "equalizer": {"kind": "none"}, "airs": 16},
        "link": {"csi": {"kind": "none"}, "equalizer": {"kind": "none"}},
        "measure": {"metrics": list(default_metrics("classes"))},
    }

    @classmethod
    def usually(cls, typed: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The same whatever is typed."""
        return cls.codec, cls.defaults

    @property
    def source_name(self) -> str:
        """Of the source."""
        return self.source.source

    @property
    def is_at_hand(self) -> bool:
        """Frames are generated, or read from a large file."""
        return False

    @property
    def length(self) -> int:
        """Samples of a frame."""
        return LENGTHS.get(self.source.source) or int(getattr(self.source, "length"))  # noqa: B009

    def fitted(self, spec: Any) -> Any:
        """A recognizer of frames of this length."""
        return replace(spec, length=self.length) if isinstance(spec, RecognizerSpec) else spec

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
        """None: what is learned of the frames is in the weights."""
        return ()

    def count(self, progress: Progress | None = None) -> Counts:
        """Make or read the frames, once, and let them go again."""
        frames = self.source.load(progress)
        account = f"{self.source.source}: {frames.account}" if frames.account else ""
        return Counts(len(frames.train), len(frames.validation), len(frames.test), account)

    def load(self, kept: Path, fingerprint: str, *, noted: str | None = None) -> FrameData:
        """See `Task.load`."""
        from semcom.tasks.frame_data import load_frames

        return load_frames(self.source, fingerprint)
