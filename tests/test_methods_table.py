"""Which method can be named in which task: scenarios/METHODS.md equals what checks of scenarios allow.

`python tests/test_methods_table.py --write` brings the page up to date.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import pytest

from semcom.distillation.catalog import METHODS
from semcom.distillation.method import needs_teacher
from semcom.distillation.sight import check_sight, fitting, settled
from semcom.models.spec import Spec
from semcom.tasks.catalog import TASKS
from semcom.tasks.speech import Speech

PAGE = Path(__file__).resolve().parents[1] / "scenarios" / "METHODS.md"
MARKS = ("<!-- table -->\n", "<!-- /table -->\n")
ADVICE = "run `python tests/test_methods_table.py --write`"
BEGINNING = """# Methods: which task may name which

Written from the code. `semcom check` refuses what stands under "refused", with the reason.

"""


def specs() -> dict[str, Spec]:
    """The usual codec of each task, and the one that rebuilds speech, whose messages have other units."""
    usual = {task.kind: task.sizes[task.usual_size] for task in TASKS}
    return {**usual, "speech, rebuilt": Speech.sizes["spectrum"]}


def cell(method: Any, spec: Spec) -> str:
    """Whether a method may be named, and what must be set."""
    fitted = fitting(method, spec)
    if fitted is None:
        return "no"
    (begun,) = settled((method,), spec)
    changed = [
        each.name for each in dataclasses.fields(begun) if getattr(begun, each.name) != getattr(fitted, each.name)
    ]
    told = [f"with `{name}: {getattr(fitted, name)}`" for name in changed]
    usual = [each.name for each in dataclasses.fields(begun) if getattr(begun, each.name) != getattr(method, each.name)]
    values = {name: getattr(begun, name) for name in usual}
    told += [f"{name}: {', '.join(each) if isinstance(each, tuple) else each}" for name, each in values.items()]
    return "; ".join(["yes", *told])


def reason(method: Any, spec: Spec) -> str:
    """What a check says of a method that it refuses, up to the way out."""
    with pytest.raises(ValueError) as told:
        check_sight([method], spec, whose="a student")
    return str(told.value).partition("; ")[0]


def table() -> str:
    """Both tables of the page."""
    lines = [f"| method | needs a teacher | {' | '.join(specs())} |", f"| --- | --- |{' --- |' * len(specs())}"]
    refused = []
    for make in METHODS:
        method: Any = make()
        cells = {kind: cell(method, spec) for kind, spec in specs().items()}
        lines.append(f"| `{method.kind}` | {'yes' if needs_teacher(method) else 'no'} | {' | '.join(cells.values())} |")
        refused += [f"- {kind}: {reason(method, spec)}." for kind, spec in specs().items() if cells[kind] == "no"]
    return "\n".join([*lines, "", "## Refused", "", *refused, ""])


def written(page: str) -> str:
    """The page with its table brought up to date."""
    before, _, rest = page.partition(MARKS[0])
    return f"{before or BEGINNING}{MARKS[0]}\n{table()}\n{MARKS[1]}{rest.partition(MARKS[1])[2]}"


def test_the_page_equals_the_checks() -> None:
    assert PAGE.is_file(), ADVICE
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page), ADVICE


def test_every_method_may_be_named_somewhere() -> None:
    for make in METHODS:
        assert any(fitting(make(), spec) for spec in specs().values()), make().kind


def test_a_page_without_a_table_gets_it() -> None:
    page = written("")
    assert page.startswith("# Methods") and written(page) == page
    assert all(f"| `{make().kind}` |" in page for make in METHODS)


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python tests/test_methods_table.py --write")
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""), encoding="utf-8")
