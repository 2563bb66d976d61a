"""Generated frames: the same settings give the same frames, clean, balanced, at power 1, in splits of their own."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from channels import RML2016, RML2018
from semcom.mistakes import UserMistake
from semcom.sources import frame_cache, generated_frames
from semcom.sources.frames import FrameCorpus
from semcom.sources.generated_frames import CHUNK, GeneratedFrames, make_splits, waveform_of

SMALL = GeneratedFrames(train=60, validation=24, test=33)


def equal(one: FrameCorpus, other: FrameCorpus) -> bool:
    return all(
        torch.equal(getattr(one, split).samples, getattr(other, split).samples)
        and torch.equal(getattr(one, split).labels, getattr(other, split).labels)
        for split in ("train", "validation", "test")
    )


def test_the_same_settings_give_the_same_frames_with_and_without_the_cache(
    cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = SMALL.load()
    assert made.fingerprint == SMALL.fingerprint() and made.classes == RML2016
    assert [len(each) for each in (made.train, made.validation, made.test)] == [60, 24, 33]
    with monkeypatch.context() as patched:
        patched.setattr(generated_frames, "make_splits", None)
        assert equal(SMALL.load(), made)
    (file,) = cache_folder.iterdir()
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    assert equal(SMALL.load(), made), "a damaged file was believed"
    file.write_bytes(b"no safetensors")
    assert equal(SMALL.load(), made)
    assert made.train.samples.dtype == torch.complex64 and made.train.snr_db is None
    assert "117 frames of 128 samples in 11 classes" in SMALL.prepare()


def test_a_cached_file_of_other_settings_is_not_believed() -> None:
    SMALL.load()
    other = dataclasses.replace(SMALL, seed=1)
    places = [frame_cache.place("frames-generated", each.fingerprint()) for each in (SMALL, other)]
    places[0].rename(places[1])
    assert not equal(other.load(), SMALL.load())


def test_labels_take_turns_and_splits_share_nothing() -> None:
    made = SMALL.load()
    for split in (made.train, made.validation, made.test):
        assert split.labels.tolist() == [row % 11 for row in range(len(split))]
    rows = torch.view_as_real(torch.cat([each.samples for each in (made.train, made.validation, made.test)])).flatten(1)
    assert len(rows.unique(dim=0)) == 117


def test_a_smaller_split_is_the_beginning_of_a_larger_one_and_moves_no_other() -> None:
    waveform = waveform_of(SMALL)
    small = make_splits(waveform, {"train": 20, "test": 30}, seed=3)
    large = make_splits(waveform, {"train": CHUNK + 20, "test": 30}, seed=3)
    assert torch.equal(small["train"].samples, large["train"].samples[:20])
    assert torch.equal(small["test"].samples, large["test"].samples)
    assert not torch.equal(large["train"].samples[:20], large["train"].samples[CHUNK:])


@pytest.mark.parametrize(
    "source",
    [
        GeneratedFrames(classes="rml2018", length=64),
        GeneratedFrames(classes=("QPSK", "GMSK"), length=64, paths=3, path_fading="rayleigh", doppler=0.001),
    ],
)
def test_every_class_has_mean_power_one(source: GeneratedFrames, assert_mean: Callable[..., None]) -> None:
    waveform = waveform_of(source)
    frames = make_splits(waveform, {"train": 150 * len(waveform.modulations)}, seed=5)["train"]
    for label in range(len(waveform.modulations)):
        # Frames are independent, samples of one are not.
        assert_mean(frames.samples[frames.labels == label].abs().square().mean(dim=1), 1.0)


def test_frames_are_the_clean_signal() -> None:
    fixed = GeneratedFrames(
        classes=("CPFSK", "QPSK"), length=32, train=4, validation=2, test=2, carrier_offset=0.0, linewidth=0.0
    )
    magnitudes = fixed.load().train.samples[0].abs()
    assert torch.allclose(magnitudes, torch.ones(32), atol=1e-5), "a constant envelope is constant without noise"


def test_the_fingerprint_covers_every_setting_and_only_what_they_mean() -> None:
    changed = {
        "classes": "rml2018",
        "length": 64,
        "path_fading": "rayleigh",
        **{name: getattr(SMALL, name) + 1 for name in ("train", "validation", "test", "paths", "seed")},
        **dict.fromkeys(("rolloff", "message_band", "timing", "phase", "carrier_offset", "delay_spread"), 0.2),
        **dict.fromkeys(("doppler", "linewidth", "clock_offset_ppm"), 0.1),
        "samples_per_symbol": (4.0, 8.0),
    }
    assert set(changed) == {field.name for field in dataclasses.fields(SMALL)} - {"source"}
    prints = [dataclasses.replace(SMALL, **{name: value}).fingerprint() for name, value in changed.items()]
    assert len({SMALL.fingerprint(), *prints}) == len(changed) + 1
    assert dataclasses.replace(SMALL, classes=RML2016, samples_per_symbol=(4, 12)).fingerprint() == SMALL.fingerprint()
    assert waveform_of(GeneratedFrames(classes="rml2018")).modulations == RML2018


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"classes": ("QPSK", "PSK4")}, "a modulation must be one of 8PSK.*got 'PSK4'"),
        ({"classes": "rml2020"}, "classes must be a list of names, rml2016 or rml2018, got 'rml2020'"),
        ({"classes": ("QPSK", "QPSK")}, "modulations must be different names"),
        ({"length": 0}, "length must be at least 1"),
        ({"train": 10}, "train must be at least 11 frames, one of each class, got 10"),
        ({"train": 10**9}, "must fit 8,000,000,000 bytes"),
        ({"samples_per_symbol": 1.0}, "samples_per_symbol must be a number from 2"),
        ({"rolloff": (0.5, 0.2)}, "rolloff must be a number from 0.1 to 1, or two of them in ascending order"),
        ({"paths": 0}, "paths must be from 1 to 100"),
        ({"path_fading": "deep"}, "path_fading must be one of none"),
    ],
)
def test_mistakes_are_named(changes: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        GeneratedFrames(**changes)
    assert issubclass(UserMistake, ValueError)


def test_settings_are_made_checked_and_named_without_torch() -> None:
    script = (
        "import sys\n"
        "from semcom.sources.generated_frames import GeneratedFrames\n"
        "from semcom.sources.rml2016 import Rml2016\n"
        "from semcom.sources.rml2018 import Rml2018\n"
        "from semcom.sources.sigmf import SigMfFrames\n"
        "assert not {'torch', 'numpy', 'h5py'} & set(sys.modules)\n"
        "print(GeneratedFrames(classes='rml2018').fingerprint(), Rml2016(), Rml2018(), SigMfFrames())\n"
        "print(Rml2018(path=__import__('os').devnull + 'x')._names())\n"
        "assert not {'torch._C', 'numpy', 'h5py'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == GeneratedFrames(classes="rml2018").fingerprint()
