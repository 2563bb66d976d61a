"""Sample: what a run folder keeps of its text, so that `send` works where the text is not."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from semcom.experiment.data import data_of
from semcom.files import digest, digest_of, write_atomically
from semcom.identity import canonical
from semcom.mistakes import UserMistake
from semcom.scenario.plan import Plan
from semcom.scenario.work import Sweep
from semcom.sources.catalog import AnyCorpus
from semcom.store.folder import RunFolder
from semcom.store.store import Store
from semcom.tasks.text import Text

SENTENCES = 64


class Sample(Plan):
    """The fingerprint that identities count on, and the first test sentences by hash, for interferers to send.

    Args:
        corpus: as the scenario names it, whose sample this is.
        corpora: fingerprints of the text of languages that have their own, by language.
    """

    corpus: dict[str, Any]
    fingerprint: str = Field(min_length=1)
    sentences: Annotated[tuple[str, ...], Field(min_length=1)]
    corpora: dict[str, str] = Field(default_factory=dict)


def keep_sample(sweep: Sweep, place: RunFolder, store: Store) -> None:
    """Write the sample of a sweep's text into the run folder, unless it is there as it was written."""
    build = next((each for each in sweep.builds if isinstance(each.task, Text)), None)
    corpora = {each.name: each.corpus.fingerprint() for each in sweep.languages if each.corpus}
    if build is None:
        return
    assert isinstance(build.task, Text)
    name, corpus = place.sample_file.name, build.task.corpus
    try:
        kept = read_sample(place, corpus)
        if kept and store.noted.file(name) not in (None, digest_of(place.sample_file)):
            kept = None
    except UserMistake:
        kept = None
    if kept and (kept.fingerprint, kept.corpora) == (build.fingerprint, corpora):
        return
    try:
        sentences = data_of(build, place.path).exam(SENTENCES, SENTENCES).messages
    except UserMistake:
        # Nothing is left to train or to measure, so a text that is gone is no reason to stop.
        place.sample_file.unlink(missing_ok=True)
        return
    told = {"corpus": canonical(corpus), "fingerprint": build.fingerprint, "corpora": corpora}
    sample = Sample(**told, sentences=tuple(sentences))
    written = sample.model_dump_json(indent=1, exclude_defaults=True) + "\n"
    store.noted.note_file(name, digest(written.encode()))
    write_atomically(place.sample_file, written)


def read_sample(place: RunFolder, corpus: AnyCorpus) -> Sample | None:
    """The sample of this corpus, or None where the folder has none, as folders of older versions.

    Raises:
        UserMistake: it is not what was written.
    """
    path = place.sample_file
    try:
        sample = Sample.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        what = f"{path}: must be as `semcom run` wrote it, got a file that is damaged or cannot be read"
        raise UserMistake(f"{what}; delete it: `semcom run` with this --out writes it again") from None
    return sample if sample.corpus == canonical(corpus) else None
