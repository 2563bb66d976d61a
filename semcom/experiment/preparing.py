"""prepare: obtain and clean a corpus once, so that later runs find it ready."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

from rich.console import Console

from semcom.experiment.progress import Board, named
from semcom.mistakes import UserMistake
from semcom.scenario.paths import from_here
from semcom.sources.catalog import AnyCorpus
from semcom.sources.cleaning import Cleaning
from semcom.sources.docstrings import Docstrings
from semcom.sources.europarl import Europarl
from semcom.sources.textfile import TextFile


def prepare_corpus(name: str, *, url: str | None, console: Console, cleaning: str = "letters") -> None:
    """Fetch what must be fetched, clean it, and say what there is.

    Args:
        name: europarl, docstrings, or the path of a text file or folder.
        url: another address of the archive, for Europarl alone.
        cleaning: letters or light, as a scenario's corpus.cleaning says.

    Raises:
        UserMistake: the name is none of these, or the corpus cannot be had.
    """
    source = _cleaned(_named(name, url), cleaning)
    with Board(console) as board:
        progress = named(board.tick(f"preparing {name}"))
        board.say(source.prepare(progress))
        text = source.load(progress)
        if text.account:
            board.say(f"{name}: {text.account}")
        board.say(
            f"{name}: {len(text.train)} training, {len(text.validation)} validation and {len(text.test)} test sentences"
        )


def _cleaned(source: AnyCorpus, cleaning: str) -> AnyCorpus:
    try:
        # Any text may be typed here; the source refuses what is no cleaning.
        return replace(source, cleaning=cast(Cleaning, cleaning))
    except UserMistake as mistake:
        raise UserMistake(f"--{mistake}") from None


def _named(name: str, url: str | None) -> AnyCorpus:
    if name == "europarl":
        return Europarl(url=from_here(url)) if url else Europarl()
    if url is not None:
        raise UserMistake(f"--url is for europarl alone, got it with {name}; leave it out")
    if name == "docstrings":
        return Docstrings()
    if not (name.strip() and Path(name).exists()):
        raise UserMistake(
            f"a corpus must be europarl, docstrings, or a file or folder that exists, got {name or 'nothing'}"
        )
    return TextFile(path=name)
