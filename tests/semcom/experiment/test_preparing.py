"""prepare: a corpus by name or by path, read once and told about."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from semcom.experiment.preparing import prepare_corpus
from semcom.mistakes import UserMistake
from semcom.sources.docstrings import Docstrings
from semcom.sources.europarl import Europarl


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


def test_a_text_file_is_cleaned_and_counted(text_file, said) -> None:
    prepare_corpus(str(text_file), url=None, console=Console(file=said, width=200))
    last = said.getvalue().splitlines()[-1]
    counts = [int(word) for word in last.split() if word.isdigit()]
    assert sum(counts[-3:]) == 600
    assert "training" in last
    assert str(text_file) in last


@pytest.mark.parametrize(
    ("cleaning", "told"),
    [
        ("light", "402 lines read, 400 kept; dropped: 1 too short, 1 repeated"),
        ("letters", "got 402 lines and none that fits (1 too short, 401 in another script)"),
        ("heavy", "--cleaning must be letters or light, got 'heavy'"),
    ],
)
def test_the_cleaning_can_be_chosen(said, tmp_path, cleaning: str, told: str) -> None:
    path = tmp_path / "text.txt"
    lines = [f"\u041b\u043e\u0434\u043a\u0430 \u0438\u0434\u0451\u0442 \u0438 {n}." for n in range(400)]
    path.write_text("\n".join([*lines, lines[0], "Short."]), encoding="utf-8")
    try:
        prepare_corpus(str(path), url=None, cleaning=cleaning, console=Console(file=said, width=200))
    except UserMistake as mistake:
        said.write(str(mistake))
    assert told in said.getvalue()


@pytest.mark.parametrize(
    ("name", "url", "expected"),
    [
        ("docstrings", None, Docstrings()),
        ("europarl", None, Europarl()),
        ("europarl", "http://127.0.0.1:9/archive.tgz", Europarl(url="http://127.0.0.1:9/archive.tgz")),
    ],
)
def test_names_stand_for_corpora(said, monkeypatch, name: str, url: str | None, expected: object) -> None:
    met: list[object] = []

    def load(self, progress=None):
        raise UserMistake("that is enough")

    for kind in (Docstrings, Europarl):
        monkeypatch.setattr(kind, "prepare", lambda self, progress=None: met.append(self) or "prepared")
        monkeypatch.setattr(kind, "load", load)
    with pytest.raises(UserMistake, match="enough"):
        prepare_corpus(name, url=url, console=Console(file=said))
    assert met == [expected]
    assert "prepared" in said.getvalue()


@pytest.mark.parametrize(
    ("name", "url", "told"),
    [
        ("europa", None, "a corpus must be europarl, docstrings, or a file or folder that exists, got europa"),
        ("docstrings", "http://127.0.0.1:9/", "--url is for europarl alone, got it with docstrings"),
    ],
)
def test_what_is_no_corpus(said, name: str, url: str | None, told: str) -> None:
    with pytest.raises(UserMistake) as caught:
        prepare_corpus(name, url=url, console=Console(file=said))
    assert told in str(caught.value)
