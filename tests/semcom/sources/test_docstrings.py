"""Docstrings: real prose out of source files that are never run."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from semcom.sources import docstrings
from semcom.sources.docstrings import Docstrings, extract, prose_of

DOCSTRING = """
measure(boat, *, depth=3) -> float

Measure how deep a boat lies in the water.

The hull is taken to be closed. Use :func:`weigh` for ``Barge`` objects, *never*
this one [1]_; see `the manual <https://example.org>`_ for more. It calls a.b(c) inside.

.. versionadded:: 2.0
    The depth may now be given in feet.

.. math::

    d = m / A. This is no sentence.

For example::

    The code. It is not prose.

Parameters
----------
boat : Boat or None, optional
    The boat to measure. If it is None, the last one is taken.
depth (int): The depth of the lock in feet.

=====  =====
The a  The b
=====  =====

>>> measure(boat)
The output is 3.

Notes
-----
- The first item is a sentence too.
- another item

.. [1] The book of all boats.
"""


def test_only_prose_is_taken() -> None:
    assert list(prose_of(DOCSTRING)) == [
        "Measure how deep a boat lies in the water.",
        "The hull is taken to be closed.",
        "Use weigh for Barge objects, never this one; see the manual for more.",
        "The depth may now be given in feet.",
        "The boat to measure.",
        "If it is None, the last one is taken.",
        "The depth of the lock in feet.",
        "The first item is a sentence too.",
    ]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "library"
    (root / "tests").mkdir(parents=True)
    (root / "tests" / "test_it.py").write_text('"""This test is not read at all."""')
    (root / "broken.py").write_text('"""This file does not parse."""\ndef (')
    (root / "plain.py").write_text("raise RuntimeError('a parsed file must not be run')")
    (root / "good.py").write_text(
        textwrap.dedent('''
            """The module speaks first."""
            raise RuntimeError("a parsed file must not be run")
            if True:
                class Boat:
                    """It can swim in all waters."""
                    async def sail(self):
                        """Sail to the end of the world."""
                        def inner():
                            """Look at the stars by night."""
            "This is not a docstring of anything."
            def again():
                """It can swim in all waters."""
            def odd():
                """This holds half a \\ud800 character."""
        ''')
    )
    monkeypatch.setattr(docstrings, "_roots", lambda: iter([root]))
    return root


def test_files_are_parsed_and_never_run(library: Path) -> None:
    told: list[tuple[str, int, int]] = []
    assert list(extract(lambda *news: told.append(news))) == [
        "The module speaks first.",
        "It can swim in all waters.",
        "Sail to the end of the world.",
        "Look at the stars by night.",
    ]
    assert told[-1] == ("reading docstrings", 3, 3)


def test_the_second_load_reads_no_source(library: Path) -> None:
    sentences = " ".join(f"The {a} {b} is made of {c}." for a in WORDS for b in WORDS for c in WORDS)
    (library / "good.py").write_text(f'"""{sentences}"""')
    first = Docstrings().load()
    assert len(first.train) > 100
    (library / "good.py").unlink()
    assert Docstrings().load() == first
    # Other rules are applied to what was read once.
    assert len(Docstrings(sentences=100).load().train) < len(first.train)


WORDS = ["amber", "birch", "cedar", "delft", "ebony", "flint"]


def test_the_fingerprint_follows_versions_and_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Docstrings().fingerprint()
    assert Docstrings().fingerprint() == before != Docstrings(longest=20).fingerprint()
    monkeypatch.setattr(docstrings, "PACKAGES", ("numpy",))
    assert Docstrings().fingerprint() != before


def test_an_absent_package_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docstrings, "PACKAGES", ("a_package_that_nobody_has",))
    assert [root.name.startswith("python") for root in docstrings._roots()] == [True]
    Docstrings().fingerprint()


@pytest.mark.slow
def test_the_installed_libraries_give_a_corpus() -> None:
    script = (
        "import sys; from semcom.sources.docstrings import Docstrings; c = Docstrings().load(); "
        "assert not {'torch', 'numpy', 'scipy', 'matplotlib'} & set(sys.modules); print(len(c.train))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 20_000
