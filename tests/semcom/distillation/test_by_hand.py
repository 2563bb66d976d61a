"""Every method's loss on numbers chosen so that it can be worked out on paper; a new method needs a line here."""

from dataclasses import replace
from math import exp, log, sqrt
from types import SimpleNamespace

import pytest
import torch

from channels import Arrived, Link
from semcom.distillation.attention_features import AttentionFeatures
from semcom.distillation.attention_maps import AttentionMaps
from semcom.distillation.catalog import METHODS
from semcom.distillation.components import Components
from semcom.distillation.decoupled_logits import DecoupledLogits
from semcom.distillation.generated_layers import GeneratedLayers
from semcom.distillation.hidden_hints import HiddenHints
from semcom.distillation.layered import Layered
from semcom.distillation.masked_prediction import MaskedPrediction
from semcom.distillation.received_symbols import ReceivedSymbols
from semcom.distillation.relations import Relations
from semcom.distillation.representative_keys import RepresentativeKeys
from semcom.distillation.reverse_logits import ReverseLogits
from semcom.distillation.sequence_level import SequenceLevel
from semcom.distillation.similarity_preserving import SimilarityPreserving
from semcom.distillation.soft_logits import SoftLogits
from semcom.distillation.stage_attention import StageAttention
from semcom.distillation.stage_classifiers import StageClassifiers
from semcom.distillation.stage_hints import StageHints
from semcom.distillation.symbols import Symbols
from semcom.models.trace import Attention, Heard, Sent, Trace

# Two sentences of two places, the last of them padding, so three tokens: A, B and C. WILD is what stands in padding.
REAL = [[True, True], [True, False]]
WILD = 77.0
NOTHING = torch.nn.Identity()


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def complexes(values):
    return torch.tensor(values, dtype=torch.complex128)


def trace(
    *, logits=None, encoder=None, features=None, decoder=None, sent=None, received=None, sent_arrived=None,
    weighed=None, targets=None, mask=REAL, stage=None, next_stage=None
):  # fmt: skip
    """A trip of what is given alone; the rest is no number, so whoever looks at it gets none."""
    nan = torch.full((len(mask), 2, 1), torch.nan, dtype=torch.float64)
    signal = [nan.flatten(1) if each is None else complexes(each) for each in (sent, received)]
    return Trace(
        targets=torch.zeros(len(mask), 2, dtype=torch.long) if targets is None else torch.tensor(targets),
        mask=torch.tensor(mask),
        sent=Sent(signal[0], (nan if encoder is None else double(encoder),)),
        arrived=Arrived(signal[1], ((Link(), None),)),
        heard=Heard(
            nan if features is None else double(features),
            (nan if decoder is None else double(decoder),),
            nan if logits is None else double(logits),
            stages=(nan if stage is None else double(stage), *([double(next_stage)] if next_stage else ())),
            attention=weighed,
        ),
        sent_arrived=None if sent_arrived is None else complexes(sent_arrived),
    )


# Logits. Of three tokens, with what follows from these probabilities:
#        teacher             student             true
#   A    1/2   1/4   1/4     1/8   5/8   1/4     0
#   B    1/4   1/4   1/2     1/4   1/4   1/2     1
#   C    1/10  8/10  1/10    2/10  2/10  6/10    1
LIKELY = [[[1 / 2, 1 / 4, 1 / 4], [1 / 4, 1 / 4, 1 / 2]], [[0.1, 0.8, 0.1], [1.0, WILD, 1.0]]]
GUESSED = [[[1 / 8, 5 / 8, 1 / 4], [1 / 4, 1 / 4, 1 / 2]], [[0.2, 0.2, 0.6], [WILD, 1.0, 1.0]]]


def saying(probabilities, temperature):
    """Logits that are these probabilities at a temperature."""
    return trace(logits=(temperature * double(probabilities).log()).tolist(), targets=[[0, 1], [1, 2]])


def logits(temperature=1.0):
    return saying(GUESSED, temperature), saying(LIKELY, temperature), NOTHING


FORWARD = log(4) / 2 + log(2 / 5) / 4 + 0.1 * log(1 / 2) + 0.8 * log(4) + 0.1 * log(1 / 6)
REVERSE = log(1 / 4) / 8 + 5 * log(5 / 2) / 8 + 0.2 * log(2) + 0.2 * log(1 / 4) + 0.6 * log(6)
# A: (1/2, 1/2) from (1/8, 7/8), and (1/2, 1/2) from (5/7, 2/7).  C: (8, 2)/10 from (2, 8)/10, and (1/2, 1/2) from
# (1/4, 3/4).
TRUE_OR_NOT = log(4) / 2 + log(4 / 7) / 2 + 0.6 * log(4)
AMONG_THE_REST = log(7 / 10) / 2 + log(7 / 4) / 2 + log(2) / 2 + log(2 / 3) / 2


