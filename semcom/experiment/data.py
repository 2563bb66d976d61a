"""The messages that a build was planned on."""

from __future__ import annotations

from pathlib import Path

from semcom.scenario.work import AnyBuild
from semcom.sources.catalog import AnyCorpus
from semcom.store.folder import RunFolder
from semcom.tasks.task import Data, Exam
from semcom.tasks.text_data import TextData


def data_of(build: AnyBuild, folder: Path) -> Data:
    """The messages that a build was planned on."""
    return build.task.load(RunFolder(folder).tokenizers, build.fingerprint, noted=build.digests.tokenizer)


def exam_of(data: Data, count: int, size: int, *, skip: int, foreign: AnyCorpus | None) -> Exam:
    """The test messages that are measured, of the data's own or of other text."""
    if foreign is None:
        return data.exam(count, size, skip=skip)
    assert isinstance(data, TextData), "other text is of sentences, as check_languages has seen"
    return data.exam(count, size, skip=skip, foreign=foreign)


def text_of(build: AnyBuild, folder: Path) -> TextData:
    """The same where they are sentences."""
    data = data_of(build, folder)
    assert isinstance(data, TextData), "only sentences are made of language"
    return data
