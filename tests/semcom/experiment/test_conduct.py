"""conduct: all that is asked for and nothing twice, failures beside finished work, the same table however it came."""

from __future__ import annotations

import gc
import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from semcom.experiment import build as building
from semcom.experiment import conduct as conducting
from semcom.experiment import run as running
from semcom.mistakes import UserMistake
from semcom.report import drawing
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.sources.sentences import Corpus
from semcom.sources.textfile import TextFile
from semcom.store.folder import RunFolder
from semcom.store.results import Row, read_csv
from semcom.store.store import Store
from semcom.tasks.text_data import load_text

LOST = "codecs.big.training={learning_rate: 1.0e+30}"


@pytest.fixture
def folder(finished, tmp_path) -> Path:
    """A copy of a finished run."""
    return Path(shutil.copytree(finished, tmp_path / "tiny"))


@pytest.fixture
def work(monkeypatch) -> Counter[str]:
    """What is really done: builds by name, and runs as `big at 6 dB with 2`."""
    done: Counter[str] = Counter()
    build, run = building.carry_out_build, running.carry_out_run

    def counted_build(plan, *rest, **options):
        done[plan.name] += 1
        return build(plan, *rest, **options)

    def counted_run(plan, *rest, **options):
        done[f"{plan.build.name} at {plan.link.snr_db:g} dB with {plan.link.interferers}"] += 1
        return run(plan, *rest, **options)

    monkeypatch.setattr(building, "carry_out_build", counted_build)
    monkeypatch.setattr(running, "carry_out_run", counted_run)
    return done


def table(folder: Path) -> list[Row]:
    return read_csv(folder / "results.csv")


def test_a_text_is_looked_through_once_and_held_once(carry_out, tmp_path, monkeypatch) -> None:
    """Before there is a folder, and for the training; a large one twice in memory would be felt."""
    for remembered in (load_text, running.encoded_exam):
        remembered.cache_clear()
    load, note = TextFile.load, conducting._Work._note_build
    loads: list[object] = []
    held: list[int] = []

    def counted(self, *rest):
        loads.append(self)
        return load(self, *rest)

    def looking(self, *rest) -> None:
        note(self, *rest)
        held.append(sum(type(each) is Corpus for each in gc.get_objects()))

    monkeypatch.setattr(TextFile, "load", counted)
    monkeypatch.setattr(conducting._Work, "_note_build", looking)
    assert carry_out(tmp_path / "out").failures == 0
    assert len(loads) == 2 and held == [1, 1]


def test_everything_asked_for_is_done_once(carry_out, tmp_path, work) -> None:
    assert carry_out(tmp_path / "out").failures == 0
    points = [f"{name} at {snr} dB with {count}" for name in ("big", "small") for snr in (0, 6, 12) for count in (0, 2)]
    assert work == Counter(["big", "small", *points])
    rows = [row for row in table(tmp_path / "out") if not row.against]
    assert len(rows) == len(points) * 3
    assert {row.status for row in rows} == {"done"}


def test_fewer_test_sentences_than_asked_for_are_said_to_be_few(carry_out, folder) -> None:
    few = r"measure\.sentences asks for 9999, there are \d+ test\s+sentences"
    assert not re.search(few, carry_out(folder).said)
    said = carry_out(folder, "measure.sentences=9999", "sweep.codec=[small]").said
    assert re.search(few, said)
    # The text had to be read for it, so what became of its lines is told too.
    assert re.search(r"file: [\d,]+ lines read, [\d,]+ kept", said)


def test_a_second_call_does_no_work_and_writes_the_same(carry_out, folder, work) -> None:
    before = (folder / "results.csv").read_bytes()
    said = carry_out(folder).said
    assert not work
    assert "0 of 2 codecs to train, 0 of 12 points to measure" in said
    assert (folder / "results.csv").read_bytes() == before


def test_one_more_snr_computes_that_snr_alone(carry_out, folder, work) -> None:
    before = table(folder)
    said = carry_out(folder, "sweep.snr_db=[0, 6, 12, 15]").said
    assert work == Counter(f"{name} at 15 dB with {count}" for name in ("big", "small") for count in (0, 2))
    assert "0 of 2 codecs to train, 4 of 16 points to measure" in said
    after = table(folder)
    assert [row for row in after if row.snr_db != 15] == before
    assert len([row for row in after if row.snr_db == 15 and not row.against]) == 2 * 2 * 3


