"""Damage: one flipped bit anywhere, an edit or a loss never changes a number in silence."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from semcom.experiment import conduct as conducting
from semcom.experiment.run import encoded_exam
from semcom.mistakes import UserMistake
from semcom.report import drawing
from semcom.store.digests import Noted
from semcom.store.folder import RunFolder
from semcom.store.store import Store
from semcom.tasks.text_data import load_text
from semcom.training import fit as fitting

PLACES = 20
# Some of each in every run of the tests, all of them by `pytest -m exhaustive`.
SPOTS = [pytest.param(spot, marks=() if spot % 10 == 7 else pytest.mark.exhaustive) for spot in range(PLACES)]


# For tests that go through the places by themselves.
SOME, ALL = range(7, PLACES, 10), pytest.param(range(PLACES), marks=pytest.mark.exhaustive)


def few(number: int) -> tuple[pytest.MarkDecorator, ...]:
    """The mark of all cases but every sixth."""
    return (pytest.mark.exhaustive,) if number % 6 else ()


KINDS = {
    "weights": "models/*/weights.safetensors",
    "checkpoint": "models/*/checkpoint.pt",
    "tokenizer": "tokenizers/*.json",
    "store": "results.sqlite",
    "lock": "results.sqlite.lock",
}
SAID = "the cat sees a dog"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read once is remembered under its path, and `out` is another folder in every test."""
    monkeypatch.chdir(tmp_path)
    for remembered in (load_text, encoded_exam):
        remembered.cache_clear()


@pytest.fixture
def out(finished) -> Path:
    """A copy of a finished run."""
    return Path(shutil.copytree(finished, "out"))


@pytest.fixture(scope="session")
def broken_off(tmp_path_factory, carry_out) -> Path:
    """A run that was stopped in the middle of its first training."""
    folder = tmp_path_factory.mktemp("broken") / "tiny"

    class Stopped(fitting._State):
        def keep(self, done, **options) -> None:
            super().keep(done, **options)
            if done == 3:
                raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fitting, "CHECKPOINT_SECONDS", 0.0)
        patched.setattr(fitting, "_State", Stopped)
        with pytest.raises(KeyboardInterrupt):
            carry_out(folder)
    assert len(list(folder.rglob("checkpoint.pt"))) == 1 and not list(folder.rglob("weights.safetensors"))
    return folder


