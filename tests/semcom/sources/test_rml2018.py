"""RML2018: frames come out of HDF5 slice by slice, under the classes of the paper, and other files are refused."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from channels import RML2018
from semcom.mistakes import UserMistake
from semcom.sources import recorded, rml2018
from semcom.sources.rml2018 import Rml2018

CLASSES, LEVELS, EACH, LENGTH = 3, (-20, 0, 30), 20, 16
COUNT = CLASSES * len(LEVELS) * EACH
NAMES = ("OOK", "4ASK", "8ASK")


def held() -> dict[str, np.ndarray]:
    """In the order of the set: class by class, level by level; every frame holds its own number."""
    x = np.random.default_rng(1).normal(size=(COUNT, LENGTH, 2)).astype(np.float32)
    x[:, 0, 0] = np.arange(COUNT)
    y = np.eye(CLASSES, dtype=np.int64).repeat(COUNT // CLASSES, axis=0)
    z = np.tile(np.repeat(LEVELS, EACH), CLASSES)[:, None]
    return {"X": x, "Y": y, "Z": z}


def written(path: Path, **changes: Any) -> str:
    with h5py.File(path, "w") as file:
        for name, array in {**held(), **changes}.items():
            if array is not None:
                file[name] = array
    return str(path)


def source(path: str, **changes: Any) -> Rml2018:
    return Rml2018(path, **{"classes": NAMES, **changes})


@pytest.mark.parametrize("gap", [0, 1, 8])
def test_every_frame_is_found_under_its_class_and_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gap: int
) -> None:
    monkeypatch.setattr(rml2018, "GAP", gap)
    monkeypatch.setattr(rml2018, "LONGEST_RUN", 7)
    monkeypatch.setattr(rml2018, "SLICE", 50)
    told: list[tuple[str, int, int]] = []
    corpus = source(written(tmp_path / "set.hdf5")).load(lambda *each: told.append(each))
    assert told[-1] == ("reading frames", COUNT, COUNT)
    original, seen = held(), []
    power = np.mean(np.square(corpus.train.samples.abs().numpy()))
    assert power == pytest.approx(1, abs=1e-4) and corpus.classes == NAMES
    # One scale for all: that by which the second sample of any frame differs from the file's.
    for split in (corpus.train, corpus.validation, corpus.test):
        assert split.snr_db is not None
        for samples, label, level in zip(split.samples.numpy(), split.labels, split.snr_db, strict=True):
            rest = original["X"][:, 1:, 0] / samples[1:].real
            (row,) = np.isclose(rest, rest[:, :1], rtol=1e-4).all(axis=1).nonzero()[0]
            assert (row // (COUNT // CLASSES), original["Z"][row, 0]) == (int(label), float(level))
            assert np.allclose(samples * rest[row, 0], original["X"][row] @ [1, 1j], rtol=1e-3, atol=1e-3)
            seen.append(int(row))
    assert sorted(seen) == list(range(COUNT))


def test_a_cap_keeps_all_classes_and_levels_alike(tmp_path: Path) -> None:
    path = written(tmp_path / "set.hdf5")
    capped = source(path, frames=91)
    corpus = capped.load()
    cells = [
        (int(label), float(level))
        for split in (corpus.train, corpus.validation, corpus.test)
        for label, level in zip(split.labels, split.snr_db, strict=True)  # type: ignore[arg-type]
    ]
    assert len(cells) == 91 and {cells.count(cell) for cell in set(cells)} == {10, 11} and len(set(cells)) == 9
    assert torch.equal(corpus.train.samples, capped.load().train.samples)
    fewer = source(path, frames=100, snr_db=(-20, 0)).load()
    assert fewer.train.snr_db is not None and set(fewer.train.snr_db.tolist()) == {-20.0, 0.0}
    prints = {
        source(path, **changes).fingerprint()
        for changes in ({}, {"frames": 91}, {"seed": 1}, {"classes": NAMES[::-1]}, {"snr_db": 0.0}, {"test_share": 0.2})
    }
    assert len(prints) == 6


def test_the_classes_of_the_paper_are_the_default(tmp_path: Path) -> None:
    y = np.eye(24, dtype=np.int64)[np.arange(480) % 24]
    path = written(tmp_path / "set.hdf5", X=np.ones((480, 4, 2), np.float32), Y=y, Z=np.zeros((480, 1)))
    assert Rml2018(path).load().classes == RML2018


def test_packed_files_are_read_too(tmp_path: Path) -> None:
    plain = source(written(tmp_path / "plain.hdf5")).load()
    with h5py.File(tmp_path / "packed.hdf5", "w") as file:
        for name, array in held().items():
            file.create_dataset(name, data=array, chunks=True, compression="gzip")
    assert torch.equal(source(str(tmp_path / "packed.hdf5")).load().test.samples, plain.test.samples)


def refused(settings: Rml2018, match: str) -> None:
    with pytest.raises(UserMistake, match=match):
        settings.load()


def test_damaged_files_are_named(tmp_path: Path) -> None:
    whole = Path(written(tmp_path / "whole.hdf5")).read_bytes()
    for end in (0, 4, 100, len(whole) // 2, len(whole) - 10):
        (tmp_path / "short.hdf5").write_bytes(whole[:end])
        refused(source(str(tmp_path / "short.hdf5")), "short.hdf5: must be a whole HDF5 file, got a damaged one")
    (tmp_path / "page.hdf5").write_bytes(b"<!doctype html>" * 1000)
    refused(source(str(tmp_path / "page.hdf5")), "must be a whole HDF5 file")
    refused(source(str(tmp_path / "absent.hdf5")), "nothing of that name")
    spoilt = held()["X"]
    spoilt[7, 3, 1] = np.inf
    refused(source(written(tmp_path / "inf.hdf5", X=spoilt)), "samples must be finite numbers")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"X": None}, "must hold X, Y and Z, each in the file itself, got 'Y', 'Z'"),
        ({"X": h5py.ExternalLink("other.hdf5", "X")}, "each in the file itself"),
        ({"X": h5py.SoftLink("/Y")}, "each in the file itself"),
        (
            {"X": np.zeros((COUNT, LENGTH, 3), np.float32)},
            r"X \[frames, samples, 2\] of floats, .*got X \[180, 16, 3\]",
        ),
        ({"X": np.zeros((COUNT, LENGTH, 2), np.int16)}, "of int16"),
        ({"X": np.zeros((COUNT - 1, LENGTH, 2), np.float32)}, "must hold X .*got"),
        ({"X": np.float32(3)}, "must hold X .*got"),
        ({"X": np.array(b"text")}, "must hold X .*got"),
        ({"Y": np.ones((COUNT, CLASSES))}, "Y must mark one class of each frame"),
        ({"Y": np.eye(5)[np.arange(COUNT) % 5]}, "classes must name the 5 columns of the labels in .*, got 3 names"),
        ({"Z": np.full((COUNT, 1), np.nan)}, "Z must be levels in decibels"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, changes: dict[str, Any], match: str) -> None:
    refused(source(written(tmp_path / "set.hdf5", **changes)), match)


def test_a_file_that_points_at_others_or_unpacks_to_very_much_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\0" * COUNT * LENGTH * 8)
    layout = h5py.VirtualLayout((COUNT, LENGTH, 2), np.float32)
    layout[:] = h5py.VirtualSource("secret.hdf5", "X", (COUNT, LENGTH, 2))
    for name in ("raw", "virtual", "huge"):
        with h5py.File(written(tmp_path / f"{name}.hdf5", X=None), "a") as file:
            if name == "raw":
                external = [(str(tmp_path / "secret"), 0, h5py.h5f.UNLIMITED)]
                file.create_dataset("X", (COUNT, LENGTH, 2), np.float32, external=external)
            elif name == "virtual":
                file.create_virtual_dataset("X", layout)
            else:
                chunks = (COUNT, 500_000, 2)
                file.create_dataset("X", chunks, np.float32, chunks=chunks, compression="gzip")
    refused(source(str(tmp_path / "raw.hdf5")), "each in the file itself")
    refused(source(str(tmp_path / "virtual.hdf5")), "each in the file itself")
    refused(source(str(tmp_path / "huge.hdf5")), "chunks of X must unpack to 256,000,000 bytes at most")


def test_more_than_memory_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "LARGEST_BYTES", 100 * LENGTH * 8)
    path = written(tmp_path / "set.hdf5")
    refused(source(path), "frames must fit 12,800 bytes of memory, got 23,040; give fewer with frames")
    assert len(source(path, frames=100).load().train) > 50


def test_without_h5py_a_person_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "set.hdf5")
    monkeypatch.setitem(sys.modules, "h5py", None)
    refused(source(path), r"pip install 'semcom\[radio\]'")


def test_the_digest_of_a_large_file_is_remembered_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded, "REMEMBERED_BYTES", 0)
    path = Path(written(tmp_path / "set.hdf5"))
    first = source(str(path)).fingerprint()
    with monkeypatch.context() as patched:
        patched.setattr(recorded, "digest_of", None)
        assert source(str(path)).fingerprint() == first
    path.write_bytes(path.read_bytes() + b"\0")
    assert source(str(path)).fingerprint() != first


def test_settings_are_checked() -> None:
    for changes, match in (
        ({"frames": 0}, "frames must be at least 1"),
        ({"classes": ("OOK", "OOK")}, "classes must be different names"),
        ({"validation_share": 1.0}, "validation_share must be between 0 and 1"),
    ):
        with pytest.raises(ValueError, match=match):
            dataclasses.replace(Rml2018(), **changes)  # type: ignore[arg-type]
