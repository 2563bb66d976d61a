"""Paths of a scenario start beside it, those of `--set` where one works, and what is kept leads there from anywhere."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from semcom.experiment.preparing import _named
from semcom.metrics.embedding_model import find_model
from semcom.mistakes import UserMistake
from semcom.scenario.document import ScenarioError
from semcom.scenario.expand import expand
from semcom.scenario.load import find_scenario, load_scenario, names
from semcom.scenario.scenario import Scenario

WHERE = {
    "beside it": ("study/text.txt", "text.txt"),
    "below": ("study/data/text.txt", "data/text.txt"),
    "with a dot": ("study/data/text.txt", "./data/text.txt"),
    "above": ("data/text.txt", "../data/text.txt"),
    "far above": ("elsewhere/deep/text.txt", "../study/.././elsewhere/deep/text.txt"),
    "a folder": ("study/data/text.txt", "data"),
    "of a name that YAML would read otherwise": ("study/0x10", "0x10"),
    "of a name with marks": ('study/my "text": #1.txt', 'my "text": #1.txt'),
    "of a name with spaces, in letters of elsewhere": ("study/der Te\u00dft \u6587.txt", "der Te\u00dft \u6587.txt"),
}


@pytest.fixture
def at(tmp_path, tiny_yaml, monkeypatch):
    """Hand out `at("work")`: go there; the whole test lives in a folder of its own."""

    def go(folder: str) -> Path:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(tmp_path / folder)
        return tmp_path / folder

    return go


@pytest.fixture
def study(tmp_path, tiny_yaml, text_file):
    """Hand out `study("data/text.txt", "../data/text.txt")`: put the text there, and a scenario that names it so."""

    def write(lies: str, typed: str, place: str = "study") -> Path:
        (tmp_path / lies).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(text_file, tmp_path / lies)
        path = tmp_path / place / "tiny.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(tiny_yaml.read_text().replace(str(text_file), json.dumps(typed)))
        return path

    return write


def identities(scenario: Scenario) -> list[str]:
    sweep = expand(scenario)
    return [each.identity for each in (*sweep.builds, *sweep.runs)]


@pytest.mark.parametrize("work", ["work", "study", ".", "study/data"])
@pytest.mark.parametrize("where", WHERE)
def test_a_path_of_a_scenario_starts_beside_it(at, study, tmp_path, tiny_yaml, where: str, work: str) -> None:
    lies, typed = WHERE[where]
    path = study(lies, typed)
    at(work)
    scenario, text = load_scenario(Path(os.path.relpath(path)))
    assert identities(scenario) == identities(load_scenario(tiny_yaml)[0]), "the same text, wherever it lies"
    # Kept in a run folder, it is read from somewhere else.
    at("runs/tiny")
    Path("scenario.yaml").write_text(text)
    at("on/the/moon")
    again, same = load_scenario(tmp_path / "runs" / "tiny" / "scenario.yaml")
    assert (again, same) == (scenario, text)


def test_what_is_kept_is_the_file_but_for_the_path(at, study, tmp_path) -> None:
    path = study("study/text.txt", "text.txt")
    path.write_text("# Why?\n# A thought.\n" + path.read_text().replace("name: tiny", "name:   tiny # so called"))
    before = path.read_text()
    assert load_scenario(path)[1] == before.replace('"text.txt"', json.dumps(str(tmp_path / "study/text.txt")))
    assert "so called" in before


@pytest.mark.parametrize(
    "spelled",
    [
        "path: 'text.txt'",
        "path:\n    text.txt",
        "path: |-\n    text.txt",
        '"path": "te\\x78t.txt"',
        "? path\n  : text.txt",
    ],
)
def test_a_path_may_be_spelled_in_any_way(study, tmp_path, spelled: str) -> None:
    path = study("study/text.txt", "text.txt")
    corpus = '{source: file, path: "text.txt", longest: 20}'
    assert path.read_text().count(corpus) == 1
    path.write_text(path.read_text().replace(corpus, f"\n  source: file\n  longest: 20\n  {spelled}"))
    scenario, text = load_scenario(path)
    assert scenario.corpus.path == str(tmp_path / "study" / "text.txt")
    (tmp_path / "kept.yaml").write_text(text)
    assert load_scenario(tmp_path / "kept.yaml") == (scenario, text)


@pytest.mark.parametrize(
    "change",
    [
        "corpus.path=mine.txt",
        "corpus.path=../work/mine.txt",
        "corpus={source: file, path: mine.txt, longest: 20}",
        "corpus.path=./mine.txt",
    ],
)
def test_a_path_that_is_set_starts_where_one_works(at, study, text_file, change: str) -> None:
    path = study("study/mine.txt", "text.txt")
    work = at("work")
    shutil.copyfile(text_file, "mine.txt")
    scenario, text = load_scenario(path, (change,))
    assert scenario.corpus.path == str(work / "mine.txt")
    at("on/the/moon")
    Path("scenario.yaml").write_text(text)
    assert load_scenario(Path("scenario.yaml"))[0] == scenario


def test_what_is_set_beside_a_path_leaves_it_where_it_is(at, study, tmp_path) -> None:
    path = study("study/text.txt", "text.txt")
    at("work")
    for change in ("seed=4", "corpus.longest=19", "corpus.source=file"):
        scenario, text = load_scenario(path, (change,))
        assert scenario.corpus.path == str(tmp_path / "study" / "text.txt")
        assert str(tmp_path / "study" / "text.txt") in text


def test_a_home_stays_one(at, study, tmp_path, tiny_yaml, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    path = study("home/text.txt", "~/text.txt")
    at("work")
    scenario, text = load_scenario(path)
    assert text == path.read_text()
    assert identities(scenario) == identities(load_scenario(tiny_yaml)[0])
    set_so = load_scenario(path, ("corpus.path=~/text.txt",))[0]
    assert set_so == scenario


def test_a_linked_scenario_finds_its_text_beside_the_link_or_beside_itself(at, study, tmp_path, text_file) -> None:
    path = study("study/text.txt", "text.txt")
    link = at("links") / "other.yaml"
    link.symlink_to(path)
    assert load_scenario(link)[0].corpus.path == str(tmp_path / "study" / "text.txt")
    shutil.copyfile(text_file, link.with_name("text.txt"))
    assert load_scenario(link)[0].corpus.path == str(tmp_path / "links" / "text.txt")
    (tmp_path / "shortcut").symlink_to(tmp_path / "study")
    assert load_scenario(tmp_path / "shortcut" / "tiny.yaml")[0].corpus.path == str(tmp_path / "shortcut" / "text.txt")


def test_dots_behind_a_link_lead_where_the_disk_says(study, tmp_path) -> None:
    """`link/../text.txt` is beside what the link leads to, not beside the link."""
    path = study("far/text.txt", "link/../text.txt")
    (tmp_path / "far" / "away").mkdir()
    (tmp_path / "study" / "link").symlink_to(tmp_path / "far" / "away")
    assert Path(load_scenario(path)[0].corpus.path).samefile(tmp_path / "far" / "text.txt")


@pytest.mark.parametrize("typed", ["text.txt", "data/text.txt", "../work/text.txt", "./text.txt"])
def test_a_path_from_the_working_directory_is_told_what_to_be(at, study, tmp_path, typed: str) -> None:
    """As paths were read before: the message gives what works."""
    path = study(f"deep/work/{typed}", typed)
    at("deep/work")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:4:24: corpus.path: must start in the scenario's own folder or be absolute, got")
    assert f"nothing in {tmp_path / 'study'} but something in the working directory" in message
    right = message.partition("write ")[2].partition(",")[0]
    path.write_text(path.read_text().replace(json.dumps(typed), right))
    found = load_scenario(path)[0].corpus.path
    assert Path(found).samefile(typed)
    option = message.partition("--set ")[2].partition(",")[0]
    assert load_scenario(path, (option,))[0].corpus.path == found


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no folder can be called so")
def test_a_folder_whose_name_no_text_can_hold(at, study, tmp_path) -> None:
    path = study("study/text.txt", "text.txt")
    odd = (tmp_path / "study").rename(os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff"))
    with pytest.raises(ScenarioError, match=r"corpus\.path: must lie below folders whose names are UTF-8"):
        load_scenario(odd / path.name)


def test_what_is_told_of_a_path_is_shown_and_not_obeyed(at, study) -> None:
    path = study("work/\x1b[31m.txt", "\x1b[31m.txt")
    at("work")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert "\x1b" not in str(caught.value)


def test_a_path_to_nothing_says_where_it_looked(at, study, semcom, tmp_path) -> None:
    path = study("study/text.txt", "txet.txt")
    at("work")
    assert f"got {tmp_path / 'study' / 'txet.txt'} (nothing" in semcom("check", path).err
    assert (
        f"got {tmp_path / 'work' / 'none.txt'} (nothing" in semcom("check", path, "--set", "corpus.path=none.txt").err
    )


# A sentence encoder, and an archive


@pytest.fixture
def encoder(tmp_path):
    """Hand out `encoder("study/minilm")`: a folder that looks like a model's."""

    def make(lies: str) -> Path:
        (tmp_path / lies / "1_Pooling").mkdir(parents=True)
        kinds = {"": "Transformer", "1_Pooling": "Pooling"}
        modules = [{"path": each, "type": f"sentence_transformers.models.{kind}"} for each, kind in kinds.items()]
        (tmp_path / lies / "modules.json").write_text(json.dumps(modules))
        (tmp_path / lies / "1_Pooling" / "config.json").write_text('{"pooling_mode": "mean"}')
        (tmp_path / lies / "model.safetensors").write_bytes(b"numbers")
        return tmp_path / lies

    return make


