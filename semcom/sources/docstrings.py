"""Docstrings: English sentences found in the installed scientific libraries, a corpus that needs no download."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import json
import platform
import re
import sysconfig
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from semcom.sources import cache
from semcom.sources.cleaning import Cleaning, Rules
from semcom.sources.prose import is_sentence, sentences_of
from semcom.sources.sentences import Corpus, Name, Progress, Selection, digest, split

# Part of the fingerprint: raise it when a change below alters a single sentence.
EXTRACTION_VERSION = 1
# Versions of packages name this text before anybody has read it, so the rules cannot follow what it holds: all that
# such names have ever stood for are the first ones.
RULES: Rules = 1
PACKAGES = ("numpy", "scipy", "torch", "matplotlib")

_SKIPPED_FOLDERS = re.compile(
    r"_?testing|tests?|idle_test|idlelib|lib2to3|_vendor|_bundled|__pycache__|(?:site|dist)-packages"
)
_DOCUMENTED = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# Directives whose indented body is not prose.
_VERBATIM = re.compile(
    r"math|code|code-block|sourcecode|plot|image|figure|table|csv-table|list-table|toctree|autosummary|parsed-literal"
    r"|doctest|testcode|testsetup|testoutput|graphviz|highlight|include|raw|index|only"
)
_DIRECTIVE = re.compile(r"\.\.\s+(?:([\w:-]+)::|\[|_|\||\S)")
_RULE = re.compile(r"[=\-~^\"'`#*+|:. ]{3,}$|.*\s\|\s|.*-{4,}|.*={4,}|\|")
_BULLET = re.compile(r"(?:[-*+\u2022]|\(?\d{1,2}[.)]|\(?[a-z][.)])\s+")
_FIELD = re.compile(r":\w[\w ,*.-]*:\s*|@\w+\s+\w+:?\s*")
# "name : type", "name, other : type", "name (type): what it is", "name: what it is" and "name -- what it is".
_PARAMETER = re.compile(
    r"[`*]{0,2}[\w.]+[`*]{0,2}(?:,\s*[`*]*[\w.]+[`*]*)*\s*(?:\([^)]*\))?\s*(?:\s:|:\s|:$|\s--?\s)\s*"
)
_ROLE = re.compile(r":[\w:+-]+:`~?!?\.?([^`<]*?)(?:\s*<[^`>]*>)?`")
_LINK = re.compile(r"`([^`<>]+?)\s*(?:<[^`>]*>)?`__?")
_QUOTED = re.compile(r"``?([^`]+)``?")
_EMPHASIS = re.compile(r"(?<!\w)(\*{1,2})(?=\S)(.+?)(?<=\S)\1(?!\w)")
_FOOTNOTE = re.compile(r"\s*\[[#\w*]+\]_")
# A trace of code: operators, brackets, paths, snake_case, camelCase, dotted or numbered names, calls.
_CODE = re.compile(r"[=<>{}\[\]_\\@#$|^~*`/&+%]|::|\w\.\w|\w\(|\(\)|[a-z][A-Z]|[a-z]\d|--|\.\.|https?:|\s[.,:;]|:$")


@dataclass(frozen=True)
class Docstrings:
    """English sentences from the docstrings of numpy, scipy, torch, matplotlib and the standard library.

    Found by parsing the installed source files, without importing or running any of them. Some 48,000
    distinct sentences of technical prose; the text, and so its fingerprint, follows the installed versions.

    Args:
        longest: longest sentence that is kept [words].
        shortest: shortest sentence that is kept [words].
        cleaning: `letters` keeps a-z and . ! ? alone, as the field does; `light` keeps the text as written.
        sentences: keep this many at most, chosen by hash; without it all.
    """

    longest: int = 30
    shortest: int = 4
    cleaning: Cleaning = "letters"
    sentences: int | None = None
    source: Literal["docstrings"] = "docstrings"

    def __post_init__(self) -> None:
        self._selection()

    def fingerprint(self) -> str:
        """Covers the versions of all that is parsed, and the rules."""
        return digest(self.source, _versions(), self._selection(), RULES)

    def prepare(self, progress: Progress | None = None) -> str:
        """Parse the installed libraries once (about twenty seconds) and keep what was found."""
        found = self.load(progress)
        count = len(found.train) + len(found.validation) + len(found.test)
        return f"docstrings: {count:,} distinct sentences from the installed libraries"

    def load(self, progress: Progress | None = None) -> Corpus:
        """The split sentences; parses the libraries only if no earlier call did."""
        lines = cache.remember("docstrings", json.dumps(_versions()), lambda: extract(progress))
        counts: Counter[str] = Counter()
        chosen = self._selection().apply(lines, RULES, counts)
        return split(chosen, Name(self.source, self.fingerprint(), RULES, "the docstring corpus"), counts)

    def _selection(self) -> Selection:
        return Selection(self.shortest, self.longest, self.cleaning, self.sentences)


def extract(progress: Progress | None = None) -> Iterator[str]:
    """Every distinct sentence in the docstrings of the installed libraries, file after file.

    Text that only exists at run time is missed: the docstrings of compiled functions, and those that a
    library puts together from parts.
    """
    files = [path for root in _roots() for path in _sources(root)]
    seen: set[str] = set()
    for done, path in enumerate(files):
        if progress and done % 50 == 0:
            progress("reading docstrings", done, len(files))
        for docstring in _docstrings(path):
            for sentence in prose_of(docstring):
                if sentence not in seen:
                    seen.add(sentence)
                    yield sentence
    if progress:
        progress("reading docstrings", len(files), len(files))


def prose_of(docstring: str) -> Iterator[str]:
    """The sentences of one docstring: no signatures, code, parameter lists, tables or directives.

    What is said *about* a parameter stays, where it is said in sentences. A sentence that still shows a trace
    of code after its markup is gone is left out whole: repaired, it would be no sentence anybody wrote.
    """
    for paragraph in _paragraphs(inspect.cleandoc(docstring)):
        for sentence in sentences_of(_unmarked(paragraph), RULES):
            # An escape in a docstring may spell a control character, or half a character that no file can hold.
            if sentence.isprintable() and not _CODE.search(sentence) and is_sentence(sentence, RULES):
                yield sentence


def _paragraphs(text: str) -> Iterator[str]:
    """Runs of lines that belong together, each joined into one; what belongs to no sentence is left out.

    A run ends at an empty line, at a change of indentation, and where a list item or a parameter begins.
    Reading is by line because docstrings come in three dialects (NumPy, Google, Sphinx), often mixed in one
    file, and a parser of any one of them would trip over the others.
    """
    run: list[str] = []
    depth = 0  # indentation of the current run
    skipping: int | None = None  # inside a block to leave out: everything indented deeper than this
    in_example = False
    for line in [*text.splitlines(), ""]:
        bare = line.strip()
        indent = len(line) - len(line.lstrip())
        if not bare:
            in_example = False
            if run:
                # Two colons announce a literal block: whatever is indented below is code.
                skipping = depth if run[-1].endswith("::") else skipping
                yield " ".join(run)
                run = []
            continue
        if skipping is not None and indent > skipping:
            continue
        skipping = None
        if in_example or bare.startswith((">>>", "...", "In [", "$ ")):
            in_example = True
            continue
        if run and indent != depth:
            yield " ".join(run)
            run = []
        if directive := _DIRECTIVE.match(bare):
            # Notes and warnings hold prose of their own; comments, footnotes and code do not.
            skipping = None if directive[1] and not _VERBATIM.fullmatch(directive[1]) else indent
            run = []
            continue
        if _RULE.match(bare):
            # Underlines make the line above a heading; everything else here is a table.
            run = []
            continue
        for pattern in (_BULLET, _FIELD, _PARAMETER):
            if entry := pattern.match(bare):
                if run:
                    yield " ".join(run)
                run, bare = [], bare[entry.end() :]
        depth = indent
        if bare:
            run.append(bare)


def _unmarked(paragraph: str) -> str:
    """Text without its markup: roles, links, quotes and emphasis leave their words behind, footnotes nothing."""
    text = _FOOTNOTE.sub("", paragraph)
    text = _ROLE.sub(r"\1", text)
    text = _LINK.sub(r"\1", text)
    text = _QUOTED.sub(r"\1", text)
    return _EMPHASIS.sub(r"\2", text)


def _docstrings(path: Path) -> Iterator[str]:
    """The raw docstrings of one source file; none where it cannot be read or is not Python."""
    try:
        text = path.read_bytes()
        if b'"""' not in text and b"'''" not in text:
            return
        with warnings.catch_warnings():
            # Other people's invalid escapes are not our user's business.
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    yield from _documented(tree)


