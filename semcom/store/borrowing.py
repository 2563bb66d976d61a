"""Borrowing: codecs that another run folder has trained already."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from semcom.files import digest, write_atomically
from semcom.mistakes import UserMistake
from semcom.scenario.work import Sweep
from semcom.sources.tokenizer import Tokenizer
from semcom.store.digests import WEIGHTS_DIGEST
from semcom.store.folder import RunFolder
from semcom.store.kept import check_kept
from semcom.store.store import Store

TIMED = ("seconds", "step_ms")
FROM_ELSEWHERE = "run the lender again, or borrow from another"


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
            lent, spoilt = theirs.builds(), set(theirs.noted.damaged("build"))
            noted = {path: theirs.noted.file(f"tokenizers/{path.name}") for path in lender.tokenizers.glob("*.json")}
        ours, before = store.done_builds(), len(borrowed)
        for build in sweep.everything:
            known = lent.get(build.identity)
            weights = lender.weights(build.identity)
            is_there = build.identity in ours and place.weights(build.identity).is_file()
            if is_there or known is None or known.status != "done" or not weights.is_file():
                continue
            if build.identity in spoilt:
                what = f"what it says of {build.name} must be as its run stored it, got a damaged or edited record"
                raise UserMistake(f"{lender.store_file}: {what}; {FROM_ELSEWHERE}")
            with _as_lent():
                check_kept(build, weights, known.record.get(WEIGHTS_DIGEST))
            copied = _copy(weights, place.weights(build.identity), noted=known.record.get(WEIGHTS_DIGEST))
            record = {**_lasting(known.record), "name": build.name, WEIGHTS_DIGEST: copied}
            store.finish_build(build.identity, name=build.name, record=record)
            borrowed.append(build.name)
        for tokenizer in sorted(noted) if len(borrowed) > before else ():
            if not (place.tokenizers / tokenizer.name).is_file():
                with _as_lent():
                    Tokenizer.load(tokenizer)
                name = f"{place.tokenizers.name}/{tokenizer.name}"
                wanted = store.noted.file(name) or noted[tokenizer]
                store.noted.note_file(name, _copy(tokenizer, place.tokenizers / tokenizer.name, noted=wanted))
    return borrowed


def _lasting(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record without what was timed."""
    return {name: fact for name, fact in record.items() if name not in TIMED and not name.startswith("latency")}


@contextlib.contextmanager
def _as_lent() -> Iterator[None]:
    """Advice on damaged files that is of use here: running the borrower again would only meet them again."""
    try:
        yield
    except UserMistake as mistake:
        what, _, _ = str(mistake).partition("; ")
        raise UserMistake(f"{what}; {FROM_ELSEWHERE}") from None


def _copy(source: Path, target: Path, *, noted: str | None) -> str:
    """Copy a file that has the digest that was noted, if one was; the digest of the copy."""
    try:
        content = source.read_bytes()
    except OSError as error:
        raise UserMistake(f"{source}: must be readable to be borrowed, got: {error.strerror}") from None
    if noted not in (None, digest(content)):
        what = "must be as its run wrote it to be borrowed, got a damaged or edited file"
        raise UserMistake(f"{source}: {what}; {FROM_ELSEWHERE}")
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, content)
    return digest(content)
