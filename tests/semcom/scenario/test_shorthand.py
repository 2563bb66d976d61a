"""Shorthand: bare names and mappings without a kind give the very scenario that the long form gives."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from channels import Neighbors, NoisyCsi, PerBlock, Qam, Rayleigh, Rician
from semcom.distillation.soft_logits import SoftLogits
from semcom.distillation.symbols import Symbols
from semcom.scenario.document import ScenarioError
from semcom.scenario.expand import expand
from semcom.scenario.forms import nodes_at
from semcom.scenario.inventory import VARIANTS
from semcom.scenario.load import load_scenario, names, shipped
from semcom.scenario.plans import LinkPlan
from semcom.scenario.scenario import Scenario
from semcom.scenario.shorthand import in_full
from semcom.training.settings import TrainingSettings

SCHEMA = Scenario.model_json_schema()
BASE = {
    "name": "t",
    "question": "Why?",
    "codecs": {"one": {"size": "tiny"}, "two": {"distill": {"teacher": "one"}}},
    "sweep": {"codec": ["one"]},
}


@pytest.fixture
def tiny(tiny_yaml):
    """Hand out `tiny("seed=4")`: the tiny scenario with changes."""
    return lambda *changes: load_scenario(tiny_yaml, changes)[0]


def at(path: str, value: Any) -> dict[str, Any]:
    """The mapping that holds a value under a dotted path."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def told(path: str, value: Any) -> dict[str, Any]:
    """The same in full: a codec that tells no size is one of text."""
    made = at(path, value)
    codecs = made.get("codecs", {})
    return made | (
        {"codecs": {name: {"kind": "semantic", **codec} for name, codec in codecs.items()}} if codecs else {}
    )


# Every place that takes one variant, with the variants it takes, and every place that takes a list of them.
ONE = {
    **{f"link.{key}": key for key in ("fading", "coherence", "interference", "csi")},
    **{f"training.{key}": key for key in ("fading", "coherence", "interference", "csi")},
    **{f"codecs.two.training.{key}": key for key in ("fading", "coherence", "interference", "csi")},
    **{f"{where}.equalizer": "equalizers" for where in ("link", "training", "codecs.two.training")},
    "corpus": "corpora",
    "tokenizer": "tokenizers",
}
SEVERAL = {
    "sweep.fading": "fading",
    "sweep.interference": "interference",
    "sweep.csi": "csi",
    "sweep.equalizer": "equalizers",
    "codecs.two.distill.methods": "methods",
}


def kinds(catalog: str) -> list[tuple[str, str]]:
    """The key that tells the variants apart, with the name of each."""
    told = [{each.name: each.default for each in fields(variant)} for variant in VARIANTS[catalog]]
    return [(key, str(each[key])) for each in told for key in ("kind", "source") if key in each]


@pytest.mark.parametrize("path", ONE)
def test_a_bare_name_is_the_variant_of_that_name_wherever_one_is_taken(path: str) -> None:
    for key, name in kinds(ONE[path]):
        assert in_full(at(path, name), SCHEMA) == told(path, {key: name})


@pytest.mark.parametrize("path", SEVERAL)
def test_a_bare_name_is_a_variant_in_lists_too(path: str) -> None:
    listed = kinds(SEVERAL[path])
    bare = [name for _, name in listed]
    assert in_full(at(path, bare), SCHEMA) == told(path, [{key: name} for key, name in listed])


def test_a_variant_within_a_variant_may_be_a_bare_name() -> None:
    full = {"kind": "qam", "fading": {"kind": "rayleigh"}}
    assert in_full(at("link.interference", {"kind": "qam", "fading": "rayleigh"}), SCHEMA) == at(
        "link.interference", full
    )
    assert in_full(at("sweep.interference", [{"kind": "qam", "fading": "rayleigh"}]), SCHEMA) == at(
        "sweep.interference", [full]
    )


@pytest.mark.parametrize("value", ["rayleih", "", 3, None, True, [], ["none"], {"kind": 3}, {"kind": None}, "Rayleigh"])
def test_what_is_no_variant_is_left_for_the_check(value: object) -> None:
    assert in_full(at("link.fading", value), SCHEMA) == at("link.fading", value)


