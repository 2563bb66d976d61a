"""What can be listed: everything a scenario may name, found where scenarios look for it."""

from __future__ import annotations

import dataclasses

import pytest

from channels.catalog import COHERENCE, CSI, EQUALIZERS, FADING, INTERFERENCE
from semcom.compression.catalog import PRUNINGS
from semcom.compression.criteria import CRITERIA
from semcom.distillation.catalog import METHODS
from semcom.metrics.catalog import METRICS
from semcom.mistakes import UserMistake
from semcom.scenario.inventory import KINDS, VARIANTS, inventory
from semcom.scenario.load import names
from semcom.scenario.published import PUBLISHED
from semcom.scenario.scenario import Scenario
from semcom.sources.catalog import CORPORA, FRAMES, TOKENIZERS
from semcom.tasks.catalog import TASKS


def listed(kind: str) -> list[str]:
    """The names of one listing, whose first line is its heading."""
    head, *lines = inventory(kind).splitlines()
    assert head == f"{kind}:"
    assert all(line.startswith("  ") for line in lines)
    return [line.split()[0] for line in lines]


@pytest.mark.parametrize(
    ("kind", "catalog"),
    [
        *(("fading", FADING), ("coherence", COHERENCE), ("interference", INTERFERENCE), ("csi", CSI)),
        *(("equalizers", EQUALIZERS), ("methods", METHODS), ("tokenizers", TOKENIZERS)),
        *(("frames", FRAMES), ("prunings", PRUNINGS), ("criteria", CRITERIA)),
    ],
)
def test_every_variant_is_listed_with_its_options(kind: str, catalog: tuple[type, ...]) -> None:
    assert listed(kind) == [
        str(next(each.default for each in dataclasses.fields(variant) if each.name in ("kind", "source")))
        for variant in catalog
    ]
    for variant, line in zip(catalog, inventory(kind).splitlines()[1:], strict=True):
        options = [each.name for each in dataclasses.fields(variant) if each.name not in ("kind", "source")]
        assert line.endswith(f"({', '.join(options)})" if options else "")
        assert (variant.__doc__ or "").splitlines()[0] in line


def test_the_rest_is_listed_too() -> None:
    assert listed("corpora") == [corpus().source for corpus in CORPORA]
    assert listed("sizes") == [name for task in TASKS for name in task.sizes]
    assert all(spec.told in inventory("sizes") for task in TASKS for spec in task.sizes.values())
    assert listed("metrics") == [*(metric.name for metric in METRICS), "accuracy_of_CLASS"]
    assert inventory("metrics").count("the bundled encoder is English") == 2
    assert listed("overlays") == [curve.name for curve in PUBLISHED]
    assert listed("scenarios") == names()


def test_overlays_are_those_a_scenario_takes() -> None:
    kinds = Scenario.model_json_schema()["properties"]["overlay"]["items"]["enum"]
    assert kinds == [curve.name for curve in PUBLISHED]


def test_a_shipped_scenario_is_listed_with_its_question() -> None:
    line = next(line for line in inventory("scenarios").splitlines() if "snr" in line.split()[0])
    assert line.endswith("?")


def test_without_a_kind_everything_is_listed() -> None:
    everything = inventory(None)
    assert [line[:-1] for line in everything.splitlines() if line and not line.startswith(" ")] == list(KINDS)
    assert all(inventory(kind) in everything for kind in KINDS)
    assert set(VARIANTS) < set(KINDS)


@pytest.mark.parametrize(("kind", "hint"), [("fadings", "did you mean 'fading'?"), ("xyz", "none for all")])
def test_an_unknown_kind_is_refused(kind: str, hint: str) -> None:
    with pytest.raises(UserMistake, match="what to list must be one of") as caught:
        inventory(kind)
    assert str(caught.value).endswith(hint)
