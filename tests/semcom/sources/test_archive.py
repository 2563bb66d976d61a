"""Archives: what is wanted comes out; what is hostile stops at the door."""

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from semcom.mistakes import UserMistake
from semcom.sources import archive
from semcom.sources.archive import texts


def member(name: str, data: bytes = b"a line\n", kind: bytes = tarfile.REGTYPE, link: str = "") -> tuple:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(data) if kind == tarfile.REGTYPE else 0
    return info, data


def packed(path: Path, *members: tuple, form: int = tarfile.GNU_FORMAT) -> Path:
    with tarfile.open(path, "w:gz", format=form) as made:
        for info, data in members:
            made.addfile(info, io.BytesIO(data))
    return path


def found(path: Path, wanted: Callable[[str], bool] = lambda name: name.endswith(".txt")) -> dict[str, list[str]]:
    return {name: list(lines) for name, lines in texts(path, wanted)}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_wanted_texts_come_line_by_line(tmp_path: Path, form: int) -> None:
    path = packed(
        tmp_path / "a.tgz",
        member("txt", kind=tarfile.DIRTYPE),
        member("txt/en/one.txt", "caf\u00e9\r\ntwo\n\nlast".encode()),
        member("txt/en/skipped.xml"),
        member("txt/link", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        member("txt/en/" + "x" * 80 + ".txt", b"\xff\xfe bad\n"),
        member("txt/even.txt", b"y" * 511 + b"\n"),
        member("txt/empty.txt", b""),
        form=form,
    )
    assert found(path) == {
        "txt/en/one.txt": ["caf\u00e9", "two", "", "last"],
        "txt/en/" + "x" * 80 + ".txt": ["\ufffd\ufffd bad"],
        "txt/even.txt": ["y" * 511],
        "txt/empty.txt": [],
    }


def test_texts_may_be_passed_over_unread(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tgz", *(member(f"{index}.txt", b"x\n" * 99_999) for index in range(9)))
    told: list[tuple[str, int, int]] = []
    names = [name for name, _ in texts(path, lambda name: True, lambda *news: told.append(news))]
    assert names == [f"{index}.txt" for index in range(9)]


def test_a_single_compressed_text_has_no_name(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"one\ntwo\n" * 20_000))
    assert found(tmp_path / "a.gz") == {"": ["one", "two"] * 20_000}
    (tmp_path / "empty.gz").write_bytes(gzip.compress(b""))
    assert found(tmp_path / "empty.gz") == {"": []}


def refused(path: Path, reason: str) -> None:
    with pytest.raises(UserMistake, match=f"must be a whole and harmless archive, got .*{reason}"):
        found(path)


@pytest.mark.parametrize("name", ["/etc/x.txt", "../x.txt", "txt/../../x.txt", "C:\\x.txt", "a/../b.txt"])
def test_names_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    refused(packed(tmp_path / "a.tgz", member(name)), "leads outside")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
)
def test_wanted_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    refused(packed(tmp_path / "a.tgz", member("a.txt", kind=kind, link="b.txt")), "no ordinary file")


def test_sparse_files_are_refused(tmp_path: Path) -> None:
    info, data = member("a.txt")
    # A gigabyte of nothing, as GNU tar spells it in a few bytes.
    info.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": "999999999", "GNU.sparse.name": "a.txt"}
    refused(packed(tmp_path / "a.tgz", (info, data), form=tarfile.PAX_FORMAT), "no ordinary file")


def test_a_sparse_map_of_nonsense_is_refused(tmp_path: Path) -> None:
    info, data = member("a.txt")
    info.pax_headers = {"GNU.sparse.map": "here,there", "GNU.sparse.size": "9", "GNU.sparse.name": "a.txt"}
    refused(packed(tmp_path / "a.tgz", (info, data), form=tarfile.PAX_FORMAT), "a member without a head that")


def test_names_of_names_without_end_are_refused(tmp_path: Path) -> None:
    info, data = member("a.txt", b"a name\n", kind=tarfile.GNUTYPE_LONGNAME)
    info.size = len(data)
    refused(packed(tmp_path / "a.tgz", *[(info, data)] * 3000, member("a.txt")), "a member without a head that makes")


@pytest.mark.parametrize(
    ("limit", "value", "reason"),
    [("LARGEST_MEMBER", 5, "7 bytes"), ("LARGEST_TOTAL", 20, "21 in all"), ("MOST_MEMBERS", 2, "more than 2 files")],
)
def test_sizes_and_counts_are_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, reason: str
) -> None:
    monkeypatch.setattr(archive, limit, value)
    refused(packed(tmp_path / "a.tgz", member("a.txt"), member("b.xml"), member("c.txt")), reason)


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    refused(packed(tmp_path / "a.tgz", member("a.txt", b"x" * 1_000_001)), "a line of more than")


def test_headers_that_swell_are_refused(tmp_path: Path) -> None:
    # A name of 50 MB compresses to nothing, and tarfile alone would read it into memory.
    refused(packed(tmp_path / "a.tgz", member("x" * 50_000_000 + ".txt")), "more bytes than its own headers")


def test_bytes_behind_the_end_are_refused(tmp_path: Path) -> None:
    whole = gzip.decompress(packed(tmp_path / "a.tgz", member("a.txt")).read_bytes())
    (tmp_path / "b.tgz").write_bytes(gzip.compress(whole + b"\0" * 50_000_000))
    refused(tmp_path / "b.tgz", "more bytes than its own headers")


def test_damage_is_told_from_the_end_of_a_text(tmp_path: Path) -> None:
    data = packed(tmp_path / "a.tgz", member("a.txt", bytes(range(32, 127)) * 3000)).read_bytes()
    broken = {
        "half": data[: len(data) // 2],
        "nearly": data[:-3],
        "checksum": data[:-8] + bytes([data[-8] ^ 1]) + data[-7:],
        "flip": data[:200] + bytes([data[200] ^ 64]) + data[201:],
        "page": b"<html>Not found</html>",
        "empty": b"",
    }
    for name, each in broken.items():
        if name != "empty":
            (tmp_path / name).write_bytes(each)
            refused(tmp_path / name, "")
    refused(tmp_path / "absent", "")
