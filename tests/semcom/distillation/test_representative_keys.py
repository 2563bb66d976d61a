"""Representative keys and attention features: one is the other with swapped roles, and noise falls out of one alone."""

from __future__ import annotations

import copy
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from channels import Arrived, Chance, Link
from semcom.distillation.attended import Weighing
from semcom.distillation.attention_features import AttentionFeatures
from semcom.distillation.distiller import Distiller
from semcom.distillation.kept_keys import KeptKeys, influence, selected
from semcom.distillation.representative_keys import RepresentativeKeys
from semcom.distillation.teaching import Teaching
from semcom.models.trace import Heard, Sent, Trace
from semcom.training.checkpoint import buffers_of
from semcom.training.fit import fit
from semcom.training.settings import TrainingSettings

PLACES = 6
OURS, THEIRS = ((3, PLACES), (5, PLACES)), ((4, PLACES), (3, PLACES), (2, PLACES))


def spec(*shapes):
    return SimpleNamespace(shows={"stages"}, stage_shapes=shapes)


def trace(stages, real=None):
    rows = len(stages[0])
    nothing = torch.full((rows, 1, 1), torch.nan)
    return Trace(
        targets=torch.zeros(rows, 1, dtype=torch.long),
        mask=torch.ones(rows, 1, dtype=torch.bool) if real is None else torch.tensor(real)[:, None],
        sent=Sent(nothing, ()),
        arrived=Arrived(nothing, ((Link(), None),)),
        heard=Heard(nothing, (), nothing, stages=tuple(stages)),
    )


def random_stages(shapes, rows=7, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(rows, places, width, generator=generator, dtype=torch.float64) for width, places in shapes]


def made(method, ours=OURS, theirs=THEIRS, seed=2):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return method.adapters(spec(*ours), spec(*theirs)).double()


KEYS = RepresentativeKeys(on="stages", width=8)


def test_with_all_features_kept_it_is_attention_features_with_the_roles_swapped():
    """Queries of the student, keys of the teacher; a sum over places where the other has their mean."""
    keys, features = replace(KEYS, threshold=0.0, k=None), AttentionFeatures(on="stages", width=8)
    adapters, swapped = made(keys), made(features, ours=THEIRS, theirs=OURS)
    swapped["weigh"].load_state_dict(adapters["weigh"].state_dict())
    student, teacher = trace(random_stages(OURS)), trace(random_stages(THEIRS, seed=3))
    expected = PLACES * features.loss(teacher, student, swapped).item()
    assert keys.loss(student, teacher, adapters).item() == pytest.approx(expected, rel=1e-12)
    # And any number of the largest is all of them, as long as none falls out.
    assert replace(keys, k=1).loss(student, teacher, adapters).item() == pytest.approx(expected, rel=1e-12)


def test_weights_are_what_their_docstring_says():
    weigh = made(KEYS)["weigh"]
    asking, answering = ([each.mean(dim=1) for each in random_stages(shapes, seed=4)] for shapes in (OURS, THEIRS))

    def normal(rows, layer):
        return (rows - rows.mean(0)) / (rows.var(0, unbiased=False) + 1e-5).sqrt() * layer.scale + (
            0 if layer.offset is None else layer.offset
        )

    queries = [normal(each @ ask[0].weight.T, ask[1]) for each, ask in zip(asking, weigh.queries, strict=True)]
    keys = [normal(each @ key[0].weight.T, key[1]).relu() for each, key in zip(answering, weigh.keys, strict=True)]
    # One batch of all keys, in the order message by message.
    mapped = normal(torch.stack(keys, dim=1).flatten(0, 1) @ weigh.bilinear.weight.T, weigh.bilinear_norm)
    mapped = mapped.view(7, len(THEIRS), len(OURS), 8)
    logits = torch.empty(7, len(OURS), len(THEIRS), dtype=torch.float64)
    for s, query in enumerate(queries):
        for t in range(len(THEIRS)):
            places = weigh.query_places[s] @ weigh.key_places[t]
            logits[:, s, t] = ((mapped[:, t, s] * query).sum(dim=1) + places) / 8**0.5
    torch.testing.assert_close(weigh(asking, answering), logits.softmax(dim=2))


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("threshold", [0.0, 0.9, 3.0, 1e9])
def test_a_selection_is_never_empty(together, threshold):
    weights = torch.randn(50, 3, 9, generator=torch.Generator().manual_seed(5)).mul(2).softmax(dim=2)
    found = influence(weights, 2)
    kept = selected(found, threshold, together=together)
    assert kept.any(dim=1).all()
    assert kept.all() or threshold > 0
    if threshold == 1e9:
        assert (kept.sum(dim=1) == 1).all()
        chosen = found.mean(dim=0).expand_as(found) if together else found
        assert torch.equal(kept.float().argmax(dim=1), chosen.argmax(dim=1))
    assert not together or len(kept.unique(dim=0)) == 1, "one choice for all messages"


def test_influence_is_the_mean_of_the_largest_of_a_column():
    weights = torch.tensor([[[0.5, 0.5], [0.1, 0.9], [0.9, 0.1]]])
    torch.testing.assert_close(influence(weights, 1), torch.tensor([[0.9, 0.9]]))
    torch.testing.assert_close(influence(weights, 2), torch.tensor([[0.7, 0.7]]))
    for k in (3, 8, None):
        torch.testing.assert_close(influence(weights, k), torch.tensor([[0.5, 0.5]]))


