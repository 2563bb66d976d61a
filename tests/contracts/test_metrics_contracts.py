"""What every metric in the catalog keeps: best on identical messages, additive, in bounds, light to import."""

import dataclasses
import math
import subprocess
import sys
from typing import NamedTuple, get_args

import numpy as np
import pytest

from semcom.metrics.catalog import METRICS, axis_of, default_metrics, metric_named
from semcom.metrics.metric import Scored
from semcom.metrics.score import score
from semcom.metrics.similarity import Similarity

CLASSES = ("ant", "bee", "cat")


class Examples(NamedTuple):
    """Messages of one kind, and what may arrive of them: damaged, strange (nothing right), and nothing at all."""

    references: tuple
    damaged: tuple
    strange: tuple
    nothing: object


SENTENCES = (
    "the ferry leaves at noon if the wind allows",
    "nobody had counted the lanterns twice",
    "a small orchestra rehearses below our kitchen every week",
    "please return the ladder before it rains again",
    "seven goats crossed the bridge without paying the toll",
)
# A metric is tried on messages of the kind that it scores; a new kind needs a line here.
EXAMPLES: dict[str, Examples] = {
    "sentences": Examples(
        references=SENTENCES,
        damaged=(
            "the ferry leaves at noon if the wind allows",
            "nobody had counted the goats",
            "a small small orchestra below our kitchen",
            "",
            "seven lanterns crossed the ladder without ever once paying the the toll",
        ),
        # No word of these is a word of a reference, and each has as many words as its reference.
        strange=tuple(" ".join(f"zq{k}" for k in range(len(text.split()))) for text in SENTENCES),
        nothing="",
    ),
    "classes": Examples(
        references=(0, 1, 2, 0, 2, 1), damaged=(0, 1, 0, None, 2, 2), strange=(1, 2, 0, 2, 1, 0), nothing=None
    ),
}
# Black and white boards, and some with grey stripes.
_PLACES = np.arange(16)
_BOARDS = [(255 * (np.add.outer(_PLACES, _PLACES * number) // 2 % 2)).astype(np.uint8)[None] for number in range(1, 5)]
_STRIPED = [np.where(_PLACES % 5 == 0, 128, board).astype(np.uint8) for board in _BOARDS]
EXAMPLES["pictures"] = Examples(
    references=tuple(_BOARDS),
    damaged=(_BOARDS[0], *_STRIPED[1:]),
    # Where there is black there is white: nothing is right, and all contrasts run the other way.
    strange=tuple(255 - board for board in _BOARDS),
    nothing=None,
)
# Silence but for one loud band, which moves from frame to frame; and the same the other way round.
_WORDS = [np.where(np.add.outer(np.arange(frames), np.arange(4)) % 4, -60.0, 0.0) for frames in (5, 2, 7)]
EXAMPLES["spectra"] = Examples(
    references=tuple(_WORDS),
    damaged=(_WORDS[0], *(each * 0.8 for each in _WORDS[1:])),
    strange=tuple(-60.0 - each for each in _WORDS),
    nothing=None,
)
# What a metric says where nothing is right, if that is neither 0 nor as many errors as there are words.
WORST = {"log_spectral_distance": 60.0}
EVERY = [*(metric_named(metric.name, classes=CLASSES) for metric in METRICS)]
EVERY += [metric_named(f"accuracy_of_{name}", classes=CLASSES) for name in CLASSES[::2]]
ALL = [
    pytest.param(metric, id=metric.name, marks=[pytest.mark.slow] if isinstance(metric, Similarity) else [])
    for metric in EVERY
]


def examples(metric) -> Examples:
    return EXAMPLES[metric.scores]


def value(metric, references, hypotheses):
    return score([metric], references, hypotheses)[0]


def test_every_kind_of_message_has_examples_and_metrics():
    assert set(EXAMPLES) == set(get_args(Scored))
    for scores in EXAMPLES:
        assert {metric_named(name).scores for name in default_metrics(scores)} == {scores}


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.name)
def test_a_metric_is_a_frozen_value_with_a_name_of_its_own(metric):
    assert hash(metric) == hash(metric)
    assert [other for other in EVERY if other == metric or other.name == metric.name] == [metric]
    with pytest.raises((AttributeError, TypeError)):
        metric.order = 9


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.name)
def test_a_report_knows_its_axis_by_the_name_in_the_table(metric):
    axis = axis_of(metric.name)
    assert (axis.name, axis.label, axis.least, axis.most) == (
        metric.axis.name,
        metric.axis.label,
        metric.axis.least,
        metric.axis.most,
    )
    assert axis.name and axis.label and axis.messages
    assert axis.least < axis.most and math.isfinite(axis.best)
    assert metric.axis.chance is None or metric.axis.least <= metric.axis.chance < metric.axis.most


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.name)
def test_each_option_is_a_field_of_its_own(metric):
    fields = {each.name for each in dataclasses.fields(metric)}
    assert set(metric.options.values()) <= fields


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.name)
def test_provenance_is_one_line(metric):
    provenance = metric.provenance()
    assert provenance
    assert "\n" not in provenance
    # Another machine has the same model in another folder.
    assert sys.prefix not in provenance


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.name)
def test_what_does_not_pair_up_is_refused(metric):
    with pytest.raises(ValueError, match="2 references and 1 hypotheses"):
        metric.statistics(examples(metric).references[:2], examples(metric).references[:1])
    with pytest.raises(ValueError, match="at least one message"):
        metric.statistics([], [])