def _documented(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """The docstring of a definition and of those inside it, in the order of the file."""
    if docstring := ast.get_docstring(node, clean=False):
        yield docstring
    # Only definitions one below another: ast.walk would visit every expression and take twice as long.
    waiting = list(reversed(node.body))
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, _DOCUMENTED):
            yield from _documented(inner)
        elif isinstance(inner, ast.If | ast.Try | ast.With):
            waiting.extend(reversed(inner.body))


def _roots() -> Iterator[Path]:
    """The folders to read. Looking for the spec of a top-level package does not import it."""
    for name in PACKAGES:
        found = importlib.util.find_spec(name)
        if found is not None and found.submodule_search_locations:
            yield Path(next(iter(found.submodule_search_locations)))
    yield Path(sysconfig.get_path("stdlib"))


def _sources(root: Path) -> Iterator[Path]:
    """The source files below a folder, tests and bundled copies of other projects left out."""
    # Sorted, because the order of a folder differs between machines and the order of the text must not.
    for path in sorted(root.rglob("*.py")):
        if not any(map(_SKIPPED_FOLDERS.fullmatch, path.relative_to(root).parts[:-1])):
            yield path


def _versions() -> dict[str, str]:
    """What decides the text: the release of everything that is parsed, and of the parsing.

    An absent package counts as the empty release.
    """
    import importlib.metadata

    # Some systems ship the standard library in parts, tkinter apart for one; the version does not tell.
    library = " ".join(sorted(path.name for path in Path(sysconfig.get_path("stdlib")).glob("[a-z]*")))
    found = {
        "python": platform.python_version(),
        "library": hashlib.sha256(library.encode()).hexdigest()[:16],
        "extraction": str(EXTRACTION_VERSION),
    }
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = ""
    return found
