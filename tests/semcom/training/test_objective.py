"""Cross-entropy to the true tokens, worked out by hand and over real tokens alone."""

import math

import pytest
import torch

from channels import Arrived, Chance, Link, draw
from semcom.models.codec import air_shape
from semcom.models.trace import Heard, Sent, Trace, hard_labels
from semcom.sources.batches import make_batch
from semcom.tasks.trip import rehearse
from semcom.training.objective import HardLabels

# Two sentences of three places and four tokens; the last place of the second is padding.
LOGITS = [
    [[0.0, 1.0, 2.0, 3.0], [1.0, 0.0, -1.0, 0.5], [2.0, 2.0, 0.0, -2.0]],
    [[-1.0, 0.5, 0.5, 0.0], [3.0, 0.0, 1.0, -1.0], [9.0, -9.0, 5.0, 7.0]],
]
TARGETS = [[3, 1, 0], [2, 0, 1]]
REAL = [[True, True, True], [True, True, False]]


def trace(logits, targets=TARGETS, mask=REAL):
    nothing = torch.zeros(2, 3)
    return Trace(
        targets=torch.tensor(targets),
        mask=torch.tensor(mask),
        sent=Sent(nothing, ()),
        arrived=Arrived(nothing, ((Link(), None),)),
        heard=Heard(nothing, (), logits),
    )


def test_hard_labels_by_hand():
    expected = 0.0
    for row in range(2):
        for place in range(3):
            if REAL[row][place]:
                scores = LOGITS[row][place]
                expected += math.log(sum(math.exp(score) for score in scores)) - scores[TARGETS[row][place]]
    loss = hard_labels(trace(torch.tensor(LOGITS, dtype=torch.float64)))
    assert float(loss) == pytest.approx(expected / 5, rel=1e-12)


def test_padding_neither_counts_nor_learns():
    logits = torch.tensor(LOGITS, dtype=torch.float64, requires_grad=True)
    hard_labels(trace(logits)).backward()
    assert torch.equal(logits.grad[1, 2], torch.zeros(4, dtype=torch.float64))
    changed = torch.tensor(LOGITS, dtype=torch.float64)
    changed[1, 2] = torch.tensor([-50.0, 20.0, 0.0, 1.0])
    assert torch.equal(hard_labels(trace(changed)), hard_labels(trace(logits)).detach())


def test_a_guess_loses_the_logarithm_of_the_vocabulary():
    assert float(hard_labels(trace(torch.zeros(2, 3, 4)))) == pytest.approx(math.log(4))


def test_the_objective_is_the_loss_of_the_trip_through_its_air(make_codec, encoded):
    codec, batch = make_codec(1), make_batch(encoded[:6])
    link, chance = Link(snr_db=4.0, interferers=2), Chance(2)
    losses = HardLabels(codec)(batch, [link], chance)
    air = draw(link, air_shape(codec, batch), chance)
    assert list(losses) == ["hard_labels"]
    assert torch.equal(losses["hard_labels"], hard_labels(rehearse(codec, batch, [(link, air)])))
    assert not torch.equal(losses["hard_labels"], HardLabels(codec)(batch, [link], Chance(3))["hard_labels"])


@pytest.mark.parametrize("decoding", ["parallel", "autoregressive"])
def test_a_longer_neighbor_does_not_change_a_sentence(decoding, make_codec):
    """Padded beside a longer one, a sentence adds what it loses alone, as far as it meets the same noise."""
    codec = make_codec(1, decoding=decoding)
    short, long = [5, 6, 7], [8, 9, 10, 11, 12]
    link = Link(snr_db=200.0)
    alone, other, both = (
        HardLabels(codec)(make_batch(sentences), [link], Chance(1))["hard_labels"].item()
        for sentences in ([short], [long], [short, long])
    )
    assert both == pytest.approx((3 * alone + 5 * other) / 8, rel=1e-5)


def test_every_weight_of_the_codec_is_trained(make_codec, encoded):
    codec = make_codec(1, decoding="autoregressive", tied=False)
    HardLabels(codec)(make_batch(encoded[:6]), [Link()], Chance(1))["hard_labels"].backward()
    unreached = [name for name, each in codec.named_parameters() if each.grad is None or not each.grad.any()]
    assert unreached == []