# Directions. Swapped by the projection, A and B point where the teacher's do, and C at a right angle.
HELD, TAUGHT = [[[3, 4], [1, 0]], [[0, 2], [WILD, 1]]], [[[4, 3], [0, 5]], [[0, 1], [1, WILD]]]
# As they are: A has the cosine 24/25, B 0 and C 1, of which a turn is 2 - 2 cos.
TURNED = 2 - 2 * 24 / 25 + 2 + 0


def hints():
    swap = torch.nn.Linear(2, 2, dtype=torch.float64)
    with torch.no_grad():
        swap.weight.copy_(double([[0, 1], [1, 0]]))
        swap.bias.zero_()
    return (
        trace(decoder=HELD),
        trace(decoder=TAUGHT),
        torch.nn.ModuleDict({"heard": torch.nn.ModuleList([swap])}),
    )


# Attention. One head of width 1, keys (1, 0): a query of log 3 weighs (3/4, 1/4) and one of 0 (1/2, 1/2). Values
# (r, 0) with r^2 = log 3 weigh each other alike. The second sentence has one token, which weighs nothing but itself.
def weighed(queries, value):
    def head(first, second):
        return double([[[[first], [second]]], [[[WILD], [WILD]]]])

    return trace(weighed=Attention(head(*queries), head(1.0, 0.0), head(value, 0.0), causal=False))


def attention():
    return weighed((log(3), 0.0), 0.0), weighed((0.0, log(3)), sqrt(log(3))), NOTHING


EVEN_FROM_UNEVEN = log(2 / 3) / 2 + log(2) / 2
UNEVEN_FROM_EVEN = 3 * log(3 / 2) / 4 + log(1 / 2) / 4

# Relations. Three sentences whose means stand 3, 4 and 5 apart for the student, all 2 apart for the teacher: in units
# of their mean 3/4, 1 and 5/4 against 1, 1, 1. Cosines: 0, 3/5 and 4/5 against 1/2. Gaps lose half their square.
TRIANGLE = [[[0, 1], [0, -1]], [[3, 0], [WILD, 0]], [[0, 4], [0, WILD]]]
EQUILATERAL = [[[0, 2], [0, -2]], [[2, 0], [0, WILD]], [[1, sqrt(3)], [WILD, 0]]]
THREE = [[True, True], [True, False], [True, False]]
DISTANCES = (0.25**2 + 0 + 0.25**2) / 2 / 3
ANGLES = (0.5**2 + 0.1**2 + 0.3**2) / 2 / 3


def triangles():
    return trace(decoder=TRIANGLE, mask=THREE), trace(decoder=EQUILATERAL, mask=THREE), NOTHING


# Feature maps: two channels in two places, and a teacher's in one place or with one channel. Averaged over places the
# student has (1, 0) and (1/2, 3/2) against (0, 1) and (0, 3); active it is (1, 0) and (1, 1) against (0, 4) and (1, 0).
def stages(method, ours, theirs):
    shapes = [SimpleNamespace(stage_shapes=((len(each[0][0]), len(each[0])),)) for each in (ours, theirs)]
    return trace(stage=ours), trace(stage=theirs), method.adapters(*shapes)


SLANTED = ([[[1, 0], [1, 0]], [[0, 2], [1, 1]]], [[[0, 1]], [[0, 3]]])
ACTIVE = ([[[1, -1], [0, 0]], [[1, 1], [sqrt(2), 0]]], [[[0], [2]], [[-1], [0]]])


# One feature map, and two of another network: the first is active as ACTIVE says, the second where the only one is.
# Positions alone make the weights, (3/4, 1/4) or the other way round: descriptors are mapped to nothing.
ALIKE = [[[1], [0]], [[1], [1]]]


def attended(method, first, *, teaching):
    """Two maps learn from one, or one from two (`teaching`); the first of the two has this weight."""
    (one, other), two = ACTIVE, SimpleNamespace(shows={"stages"}, stage_shapes=((1, 2), (1, 2)))
    single = SimpleNamespace(shows={"stages"}, stage_shapes=((2, 2),))
    adapters = method.settled(single).adapters(*((single, two) if teaching else (two, single))).double()
    weigh = adapters["weigh"]
    with torch.no_grad():
        for each in weigh.parameters():
            each.zero_()
        weigh.query_places[0, 0] = 1
        weigh.key_places[0, 0] = log(first / (1 - first))
    traces = trace(stage=one), trace(stage=other, next_stage=ALIKE)
    return (*(traces if teaching else traces[::-1]), adapters)


