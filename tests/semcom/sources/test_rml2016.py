"""RML2016: its frames are found in every form that its pickle has, and a pickle that holds more executes nothing."""

import dataclasses
import os
import pickle
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from semcom.mistakes import UserMistake
from semcom.sources import rml2016
from semcom.sources.rml2016 import Rml2016

Arrays = dict[tuple[str, int], np.ndarray]
CLASSES, LEVELS = ("8PSK", "AM-DSB", "QPSK"), (-10, 0, 18)


def arrays(frames: int = 20, length: int = 8) -> Arrays:
    """Every frame holds its own number in its first sample."""
    made, number = {}, 0
    for name in CLASSES[::-1]:
        for level in LEVELS:
            values = np.random.default_rng(number).normal(size=(frames, 2, length)).astype(np.float32)
            values[:, 0, 0] = np.arange(number, number + frames)
            number += frames
            made[name, level] = values
    return made


def python2_binary(held: Arrays) -> bytes:
    """As Python 2's cPickle writes it with protocol 2: 8-bit strings, numpy.core, a memo."""
    out = [b"\x80\x02}q\x01("]
    for place, ((name, level), array) in enumerate(held.items()):
        data = array.tobytes()
        out.append(
            b"U%c%sJ%s\x86r%s" % (len(name), name.encode(), struct.pack("<i", level), struct.pack("<I", 300 + place))
        )
        out.append(b"cnumpy.core.multiarray\n_reconstruct\nq\x02" if not place else b"h\x02")
        out.append(b"cnumpy\nndarray\nq\x03K\x00\x85U\x01b\x87R(K\x01")
        out.append(b"".join(b"M" + struct.pack("<H", each) for each in array.shape) + b"\x87")
        out.append(
            b"cnumpy\ndtype\nq\x04U\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        )
        out.append(b"\x89T" + struct.pack("<i", len(data)) + data + b"tb")
    return b"".join([*out, b"u."])


def python2_text(held: Arrays) -> bytes:
    """As Python 2's cPickle writes it with protocol 0, which is that of RML2016.10a_dict.pkl."""
    out = [b"(dp1\n"]
    for place, ((name, level), array) in enumerate(held.items()):
        data = repr(array.tobytes())[1:].encode()
        out.append(b"(S'%s'\np%d\nI%d\ntp%d\n" % (name.encode(), 10 * place + 2, level, 10 * place + 3))
        out.append(b"cnumpy.core.multiarray\n_reconstruct\np%d\n(cnumpy\nndarray\n(I0\ntS'b'\ntR" % (10 * place + 4))
        out.append(b"(I1\n(%st" % b"".join(b"I%d\n" % each for each in array.shape))
        out.append(b"cnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS%s\ntbs" % data)
    return b"".join([*out, b"."])


FORMS = {
    "python 2, protocol 0": python2_text,
    "python 2, protocol 2": python2_binary,
    **{f"python 3, protocol {each}": lambda held, each=each: pickle.dumps(held, protocol=each) for each in range(5)},
}


def written(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize("form", FORMS)
def test_every_frame_is_found_under_its_class_and_level(tmp_path: Path, form: str) -> None:
    held = arrays()
    corpus = Rml2016(written(tmp_path / "RML2016.10a_dict.pkl", FORMS[form](held))).load()
    assert corpus.classes == CLASSES
    seen, scales = [], []
    for split in (corpus.train, corpus.validation, corpus.test):
        assert split.snr_db is not None
        assert split.samples.dtype == torch.complex64 and split.samples.shape[1] == 8
        for samples, label, level in zip(split.samples, split.labels, split.snr_db, strict=True):
            own = held[CLASSES[int(label)], int(level)]
            ratio = own[:, 0, 1:] / samples.real[1:].numpy()
            (row,) = np.isclose(ratio, ratio[:, :1], rtol=1e-4).all(axis=1).nonzero()[0]
            assert np.allclose(own[row, 1], samples.imag.numpy() * ratio[row, 0], rtol=1e-3, atol=1e-4)
            seen.append(int(own[row, 0, 0]))
            scales.append(ratio[row, 0])
    assert sorted(seen) == list(range(180)), "each frame once, in one split"
    assert np.allclose(scales, scales[0], rtol=1e-4), "one scale for all"
    assert float(corpus.train.samples.abs().square().mean()) == pytest.approx(1, abs=1e-4)


def test_the_split_is_even_in_every_class_and_level_and_follows_its_seed(tmp_path: Path) -> None:
    source = Rml2016(written(tmp_path / "set.pkl", python2_binary(arrays())))
    one, same, other = source.load(), source.load(), dataclasses.replace(source, seed=1).load()
    assert torch.equal(one.test.samples, same.test.samples) and one.fingerprint == source.fingerprint()
    assert not torch.equal(one.test.samples, other.test.samples) and one.fingerprint != other.fingerprint
    assert [len(each) for each in (one.train, one.validation, one.test)] == [9 * 12, 9 * 2, 9 * 6]
    for split in (one.train, one.validation, one.test):
        assert split.snr_db is not None
        for first in range(9, len(split), 9):
            pairs = set(
                zip(split.labels[first - 9 : first].tolist(), split.snr_db[first - 9 : first].tolist(), strict=True)
            )
            assert len(pairs) == 9, "every nine frames hold every class at every level"


def test_levels_can_be_chosen(tmp_path: Path) -> None:
    source = Rml2016(written(tmp_path / "set.pkl", python2_binary(arrays())), snr_db=(0, 20))
    corpus = source.load()
    assert corpus.test.snr_db is not None and set(corpus.test.snr_db.tolist()) == {0.0, 18.0}
    assert set(dataclasses.replace(source, snr_db=18.0).load().train.snr_db.tolist()) == {18.0}  # type: ignore[union-attr]
    refused(dataclasses.replace(source, snr_db=(1.0, 2.0)), "the file has -10, 0, 18")


def refused(source: Rml2016, match: str) -> None:
    with pytest.raises(UserMistake, match=match):
        source.load()


class Reduced:
    """Anything that a pickle can ask Python to call."""

    def __init__(self, *call: object) -> None:
        self.call = call

    def __reduce__(self) -> tuple[object, ...]:
        return self.call[0], self.call[1:]


def call(module: str, name: str, *arguments: bytes) -> bytes:
    """A call, in the words of a pickle: getattr chains and the like that Python itself would not write."""
    return b"c%s\n%s\n(" % (module.encode(), name.encode()) + b"".join(arguments) + b"tR"


MARKER = "executed"
TOUCH = f"touch {MARKER}"
BOMBS = {
    "os.system by reduce": lambda: pickle.dumps({("QPSK", 2): Reduced(os.system, TOUCH)}, protocol=2),
    "os.system as text": lambda: b"cposix\nsystem\n(S'%s'\ntR." % TOUCH.encode(),
    "eval": lambda: pickle.dumps(Reduced(eval, f"open('{MARKER}', 'w').close()"), protocol=4),
    "a chain of getattr": lambda: (
        call("builtins", "getattr", call("builtins", "__import__", b"S'os'\n"), b"S'system'\n")[:-2]
        + b"tR(S'%s'\ntR." % TOUCH.encode()
    ),
    "a name within a name": lambda: b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__init__\x93.",
    "numpy's own loader": lambda: call("numpy", "load", b"S'/etc/passwd'\n") + b".",
    "a state that replaces a method": lambda: b"cnumpy\ndtype\n(S'f4'\ntR}S'__class__'\nI1\nsb.",
    "a class made by instruction": lambda: b"(S'%s'\nios\nsystem\n." % TOUCH.encode(),
    "an extension code": lambda: b"\x80\x02\x82\x01.",
    "a persistent identity": lambda: b"Pwhatever\n.",
    "a huge array": lambda: (
        call("numpy.core.multiarray", "_reconstruct", b"cnumpy\nndarray\n", b"(I999999999999\nt", b"S'b'\n") + b"."
    ),
    "an array larger than its numbers": lambda: python2_binary(arrays()).replace(b"M\x14\x00", b"M\xff\xff"),
    "a place far out in the memo": lambda: b"\x80\x02}r\xff\xff\xff\xff" + b"s.",
    "text of a claimed length": lambda: b"\x80\x02T\xff\xff\xff\x7fabc.",
    "bytes of a claimed length": lambda: b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x7fabc.",
    "a number of a million digits": lambda: b"I" + b"9" * 1_000_000 + b"\n.",
    "tuples of tuples": lambda: b"\x80\x02})q\x00" + b"h\x00h\x00\x86q\x00" * 60 + b"K\x01\x86K\x01s.",
    "little that becomes much": lambda: much_from(b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R"),
    "one array many times": lambda: many_times(),
    "endless operations": lambda: b"N" * 110_000,
    "nothing but marks": lambda: b"(" * 110_000,
    "an empty stack": lambda: b"\x86.",
    "an empty file": lambda: b"",
    "a web page": lambda: b"<!doctype html><html></html>",
    "a list": lambda: pickle.dumps([1, 2], protocol=2),
    "a number": lambda: b"I1\n.",
    "labels that are no pairs": lambda: pickle.dumps({"QPSK": np.zeros((2, 2, 2), np.float32)}, protocol=2),
    "objects in arrays": lambda: pickle.dumps({("QPSK", 1): np.array([os.sep, None], dtype=object)}, protocol=2),
    "whole numbers in arrays": lambda: pickle.dumps({("QPSK", 1): np.zeros((2, 2, 2), np.int32)}, protocol=2),
}


def much_from(encoded: bytes) -> bytes:
    """Ten thousand letters that are turned into bytes again and again."""
    return b"\x80\x02X\x10'\x00\x00" + b"a" * 10_000 + b"q\x00" + encoded * 10_000 + b"."


def many_times() -> bytes:
    """One array under very many keys: each key costs ten bytes, each array of the result 8,000."""
    data = python2_binary({("A", 0): np.ones((10, 2, 100), np.float32)})[:-2] + b"q\x09"
    return data + b"".join(b"U\x01AJ" + struct.pack("<i", each) + b"\x86h\x09" for each in range(1, 15_000)) + b"u."


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_pickle_that_holds_more_than_arrays_executes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bomb: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path / "RML2016.10a_dict.pkl", BOMBS[bomb]())
    tracemalloc.start()
    refused(Rml2016(path), r"RML2016.10a_dict.pkl: must be a pickle of arrays by class and SNR alone, .*got ")
    assert not (tmp_path / MARKER).exists()
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_the_bombs_are_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for bomb in (
        "os.system by reduce",
        "os.system as text",
        "eval",
        "a chain of getattr",
        "a class made by instruction",
    ):
        pickle.loads(BOMBS[bomb]())
        assert (tmp_path / MARKER).exists(), bomb
        (tmp_path / MARKER).unlink()


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    for form in (python2_text, python2_binary):
        whole = form(arrays(2, 2))
        for end in range(0, len(whole), 37):
            refused(Rml2016(written(tmp_path / "short.pkl", whole[:end])), "must be a pickle of arrays")


def test_other_mistakes_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(Rml2016(str(tmp_path / "absent.pkl")), "nothing of that name")
    refused(Rml2016(str(tmp_path)), "something that is no file")
    refused(Rml2016(written(tmp_path / "a.bz2", b"BZh91AY")), "got a bzip2 archive; unpack it first")
    refused(
        Rml2016(written(tmp_path / "few.pkl", python2_binary(arrays(1)))), "must have frames for every split, got 9"
    )
    spoilt = arrays()
    spoilt["QPSK", 0][3, 1, 2] = np.nan
    refused(Rml2016(written(tmp_path / "nan.pkl", python2_binary(spoilt))), "samples must be finite numbers")
    silent = {key: 0 * array for key, array in arrays().items()}
    refused(Rml2016(written(tmp_path / "zero.pkl", python2_binary(silent))), "must have a power, got a mean of 0")
    uneven = {**arrays(), ("QPSK", 2): np.ones((20, 2, 9), np.float32)}
    refused(Rml2016(written(tmp_path / "uneven.pkl", python2_binary(uneven))), "all of one length")
    monkeypatch.setattr(rml2016, "LARGEST_FILE", 10)
    refused(Rml2016(written(tmp_path / "large.pkl", python2_binary(arrays()))), "must be at most 10 bytes")
    for changes, match in (
        ({"path": " "}, "path must name"),
        ({"test_share": 0.0}, "test_share must be between 0 and 1"),
        ({"test_share": 0.95}, "must leave frames to train on"),
        ({"snr_db": (3.0, 1.0)}, "snr_db must be a level, or two in ascending order"),
    ):
        with pytest.raises(ValueError, match=match):
            Rml2016(**changes)  # type: ignore[arg-type]
