"""Find what is damaged in a run folder, say so, and make it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from semcom.files import digest_of
from semcom.mistakes import UserMistake
from semcom.scenario.work import AnyBuild, Build, Digests, Sweep, Tuning
from semcom.store.digests import WEIGHTS_DIGEST
from semcom.store.folder import RunFolder
from semcom.store.kept import check_kept
from semcom.store.store import Store
from semcom.training.checkpoint import Checkpoint
from semcom.words import counted

B = TypeVar("B", bound=AnyBuild)


def mend(sweep: Sweep, place: RunFolder, store: Store, say: Callable[[str], None]) -> set[str]:
    """Forget what is damaged, so that it is made again; all of it can be, with the same numbers.

    What an older version kept has no digest. It is taken as it is and gets one.

    Returns:
        Identities of the builds that were forgotten.
    """
    if runs := store.noted.damaged("run"):
        what = f"what it says of {counted(len(runs), 'point')} was damaged or edited since"
        say(f"{place.store_file}: {what}; measured again where asked for")
        store.noted.forget("run", runs)
    lost = set(store.noted.damaged("build"))
    if lost:
        what = f"what it says of {counted(len(lost), 'codec')} was damaged or edited since"
        say(f"{place.store_file}: {what}; trained again where asked for")
        store.noted.forget("build", lost)
    for path in _kept_files(sweep.builds, place):
        noted = store.noted.file(f"{place.tokenizers.name}/{path.name}")
        if path.is_file() and noted not in (None, digest_of(path)):
            say(f"{path}: damaged or edited since it was written; trained again")
            path.unlink()
    for build in sweep.everything:
        if not _has_sound_weights(build, place, store, say):
            lost.add(build.identity)
        _drop_damaged_checkpoint(build, place, store, say)
    return lost


def note_tokenizers(builds: Iterable[AnyBuild], place: RunFolder, store: Store) -> None:
    """Note the digests of tokenizers that have none, before anything is trained with them."""
    for path in _kept_files(builds, place):
        name = f"{place.tokenizers.name}/{path.name}"
        if path.is_file() and store.noted.file(name) is None:
            store.noted.note_file(name, digest_of(path))


def sealed(builds: Iterable[AnyBuild], place: RunFolder, store: Store) -> dict[str, AnyBuild]:
    """The builds by identity, each with what its files must be."""
    known = store.builds()

    def one(build: B) -> B:
        record = known[build.identity].record if build.identity in known else {}
        kept = next(
            (store.noted.file(f"{place.tokenizers.name}/{path.name}") for path in _kept_files([build], place)), None
        )
        digests = Digests(record.get(WEIGHTS_DIGEST), kept)
        if isinstance(build, Tuning):
            return replace(build, digests=digests, codec=one(build.codec), language=one(build.language))
        if isinstance(build, Build):
            return replace(build, digests=digests, languages=tuple(map(one, build.languages)))
        return replace(build, digests=digests)

    return {build.identity: one(build) for build in builds}


def _kept_files(builds: Iterable[AnyBuild], place: RunFolder) -> set[Path]:
    """What the folder keeps of the builds' messages: of text the tokenizers."""
    return {path for build in builds for path in build.task.kept_files(place.tokenizers, build.fingerprint)}


def _has_sound_weights(build: AnyBuild, place: RunFolder, store: Store, say: Callable[[str], None]) -> bool:
    """Whether a finished build has the weights that it was finished with, as far as there are any."""
    known, path = store.builds().get(build.identity), place.weights(build.identity)
    if known is None or known.status != "done" or not path.is_file():
        return True
    noted = known.record.get(WEIGHTS_DIGEST)
    try:
        check_kept(build, path, noted)
    except UserMistake:
        say(f"{path}: damaged, edited or exchanged since it was saved; {build.name} is {_made(build)} again")
        # Forgotten before it is gone: what is only gone would count as removed by somebody who has no need of it.
        store.noted.forget("build", [build.identity])
        path.unlink()
        return False
    if noted is None:
        record = {**known.record, WEIGHTS_DIGEST: digest_of(path)}
        store.finish_build(build.identity, name=known.name, record=record)
    return True


def _drop_damaged_checkpoint(build: AnyBuild, place: RunFolder, store: Store, say: Callable[[str], None]) -> None:
    path = place.checkpoint(build.identity)
    if build.identity in store.done_builds() or not path.is_file():
        return
    if Checkpoint(path, build.identity).load() is None:
        say(f"{path}: damaged, or of another training; {build.name} is trained from the beginning")
        path.unlink()


def _made(build: AnyBuild) -> str:
    return "trained" if isinstance(build, Build) else "made"