@pytest.mark.parametrize("metric", ALL)
def test_identical_messages_are_best(metric):
    references = examples(metric).references
    assert value(metric, references, references) == pytest.approx(metric.axis.best, abs=1e-12)


@pytest.mark.parametrize("metric", ALL)
def test_disjoint_messages_are_worst(metric):
    """Of as many, none right: 0, or an error rate of 1; a cosine has no worst, but falls below half damage."""
    references, damaged, strange, _ = examples(metric)
    worthless = value(metric, references, strange)
    if isinstance(metric, Similarity):
        assert worthless < 0.3 < value(metric, references, damaged)
    else:
        assert worthless == WORST.get(metric.name, 0.0 if metric.axis.higher_is_better else 1.0)


@pytest.mark.parametrize("metric", ALL)
def test_damage_lies_between(metric):
    references, damaged, strange, _ = examples(metric)
    ends = sorted([value(metric, references, strange), value(metric, references, references)])
    assert ends[0] < value(metric, references, damaged) < ends[1]


@pytest.mark.parametrize("metric", ALL)
def test_values_lie_in_bounds(metric):
    references, damaged, strange, nothing = examples(metric)
    turned = references if metric.scores == "spectra" else references[::-1]  # words differ in length
    for hypotheses in (references, damaged, strange, turned, [nothing] * len(references)):
        assert metric.axis.least <= value(metric, references, hypotheses) <= metric.axis.most


@pytest.mark.parametrize("metric", ALL)
def test_passes_over_the_test_set_add_up(metric):
    """Two passes at once give the rows of each pass, to the last bit."""
    references, damaged, strange, _ = examples(metric)
    both = metric.statistics(references + references, damaged + strange)
    single = [metric.statistics(references, damaged), metric.statistics(references, strange)]
    assert both.dtype == np.float64
    assert (both == np.concatenate(single)).all()


@pytest.mark.parametrize("metric", ALL)
def test_a_pair_counts_the_same_in_any_company(metric):
    """All columns, but for the similarities' last one: which random pair a reference forms depends on the others."""
    references, damaged, *_ = examples(metric)
    columns = slice(0, 2) if isinstance(metric, Similarity) else slice(None)
    together = metric.statistics(references, damaged)
    alone = [metric.statistics([r], [h]) for r, h in zip(references, damaged, strict=True)]
    assert (together[:, columns] == np.concatenate(alone)[:, columns]).all()


@pytest.mark.parametrize("metric", ALL)
def test_order_of_pairs_is_irrelevant(metric):
    references, damaged, *_ = examples(metric)
    forward = metric.statistics(references, damaged)
    backward = metric.statistics(references[::-1], damaged[::-1])
    assert (forward == backward[::-1]).all()
    assert metric.combine(forward.sum(axis=0)) == pytest.approx(metric.combine(backward.sum(axis=0)), abs=1e-12)


@pytest.mark.parametrize("metric", ALL)
def test_many_totals_are_combined_at_once(metric):
    references, damaged, *_ = examples(metric)
    rows = metric.statistics(references, damaged)
    totals = np.random.default_rng(1).integers(1, 5, size=(2, 3, len(rows))) @ rows
    combined = metric.combine(totals)
    assert combined.shape == (2, 3)
    assert combined[1, 2] == pytest.approx(float(metric.combine(totals[1, 2])), abs=1e-14)


@pytest.mark.parametrize("metric", ALL)
def test_a_family_shares_its_statistics(metric):
    references, damaged, *_ = examples(metric)
    for other in EVERY:
        if other.family == metric.family:
            expected = metric.statistics(references, damaged)
            assert (other.statistics(references, damaged) == expected).all()


def test_the_catalog_imports_nothing_heavy():
    program = (
        "import sys; import semcom.metrics.catalog, semcom.metrics.score; "
        "print([name for name in ('torch', 'numpy', 'sacrebleu', 'jiwer', 'transformers', 'sentence_transformers', "
        "'huggingface_hub') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