def flip(path: Path, spot: int) -> None:
    """One bit, in the spot's part of the file."""
    content, chance = bytearray(path.read_bytes()), random.Random(f"{path.name} {spot}")
    content[int((spot + chance.random()) / PLACES * len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def assert_equal_or_refused(carry_out: Callable, finished: Path, path: Path) -> str:
    """A run that goes on gives the numbers of the undamaged one, or names the file; what was said."""
    try:
        carried = carry_out(Path("out"))
    except UserMistake as mistake:
        assert path.name in str(mistake)
        return str(mistake)
    assert carried.failures == 0
    assert Path("out/results.csv").read_bytes() == (finished / "results.csv").read_bytes()
    return " ".join(carried.said.split())


# One flipped bit


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spot", SPOTS)
def test_a_flipped_bit_changes_no_result(carry_out, finished, broken_off, kind: str, spot: int) -> None:
    shutil.copytree(broken_off if kind == "checkpoint" else finished, "out")
    path = sorted(Path("out").glob(KINDS[kind]))[spot % len(sorted(Path("out").glob(KINDS[kind])))]
    flip(path, spot)
    said = assert_equal_or_refused(carry_out, finished, path)
    if kind not in ("store", "lock"):
        assert f"{path}: damaged" in said.replace("out/ ", "out/")
        # What was lost is made again to the last byte.
        for each in (*finished.rglob("*.safetensors"), *finished.rglob("tokenizers/*")):
            there = Path("out") / each.relative_to(finished)
            assert not there.exists() or there.read_bytes() == each.read_bytes()


@pytest.mark.parametrize("name", ["models/*/weights.safetensors", "tokenizers/*.json", "scenario.yaml", "sample.json"])
@pytest.mark.parametrize("spots", [SOME, ALL], ids=["some", "all"])
def test_nothing_is_sent_with_a_flipped_bit(semcom, finished, out, name: str, spots: range) -> None:
    for spot in spots:
        for path in sorted(finished.glob(name)):
            damaged = out / path.relative_to(finished)
            flip(damaged, spot)
            load_text.cache_clear()
            answer = semcom("send", out, SAID, "--repeats", 1)
            assert answer.code == 2 and path.name in answer.err, answer
            assert "run" in answer.err, "and what to do is said"
            shutil.copyfile(path, damaged)
    assert semcom("send", out, SAID, "--repeats", 1).code == 0


@pytest.mark.parametrize("name", ["results.csv", "costs.csv", "record.json"])
@pytest.mark.parametrize("spots", [SOME, ALL], ids=["some", "all"])
def test_no_table_is_drawn_with_a_flipped_bit(semcom, finished, out, monkeypatch, name: str, spots: range) -> None:
    monkeypatch.setattr(drawing, "drawings", lambda *_: iter(()))
    assert semcom("report", out).code == 0
    wanted = {path.name: path.read_bytes() for path in (out / "tables").iterdir()}
    for spot in spots:
        flip(out / name, spot)
        answer = semcom("report", out)
        if answer.code or name != "record.json":
            assert answer.code == 2 and name in answer.err, answer
        # The record has more in it than the digests, and of that nothing is drawn.
        assert {path.name: path.read_bytes() for path in (out / "tables").iterdir()} == wanted
        shutil.copyfile(finished / name, out / name)


@pytest.mark.parametrize("spot", SPOTS)
def test_a_lender_s_flipped_bit_is_not_borrowed(carry_out, finished, tmp_path, spot: int) -> None:
    lender = Path(shutil.copytree(finished, "lender"))
    files = sorted([*lender.rglob("*.safetensors"), *lender.rglob("tokenizers/*.json"), lender / "results.sqlite"])
    path = files[spot % len(files)]
    flip(path, spot)
    try:
        carry_out(Path("out"), lenders=(lender,))
    except UserMistake as mistake:
        assert path.name in str(mistake) and "lender" in str(mistake)
    else:
        assert path.name == "results.sqlite"
        assert Path("out/results.csv").read_bytes() == (finished / "results.csv").read_bytes()


# Edits and losses


def ask(statement: str) -> None:
    with contextlib.closing(sqlite3.connect("out/results.sqlite")) as connection, connection:
        assert connection.execute(statement).rowcount, "nothing was edited"


EDITS = [
    "UPDATE rows SET value = 0.999",
    "UPDATE rows SET value = value + 1e-15 WHERE metric = 'bleu_1' AND snr_db = 6",
    "UPDATE rows SET low = NULL WHERE value < 0.5",
    "UPDATE rows SET codec = 'other', sinr_db = 3 WHERE snr_db = 0",
    "UPDATE rows SET rowid = 10000 - rowid",
    "UPDATE rows SET metric = CAST(x'ff41' AS TEXT) WHERE metric = 'bleu_4'",
    "DELETE FROM rows WHERE metric = 'bleu_4'",
    "DELETE FROM rows WHERE snr_db = 6",
    "DELETE FROM rows",
    "DELETE FROM runs WHERE rowid % 2",
    "UPDATE runs SET identity = 'f' || identity",
    "UPDATE runs SET record = json_set(record, '$.measured_snr_db', 77.0)",
    "UPDATE runs SET record = CAST(x'fffe' AS TEXT)",
    "DELETE FROM statistics",
    "DELETE FROM statistics WHERE family = 'exact_match'",
    "UPDATE statistics SET family = 'other' WHERE rowid = 1",
    "UPDATE statistics SET data = (SELECT data FROM statistics LIMIT 1), checksum = (SELECT checksum FROM statistics)",
    "UPDATE digests SET digest = 'other'",
    "UPDATE digests SET name = 'other' WHERE rowid = 1",
    "DELETE FROM digests",
    "UPDATE builds SET record = json_set(record, '$.parameters', 1)",
    "UPDATE builds SET record = json_remove(record, '$.vocabulary'), status = 'failed'",
    "UPDATE builds SET name = CAST(x'c328' AS TEXT)",
]


@pytest.mark.parametrize("edit", [pytest.param(edit, marks=few(at)) for at, edit in enumerate(EDITS)])
def test_an_edited_store_changes_no_result(carry_out, finished, out, edit: str) -> None:
    ask(edit)
    assert_equal_or_refused(carry_out, finished, out / "results.sqlite")
    # And what was made again is as sound as what was made first.
    said = carry_out(out).said
    assert "damaged" not in said and "0 of 2 codecs to train, 0 of 12 points to measure" in " ".join(said.split())


@pytest.mark.parametrize("record", ['{"parameters": 38', "[1]", "7"])
def test_a_record_that_is_none_any_more_is_told_as_damage_that_a_run_mends(
    semcom, tiny_yaml, carry_out, finished, out, record: str
) -> None:
    ask(f"UPDATE builds SET record = '{record}' WHERE name = 'small'")
    ask(f"UPDATE runs SET record = '{record}' WHERE rowid = 4")
    assert "(1 to train)" in (told := semcom("check", tiny_yaml, "--out", out).out) and "(1 to measure)" in told
    for answer in (semcom("send", out, SAID), semcom("run", tiny_yaml, "--out", "other", "--borrow", out)):
        assert answer.code == 2 and "results.sqlite: what it says of small" in answer.err
        assert "damaged" in answer.err and "run" in answer.err and "move" not in answer.err
    said = assert_equal_or_refused(carry_out, finished, out / "results.sqlite")
    assert "1 of 2 codecs to train, 1 of 12 points to measure" in said


def shifted(content: dict) -> None:
    content["pieces"][3:] = [*content["pieces"][4:], content["pieces"][3]]


def exchanged(content: dict) -> None:
    content["pieces"][5], content["pieces"][9] = content["pieces"][9], content["pieces"][5]


def respelled(content: dict) -> None:
    content["pieces"][7] += "s"


def grown(content: dict) -> None:
    content["pieces"].append("more")


@pytest.mark.parametrize(
    "edit", [pytest.param(edit, marks=few(at)) for at, edit in enumerate((shifted, exchanged, respelled, grown))]
)
def test_a_tokenizer_edited_to_another_valid_one_changes_no_result(carry_out, finished, out, edit) -> None:
    path = next((out / "tokenizers").iterdir())
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    ask("DELETE FROM runs WHERE rowid > 5")
    assert f"{path.name}: damaged or edited" in assert_equal_or_refused(carry_out, finished, path)


def others(there: list[Path]) -> None:
    """Each the other's."""
    contents = [path.read_bytes() for path in there]
    for path, content in zip(there, reversed(contents), strict=True):
        path.write_bytes(content)


def trained_on(there: list[Path]) -> None:
    """The last digits of every weight, all of which stay finite."""
    for path in there:
        content = bytearray(path.read_bytes())
        content[-4000::4] = bytes(len(content[-4000::4]))
        path.write_bytes(content)


def renamed(there: list[Path]) -> None:
    """Another's, whose header says that it is this one's."""
    content = there[1].read_bytes().replace(there[1].parent.name.encode(), there[0].parent.name.encode())
    there[0].write_bytes(content)


def retold(there: list[Path]) -> None:
    there[0].write_bytes(there[0].read_bytes().replace(b'"width', b'"Width', 1))


@pytest.mark.parametrize(
    "edit", [pytest.param(edit, marks=few(at)) for at, edit in enumerate((others, trained_on, renamed, retold))]
)
def test_exchanged_and_edited_weights_change_no_result(carry_out, semcom, finished, out, edit) -> None:
    there = sorted(out.glob("models/*/weights.safetensors"))
    edit(there)
    ask("DELETE FROM runs WHERE rowid > 5")
    answer = semcom("send", out, SAID)
    assert answer.code == 2 and "weights.safetensors" in answer.err
    assert "weights.safetensors: damaged" in assert_equal_or_refused(carry_out, finished, there[0])


def test_a_codec_forgotten_by_an_attempt_that_was_killed_is_trained_by_the_next(carry_out, finished, out) -> None:
    """Its points are all measured, and only the store can tell that it is wanted."""
    with Store(out / "results.sqlite") as store:
        small = next(key for key, build in store.builds().items() if build.name == "small")
        store.noted.forget("build", [small])
    RunFolder(out).weights(small).unlink()
    said = assert_equal_or_refused(carry_out, finished, out / "results.sqlite")
    assert "1 of 2 codecs to train, 0 of 12 points to measure" in said
    assert RunFolder(out).weights(small).read_bytes() == RunFolder(finished).weights(small).read_bytes()


@pytest.mark.parametrize(("owner", "step"), [(Noted, "forget"), (Path, "unlink")])
def test_killed_while_it_forgets_a_codec_a_run_trains_it_the_next_time(
    carry_out, finished, out, monkeypatch, owner: type, step: str
) -> None:
    path = sorted(out.glob("models/*/weights.safetensors"))[0]
    flip(path, 12)
    do = getattr(owner, step)

    def killed(self, *rest, **options) -> None:
        if rest[:1] == ("build",) or getattr(self, "name", "") == path.name:
            raise KeyboardInterrupt
        do(self, *rest, **options)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(owner, step, killed)
        carry_out(out)
    assert "1 of 2 codecs to train" in assert_equal_or_refused(carry_out, finished, path)
    assert path.read_bytes() == (finished / path.relative_to(out)).read_bytes()


def test_a_damaged_teacher_that_nobody_measures_is_trained_again_as_is_said(carry_out, finished, out) -> None:
    with Store(out / "results.sqlite", reading=True) as store:
        big = next(key for key, build in store.builds().items() if build.name == "big")
    flip(RunFolder(out).weights(big), 9)
    said = " ".join(carry_out(out, "sweep.codec=[small]").said.split())
    assert "big is trained again" in said and "1 of 2 codecs to train, 0 of 6 points to measure" in said
    assert RunFolder(out).weights(big).read_bytes() == RunFolder(finished).weights(big).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("key", ["start: big", "adopt: {transmitter: big}", "distill: {teacher: big}"])
def test_what_a_codec_is_made_from_is_sound(carry_out, tmp_path, key: str) -> None:
    """Damage that comes while a run goes on, so that only who reads the file can see it."""
    taught = key.replace("{teacher: big}", "{teacher: big, methods: [{kind: soft_logits}]}")
    plan = f"codecs.small={{size: student_quarter, symbols_per_token: 2, {taught}}}"
    note = conducting._Work._note_build

    def damaging(self, build, outcome, board) -> None:
        note(self, build, outcome, board)
        if build.name == "big":
            flip(self.place.weights(build.identity), 12)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(conducting._Work, "_note_build", damaging)
        with pytest.raises(UserMistake, match=r"weights\.safetensors: must be as the training saved it.*; run again"):
            carry_out(tmp_path / "out", plan)
    assert carry_out(tmp_path / "out", plan).failures == 0
    assert carry_out(tmp_path / "other", plan).failures == 0
    assert (tmp_path / "out/results.csv").read_bytes() == (tmp_path / "other/results.csv").read_bytes()


# Folders from before there were digests


def test_a_folder_without_digests_is_taken_as_it_is_and_gets_them(carry_out, semcom, finished, out) -> None:
    ask("UPDATE builds SET record = json_remove(record, '$.weights_digest')")
    with contextlib.closing(sqlite3.connect("out/results.sqlite")) as connection, connection:
        connection.execute("DROP TABLE digests")
    assert semcom("send", out, SAID).code == 0
    carried = carry_out(out)
    assert "0 of 2 codecs to train, 0 of 12 points to measure" in " ".join(carried.said.split())
    with Store(finished / "results.sqlite", reading=True) as store:
        first = store.builds()
    with Store(out / "results.sqlite", reading=True) as store:
        assert not store.noted.damaged("build") and not store.noted.damaged("run")
        assert {key: build.record["weights_digest"] for key, build in store.builds().items()} == {
            key: build.record["weights_digest"] for key, build in first.items()
        }
    for identity, build in first.items():
        weights = RunFolder(out).weights(identity).read_bytes()
        assert build.record["weights_digest"] == hashlib.blake2b(weights, digest_size=16).hexdigest()
    ask("UPDATE rows SET value = 0.999")
    assert "damaged or edited since" in assert_equal_or_refused(carry_out, finished, out / "results.sqlite")


# Losses while a run goes on


def whole_folder(place: RunFolder) -> None:
    shutil.rmtree(place.path)


def the_store(place: RunFolder) -> None:
    place.store_file.unlink()


def the_store_for_a_copy(place: RunFolder) -> None:
    shutil.copyfile(place.store_file, place.path / "copy")
    (place.path / "copy").replace(place.store_file)


def renamed_folder(place: RunFolder) -> None:
    place.path.rename(place.path.with_name("elsewhere"))


def the_models(place: RunFolder) -> None:
    shutil.rmtree(place.models)


LOSSES = [whole_folder, the_store, the_store_for_a_copy, renamed_folder, the_models]


@pytest.mark.parametrize("loss", [pytest.param(loss, marks=few(at)) for at, loss in enumerate(LOSSES)])
@pytest.mark.parametrize("when", ["_note_build", "_note_run"])
def test_what_is_taken_away_during_a_run_is_one_message(semcom, tiny_yaml, monkeypatch, when: str, loss) -> None:
    note, calls = getattr(conducting._Work, when), []

    def losing(self, work, outcome, board) -> None:
        note(self, work, outcome, board)
        calls.append(work)
        if len(calls) == 1:
            loss(self.place)

    monkeypatch.setattr(conducting._Work, when, losing)
    answer = semcom("run", tiny_yaml, "--out", "out")
    if loss is the_models and when == "_note_run":
        # The codec is in memory, and the second one's is asked for later.
        assert answer.code in (0, 2)
    else:
        assert answer.code == 2, answer
    assert "Traceback" not in answer.err
    if loss is not the_models:
        assert "results.sqlite: must stay in its place while a run goes on" in answer.err
        assert not Path("out/results.csv").exists()
