"""Files of pictures: read as they are meant, and refused in one message where they are damaged or hostile."""

from __future__ import annotations

import gzip
import hashlib
import os
import pickle
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from semcom.mistakes import UserMistake
from semcom.sources import cache, download, fashion_mnist
from semcom.sources.cifar import Cifar
from semcom.sources.fashion_mnist import FashionMnist
from semcom.sources.idx import read_idx
from semcom.sources.picture_folder import PictureFolder, read_picture

LITTLE = 3_000_000  # bytes that a refusal may take


def idx(array: np.ndarray) -> bytes:
    head = bytes((0, 0, 8, array.ndim)) + b"".join(struct.pack(">I", each) for each in array.shape)
    return head + array.tobytes()


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(idx(array)).hexdigest()


# IDX

ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def test_an_idx_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(idx(ARRAY)))
    assert (read_idx(tmp_path / "a.gz", (2, 3, 4), sha256(ARRAY), called="a.gz") == ARRAY).all()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (gzip.compress(idx(ARRAY))[:-12], "got .*; fetch it again"),
        (gzip.compress(idx(ARRAY)[:-1]), "got 39 with its head"),
        (gzip.compress(idx(ARRAY) + b"x"), "got more"),
        (gzip.compress(bytes(500_000_000), 1), "got more"),
        (gzip.compress(idx(ARRAY.reshape(3, 2, 4))), "another head"),
        (gzip.compress(idx(ARRAY + np.uint8(1))), "sha256"),
        (b"<html>", "ot a gzipped file"),
        (b"", "got 0 with its head"),
    ],
    ids=["truncated", "short", "long", "bomb", "turned", "changed", "page", "empty"],
)
def test_another_idx_file_is_refused_before_memory_is_spent(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.gz").write_bytes(data)
    tracemalloc.start()
    with pytest.raises(UserMistake, match=words):
        read_idx(tmp_path / "a.gz", (2, 3, 4), sha256(ARRAY), called="a.gz")
    spent = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert spent < LITTLE


# Fashion-MNIST, in little


@pytest.fixture
def little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of four files of the same layout, which stand for the official ones."""
    files, made = {}, tmp_path / "official"
    made.mkdir()
    for place, (name, (shape, _)) in enumerate(fashion_mnist.FILES.items()):
        count = 60 if name.startswith("train") else 20
        labels = np.arange(count, dtype=np.uint8) % 10
        array = np.random.default_rng(place).integers(0, 256, (count, *shape[1:]), dtype=np.uint8)
        array = labels if len(shape) == 1 else array
        (made / name).write_bytes(gzip.compress(idx(array)))
        files[name] = (array.shape, sha256(array))
    monkeypatch.setattr(fashion_mnist, "FILES", files)
    monkeypatch.setattr(fashion_mnist, "PACKAGED", tmp_path / "nowhere")
    monkeypatch.setenv("SEMCOM_CACHE", str(tmp_path / "cache"))
    return made


def test_fashion_mnist_keeps_the_official_test_pictures(little: Path) -> None:
    corpus = FashionMnist(path=str(little), validation_share=0.2).load()
    assert [len(each) for each in (corpus.train, corpus.validation, corpus.test)] == [50, 10, 20]
    official = gzip.decompress((little / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    assert sorted(each.numpy().tobytes() for each in corpus.test.pixels) == sorted(
        official[first : first + 784] for first in range(0, 20 * 784, 784)
    )


def test_it_is_fetched_once_and_only_the_official_contents_are_kept(
    little: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def served(url: str, target: Path, progress: object, *, largest: int) -> None:
        asked.append(url)
        target.parent.mkdir(parents=True, exist_ok=True)
        data = (little / url.rpartition("/")[2]).read_bytes()
        target.write_bytes(data[:-1] + b"?" if spoiled else data)

    monkeypatch.setattr(download, "fetch", served)
    spoiled = True
    assert not FashionMnist().is_at_hand
    with pytest.raises(UserMistake, match=r"amazonaws.com/train-images.* must be an IDX file"):
        FashionMnist().load()
    assert not list(cache.folder().rglob("*.gz*"))
    spoiled = False
    assert len(FashionMnist().load().train) == 50
    assert len(asked) == 1 + 4 and all(url.startswith("http://fashion-mnist.s3-website.") for url in asked)
    assert FashionMnist().is_at_hand
    FashionMnist().load()
    assert len(asked) == 5


@pytest.mark.skipif(not fashion_mnist._has_all(fashion_mnist.PACKAGED), reason="Debian's package is not installed")
def test_debians_files_are_the_official_ones() -> None:
    name = "t10k-images-idx3-ubyte.gz"
    shape, digest = fashion_mnist.FILES[name]
    assert read_idx(fashion_mnist.PACKAGED / name, shape, digest, called=name).shape == (10_000, 28, 28)


# CIFAR


def python2(data: np.ndarray, labels: list[int], key: str) -> bytes:
    """As Python 2's cPickle writes a batch of CIFAR with protocol 2: 8-bit strings, lists in pieces, a memo."""
    raw = data.tobytes()
    out = [
        b"\x80\x02}q\x01(U\x04datacnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85U\x01b\x87R"
    ]
    out.append(b"(K\x01M" + struct.pack("<H", data.shape[0]) + b"M" + struct.pack("<H", data.shape[1]) + b"\x86")
    out.append(b"cnumpy\ndtype\nq\x04U\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb")
    out.append(b"\x89T" + struct.pack("<i", len(raw)) + raw + b"tb")
    out.append(b"U%c%s]q\x05(" % (len(key), key.encode()) + b"".join(b"K%c" % each for each in labels) + b"e")
    out.append(b"U\x09filenames]q\x06(" + b"".join(b"U\x05a.png" for _ in labels) + b"e")
    return b"".join([*out, b"u."])


def cifar(folder: Path) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(1)
    for name in (*(f"data_batch_{part}" for part in range(1, 6)), "test_batch"):
        data = rng.integers(0, 256, (40, 3072), dtype=np.uint8)
        (folder / name).write_bytes(python2(data, [each % 10 for each in range(40)], "labels"))
    names = [f"class{each}".encode() for each in range(10)]
    (folder / "batches.meta").write_bytes(pickle.dumps({b"label_names": names, b"num_vis": 3072}, protocol=2))
    return folder


def test_cifar_is_read_and_its_test_pictures_stay(tmp_path: Path) -> None:
    folder = cifar(tmp_path / "cifar")
    corpus = Cifar(path=str(folder)).load()
    assert corpus.classes[3] == "class3"
    assert [len(each) for each in (corpus.train, corpus.validation, corpus.test)] == [180, 20, 40]
    data = np.random.default_rng(1).integers(0, 256, (40, 3072), dtype=np.uint8)
    first = torch.from_numpy(data[0].reshape(3, 32, 32))
    everywhere = torch.cat([corpus.train.pixels, corpus.validation.pixels])
    (place,) = (everywhere == first).flatten(1).all(dim=1).nonzero()[0].tolist()
    assert torch.cat([corpus.train.labels, corpus.validation.labels])[place] == 0


class _Command:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch harmed",)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pickle.dumps({b"data": _Command()}, protocol=2), r"the name .*system, which no dictionary"),
        (b"\x80\x02}q\x01(U\x04dataT\xff\xff\xff\x7fabc", "an end in the middle"),
        (b"\x80\x02" + b"]" * 2_000_000, "more than 1,000,000 operations"),
        (pickle.dumps({b"data": np.zeros((4, 3072), np.float32)}, protocol=2), "other numbers than bytes"),
        (pickle.dumps({b"data": np.zeros((4, 3071), np.uint8), b"labels": [0] * 4}, protocol=2), "must be an array"),
        (pickle.dumps({b"data": np.zeros((4, 3072), np.uint8), b"labels": [0, 1, 2, 10]}, protocol=2), "whole numbers"),
        (pickle.dumps({b"data": np.zeros((4, 3072), np.uint8), b"labels": [0, True]}, protocol=2), "whole numbers"),
        (pickle.dumps([1, 2], protocol=2), "no dictionary"),
    ],
    ids=["command", "claimed length", "endless", "floats", "narrow", "unknown class", "few labels", "list"],
)
def test_a_pickle_dressed_as_cifar_is_refused_and_nothing_of_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = cifar(tmp_path / "cifar")
    (folder / "data_batch_2").write_bytes(data)
    with pytest.raises(UserMistake, match=words):
        Cifar(path=str(folder)).load()
    assert not (tmp_path / "harmed").exists()


