"""load: a scenario read from a file, all of it checked, and where shipped scenarios are found."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Any

from semcom.mistakes import UserMistake
from semcom.scenario.checks import check_sense
from semcom.scenario.document import read_document, validate
from semcom.scenario.hints import suggestion
from semcom.scenario.neighbor_supply import messages
from semcom.scenario.paths import anchored, beside
from semcom.scenario.scenario import Scenario
from semcom.scenario.shapes import written_out


def load_scenario(path: Path, overrides: tuple[str, ...] = (), *, homes: tuple[Path, ...] = ()) -> tuple[Scenario, str]:
    """Read a YAML file and check all of it; the scenario, and YAML text that gives it again without the overrides.

    Shapes that the sweep names are written out: the scenario holds every codec that there will be, and the text what
    was typed. Paths are absolute in both, so that the text may lie anywhere.

    Args:
        homes: where relative paths of the file start; as a rule beside it.

    Raises:
        UserMistake: everything that is wrong, each with file, line and column.
    """
    document = anchored(read_document(path, overrides, Scenario), homes or beside(path))
    if document.question is None:
        raise UserMistake(f"{path}:1:1: the first line must be a comment that asks the scenario's question")
    document.data.setdefault("question", document.question)
    scenario = validate(document, Scenario, _sensible)
    most = scenario.most_neighbors
    if scenario.measure.sentences <= most:
        raise UserMistake(
            f"{document.position(('measure', 'sentences'))}: measure.sentences: {most} interferers need at least "
            f"{most + 1} {messages(scenario.goal)} to take their turns from, got {scenario.measure.sentences}"
        )
    return scenario, document.resolved()


def _sensible(scenario: Scenario) -> Scenario:
    """The scenario with its shapes written out, if its parts fit together."""
    check_sense(scenario)
    return written_out(scenario)


def shipped() -> Any:
    """The folder of shipped scenarios: the repository's own, or the copy inside an installed wheel."""
    repository = Path(__file__).resolve().parents[2]
    if (repository / "pyproject.toml").is_file() and (repository / "scenarios").is_dir():
        return repository / "scenarios"
    return files("semcom") / "_scenarios"


def find_scenario(name: str) -> Path:
    """A path as it is, or the bare name of a shipped scenario.

    Raises:
        UserMistake: neither a file nor a shipped name.
    """
    path = Path(name)
    # A folder of that name may be the run of the shipped scenario, so only a file comes first.
    if os.path.isfile(path):
        return path
    if path.suffix in (".yaml", ".yml") or len(path.parts) != 1:
        near = suggestion(path.name, names())
        raise UserMistake(f"{name}: no such file; write a path to a YAML file or one of: {', '.join(names())}{near}")
    if name not in names():
        near = suggestion(name, names())
        raise UserMistake(f"'{name}' is neither a file nor a shipped scenario; there are: {', '.join(names())}{near}")
    return Path(str(shipped() / f"{name}.yaml"))


def names() -> list[str]:
    """The shipped scenarios."""
    return sorted(each.name.removesuffix(".yaml") for each in shipped().iterdir() if each.name.endswith(".yaml"))
