"""confusion.csv: what is written is read again, and nothing else is."""

import numpy as np
import pytest

from semcom.mistakes import UserMistake
from semcom.store import confusions as module
from semcom.store.confusions import COLUMNS, PLACE, Confusion, read_confusions, write_confusions

COUNTS = np.array([[7, 0, 1, 0], [0, 0, 0, 0], [2, 3, 4, 5]])


def matrix(**other):
    told = {"codec": "small", "role": "student", "seed": 3, "snr_db": 6.0, "interferers": 0}
    return Confusion(**{**told, "classes": ("a", "b,c", "d"), "counts": COUNTS, **other})


def test_what_is_written_is_read_again(tmp_path):
    wrote = [
        matrix(sir_db=float("inf")),
        matrix(interferers=2, level_db=(-3.0, 0.0), crowd="small+big", user="1", snr_db=-1.5),
        matrix(codec="big", seed=None, classes=("b", "a"), counts=np.arange(6).reshape(2, 3)),
    ]
    write_confusions(wrote, tmp_path / "confusion.csv")
    read = read_confusions(tmp_path / "confusion.csv")
    assert [each.place for each in read] == [each.place for each in wrote]
    for ours, theirs in zip(read, wrote, strict=True):
        # The order too, that of a class included which was neither sent nor recognized.
        assert ours.classes == theirs.classes
        assert (ours.counts == theirs.counts).all()


def test_pairs_that_were_never_met_take_no_room(tmp_path):
    write_confusions([matrix()], tmp_path / "confusion.csv")
    lines = (tmp_path / "confusion.csv").read_text().splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert [line.split(",", len(PLACE))[-1] for line in lines[1:]] == [
        "a,a,7", "a,d,1", '"b,c","b,c",0', "d,a,2", 'd,"b,c",3', "d,d,4", "d,,5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"classes": ("a", "a", "b")}, "names of their own"),
        ({"classes": ("a", "b")}, r"\[C, C \+ 1\]"),
        ({"classes": ("a", "", "b")}, "must have a name"),
        ({"classes": ("a", "b\nc", "d")}, "one line of text"),
        ({"counts": COUNTS - 1}, "whole numbers from 0 up"),
        ({"counts": COUNTS / 2}, "whole numbers from 0 up"),
        ({"snr_db": float("inf")}, "an SNR and interferers"),
        ({"interferers": -1}, "an SNR and interferers"),
        ({"codec": "a\nb"}, "codec must be one line"),
    ],
)
def test_what_is_no_confusion_is_refused(other, said):
    with pytest.raises(ValueError, match=said):
        matrix(**other)


def altered(old, new):
    return lambda text: text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            altered(",recognized,", ",answered,"),
            ":1: must have the columns of confusion.csv, got none named reco",
        ),
        (altered("a,a,7", "a,a,-7"), ":2: count must be a whole number of at most 15 digits, got '-7'"),
        (altered("a,a,7", "a,a,1e3"), ":2: count must be a whole number"),
        (altered("a,a,7", "a,a," + "9" * 5000), ":2: count must be a whole number"),
        (altered("a,a,7", "a,a,\u0667"), ":2: count must be a whole number"),
        (altered("a,d,1", "a,a,1"), ":3: every pair of classes must be counted once at a place, got 'a', 'a' again"),
        (altered("a,d,1", "a,e,1"), "every class must have a line of its own as sent, got none of 'e'"),
        (altered("d,,5", "d"), "shorter line"),
        (altered(",6.0,", ",nan,"), "snr_db must be a number"),
        (altered(",6.0,", ",six,"), "snr_db must be a number or empty, got 'six'"),
        (altered("a,a,7", '"' + "a" * 200_000 + '",a,7'), "field larger than field limit"),
        (altered("a,a,7", "a\x00,a,7"), "one line of text|NUL"),
        (lambda text: "", ":1: must have the columns"),
    ],
)
def test_a_table_that_no_run_wrote_is_refused(tmp_path, change, said):
    path = tmp_path / "confusion.csv"
    write_confusions([matrix()], path)
    path.write_text(change(path.read_text()))
    with pytest.raises(UserMistake, match=said):
        read_confusions(path)


def test_a_table_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "confusion.csv"
    write_confusions([matrix()], path)
    monkeypatch.setattr(module, "MOST_COUNTS", 8)
    with pytest.raises(UserMistake, match="at most 8 counts together, got 9"):
        read_confusions(path)
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    with pytest.raises(UserMistake, match="a table of at most 100 bytes"):
        read_confusions(path)


def test_a_table_that_is_not_there_is_no_traceback(tmp_path):
    with pytest.raises(UserMistake, match="no such file; `semcom run` writes it"):
        read_confusions(tmp_path / "confusion.csv")
    (tmp_path / "confusion.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserMistake, match="readable UTF-8"):
        read_confusions(tmp_path / "confusion.csv")