def keys(first, **settings):
    return attended(RepresentativeKeys(width=1, **settings), first, teaching=True)


# One message of class 1 of 2, as it is and reversed, so that the true answers are 2 and 3 of 4. The first classifier
# knows nothing, the second half of it; it holds classes likely as (1/4, 3/4), the codec itself as (1/2, 1/2).
class Found(torch.nn.Module):
    def __init__(self, clusters):
        super().__init__()
        self.clusters = clusters

    def forward(self, spectrum, places):
        return self.clusters


class Saying(torch.nn.Module):
    def __init__(self, probabilities):
        super().__init__()
        self.logits = double(probabilities).log()

    def forward(self, stage):
        return self.logits


def layers():
    adapters = StageClassifiers(((1, 2), (2, 2)), 4, regress=True).double()
    adapters.classifiers = torch.nn.ModuleList(
        [Saying([[1 / 4] * 4] * 2), Saying([[1 / 8, 1 / 8, 1 / 2, 1 / 4], [1 / 8, 1 / 8, 1 / 4, 1 / 2]])]
    )
    with torch.no_grad():
        adapters.regressors[0].weight.copy_(double([[1], [0]]))
        adapters.regressors[0].bias.zero_()
    # Regressed to (1, 0) everywhere, in either message one place of two is at a right angle.
    views = trace(
        logits=[[[0, 0], [WILD, 0]], [[WILD, 0], [0, 0]]],
        stage=[[[1], [2]], [[1], [1]]],
        next_stage=[[[0, 1], [2, 0]], [[3, 0], [0, 1]]],
        targets=[[1, 0], [1, 0]],
    )
    return views, views, adapters


OWN = log(1 / 2) / 4 + 3 / 4 * log(3 / 2)


# Similarities [[2, 1], [1, 1]] for the student and [[1, 0], [0, 1]] for the teacher; rows cut to length 1.
def similar():
    ours, theirs = [[[1], [1]], [[1], [WILD]]], [[[0], [1]], [[1], [WILD]]]
    return trace(decoder=ours), trace(decoder=theirs), NOTHING


# Symbols, two a token: gaps 2j and 0, 1 and 1 + 1j, 0 and 3; squared and halved.
OURS = [[1 + 1j, 0.5, 2.0, 1 + 2j], [0j, 1.0, WILD, 1j]]
THEIRS = [[1 - 1j, 0.5, 1.0, 1j], [0j, -2.0, 1j, WILD]]
GAPS = (4 + 0) / 2 + (1 + 2) / 2 + (0 + 9) / 2


def alike(*parts):
    """No projections: as between parts of one width."""
    return torch.nn.ModuleDict(dict.fromkeys(parts, NOTHING))


def parts():
    """Encoder's layer, symbols, channel decoder's output, decoder's layer: every part loses its own number."""
    ours = trace(encoder=HELD, sent=OURS, features=[[[1, 0], [1, 0]], [[1, 0], [1, 0]]], decoder=HELD)
    theirs = trace(encoder=TAUGHT, sent=THEIRS, features=[[[0, 1], [1, 0]], [[2, 0], [0, 1]]], decoder=HELD)
    return ours, theirs, alike("semantic_encoder", "channel_decoder", "semantic_decoder")


def generated():
    """A right angle; twice as long; the same."""
    adapters = torch.nn.ModuleDict({"heard": torch.nn.ModuleDict({"0_0": NOTHING})})
    ours = trace(decoder=[[[1, 0], [0, 2]], [[3, 4], [WILD, 0]]])
    return ours, trace(decoder=[[[0, 1], [0, 1]], [[3, 4], [1, WILD]]]), adapters


def hidden_frames():
    """Two words of two frames: a hidden one of each is told, one is heard, and one that is hidden is no frame."""
    heard = trace()
    layer = double([[[0, log(3)], [WILD, -WILD]], [[0, 0], [WILD, -WILD]]])
    sent = replace(
        heard.sent, layers=(layer,), spectrum=layer,
        places=torch.tensor(REAL), hidden=torch.tensor([[True, False], [True, True]]),
    )  # fmt: skip
    clusters = Found(torch.tensor([[1, 1], [0, 1]]))
    return replace(heard, sent=sent), trace(), torch.nn.ModuleDict({"tell": NOTHING, "clusters": clusters})


