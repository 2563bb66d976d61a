"""The text codec's own stacks: what stays is the same bits, and the spec says what is there, for every decoder."""

from dataclasses import replace

import pytest
import torch

from channels import Chance, Link, draw
from semcom.compression.codec_layers import codec_evidence, flow_of_ones, keep_layers, narrow_feedforward, seen_of
from semcom.compression.cost import count, multiply_adds
from semcom.compression.gather import evidence_of
from semcom.compression.layer_pruning import LayerPruning
from semcom.compression.psr import Psr
from semcom.compression.width_pruning import ChannelPruning
from semcom.mistakes import UserMistake
from semcom.models.codec import air_shape
from semcom.models.make import initialize
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.sources.batches import make_batch
from semcom.tasks.trip import rehearse

VOCABULARY, LINK = 19, Link(snr_db=6.0)
BATCHES = [
    make_batch([[4 + (5 * row + 3 * place + shift) % 15 for place in range(3 + row % 3)] for row in range(6)])
    for shift in (0, 1)
]
SIDE = SideSpec(width=8, layers=3, heads=2, feedforward=12, channel_hidden=10)
SPECS = {
    f"{decoding} {norm}": SemanticSpec(
        SIDE, replace(SIDE, layers=2, width=8), symbols_per_token=2, decoding=decoding, norm=norm, tied=tied
    )
    for decoding, norm, tied in (
        ("parallel", "pre", True),
        ("parallel", "post", False),
        ("autoregressive", "pre", False),
        ("autoregressive", "post", True),
    )
}
every_kind = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def make(spec, seed=1):
    return initialize(spec, VOCABULARY, seed=seed).eval()


def trip(codec, batch=BATCHES[0]):
    return rehearse(codec, batch, [(LINK, draw(LINK, air_shape(codec, batch), Chance(1)))])


def trips_of(codec):
    with torch.no_grad():
        return [trip(codec, batch) for batch in BATCHES]


@every_kind
def test_all_layers_kept_give_the_same_bits(spec: SemanticSpec) -> None:
    codec = make(spec)
    whole = keep_layers(codec, ((0, 1, 2), (0, 1)))
    assert whole.spec == spec
    assert torch.equal(trip(whole).heard.logits, trip(codec).heard.logits)
    assert torch.equal(trip(whole).sent.symbols, trip(codec).sent.symbols)


@every_kind
def test_what_stays_is_the_same_bits_and_fits_a_codec_of_its_spec(spec: SemanticSpec) -> None:
    codec = make(spec)
    pruned = keep_layers(codec, ((0, 2), (1,)))
    moved = {"transmitter.layers.1.": "transmitter.layers.2.", "receiver.layers.0.": "receiver.layers.1."}
    whole = codec.state_dict()
    for name, tensor in pruned.state_dict().items():
        old = next((name.replace(new, old) for new, old in moved.items() if name.startswith(new)), name)
        assert torch.equal(tensor, whole[old])
    assert (pruned.spec.transmitter.layers, pruned.spec.receiver.layers) == (2, 1)
    assert pruned.spec == pruned.transmitter.spec == pruned.receiver.spec
    assert (codec.spec, len(codec.transmitter.layers)) == (spec, 3)
    remade = make(pruned.spec, seed=2)
    remade.load_state_dict(pruned.state_dict())
    assert torch.equal(trip(remade).heard.logits, trip(pruned).heard.logits)
    assert count(pruned) == count(remade)
    # The first layer of the encoder still stands where it stood.
    assert torch.equal(trip(pruned).sent.layers[0], trip(codec).sent.layers[0])


@every_kind
def test_tied_weights_stay_tied(spec: SemanticSpec) -> None:
    pruned = keep_layers(make(spec), ((1,), (0,)))
    assert (pruned.receiver.output.weight is pruned.transmitter.embedding.weight) == spec.tied


@every_kind
def test_every_weight_of_every_layer_takes_part_in_the_flow(spec: SemanticSpec) -> None:
    codec = make(spec)
    flow_of_ones(codec).square().sum().backward()
    for stack in codec.stacks():
        for name, weight in stack.named_parameters():
            assert weight.grad is not None, name
    assert flow_of_ones(codec.double()).dtype == torch.float64