def test_one_more_codec_trains_that_codec_alone(carry_out, folder, work) -> None:
    carry_out(folder, "sweep.codec=[big, small, plain]")
    assert {name for name in work if " at " not in name} == {"plain"}
    assert {name.partition(" at ")[0] for name in work} == {"plain"}


def test_a_point_taken_away_is_not_in_the_table_and_not_forgotten(carry_out, folder, work) -> None:
    before = (folder / "results.csv").read_bytes()
    carry_out(folder, "sweep.snr_db=[6]")
    assert {row.snr_db for row in table(folder)} == {6.0}
    carry_out(folder)
    assert not work
    assert (folder / "results.csv").read_bytes() == before


def test_a_changed_student_leaves_its_teacher_alone(carry_out, folder, work) -> None:
    carry_out(folder, "codecs.small.distill.label_weight=0.5")
    assert work["big"] == 0
    assert work["small"] == 1
    assert sum(work.values()) == 1 + 6


def test_weights_that_were_removed_are_made_again_only_if_needed(carry_out, folder, work) -> None:
    shutil.rmtree(folder / "models")
    carry_out(folder)
    assert not work, "all numbers are there"
    carry_out(folder, "sweep.snr_db=[9]", "sweep.codec=[small]")
    assert (work["big"], work["small"]) == (1, 1), "a student needs its teacher again"


def test_names_in_the_table_are_those_of_today(carry_out, folder, tiny_yaml, tmp_path, work) -> None:
    from rich.console import Console

    from semcom.experiment.conduct import conduct
    from semcom.experiment.workers import Means

    renamed = tmp_path / "renamed.yaml"
    renamed.write_text(tiny_yaml.read_text().replace("big", "huge"))
    scenario, text = load_scenario(renamed)
    conduct(scenario, text, folder, means=Means(), console=Console(quiet=True))
    assert not work
    assert {row.codec for row in table(folder)} == {"huge", "small"}
    assert {row.against for row in table(folder)} == {"", "small"}


