"""What reading promises: a good table is understood, a bad one is told apart by row and column."""

from __future__ import annotations

import math

import pytest

from semcom.mistakes import UserMistake
from semcom.report.reading import COLUMNS, KINDS, ROLES, STATUSES, read_results, read_rows
from semcom.report.wording import caption
from semcom.store import results as written


def small(made):
    return made.sweep(snrs=(0.0, 6.0), counts=(0, 2), metrics=("bleu_4",))


def test_the_columns_are_those_of_the_agreement(made):
    assert tuple(made.table(small(made)).read_text().splitlines()[0].split(",")) == COLUMNS


def test_what_is_read_is_what_a_run_writes(tmp_path):
    """Both floors name the columns; neither may drift from the other."""
    assert tuple(written.COLUMNS) == COLUMNS
    assert (written.ROLES, written.STATUSES, written.KINDS) == (ROLES, STATUSES, KINDS)
    row = written.Row(
        task="text", codec="a", role="teacher", snr_db=3.0, interferers=2, level_db=(-6.0, -3.0), metric="bleu_4",
        value=1 / 3, low=0.3, high=0.4, count=10, seed=1, status="done",
    )  # fmt: skip
    written.write_csv([row], tmp_path / "results.csv")
    (read,) = read_rows(tmp_path / "results.csv")
    assert (read.value, read.level, read.seed) == (1 / 3, (-6.0, -3.0), 1)


def test_a_table_of_before_the_shares_is_read_without_them(made):
    path = made.table(small(made))
    place = COLUMNS.index("gap_to")
    cut = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("".join(",".join(cells[:place] + cells[place + 1 :]) + "\n" for cells in cut))
    assert "gap_to" not in path.read_text() and "against" in path.read_text()
    rows = read_rows(path)
    assert len(rows) == len(small(made)) and {row.gap_to for row in rows} == {None}


def test_a_table_of_before_the_kinds_is_read_with_them(made):
    lines = small(made)
    lines += made.shared(lines)
    path = made.table(lines)
    rows = read_rows(path)
    place = COLUMNS.index("kind")
    cut = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("".join(",".join(cells[:place] + cells[place + 1 :]) + "\n" for cells in cut))
    assert "kind" not in path.read_text()
    assert read_rows(path) == rows
    assert [rows.count(row) for row in rows] == [1] * len(lines)
    counts = [sum(row.kind == kind for row in rows) for kind in KINDS]
    assert counts == [3 * 2 * 2, 3 * 2 * 2, 2 * 2]


@pytest.mark.parametrize(
    ("method", "adopted", "own"),
    [
        ("trained", "", "trained"),
        ("trained, receiver adopted, from weights", "receiver", "trained, from weights"),
        ("relations, 2 teachers, transmitter adopted", "transmitter", "relations, 2 teachers"),
        ("source and channel code", "", "source and channel code"),
    ],
)
def test_a_table_of_before_the_columns_of_making_is_read_by_its_phrases(made, method, adopted, own):
    codecs = {"a": {"role": "codec", "method": method, "parameters": 5, "skill": 0.0}}
    path = made.table(made.sweep(codecs=codecs, pairs=(), counts=(0,), metrics=("bleu_4",)))
    (system,) = read_results(path).systems
    assert (system.method, system.adopted, system.own_method) == (method, adopted, own)


def test_how_a_codec_was_made_is_read_from_its_columns_whatever_the_phrase_says(made):
    told = {"methods": "relations", "teachers": "b+c", "adopted": "receiver", "pruned": "psr 4 of 8 layers", "bits": 8}
    codecs = {"a": {"role": "codec", "method": "in other words", "parameters": 5, "skill": 0.0}}
    lines = made.sweep(codecs=codecs, pairs=(), counts=(0,), metrics=("bleu_4",))
    (system,) = made.results([{**line, **told} for line in lines]).systems
    assert (system.method, system.adopted) == ("in other words", "receiver")
    assert system.own_method == "relations, 2 teachers, pruned by psr, 8 bits"


def test_a_share_without_a_control_is_refused(made):
    lines = small(made)
    with pytest.raises(UserMistake, match="row 1 under the header: against must be the control where the gap begins"):
        read_rows(made.table([{**lines[0], "gap_to": "teacher"}, *lines[1:]]))


