"""Two tasks in one scenario: codecs of text and of pictures, trained, met in one cell and scored each by its own."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from semcom.experiment.conduct import conduct
from semcom.experiment.preview import preview
from semcom.experiment.sending import send_sentence
from semcom.experiment.workers import Means
from semcom.mistakes import UserMistake
from semcom.scenario.document import ScenarioError
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.scenario.neighbor_supply import check_exam
from semcom.scenario.scenario import Scenario
from semcom.store.results import read_csv

SHOWN = "codecs.shown={size: resnet8_tiny, task: {kind: pictures, source: digits}}"
METRICS = "measure.metrics=[bleu_1, accuracy]"
BOTH = (SHOWN, METRICS, "sweep={codec: [big, shown], snr_db: [6], interferers: [0, 1]}", "sweep.crowd=[[big], [shown]]")
NOISE = "sweep.interference=[neighbors, gaussian]"


@pytest.fixture
def tiny(tiny_yaml):
    """Hand out `tiny("seed=4")`: the tiny scenario with changes."""
    return lambda *changes: load_scenario(tiny_yaml, changes)[0]


@pytest.fixture(scope="module")
def both(tiny_yaml, tmp_path_factory) -> tuple[Path, str]:
    """The folder of a finished run of both tasks, and what was said meanwhile."""
    folder = tmp_path_factory.mktemp("both") / "out"
    scenario, text = load_scenario(tiny_yaml, (*BOTH, NOISE))
    said = io.StringIO()
    assert conduct(scenario, text, folder, means=Means(), console=Console(file=said, width=200)) == 0
    return folder, said.getvalue()


def test_each_codec_is_of_its_own_task(tiny) -> None:
    scenario = tiny(*BOTH)
    assert [scenario.goal_of(name).kind for name in ("big", "shown")] == ["text", "pictures"]
    assert [scenario.measure_of(name).metrics for name in ("big", "shown")] == [("bleu_1",), ("accuracy",)]
    # What a task means by keys left out holds for its own codecs, and for no others.
    assert [scenario.resolved(name).training.airs for name in ("big", "shown")] == [None, 16]
    changed = tiny(*BOTH, "training.airs=4", "training.steps=5")
    assert [changed.resolved("shown").training.airs, changed.resolved("big").training.airs] == [4, 4]


def test_which_task_is_the_scenario_s_own_makes_no_difference(tiny, tiny_yaml, tmp_path) -> None:
    """And a codec is trained beside those of another task as it would be without them: it may be borrowed."""
    typed = tiny_yaml.read_text(encoding="utf-8")
    codecs, training = typed.index("codecs:"), typed.index("training:")
    sweep = "sweep: {codec: [big, shown], crowd: [[big], [shown]], snr_db: [6], interferers: [0, 1]}\n"
    rest = typed[training : typed.index("sweep:")] + sweep + typed[typed.index("measure:") :]
    head = "task: {kind: pictures, source: digits}\ncodecs:\n  shown: {size: resnet8_tiny}\n"
    big = "  big: {size: student_quarter, symbols_per_token: 2, task: text}\n"
    reverse, alone = tmp_path / "reverse.yaml", tmp_path / "alone.yaml"
    reverse.write_text(typed[:codecs] + head + big + rest, encoding="utf-8")
    question = typed[: typed.index("corpus:")]
    alone.write_text(question + head + rest.replace("big, ", "").replace("[big], ", ""), encoding="utf-8")

    def identities(scenario: Scenario) -> tuple[set[str], set[str]]:
        sweep = expand(scenario)
        return {build.identity for build in sweep.builds}, {run.identity for run in sweep.runs}

    builds, runs = identities(tiny(*BOTH))
    assert identities(load_scenario(reverse, (METRICS,))[0]) == (builds, runs)
    texts = identities(tiny("measure.metrics=[bleu_1]", "sweep={codec: [big], snr_db: [6], interferers: [0, 1]}"))
    pictures = identities(load_scenario(alone, ("measure.metrics=[accuracy]",))[0])
    assert texts[0] | pictures[0] == builds
    assert texts[1] | pictures[1] < runs
    assert len(runs) == 6


def test_white_noise_is_of_no_crowd(tiny) -> None:
    found = [
        (run.link.interference.kind, run.crowd and run.crowd[0].name)
        for run in expand(tiny(*BOTH, NOISE)).runs
        if run.link.interferers and run.build.name == "big"
    ]
    assert sorted(found, key=str) == [("gaussian", None), ("neighbors", "big"), ("neighbors", "shown")]


def test_both_are_trained_and_scored_each_by_its_own(both) -> None:
    folder, said = both
    rows = [row for row in read_csv(folder / "results.csv") if row.kind == "value"]
    assert {(row.task, row.codec, row.metric) for row in rows} == {
        ("text", "big", "bleu_1"),
        ("pictures", "shown", "accuracy"),
    }
    assert all(row.status == "done" and row.count == 20 for row in rows)
    crowded = [row for row in rows if row.interferers]
    assert {(row.codec, row.crowd, row.interference) for row in crowded} == {
        (codec, crowd, kind)
        for codec in ("big", "shown")
        for crowd, kind in (("big", "neighbors"), ("shown", "neighbors"), ("", "gaussian"))
    }
    assert not [row for row in read_csv(folder / "results.csv") if row.kind == "difference"]
    # A neighbor of the other kind is heard: the powers of its own messages were met, not those of one's own kind.
    met = {(row.codec, row.crowd): row.measured_sinr_db for row in crowded}
    assert len(set(met.values())) == 6
    assert "digits: 1,797 pictures" in said
    assert (folder / "confusion.csv").is_file()
    assert (folder / "examples.json").is_file()


def test_send_says_sentences_among_sentences(both) -> None:
    folder, _ = both
    how = {"snr_db": 6.0, "interferers": 1, "repeats": 1, "seed": 1}
    assert send_sentence(folder, "the cat sees the red house today .", **how).row_count == 1
    with pytest.raises(UserMistake, match="got 'shown' of task pictures"):
        send_sentence(folder, "the cat sees the red house today .", codecs=("shown",), **how)


def test_a_plan_tells_of_both(tiny, tmp_path) -> None:
    plan = preview(tiny(*BOTH), tmp_path / "out")
    told = r"6 points \(6 to measure\), 1 metric each, on 20 of \d+ test sentences; 1 metric each, on 20 of 359"
    assert re.search(told, plan), plan


def test_too_few_pictures_to_last_as_long_as_a_sentence(tiny) -> None:
    scenario = tiny(*BOTH, "codecs.shown.symbols=2")
    text, pictures = scenario.goals_of(("big", "shown"))
    check_exam(scenario, {text: [9, 9, 9], pictures: [1] * 9})
    with pytest.raises(UserMistake, match="other test pictures to take turns from, got enough for 0 in 8 pictures"):
        check_exam(scenario, {text: [9, 9, 9], pictures: [1] * 8})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (("measure.compare=[[big, shown]]",), "measure.compare must name codecs of one task"),
        (("measure.users=all",), "measure.users must be wanted where 'shown', of another task, is in the crowd"),
        (("measure.metrics=[bleu_1]",), "measure.metrics must name one that scores classes, which .* 'shown' says"),
        (("measure.metrics=[bleu_1, accuracy, psnr]",), "measure.metrics must score .* got psnr, which scores pict"),
        (("measure.corpus=docstrings",), "measure.corpus must be left out where pictures are sent"),
        (("languages={counts: ngram}", "codecs.shown.language=counts"), "codecs.shown.language must be of a codec of"),
        (("codecs.small.task={kind: pictures}",), "codecs.small must be made from codecs of its own task, pictures"),
        (
            ("codecs.shown.task=text",),
            "codecs.shown must carry sentences, which task text sends, got a codec of pictures",
        ),
        (("codecs.other={size: resnet8_tiny, start: shown}",), "codecs.other must be made from codecs of its own task"),
    ],
)
def test_what_does_not_go_together_is_refused(tiny, changes: tuple[str, ...], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        tiny(*BOTH, *changes)


def test_paths_of_a_codec_s_own_task_start_beside_the_file(tiny_yaml, tmp_path) -> None:
    (tmp_path / "faces").mkdir()
    path = tmp_path / "both.yaml"
    own = "\n  shown: {size: resnet8_tiny, task: {kind: pictures, source: {kind: folder, path: faces}}}\n"
    path.write_text(tiny_yaml.read_text().replace("codecs:\n", f"codecs:{own}"), encoding="utf-8")
    scenario, text = load_scenario(path)
    assert scenario.codecs["shown"].task.source.path == str(tmp_path / "faces")
    assert str(tmp_path / "faces") in text
