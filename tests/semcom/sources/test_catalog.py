"""The catalogs: every entry can be made without arguments, and naming them loads nothing heavy."""

import dataclasses
import subprocess
import sys

import pytest

from semcom.sources.catalog import CORPORA, TOKENIZERS


@pytest.mark.parametrize(("entries", "mark"), [(CORPORA, "source"), (TOKENIZERS, "kind")])
def test_entries_are_frozen_marked_and_complete_by_themselves(entries: tuple[type, ...], mark: str) -> None:
    marks = []
    for entry in entries:
        made = entry()
        hash(made)
        assert [field.name for field in dataclasses.fields(made)][-1] == mark
        marks.append(getattr(made, mark))
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(made, mark, "other")
    assert len(set(marks)) == len(entries)


@pytest.mark.parametrize("corpus", CORPORA)
def test_corpora_share_their_common_fields(corpus: type) -> None:
    made = corpus()
    assert (made.longest, made.shortest, made.cleaning, made.sentences) == (30, 4, "letters", None)
    assert all(callable(getattr(made, name)) for name in ("fingerprint", "prepare", "load"))


def test_specs_load_no_heavy_library() -> None:
    script = "import sys, semcom.sources.catalog; print({'torch', 'tokenizers', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