def embedded(path: Path, typed: str) -> Path:
    text = path.read_text().replace("[bleu_1, bleu_4, exact_match]", "[similarity]")
    path.write_text(text.replace("measure: {", f"measure: {{similarity: {{model: {typed}}}, "))
    return path


@pytest.mark.parametrize("typed", ["minilm", "./minilm", "models/minilm", "../shared/minilm"])
def test_an_encoder_in_a_folder_starts_beside_the_scenario(at, study, encoder, tmp_path, typed: str) -> None:
    path = embedded(study("study/text.txt", "text.txt"), typed)
    folder = encoder(os.path.normpath(f"study/{typed}"))
    at("work")
    scenario, text = load_scenario(path)
    assert scenario.measure.similarity.model == str(folder)
    assert "# Does the whole" in text
    before = identities(scenario)
    folder = folder.rename(tmp_path / "moved")
    assert identities(load_scenario(path, (f"measure.similarity.model={folder}",))[0]) == before, "not where it lies"
    (folder / "model.safetensors").write_bytes(b"other numbers")
    assert identities(load_scenario(path, (f"measure.similarity.model={folder}",))[0]) != before


def test_the_record_names_an_encoder_and_not_where_it_lies(study, encoder) -> None:
    path = embedded(study("study/text.txt", "text.txt"), "minilm")
    encoder("study/minilm")
    assert find_model(load_scenario(path)[0].measure.similarity).provenance().startswith("minilm sha256:")