def test_the_folder_holds_the_scenario_and_how_its_numbers_came_to_be(folder, tiny_yaml) -> None:
    assert load_scenario(folder / "scenario.yaml")[0] == load_scenario(tiny_yaml)[0]
    record = json.loads((folder / "record.json").read_text())
    assert (record["seeds"], record["threads"], record["device"], record["workers"]) == ([3], 1, "cpu", 1)
    assert record["versions"]["torch"]
    assert {build["name"] for build in record["builds"].values()} == {"big", "small"}
    assert all(run["record"]["seconds"] >= 0 and "measured_snr_db" in run["record"] for run in record["runs"].values())
    assert set(record["metrics"]) == {"bleu_1", "bleu_4", "exact_match"}
    # A reader of SQLite keeps two files of its own beside the store.
    names = {path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm"))}
    assert names == {"scenario.yaml", "results.csv", "results.sqlite", "results.sqlite.lock", "record.json"} | {
        "sample.json",
        "costs.csv",
        "models",
        "tokenizers",
    }


def test_stopped_before_its_costs_are_known_a_table_has_nothing_of_another_beside_it(
    carry_out, folder, semcom, finished, monkeypatch
) -> None:
    def stopped(*_, **__):
        raise KeyboardInterrupt

    before = (folder / "results.csv").read_bytes()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(conducting, "time_codecs", stopped)
        # The same names, other costs.
        carry_out(folder, "codecs.small.size=student_quarter")
    assert (folder / "results.csv").read_bytes() != before
    assert not (folder / "record.json").exists() and not (folder / "costs.csv").exists()
    monkeypatch.setattr(drawing, "drawings", lambda *_: iter(()))
    assert semcom("report", folder).code == 0
    assert carry_out(folder).failures == 0
    assert (folder / "results.csv").read_bytes() == (finished / "results.csv").read_bytes()
    assert semcom("report", folder).code == 0 and (folder / "costs.csv").exists()


# Failures


def test_a_codec_that_diverges_fails_alone(carry_out, finished, tmp_path) -> None:
    alone = tmp_path / "alone"
    lost = "codecs.lost={size: tiny, symbols_per_token: 2, training: {learning_rate: 1.0e+30}}"
    carried = carry_out(alone, lost, "sweep.codec=[big, lost, small]")
    assert carried.failures == 1
    assert re.search(r"lost failed: Diverged: training diverged: the loss", carried.said)
    rows = table(alone)
    failed = [row for row in rows if row.codec == "lost"]
    assert {row.status for row in failed} == {"failed"}
    assert {(row.value, row.low, row.high, row.count, row.parameters) for row in failed} == {(None,) * 5}
    assert len(failed) == 6 * 3, "every point has its row all the same"
    others = [row for row in rows if row.codec != "lost" and row.against != "lost"]
    assert others == table(finished), "and nobody else is worse for it"
    assert {row.status for row in rows if row.against == "lost"} == {"skipped"}


def test_what_is_made_from_a_failed_codec_fails_with_it(carry_out, tmp_path, tiny_yaml) -> None:
    carried = carry_out(tmp_path / "out", LOST, "sweep.codec=[big, plain, small]")
    assert carried.failures == 2
    status = {(row.codec, row.status) for row in table(tmp_path / "out") if not row.against}
    assert status == {("big", "failed"), ("small", "failed"), ("plain", "done")}
    with Store(tmp_path / "out" / "results.sqlite", reading=True) as store:
        messages = {build.name: build.message for build in store.builds().values()}
    assert messages["small"] == "what it is built from failed"
    assert messages["plain"] == ""


def test_what_failed_is_tried_again(carry_out, tmp_path, monkeypatch, work) -> None:
    def broken(*_, **__):
        raise RuntimeError("out of luck")

    with monkeypatch.context() as patch:
        patch.setattr(building, "fit", broken)
        assert carry_out(tmp_path / "out").failures == 2
    assert {row.status for row in table(tmp_path / "out")} >= {"failed"}
    work.clear()
    assert carry_out(tmp_path / "out").failures == 0
    assert (work["big"], work["small"]) == (1, 1)
    assert {row.status for row in table(tmp_path / "out")} == {"done"}


def test_a_run_that_makes_no_number_fails_alone(carry_out, folder, monkeypatch) -> None:
    rows_of = conducting.measured_rows

    def broken(run, *rest):
        if (run.link.snr_db, run.link.interferers) == (9, 2):
            raise ValueError("measured_sinr_db must be a number, got nan")
        return rows_of(run, *rest)

    monkeypatch.setattr(conducting, "measured_rows", broken)
    carried = carry_out(folder, "sweep.snr_db=[0, 6, 9, 12]")
    assert carried.failures == 2
    assert "measured_sinr_db must be a number, got nan" in carried.said
    status = {(row.snr_db, row.interferers, row.status) for row in table(folder) if not row.against}
    assert {each for each in status if each[2] != "done"} == {(9, 2, "failed")}


def test_a_run_that_fails_is_a_row_without_a_value(carry_out, folder, finished, monkeypatch) -> None:
    sent = running.deliver

    def broken(encoded, link, chance, **options):
        if (link.snr_db, link.interferers) == (9, 2):
            raise RuntimeError("lost on the way")
        return sent(encoded, link, chance, **options)

    monkeypatch.setattr(running, "deliver", broken)
    carried = carry_out(folder, "sweep.snr_db=[0, 6, 9, 12]")
    assert carried.failures == 2
    assert "big at 9 dB, 2 interferers failed: RuntimeError: lost on the way" in carried.said
    rows = table(folder)
    failed = [row for row in rows if (row.snr_db, row.interferers, row.against) == (9, 2, "")]
    assert {(row.status, row.value) for row in failed} == {("failed", None)}
    assert all(row.parameters for row in failed), "what is known is told"
    assert [row for row in rows if row.snr_db != 9] == table(finished)


def test_a_mistake_of_the_user_ends_everything_and_keeps_what_is_done(carry_out, tmp_path, monkeypatch, work) -> None:
    train = building.carry_out_build

    def full(plan, *rest, **options):
        if plan.name == "small":
            raise UserMistake("no room left")
        return train(plan, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(building, "carry_out_build", full)
        with pytest.raises(UserMistake, match="no room left"):
            carry_out(tmp_path / "out")
    assert not (tmp_path / "out" / "results.csv").exists()
    work.clear()
    carry_out(tmp_path / "out")
    assert work["big"] == 0
    assert work["small"] == 1


def test_a_kill_before_a_training_is_recorded_costs_none_of_it(carry_out, tmp_path, monkeypatch) -> None:
    class Killed(BaseException):
        """As sudden as a signal."""

    def killed(self, identity, **outcome):
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Store, "finish_build", killed)
        carry_out(tmp_path / "out")
    steps = []
    fit = building.fit
    monkeypatch.setattr(
        building,
        "fit",
        lambda *rest, progress, **options: fit(*rest, progress=lambda done, *_: steps.append(done), **options),
    )
    carry_out(tmp_path / "out", "sweep.codec=[big]")
    assert not steps, "the last step was done"
    assert not list((tmp_path / "out").rglob("checkpoint.pt"))


def test_a_text_that_changes_on_the_way_is_not_trained_on(carry_out, tmp_path, tiny_yaml, monkeypatch) -> None:
    """What it would give would stand under the identity of what it was."""
    text = tmp_path / "text.txt"
    text.write_text(Path(load_scenario(tiny_yaml)[0].corpus.path).read_text())
    board = conducting.Board

    def edited(*rest):
        text.write_text(text.read_text() + "one more sentence is here now\n")
        return board(*rest)

    mine = f"corpus.path={text}"
    with monkeypatch.context() as patch, pytest.raises(UserMistake, match="the text must stay as it is"):
        patch.setattr(conducting, "Board", edited)
        carry_out(tmp_path / "out", mine)
    assert not list((tmp_path / "out").rglob("weights.safetensors"))
    assert carry_out(tmp_path / "out", mine).failures == 0, "in the same process too"


def test_two_at_a_time_are_refused(carry_out, folder) -> None:
    with Store(folder / "results.sqlite"), pytest.raises(UserMistake, match="one `semcom run` at a time"):
        carry_out(folder, "sweep.snr_db=[9]")


def test_a_metric_that_cannot_be_computed_here_is_found_before_the_folder(carry_out, tmp_path, work) -> None:
    with pytest.raises(UserMistake, match="embedding model"):
        carry_out(tmp_path / "out", "measure.metrics=[similarity]", "measure.similarity.model=./nowhere")
    assert not work
    assert not (tmp_path / "out").exists()


def test_what_a_killed_run_left_half_written_is_removed(carry_out, folder) -> None:
    stale = next((folder / "models").iterdir()) / ".weights.safetensors.0123abcd.partial"
    stale.write_bytes(b"half")
    carry_out(folder)
    assert not stale.exists()


def test_progress_never_runs_backwards(carry_out, tmp_path, monkeypatch) -> None:
    seen: list[tuple[int, int]] = []
    from semcom.experiment import conduct as module

    class Watching(module.Board):
        def tick(self, name):
            return (lambda done, total, _: seen.append((done, total))) if name == "measuring" else super().tick(name)

    monkeypatch.setattr(module, "Board", Watching)
    carry_out(tmp_path / "out", "sweep.codec=[big, plain, small]")
    assert seen == [(count, 18) for count in range(1, 19)]
    seen.clear()
    carry_out(tmp_path / "out", "sweep.codec=[big, plain, small]", "sweep.snr_db=[0, 3, 6, 12]")
    assert seen == [(count, 24) for count in range(19, 25)]


def test_the_tokenizer_and_the_test_are_settled_before_any_training(
    carry_out, tmp_path, monkeypatch, tiny_yaml
) -> None:
    train = building.carry_out_build

    def watched(plan, *rest, **options):
        assert list((tmp_path / "out" / "tokenizers").iterdir())
        return train(plan, *rest, **options)

    monkeypatch.setattr(building, "carry_out_build", watched)
    assert carry_out(tmp_path / "out").failures == 0
    for build in expand(load_scenario(tiny_yaml)[0]).builds:
        assert RunFolder(tmp_path / "out").weights(build.identity).is_file()


def test_one_test_sentence_gives_a_value_without_an_interval(carry_out, tmp_path) -> None:
    changes = ("measure.sentences=1", "sweep.interferers=0", "sweep.snr_db=6", "sweep.codec=[plain]")
    assert carry_out(tmp_path / "out", *changes).failures == 0
    for row in table(tmp_path / "out"):
        assert row.value is not None
        assert (row.low, row.high, row.count, row.status) == (None, None, 1, "done")
