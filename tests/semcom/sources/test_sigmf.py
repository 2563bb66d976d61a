"""SigMF: frames are cut where annotations say, recordings stay in one split, and hostile metadata is refused."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semcom.mistakes import UserMistake
from semcom.sources import recorded, sigmf_metadata
from semcom.sources.frames import FrameCorpus
from semcom.sources.sigmf import SigMfFrames
from semcom.sources.sigmf_metadata import TYPES

LENGTH = 10


def annotation(label: str | None, start: int, count: int | None = None) -> dict[str, Any]:
    held = {"core:sample_start": start, "core:sample_count": count, "core:label": label}
    return {name: value for name, value in held.items() if value is not None}


def written(
    folder: Path, name: str, annotations: list[Any], *, mark: int = 0, samples: int = 400, **about: Any
) -> None:
    """A recording whose every sample holds, as real part, which recording it is, and as imaginary part its place."""
    values = np.empty((samples, 2))
    values[:, 0], values[:, 1] = mark, np.arange(samples)
    save(folder / name, annotations, values.astype("<f4").tobytes(), **about)


def save(place: Path, annotations: list[Any], data: bytes, **about: Any) -> None:
    place.parent.mkdir(exist_ok=True)
    facts = {
        "global": {"core:datatype": "cf32_le", "core:version": "1.2.0", **about},
        "captures": [{"core:sample_start": 0}],
        "annotations": annotations,
    }
    place.with_suffix(".sigmf-meta").write_text(json.dumps(facts))
    place.with_suffix(".sigmf-data").write_bytes(data)


def source(folder: Path, **changes: Any) -> SigMfFrames:
    return SigMfFrames(str(folder), **{"length": LENGTH, **changes})


def places(corpus: FrameCorpus) -> dict[str, list[tuple[str, int, int]]]:
    """Of every frame of each split: class, recording, first sample."""
    # The smallest step between samples of a frame is that between places: one.
    scale = float(corpus.train.samples.imag.diff(dim=1).mean())
    found = {}
    for name in ("train", "validation", "test"):
        split = getattr(corpus, name)
        held = torch.view_as_real(split.samples[:, 0]) / scale
        found[name] = [
            (corpus.classes[int(label)], round(float(mark)), round(float(start)))
            for label, (mark, start) in zip(split.labels, held, strict=True)
        ]
    return found


def test_no_recording_is_in_two_splits_where_there_are_several(tmp_path: Path) -> None:
    for mark in range(20):
        label = "QPSK" if mark % 2 else "FM"
        written(tmp_path / "air", f"r{mark:02}", [annotation(label, 0), annotation(None, 5, 3)], mark=mark)
    corpus = source(tmp_path / "air").load()
    assert corpus.classes == ("FM", "QPSK") and corpus.train.snr_db is None
    found = places(corpus)
    marks = {split: {mark for _, mark, _ in each} for split, each in found.items()}
    assert sorted(mark for each in marks.values() for mark in each) == list(range(20))
    assert [len(found[split]) for split in ("train", "validation", "test")] == [480, 80, 240]
    assert all(label == ("QPSK" if mark % 2 else "FM") for each in found.values() for label, mark, _ in each)
    for split in found.values():
        assert [label for label, _, _ in split] == ["FM", "QPSK"] * (len(split) // 2)
    assert {start for _, _, start in found["test"]} == set(range(0, 400, LENGTH))
    assert float(corpus.train.samples.abs().square().mean()) == pytest.approx(1, rel=1e-4)
    again = source(tmp_path / "air").load()
    assert torch.equal(again.test.samples, corpus.test.samples) and again.fingerprint == corpus.fingerprint
    assert places(source(tmp_path / "air", seed=1).load()) != found


def test_recordings_that_hold_every_class_are_dealt_whole(tmp_path: Path) -> None:
    for mark in range(6):
        both = [annotation("AM", 0, 200), annotation("BPSK", 200)]
        written(tmp_path / "air", f"r{mark}", both, mark=mark)
    found = places(source(tmp_path / "air").load())
    marks = [{mark for _, mark, _ in each} for each in found.values()]
    assert sum(map(len, marks)) == 6 and all(len({label for label, _, _ in each}) == 2 for each in found.values())


def test_one_recording_is_split_by_annotation_or_else_by_runs(tmp_path: Path) -> None:
    many = [annotation("AM", 40 * each, 38) for each in range(8)]
    written(tmp_path / "air", "only", [*many, annotation("BPSK", 320)], samples=1000)
    found = places(source(tmp_path / "air").load())
    owners: dict[int, set[str]] = {}
    for split, frames in found.items():
        for label, _, start in frames:
            if label == "AM":
                assert start % 40 in (0, 10, 20), "a rest shorter than a frame is left out"
                owners.setdefault(start // 40, set()).add(split)
    assert len(owners) == 8 and all(len(each) == 1 for each in owners.values())
    runs = {split: sorted(start for label, _, start in each if label == "BPSK") for split, each in found.items()}
    assert all(run == list(range(run[0], run[-1] + 1, LENGTH)) for run in runs.values())
    assert runs["train"][-1] + 2 * LENGTH == runs["validation"][0], "one frame is left out at each cut"
    assert runs["validation"][-1] + 2 * LENGTH == runs["test"][0]
    assert [len(runs[split]) for split in ("train", "validation", "test")] == [39, 7, 20]


@pytest.mark.parametrize("kind", TYPES)
def test_every_complex_type_gives_the_same_frames(tmp_path: Path, kind: str) -> None:
    values = np.random.default_rng(0).integers(-100, 100, (400, 2))
    number = np.dtype(TYPES[kind])
    full = 2.0 ** (8 * number.itemsize - 1)
    scaled = values / 128 if number.kind == "f" else np.round(values / 128 * full)
    data = (scaled + (full if number.kind == "u" else 0)).astype(number).tobytes()
    save(tmp_path / "air" / "a", [annotation("A", 0, 200), annotation("B", 200, 200)], data, **{"core:datatype": kind})
    corpus = source(tmp_path / "air", length=20).load()
    found = corpus.train.samples.numpy()
    all_frames = (values @ [1, 1j]).reshape(-1, 20)
    kept = [all_frames[row] for row in (0, 1, 2, 3, 4, 10, 11, 12, 13, 14)]
    expected = sorted(kept, key=lambda frame: (frame.real[0], frame.imag[0]))
    ordered = sorted(found, key=lambda frame: (round(float(frame.real[0]), 2), round(float(frame.imag[0]), 2)))
    power = np.mean(np.abs(kept) ** 2) ** 0.5
    # An unsigned zero lies between two numbers: half a step off, which for a byte is 0.5 of 100.
    assert np.allclose(np.array(ordered) * power, np.array(expected), atol=0.9 if kind == "cu8" else 0.02)


def refused(settings: SigMfFrames, match: str) -> None:
    with pytest.raises(UserMistake, match=match):
        settings.load()


GOOD = [annotation("A", 0, 200), annotation("B", 200, 200)]


@pytest.mark.parametrize(
    ("annotations", "about", "match"),
    [
        (GOOD, {"core:datatype": "rf32_le"}, "core:datatype must be complex .*got 'rf32_le'"),
        (GOOD, {"core:datatype": ["cf32_le"]}, "core:datatype must be complex .*got a list"),
        (GOOD, {"core:datatype": "\x1b[2J" + "c" * 1000}, r"got '\\x1b\[2Jc+\.\.\."),
        (GOOD, {"core:dataset": "../../etc/passwd"}, "samples must stand alone in a.sigmf-data"),
        (GOOD, {"core:num_channels": 2}, "must have one channel, got 2"),
        ([annotation("A", 0, 401)], {}, "core:sample_count of annotation 1 must be at most 400.*got 401"),
        ([annotation("A", -1, 4)], {}, "core:sample_start of annotation 1 must be from 0 to 400.*got -1"),
        ([annotation("A", 10**40, 4)], {}, "got a huge number"),
        ([annotation("A", 0.5, 4)], {}, "core:sample_start .*got 0.5"),  # type: ignore[arg-type]
        ([annotation("A", True, 4)], {}, "core:sample_start .*got True"),
        ([annotation("A", 0, 30), annotation("B", 29, 30)], {}, "must not overlap, got A and B at sample 29"),
        ([annotation("A" * 101, 0, 30)], {}, "core:label of annotation 1 must be a word of at most 100"),
        ([annotation("A\u202e", 0, 30)], {}, "core:label of annotation 1 must be a word"),
        (["A"], {}, "annotation 1 must be an object, got 'A'"),
        ([annotation(None, 0, 400)], {}, "must have from 2 to 1,000 classes .* got 0"),
        ([annotation("A", 0, 400)], {}, "must have from 2 to 1,000 classes .* got 1"),
        ([annotation("A", 0, 40), annotation("B", 40, 400)], {}, "must be at most 360"),
        (
            [annotation("A", 0, 40), annotation("B", 40, 360)],
            {},
            "A must have at least 5 frames for three splits, got 4",
        ),
    ],
)
def test_metadata_that_cannot_be_is_named(
    tmp_path: Path, annotations: list[Any], about: dict[str, Any], match: str
) -> None:
    written(tmp_path / "air", "a", annotations, **about)
    refused(source(tmp_path / "air"), match)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[1, 2]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"global": ' + b"9" * 10_000 + b"}",
        b'{"global": {}, "captures": [], "annotations": {}}',
        b'{"global": {"core:datatype": "ci8"}, "captures": [{"core:header_bytes": 64}], "annotations": []}',
    ],
)
def test_metadata_that_is_none_is_named(tmp_path: Path, text: bytes) -> None:
    written(tmp_path / "air", "a", GOOD)
    (tmp_path / "air" / "a.sigmf-meta").write_bytes(text)
    refused(source(tmp_path / "air"), "^a.sigmf-meta: (must|samples must)")


def test_missing_and_short_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(source(tmp_path / "absent"), "nothing of that name")
    (tmp_path / "air").mkdir()
    refused(source(tmp_path / "air"), "must hold from 1 to 100,000 .sigmf-meta files, got 0")
    written(tmp_path / "air", "a", GOOD)
    data = tmp_path / "air" / "a.sigmf-data"
    whole = data.read_bytes()
    data.write_bytes(whole[:-1])
    refused(source(tmp_path / "air"), "core:sample_count of annotation 2 must be at most 199.*cut short")
    data.unlink()
    refused(source(tmp_path / "air"), "a.sigmf-data must lie beside its metadata")
    with pytest.raises(UserMistake, match=r"a\.sigmf-data must lie beside its metadata"):
        source(tmp_path / "air").fingerprint()
    os.mkfifo(data)
    refused(source(tmp_path / "air"), "a.sigmf-data must lie beside its metadata")
    data.unlink()
    data.write_bytes(np.full(800, np.nan, "<f4").tobytes())
    refused(source(tmp_path / "air"), "samples must be finite numbers")
    data.write_bytes(whole)
    monkeypatch.setattr(recorded, "LARGEST_BYTES", 1000)
    refused(source(tmp_path / "air"), "frames must fit 1,000 bytes of memory")
    monkeypatch.setattr(sigmf_metadata, "LARGEST_METADATA", 50)
    refused(source(tmp_path / "air"), "a.sigmf-meta: must be at most 50 bytes")


def test_the_fingerprint_follows_content_and_settings(tmp_path: Path) -> None:
    for name in ("one", "two"):
        written(tmp_path / name, "a" if name == "one" else "b", GOOD)
    one, two = source(tmp_path / "one"), source(tmp_path / "two")
    assert one.fingerprint() == two.fingerprint() == one.load().fingerprint
    changed = [{"length": 12}, {"seed": 1}, {"test_share": 0.2}, {"validation_share": 0.2}]
    prints = {dataclasses.replace(one, **each).fingerprint() for each in changed}
    assert len(prints | {one.fingerprint()}) == 5
    written(tmp_path / "two", "b", GOOD[:1])
    assert one.fingerprint() != two.fingerprint()