@pytest.mark.parametrize("data", [{}, {"codecs": 3}, {"codecs": {"one": 3}}, told("codecs.one.training", 3)])
@pytest.mark.parametrize("training", [3, None, {"fading": 3}, [], {"fading": None}])
def test_nothing_that_is_typed_breaks_it(data: dict[str, Any], training: object) -> None:
    assert in_full({**data, "training": training}, SCHEMA) == {**data, "training": training}


@pytest.mark.parametrize("path", [path for path in ONE if not path.startswith("codecs")])
def test_a_mapping_without_a_kind_is_of_the_default_kind_and_every_default_is_plain(path: str) -> None:
    (key, _), *_ = kinds(ONE[path])
    *above, last = path.split(".")
    default = nodes_at(SCHEMA, tuple(above))[0]["properties"][last]["default"]
    assert in_full(at(path, {}), SCHEMA) == at(path, {key: default[key]})
    # The kind alone stands for the default, so nothing else of a default may differ from its variant's own.
    (variant,) = (each for each in VARIANTS[ONE[path]] if (key, default[key]) in kinds_of(each))
    assert {each.name: default[each.name] for each in fields(variant)} == {
        each.name: each.default for each in fields(variant)
    }


def kinds_of(variant: type) -> list[tuple[str, Any]]:
    """The names and defaults of a variant's fields."""
    return [(each.name, each.default) for each in fields(variant)]


@pytest.mark.parametrize("path", ["sweep.fading", "sweep.interference"])
def test_in_a_list_a_mapping_without_a_kind_stays_without(path: str) -> None:
    assert in_full(at(path, [{"level_db": 3}]), SCHEMA) == at(path, [{"level_db": 3}])
    assert in_full(at("link.interference", {"fading": {"m": 3}}), SCHEMA)["link"]["interference"]["fading"] == {"m": 3}


# What --set changes


@pytest.mark.parametrize(
    ("sets", "path", "expected"),
    [
        (("link.interference.level_db=-6",), "link.interference", Neighbors(level_db=-6.0)),
        (("link.interference.fading=rayleigh",), "link.interference", Neighbors(fading=Rayleigh())),
        (("link.interference=qam", "link.interference.order=16"), "link.interference", Qam(order=16)),
        (("link.interference.order=16", "link.interference.kind=qam"), "link.interference", Qam(order=16)),
        (("link.fading=rayleigh",), "link.fading", Rayleigh()),
        (("link.fading={kind: rician}", "link.fading.k_factor_db=9"), "link.fading", Rician(k_factor_db=9.0)),
        (("link.csi=noisy", "link.csi.pilots=7"), "link.csi", NoisyCsi(pilots=7)),
        (("link.coherence=block", "link.coherence.length=4"), "link.coherence", PerBlock(length=4)),
        (("training.interference.level_db=[-6, 0]",), "training.interference", Neighbors(level_db=(-6.0, 0.0))),
        (("training.fading=rician", "training.fading.k_factor_db=3"), "training.fading", Rician(k_factor_db=3.0)),
        (("tokenizer.vocabulary=300",), "tokenizer.vocabulary", 300),
        (("corpus.longest=15",), "corpus.longest", 15),
        (("measure.similarity.pooling=mean",), "measure.similarity.pooling", "mean"),
        (("sweep.fading=[none, rician]", "sweep.fading.1.k_factor_db=5"), "sweep.fading.1", Rician(k_factor_db=5.0)),
    ],
)
def test_set_changes_one_field_of_what_stands_there(tiny, sets: tuple[str, ...], path: str, expected: object) -> None:
    value: Any = tiny(*sets)
    for part in path.split("."):
        value = value[int(part)] if part.isdecimal() else getattr(value, part)
    assert value == expected


def test_set_reaches_below_methods_by_their_number(tiny) -> None:
    where = "codecs.small.distill.methods"
    methods = tiny(f"{where}=[soft_logits, symbols]", f"{where}.0.temperature=7").codecs["small"].distill.methods
    assert methods == (SoftLogits(temperature=7.0), Symbols())