def test_what_is_seen_is_the_trip() -> None:
    codec = make(SPECS["parallel pre"])
    evidence = evidence_of(codec, lambda: trips_of(codec), loss=lambda _: 0.0, chance=Chance(7))
    trace = trips_of(codec)[1]
    for second in (seen_of(trace), list(evidence.observe())[1]):
        for seen, layers in zip(second.layers, (trace.sent.layers, trace.heard.layers), strict=True):
            assert all(torch.equal(a, b) for a, b in zip(seen, layers, strict=True))
        assert second.mask is not None
        assert torch.equal(second.targets, BATCHES[1].tokens) and torch.equal(second.mask, BATCHES[1].mask)


@every_kind
@pytest.mark.parametrize("choose", [Psr(), Psr(prefer="largest", carried=True)], ids=["default", "published order"])
def test_psr_prunes_both_sides(spec: SemanticSpec, choose: Psr) -> None:
    codec = make(spec)
    evidence = codec_evidence(codec, lambda: trips_of(codec), loss=lambda _: 0.0, chance=Chance(7))
    pruned = LayerPruning((2, 1), choose=choose).prune(evidence)
    kept = LayerPruning((2, 1), choose=choose).kept(evidence)
    assert [len(numbers) for numbers in kept] == [2, 1]
    assert tuple(stack["kept"] for stack in pruned.account["stacks"]) == kept
    small = pruned.network
    assert (small.spec.transmitter.layers, small.spec.receiver.layers) == (2, 1)
    assert small.spec == LayerPruning((2, 1)).planned(spec)
    trip(small).heard.logits.sum().backward()


@every_kind
def test_narrower_layers_use_up_a_budget_and_all_else_is_the_same_bits(spec: SemanticSpec) -> None:
    codec = make(spec)
    whole = multiply_adds(spec, VOCABULARY)
    assert narrow_feedforward(codec, whole).spec == spec
    small = narrow_feedforward(codec, whole - 500)
    narrower = small.spec.transmitter.feedforward
    assert 1 < narrower < SIDE.feedforward
    told = replace(spec.transmitter, feedforward=narrower), replace(spec.receiver, feedforward=narrower)
    assert (
        small.spec
        == small.transmitter.spec
        == small.receiver.spec
        == replace(spec, transmitter=told[0], receiver=told[1])
    )
    cost = multiply_adds(small.spec, VOCABULARY)
    assert whole - 500 - 2 * 5 * SIDE.width < cost <= whole - 500  # one unit more in each of five layers is too dear
    before = codec.state_dict()
    for name, tensor in small.state_dict().items():
        if ".feedforward." not in name or name.endswith("feedforward.2.bias"):
            assert torch.equal(tensor, before[name]), name
            continue
        layer = name[: name.index(".feedforward.")]
        stay = (
            before[f"{layer}.feedforward.0.weight"].abs().sum(dim=1).argsort(descending=True)[:narrower].sort().values
        )
        assert torch.equal(tensor, before[name].index_select(1 if "feedforward.2" in name else 0, stay)), name
    assert codec.spec == spec and codec.transmitter.layers[0].feedforward[0].out_features == SIDE.feedforward
    remade = make(small.spec, seed=2)
    remade.load_state_dict(small.state_dict())
    assert torch.equal(trip(remade).heard.logits, trip(small).heard.logits)
    assert count(remade).multiply_adds == cost
    assert (small.receiver.output.weight is small.transmitter.embedding.weight) == spec.tied


def test_a_budget_below_one_unit_a_layer_is_refused() -> None:
    codec = make(SPECS["parallel pre"])
    side = replace(SIDE, feedforward=1)
    one = multiply_adds(replace(codec.spec, transmitter=side, receiver=replace(side, layers=2)), VOCABULARY)
    assert narrow_feedforward(codec, one).spec.transmitter.feedforward == 1
    with pytest.raises(UserMistake, match=f"one channel a layer costs {one} multiply-adds, more than the budget of"):
        narrow_feedforward(codec, one - 1)


def test_channel_pruning_says_what_it_left() -> None:
    codec = make(SPECS["autoregressive pre"])
    evidence = evidence_of(codec, lambda: trips_of(codec), loss=lambda _: 0.0, chance=Chance(7))
    pruned = ChannelPruning(0.9).prune(evidence)
    whole, left = multiply_adds(codec.spec, VOCABULARY), multiply_adds(pruned.network.spec, VOCABULARY)
    assert left <= 0.9 * whole
    assert pruned.account == {"multiply_adds": left, "multiply_adds_before": whole}
    assert len(pruned.network.transmitter.layers) == 3  # no layer is gone
    for share in (0.0, 1.0, -0.5, float("nan")):
        with pytest.raises(ValueError, match="multiply_adds must be a share above 0 and below 1"):
            ChannelPruning(share)
