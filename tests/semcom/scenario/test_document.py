"""Document: hostile files end in one clear message, honest mistakes in all of theirs, each where it stands."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from semcom.mistakes import UserMistake
from semcom.scenario.document import SIZE_LIMIT, Document, ScenarioError, read_document, validate
from semcom.scenario.plan import by
from semcom.scenario.yaml_data import COUNT_LIMIT, DEPTH_LIMIT

STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Calm:
    kind: Literal["calm"] = "calm"
    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True)
class Windy:
    speed_db: float = 3.0
    gusts: tuple[float, ...] = ()
    calm: int = 0
    kind: Literal["windy"] = "windy"
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    def __post_init__(self) -> None:
        if self.speed_db > 50:
            raise ValueError(f"speed_db must be at most 50, got {self.speed_db:g}")


Weather = Annotated[Calm | Windy, by("kind")]


@dataclass(frozen=True)
class Range:
    start: float
    stop: float
    step: float
    __pydantic_config__: ClassVar[ConfigDict] = STRICT


def _form(value: Any) -> str:
    if isinstance(value, dict | Range):
        return "steps"
    return "list" if isinstance(value, list | tuple) else "one"


Axis = Annotated[
    Annotated[float, Tag("one")] | Annotated[Range, Tag("steps")] | Annotated[tuple[float, ...], Tag("list")],
    Discriminator(_form),
]


class Boat(BaseModel):
    model_config = STRICT
    sails: int = Field(default=1, ge=1)
    length: Annotated[float, Field(gt=0, lt=100)] = 5.0
    weather: Weather = Calm()
    mood: Literal["good", "bad"] = "good"
    is_fast: bool = False

    @field_validator("mood")
    @classmethod
    def _not_bad(cls, mood: str) -> str:
        if mood == "bad":
            raise ValueError("must be better than bad")
        return mood


class Trip(BaseModel):
    model_config = STRICT
    name: str = Field(pattern="^[a-z]+$")
    boats: dict[Annotated[str, Field(pattern="^[^ ]*$")], Boat]
    wind: Axis = 0.0
    depth: float | Range = 1.0
    harbors: tuple[str, ...] = Field(default=("home",), min_length=1)
    weathers: Annotated[tuple[Weather, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _has_boats(self) -> Trip:
        if "wreck" in self.boats:
            raise ValueError("boats.wreck: must float")
        return self


GOOD = """\
# Who sails far?
name: trip
boats:
  first: {sails: 2}
  v1.2:
    weather:
      kind: windy
      speed_db: 1e-3
