"""Store: what was acknowledged is there, whatever happened to the process, and nothing is there by half."""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from semcom.making import MAKING
from semcom.mistakes import UserMistake
from semcom.store.database import APPLICATION, SCHEMA
from semcom.store.results import Row
from semcom.store.store import Store

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and file size limits are POSIX")

# Writes runs as fast as it can and says so after each; the numbers of a run all follow from its number.
WRITER = """
import sys
from pathlib import Path
import numpy as np
from semcom.store.results import Row
from semcom.store.store import Store

with Store(Path(sys.argv[1])) as store:
    for number in range(len(store.done_runs()), 1_000_000):
        name = f"{number:08d}"
        rows = [
            Row(task="text", codec="c", role="codec", metric=metric, value=number / 7, status="done", run_id=name)
            for metric in ("bleu_1", "bleu_2", "similarity")
        ]
        store.finish_build(name, name="c", record={"number": number})
        store.finish_run(name, rows, {"bleu": np.full((50, 4), number / 7)}, {"number": number})
        print(number, flush=True)
"""

# Makes stores in children that are killed at random instants, looks at each as a reader does and goes on with it.
MAKER = """
import os, random, signal, sys, time
from pathlib import Path
from semcom.store.store import Store

chance, found = random.Random(0), {True: 0, False: 0}
for number in range(60):
    path = Path(sys.argv[1]) / str(number)
    begun, tell = os.pipe()
    child = os.fork()
    if not child:
        os.write(tell, b".")
        Store(path).finish_build("b", name="codec")
        signal.pause()
    os.read(begun, 1)
    time.sleep(chance.uniform(0.0, 0.01))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found[path.exists()] += 1
    if path.exists():
        with Store(path, reading=True) as store:
            assert store.done_builds() <= {"b"}
    with Store(path) as store:
        store.finish_build("b", name="codec")
        assert store.done_builds() == {"b"}
print(found[True], found[False])
"""


def a_row(run_id: str = "r", **changes: object) -> Row:
    values = {"task": "text", "codec": "c", "role": "codec", "metric": "bleu_1", "status": "done", "run_id": run_id}
    return Row(**{**values, **changes})  # type: ignore[arg-type]


def test_a_run_comes_back_as_it_was_given(tmp_path: Path) -> None:
    rows = [a_row(metric="similarity", value=1 / 3, sir_db=math.inf, level_db=(-6.0, -3.0)), a_row(level_db=-6.0)]
    scores = np.random.default_rng(0).normal(size=(5, 3))
    with Store(tmp_path / "s") as store:
        store.finish_run("r", rows, {"bleu": scores}, {"measured_snr_db": 5.9, "measured_sinr_db": -math.inf})
    with Store(tmp_path / "s") as store:
        assert store.rows("r") == rows and store.rows("unknown") == []
        assert store.done_runs() == {"r"} and store.families("r") == ("bleu",)
        assert store.runs()["r"].record == {"measured_snr_db": 5.9, "measured_sinr_db": -math.inf}
        assert np.array_equal(store.statistics("r", "bleu"), scores)
        with pytest.raises(KeyError, match="no statistics of similarity"):
            store.statistics("r", "similarity")


