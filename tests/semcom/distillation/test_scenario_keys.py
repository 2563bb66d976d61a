"""The distiller's options as a scenario writes them: they reach the training, and one seed gives one codec."""

import csv
from pathlib import Path

import pytest
import torch

from channels import Chance
from semcom.distillation.catalog import METHODS
from semcom.distillation.method import needs_teacher
from semcom.distillation.sight import fitting, settled
from semcom.experiment import build as building
from semcom.experiment.build import load_codec
from semcom.mistakes import UserMistake
from semcom.models.recognizer_spec import RECOGNIZER_SIZES
from semcom.models.semantic_spec import SemanticSpec
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.scenario.work import Build

TAUGHT = (
    "codecs.small.distill={teacher: big, methods: [{kind: hidden_hints, side: decoder}, {kind: components}], "
    "hears: own, cleaner_db: 6, teacher_interferers: none, above_sinr_db: 1}"
)
SHORT = ("training.steps=3", "sweep.codec=[small]", "sweep.snr_db=6", "sweep.interferers=0")


def test_every_option_reaches_the_distiller_and_adapters_begin_with_the_seed(
    carry_out, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    class Spy(building.Distiller):
        """A distiller that is remembered, with its adapters as they began."""

        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            made.append((self.teaching, options, [each.detach().clone() for each in self.adapters.parameters()]))

    monkeypatch.setattr(building, "Distiller", Spy)
    for number, seed in enumerate((3, 3, 4)):
        torch.rand(number + 1)  # torch's own generator stands elsewhere each time
        assert carry_out(tmp_path / str(number), TAUGHT, f"seed={seed}", *SHORT).failures == 0
    (teaching, options, one), (_, _, again), (_, _, other) = made
    assert options.pop("seed") > 0 and not options
    asked = {
        "label_weight": 1.0, "hears": "own", "cleaner_db": 6.0, "teacher_interferers": "none", "above_sinr_db": 1.0,
        "rises_over_db": None,
    }  # fmt: skip
    assert {name: getattr(teaching, name) for name in asked} == asked
    assert len(one) == 8, "weights and biases: a hint, and three parts of another width"
    assert all(torch.equal(*pair) for pair in zip(one, again, strict=True))
    assert not any(torch.equal(*pair) for pair in zip(one, other, strict=True))
    first, second = ((tmp_path / name / "results.csv").read_bytes() for name in "01")
    assert first == second


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("codecs.small.distill.cleaner_db=-1", "must be at least 0"),
        ("codecs.small.distill.cleaner_db=200", "must be at most 100"),
        ("codecs.small.distill.teacher_interferers=some", "'same' or 'none'"),
        ("codecs.small.distill.above_sinr_db=.inf", "finite"),
        ("codecs.small.distill.methods=[{kind: relations, distance: 0, angle: 0}]", "distance and angle"),
        ("codecs.small.distill.methods=[{kind: soft_logits, trust: sometimes}]", "'all', 'confident' or 'right'"),
        ("codecs.small.distill.methods=[{kind: hidden_hints, side: left}]", "'encoder', 'decoder' or 'both'"),
        ("codecs.small.adopt={transmitter: big}", "method symbols must teach something"),
        (
            "codecs.small={size: tiny, adopt: {receiver: big}, distill: {teacher: big, methods: "
            "[{kind: soft_logits}]}}",
            "method soft_logits must teach something, got a student whose receiver is its teacher's",
        ),
        ("codecs.small.distill.rises_over_db=[6, 6]", "two SINRs at least 0.01 dB apart, got 6 and 6"),
        (
            "codecs.small.distill={teacher: big, methods: [{kind: symbols}], above_sinr_db: 1, rises_over_db: [0, 6]}",
            "rises_over_db must be the only rule, got above_sinr_db: 1 beside it",
        ),
        (
            "codecs.small.distill.above_sinr_db=20",
            r"distill\.above_sinr_db must leave some air .* its best of 12\.0 dB",
        ),
        ("codecs.small.distill.rises_over_db=[18, 30]", r"distill\.rises_over_db must leave some air"),
        (
            "codecs.small={size: tiny, training: {airs: 4}, distill: {teacher: big, methods: [{kind: soft_logits}], "
            "above_sinr_db: 3}}",
            r"distill\.above_sinr_db must have one air a step to go by, got training\.airs of 4",
        ),
        ("codecs.small.distill.teacher=[]", "must have 1 or more entries, got 0"),
        ("codecs.small.distill.teacher=[big, 3]", "must be text, got 3"),
        (
            "codecs.small.distill={teacher: [big, big], methods: [{kind: soft_logits}]}",
            "teacher names a codec twice: big, big",
        ),
        (
            "codecs.small.distill={teacher: [big, huge], methods: [{kind: soft_logits}]}",
            "names 'huge', which is none of the codecs",
        ),
        (
            "codecs.small.distill={teacher: [big, small], methods: [{kind: soft_logits}]}",
            "codecs.small is built from itself",
        ),
        ("codecs.small.distill.teacher=[big, plain]", "teacher must be a single one for method symbols"),
        ("codecs.small.draw=0", "must be at least 1, got 0"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_any_training(tiny_yaml: Path, change: str, message: str) -> None:
    with pytest.raises(UserMistake, match=message):
        load_scenario(tiny_yaml, (change,))


@pytest.mark.parametrize(
    ("air", "rule", "is_heard"),
    [
        ("{snr_db: [0, 2]}", "above_sinr_db: 2", True),
        ("{snr_db: [0, 2], interferers: [0, 2]}", "above_sinr_db: 2", True),
        ("{snr_db: [0, 12], interferers: 2}", "above_sinr_db: 6", False),
        ("{snr_db: [0, 12], interferers: 2, level_db: [-20, 0]}", "above_sinr_db: 6", True),
        ("{snr_db: 12, interferers: 0}", "rises_over_db: [6, 0]", False),
        ("{snr_db: 12, interferers: [0, 1]}", "rises_over_db: [6, 0]", True),
        ("{snr_db: [-6, 12], interferers: 0}", "rises_over_db: [-3, -9]", True),
    ],
)
def test_a_rule_must_be_reached_in_some_air_of_the_training(
    tiny_yaml: Path, air: str, rule: str, is_heard: bool
) -> None:
    small = f"codecs.small.distill={{teacher: big, methods: [{{kind: soft_logits}}], {rule}}}"
    # The teacher and its control keep their own air.
    own = (f"codecs.small.training={air}", small)
    if is_heard:
        load_scenario(tiny_yaml, own)
        return
    with pytest.raises(UserMistake, match="must leave some air of the training in which methods count, got none from"):
        load_scenario(tiny_yaml, own)


@pytest.mark.parametrize("kind", [make().kind for make in METHODS if fitting(make(), SemanticSpec())])
def test_every_method_can_be_typed(tiny_yaml: Path, kind: str) -> None:
    scenario, _ = load_scenario(tiny_yaml, (f"codecs.small.distill.methods=[{{kind: {kind}, weight: 0.3}}]",))
    assert [method.kind for method in scenario.codecs["small"].distill.methods] == [kind]
    assert scenario.codecs["small"].distill.methods[0].weight == 0.3


# Several teachers, and several draws of one codec

OTHER = "codecs.other={size: student_quarter, symbols_per_token: 2, draw: 2}"
BOTH = "codecs.small.distill={teacher: [big, other], methods: [{kind: soft_logits}]}"


def builds(path: Path, *changes: str) -> dict[str, Build]:
    return {build.name: build for build in expand(load_scenario(path, changes)[0]).builds}


def test_a_list_of_one_teacher_is_that_teacher(tiny_yaml: Path) -> None:
    assert builds(tiny_yaml, "codecs.small.distill.teacher=[big]") == builds(tiny_yaml)


def test_several_teachers_are_built_before_their_student_and_part_of_it(tiny_yaml: Path) -> None:
    one, both = builds(tiny_yaml, OTHER), builds(tiny_yaml, OTHER, BOTH)
    assert list(both) == ["big", "other", "small"]
    assert both["small"].needs == both["small"].lesson.teacher == (both["big"].identity, both["other"].identity)
    assert both["small"].method == "soft_logits, 2 teachers"
    assert both["small"].identity != one["small"].identity
    assert both["big"] == one["big"]
    turned = builds(tiny_yaml, OTHER, BOTH.replace("[big, other]", "[other, big]"))
    assert turned["small"].identity != both["small"].identity
    sweep = expand(load_scenario(tiny_yaml, (OTHER, BOTH, "sweep.codec=[big, other, small]"))[0])
    roles = {run.build.name: run.role for run in sweep.runs}
    assert roles == {"big": "teacher", "other": "teacher", "small": "student"}


def test_teachers_made_alike_are_refused(tiny_yaml: Path) -> None:
    with pytest.raises(UserMistake, match=r"must name codecs that differ, got 'big' and 'other', .* such as draw: 2"):
        load_scenario(tiny_yaml, (OTHER.replace("draw: 2", "draw: 1"), BOTH))
    spelt_out = OTHER.replace("draw: 2", "decoding: parallel, training: {batch: 8}")
    with pytest.raises(UserMistake, match="made alike to the bit"):
        load_scenario(tiny_yaml, (spelt_out, BOTH, "training.batch=8"))
    with pytest.raises(UserMistake, match="got 3 of 'other' and 2; give both the same symbols_per_token"):
        load_scenario(tiny_yaml, (OTHER.replace("token: 2", "token: 3"), BOTH))


def test_a_draw_moves_a_codec_and_its_students_and_the_first_is_as_ever(tiny_yaml: Path) -> None:
    plain = builds(tiny_yaml)
    assert builds(tiny_yaml, "codecs.big.draw=1", "codecs.small.draw=1") == plain
    student, teacher = builds(tiny_yaml, "codecs.small.draw=2"), builds(tiny_yaml, "codecs.big.draw=2")
    assert student["big"] == plain["big"]
    assert len({each["small"].identity for each in (plain, student, teacher)}) == 3
    assert teacher["big"].identity != plain["big"].identity
    chances = [each["big"].chance for each in (plain, teacher, builds(tiny_yaml, "seed=4", "codecs.big.draw=2"))]
    assert chances[0] == Chance(3)
    assert len({chance.of("training").integer() for chance in chances}) == 3


def test_a_draw_is_other_weights_in_the_same_measured_air(carry_out, tmp_path: Path) -> None:
    changes = (OTHER, BOTH, "sweep.codec=[big, other, small]", "training.steps=3", "sweep.snr_db=6", "threads=1")
    assert carry_out(tmp_path / "run", *changes).failures == 0
    found = builds(tmp_path / "run" / "scenario.yaml")
    weights = [load_codec(found[name], tmp_path / "run").transmitter.embedding.weight for name in ("big", "other")]
    assert weights[0].shape == weights[1].shape
    assert not torch.equal(*weights)
    with (tmp_path / "run" / "results.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["metric"] == "bleu_1"]
    met = {name: {row["measured_sinr_db"] for row in rows if row["codec"] == name} for name in ("big", "other")}
    assert len(met["big"]) == len(met["other"]) > 0
    assert {row["method"] for row in rows if row["codec"] == "small"} == {"soft_logits, 2 teachers"}


def test_the_rise_and_the_teachers_reach_the_distiller(
    carry_out, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    class Spy(building.Distiller):
        """A distiller that is remembered."""

        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            made.append(self)

    monkeypatch.setattr(building, "Distiller", Spy)
    rising = BOTH.replace("methods:", "rises_over_db: [12, 0], methods:")
    assert carry_out(tmp_path / "run", OTHER, rising, *SHORT).failures == 0
    (distiller,) = made
    assert distiller.teaching.rises_over_db == (12.0, 0.0)
    assert len(distiller.teachers) == 2
    assert not torch.equal(*(each.transmitter.embedding.weight for each in distiller.teachers))


@pytest.mark.parametrize(
    "more",
    [
        "hears: own",
        "cleaner_db: 6",
        "teacher_interferers: none",
        "methods: [{kind: symbols}]",
        "teacher: [big, plain]",
    ],
)
def test_an_adopted_receiver_can_be_told_what_it_does_not_hear(tiny_yaml: Path, more: str) -> None:
    lesson = {"teacher": "big", "methods": "[{kind: soft_logits}]"} | dict([more.split(": ", 1)])
    told = ", ".join(f"{key}: {value}" for key, value in lesson.items())
    change = f"codecs.small={{size: tiny, adopt: {{receiver: big}}, distill: {{{told}}}}}"
    assert load_scenario(tiny_yaml, (change,))[0].codecs["small"].distill is not None


def test_another_draw_begins_with_other_adapters(carry_out, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = []

    class Spy(building.Distiller):
        """A distiller that tells its seed."""

        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            seeds.append(options["seed"])

    monkeypatch.setattr(building, "Distiller", Spy)
    again = "codecs.again={size: tiny, symbols_per_token: 2, draw: 2}"
    lesson = "codecs.again.distill={teacher: big, methods: [{kind: hidden_hints}]}"
    other = "codecs.small.distill={teacher: big, methods: [{kind: hidden_hints}]}"
    assert carry_out(tmp_path, again, lesson, other, *SHORT, "sweep.codec=[small, again]").failures == 0
    assert len(set(seeds)) == len(seeds) == 2


# Frames

FRAMES = """\
# Who learns from whom?
name: frames
task: {kind: modulation, source: {source: generated, length: 32, train: 22, validation: 11, test: 11}}
codecs:
  full: {size: iq_resnet8}
  small: {size: iq_tiny, distill: {teacher: full, methods: [METHOD]}}
sweep: {codec: [small], snr_db: 6}
"""


def frames(folder: Path, method: str) -> Path:
    path = folder / "frames.yaml"
    path.write_text(FRAMES.replace("METHOD", method))
    return path


@pytest.mark.parametrize("kind", [make().kind for make in METHODS])
def test_methods_on_frames_are_taken_or_refused_where_they_stand(tmp_path: Path, kind: str) -> None:
    method = next(make() for make in METHODS if make().kind == kind)
    fitted = fitting(method, RECOGNIZER_SIZES["iq_tiny"])
    if settled((method,), RECOGNIZER_SIZES["iq_tiny"]) == (fitted,):
        path = frames(tmp_path, kind)
        if not needs_teacher(method):
            with pytest.raises(UserMistake, match="teacher must be left out where no method needs one, got full; "):
                load_scenario(path)
            path.write_text(path.read_text().replace("teacher: full, ", ""))
        scenario, _ = load_scenario(path)
        assert scenario.codecs["small"].distill.methods == (method,)
        return
    way_out = "set side: decoder" if fitted else "take one of soft_logits, "
    told = rf"frames.yaml:6:\d+: codecs.small.distill.methods: method {kind} must have .*, got 'small', .*; {way_out}"
    path = frames(tmp_path, kind)
    if not needs_teacher(method):
        path.write_text(path.read_text().replace("teacher: full, ", ""))
    with pytest.raises(UserMistake, match=told):
        load_scenario(path)
    if fitted:
        scenario, _ = load_scenario(frames(tmp_path, f"{{kind: {kind}, side: decoder}}"))
        assert scenario.codecs["small"].distill.methods == (fitted,)
