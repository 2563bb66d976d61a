"""Borrowing: codecs that another run folder has trained already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semcom.experiment.expand import Sweep
from semcom.experiment.folder import RunFolder
from semcom.experiment.store import Store
from semcom.files import write_atomically
from semcom.mistakes import UserMistake
from semcom.sources.tokenizer import Tokenizer
from semcom.training.checkpoint import check_weights

TIMED = ("seconds", "step_ms")


def check_lenders(lenders: tuple[Path, ...]) -> None:
    """Find out that somebody has nothing to lend before the borrower's folder is made.

    Raises:
        UserMistake: a lender is no run folder, or its store cannot be read.
    """
    for lender in map(RunFolder, lenders):
        if not lender.store_file.is_file():
            raise UserMistake(f"--borrow must name a run folder, got {lender.path}, which holds no results.sqlite")
        Store(lender.store_file, reading=True).close()


def borrow(sweep: Sweep, place: RunFolder, store: Store, *, lenders: tuple[Path, ...]) -> list[str]:
    """Copy finished codecs of this sweep out of other run folders.

    A build's identity covers everything that can change its weights, so what another scenario trained under the same
    identity is the codec that would be trained here. The tokenizers come along. Times stay behind: they are of another
    run and perhaps of another machine. Lenders are only read.

    Returns: names of the codecs that were borrowed.

    Raises:
        UserMistake: a lender's files are damaged, or cannot be read or copied.
    """
    borrowed: list[str] = []
    for lender in map(RunFolder, lenders):
        with Store(lender.store_file, reading=True) as theirs:
            lent = theirs.builds()
        ours, before = store.done_builds(), len(borrowed)
        for build in sweep.builds:
            known = lent.get(build.identity)
            weights = lender.weights(build.identity)
            is_there = build.identity in ours and place.weights(build.identity).is_file()
            if is_there or known is None or known.status != "done" or not weights.is_file():
                continue
            check_weights(weights, build=build.identity)
            _copy(weights, place.weights(build.identity))
            store.finish_build(build.identity, name=build.name, record={**_lasting(known.record), "name": build.name})
            borrowed.append(build.name)
        for tokenizer in sorted(lender.tokenizers.glob("*.json")) if len(borrowed) > before else ():
            if not (place.tokenizers / tokenizer.name).is_file():
                Tokenizer.load(tokenizer)
                _copy(tokenizer, place.tokenizers / tokenizer.name)
    return borrowed


def _lasting(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record without what was timed."""
    return {name: fact for name, fact in record.items() if name not in TIMED and not name.startswith("latency")}


def _copy(source: Path, target: Path) -> None:
    try:
        content = source.read_bytes()
    except OSError as error:
        raise UserMistake(f"{source}: must be readable to be borrowed, got: {error.strerror}") from None
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, content)