def test_a_store_of_before_a_column_is_read_and_gets_the_column_when_it_is_written_to(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        store.finish_run("old", [a_row("old", value=0.5, against="big")])
    with sqlite3.connect(tmp_path / "s") as connection:
        connection.execute("ALTER TABLE rows DROP COLUMN gap_to")
    with Store(tmp_path / "s", reading=True) as store:
        assert store.rows("old") == [a_row("old", value=0.5, against="big")]
    share = a_row("new", value=0.5, against="plain", gap_to="big")
    with Store(tmp_path / "s") as store:
        store.finish_run("new", [share])
    with Store(tmp_path / "s") as store:
        assert store.rows("new") == [share]
        assert store.rows("old") == [a_row("old", value=0.5, against="big")]


def test_builds_and_failures_are_remembered_until_they_are_redone(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        store.finish_build("b", name="small", status="failed", message="diverged")
        store.finish_run("r", [a_row(status="failed")], {"bleu": np.ones((1, 1))}, status="failed", message="no memory")
        assert (store.done_builds(), store.done_runs()) == (set(), set())
        assert store.builds()["b"].message == "diverged" and store.runs()["r"].message == "no memory"
        store.finish_build("b", name="renamed", record={"parameters": 3})
        store.finish_run("r", [a_row(value=0.5)], {"words": np.zeros((2, 2))})
        assert (store.done_builds(), store.done_runs()) == ({"b"}, {"r"})
        assert store.builds()["b"].name == "renamed" and store.builds()["b"].record == {"parameters": 3}
        assert store.rows("r") == [a_row(value=0.5)] and store.families("r") == ("words",)


@settings(max_examples=20)  # each example is a file
@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=6)), st.booleans())
def test_statistics_keep_every_bit(tmp_path_factory: pytest.TempPathFactory, scores: np.ndarray, turned: bool) -> None:
    given_scores = scores.T if turned else scores
    with Store(tmp_path_factory.mktemp("store") / "s") as store:
        store.finish_run("r", statistics={"bleu": given_scores})
        assert store.statistics("r", "bleu").tobytes() == given_scores.tobytes()
        assert store.statistics("r", "bleu").shape == given_scores.shape


def test_what_does_not_belong_together_is_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        with pytest.raises(ValueError, match="rows must be of run r, got some of other"):
            store.finish_run("r", [a_row("other")])
        with pytest.raises(ValueError, match=r"must be \[sentences, width\], got shape \(3,\)"):
            store.finish_run("r", statistics={"bleu": np.zeros(3)})
        with pytest.raises(sqlite3.IntegrityError):
            store.finish_run("r", [a_row(), a_row()])
        assert store.runs() == {} and store.rows("r") == []
        store.finish_run("r", [a_row()])
        assert store.done_runs() == {"r"}


@posix_only
def test_a_kill_at_any_instant_loses_nothing_acknowledged(tmp_path: Path) -> None:
    path, instants, acknowledged = tmp_path / "results.sqlite", random.Random(3), -1
    for attempt in range(10):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            # Two kills fall into the start, where the file is made or recovered; the rest into the writing.
            if attempt > 1:
                acknowledged = int(writer.stdout.readline())
            time.sleep(instants.uniform(0.0, 0.2))
            writer.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *(int(line) for line in writer.stdout.read().splitlines())])
        with Store(path) as store:
            names = sorted(store.done_runs())
            assert names == [f"{number:08d}" for number in range(len(names))] and len(names) > acknowledged
            for name in names[-20:]:
                assert [row.value for row in store.rows(name)] == [int(name) / 7] * 3
                assert np.array_equal(store.statistics(name, "bleu"), np.full((50, 4), int(name) / 7))
                assert store.runs()[name].record == {"number": int(name)}
            assert set(names) <= store.done_builds()
        with sqlite3.connect(path) as inspector:
            assert inspector.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        inspector.close()
    assert acknowledged > 20


def test_a_second_coordinator_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    with Store(tmp_path / "s"), pytest.raises(UserMistake, match=r"got another at work \(process \d+\); wait for it"):
        Store(tmp_path / "s")
    with Store(tmp_path / "s"):
        pass


