"""A run folder is one scenario's: it may ask for more or for less there, and another one is refused."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from semcom.experiment import build as building
from semcom.experiment import run as running
from semcom.experiment.conduct import conduct
from semcom.experiment.preview import preview
from semcom.experiment.workers import Means
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.store.folder import RunFolder
from semcom.store.ownership import left_out


@pytest.fixture
def folder(finished, tmp_path) -> Path:
    """A copy of a finished run of the scenario `tiny`."""
    return Path(shutil.copytree(finished, tmp_path / "folder"))


@pytest.fixture
def other(tiny_yaml, tmp_path) -> Path:
    """Another scenario, which asks for three rows."""
    path = tmp_path / "other.yaml"
    text = tiny_yaml.read_text().replace("name: tiny", "name: other").replace("[big, small]", "[plain]")
    path.write_text(text.replace("snr_db: [0, 6, 12]", "snr_db: 3").replace("interferers: [0, 2]", "interferers: 0"))
    return path


@pytest.fixture
def idle(monkeypatch):
    """Hand out `idle()`: from then on nothing may be trained or measured."""

    def forbid() -> None:
        monkeypatch.setattr(building, "carry_out_build", lambda *_, **__: pytest.fail("trained"))
        monkeypatch.setattr(running, "carry_out_run", lambda *_, **__: pytest.fail("measured"))

    return forbid


def carry_out_at(path: Path, folder: Path, *, replace: bool) -> str:
    scenario, text = load_scenario(path)
    said = io.StringIO()
    console = Console(file=said, width=300)
    assert conduct(scenario, text, folder, means=Means(), console=console, replace=replace) == 0
    return said.getvalue()


def content(folder: Path) -> dict[Path, bytes]:
    """All files of a folder; a reader of SQLite keeps two of its own beside the store."""
    files = (path for path in folder.rglob("*") if not path.name.endswith(("-wal", "-shm")))
    return {path: path.read_bytes() for path in files if path.is_file()}


# Another scenario


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize(
    "asked",
    ["a file", "a name that is set", "a shipped one", "a name that differs in case"],
)
def test_another_scenario_is_refused(semcom, folder, other, tiny_yaml, command: str, asked: str) -> None:
    words: tuple[object, ...]
    words, name = {
        "a file": ((other,), "other"),
        "a name that is set": ((tiny_yaml, "--set", "name=tiny2"), "tiny2"),
        "a shipped one": (("quickstart",), "quickstart"),
        "a name that differs in case": ((tiny_yaml, "--set", "name=Tiny"), "Tiny"),
    }[asked]
    before = content(folder)
    answer = semcom(command, *words, "--out", folder)
    assert answer.code == 2, answer
    assert answer.err.strip() == (
        f"the run folder {folder} must be that of scenario {name} or a new one, got that of scenario tiny; choose "
        "another --out, or type --replace to replace its table and figures"
    )
    assert content(folder) == before


def test_it_may_be_told_to_replace_and_nothing_is_lost(semcom, finished, folder, other, tiny_yaml, idle) -> None:
    plan = semcom("check", other, "--out", folder, "--replace")
    assert plan.code == 0
    gone = f"12 of the 12 points now in {folder / 'results.csv'} will leave it: this scenario asks for others"
    assert gone in plan.out
    answer = semcom("run", other, "--out", folder, "--replace", "--set", "measure.metrics=[bleu_1]")
    assert answer.code == 0, answer
    assert gone in answer.out
    assert len((folder / "results.csv").read_text().splitlines()) == 2
    assert "name: other" in (folder / "scenario.yaml").read_text()
    assert semcom("check", tiny_yaml, "--out", folder).code == 2, "now it is the other's"
    idle()
    said = carry_out_at(tiny_yaml, folder, replace=True)
    assert "0 of 2 codecs to train, 0 of 12 points to measure" in said
    assert (folder / "results.csv").read_bytes() == (finished / "results.csv").read_bytes()


def test_points_that_the_store_has_lost_do_not_leave(folder, tiny_yaml) -> None:
    """They are in the table alone, so nothing would bring them back."""
    sweep = expand(load_scenario(tiny_yaml, ("sweep.snr_db=[1]",))[0])
    held = {run.identity for run in expand(load_scenario(tiny_yaml)[0]).runs[:5]}
    assert str(left_out(sweep, RunFolder(folder), done=held)).startswith("5 of the 5 points now in")
    assert left_out(sweep, RunFolder(folder), done=set()) is None


@pytest.mark.parametrize("spoilt", ["", "[", "- 1", "name: [", "codecs: {}"])
def test_a_folder_of_nobody_known_is_refused(semcom, folder, tiny_yaml, idle, spoilt: str) -> None:
    (folder / "scenario.yaml").write_text(spoilt)
    for command in ("check", "run"):
        answer = semcom(command, tiny_yaml, "--out", folder)
        assert answer.code == 2
        assert "got one whose scenario.yaml cannot be read; choose another --out, or type --replace" in answer.err
    idle()
    carry_out_at(tiny_yaml, folder, replace=True)
    assert load_scenario(folder / "scenario.yaml") == load_scenario(tiny_yaml)


def test_a_name_from_a_foreign_folder_is_shown_and_not_obeyed(semcom, folder, tiny_yaml) -> None:
    (folder / "scenario.yaml").write_text('name: "red \\e[31m"')
    assert r"got that of scenario red \x1b[31m; choose" in semcom("check", tiny_yaml, "--out", folder).err


# The same scenario


@pytest.mark.parametrize("change", ["question", "place", "keys of before", "killed before its scenario was kept"])
def test_the_same_scenario_goes_on(folder, tiny_yaml, tmp_path, finished, idle, change: str) -> None:
    path = Path(shutil.copyfile(tiny_yaml, tmp_path / "renamed.yaml"))
    if change == "question":
        path.write_text(path.read_text().replace("# Does the whole", "# Does all of the whole"))
    elif change == "keys of before":
        (folder / "scenario.yaml").write_text("# What?\nname: tiny\nepochs: 3\n")
    elif change == "killed before its scenario was kept":
        (folder / "scenario.yaml").unlink()
    idle()
    assert "will leave it" not in carry_out_at(path, folder, replace=False)
    assert (folder / "results.csv").read_bytes() == (finished / "results.csv").read_bytes()


CHANGES = {
    "as it is": ((), 0),
    "more points": (("sweep.snr_db=[0, 6, 9, 12]",), 0),
    "more codecs": (("sweep.codec=[big, plain, small]",), 0),
    "no names as before": (
        ("codecs.huge={size: student_quarter, symbols_per_token: 2}", "sweep.codec=[huge, small]"),
        0,
    ),
    "fewer points": (("sweep.snr_db=[0, 12]",), 4),
    "other points": (("sweep.snr_db=[1, 2, 3]",), 12),
    "one codec": (("sweep.codec=[small]",), 6),
    "another training of one": (("codecs.small.training={steps: 4}",), 6),
    "another training": (("training.steps=4",), 12),
    "other metrics": (("measure.metrics=[bleu_1]",), 12),
    "another seed": (("seed=4",), 12),
    "one seed more": (("sweep.seed=[3, 4]",), 0),
}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=() if at % 4 == 0 else pytest.mark.exhaustive) for at, case in enumerate(CHANGES)]
)
def test_points_that_leave_the_table_are_counted_and_come_back(
    carry_out, finished, folder, tiny_yaml, idle, case: str
) -> None:
    changes, count = CHANGES[case]
    told = f"{count} of the 12 points now in {folder / 'results.csv'} will leave it: this scenario asks for others; the"
    plan = preview(load_scenario(tiny_yaml, changes)[0], folder)
    said = " ".join(carry_out(folder, *changes).said.split())
    assert [told in plan, told in said] == [count > 0] * 2, said
    assert ["will leave it" in plan, "will leave it" in said] == [count > 0] * 2
    idle()
    carry_out(folder)
    assert (folder / "results.csv").read_bytes() == (finished / "results.csv").read_bytes()


@pytest.mark.parametrize("spoilt", ["nothing", "no table", "a foreign table", "failures alone"])
def test_a_table_of_nothing_measured_is_replaced_without_a_word(carry_out, folder, spoilt: str) -> None:
    path = RunFolder(folder).results_file
    if spoilt == "nothing":
        path.unlink()
    elif spoilt == "failures alone":
        path.write_text(path.read_text().replace(",done,", ",failed,"))
    else:
        path.write_bytes({"no table": b"\xff\xfe", "a foreign table": b"a,b\n1,2\n"}[spoilt])
    assert "will leave it" not in carry_out(folder, "sweep.snr_db=[6]").said