def test_cifar_100_has_labels_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "cifar100"
    folder.mkdir()
    for name in ("train", "test"):
        data = np.zeros((200, 3072), dtype=np.uint8)
        (folder / name).write_bytes(python2(data, [each % 20 for each in range(200)], "coarse_labels"))
    names = {b"coarse_label_names": [f"c{each}".encode() for each in range(20)]}
    (folder / "meta").write_bytes(pickle.dumps(names, protocol=2))
    assert len(Cifar(path=str(folder), labels="coarse").load().classes) == 20
    with pytest.raises(UserMistake, match="must name 100 classes under fine_label_names"):
        Cifar(path=str(folder), labels="fine").load()


# A folder of one's own pictures


def folder_of_pictures(root: Path, *, splits: tuple[str, ...] = ("",), count: int = 10) -> Path:
    for split in splits:
        for name, shade in (("dark", 40), ("light", 220)):
            place = root / split / name
            place.mkdir(parents=True)
            for number in range(count):
                size = (5 + number, 9)
                Image.new("RGB", size, (shade, shade, number)).save(
                    place / f"{number}.{'png' if number % 2 else 'bmp'}"
                )
    return root


def test_a_folder_is_read_at_one_size(tmp_path: Path) -> None:
    source = PictureFolder(path=str(folder_of_pictures(tmp_path / "own")), size=6)
    corpus = source.load()
    assert corpus.classes == ("dark", "light") and source.shape == (3, 6, 6)
    assert [len(each) for each in (corpus.train, corpus.validation, corpus.test)] == [14, 2, 4]
    dark = corpus.train.pixels[corpus.train.labels == 0]
    assert dark.shape == (7, 3, 6, 6) and (dark[:, :2] == 40).all()
    assert PictureFolder(path=source.path, size=6, planes=1).load().train.pixels.shape == (14, 1, 6, 6)


