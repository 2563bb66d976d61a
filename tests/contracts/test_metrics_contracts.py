"""What every metric in the catalog keeps: best on identical text, additive, in bounds, light to import."""

import subprocess
import sys

import numpy as np
import pytest

from semcom.metrics.catalog import METRICS
from semcom.metrics.score import score
from semcom.metrics.similarity import Similarity

REFERENCES = (
    "the ferry leaves at noon if the wind allows",
    "nobody had counted the lanterns twice",
    "a small orchestra rehearses below our kitchen every week",
    "please return the ladder before it rains again",
    "seven goats crossed the bridge without paying the toll",
)
HYPOTHESES = (
    "the ferry leaves at noon if the wind allows",
    "nobody had counted the goats",
    "a small small orchestra below our kitchen",
    "",
    "seven lanterns crossed the ladder without ever once paying the the toll",
)
# No word of these is a word of a reference, and each has as many words as its reference.
STRANGE = tuple(" ".join(f"zq{k}" for k in range(len(text.split()))) for text in REFERENCES)

ALL = [
    pytest.param(metric, id=metric.name, marks=[pytest.mark.slow] if isinstance(metric, Similarity) else [])
    for metric in METRICS
]


def value(metric, references, hypotheses):
    return score([metric], references, hypotheses)[0]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_a_frozen_value_with_a_name_of_its_own(metric):
    assert hash(metric) == hash(metric)
    assert [other for other in METRICS if other == metric or other.name == metric.name] == [metric]
    assert metric.label
    assert metric.bounds[0] < metric.bounds[1]
    with pytest.raises((AttributeError, TypeError)):
        metric.order = 9


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_provenance_is_one_line(metric):
    provenance = metric.provenance()
    assert provenance
    assert "\n" not in provenance
    # Another machine has the same model in another folder.
    assert sys.prefix not in provenance


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_what_does_not_pair_up_is_refused(metric):
    with pytest.raises(ValueError, match="2 references and 1 hypotheses"):
        metric.statistics(["a", "b"], ["a"])
    with pytest.raises(ValueError, match="at least one sentence"):
        metric.statistics([], [])


@pytest.mark.parametrize("metric", ALL)
def test_identical_text_is_best(metric):
    best = metric.bounds[1] if metric.higher_is_better else metric.bounds[0]
    assert value(metric, REFERENCES, REFERENCES) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("metric", ALL)
def test_disjoint_text_is_worst(metric):
    """Of as many words, none right: 0, or an error rate of 1; a cosine has no worst, but falls below half damage."""
    worthless = value(metric, REFERENCES, STRANGE)
    if isinstance(metric, Similarity):
        assert worthless < 0.3 < value(metric, REFERENCES, HYPOTHESES)
    else:
        assert worthless == (0.0 if metric.higher_is_better else 1.0)


@pytest.mark.parametrize("metric", ALL)
def test_damage_lies_between(metric):
    ends = sorted([value(metric, REFERENCES, STRANGE), value(metric, REFERENCES, REFERENCES)])
    assert ends[0] < value(metric, REFERENCES, HYPOTHESES) < ends[1]


@pytest.mark.parametrize("metric", ALL)
def test_values_lie_in_bounds(metric):
    lowest, highest = metric.bounds
    for hypotheses in (REFERENCES, HYPOTHESES, STRANGE, REFERENCES[::-1], [""] * len(REFERENCES)):
        assert lowest <= value(metric, REFERENCES, hypotheses) <= highest


@pytest.mark.parametrize("metric", ALL)
def test_passes_over_the_test_set_add_up(metric):
    """Two passes at once give the rows of each pass, to the last bit."""
    both = metric.statistics(REFERENCES + REFERENCES, HYPOTHESES + STRANGE)
    single = [metric.statistics(REFERENCES, HYPOTHESES), metric.statistics(REFERENCES, STRANGE)]
    assert both.dtype == np.float64
    assert (both == np.concatenate(single)).all()


@pytest.mark.parametrize("metric", ALL)
def test_a_pair_counts_the_same_in_any_company(metric):
    """All columns, but for the similarities' last one: which random pair a reference forms depends on the others."""
    columns = slice(0, 2) if isinstance(metric, Similarity) else slice(None)
    together = metric.statistics(REFERENCES, HYPOTHESES)
    alone = [metric.statistics([r], [h]) for r, h in zip(REFERENCES, HYPOTHESES, strict=True)]
    assert (together[:, columns] == np.concatenate(alone)[:, columns]).all()


@pytest.mark.parametrize("metric", ALL)
def test_order_of_pairs_is_irrelevant(metric):
    forward = metric.statistics(REFERENCES, HYPOTHESES)
    backward = metric.statistics(REFERENCES[::-1], HYPOTHESES[::-1])
    assert (forward == backward[::-1]).all()
    assert metric.combine(forward.sum(axis=0)) == pytest.approx(metric.combine(backward.sum(axis=0)), abs=1e-12)


@pytest.mark.parametrize("metric", ALL)
def test_many_totals_are_combined_at_once(metric):
    rows = metric.statistics(REFERENCES, HYPOTHESES)
    totals = np.random.default_rng(1).integers(1, 5, size=(2, 3, len(rows))) @ rows
    combined = metric.combine(totals)
    assert combined.shape == (2, 3)
    assert combined[1, 2] == pytest.approx(float(metric.combine(totals[1, 2])), abs=1e-14)


@pytest.mark.parametrize("metric", ALL)
def test_a_family_shares_its_statistics(metric):
    for other in METRICS:
        if other.family == metric.family:
            expected = metric.statistics(REFERENCES, HYPOTHESES)
            assert (other.statistics(REFERENCES, HYPOTHESES) == expected).all()


def test_the_catalog_imports_nothing_heavy():
    program = (
        "import sys; import semcom.metrics.catalog, semcom.metrics.score; "
        "print([name for name in ('torch', 'numpy', 'sacrebleu', 'jiwer', 'transformers', 'sentence_transformers', "
        "'huggingface_hub') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
