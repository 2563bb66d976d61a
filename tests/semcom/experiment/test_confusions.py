"""confusions_of: the matrices behind the rows of a store, under the names that codecs have today."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semcom.experiment.confusions import confusions_of
from semcom.metrics.catalog import metric_named
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.store.results import Row
from semcom.store.store import Store

CLASSES = ("ant", "bee")


def test_matrices_come_from_the_statistics_that_are_kept(tiny_yaml, tmp_path) -> None:
    sweep = expand(load_scenario(tiny_yaml, ())[0])
    first, second, *_ = sweep.runs
    metric = metric_named("accuracy", classes=CLASSES)
    told = {"task": "text", "role": "codec", "snr_db": first.link.snr_db, "interferers": 0, "status": "done"}
    row = Row(**told, codec="an older name", metric="accuracy", value=0.75, run_id=first.identity)
    with Store(tmp_path / "results.sqlite") as store:
        store.finish_run(
            first.identity,
            [replace(row, user=user, metric=name) for user in ("0", "1", "sum") for name in ("accuracy", "macro_f1")],
            {
                "classes of user 0": metric.statistics([0, 0, 1, 1], [0, 0, 1, 0]),
                "classes of user 1": metric.statistics([0, 0, 1, 1], [1, 1, None, 1]),
            },
            {"classes": CLASSES},
        )
        words = replace(row, metric="exact_match", run_id=second.identity)
        store.finish_run(second.identity, [words], {"exact_match": np.ones((4, 2))})
        found = confusions_of(sweep, store)
    assert [(each.codec, each.role, each.user, each.snr_db) for each in found] == [
        (first.build.name, first.role, user, first.link.snr_db) for user in ("0", "1")
    ]
    assert found[0].counts.tolist() == [[2, 0, 0], [1, 1, 0]]
    assert found[1].counts.tolist() == [[0, 2, 0], [0, 1, 1]]