def test_the_training_of_a_codec_changes_what_the_scenario_trains_with(tiny) -> None:
    base = "training.interference={kind: qam, order: 16, level_db: -6}"
    one = "codecs.small.training.interference.level_db=-3"
    # Whichever is typed first, the codec's change is one of what the training ends up as.
    for sets in ((base, one), (one, base)):
        assert tiny(*sets).resolved("small").training.interference == Qam(order=16, level_db=-3.0)
    assert tiny(one).resolved("small").training.interference == Neighbors(level_db=-3.0)
    # A kind of its own is a variant of its own.
    own = tiny(base, "codecs.small.training.interference={kind: qam, level_db: -3}")
    assert own.resolved("small").training.interference == Qam(level_db=-3.0)


def test_a_key_of_another_kind_says_which_kind_has_it(tiny) -> None:
    for change, message in {
        "link.fading.k_factor_db=9": "link.fading.k_factor_db: unknown key where kind is none; write kind: rician",
        "link.interference.order=4": "where kind is neighbors; write kind: qam, which has it",
        "link.interference.duty=0.5": "where kind is neighbors; write kind: bursts, which has it",
        "training.csi.pilots=4": "where kind is perfect; write kind: noisy, which has it",
        "sweep.fading=[{k_factor_db: 3}]": r"sweep.fading\[0\].kind: must be .* nothing; add kind: rician, to go with",
        "codecs.small.training.fading.m=3": "unknown key where kind is none; write kind: nakagami",
    }.items():
        with pytest.raises(ScenarioError, match=message):
            tiny(change)


# Nothing else changes


def test_bare_names_and_the_long_form_are_one_scenario_and_one_identity(tiny) -> None:
    where = "codecs.small.distill.methods"
    short = tiny(
        *("tokenizer=words", "link.equalizer=zero_forcing", "link.csi=noisy", "training.fading=rayleigh"),
        *("sweep.fading=[none, rayleigh]", f"{where}=[soft_logits, symbols]", "link.interference.level_db=-3"),
    )
    long = tiny(
        *("tokenizer={kind: words}", "link.equalizer={kind: zero_forcing}", "link.csi={kind: noisy}"),
        *("training.fading={kind: rayleigh}", "sweep.fading=[{kind: none}, {kind: rayleigh}]"),
        *(f"{where}=[{{kind: soft_logits}}, {{kind: symbols}}]", "link.interference={kind: neighbors, level_db: -3}"),
    )
    assert short == long
    assert expand(short) == expand(long)


def test_what_set_changed_reads_back_from_the_text_that_is_kept(tiny_yaml, tmp_path) -> None:
    scenario, text = load_scenario(
        tiny_yaml, ("link.fading=rayleigh", "codecs.big.training.csi=noisy", "corpus.longest=9")
    )
    path = tmp_path / "again.yaml"
    path.write_text(text, encoding="utf-8")
    assert load_scenario(path) == (scenario, text)


@pytest.mark.parametrize("name", names())
def test_shipped_scenarios_are_in_full_as_they_stand(name: str) -> None:
    from semcom.scenario.document import read_document

    data = read_document(shipped() / f"{name}.yaml").data
    assert in_full(data, SCHEMA) == data


def test_the_schema_takes_both_forms_and_no_misspelt_one() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    allows = jsonschema.Draft202012Validator(SCHEMA).is_valid
    assert allows(BASE | {"sweep": {"codec": ["one"]}, "codecs": {"one": {}}})
    for path, catalog in ONE.items():
        for key, name in kinds(catalog):
            if name != "file":  # which needs a path
                own = {"codecs": {"two": {}}, "sweep": {"codec": ["two"]}, "name": "t", "question": "Why?"}
                assert allows(own | at(path, {key: name}))
                assert allows(own | at(path, name))
            assert not allows(own | at(path, f"{name}x"))
    assert allows(BASE | {"codecs": {"one": {}}, "link": {"interference": {"level_db": -6}}})
    assert not allows(BASE | {"codecs": {"one": {}}, "link": {"interference": {"level": -6}}})


def test_defaults_in_code_are_those_that_the_schema_tells() -> None:
    assert LinkPlan() == LinkPlan.model_validate(in_full({"link": {"interference": {}}}, SCHEMA)["link"])
    assert TrainingSettings().interference == Neighbors()
