"""Whether a kept file is what the store knows it to be."""

from __future__ import annotations

from pathlib import Path

from semcom.files import digest_of
from semcom.mistakes import UserMistake
from semcom.scenario.work import AnyBuild, Build
from semcom.training.checkpoint import check_weights


def check_kept(build: AnyBuild, path: Path, noted: str | None) -> None:
    """See that a file is this build's as it was written, before anybody takes it over.

    Args:
        noted: the digest that the file had when it was saved, if anybody knows it; of languages and tunings it is
            always known, and whoever loads them looks inside.

    Raises:
        UserMistake: the file is missing, damaged, edited, or another build's.
    """
    if isinstance(build, Build):
        check_weights(path, build=build.identity, noted=noted)
    elif noted is None or digest_of(path) != noted:
        raise UserMistake(f"{path}: must be as it was written, got a damaged, edited or exchanged file; run again")