@pytest.mark.parametrize("typed", ["bundled", "somebody/encoder", "somebody/encoder@v2", "encoder"])
def test_a_name_that_is_no_folder_stays_a_name(at, study, typed: str) -> None:
    path = embedded(study("study/text.txt", "text.txt"), typed)
    at("work")
    assert load_scenario(path)[0].measure.similarity.model == typed
    assert load_scenario(path, (f"measure.similarity.model={typed}",))[0].measure.similarity.model == typed


def test_a_hub_name_is_not_taken_for_a_folder_by_the_way(at, study, encoder, tmp_path) -> None:
    path = embedded(study("study/text.txt", "text.txt"), "somebody/encoder")
    encoder("work/somebody/encoder")
    at("work")
    with pytest.raises(
        ScenarioError, match=r"write \.\./work/somebody/encoder, or somebody/encoder@main for what a hub"
    ):
        load_scenario(path)
    set_so = load_scenario(path, ("measure.similarity.model=somebody/encoder",))[0]
    assert set_so.measure.similarity.model == str(tmp_path / "work" / "somebody" / "encoder")


@pytest.mark.parametrize("typed", ["./nowhere", "too/many/parts", "../nowhere"])
def test_an_encoder_that_is_not_there_says_where_it_looked(at, study, tmp_path, typed: str) -> None:
    path = embedded(study("study/text.txt", "text.txt"), typed)
    at("work")
    with pytest.raises(UserMistake, match=r"must be a folder, got /.*; no such folder exists"):
        find_model(load_scenario(path)[0].measure.similarity)


def test_an_archive_is_one_however_it_is_reached(at, study, tmp_path) -> None:
    """What was prepared from it is kept under its address."""
    path = study("study/text.txt", "text.txt")
    corpus = '{source: file, path: "text.txt", longest: 20}'
    path.write_text(path.read_text().replace(corpus, "{source: europarl, url: ../archives/pair.tgz}"))
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / "pair.tgz").touch()
    at("work")
    url = str(tmp_path / "archives" / "pair.tgz")
    assert load_scenario(path)[0].corpus.url == url
    at("archives")
    assert load_scenario(path, ("corpus.url=pair.tgz",))[0].corpus.url == url
    assert _named("europarl", "pair.tgz") == _named("europarl", "./pair.tgz") == _named("europarl", url)
    for web in ("https://example.invalid/pair.tgz", f"file://{url}", "~/pair.tgz"):
        assert load_scenario(path, (f"corpus.url={web}",))[0].corpus.url == web
        assert _named("europarl", web).url == web


@pytest.mark.parametrize(
    "change", ["corpus=[1]", "corpus.path=3", "corpus.path=", "corpus.path=' '", "measure.similarity=3"]
)
def test_what_is_no_path_is_told_as_before(at, study, change: str) -> None:
    path = study("study/text.txt", "text.txt")
    with pytest.raises(UserMistake, match=f"--set {change.partition('=')[0]}"):
        load_scenario(path, (change,))


def test_shipped_scenarios_are_kept_as_they_are(at) -> None:
    at("work")
    for name in names():
        assert load_scenario(find_scenario(name))[1] == find_scenario(name).read_text()
