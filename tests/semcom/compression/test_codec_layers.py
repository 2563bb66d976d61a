"""The text codec's own stacks: what stays is the same bits, and the spec says what is there, for every decoder."""

from dataclasses import replace

import pytest
import torch

from channels import Chance, Link, draw
from semcom.compression.codec_layers import codec_evidence, flow_of_ones, keep_layers, seen_of
from semcom.compression.cost import count
from semcom.compression.layer_pruning import LayerPruning
from semcom.compression.psr import Psr
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
    return rehearse(codec, batch, LINK, draw(LINK, air_shape(codec, batch), Chance(1)))


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


def test_what_is_observed_is_the_trip() -> None:
    codec = make(SPECS["parallel pre"])
    traces = [trip(codec, batch) for batch in BATCHES]
    evidence = codec_evidence(codec, lambda: traces, loss=lambda _: 0.0, chance=Chance(7))
    for _ in range(2):
        first, second = evidence.observe()
    assert [len(stack) for stack in first.layers] == [3, 2]
    for stack, made in zip(second.layers, (traces[1].sent.layers, traces[1].heard.layers), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(stack, made, strict=True))
    assert torch.equal(second.targets, BATCHES[1].tokens) and torch.equal(second.mask, BATCHES[1].mask)
    assert vars(seen_of(traces[1])) == vars(second)


@every_kind
@pytest.mark.parametrize("choose", [Psr(), Psr(prefer="largest", carried=True)], ids=["default", "published order"])
def test_psr_prunes_both_sides(spec: SemanticSpec, choose: Psr) -> None:
    codec = make(spec)
    evidence = codec_evidence(
        codec, lambda: [trip(codec, batch) for batch in BATCHES], loss=lambda _: 0.0, chance=Chance(7)
    )
    made = LayerPruning((2, 1), choose=choose).prune(evidence)
    pruned, kept = made.network, tuple(each["kept"] for each in made.account["stacks"])
    assert [len(numbers) for numbers in kept] == [2, 1]
    assert LayerPruning((2, 1), choose=choose).kept(evidence) == kept
    assert pruned.spec.transmitter.layers == 2
    trip(pruned).heard.logits.sum().backward()