BY_HAND = {
    SoftLogits(): (logits(), FORWARD / 3),
    SoftLogits(temperature=2.0): (logits(2.0), 4 * FORWARD / 3),
    ReverseLogits(temperature=2.0): (logits(2.0), 4 * REVERSE / 3),
    DecoupledLogits(alpha=3.0, beta=5.0, temperature=2.0): (
        logits(2.0),
        4 * (3 * TRUE_OR_NOT + 5 * AMONG_THE_REST) / 3,
    ),
    # It decides for 0, 2 and 1, to which the student gives 1/8, 1/2 and 2/10.
    SequenceLevel(): (logits(), (log(8) + log(2) + log(5)) / 3),
    HiddenHints(side="decoder"): (hints(), (0 + 0 + 2) / 3),
    # Differences of 1 and 1/2 a channel; cosines 0 and 1, and log s(1) - log s(0) = log 2 - log(1 + 1/e).
    GeneratedLayers(side="decoder", l1=3.0, cosine=5.0): (
        generated(),
        (3 * (1 + 1 / 2) + 5 * (log(2) - log(1 + exp(-1)))) / 3,
    ),
    StageHints(): (stages(StageHints(), *SLANTED), (2 + 2 - 2 * 3 / sqrt(10)) / 2),
    StageAttention(): (stages(StageAttention(), *ACTIVE), (2 + 2 - 2 / sqrt(2)) / 2),
    AttentionFeatures(on="stages", width=1): (
        attended(AttentionFeatures(width=1), 3 / 4, teaching=False),
        3 / 4 * (2 / 2 + (2 - 2 / sqrt(2)) / 2) / 2,
    ),
    RepresentativeKeys(on="stages", width=1): (keys(3 / 4), 3 / 4 * (2 + 2 - 2 / sqrt(2)) / 2),
    RepresentativeKeys(on="stages", width=1, threshold=0.0): (keys(1 / 4), 1 / 4 * (2 + 2 - 2 / sqrt(2)) / 2),
    # A quarter is less than even attention: what is not alike goes, and with it all that there is to lose.
    RepresentativeKeys(on="stages", width=1, threshold=1.0): (keys(1 / 4), 0.0),
    # Dealt out again, the half of even attention that is kept is all.
    RepresentativeKeys(on="stages", width=1, threshold=1.0, renormalise=True): (
        keys(3 / 4),
        (2 + 2 - 2 / sqrt(2)) / 2,
    ),
    Layered(
        transformations=("time_reversal",), classifiers=3.0, final=5.0, features=7.0, temperature=1, final_temperature=1
    ): (layers(), log(4) + log(2) + 3 * log(2) / 4 + 5 * OWN + 7 * (2 + 0) / 2),
    MaskedPrediction(): (hidden_frames(), (log(4 / 3) + log(2)) / 2),
    AttentionMaps(side="decoder"): (attention(), (EVEN_FROM_UNEVEN + 2 * UNEVEN_FROM_EVEN) / 3),
    Relations(side="decoder", distance=3.0, angle=2.0): (triangles(), 3 * DISTANCES + 2 * ANGLES),
    SimilarityPreserving(side="decoder"): (similar(), ((2 - 2 * 2 / sqrt(5)) + (2 - 2 / sqrt(2))) / 2),
    Components(1.0, 0.5, 2.0, 3.0, 7.0): (parts(), (0.5 * TURNED + 2 * GAPS + 3 * 2 + 7 * 0) / 3),
    Components(1.0, 0.0, 0.0, 0.0, 1.0): (
        (trace(decoder=HELD), trace(decoder=TAUGHT), alike("semantic_decoder")),
        TURNED / 3,
    ),
    Symbols(): ((trace(sent=OURS), trace(sent=THEIRS), NOTHING), GAPS / 3),
    ReceivedSymbols(): ((trace(received=OURS), trace(received=THEIRS), NOTHING), GAPS / 3),
    # What arrived is compared, where that is not what the teacher's receiver was given.
    ReceivedSymbols(weight=2.0): ((trace(received=OURS), trace(received=OURS, sent_arrived=THEIRS), NOTHING), GAPS / 3),
}


@pytest.mark.parametrize(("method", "case"), BY_HAND.items(), ids=[method.kind for method in BY_HAND])
def test_by_hand(method, case):
    (student, teacher, adapters), expected = case
    found = method.loss(student, teacher, adapters)
    assert found.shape == ()
    assert found.item() == pytest.approx(expected, rel=1e-12)


def test_every_method_was_worked_out_by_hand():
    assert {type(method) for method in BY_HAND} == set(METHODS)
