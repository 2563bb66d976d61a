"""The house rules that a machine can hold: sizes, names, first lines, the maps, and what is never imported.

Every package has a README.md with a map of its files. `python tests/test_house.py --write` brings all maps up to date,
and gives a new package a README.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
MARKS = ("<!-- map -->", "<!-- /map -->")
SOURCES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in sorted([*ROOT.glob("channels/**/*.py"), *ROOT.glob("semcom/**/*.py")])
}
TREES = {name: ast.parse(text) for name, text in SOURCES.items()}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def nodes(*kinds: type) -> Iterator[tuple[str, ast.AST]]:
    """All nodes of some kinds, each with where it stands."""
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, kinds):
                yield f"{name}:{getattr(node, 'lineno', 1)} {getattr(node, 'name', '')}".rstrip(), node


def body_lines(function: Function) -> int:
    """Lines of a function's body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


# Sizes


def test_a_file_holds_one_thing() -> None:
    long = {name: text.count("\n") for name, text in SOURCES.items() if text.count("\n") > 350}
    assert not long, f"over 350 lines, so it wants two names: {long}"


def test_functions_are_short() -> None:
    lengths = {where: body_lines(node) for where, node in nodes(ast.FunctionDef, ast.AsyncFunctionDef)}
    long = {where: length for where, length in lengths.items() if length > 60}
    assert not long, f"over 60 lines without docstring: {long}"
    longish = {where: length for where, length in lengths.items() if length > 35}
    assert len(longish) <= len(lengths) / 10, f"more than one in ten over 35 lines: {longish}"


def test_classes_are_short() -> None:
    lengths = {where: node.end_lineno - node.lineno + 1 for where, node in nodes(ast.ClassDef)}
    long = {where: length for where, length in lengths.items() if length >= 150}
    assert not long, f"150 lines or more: {long}"


def test_a_function_takes_four_things_by_place_and_the_rest_by_name() -> None:
    many = []
    for where, node in nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        places = [each.arg for each in (*node.args.posonlyargs, *node.args.args) if each.arg not in ("self", "cls")]
        # What a command line hands over is always by name: there the parameters are its options.
        if len(places) > 4 and not any("command" in ast.unparse(each) for each in node.decorator_list):
            many.append(f"{where}({', '.join(places)})")
    assert not many, f"write * before the fifth: {many}"


# Names


def test_no_name_says_that_nobody_decided() -> None:
    forbidden = {"utils", "util", "common", "helpers", "helper", "base", "misc"}
    found = [name for name in SOURCES if forbidden & {part.strip("_") for part in Path(name).with_suffix("").parts}]
    assert not found


def test_code_is_plain_ascii() -> None:
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, text in SOURCES.items()
        for number, line in enumerate(text.splitlines(), 1)
        if not line.isascii()
    ]
    assert not found


# First lines and the map


def first_line(name: str) -> str:
    return (ast.get_docstring(TREES[name]) or "").partition("\n")[0]


def written() -> list[str]:
    """Modules that hold anything at all."""
    return [name for name, text in SOURCES.items() if text.strip()]


def maps() -> dict[str, dict[str, str]]:
    """What the map of each package must say: the first line of every module and of every package directly in it."""
    found: dict[str, dict[str, str]] = {}
    for name in written():
        path = Path(name)
        if path.name == "__init__.py":
            found.setdefault(str(path.parent), {})
            if path.parent.parent != Path():
                found.setdefault(str(path.parent.parent), {})[f"{path.parent.name}/"] = first_line(name)
        else:
            found.setdefault(str(path.parent), {})[path.name] = first_line(name)
    return found


@pytest.mark.parametrize("name", written())
def test_a_module_begins_with_one_sentence(name: str) -> None:
    docstring = ast.get_docstring(TREES[name]) or ""
    first, _, rest = docstring.partition("\n")
    assert first, f"{name} does not say what it is for"
    assert first.endswith("."), f"{name}: '{first}' must be a whole sentence on one line"
    assert not re.search(r"[.!?]\s+[A-Z]", first), f"{name}: '{first}' is more than one sentence"
    assert not rest or rest.startswith("\n"), f"{name}: leave a line empty after the first sentence"


def block_between_marks(text: str) -> re.Match[str]:
    """The fenced block that holds the map."""
    found = list(re.finditer(rf"{MARKS[0]}\n+```[a-z]*\n(.*?)```\n+{MARKS[1]}", text, flags=re.DOTALL))
    if len(found) != 1:
        raise ValueError(f"README.md must hold one fenced block between {MARKS[0]} and {MARKS[1]}, got {len(found)}")
    return found[0]


def read_map(text: str) -> dict[str, str]:
    """The map in a README: four spaces or more part a path from its line."""
    lines = [line for line in block_between_marks(text).group(1).splitlines() if line.strip()]
    pairs = [re.split(r" {4,}", line.strip(), maxsplit=1) for line in lines]
    odd = [line for line, pair in zip(lines, pairs, strict=True) if len(pair) != 2]
    if odd or len(dict(pairs)) < len(pairs):
        raise ValueError(f"every line of the map must be a path, spaces and one sentence, each path once; got {odd}")
    return dict(pairs)


def write_map(text: str, rows: dict[str, str]) -> str:
    """A README with its map brought up to date: packages first, then files."""
    width = max(len(path) for path in rows) + 4
    block = block_between_marks(text)
    order = sorted(rows, key=lambda path: (not path.endswith("/"), path))
    lines = "".join(f"{path:<{width}}{rows[path]}\n" for path in order)
    return text[: block.start(1)] + lines + text[block.end(1) :]


def blank_readme(package: str) -> str:
    """What a new package's README begins as."""
    marks = f"{MARKS[0]}\n```\n```\n{MARKS[1]}\n"
    return f"# {package}\n\n{first_line(f'{package}/__init__.py')}\n\n{marks}"