@posix_only
def test_a_killed_coordinator_leaves_no_lock(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from semcom.store.store import Store\n"
        "store = Store(Path(sys.argv[1])); print('open', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "s")], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"open\n"
        with pytest.raises(UserMistake, match=f"process {holder.pid}"):
            Store(tmp_path / "s")
        holder.kill()
    Store(tmp_path / "s").close()


def test_a_reader_looks_on_while_the_writer_works(tmp_path: Path) -> None:
    with Store(tmp_path / "s #1?") as store:
        store.finish_run("r", [a_row()])
        with Store(tmp_path / "s #1?", reading=True) as reader:
            assert reader.done_runs() == {"r"}
            store.finish_run("q")
            assert reader.done_runs() == {"r", "q"}
            with pytest.raises(UserMistake, match="must be ours to open and write"):
                reader.finish_run("p")
    with pytest.raises(UserMistake, match=r"no such file; `semcom run` writes it"):
        Store(tmp_path / "none", reading=True)
    assert not (tmp_path / "none").exists()


def make_foreign(path: Path, *statements: str) -> bytes:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path.read_bytes()


@pytest.mark.parametrize("reading", [False, True])
@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (("CREATE TABLE photos (x)",), "got another program's database"),
        (("PRAGMA application_id = 7",), "got another program's database"),
        (("PRAGMA user_version = 1",), "got another program's database"),
        (
            (f"PRAGMA application_id = {APPLICATION}", f"PRAGMA user_version = {SCHEMA + 1}"),
            "a newer version of semcom",
        ),
    ],
)
def test_a_file_that_is_not_ours_is_refused_and_not_touched(
    tmp_path: Path, statements: tuple[str, ...], message: str, reading: bool
) -> None:
    before = make_foreign(tmp_path / "s", *statements)
    with pytest.raises(UserMistake, match=message):
        Store(tmp_path / "s", reading=reading)
    assert (tmp_path / "s").read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"codec,value\n" * 1000)
    with pytest.raises(UserMistake, match=r"got a damaged file \(file is not a database\); move its whole folder away"):
        Store(tmp_path / "s")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserMistake, match="must be ours to open and write, got: unable to open"):
        Store(tmp_path / "folder")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserMistake, match="must be writable"):
        Store(tmp_path / "file" / "s")


@posix_only
def test_a_store_that_was_moved_away_leaves_nothing_to_its_successor(tmp_path: Path) -> None:
    """Killed, so that its log lies beside it still; SQLite would play that onto whatever takes the store's place."""
    path = tmp_path / "results.sqlite"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None and [writer.stdout.readline() for _ in range(5)]
        writer.send_signal(signal.SIGKILL)
    assert path.with_name("results.sqlite-wal").stat().st_size
    path.unlink()
    with Store(path) as store:
        assert store.done_builds() == store.done_runs() == set()
        store.finish_run("r", [a_row()])
    with Store(path) as store:
        assert store.done_runs() == {"r"}


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="whoever may do everything may write too")
def test_a_store_in_a_folder_that_one_may_only_read_is_read(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        store.finish_run("r", [a_row()])
    tmp_path.chmod(0o555)
    try:
        with Store(tmp_path / "s", reading=True) as reader:
            assert reader.done_runs() == {"r"}
    finally:
        tmp_path.chmod(0o755)


def test_an_empty_file_is_a_new_store_but_nothing_to_read(tmp_path: Path) -> None:
    (tmp_path / "s").touch()
    with pytest.raises(UserMistake, match="or an empty file; move it away"):
        Store(tmp_path / "s", reading=True)
    with Store(tmp_path / "s") as store:
        assert store.done_runs() == set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_killed_while_it_is_made_a_store_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", MAKER, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    whole, missing = map(int, done.stdout.split())
    assert missing and whole + missing == 60, done.stdout


def test_damage_is_told_when_the_file_is_opened(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        for number in range(50):
            store.finish_run(
                f"{number}", [a_row(f"{number}")], {"bleu": np.random.default_rng(number).normal(size=(50, 4))}
            )
    raw = bytearray((tmp_path / "s").read_bytes())
    raw[8192:16384] = bytes(8192)
    (tmp_path / "s").write_bytes(raw)
    with pytest.raises(UserMistake, match="must be a whole results store, got a damaged file"):
        Store(tmp_path / "s")
    (tmp_path / "s").write_bytes(raw[:20_000])
    with pytest.raises(UserMistake, match="got a damaged file"):
        Store(tmp_path / "s")


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE statistics SET data = x'00'",
        "UPDATE statistics SET checksum = 'other'",
        "UPDATE statistics SET sentences = 1",
        "UPDATE statistics SET sentences = 1 << 40",
        "UPDATE rows SET role = 'pupil'",
        "UPDATE runs SET record = '{'",
    ],
)
def test_changed_contents_are_not_believed(tmp_path: Path, tampering: str) -> None:
    with Store(tmp_path / "s") as store:
        store.finish_run("r", [a_row()], {"bleu": np.ones((2, 3))})
    make_foreign(tmp_path / "s", tampering)
    with Store(tmp_path / "s") as store, pytest.raises(UserMistake, match="got a damaged"):
        store.statistics("r", "bleu")
        store.rows("r")
        store.runs()


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE rows SET value = 0.999",
        "UPDATE rows SET metric = CAST(x'ff' AS TEXT)",
        "DELETE FROM rows",
        "DELETE FROM statistics",
        "UPDATE statistics SET data = 3",
        "UPDATE runs SET record = CAST(x'fe' AS TEXT)",
        "DELETE FROM digests WHERE kind = 'run'",
    ],
)
def test_a_run_that_was_edited_is_found_and_its_rows_are_not_handed_out(tmp_path: Path, edit: str) -> None:
    with Store(tmp_path / "s") as store:
        store.finish_run("r", [a_row(value=0.5)], {"bleu": np.ones((2, 3))}, {"measured_snr_db": 6.0})
        store.finish_run("q")
        store.finish_build("b", name="small", record={"parameters": 3})
        assert not store.noted.damaged("run") and not store.noted.damaged("build")
    make_foreign(tmp_path / "s", edit)
    with Store(tmp_path / "s") as store:
        assert "r" in store.noted.damaged("run") and not store.noted.damaged("build")
        with pytest.raises(UserMistake, match=r"run r must be as it was stored, got a damaged .*; run again"):
            store.rows("r")
        store.noted.forget("run", store.noted.damaged("run"))
        assert "r" not in store.done_runs() and store.done_builds() == {"b"}
        store.finish_run("r", [a_row(value=0.5)])
        assert store.rows("r") == [a_row(value=0.5)] and not store.noted.damaged("run")


