"""What is on disk is written whole or not at all, and read without trusting it."""

import json
import os
import pickle
import random
import threading
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save, save_file
from torch import nn

from semcom.files import digest_of
from semcom.mistakes import UserMistake
from semcom.training.checkpoint import (
    Checkpoint,
    about_codec,
    check_weights,
    load_weights,
    save_weights,
    weights_of,
)

STATE = {"step": 7, "first": 1.5, "smooth": {"hard_labels": 0.25}, "weights": {"a": torch.arange(6.0).view(2, 3)}}


class Payload:
    """Unpickled, it makes a folder: the mildest form of running somebody's code."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def flip(path: Path, spot: int) -> None:
    """One bit, in one of twenty parts of the file."""
    content, chance = bytearray(path.read_bytes()), random.Random(spot)
    content[int((spot + chance.random()) / 20 * len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def copies(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: each.detach().clone() for name, each in module.named_parameters()}


def assert_untouched(module: nn.Module, before: dict[str, torch.Tensor]) -> None:
    assert all(torch.equal(each, before[name]) for name, each in module.named_parameters())


# Written whole or not at all


@pytest.mark.parametrize("what", ["weights", "checkpoint"])
def test_a_reader_sees_the_old_file_or_the_new_one_whole(what, make_codec, tmp_path):
    path = tmp_path / "deep" / "file"

    def write(number: int) -> None:
        if what == "weights":
            save_weights(make_codec(number), path, about={})
        else:
            Checkpoint(path, "me").save({"step": number})

    write(1)
    old = path.read_bytes()
    with path.open("rb") as reader:
        write(2)
        assert reader.read() == old
    assert path.read_bytes() != old
    assert os.listdir(path.parent) == ["file"]


def test_what_cannot_be_written_leaves_the_old_checkpoint_and_no_litter(tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "me")
    checkpoint.save({"step": 1})
    # A lock cannot be pickled, so the state breaks off somewhere in its middle.
    with pytest.raises(TypeError):
        checkpoint.save({"step": 2, "lock": threading.Lock()})
    assert checkpoint.load()["step"] == 1
    assert os.listdir(tmp_path) == ["checkpoint.pt"]


# Weights


@pytest.mark.parametrize("decoding", ["parallel", "autoregressive"])
@pytest.mark.parametrize("tied", [True, False])
def test_weights_come_back_exactly_and_tied_ones_stay_tied(decoding, tied, make_codec, tmp_path):
    codec, other = (make_codec(seed, decoding=decoding, tied=tied) for seed in (1, 2))
    path = tmp_path / "models" / "weights.safetensors"
    save_weights(codec, path, about={"build": "abc"})
    load_weights(other, path)
    ours, theirs = codec.state_dict(), other.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert (other.receiver.output.weight is other.transmitter.embedding.weight) is tied
    assert os.listdir(path.parent) == ["weights.safetensors"]


def test_weights_of_another_build_are_refused_though_they_fit(make_codec, tmp_path):
    path, codec = tmp_path / "weights.safetensors", make_codec(2)
    before = copies(codec)
    save_weights(make_codec(1), path, about={"build": "abc"})
    for refuse in (lambda: load_weights(codec, path, build="xyz"), lambda: check_weights(path, build="xyz")):
        with pytest.raises(UserMistake, match=r"must hold the weights of build xyz, got those of abc; .*run again"):
            refuse()
    assert_untouched(codec, before)
    load_weights(codec, path, build="abc")
    check_weights(path, build="abc")
    save_weights(make_codec(1), path, about={})
    with pytest.raises(UserMistake, match="got those of nobody"):
        load_weights(codec, path, build="abc")


def test_a_tied_weight_is_stored_once(make_codec, tmp_path):
    codec = make_codec(1, decoding="autoregressive", tied=True)
    path = tmp_path / "weights.safetensors"
    save_weights(codec, path, about={})
    stored = load_file(path)
    assert stored.keys() == weights_of(codec).keys()
    assert sum(each.numel() for each in stored.values()) == sum(each.numel() for each in codec.parameters())


def test_the_header_tells_about_the_codec(make_codec, tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(make_codec(), path, about=about_codec({"width": 8}, vocabulary=23, build="abc"))
    with safe_open(path, framework="pt") as stored:
        about = stored.metadata()
    assert json.loads(about.pop("spec")) == {"width": 8}
    assert about == {"vocabulary": "23", "build": "abc"}


def test_equal_weights_give_equal_bytes_as_long_as_safetensors_own(make_codec, tmp_path):
    """Their header tells about them in whatever order a hash table has; more entries, more orders."""
    path, codec = tmp_path / "weights.safetensors", make_codec(1)
    spec = {"width": 8, "of": '\u00e9\u4e2d\t"/\\'}
    about = about_codec(spec, build="abc") | {f"key {number}": "x" for number in range(9)}
    contents = set()
    for order in range(4):
        told = save_weights(codec, path, about=dict(sorted(about.items(), reverse=order % 2 == 1)))
        assert told == digest_of(path)
        contents.add(path.read_bytes())
    assert len(contents) == 1
    assert len(contents.pop()) == len(save({k: v.contiguous() for k, v in weights_of(codec).items()}, metadata=about))
    with safe_open(path, framework="pt") as stored:
        assert stored.metadata() == about
    other = make_codec(2)
    load_weights(other, path, build="abc", noted=told)
    assert all(torch.equal(each, weights_of(codec)[name]) for name, each in weights_of(other).items())


@pytest.mark.parametrize("spot", range(20))
def test_one_flipped_bit_in_weights_is_seen_by_whoever_knows_their_digest(spot, make_codec, tmp_path):
    path, codec = tmp_path / "weights.safetensors", make_codec(1)
    told = save_weights(codec, path, about={"build": "abc"})
    flip(path, spot)
    before = copies(codec)
    for refuse in (
        lambda: load_weights(codec, path, build="abc", noted=told),
        lambda: check_weights(path, build="abc", noted=told),
    ):
        with pytest.raises(UserMistake, match=r"weights.safetensors: must be as the training saved it.*; run again"):
            refuse()
    assert_untouched(codec, before)


def test_loaded_weights_can_still_be_trained(make_codec, tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(make_codec(1), path, about={})
    other = make_codec(2)
    load_weights(other, path)
    assert all(each.requires_grad and each.is_leaf and each.grad_fn is None for each in other.parameters())


def other_width(codec, make_codec, path):
    save_weights(make_codec(2, width=16), path, about={})


def other_depth(codec, make_codec, path):
    save_weights(make_codec(2, layers=2), path, about={})


def other_names(codec, make_codec, path):
    stored = {name.replace("transmitter", "sender"): each.clone() for name, each in weights_of(codec).items()}
    save_file(stored, path)


def one_missing(codec, make_codec, path):
    stored = {name: each + 1 for name, each in weights_of(codec).items()}
    stored.pop(next(reversed(stored)))
    save_file(stored, path)


def one_too_many(codec, make_codec, path):
    save_file({**{name: each + 1 for name, each in weights_of(codec).items()}, "surprise": torch.zeros(1)}, path)


def last_of_another_shape(codec, make_codec, path):
    stored = {name: each + 1 for name, each in weights_of(codec).items()}
    last = next(reversed(stored))
    stored[last] = torch.zeros(*stored[last].shape, 2)
    save_file(stored, path)


def missing(codec, make_codec, path):
    """Nothing is written."""


def a_folder(codec, make_codec, path):
    path.mkdir()


def empty(codec, make_codec, path):
    path.touch()


def truncated(codec, make_codec, path):
    save_weights(make_codec(2), path, about={})
    path.write_bytes(path.read_bytes()[:-10])


def cut_in_its_header(codec, make_codec, path):
    save_weights(make_codec(2), path, about={})
    path.write_bytes(path.read_bytes()[:40])


def a_text(codec, make_codec, path):
    path.write_text("these are not the weights that you are looking for")


def of_whole_numbers(codec, make_codec, path):
    save_file({name: each.to(torch.int64) for name, each in weights_of(codec).items()}, path)


def last_not_finite(codec, make_codec, path):
    stored = {name: each + 1 for name, each in weights_of(codec).items()}
    stored[next(reversed(stored))].view(-1)[0] = float("nan")
    save_file(stored, path)


def a_torch_file(codec, make_codec, path):
    torch.save(codec.state_dict(), path)


WRONG = {
    other_width: r"must have shape \(.*\), got \(.*\); .*another size",
    other_depth: "belong to another network: .*layers.1",
    other_names: "belong to another network: .*sender",
    one_missing: "belong to another network",
    one_too_many: "belong to another network: surprise",
    last_of_another_shape: "must have shape",
    missing: "no such file; .*semcom run",
    a_folder: "not a readable safetensors file",
    empty: "not a readable safetensors file",
    truncated: "not a readable safetensors file",
    cut_in_its_header: "not a readable safetensors file",
    a_text: "not a readable safetensors file",
    a_torch_file: "not a readable safetensors file",
    of_whole_numbers: "must be of float32, got int64",
    last_not_finite: "must be finite, got NaN or infinity",
}


@pytest.mark.parametrize("spoil", WRONG, ids=lambda spoil: spoil.__name__)
def test_wrong_weights_are_a_mistake_that_names_the_file_and_changes_nothing(spoil, make_codec, tmp_path):
    codec = make_codec(1)
    before = copies(codec)
    path = tmp_path / "weights.safetensors"
    spoil(codec, make_codec, path)
    with pytest.raises(UserMistake, match=WRONG[spoil]) as caught:
        load_weights(codec, path)
    assert str(path) in str(caught.value)
    assert_untouched(codec, before)


def test_weights_that_are_a_pickle_run_no_code(make_codec, tmp_path):
    codec, path, folder = make_codec(1), tmp_path / "weights.safetensors", tmp_path / "made by the payload"
    path.write_bytes(pickle.dumps(Payload(folder)))
    with pytest.raises(UserMistake):
        load_weights(codec, path)
    assert not folder.exists()


# Checkpoints


def test_a_state_comes_back_exactly(tmp_path):
    checkpoint = Checkpoint(tmp_path / "deep" / "checkpoint.pt", "me")
    checkpoint.save({**STATE, "step": 3})
    checkpoint.save(STATE)
    state = checkpoint.load()
    assert torch.equal(state.pop("weights")["a"], STATE["weights"]["a"])
    assert state == {"step": 7, "first": 1.5, "smooth": {"hard_labels": 0.25}, "identity": "me"}
    assert os.listdir(tmp_path / "deep") == ["checkpoint.pt"]


def test_without_a_file_there_is_no_state(tmp_path):
    assert Checkpoint(tmp_path / "checkpoint.pt", "me").load() is None


def test_the_state_of_another_training_is_not_taken(tmp_path):
    path = tmp_path / "checkpoint.pt"
    Checkpoint(path, "somebody else").save(STATE)
    assert Checkpoint(path, "me").load() is None
    assert Checkpoint(path, "somebody else").load() is not None


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.99])
def test_a_truncated_checkpoint_is_ignored(share, tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "me")
    checkpoint.save(STATE)
    whole = checkpoint.path.read_bytes()
    checkpoint.path.write_bytes(whole[: int(share * len(whole))])
    assert checkpoint.load() is None


@pytest.mark.parametrize("spot", range(20))
def test_one_flipped_bit_costs_the_checkpoint_and_not_the_result(spot, tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "me")
    checkpoint.save({**STATE, "weights": {"a": torch.randn(2000)}})
    flip(checkpoint.path, spot)
    assert checkpoint.load() is None


@pytest.mark.parametrize(
    "edit",
    [
        lambda content: content.replace(b"semcom checkpoint 1", b"semcom checkpoint 2"),
        lambda content: content + b"\0",
        lambda content: content.partition(b"\n")[0] + b"\n",
        lambda content: b"\n" + content.partition(b"\n")[2],
    ],
)
def test_a_checkpoint_whose_first_line_is_not_of_the_rest_is_not_taken(edit, tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "me")
    checkpoint.save(STATE)
    checkpoint.path.write_bytes(edit(checkpoint.path.read_bytes()))
    assert checkpoint.load() is None


def test_a_checkpoint_from_before_there_were_digests_is_gone_on_from(tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "me")
    torch.save({**STATE, "identity": "me"}, checkpoint.path)
    assert checkpoint.load()["step"] == 7


@pytest.mark.parametrize("content", [b"\0" * 4096, b"some words", b"PK\x03\x04 but no archive"], ids=str)
def test_a_file_that_never_was_a_checkpoint_is_ignored(content, tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "me")
    checkpoint.path.write_bytes(content)
    assert checkpoint.load() is None


@pytest.mark.parametrize("content", [torch.zeros(2), ["me"], "me", {"step": 3}], ids=["tensor", "list", "str", "bare"])
def test_a_file_with_anything_but_a_state_is_ignored(content, tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "me")
    torch.save(content, checkpoint.path)
    assert checkpoint.load() is None


@pytest.mark.parametrize("wrap", ["torch file", "old torch file", "bare pickle"])
def test_a_checkpoint_from_outside_runs_no_code(wrap, tmp_path):
    path, folder = tmp_path / "checkpoint.pt", tmp_path / "made by the payload"
    state = {**STATE, "identity": "me", "history": Payload(folder)}
    if wrap == "bare pickle":
        path.write_bytes(pickle.dumps(state))
    else:
        torch.save(state, path, _use_new_zipfile_serialization=wrap == "torch file")
    assert Checkpoint(path, "me").load() is None
    assert not folder.exists()
    # The trap is armed: read with trust, the same payload does run.
    pickle.loads(pickle.dumps(state["history"]))
    assert folder.exists()
