"""A language learns from another: by every method on logits, and from text that the teacher makes up."""

import math
from random import Random

import pytest
import torch

from channels import Chance
from semcom.distillation.catalog import METHODS
from semcom.distillation.decoupled_logits import DecoupledLogits
from semcom.distillation.hidden_hints import HiddenHints
from semcom.distillation.method import LOGITS
from semcom.distillation.reverse_logits import ReverseLogits
from semcom.distillation.soft_logits import SoftLogits
from semcom.distillation.taught_language import TaughtLanguage
from semcom.languages.making_up import make_up
from semcom.languages.rows import following, rows_of
from semcom.languages.transformer import initialize_language
from semcom.languages.transformer_spec import TransformerSpec
from semcom.sources.batches import make_batch
from semcom.training.recipe import Recipe
from semcom.training.train_language import train_language

VOCABULARY = 9
SPEC = TransformerSpec(width=16, layers=1, heads=2, feedforward=32)
RECIPE = Recipe(steps=60, batch=8, learning_rate=2e-2, warmup=5)
CHANCE = Random(1)
TEXT = [[CHANCE.randrange(3, VOCABULARY) for _ in range(3 + row % 4)] for row in range(40)]
BATCH = make_batch(TEXT)


class Counts:
    """The next token by the last one alone, from a table that no neural network made; it rules some out."""

    outputs, memory = VOCABULARY, 1

    def __init__(self):
        likes = torch.randn(VOCABULARY, VOCABULARY, generator=torch.Generator().manual_seed(2)) * 2
        likes[:, [0, 2]] = -math.inf
        self.table = likes.log_softmax(dim=-1)

    def begin(self, rows):
        return torch.ones(rows, dtype=torch.long)

    def scores(self, state, candidates=None):
        return self.table[state] if candidates is None else self.table[state].gather(1, candidates)

    def extend(self, state, parents, tokens):
        return tokens


def divergence(teacher, student):
    """KL from a table to a student over real positions, summed by hand [nats per position]."""
    theirs, ours = rows_of(teacher, BATCH).double(), rows_of(student, BATCH).double()
    apart = torch.where(theirs.exp() > 0, theirs.exp() * (theirs - ours), 0.0).sum(dim=-1)
    return float(apart[following(BATCH)[1]].mean())


def student(seed=1):
    return initialize_language(SPEC, VOCABULARY, seed=seed)


def test_soft_logits_are_the_divergence_by_hand():
    ours = student()
    losses = TaughtLanguage(ours, Counts(), [SoftLogits(weight=0.5)])(BATCH, (), Chance(1))
    assert list(losses) == ["next_token", "soft_logits"]
    assert losses["soft_logits"].item() == pytest.approx(0.5 * divergence(Counts(), ours), rel=1e-4)


@pytest.mark.parametrize("method", [kind for kind in METHODS if kind.sees == LOGITS], ids=lambda kind: kind.__name__)
def test_every_method_on_logits_teaches_the_student_alone(method):
    ours, teacher = student(1), student(2)
    objective = TaughtLanguage(ours, teacher, [method()], label_weight=0.0)
    losses = objective(BATCH, (), Chance(1))
    sum(losses.values()).backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in ours.parameters())
    assert all(each.grad is None for each in teacher.parameters())
    assert {name.partition(".")[0] for name, _ in objective.named_parameters()} == {"student"}


@pytest.mark.parametrize("method", [SoftLogits(), ReverseLogits(), DecoupledLogits()], ids=lambda method: method.kind)
def test_a_student_comes_near_a_table(method):
    teacher = Counts()

    def taught(language):
        return TaughtLanguage(language, teacher, [method], label_weight=0.0)

    language, _ = train_language(SPEC, VOCABULARY, TEXT, RECIPE, chance=Chance(3), objective=taught)
    assert divergence(teacher, language) < 0.25 * divergence(teacher, student())


def test_text_that_the_teacher_makes_up_teaches_too():
    teacher = Counts()
    text = make_up(teacher, 400, Chance(3), longest=12)
    language, _ = train_language(SPEC, VOCABULARY, text, RECIPE, chance=Chance(3))
    assert divergence(teacher, language) < 0.5 * divergence(teacher, student())


def test_a_teacher_that_cannot_teach_is_refused():
    with pytest.raises(ValueError, match="one vocabulary, got 9 and 8"):
        TaughtLanguage(student(), initialize_language(SPEC, 8, seed=1), [SoftLogits()])
    with pytest.raises(ValueError, match="hidden_hints must look at logits alone"):
        TaughtLanguage(student(), Counts(), [HiddenHints()])
    with pytest.raises(ValueError, match="got 0 for all"):
        TaughtLanguage(student(), Counts(), [SoftLogits(weight=0.0)], label_weight=0.0)
    with pytest.raises(ValueError, match="named once"):
        TaughtLanguage(student(), Counts(), [SoftLogits(), SoftLogits()])
    with pytest.raises(ValueError, match="label_weight must be"):
        TaughtLanguage(student(), Counts(), [SoftLogits()], label_weight=math.nan)