@pytest.mark.parametrize("column", ["identity", "name", "status", "message", "record"])
def test_text_that_is_not_utf_8_is_damage(tmp_path: Path, column: str) -> None:
    with Store(tmp_path / "s") as store:
        store.finish_build("b", name="small", record={"parameters": 3})
        store.finish_build("c", name="big")
    make_foreign(tmp_path / "s", f"UPDATE builds SET {column} = CAST(x'fffe' AS TEXT) WHERE identity = 'b'")
    with Store(tmp_path / "s") as store:
        (found,) = store.noted.damaged("build")
        store.noted.forget("build", [found])
        assert store.done_builds() == set(store.builds()) == {"c"}
    make_foreign(tmp_path / "s", f"UPDATE builds SET {column} = CAST(x'fffe' AS TEXT)", "DROP TABLE digests")
    with pytest.raises(UserMistake, match=r"got a damaged file \(text: .*can't encode"):
        Store(tmp_path / "s")


def test_digests_do_not_move_with_a_column_that_a_later_version_adds(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        store.finish_run("r", [a_row(value=-0.0, crowd="", user="", level_db=(-3.0, 0.0))])
    with sqlite3.connect(tmp_path / "s") as connection:
        for name in ("crowd", *MAKING):
            connection.execute(f"ALTER TABLE rows DROP COLUMN {name}")
    connection.close()
    for reading in (True, False, True):
        with Store(tmp_path / "s", reading=reading) as store:
            assert not store.noted.damaged("run")


@pytest.mark.parametrize(
    "description",
    [
        "REPLACE(sql, 'PRIMARY', 'primary') WHERE name = 'builds'",
        "REPLACE(sql, 'identity TEXT', 'identity REAL') WHERE name = 'runs'",
        "REPLACE(sql, 'data BLOB', 'data BLOC') WHERE name = 'statistics'",
        "REPLACE(sql, '\"value\"', '\"valud\"') WHERE name = 'rows'",
    ],
)
def test_a_damaged_description_of_a_table_is_damage(tmp_path: Path, description: str) -> None:
    with Store(tmp_path / "s") as store:
        store.finish_run("r", [a_row(value=0.5)])
    make_foreign(tmp_path / "s", "PRAGMA writable_schema = ON", f"UPDATE sqlite_master SET sql = {description}")
    with pytest.raises(UserMistake, match="must be a whole results store, got a damaged file"):
        Store(tmp_path / "s")


def test_what_an_index_has_lost_is_damage(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        store.finish_run("r" * 40, [a_row("r" * 40)])
    content = (tmp_path / "s").read_bytes()
    places = [at for at in range(len(content)) if content.startswith(b"r" * 40, at)]
    for place in places:
        (tmp_path / "s").write_bytes(content[:place] + b"q" + content[place + 1 :])
        with contextlib.suppress(UserMistake), Store(tmp_path / "s") as store:
            assert store.noted.damaged("run") or not store.done_runs()


@pytest.mark.parametrize("loss", ["removed", "replaced by a copy", "moved"])
def test_a_store_that_is_taken_away_is_missed(tmp_path: Path, loss: str) -> None:
    path = tmp_path / "s"
    with Store(path) as store:
        store.finish_run("r", [a_row()])
        if loss == "replaced by a copy":
            (tmp_path / "copy").write_bytes(path.read_bytes())
            (tmp_path / "copy").replace(path)
        else:
            path.unlink() if loss == "removed" else path.rename(tmp_path / "elsewhere")
        for use in (store.done_runs, lambda: store.finish_run("q"), store.check_place):
            with pytest.raises(UserMistake, match="must stay in its place while a run goes on, got it moved, removed"):
                use()


def test_a_full_disk_is_told_and_what_was_there_stays(tmp_path: Path) -> None:
    big = np.random.default_rng(0).normal(size=(20_000, 4))
    with Store(tmp_path / "s") as store:
        store.finish_run("r", [a_row()])
        # SQLite's own limit on pages ends in the very error of a full disk.
        store._database._connection.execute("PRAGMA max_page_count = 40")
        with pytest.raises(UserMistake, match="the disk must take the results, got: database or disk is full; free"):
            store.finish_run("r", [a_row(value=1.0)], {"bleu": big})
        assert store.rows("r") == [a_row()] and store.families("r") == ()
        store.finish_run("q", [a_row("q")])
        assert store.done_runs() == {"r", "q"}


@posix_only
def test_a_real_limit_on_file_size_is_told_like_a_full_disk(tmp_path: Path) -> None:
    script = (
        "import resource, sys; from pathlib import Path; import numpy as np\n"
        "from semcom.store.store import Store\n"
        "store = Store(Path(sys.argv[1])); store.finish_run('first')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "store.finish_run('second', statistics={'bleu': np.random.default_rng(0).normal(size=(50_000, 4))})\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "s")], capture_output=True, text=True)
    assert "UserMistake" in done.stderr and "the disk must take the results" in done.stderr
    with Store(tmp_path / "s") as store:
        assert store.done_runs() == {"first"}