wind: {start: 0, stop: 6, step: 2}
"""


def read(tmp_path: Path, text: str | bytes, *overrides: str, model: type[BaseModel] | None = None) -> Document:
    path = tmp_path / "trip.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_document(path, overrides, model)


def complaints(tmp_path: Path, text: str | bytes, *overrides: str) -> list[str]:
    """Every message about a trip, without the path of the file."""
    with pytest.raises(ScenarioError) as caught:
        validate(read(tmp_path, text, *overrides, model=Trip), Trip)
    assert isinstance(caught.value, UserMistake)
    return [message.replace(f"{tmp_path}/", "") for message in caught.value.messages]


def test_a_good_file_is_plain_data_and_a_model(tmp_path: Path) -> None:
    document = read(tmp_path, GOOD)
    trip = validate(document, Trip)
    assert document.question == "Who sails far?"
    assert document.text == document.resolved() == GOOD
    assert trip.boats["v1.2"].weather == Windy(speed_db=0.001) and trip.wind == Range(0, 6, 2)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        *[("1e-3", 0.001), ("1e3", 1000.0), (".5", 0.5), ("-7", -7), ("010", 10), ("0x1F", 31), ("1_000", 1000)],
        *[("off", "off"), ("yes", "yes"), ("no", "no"), ("true", True), ("~", None), ("", None), ("null", None)],
        *[("2026-01-02", "2026-01-02"), ("1:20", "1:20"), ("=", "="), ("'nan'", "nan"), ("'1'", "1"), ("-_", "-_")],
        *[("|\n  a\n  b\n", "a\nb\n"), ("nano", "nano"), ("'<<'", "<<")],
    ],
)
def test_values_are_what_yaml_1_2_says(tmp_path: Path, typed: str, value: object) -> None:
    found = read(tmp_path, f"a: {typed}").data["a"]
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("# Why?\na: 1", "Why?"),
        ("\ufeff\n\n##  Why? #\na: 1", "Why?"),
        ("#\n# yaml-language-server: $schema=x.json\n# Why?\n# Because.\na: 1", "Why?"),
        ("a: 1 # why\n# Why?", None),
        ("---\n# Why?\na: 1", None),
        ("a: 1", None),
    ],
)
def test_the_question_is_the_first_comment(tmp_path: Path, text: str, question: str | None) -> None:
    assert read(tmp_path, text).question == question


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "trip.yaml: must hold the keys of a scenario, got an empty file"),
        (b"# only a comment\n", "trip.yaml: must hold the keys of a scenario, got an empty file"),
        (b"- 1\n", "trip.yaml:1:1: a scenario must be a mapping of keys to values, got a list"),
        (b"hello", "trip.yaml:1:1: a scenario must be a mapping of keys to values, got 'hello'"),
        (b"a: 1\nb: \xff\n", "trip.yaml:2: must be UTF-8 text, got byte 0xff; save it as UTF-8"),
        ("a: 1".encode("utf-16"), "trip.yaml:1: must be UTF-8 text, got byte 0xff; save it as UTF-8"),
        (b"a: 1\nb: \x07\n", "trip.yaml:2:4: not valid YAML: character U+0007 is not allowed"),
        (b"a: [1, 2\nb: 3", "trip.yaml:2:2: not valid YAML: expected ',' or ']'"),
        (b"a: 1\n\tb: 2\n", "trip.yaml:2:1: not valid YAML: found character '\\t' that cannot start any token"),
        (b'a: "\\UFFFFFFFF"', "trip.yaml:1:1: not valid YAML:"),
        (b'a: "\\ud800"', "trip.yaml:1:4: a: must be text of whole characters, got '\\ud800'"),
        (b"a: 1\n---\nb: 2\n", "trip.yaml:2:1: must hold one YAML document, got a second one"),
        (b"%YAML 1.1\n---\na: off\n", "trip.yaml:2:1: YAML directives are not allowed"),
        (b"a: 1\n1: 2\n", "trip.yaml:2:1: a key must be text, got '1'; put it in quotes"),
        (b"[1]: 2\n", "trip.yaml:1:1: a key must be text, got a list or a mapping; put it in quotes"),
        (b"a: 99999999999999999999\n", "trip.yaml:1:4: a: must be a number below 2^63, got 99999999999999999999"),
    ],
)
def test_a_broken_file_is_one_message(tmp_path: Path, text: bytes, message: str) -> None:
    (found,) = complaints(tmp_path, text)
    assert found.startswith(message)


def test_no_file_and_a_folder_are_one_message(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"none.yaml: no such file"):
        read_document(tmp_path / "none.yaml")
    with pytest.raises(ScenarioError, match="must be a YAML file, got a folder"):
        read_document(tmp_path)
    with pytest.raises(ScenarioError, match="must be a readable file"):
        read_document(Path("\0"))


@pytest.mark.parametrize("word", ["nan", ".nan", "-.INF", "inf", "+Infinity", "1e999"])
@pytest.mark.parametrize("form", ["snr_db: {}", "snr_db: [{}]"])
def test_numbers_must_be_finite(tmp_path: Path, word: str, form: str) -> None:
    (found,) = complaints(tmp_path, form.format(word))
    assert "snr_db" in found and found.endswith(f"must be a finite number, got {word}")


def test_all_that_makes_yaml_dangerous_is_refused_where_it_stands(tmp_path: Path) -> None:
    text = "a: &big [1, 2]\nb: *big\nc: !!python/object:os.system ['true']\nd: !mine 3\n"
    assert complaints(tmp_path, text) == [
        "trip.yaml:1:4: anchors are not allowed, got &big; write the value out",
        "trip.yaml:2:4: aliases are not allowed, got *big; write the value out",
        "trip.yaml:3:4: tags are not allowed, got 'tag:yaml.org,2002:python/object:os.system'; write the plain value",
        "trip.yaml:4:4: tags are not allowed, got '!mine'; write the plain value",
    ]
    assert complaints(tmp_path, "a: {x: 1}\nb:\n  <<: {y: 2}\nb: 2\n") == [
        "trip.yaml:3:3: merge keys are not allowed, got <<; write the keys out",
        "trip.yaml:4:1: b: must be given once, got it first in line 2",
    ]


LAUGHS = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "anchors are not allowed"),
        ("a: " + "[" * 200_000, f"must be nested at most {DEPTH_LIMIT} deep"),
        ("{a: " * 60_000, f"must be nested at most {DEPTH_LIMIT} deep"),
        ("- " * 100_000, f"must be nested at most {DEPTH_LIMIT} deep"),
        ("? " * 100_000, f"must be nested at most {DEPTH_LIMIT} deep"),
        ("a:\n" + "- 1\n" * 60_000, f"must hold at most {COUNT_LIMIT} values"),
        ("".join(f"k{n}: 1\n" for n in range(15_000)), f"must hold at most {COUNT_LIMIT} values"),
        ("a: " + "x" * SIZE_LIMIT, "must be at most 256 KiB of YAML, got more"),
    ],
    ids=["laughs", "lists", "mappings", "dashes", "keys of keys", "many", "wide", "large"],
)
def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path, text: str, message: str) -> None:
    began = time.perf_counter()
    found = complaints(tmp_path, text)
    assert message in found[0]
    # Unhindered, the worst of these runs for minutes.
    assert time.perf_counter() - began < 20


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="endless files are POSIX")
def test_an_endless_file_is_not_read_to_its_end() -> None:
    with pytest.raises(ScenarioError, match="must be at most 256 KiB"):
        read_document(Path("/dev/zero"))


@given(st.binary(max_size=40) | st.text(alphabet="a:{}[],-?&*!|>'\"%#@`\\xu0 \n\t~<.", max_size=40).map(str.encode))
@example(b'"\\xZZ"')
@example(b"\xc2\x85a: 1")
@example(b"a: !<> 1")
@example(b"? a")
@example(b"- a\n# \n- |9\n")
def test_any_bytes_are_a_mapping_or_a_message(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    try:
        document = read(tmp_path_factory.mktemp("any"), raw)
    except ScenarioError as error:
        assert error.messages
    else:
        assert isinstance(document.data, dict)


def test_every_mistake_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
name: 3
boats:
  first: {sails: 0, sail: 2, length: 100, mood: god, is_fast: 1}
  second: {weather: {kind: wndy}}
  third: {weather: {speed_db: 3}}
  fourth: {weather: wndy, mood: bad}
  fifth:
    weather:
      kind: windy
      speed_db: 60
  windy: {weather: {kind: windy, gusts: [1, x], calm: true}}
  sixth: 3
wind: {start: 0, sotp: 2}
depth: {start: x, stop: 1, step: 2}
harbors: []
weathers: [{kind: calm}, {kind: calm, speed: 2}]
"""
    assert complaints(tmp_path, text) == [
        "trip.yaml:1:1: name: must be text, got 3; put it in quotes",
        "trip.yaml:3:11: boats.first.sails: must be at least 1, got 0",
        "trip.yaml:3:21: boats.first.sail: unknown key; use sails, length, weather, mood, is_fast; "
        "did you mean 'sails'?",
        "trip.yaml:3:30: boats.first.length: must be below 100, got 100",
        "trip.yaml:3:43: boats.first.mood: must be 'good' or 'bad', got 'god'; did you mean 'good'?",
        "trip.yaml:3:54: boats.first.is_fast: must be true or false, got 1; write true",
        "trip.yaml:4:22: boats.second.weather.kind: must be one of calm, windy, got 'wndy'; did you mean 'windy'?",
        "trip.yaml:5:21: boats.third.weather.speed_db: unknown key where kind is calm; write kind: windy, which has it",
        "trip.yaml:6:12: boats.fourth.weather: must be calm or windy, alone or as kind of a mapping, got 'wndy'; "
        "did you mean 'windy'?",
        "trip.yaml:6:27: boats.fourth.mood: must be better than bad",
        "trip.yaml:10:7: boats.fifth.weather: speed_db must be at most 50, got 60",
        "trip.yaml:11:45: boats.windy.weather.gusts[1]: must be a number, got 'x'",
        "trip.yaml:11:49: boats.windy.weather.calm: must be a whole number, got true",
        "trip.yaml:12:3: boats.sixth: must be a mapping of sails, length, weather, mood, is_fast, got 3",
        "trip.yaml:13:1: wind.step: must be a number, got nothing; add this key",
        "trip.yaml:13:18: wind.sotp: unknown key; use start, stop, step; did you mean 'stop'?",
        "trip.yaml:14:9: depth.start: must be a number, got 'x'",
        "trip.yaml:15:1: harbors: must have 1 or more entries, got 0",
        "trip.yaml:16:39: weathers[1].speed: unknown key; use kind; did you mean weathers.speed_db or "
        "boats.NAME.weather.speed_db?",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("wind: x", "wind: must be a number, a list or a mapping of start, stop, step, got 'x'"),
        ("wind: [1, true]", "wind[1]: must be a number, got true"),
        (
            "wind: '6'",
            "wind: must be a number, a list or a mapping of start, stop, step, got '6'; write 6, without quotes",
        ),
        ("wind: [1, 'nan']", "wind[1]: must be a finite number, got 'nan'"),
        (
            "depth: [1]",
            "depth: must be a number or a mapping of start, stop, step, got a list; write 1 without brackets",
        ),
        ("depth: true", "depth: must be a number or a mapping of start, stop, step, got true"),
        ("harbors: one", "harbors: must be a list, got 'one'; write [one]"),
        ("harbors: {a: 1}", "harbors: must be a list, got a mapping"),
        ("boats: {a b: {}}", "boats.a b: must be text that matches ^[^ ]*$, got 'a b'"),
        ("weathers: [3]", "weathers[0]: must be calm or windy, alone or as kind of a mapping, got 3"),
        ("name: A", "name: must be text that matches ^[a-z]+$, got 'A'"),
        ("name:", "name: must be text, got nothing"),
        ("boats:", "boats: must be a mapping, got nothing"),
        ("boats: {wreck: {}}", "boats.wreck: must float"),
        ("boats: {a: {sails: 1.5}}", "boats.a.sails: must be a whole number, got 1.5"),
        (
            'boats: {"\\e[31m": 3}',
            "boats.'\\x1b[31m': must be a mapping of sails, length, weather, mood, is_fast, got 3",
        ),
    ],
)
def test_one_mistake_is_one_message(tmp_path: Path, line: str, message: str) -> None:
    rest = {"name": "name: trip", "boats": "boats: {}"}
    rest.pop(line.partition(":")[0], None)
    (found,) = complaints(tmp_path, "\n".join([line, *rest.values()]))
    assert found.partition(" ")[0].startswith("trip.yaml:1:") and found.partition(" ")[2] == message


