"""Identities: pinned for one scenario, blind to names, and changed by everything that can change a number.

`SEMCOM_REWRITE_GOLDEN=1 pytest tests/semcom/experiment/test_identity.py` writes the golden file anew, which says
that every finished run of every user is to be done again.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import Gaussian, InterferenceRejecting, NoCsi, PerBlock, PerSymbol, Rayleigh, Rician, ZeroForcing
from semcom import identity as module
from semcom.distillation.catalog import METHODS
from semcom.distillation.sight import fitting
from semcom.identity import canonical, identity
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.scenario import expand as expanding
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.scenario.plans import MeasurePlan
from semcom.scenario.scenario import Scenario
from semcom.scenario.work import Sweep
from semcom.training.settings import TrainingSettings

GOLDEN = Path(__file__).resolve().parents[1] / "golden"

OTHER_TRAINING = {
    "steps": 7, "batch": 17, "learning_rate": 2e-3, "warmup": 3, "weight_decay": 0.02, "clip": 0.5, "share": 0.5,
    "snr_db": (0.0, 13.0), "interferers": (0, 2), "level_db": (-6.0, 0.0), "fading": Rayleigh(),
    "coherence": PerSymbol(), "interference": Gaussian(), "csi": NoCsi(), "equalizer": ZeroForcing(), "antennas": 2,
    "validate_every": 5, "precision": "bf16", "devices": 2, "own_share": True, "airs": 4,
}  # fmt: skip
OTHER_SPEC = {
    "symbols_per_token": 3, "decoding": "autoregressive", "tied": False, "norm": "post", "dropout": 0.1,
    "transmitter": {"width": 48}, "receiver": {"layers": 3},
}  # fmt: skip
SHARES = {"forced", "forced_at_end"}
OTHER_SIDE = {"width": 64, "layers": 2, "heads": 4, "feedforward": 65, "channel_hidden": 33}
OTHER_LINK = {
    "fading": "{kind: rayleigh}", "coherence": "{kind: symbol}", "interference": "{kind: qam}", "csi": "{kind: none}",
    "equalizer": "{kind: zero_forcing}", "antennas": 2, "crowd": "[small, big]", "scrambling": "true",
}  # fmt: skip
OTHER_MEASURE = {
    "metrics": "[bleu_1]", "sentences": 19, "skip": 1, "repeats": 2, "beam": 2, "batch": 9, "resamples": 101,
    "compare": "[[small, big]]", "gap": "[[small, plain, big]]", "users": "all", "similarity": "{pooling: mean}",
    "bleu_tokenize": "char", "search": "{beam: 3}", "confidence": "true", "corpus": "{source: docstrings}",
}  # fmt: skip


@pytest.fixture
def tiny(tiny_yaml):
    """Hand out `tiny("seed=4")`: the tiny scenario with changes."""
    return lambda *changes: load_scenario(tiny_yaml, changes)[0]


def builds(scenario: Scenario) -> dict[str, str]:
    return {build.name: build.identity for build in expand(scenario).builds}


def runs(scenario: Scenario) -> list[str]:
    return [run.identity for run in expand(scenario).runs]


# One scenario, pinned


def in_words(sweep: Sweep) -> dict[str, object]:
    return {
        "builds": {build.name: build.identity for build in sweep.builds},
        "runs": [
            f"{run.build.name} at {run.link.snr_db:g} dB with {run.link.interferers}: {run.identity}"
            for run in sweep.runs
        ],
    }


def test_the_identities_of_one_scenario_are_pinned() -> None:
    found = in_words(expand(load_scenario(GOLDEN / "crowd.yaml", (f"corpus.path={GOLDEN / 'sentences.txt'}",))[0]))
    path = GOLDEN / "identities.json"
    if os.environ.get("SEMCOM_REWRITE_GOLDEN"):
        path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    assert path.is_file(), f"{path} is missing; a golden file is never made by the way"
    assert found == json.loads(path.read_text(encoding="utf-8"))


# What may change nothing


@pytest.mark.parametrize(
    "changes",
    [
        ("name=other",),
        ("question=Why?",),
        ("threads=2",),
        ("sweep.codec=[small, big]",),
        ("sweep.codec=[big, plain, small]",),
        ("codecs.new={size: teacher}",),
        ("measure.compare=[[small, big]]",),
        ("measure.gap=[]",),
        ("measure.skip=0",),
        ("measure.bleu_tokenize=null",),
        ("measure.similarity={pooling: mean}",),
        ("overlay=[deepsc_code_awgn]",),
        ("sweep.snr_db=[0, 6, 12, 18]",),
        ("sweep.snr_db={start: 0.0, stop: 12.0, step: 6}",),
        ("training.learning_rate=3.0e-3",),
        ("sweep.interferers={start: 0, stop: 2, step: 2}",),
    ],
    ids=lambda changes: changes[0].partition("=")[0],
)
def test_what_cannot_change_a_number_changes_no_identity(tiny, changes: tuple[str, ...]) -> None:
    before, after = tiny(), tiny(*changes)
    assert builds(before).items() <= builds(after).items()
    assert set(runs(before)) <= set(runs(after))


def test_other_weights_under_one_name_are_another_measurement(tiny, tmp_path) -> None:
    """An encoder in a folder, shaped like a model's; its rows must not be taken for those of what lay there before."""
    (tmp_path / "encoder" / "1_Pooling").mkdir(parents=True)
    modules = [
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    (tmp_path / "encoder" / "modules.json").write_text(json.dumps(modules))
    change = ("measure.metrics=[similarity]", f"measure.similarity={{model: {tmp_path / 'encoder'}}}")
    found = []
    for weights, pooling in (
        (b"numbers", "mean_tokens"),
        (b"numbers", "mean_tokens"),
        (b"others", "mean_tokens"),
        (b"numbers", "cls_token"),
    ):
        (tmp_path / "encoder" / "model.safetensors").write_bytes(weights)
        (tmp_path / "encoder" / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{pooling}": True}))
        found.append(runs(tiny(*change)))
    assert found[0] == found[1]
    assert not set(found[1]) & set(found[2])
    assert not set(found[1]) & set(found[3]), "settings of a model are part of it"


def test_a_folder_called_as_the_bundled_encoder_is_does_not_take_its_place(tiny, tmp_path, monkeypatch) -> None:
    before = runs(tiny("measure.metrics=[similarity]"))
    (tmp_path / "bundled").mkdir()
    monkeypatch.chdir(tmp_path)
    assert runs(tiny("measure.metrics=[similarity]")) == before


def test_only_estimates_that_came_to_be_drawn_otherwise_are_other_ones(tiny, monkeypatch) -> None:
    """Of a wanted user that does not fade, where a gain lasts less than a sentence."""

    def moved(*changes: str) -> bool:
        noisy = tiny("link.csi={kind: noisy}", *changes)
        with monkeypatch.context() as patch:
            patch.setattr(expanding, "ESTIMATES", 99)
            other = runs(noisy)
        return runs(noisy) != other

    assert moved("link.coherence={kind: symbol}") and moved("link.coherence={kind: block}")
    assert not moved() and not moved("link.coherence={kind: symbol}", "link.fading={kind: rayleigh}")


def test_comments_and_order_and_the_place_of_the_files_change_nothing(tiny_yaml, tmp_path) -> None:
    scenario, text = load_scenario(tiny_yaml)
    moved = tmp_path / "moved.txt"
    moved.write_bytes(Path(scenario.corpus.path).read_bytes())
    head, *lines = text.replace(scenario.corpus.path, str(moved)).splitlines()
    lines = [line for line in lines if not line.startswith("seed")] + ["seed: 3   # the same, at another place"]
    path = tmp_path / "other.yaml"
    path.write_text("\n".join([head, "# a remark", *lines]) + "\n")
    again = load_scenario(path)[0]
    assert again != scenario
    assert (builds(again), runs(again)) == (builds(scenario), runs(scenario))


def test_a_codec_by_another_name_is_the_same_codec(tiny_yaml, tmp_path) -> None:
    before = load_scenario(tiny_yaml)[0]
    path = tmp_path / "renamed.yaml"
    path.write_text(tiny_yaml.read_text().replace("big", "huge").replace("small", "little"))
    after = load_scenario(path)[0]
    assert list(builds(after)) == ["huge", "little"]
    assert list(builds(after).values()) == list(builds(before).values())
    assert runs(after) == runs(before)


def test_a_point_without_interferers_knows_nothing_of_them(tiny) -> None:
    alone = tiny("sweep.interferers=0", "measure.metrics=[bleu_1]")
    loud = tiny("sweep.interferers=0", "measure.metrics=[bleu_1]", "link={interference: {kind: qam, level_db: 3}}")
    assert runs(alone) == runs(loud)


# What must change something


def test_every_field_of_training_changes_the_build(tiny) -> None:
    scenario = tiny("sweep.codec=[plain]")
    assert {each.name for each in fields(TrainingSettings)} <= set(OTHER_TRAINING), "name another value for the new one"
    found = [builds(scenario)["plain"]]
    for each in fields(TrainingSettings):
        settings = replace(scenario.training, **{each.name: OTHER_TRAINING[each.name]})
        changed = scenario.model_copy(update={"training": settings})
        assert not set(runs(scenario)) & set(runs(changed)), f"{each.name} must change the runs with the build"
        found.append(builds(changed)["plain"])
    assert len(set(found)) == len(found)


def test_every_field_of_a_codec_changes_its_build_and_no_other(tiny) -> None:
    assert set(OTHER_SPEC) == {each.name for each in fields(SemanticSpec)}, "name another value for the new one"
    assert set(OTHER_SIDE) == {each.name for each in fields(SideSpec)}, "name another value for the new one"
    changes = [{name: value} for name, value in OTHER_SPEC.items()]
    changes += [{side: {name: value}} for side in ("transmitter", "receiver") for name, value in OTHER_SIDE.items()]
    before, found = builds(tiny("sweep.codec=[big, plain]", "codecs.plain={size: tiny}")), set()
    for change in changes:
        after = builds(tiny("sweep.codec=[big, plain]", f"codecs.plain={json.dumps({'size': 'tiny', **change})}"))
        assert after["big"] == before["big"]
        found.add(after["plain"])
    assert len(found - set(before.values())) == len(changes)


@pytest.mark.parametrize(
    "method", [make() for make in METHODS if fitting(make(), SemanticSpec())], ids=lambda method: method.kind
)
def test_every_field_of_a_method_changes_the_student_and_no_other(tiny, method) -> None:
    def taught(**changes: object) -> dict[str, str]:
        typed = {**canonical(method), **changes}
        return builds(tiny(f"codecs.small.distill={json.dumps({'teacher': 'big', 'methods': [typed]})}"))

    before = taught()
    values = {each.name: getattr(method, each.name) for each in fields(method)}
    numbers = {name: value for name, value in values.items() if isinstance(value, int | float)}
    assert numbers, "a method has a weight at least"
    # A switch is turned; a share of the steps or of the messages stays one.
    other = {
        name: not value if isinstance(value, bool) else value + 1 if name not in SHARES else 0.25
        for name, value in numbers.items()
    }
    found = {name: taught(**{name: value}) for name, value in other.items()}
    assert {after["big"] for after in found.values()} == {before["big"]}
    assert len({before["small"], *(after["small"] for after in found.values())}) == 1 + len(numbers)


@pytest.mark.parametrize(
    "change",
    [
        "codecs.small.distill.label_weight=0.5",
        "codecs.small.distill.hears=own",
        "codecs.small.distill.methods=[{kind: symbols}, {kind: soft_logits}]",
        "codecs.small.distill.teacher=plain",
        "codecs.small.start=plain",
        "codecs.small.distill.cleaner_db=6",
        "codecs.small.distill.teacher_interferers=none",
        "codecs.small.distill.above_sinr_db=3",
        "codecs.small.distill.rises_over_db=[0, 6]",
        "codecs.small.distill={teacher: [big, plain], methods: [{kind: soft_logits}]}",
        "codecs.small.draw=2",
        "codecs.small={size: tiny, adopt: {transmitter: big}, distill: {teacher: big, methods: [{kind: soft_logits}]}}",
        "codecs.small.adopt={receiver: plain}",
        "codecs.small.training={steps: 9}",
    ],
)
def test_how_a_student_is_made_changes_it_alone(tiny, change: str) -> None:
    before, after = builds(tiny()), builds(tiny(change))
    assert after["small"] != before["small"]
    assert after["big"] == before["big"] or "teacher" in change


@pytest.mark.parametrize(
    "change",
    [
        *("codecs.big.size=tiny", "codecs.big.training={steps: 9}", "seed=4", "tokenizer={kind: byte_pairs}"),
        *("tokenizer={kind: words, min_count: 2}", "corpus.longest=19", "corpus.shortest=5", "corpus.cleaning=light"),
        "corpus.sentences=500",
    ],
)
def test_whatever_changes_a_teacher_changes_its_student(tiny, change: str) -> None:
    before, after = builds(tiny()), builds(tiny(change))
    assert not set(before.values()) & set(after.values())


def test_the_text_is_part_of_the_identity_and_its_name_is_not(tiny, tmp_path, made_up) -> None:
    path = tmp_path / "text.txt"
    found = set()
    for count in (600, 601):
        path.write_text("\n".join(made_up(count)) + "\n")
        found.add(builds(tiny(f"corpus.path={path}"))["big"])
    assert len(found) == 2
    assert builds(tiny())["big"] in found


def test_every_key_of_the_link_changes_the_runs_and_no_build(tiny) -> None:
    scenario = tiny("sweep.interferers=2")
    # A detector is of cells alone: `test_detectors.py` holds it to the same.
    assert {*OTHER_LINK, "detector"} == set(type(scenario.link).model_fields), "name another value for the new one"
    found = [frozenset(runs(scenario))]
    for key, value in OTHER_LINK.items():
        changed = tiny("sweep.interferers=2", f"link={{{key}: {value}}}")
        assert builds(changed) == builds(scenario)
        found.append(frozenset(runs(changed)))
    assert all(not one & other for number, one in enumerate(found) for other in found[:number])


def test_every_key_of_the_measurement_changes_the_runs_and_no_build(tiny) -> None:
    start = ("measure.metrics=[bleu_1, similarity]",)
    # A gap is between three codecs.
    start = (*start, "sweep.codec=[big, small, plain]")
    scenario = tiny(*start)
    # For limits nothing is measured anew.
    assert {*OTHER_MEASURE, "limits"} == set(MeasurePlan.model_fields), "name another value for the new one"
    found = [frozenset(runs(scenario))]
    for key, value in OTHER_MEASURE.items():
        changed = tiny(*start, f"measure.{key}={value}")
        assert builds(changed) == builds(scenario)
        # What `search` says counts where a receiver knows a language.
        if key not in ("compare", "gap", "search"):
            found.append(frozenset(runs(changed)))
    assert all(not one & other for number, one in enumerate(found) for other in found[:number])


@pytest.mark.parametrize(
    "link",
    [
        *("{fading: {kind: rician, k_factor_db: 4}}", "{coherence: {kind: block, length: 9}}"),
        *("{interference: {kind: tone}}", "{interference: {kind: bursts, duty: 0.5}}"),
        *("{interference: {kind: neighbors, level_db: -7}}", "{interference: {kind: neighbors, level_db: [0, -1]}}"),
        "{interference: {kind: neighbors, fading: {kind: rayleigh}}}",
    ],
)
def test_options_of_the_physics_count(tiny, link: str) -> None:
    assert not set(runs(tiny("sweep.interferers=2"))) & set(runs(tiny("sweep.interferers=2", f"link={link}")))


def test_the_generation_of_the_code_counts(tiny, monkeypatch) -> None:
    before = builds(tiny())
    monkeypatch.setattr(module, "GENERATION", module.GENERATION + 1)
    assert not set(before.values()) & set(builds(tiny()).values())


def test_the_generation_of_gains_counts_where_the_wanted_user_fades_and_nowhere_else(tiny, monkeypatch) -> None:
    fading, others = "{fading: {kind: rayleigh}}", "{interference: {kind: neighbors, fading: {kind: rayleigh}}}"
    steady, tested = tiny(f"link={others}"), tiny(f"link={fading}")
    trained = tiny(f"codecs.big.training={fading}", "sweep.codec=[big, plain]")
    before = [(builds(each), runs(each)) for each in (steady, tested, trained)]
    monkeypatch.setattr(expanding, "GAINS", expanding.GAINS + 1)
    after = [(builds(each), runs(each)) for each in (steady, tested, trained)]
    assert after[0] == before[0]
    assert after[1][0] == before[1][0] and not set(after[1][1]) & set(before[1][1])
    assert after[2][0]["big"] != before[2][0]["big"] and after[2][0]["plain"] == before[2][0]["plain"]


# The hash itself


@dataclass(frozen=True)
class Point:
    """Anything with fields."""

    here: object = None
    there: object = None


numbers = st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.builds(Point, inner, inner)
    ),
)


@given(plain)
def test_canonical_data_is_plain_and_stays_as_it_is(value: object) -> None:
    once = canonical(value)
    json.dumps(once, allow_nan=False)
    assert canonical(once) == once
    assert not any(is_dataclass(each) for each in (once if isinstance(once, list) else [once]))


@given(plain)
def test_equal_values_have_equal_identities(value: object) -> None:
    assert identity(value=value) == identity(value=json.loads(json.dumps(canonical(value))))
    assert len(identity(value=value)) == 16
    assert int(identity(value=value), 16) >= 0


def test_equal_numbers_are_written_alike_and_others_are_not() -> None:
    assert identity(snr=6) == identity(snr=6.0)
    assert identity(levels=(6, 0)) == identity(levels=[6.0, -0.0])
    assert identity(order="a", other="b") == identity(other="b", order="a")
    different = [identity(at=value) for value in (1, True, "1", 1.5, None, [1], {"1": 1}, Point(1))]
    assert len(set(different)) == len(different)
    assert identity(at=Rician()) != identity(at=PerBlock())


def test_what_no_json_can_hold_is_refused() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON"):
            identity(value=value)
    assert identity(rejecting=InterferenceRejecting()) == identity(rejecting=InterferenceRejecting())