@pytest.mark.parametrize("cells", [{}, {"against": "big"}, {"against": "plain", "gap_to": "big"}])
def test_a_store_from_before_the_kinds_tells_them_all_the_same(tmp_path: Path, cells: dict[str, str]) -> None:
    path, row = tmp_path / "s", a_row("old", value=0.5, **cells)
    with Store(path) as store:
        store.finish_run("old", [row])
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE rows DROP COLUMN kind")
        # Digests came on the same day: a store without the column has none of it.
        connection.execute("DROP TABLE digests")
    connection.close()
    with Store(path, reading=True) as store:
        assert store.rows("old") == [row] and row.kind
    # Whoever writes gives it the column, with nothing in it for the rows that were there.
    for _ in range(2):
        with Store(path) as store:
            assert store.rows("old") == [row]


def test_a_store_from_before_a_column_was_thought_of_is_read_and_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with Store(path) as store:
        store.finish_run("old", [a_row("old", crowd="", value=1 / 3)], {"bleu": np.ones((2, 4))})
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE rows DROP COLUMN crowd")
    connection.close()
    with Store(path, reading=True) as store:
        assert store.rows("old") == [a_row("old", value=1 / 3)]
    with Store(path) as store:
        store.finish_run("new", [a_row("new", crowd="big+small")])
        assert store.rows("old") == [a_row("old", value=1 / 3)]
        assert store.rows("new") == [a_row("new", crowd="big+small")]
        assert store.done_runs() == {"old", "new"} and store.families("old") == ("bleu",)