def test_a_row_of_no_seed_beside_those_of_some_is_refused(made):
    """It would be averaged in as one more training: so a share whose teacher was lost, and a seed that was."""
    lines = made.sweep(snrs=(0.0,), counts=(0,), metrics=("bleu_4",))
    lines += [{**row, "gap_to": ""} for row in made.shared(lines)]
    with pytest.raises(UserMistake, match=r"must all name their seed, or none, but row 7 .* names seed 11; a share"):
        made.results(lines)


def test_a_file_is_no_run_folder(tmp_path):
    (tmp_path / "results.csv").write_text("codec\n")
    with pytest.raises(UserMistake, match=r"results\.csv must be a run folder, got a file; name the folder it lies in"):
        read_rows(tmp_path / "results.csv" / "results.csv")


@pytest.mark.parametrize(("column", "text"), [("value", "1e200"), ("parameters", "1e308"), ("antennas", "-1e16")])
def test_numbers_that_would_overflow_are_refused(made, column, text):
    lines = small(made)
    with pytest.raises(UserMistake, match=rf"{column} must be at most 1e\+15 in size, got '{text}'"):
        read_rows(made.table([{**lines[0], column: text}, *lines[1:]]))


@pytest.mark.parametrize("level", ["nan", "inf", "(-6, nan)"])
def test_a_level_that_is_no_number_of_decibels_is_refused(made, level):
    lines = [{**row, "level_db": level if row["interferers"] else ""} for row in small(made)]
    with pytest.raises(UserMistake, match="level_db"):
        read_rows(made.table(lines))


def test_numbers_arrive_as_written(made):
    lines = small(made)
    rows = read_rows(made.table(lines))
    assert [row.value for row in rows] == [line["value"] for line in lines]
    assert rows[0].sir_db == math.inf
    assert rows[0].level == () and rows[-1].level == (-6.0,)
    assert {row.against.codec for row in rows if row.against} == {"teacher", "plain"}


def test_infinite_sir_is_read_from_its_word(made):
    path = made.table(small(made))
    assert ",inf," in path.read_text()
    assert read_rows(path)[0].sir_db == math.inf


def test_a_byte_order_mark_does_no_harm(made):
    path = made.table(small(made))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_results(path).metrics == ("bleu_4",)


def test_more_columns_do_no_harm(made):
    path = made.table(small(made))
    path.write_text("".join(f"{line},more\n" for line in path.read_text().splitlines()))
    assert len(read_rows(path)) == len(small(made))


def test_a_run_that_failed_before_scoring_counts_for_every_metric(made):
    lines = made.sweep(snrs=(0.0, 6.0), counts=(0,), metrics=("bleu_1", "bleu_4"), pairs=())
    gone = {"value": "", "low": "", "high": "", "status": "failed", "parameters": "", "symbols_per_token": ""}
    kept = [line for line in lines if (line["codec"], line["snr_db"]) != ("plain", 0.0)]
    late = next({**line, **gone, "metric": ""} for line in lines if (line["codec"], line["snr_db"]) == ("plain", 0.0))
    results = made.results([*kept, late])
    lost = [point for point in results.points if point.missing]
    assert [point.metric for point in lost] == ["bleu_1", "bleu_4"]
    assert {point.system.parameters for point in lost} == {380_000}
    assert len(results.systems) == 3


@pytest.mark.parametrize("text", ["-6;-3", "(-6.0, -3.0)", "[-6 -3]"])
def test_each_interferer_may_have_a_level_of_its_own(made, text):
    lines = [{**line, "level_db": text if line["interferers"] else ""} for line in small(made)]
    assert read_rows(made.table(lines))[-1].level == (-6.0, -3.0)


