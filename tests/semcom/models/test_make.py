"""make: weights that depend on a seed alone, and on nobody's chance."""

import json
from dataclasses import replace
from typing import Any

import pytest
import torch

from semcom.identity import canonical
from semcom.models.make import initialize, make, spec_from
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.tasks.catalog import TASKS

SIDE = SideSpec(width=12, layers=2, heads=3, feedforward=20, channel_hidden=9)
SPEC = SemanticSpec(SIDE, SIDE, symbols_per_token=3, decoding="autoregressive", tied=False)
VOCABULARY = 23


def test_the_seed_alone_decides_the_weights() -> None:
    torch.manual_seed(1)
    first = initialize(SPEC, VOCABULARY, seed=5)
    torch.manual_seed(2)
    second, other = initialize(SPEC, VOCABULARY, seed=5), initialize(SPEC, VOCABULARY, seed=6)
    for name, parameter in first.named_parameters():
        assert torch.equal(parameter, second.get_parameter(name))
        if parameter.ndim > 1:
            assert not torch.equal(parameter, other.get_parameter(name))


def test_making_a_codec_takes_nobodys_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded: list[int] = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    torch.default_generator.manual_seed(7)
    before = torch.get_rng_state()
    initialize(SPEC, VOCABULARY, seed=5)
    assert torch.equal(torch.get_rng_state(), before)
    # An accelerator's generator is somebody's chance too, and nothing would put it back.
    assert seeded == []


EVERY = {name: spec for task in TASKS for name, spec in task.sizes.items()}
PRUNED = {
    "fewer layers": replace(SPEC, transmitter=replace(SIDE, layers=1), dropout=0.25),
    "fewer hidden units": replace(SPEC, receiver=replace(SIDE, feedforward=3)),
    "fewer units": replace(EVERY["iq_resnet20"], kept=(0, 4, 8), level_control=False),
    "narrower units": replace(EVERY["iq_resnet8"], hidden=(3, 9, 31)),
    "fewer and narrower": replace(EVERY["iq_resnet8"], kept=(0, 2), hidden=(3, 9)),
}


@pytest.mark.parametrize("spec", (EVERY | PRUNED).values(), ids=EVERY | PRUNED)
def test_a_spec_comes_back_from_plain_data(spec: Any) -> None:
    facts = json.loads(json.dumps(canonical(spec), allow_nan=False))
    for like in (spec, next(each for each in EVERY.values() if type(each) is type(spec))):
        again = spec_from(like, facts)
        assert again == spec
        assert canonical(again) == facts
    if spec.kind != "pretrained_speech":  # whose weights are in a folder of their own
        assert make(spec, 5).spec == spec


@pytest.mark.parametrize(
    ("like", "changes"),
    [
        ("tiny", {"width": 8}),
        ("tiny", {"symbols_per_token": 0}),
        ("tiny", {"symbols_per_token": "8"}),
        ("tiny", {"symbols_per_token": None}),
        ("tiny", {"norm": "between"}),
        ("tiny", {"dropout": [0.1]}),
        ("tiny", {"transmitter": 3}),
        ("tiny", {"transmitter": {"width": 7}}),
        ("tiny", {"transmitter": {"layers": 10**9, "width": 16, "heads": 2, "feedforward": 64, "channel_hidden": 32}}),
        ("iq_tiny", {"kept": [9]}),
        ("iq_tiny", {"kept": [1, 0]}),
        ("iq_tiny", {"kept": "01"}),
        ("iq_tiny", {"hidden": [4]}),
        ("iq_tiny", {"widths": [4, 8, 10**9]}),
        ("iq_tiny", {"widths": 4}),
        ("iq_tiny", {"family": "transformer"}),
        ("iq_tiny", {"length": 10**9}),
    ],
    ids=str,
)
def test_nonsense_is_no_spec(like: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"got|no spec"):
        spec_from(EVERY[like], canonical(EVERY[like]) | changes)


@pytest.mark.parametrize("facts", [None, 3, "tiny", [1, 2], {"width": 3}, {3: 4}], ids=str)
def test_what_is_no_mapping_of_its_keys_is_no_spec(facts: Any) -> None:
    with pytest.raises(ValueError, match=r"a spec must have keys among .*, got"):
        spec_from(EVERY["tiny"], facts)
