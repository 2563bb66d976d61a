"""The floors of the house: an import goes down or stays in its own package, never up; and never in a circle."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# From the ground up. Names on one line are equals: neither may import the other.
FLOORS = (
    ("channels",),
    ("semcom.mistakes", "semcom.lazy_torch", "semcom.words", "semcom.identity", "semcom.making"),
    ("semcom.files", "semcom.terminal"),
    ("semcom.sources", "semcom.metrics"),
    ("semcom.models",),
    ("semcom.languages",),
    ("semcom.baselines",),
    ("semcom.tasks",),
    ("semcom.compression",),
    ("semcom.training",),
    ("semcom.distillation",),
    ("semcom.scenario",),
    ("semcom.store",),
    ("semcom.experiment",),
    ("semcom.report",),
    ("semcom.cli",),
    ("semcom.__main__",),
)
SOURCES = sorted([*ROOT.glob("channels/**/*.py"), *ROOT.glob("semcom/**/*.py")])
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path.read_text(encoding="utf-8")
    for path in SOURCES
}
FLOOR_OF_PACKAGE = {name: index for index, names in enumerate(FLOORS) for name in names}


def package_of(module: str) -> str | None:
    """The package whose floor a module is on; None for other people's modules and for `semcom` itself."""
    return next((name for name in FLOOR_OF_PACKAGE if module == name or module.startswith(name + ".")), None)


def named_by(node: ast.AST) -> Iterator[str]:
    """What one statement or call imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        if node.level:
            raise ValueError("relative import; write the whole name")
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        first = node.args[0] if node.args else None
        if called in ("import_module", "__import__") and isinstance(first, ast.Constant):
            yield str(first.value)


def upward(module: str, text: str) -> list[str]:
    """What a module imports from above its floor, or from an equal; in the whole tree, so lazily or for typing too."""
    home = package_of(module)
    floor = -1 if home is None else FLOOR_OF_PACKAGE[home]
    wrong = []
    for name in (name for node in ast.walk(ast.parse(text)) for name in named_by(node)):
        package = package_of(name)
        if package is not None and package != home and FLOOR_OF_PACKAGE[package] >= floor:
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("module", MODULES)
def test_nothing_imports_upwards(module: str) -> None:
    wrong = upward(module, MODULES[module])
    assert not wrong, f"{module} reaches up to {', '.join(wrong)}"


def test_every_module_stands_on_a_floor() -> None:
    homeless = [module for module in MODULES if module != "semcom" and package_of(module) is None]
    assert not homeless, f"no floor is named for {', '.join(homeless)}"


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("channels.link", "import semcom.models"),
        ("semcom.models.codec", "def late():\n    from semcom.training.fit import fit"),
        ("semcom.tasks.text", "if TYPE_CHECKING:\n    from semcom.scenario import scenario"),
        ("semcom.sources.batches", "from semcom import metrics"),
        ("semcom.metrics.score", "from semcom.sources.sentences import Corpus"),
        ("semcom.mistakes", "import channels.link, semcom.sources.cache"),
        ("semcom", "from semcom.mistakes import UserMistake"),
        ("semcom.compression.cost", "importlib.import_module('semcom.training.fit')"),
        ("semcom.report.tables", "from semcom.cli import main"),
    ],
)
def test_an_import_from_above_is_seen_wherever_it_hides(module: str, text: str) -> None:
    assert len(upward(module, text)) == 1


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("channels.link", "from channels.units import db_to_ratio\nimport torch"),
        ("semcom.training.fit", "from semcom.training.checkpoint import Checkpoint\nfrom channels import Chance"),
        ("semcom.metrics.score", "from semcom.mistakes import UserMistake"),
        ("semcom.files", "from semcom.mistakes import UserMistake"),
        ("semcom.cli", "def run():\n    from semcom.report import figures\n    from semcom.scenario import scenario"),
        ("semcom.modelsx", "import semcom"),
    ],
)
def test_an_import_from_below_is_welcome(module: str, text: str) -> None:
    assert upward(module, text) == []


def test_a_relative_import_is_refused() -> None:
    with pytest.raises(ValueError, match="relative import"):
        upward("semcom.models.codec", "from . import layers")


# Circles


def neighbors_of(texts: dict[str, str]) -> dict[str, set[str]]:
    """For each module the modules it imports anywhere: at once, later in a function, or for type checkers alone."""
    graph = {}
    for module, text in texts.items():
        names = {name for node in ast.walk(ast.parse(text)) for name in named_by(node)}
        # `from channels import Chance` names channels, as `from semcom.models import codec` names semcom.models.codec.
        found = {name if name in texts else name.rpartition(".")[0] for name in names}
        graph[module] = {name for name in found if name in texts}
    return graph


def circle_in(graph: dict[str, set[str]]) -> list[str] | None:
    """One circle of imports, or None."""
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str] | None:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return None
        for other in sorted(graph[module]):
            if circle := visit(other, [*path, module]):
                return circle
        done.add(module)
        return None

    return next((circle for module in sorted(graph) if (circle := visit(module, []))), None)


def test_modules_do_not_import_each_other_in_circles() -> None:
    circle = circle_in(neighbors_of(MODULES))
    assert circle is None, " -> ".join(circle or [])


def test_a_circle_is_seen_wherever_its_imports_hide() -> None:
    there = "from b import thing"
    assert circle_in(neighbors_of({"a": there, "b": "try:\n    import a\nexcept ImportError:\n    pass"})) is not None
    assert circle_in(neighbors_of({"a": there, "b": "import c", "c": "class C:\n    import a"})) == ["a", "b", "c", "a"]
    assert circle_in(neighbors_of({"a": there, "b": "def late():\n    import a"})) == ["a", "b", "a"]
    assert circle_in(neighbors_of({"a": there, "b": "if TYPE_CHECKING:\n    import a"})) == ["a", "b", "a"]
    assert circle_in(neighbors_of({"a": there, "b": "import c", "c": ""})) is None
    assert circle_in(neighbors_of({"p": "from p.a import x", "p.a": "from p import y"})) == ["p", "p.a", "p"]
