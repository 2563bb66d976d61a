"""Builds that prune: start, prune, train, in this order; whatever comes of them has the shape that was really made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from semcom.experiment import build as building
from semcom.experiment.build import carry_out_build, load_codec, made_spec, recorded_spec
from semcom.experiment.data import data_of
from semcom.experiment.sending import send_sentence
from semcom.mistakes import UserMistake
from semcom.models.codec import Codec
from semcom.scenario import expand as expanding
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.scenario.work import Build
from semcom.store.folder import RunFolder
from semcom.training.checkpoint import save_weights, weights_of

PLANS = (
    "codecs.full={size: tiny, symbols_per_token: 2, transmitter: {layers: 4}, receiver: {layers: 3}}",
    "codecs.pruned={start: full, prune: {kind: layers, keep: [2, 1], batches: 2}}",
    "codecs.narrow={start: full, prune: {kind: channels, multiply_adds: 0.7}}",
    "codecs.further={start: narrow, prune: {kind: layers, keep: [3, 2], choose: {kind: drop_last}}}",
    "codecs.on={start: pruned, training: {steps: 2}}",
    "codecs.scratch={start: pruned, fresh: true}",
    "codecs.student={size: tiny, symbols_per_token: 2, distill: {teacher: pruned, methods: [{kind: soft_logits}]}}",
    "codecs.taught={start: narrow, fresh: true, distill: {teacher: full, methods: [{kind: symbols}]}}",
)
ALL = ("full", "pruned", "narrow", "further", "on", "scratch", "student", "taught")


def sweep(*names: str) -> str:
    return f"sweep.codec=[{', '.join(names)}]"


@pytest.fixture
def builds(tiny_yaml):
    """Hand out `builds("pruned")`: that build and all it is made from, by name and in their order."""

    def call(*names: str, changes: tuple[str, ...] = ()) -> dict[str, Build]:
        scenario = load_scenario(tiny_yaml, (*PLANS, sweep(*names), *changes))[0]
        return {build.name: build for build in expand(scenario).builds}

    return call


def known(plans: dict[str, Build]) -> dict[str, Build]:
    return {build.identity: build for build in plans.values()}


def make(plans: dict[str, Build], folder: Path, *names: str, **options: object) -> dict[str, dict]:
    """Carry builds out in their order; their records."""
    wanted = {name: build for name, build in plans.items() if not names or name in names}
    return {name: carry_out_build(build, known(plans), folder, **options) for name, build in wanted.items()}


def begun(plans: dict[str, Build], name: str, folder: Path) -> tuple[Codec, dict | None]:
    """A codec as its training finds it."""
    return building._begun(plans[name], known(plans), folder, data_of(plans[name], folder), device="cpu")


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def made(tmp_path_factory, tiny_yaml):
    """Plans, folder and records of all codecs above."""
    scenario = load_scenario(tiny_yaml, (*PLANS, sweep(*ALL)))[0]
    plans = {build.name: build for build in expand(scenario).builds}
    folder = tmp_path_factory.mktemp("pruned")
    return plans, folder, make(plans, folder)


def test_it_starts_prunes_and_trains_in_this_order(made) -> None:
    plans, folder, records = made
    full = load_codec(plans["full"], folder)
    codec, account = begun(plans, "pruned", folder)
    assert account is not None
    assert codec.training, "training goes on"
    chosen = [stack["kept"] for stack in account["stacks"]]
    assert [len(each) for each in chosen] == [2, 1]
    for stack, whole, numbers in zip(codec.stacks(), full.stacks(), chosen, strict=True):
        for layer, number in zip(stack, numbers, strict=True):
            assert equal(layer.state_dict(), whole[number].state_dict()), "as the start was trained"
    after = weights_of(load_codec(plans["pruned"], folder))
    assert not equal(weights_of(codec), after), "and trained on from there"
    assert json.loads(json.dumps(account)) == json.loads(json.dumps(records["pruned"]["pruning"]))


def test_all_layers_kept_are_the_same_bits(builds, made, tmp_path) -> None:
    _, folder, _ = made
    same = "codecs.same={start: full, prune: {kind: layers, keep: [4, 3], batches: 1}}"
    plans = builds("same", changes=(same,))
    codec, account = begun(plans, "same", folder)
    assert account is not None and [stack["kept"] for stack in account["stacks"]] == [(0, 1, 2, 3), (0, 1, 2)]
    assert equal(weights_of(codec), weights_of(load_codec(plans["full"], folder)))
    assert codec.spec == plans["full"].spec


def test_prune_and_fresh_count_in_an_identity_only_where_they_are_set(builds, monkeypatch) -> None:
    parts: list[set[str]] = []
    identity = expanding.identity

    def noted(**facts):
        parts.append(set(facts))
        return identity(**facts)

    monkeypatch.setattr(expanding, "identity", noted)
    plans = builds("full")
    assert parts and not any({"prune", "fresh"} & each for each in parts)
    one, again, renamed, other, fresh = (
        builds(name, changes=(change,))[name].identity
        for name, change in (
            ("pruned", "seed=3"),
            ("pruned", "codecs.pruned={start: full, prune: {kind: layers, keep: [2, 1], batches: 2}, fresh: false}"),
            ("twin", "codecs.twin={start: full, prune: {kind: layers, keep: [2, 1], batches: 2}}"),
            ("pruned", "codecs.pruned={start: full, prune: {kind: layers, keep: [1, 1], batches: 2}}"),
            ("pruned", "codecs.pruned={start: full, fresh: true}"),
        )
    )
    assert one == again == renamed
    assert len({one, other, fresh, plans["full"].identity}) == 4


class Stopped(Exception):
    """Somebody pulled the plug."""


@pytest.mark.parametrize("name", ["pruned", "narrow", "scratch"])
def test_a_pruned_build_that_was_stopped_ends_with_the_same_weights(made, tmp_path, monkeypatch, name: str) -> None:
    monkeypatch.setattr("semcom.training.fit.CHECKPOINT_SECONDS", 0.0)
    plans, folder, records = made

    def stop(done: int, total: int, message: str) -> None:
        if done == 3:
            raise Stopped

    origin = {"scratch": "pruned"}.get(name, "full")
    for file in (RunFolder(folder).weights(plans[origin].identity), *RunFolder(folder).tokenizers.iterdir()):
        target = tmp_path / file.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    with pytest.raises(Stopped):
        make(plans, tmp_path, name, progress=stop)
    seen: list[int] = []
    record = make(plans, tmp_path, name, progress=lambda done, *_: seen.append(done))[name]
    assert seen == [4, 5, 6]
    assert equal(weights_of(load_codec(plans[name], tmp_path)), weights_of(load_codec(plans[name], folder)))
    assert record.get("pruning") == records[name].get("pruning")
    assert record["history"] == records[name]["history"]


def test_the_shape_that_was_made_is_in_the_header_and_in_the_record(made) -> None:
    plans, folder, records = made
    layers = {
        name: (spec.transmitter.layers, spec.receiver.layers)
        for name, spec in ((name, made_spec(build, folder)) for name, build in plans.items())
    }
    assert layers == {
        **dict.fromkeys(("full", "narrow", "taught"), (4, 3)),
        **dict.fromkeys(("pruned", "on", "scratch"), (2, 1)),
        "further": (3, 2),
        "student": (1, 1),
    }
    for name, build in plans.items():
        spec = made_spec(build, folder)
        assert recorded_spec(build, json.loads(json.dumps(records[name]))) == spec == load_codec(build, folder).spec
        with safe_open(RunFolder(folder).weights(build.identity), framework="pt") as file:
            assert json.loads(file.metadata()["spec"]) == records[name]["spec"]
    thin, further = (made_spec(plans[name], folder).transmitter.feedforward for name in ("narrow", "further"))
    assert thin == further < plans["full"].spec.transmitter.feedforward, "pruned twice"


def test_what_comes_of_a_pruned_codec_is_told(made) -> None:
    plans, _, records = made
    assert {name for name, record in records.items() if "pruning" in record} == {"pruned", "narrow", "further"}
    assert records["further"]["pruning"]["before"]["multiply_adds"] == records["narrow"]["multiply_adds"]
    assert records["pruned"]["pruning"]["before"]["parameters"] == records["full"]["parameters"]
    assert records["narrow"]["multiply_adds"] <= 0.7 * records["full"]["multiply_adds"]
    methods = {name: plans[name].method for name in ("full", "pruned", "narrow", "on", "scratch", "taught")}
    assert methods == {
        "full": "trained",
        "pruned": "trained, from weights, pruned by psr",
        "narrow": "trained, from weights, pruned by l1_channels",
        "on": "trained, from weights",
        "scratch": "trained",
        "taught": "symbols",
    }


def test_a_fresh_one_has_the_shape_and_no_weight_of_its_start(made) -> None:
    plans, folder, _ = made
    control, account = begun(plans, "scratch", folder)
    assert account is None and control.spec == made_spec(plans["pruned"], folder)
    ours, theirs = weights_of(control), weights_of(load_codec(plans["pruned"], folder))
    drawn = [name for name in ours if not (ours[name] == ours[name].flatten()[0]).all()]
    assert len(drawn) > 10 and not any(torch.equal(ours[name], theirs[name]) for name in drawn)
    on, _ = begun(plans, "on", folder)
    assert equal(weights_of(on), theirs)


HEADERS = {
    "no spec": {},
    "no JSON": {"spec": "{"},
    "too deep": {"spec": "[" * 100_000},
    "a list": {"spec": "[1, 2]"},
    "another kind": {"spec": '{"kept": [0, 1]}'},
    "unknown keys": {"spec": '{"transmitter": {"layers": 2, "color": 3}}'},
    "negative": {"spec": '{"transmitter": {"layers": -2}}'},
    "huge": {"spec": '{"transmitter": {"layers": 100000000}}'},
    "half a layer": {"spec": '{"transmitter": {"layers": 2.5}}'},
    "NaN": {"spec": '{"transmitter": {"layers": NaN}}'},
    "text": {"spec": '{"transmitter": {"layers": "2"}}'},
    "a truth": {"spec": '{"transmitter": {"layers": true}}'},
    "no side": {"spec": '{"transmitter": 3}'},
    "null": {"spec": '{"transmitter": null}'},
}


@pytest.mark.parametrize("about", HEADERS.values(), ids=HEADERS)
def test_a_damaged_header_ends_in_one_clear_message(made, tmp_path, about: dict[str, str]) -> None:
    plans, folder, _ = made
    build = plans["pruned"]
    target = RunFolder(tmp_path).weights(build.identity)
    target.parent.mkdir(parents=True)
    save_weights(load_codec(build, folder), target, about={"build": build.identity, **about})
    with pytest.raises(UserMistake, match=r"weights\.safetensors: must tell in its header what was pruned; delete it"):
        made_spec(build, tmp_path)


def test_a_header_that_tells_another_shape_does_not_fit_its_weights(made, tmp_path) -> None:
    plans, folder, _ = made
    build, codec = plans["pruned"], load_codec(plans["pruned"], folder)
    place = RunFolder(tmp_path)
    for file in RunFolder(folder).tokenizers.iterdir():
        place.tokenizers.mkdir(parents=True)
        (place.tokenizers / file.name).write_bytes(file.read_bytes())
    place.model(build.identity).mkdir(parents=True)
    spec = {"transmitter": {"width": 16, "layers": 3, "heads": 2}, "receiver": {"width": 16, "layers": 1, "heads": 2}}
    about = {"build": build.identity, "spec": json.dumps(spec)}
    save_weights(codec, place.weights(build.identity), about=about)
    with pytest.raises(UserMistake, match=r"weights\.safetensors: "):
        load_codec(build, tmp_path)
    sealed = replace(build, digests=replace(build.digests, weights="0" * 32))
    with pytest.raises(UserMistake, match="must be as the training saved it"):
        load_codec(sealed, tmp_path)


def test_codecs_without_anything_pruned_know_their_shape_from_the_plan(made) -> None:
    plans, folder, _ = made
    assert {name for name, build in plans.items() if build.is_reshaped} == set(ALL) - {"full", "student"}
    assert made_spec(plans["full"], folder / "nowhere") == plans["full"].spec


def test_a_sweep_of_pruned_codecs_is_measured_borrowed_and_sent(carry_out, tmp_path) -> None:
    changes = (*PLANS, sweep(*ALL), "sweep.snr_db=[6]", "sweep.interferers=[0]", "training.steps=2")
    assert carry_out(tmp_path / "one", *changes).failures == 0
    said = carry_out(tmp_path / "two", *changes, lenders=(tmp_path / "one",)).said
    assert "borrowed: full, pruned, narrow, further, on, scratch, student, taught" in said
    assert "trained in" not in said
    for table in ("results.csv", "pruning.csv"):
        one, two = ((tmp_path / name / table).read_bytes() for name in ("one", "two"))
        assert one == two, table
    table = send_sentence(tmp_path / "two", "the cat sees a quiet garden today .", snr_db=6, interferers=0, repeats=1,
                          seed=0)  # fmt: skip
    assert list(table.columns[0].cells) == list(ALL)
