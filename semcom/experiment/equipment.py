"""Equipment: what a codec holds or knows that no training gives it."""

from __future__ import annotations

from pathlib import Path

from semcom.baselines.separate import Separate
from semcom.experiment.data import text_of
from semcom.experiment.spoken import spoken
from semcom.models.codec import Codec
from semcom.scenario.work import Build
from semcom.tasks.task import Data
from semcom.tasks.text_data import TextData


def study(codec: Codec, build: Build, data: Data) -> None:
    """Let a codec that keeps tables of its text fill them, from the sentences that others would learn from."""
    if isinstance(codec, Separate):
        assert isinstance(data, TextData)
        codec.study(data.shared(build.settings.share, build.salt))


def equip(codec: Codec, build: Build, folder: Path) -> None:
    """Hand over what is kept apart from weights: how tokens are written, and the language to count with."""
    if isinstance(codec, Separate):
        language = spoken(build.languages, folder) if build.languages else None
        codec.equip(text_of(build, folder).tokenizer, language)