@pytest.mark.parametrize("package", maps())
def test_the_readme_of_a_package_has_a_map_that_equals_the_tree(package: str) -> None:
    advice = "run `python tests/test_house.py --write`"
    readme = ROOT / package / "README.md"
    assert readme.is_file(), f"there is no {package}/README.md; {advice}"
    there, here = read_map(readme.read_text(encoding="utf-8")), maps()[package]
    assert not here.keys() - there.keys(), f"not on the map: {sorted(here.keys() - there.keys())}; {advice}"
    assert not there.keys() - here.keys(), f"on the map alone: {sorted(there.keys() - here.keys())}; {advice}"
    assert {path: there[path] for path in here if there[path] != here[path]} == {}, advice


def test_the_map_writes_what_it_reads() -> None:
    rows = {"new.py": "Something here.", "room/": "More of it."}
    empty = f"# A title\n\n{MARKS[0]}\n```text\nold.py    Something gone.\n```\n{MARKS[1]}\n\nMore words.\n"
    full = write_map(empty, rows)
    assert read_map(empty) == {"old.py": "Something gone."}
    assert read_map(full) == rows
    assert write_map(full, rows) == full
    assert full.startswith("# A title\n")
    assert full.endswith("\nMore words.\n")
    assert read_map(write_map(blank_readme("channels"), rows)) == rows
    with pytest.raises(ValueError, match=r"README\.md must hold one fenced block"):
        write_map("# A title without a map\n", rows)


# The front page


def test_the_front_page_is_short_and_its_links_lead_somewhere() -> None:
    pages = [ROOT / folder / "README.md" for folder in ("", "scenarios", *maps())]
    assert len(pages[0].read_bytes()) <= 12_000, "the front page wants to be read; details go to scenarios/README.md"
    for page in (*pages, ROOT / "scenarios" / "KEYS.md"):
        links = re.findall(r"\]\(([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8"))
        lost = [(to, anchor) for to, anchor in links if "://" not in to and not leads_somewhere(page, to, anchor)]
        assert not lost, f"{page.relative_to(ROOT)} leads to {lost}"


def test_the_tests_that_the_guides_name_are_there() -> None:
    named = {
        (package, path)
        for package in maps()
        for path in re.findall(r"tests/[\w/]+(?:\.py)?", (ROOT / package / "README.md").read_text(encoding="utf-8"))
    }
    assert len(named) >= 8
    assert not {(package, path) for package, path in named if not (ROOT / path).exists()}


def leads_somewhere(page: Path, to: str, anchor: str) -> bool:
    """Whether a link leads to something there is, and its anchor to a heading."""
    target = page.parent / to if to else page
    if not anchor:
        return target.exists()
    headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_code_on_the_pages_runs() -> None:
    page = (ROOT / "channels" / "README.md").read_text(encoding="utf-8")
    there: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(code, there)
    assert there["estimate"].shape == (32, 160)
    assert there["frames"].received.shape == (440, 128)


def test_the_citation_is_of_this_version() -> None:
    cited = YAML(typ="safe").load(ROOT / "CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (cited["version"], cited["license"]) == (project["version"], project["license"])


def test_the_front_page_and_the_gate_run_the_same_tests() -> None:
    commands = re.findall(r"^python3 -m venv .*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == 2
    assert commands[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


# What is never imported


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_nothing_unpickles() -> None:
    refused = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
    found = [name for name, tree in TREES.items() if refused & {each.partition(".")[0] for each in imported(tree)}]
    assert not found
    trusting = []
    for where, node in nodes(ast.Call):
        text = ast.unparse(node)
        if text.startswith("torch.load(") and "weights_only=True" not in text:
            trusting.append(f"{where}: {text}")
        if "allow_pickle=True" in text or text.startswith(("pd.read_pickle(", "eval(", "exec(")):
            trusting.append(f"{where}: {text}")
    assert not trusting


# All that reading a scenario, listing names or asking for help may touch. Torch is loaded when one of its names is
# used, so a name used at the top of a module, in a class body, a decorator or a default gives the module away.
SPECS = [
    "channels",
    "semcom.sources.catalog",
    "semcom.metrics.catalog",
    "semcom.models.semantic_spec",
    "semcom.models.sizes",
    "semcom.training.settings",
    "semcom.compression.catalog",
    "semcom.compression.criteria",
    "semcom.compression.layer_pruning",
    "semcom.distillation.catalog",
    "semcom.scenario.load",
    "semcom.experiment.preview",
    "semcom.scenario.reference",
]
HEAVY = [
    "torch._C",
    "torch.nn",
    "sentence_transformers",
    "transformers",
    "sacrebleu",
    "jiwer",
    "tokenizers",
    "pandas",
    "matplotlib",
    "distributed",
    "lightning_fabric",
    "sionna",
    "scipy",
]
IMPORT_LIKE_THE_COMMAND_LINE = """
import importlib, sys
import semcom.cli
importlib.import_module(sys.argv[1])
print(*(name for name in sys.argv[2:] if name in sys.modules))
"""


@pytest.mark.parametrize("module", SPECS)
def test_specs_load_no_heavy_library(module: str) -> None:
    process = subprocess.run(
        [sys.executable, "-c", IMPORT_LIKE_THE_COMMAND_LINE, module, *HEAVY],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.split() == [], f"importing {module} loads {process.stdout}"


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python tests/test_house.py --write")
    for package, rows in maps().items():
        readme = ROOT / package / "README.md"
        text = readme.read_text(encoding="utf-8") if readme.is_file() else blank_readme(package)
        readme.write_text(write_map(text, rows), encoding="utf-8")