def test_what_is_compared_may_be_the_features_themselves():
    """Regressors where channels differ in number, none where they agree; still 0 for what is alike."""
    method = replace(KEYS, value="features")
    adapters = made(method)
    assert set(adapters["compare"].regressors) == {"0-0", "0-2", "1-0", "1-1", "1-2"}
    same = [random_stages(((3, PLACES),))[0]]
    alone = made(method, ours=((3, PLACES),), theirs=((3, PLACES),))
    assert not list(alone.parameters())
    assert method.loss(trace(same), trace([2 * same[0]]), alone).item() == pytest.approx(0, abs=1e-12)
    assert method.loss(trace(same), trace([-same[0]]), alone).item() == pytest.approx(4)


def test_a_single_message_and_mere_padding_are_no_trouble():
    ours, theirs = random_stages(OURS), random_stages(THEIRS, seed=3)
    adapters = made(KEYS)
    expected = KEYS.loss(trace(ours), trace(theirs), adapters).item()
    longer = [torch.cat((each, torch.full_like(each[:1], 9.0))) for each in ours]
    padded = trace(longer, real=[True] * 7 + [False])
    other = trace([torch.cat((each, each[:1])) for each in theirs])
    assert KEYS.loss(padded, other, adapters).item() == pytest.approx(expected, rel=1e-12)
    single = KEYS.loss(trace([each[:1] for each in ours]), trace([each[:1] for each in theirs]), adapters)
    assert single.isfinite()


def test_the_account_averages_training_alone_and_is_a_buffer():
    account = KeptKeys(2)
    account.note(torch.tensor([[0.2, 0.8], [0.4, 0.6]]), torch.tensor([[False, True], [True, True]]))
    account.note(torch.tensor([[0.9, 0.1]]), torch.tensor([[True, False]]))
    account.eval().note(torch.tensor([[0.0, 0.0]]), torch.tensor([[False, False]]))
    assert account.told() == {"influence": pytest.approx([0.6, 0.4]), "kept": pytest.approx([0.75, 0.5])}
    again = KeptKeys(2)
    again.load_state_dict(account.state_dict())
    assert again.told() == account.told()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 0}, "k must be at least 1, got 0; null takes all"),
        ({"threshold": -0.1}, "threshold must be at least 0 and finite, got -0.1"),
        ({"threshold": float("nan")}, "threshold must be at least 0 and finite"),
        ({"width": 0}, "width must be from 1 to 4096, got 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        RepresentativeKeys(**change)


# A stage that holds nothing but noise

MESSAGE, ROWS = 4, 64
SHAPES = ((3, PLACES),) * 3  # the teacher's; the second is noise
STUDENT = ((2, PLACES),) * 2


class Small(nn.Module):
    """A student of two stages."""

    def __init__(self):
        super().__init__()
        self.maps = nn.ModuleList(
            nn.Sequential(nn.Linear(MESSAGE, 32), nn.Tanh(), nn.Linear(32, width * places)) for width, places in STUDENT
        )

    def forward(self, messages):
        return [each(messages).view(-1, PLACES, 2) for each in self.maps]


def train(method, steps=200):
    """A student and adapters that learned from a teacher with a stage of noise; with features to look at afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(6)
        student, matrices = Small(), [torch.randn(MESSAGE, 3 * PLACES) for _ in SHAPES]
        adapters = method.adapters(spec(*STUDENT), spec(*SHAPES))
        optimizer = torch.optim.Adam([*student.parameters(), *adapters.parameters()], lr=5e-3)
        for _ in range(steps):
            messages = torch.randn(ROWS, MESSAGE)
            theirs = [(messages @ each).view(ROWS, PLACES, 3) for each in matrices]
            theirs[1] = torch.randn_like(theirs[1])
            ours = student(messages)
            loss = method.loss(trace(ours), trace(theirs), adapters)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return [each.detach() for each in ours], theirs, adapters


def test_noise_falls_out_of_the_keys_but_attention_features_go_on_weighing_it():
    method = RepresentativeKeys(on="stages", width=16)
    before = copy.deepcopy(train(method, steps=1)[2]["account"].told())
    _, _, adapters = train(method)
    told = adapters["account"].told()
    least = method.threshold / len(SHAPES)
    assert before["influence"][1] > least and before["kept"][1] > 0.5, "untrained, it is looked at as the others are"
    assert told["influence"][1] < least and told["kept"][1] < 0.05
    assert told["kept"][0] > 0.95 and told["kept"][2] > 0.95

    ours, theirs, adapters = train(AttentionFeatures(on="stages", width=16), steps=60)
    weigh = adapters["weigh"]
    assert isinstance(weigh, Weighing)
    with torch.no_grad():
        weights = weigh([each.mean(dim=1) for each in theirs], [each.mean(dim=1) for each in ours]).mT
        shares = (weights * adapters["compare"](ours, theirs, None)).sum(dim=1).mean(dim=0)
    assert shares[1] > shares[0] and shares[1] > shares[2], "what cannot be learned costs the most, to the end"


def test_training_tells_at_every_validation_what_was_kept(make_codec, batch):
    """On layers of text, and the same whether it was interrupted or not: the account is part of a checkpoint."""
    teacher = make_codec(2, width=12, layers=2)
    made = Distiller(make_codec(1), [teacher], Teaching(teacher="teacher", methods=(RepresentativeKeys(),)))
    settings = TrainingSettings(steps=4, batch=6, warmup=0, validate_every=2)
    history = fit(made, SimpleNamespace(at=lambda step: batch), settings, Chance(1), validate=lambda: 0.0)
    assert [*history.told[0]] == ["representative_keys"] and history.steps == [2, 4]
    first, last = (each["representative_keys"]["influence"] for each in history.told)
    assert sum(last) == pytest.approx(1) and len(last) == 2 and first != last
    assert "adapters.0.account.influence" in buffers_of(made)