def changed(made, **cells):
    """A good table but for the cells of its third row."""
    lines = small(made)
    lines[2] = {**lines[2], **cells}
    return made.table(lines)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"value": "much"}, "row 3 under the header: value must be a number or nothing, got 'much'"),
        ({"snr_db": ""}, "snr_db must be a finite number, got ''"),
        ({"interferers": "1.5"}, "interferers must be a whole number from 0 up, got '1.5'"),
        ({"parameters": "-3"}, "parameters must be a whole number from 0 up, got '-3'"),
        ({"role": "pupil"}, "role must be one of teacher, student, control, codec, published, got 'pupil'"),
        ({"status": "lost"}, "status must be one of done, failed, skipped, published, got 'lost'"),
        ({"codec": ""}, "codec must be the name of a codec, got ''"),
        ({"metric": ""}, "metric must be the name of a metric, got ''"),
        ({"status": "failed"}, "value must be empty where status is failed"),
        ({"value": "inf"}, "value must be a finite number, got 'inf'"),
        ({"low": "0.9", "high": "0.1"}, "low must be at most high = 0.1, got '0.9'"),
        ({"adopted": "both"}, "adopted must be one of empty, transmitter, receiver, encoder, around, got 'both'"),
        ({"bits": "7.5"}, "bits must be a whole number from 0 up, got '7.5'"),
        ({"kind": "share"}, "kind must be value by against and gap_to of its row, got 'share'"),
        ({"kind": "value", "against": "plain"}, "kind must be difference by against and gap_to of its row, got"),
        ({"kind": "mean"}, "row 3 under the header: kind must be value by against and gap_to of its row, got 'mean'"),
        ({"level_db": "loud"}, "level_db must be a number, or several with ; between, got 'loud'"),
    ],
)
def test_a_wrong_cell_is_named(made, cells, said):
    with pytest.raises(UserMistake) as told:
        read_results(changed(made, **cells))
    assert said in str(told.value)
    assert "results.csv" in str(told.value)


def test_a_missing_file_is_a_mistake_with_a_way_out(tmp_path):
    with pytest.raises(UserMistake, match=r"no file .*run the scenario first"):
        read_results(tmp_path / "nowhere.csv")


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(UserMistake, match="got a folder"):
        read_results(tmp_path)


def test_an_empty_file_and_a_bare_header_are_mistakes(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("")
    with pytest.raises(UserMistake, match="got an empty file"):
        read_results(path)
    path.write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(UserMistake, match="at least one row under its header, got none"):
        read_results(path)


def test_other_text_than_utf8_is_a_mistake(made):
    path = made.table([{**line, "codec": "d\u00e9j\u00e0"} for line in small(made)])
    path.write_bytes(path.read_text(encoding="utf-8").encode("latin-1"))
    with pytest.raises(UserMistake, match="must be UTF-8 text, got byte 0xe9"):
        read_results(path)


def test_missing_and_renamed_columns_are_told(made):
    path = made.table(small(made))
    path.write_text(path.read_text().replace("snr_db,", "snr,", 1).replace(",high,", ",upper,", 1))
    with pytest.raises(UserMistake, match="snr_db, high are missing, got instead snr, upper; expected: task, codec"):
        read_results(path)


def test_ragged_rows_are_a_mistake(made):
    path = made.table(small(made))
    path.write_text(path.read_text() + "x," * 50 + "\n")
    with pytest.raises(UserMistake, match=f"comma-separated table with {len(COLUMNS)} cells"):
        read_results(path)


def test_a_cell_too_many_in_every_row_is_a_mistake_too(made):
    path = made.table(small(made))
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *(f"{row},1" for row in rows)]) + "\n")
    with pytest.raises(UserMistake, match=f"comma-separated table with {len(COLUMNS)} cells"):
        read_results(path)


def test_two_values_for_one_point_are_a_mistake_and_the_same_twice_is_not(made):
    lines = small(made)
    assert len(read_results(made.table([*lines, lines[0]])).points) == len(lines)
    with pytest.raises(UserMistake, match=f"rows 1 and {len(lines) + 1} .*differ"):
        read_results(made.table([*lines, {**lines[0], "value": 0.5}]))


def test_a_table_from_before_crowds_were_mixed_is_read(made):
    path = made.table(small(made))
    lines = [line.split(",") for line in path.read_text().splitlines()]
    place = lines[0].index("crowd")
    path.write_text("".join(",".join(cells[:place] + cells[place + 1 :]) + "\n" for cells in lines))
    assert {row.condition.crowd for row in read_rows(path)} == {""}


def test_crowds_of_other_codecs_are_conditions_of_their_own(made):
    """Without interferers there is no crowd to tell apart: those points belong to both parts."""
    lines = small(made)
    mixed = [{**row, "crowd": "teacher+plain", "value": row["value"] / 2} for row in lines if row["interferers"]]
    parts = made.results([*lines, *mixed]).parts()
    assert [part.distinction for part in parts] == [
        ("crowd of the wanted codec",), ("crowd of teacher+plain",)
    ]  # fmt: skip
    assert all({point.interferers for point in part.points} == {0, 2} for part in parts)
    told = [caption(part, part.absolute) for part in parts]
    assert "through teacher and plain in turn" in told[1] and "through" not in told[0]
