"""make: weights that depend on a seed alone, and on nobody's chance."""

import pytest
import torch

from semcom.models.make import initialize
from semcom.models.semantic_spec import SemanticSpec, SideSpec

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
