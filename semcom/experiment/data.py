"""The messages that a build was planned on."""

from __future__ import annotations

from pathlib import Path

from semcom.scenario.work import AnyBuild
from semcom.store.folder import RunFolder
from semcom.tasks.task import Data
from semcom.tasks.text_data import TextData


def data_of(build: AnyBuild, folder: Path) -> Data:
    """The messages that a build was planned on."""
    return build.task.load(RunFolder(folder).tokenizers, build.fingerprint, noted=build.digests.tokenizer)


def text_of(build: AnyBuild, folder: Path) -> TextData:
    """The same where they are sentences."""
    data = data_of(build, folder)
    assert isinstance(data, TextData), "only sentences are made of language"
    return data
