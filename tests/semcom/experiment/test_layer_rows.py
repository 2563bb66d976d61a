"""layers.csv: from the records of builds to values and paired differences, with intervals that hold the truth."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from semcom.experiment.layer_rows import COLUMNS, LayerRow, layer_rows, write_layers
from semcom.experiment.layers import SUMS
from semcom.report.averaging import mean_interval

SCENARIO = SimpleNamespace(
    sweep=SimpleNamespace(codec=("teacher", "made", "heads")),
    measure=SimpleNamespace(compare=(("made", "heads"),), gap=None),
)
# Standard deviations of the logarithm of what a message is apart: of a training, a sentence, and its air.
SEED, SENTENCE, AIR = 0.1, 0.5, 0.6


def sweep(seeds: int, donors: tuple[str, str] = ("t", "t")) -> SimpleNamespace:
    builds = [SimpleNamespace(name="teacher", identity="t", seed=1, adoption=None)]
    for name, donor in zip(("made", "heads"), donors, strict=True):
        adoption, spec = SimpleNamespace(donor=donor), SimpleNamespace(family="generated")
        builds += [
            SimpleNamespace(name=name, identity=f"{name}{seed}", seed=seed, adoption=adoption, spec=spec)
            for seed in range(1, seeds + 1)
        ]
    return SimpleNamespace(builds=builds, runs=[])


def finished(apart: np.ndarray, tokens: np.ndarray, *, is_old: bool = False) -> SimpleNamespace:
    """A codec of one layer whose messages are so far from the teacher's, a token."""
    sums = np.stack([tokens, apart * tokens, 2 * apart * tokens, np.full(len(tokens), 0.5) * tokens])
    total, lack, gap, size = sums.sum(axis=1)
    row = {"stack": "receiver", "layer": 1, "cosine": 1 - lack / total, "l1": gap / total, "l1_share": gap / size}
    row |= {"tokens": int(total)}
    layers = {"own_parameters": 7, "rows": [row]}
    if not is_old:
        row["sums"] = dict(zip(SUMS, sums.tolist(), strict=True))
        layers["messages"] = list(range(len(tokens)))
    return SimpleNamespace(status="done", record={"layers": layers})


def experiment(number: int, seeds: int = 3, messages: int = 150, **old: bool) -> dict[str, SimpleNamespace]:
    """Two codecs on the same sentences and, seed by seed, in the same air; `heads` is 1.2 times as far."""
    chance = np.random.default_rng([number, seeds, messages])
    tokens, hard = chance.integers(5, 21, messages).astype(float), SENTENCE * chance.standard_normal(messages)
    found = {}
    for seed in range(1, seeds + 1):
        air = AIR * chance.standard_normal(messages)
        for name, times in (("made", 0.03), ("heads", 0.036)):
            own = SEED * chance.standard_normal() + 0.1 * chance.standard_normal(messages)
            found[f"{name}{seed}"] = finished(times * np.exp(hard + air + own), tokens, **old)
    return found


# Means of lognormal numbers over trainings, sentences and air.
FACTOR = math.exp((SEED**2 + SENTENCE**2 + AIR**2 + 0.1**2) / 2)
TRUTH = {("cosine", ""): 1 - 0.03 * FACTOR, ("l1_share", ""): 0.12 * FACTOR}
TRUTH |= {("cosine", "heads"): 0.006 * FACTOR, ("l1_share", "heads"): -0.024 * FACTOR}


def averaged(rows: list[LayerRow], metric: str, against: str) -> tuple[float, float, float]:
    """The interval over seeds, as a report has it."""
    those = [row for row in rows if (row.codec, row.metric, row.against) == ("made", metric, against)]
    (common,) = {row.common for row in those}
    return mean_interval(*zip(*((row.value, row.low, row.high) for row in those), strict=True), common)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5])
def test_intervals_over_messages_and_seeds_hold_the_truth_as_often_as_they_say(seeds: int) -> None:
    trials, held = 150, dict.fromkeys(TRUTH, 0)
    for number in range(trials):
        rows = layer_rows(SCENARIO, sweep(seeds), experiment(number, seeds))
        for place, true in TRUTH.items():
            _, low, high = averaged(rows, *place)
            held[place] += low <= true <= high
    # Three standard errors of chance beside 93 to 97 %, as in test_coverage.py.
    for count in held.values():
        assert 0.93 - 3 * math.sqrt(0.93 * 0.07 / trials) <= count / trials


def test_a_paired_difference_is_surer_than_two_values(tmp_path) -> None:
    rows = layer_rows(SCENARIO, sweep(3), experiment(1))
    alone, paired = (
        next(row for row in rows if (row.seed, row.metric, row.against) == (1, "cosine", against))
        for against in ("", "heads")
    )
    assert paired.high - paired.low < 0.5 * (alone.high - alone.low)
    first = rows[0]
    assert (first.codec, first.seed, first.around, first.stack, first.layer) == ("made", 1, "teacher", "receiver", 1)
    assert (first.count, first.own_parameters) == (150, 7) and 0 < first.common < 1
    write_layers(rows, tmp_path / "layers.csv")
    assert (tmp_path / "layers.csv").read_text().splitlines()[0].split(",") == list(COLUMNS)
    write_layers([], tmp_path / "layers.csv")
    assert not (tmp_path / "layers.csv").exists()


def test_records_of_before_messages_were_kept_have_numbers_without_intervals() -> None:
    rows = layer_rows(SCENARIO, sweep(2), experiment(1, 2, is_old=True))
    assert len(rows) == (2 + 1) * 2 * 3
    assert all((row.low, row.high, row.common, row.count) == (None, None, None, None) for row in rows)
    assert all(math.isfinite(row.value) for row in rows)
    # One codec of then and one of now have no common messages to be paired by.
    mixed = experiment(1, 2) | {"heads1": experiment(1, 2, is_old=True)["heads1"]}
    told = {(row.codec, row.seed, row.against): row.low for row in layer_rows(SCENARIO, sweep(2), mixed)}
    assert told["made", 1, "heads"] is told["heads", 1, ""] is None
    assert told["made", 2, "heads"] is not None


def test_one_seed_has_nothing_in_common_with_others() -> None:
    rows = layer_rows(SCENARIO, sweep(1), experiment(1, 1))
    assert all(row.common is None and row.low < row.value < row.high for row in rows)


def test_layers_of_different_teachers_are_not_compared() -> None:
    rows = layer_rows(SCENARIO, sweep(2, donors=("t", "u")), experiment(1, 2))
    assert rows and not any(row.against for row in rows)


def test_a_silent_layer_of_the_teacher_has_no_interval_of_a_share() -> None:
    builds = experiment(1, 2)
    for each in builds.values():
        each.record["layers"]["rows"][0]["sums"]["size"] = [0.0] * 150
        each.record["layers"]["rows"][0]["l1_share"] = 0.0
    rows = layer_rows(SCENARIO, sweep(2), builds)
    assert {row.low is None for row in rows if row.metric == "l1_share"} == {True}
    assert {row.low is None for row in rows if row.metric == "l1"} == {False}
