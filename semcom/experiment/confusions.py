"""confusions_of: which class was taken for which at every operating point, from the statistics that are kept anyway."""

from __future__ import annotations

from dataclasses import replace

from semcom.experiment.run import family_of
from semcom.experiment.tabulate import crowd_of
from semcom.metrics.accuracy import confusion
from semcom.metrics.catalog import metric_named
from semcom.scenario.work import Sweep
from semcom.store.confusions import Confusion, write_confusions
from semcom.store.folder import RunFolder
from semcom.store.store import Store


def write_matrices(sweep: Sweep, store: Store, place: RunFolder) -> None:
    """Write confusion.csv, where classes were scored.

    Raises:
        UserMistake: the disk refuses, or what is stored of a run is not what was written.
    """
    if found := confusions_of(sweep, store):
        write_confusions(found, place.confusion_file)


def confusions_of(sweep: Sweep, store: Store) -> list[Confusion]:
    """A matrix for every finished run and user, in the order of the table; none where no classes were scored.

    Classes are those of the run's own task, as it noted them.

    Raises:
        UserMistake: what is stored of a run is not what was written.
    """
    done, known, found = store.done_runs(), store.runs(), list[Confusion]()
    for run in sweep.runs:
        rows = store.rows(run.identity) if run.identity in done else []
        scored = [row for row in rows if metric_named(row.metric).scores == "classes" and row.user != "sum"]
        classes = tuple(known[run.identity].record.get("classes", ())) if scored else ()
        # All metrics of classes have the same statistics.
        for row in {row.user: row for row in scored}.values():
            family = family_of(metric_named(row.metric, classes=classes), row.user)
            counts = confusion(store.statistics(run.identity, family))
            # What people call a codec is no part of a run's identity and may have changed since.
            named = replace(row, codec=run.build.name, role=run.role, crowd=crowd_of(run))
            found.append(Confusion.of_row(named, classes, counts))
    return found