def test_a_missing_key_of_the_top_is_told_at_the_top(tmp_path: Path) -> None:
    assert complaints(tmp_path, "# Why?\nname: trip\n") == [
        "trip.yaml:1:1: boats: must be a mapping, got nothing; add this key"
    ]


def test_a_misspelt_key_of_the_top_is_no_missing_one(tmp_path: Path) -> None:
    (found,) = complaints(tmp_path, "name: trip\nbosts: {}\n")
    assert "2:1: bosts: unknown key" in found and "did you mean 'boats'" in found


def test_a_hundred_mistakes_are_cut_short(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        validate(read(tmp_path, "name: trip\nboats: {}\n" + "".join(f"k{n}: 1\n" for n in range(100))), Trip)
    assert len(caught.value.messages) == 100 and str(caught.value).endswith("... and 50 more")


@pytest.mark.parametrize(
    ("loc", "position"),
    [
        ((), "1:1"),
        (("name",), "2:1"),
        (("boats", "first", "sails"), "4:11"),
        (("boats", "first", "function-after[f(), int]", "sails"), "4:11"),
        (("boats", "v1.2", "weather", "windy", "speed_db"), "8:7"),
        (("boats", "v1.2", "weather", "windy", "gusts", 3), "6:5"),
        (("boats", "none"), "3:1"),
        (("nothing", 0, "at", "all"), "1:1"),
    ],
)
def test_positions_are_of_the_nearest_value_there_is(tmp_path: Path, loc: tuple[str | int, ...], position: str) -> None:
    assert read(tmp_path, GOOD).position(loc).endswith(f"trip.yaml:{position}")


def test_a_tag_spelled_like_a_key_does_not_mislead(tmp_path: Path) -> None:
    document = read(tmp_path, "corpus:\n  source: file\n  file: a.txt\n  longest: x\n")
    assert document.position(("corpus", "file", "longest")).endswith(":4:3")
    assert document.position(("corpus", "file", "file")).endswith(":3:3")


def test_an_override_is_on_top_and_says_so(tmp_path: Path) -> None:
    document = read(tmp_path, GOOD, "wind=[1, 2e0]", "wind.1=3", "boats.first.weather.kind=calm", "boats.v1.2.sails=4")
    assert document.data["wind"] == [1, 3]
    assert document.data["boats"]["first"] == {"sails": 2, "weather": {"kind": "calm"}}
    assert document.data["boats"]["v1.2"]["sails"] == 4
    assert document.position(("wind", "list", 1)) == "--set wind.1"
    assert document.position(("wind", "list", 0)) == "--set wind"
    assert document.position(("boats", "first", "weather", "calm", "speed")) == "--set boats.first.weather.kind"
    assert document.position(("boats", "first", "sails")).endswith(":4:11")
    assert document.text == GOOD


def test_an_override_reaches_below_bare_names_and_below_what_is_not_there(tmp_path: Path) -> None:
    text = "name: trip\nboats: {first: {weather: windy}, second: {}}\nweathers: [calm, windy]\n"
    sets = ("boats.first.weather.speed_db=7", "boats.second.weather.kind=windy", "boats.second.weather.calm=1")
    document = read(tmp_path, text, *sets, "weathers[1].speed_db=8", model=Trip)
    trip = validate(document, Trip)
    assert [boat.weather for boat in trip.boats.values()] == [Windy(speed_db=7), Windy(calm=1)]
    assert trip.weathers == (Calm(), Windy(speed_db=8))
    assert validate(read(tmp_path, document.resolved(), model=Trip), Trip) == trip
    assert document.position(("weathers", 1, "windy", "speed_db")) == "--set weathers.1.speed_db"
    assert document.position(("boats", "first", "weather", "windy", "speed_db")) == "--set boats.first.weather.speed_db"
    assert document.position(("boats", "first", "weather", "windy", "kind")).endswith(":2:17")


def test_an_override_replaces_nothing_by_a_mapping(tmp_path: Path) -> None:
    assert read(tmp_path, "a:\nb: 1", "a.b.c={d: [1]}").data == {"a": {"b": {"c": {"d": [1]}}}, "b": 1}
    assert read(tmp_path, "a: 1", "a=").data == {"a": None}


def test_mistakes_in_an_override_come_last_and_name_it(tmp_path: Path) -> None:
    assert complaints(tmp_path, GOOD.replace("sails: 2", "sails: 0"), "name=A", "boats.new={sail: 1}") == [
        "trip.yaml:4:11: boats.first.sails: must be at least 1, got 0",
        "--set boats.new: boats.new.sail: unknown key; use sails, length, weather, mood, is_fast; "
        "did you mean 'sails'?",
        "--set name: must be text that matches ^[a-z]+$, got 'A'",
    ]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("wind", "--set must be key.path=value, such as --set link.antennas=2, got 'wind'"),
        ("=3", "--set must be key.path=value"),
        ("a..b=3", "--set must be key.path=value"),
        ("a" + ".a" * 1200 + "=3", "--set must name a key at most 24 deep, got 'a.a."),
        ("wind=[1", "--set wind: not valid YAML: expected ',' or ']'"),
        ("wind=a: b: c", "--set wind: not valid YAML: mapping values are not allowed"),
        ("wind=&a 1", "--set wind: anchors are not allowed"),
        ("wind=nan", "--set wind: must be a finite number, got nan"),
        ("wind={a: 1, a: 2}", "--set wind: a: must be given once"),
        ("name.first=a", "--set name.first: name must be a mapping to hold 'first', got 'trip'"),
        ("wind.2=1", "--set wind.2: wind is a list of 2 entries, counted from 0; '2' is none of them"),
        ("wind.x=1", "--set wind.x: wind is a list of 2 entries"),
        ("wind.-1=1", "--set wind.-1: wind is a list of 2 entries"),
    ],
)
def test_a_malformed_override_is_refused(tmp_path: Path, override: str, message: str) -> None:
    (found,) = complaints(tmp_path, "name: trip\nwind: [0, 1]", override)
    assert found.startswith(message)


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalars = (
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False) | text
)
values = st.recursive(
    scalars
    | st.sampled_from(["nan", "-.inf", "2026-01-01", "<<", "=", "1e3", "off", "null", "#", "*a", " a ", "\x85"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)


def same(first: object, second: object) -> bool:
    """Equal, with types and the order of keys."""
    return repr(first) == repr(second)


@given(st.dictionaries(text, values, min_size=1, max_size=3))
@example(
    {"a": "a\x85b\u2028c\ufeff", "b": {}, "": [[], {}], "nan": "\x00\x1b\x7f", "c": 1e300, "d": -0.0, "e": "\U0001f600"}
)
def test_resolved_text_reads_back_as_the_same_data(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("round")
    document = read(folder, "# Why?\na: 1", "a=1")
    document.data.clear()
    document.data.update(data)
    again = read(folder, document.resolved())
    assert same(again.data, data) and again.question == "Why?"


@given(
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3),
    st.none() | st.booleans() | st.integers(0, 1000) | st.lists(st.sampled_from(["x", ""])),
)
def test_what_is_set_is_there_and_the_rest_is_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str], value: object
) -> None:
    folder, text, path = tmp_path_factory.mktemp("set"), "a: {a: {a: 1}, x: 2}\ny: 3", ".".join(parts)
    document = read(folder, text, f"{path}={json.dumps(value)}")
    node: Any = document.data
    for part in parts:
        node = node[part]
    assert node == value and document.data["y"] == 3
    assert parts == ["a"] or document.data["a"]["x"] == 2
    assert document.position(tuple(parts)) == f"--set {path}"