def test_a_folder_of_splits_keeps_its_test(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "own", splits=("train", "test"))
    corpus = PictureFolder(path=str(root), size=4).load()
    assert [len(each) for each in (corpus.train, corpus.validation, corpus.test)] == [18, 2, 20]


def test_the_fingerprint_follows_every_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMCOM_CACHE", str(tmp_path / "cache"))
    root = folder_of_pictures(tmp_path / "own")
    source = PictureFolder(path=str(root), size=4)
    before = source.fingerprint()
    assert before == source.fingerprint()
    Image.new("RGB", (3, 3), (41, 40, 0)).save(root / "dark" / "1.png")
    assert source.fingerprint() != before


def png(columns: int, rows: int) -> bytes:
    """A PNG whose head claims any size, with hardly a byte behind it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (png(100_000, 100_000), "at most 60,000,000 pixels .*, got more"),
        (png(10_000, 10_000), "got 10,000 x 10,000 pixels"),
        (png(400, 400), "must be a whole picture"),
        (b"GIF89a" + bytes(100), "must be a whole picture"),
        (b"", "must be a whole picture"),
    ],
    ids=["huge", "large", "truncated", "another kind", "empty"],
)
def test_a_picture_that_is_none_is_refused_before_memory_is_spent(tmp_path: Path, data: bytes, words: str) -> None:
    root = folder_of_pictures(tmp_path / "own", count=2)
    (root / "dark" / "1.png").write_bytes(data)
    read_picture(root / "dark" / "0.bmp", 4, 3)
    tracemalloc.start()
    with pytest.raises(UserMistake, match=rf"dark/1.png: .*{words}"):
        PictureFolder(path=str(root), size=4).load()
    spent = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert spent < LITTLE


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match="nothing of that name"):
        PictureFolder(path=str(tmp_path / "gone")).load()
    with pytest.raises(UserMistake, match="must hold from 1 to"):
        PictureFolder(path=str(tmp_path)).load()
    folder_of_pictures(tmp_path, count=1)
    (tmp_path / "light" / "0.bmp").unlink()
    with pytest.raises(UserMistake, match="folders of from 2 to 1,000 classes, got 1"):
        PictureFolder(path=str(tmp_path)).load()
