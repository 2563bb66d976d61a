"""The key reference: every key has a meaning, from one source, and scenarios/KEYS.md equals the plans.

`python tests/test_keys.py --write` brings the page up to date; a part that the page does not hold yet goes to its end.
"""

import dataclasses
import json
import re
import sys
from pathlib import Path

import pytest

from semcom.distillation.teaching import Teaching
from semcom.metrics.embedding_model import EmbeddingModel
from semcom.models.semantic_spec import SideSpec
from semcom.scenario.axes import Steps
from semcom.scenario.codec_plans import CODECS, AdoptPlan
from semcom.scenario.inventory import VARIANTS
from semcom.scenario.load import load_scenario
from semcom.scenario.meanings import KINDS, meanings_of, said_of, unit_of
from semcom.scenario.plans import LinkPlan, MeasurePlan
from semcom.scenario.reference import reference
from semcom.scenario.scenario import Scenario
from semcom.scenario.sweep import SweepPlan
from semcom.training.settings import TrainingSettings

PAGE = Path(__file__).resolve().parents[1] / "scenarios" / "KEYS.md"
PARTS = re.compile(r"(?<=<!-- keys: )(\w+)( -->\n)(.*?)(?=<!-- /keys -->)", flags=re.DOTALL)
ADVICE = "run `python tests/test_keys.py --write`"
SCHEMA = Scenario.model_json_schema()
HOLDERS = {"Scenario": SCHEMA, **SCHEMA["$defs"]}


def written(page: str) -> str:
    """A page with every table brought up to date, and with those that it lacks at its end."""
    tables = reference()
    full = PARTS.sub(lambda part: f"{part[1]}{part[2]}\n{tables.get(part[1], '')}\n\n", page)
    there = [part[1] for part in PARTS.finditer(page)]
    missing = [
        f"\n## {name.capitalize()}\n\n<!-- keys: {name} -->\n\n{table}\n\n<!-- /keys -->\n"
        for name, table in tables.items()
        if name not in there
    ]
    return full + "".join(missing)


@pytest.mark.parametrize("holder", HOLDERS)
def test_every_key_has_a_meaning(holder: str) -> None:
    silent = [name for name, key in HOLDERS[holder].get("properties", {}).items() if not key.get("description")]
    assert not silent, f"the docstring of {holder} must say under Args what these mean: {silent}"


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_meaning_is_words_and_a_key_in_decibels_says_so(holder: str) -> None:
    for name, key in HOLDERS[holder].get("properties", {}).items():
        meaning = key["description"]
        assert meaning.endswith("."), f"{holder}.{name}: {meaning}"
        assert "\n" not in meaning
        assert (unit_of(name, meaning) == "dB") == name.endswith("_db"), f"{holder}.{name}: {meaning}"
    assert "Args:" not in HOLDERS[holder].get("description", "")


PLANS = [Scenario, *CODECS.values(), AdoptPlan, LinkPlan, MeasurePlan, SweepPlan, Steps]
DATACLASSES = [
    Teaching,
    TrainingSettings,
    SideSpec,
    EmbeddingModel,
    *(each for catalog in VARIANTS.values() for each in catalog),
]


@pytest.mark.parametrize("holder", [*PLANS, *DATACLASSES], ids=lambda holder: holder.__name__)
def test_no_meaning_is_left_of_a_key_that_is_gone(holder: type) -> None:
    names = set(holder.model_fields) if holder in PLANS else {each.name for each in dataclasses.fields(holder)}
    telling = next((key for key in KINDS if key in names), None)  # a task is told by kind, and has a source
    assert set(said_of(holder)) == names - {telling}


def test_entries_of_a_docstring_are_read_whole() -> None:
    docstring = """One line.

    More.

    Args:
        one: begins here
            and ends there [dB]; see also: two.
        two: short.

    Source: a book: with a colon.
    """
    assert meanings_of(docstring) == {"one": "begins here and ends there [dB]; see also: two.", "two": "short."}
    assert meanings_of(None) == meanings_of("Nothing else.") == {}


def test_the_unit_is_the_one_in_brackets() -> None:
    assert unit_of("length", "length of a block [symbols].") == "symbols"
    assert unit_of("snr_db", "drawn from [low, high].") == "dB"
    assert unit_of("snr_db", "drawn from [low, high] [dB]; or not.") == "dB"
    assert unit_of("draw", "drawn from [low, high].") == ""


def test_the_page_equals_the_plans() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert {part[1] for part in PARTS.finditer(page)} == set(reference()), ADVICE
    assert page == written(page), ADVICE


def examples() -> list[str]:
    """The scenarios on the pages that people read first."""
    pages = (PAGE.parents[1] / "README.md", PAGE)
    return [block for page in pages for block in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)]


def test_the_examples_on_the_pages_are_scenarios(tmp_path: Path) -> None:
    assert len(examples()) == 3
    for example in examples():
        (tmp_path / "example.yaml").write_text(example)
        scenario, _ = load_scenario(tmp_path / "example.yaml")
        assert scenario.question.endswith("?")


def test_a_page_without_a_part_gets_it_at_its_end() -> None:
    page = "# Keys\n\n<!-- keys: adopt -->\nStale.\n<!-- /keys -->\n\nWords.\n"
    full = written(page)
    assert "Stale." not in full
    assert full.startswith("# Keys\n\n<!-- keys: adopt -->\n\n| key |")
    assert full.index("Words.") < full.index("## Fading")
    assert written(full) == full


def test_the_command_prints_the_tables(semcom) -> None:
    answer = semcom("schema", "--markdown")
    assert answer.code == 0
    assert all(table in answer.out for table in reference().values())
    assert "description" in json.loads(semcom("schema").out)["properties"]["seed"]


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python tests/test_keys.py --write")
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
