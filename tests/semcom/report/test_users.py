"""Cells in a report: the usual figures keep to the wanted user, the others have figures and tables of their own."""

from __future__ import annotations

import csv
import io

import pytest

from semcom.mistakes import UserMistake
from semcom.report.drawing import report
from semcom.report.tables import tables_of, to_csv, users_table
from semcom.report.users import users_against_interferers, users_against_snr

SNRS, COUNTS = (0.0, 6.0, 12.0), (0, 1, 2)


def cell(made, crowd: str = "teacher+plain", metrics=("bleu_4",)) -> list[dict[str, object]]:
    """Every user of every point, each a little worse than the one before, and the sums."""
    lines = []
    for row in made.sweep(snrs=SNRS, counts=COUNTS, metrics=metrics, pairs=(("plain", "teacher"),)):
        count, value = int(row["interferers"]), float(row["value"])
        for user in range(1 + count):
            own = {"value": 0.9**user * value, "low": 0.8**user * value - 0.01, "high": value + 0.01}
            lines.append({**row, **(own if not row["against"] else {}), "user": user, "crowd": crowd if count else ""})
        values = sum(0.9**user * value for user in range(1 + count))
        told = {"value": values, "low": values - 0.1, "high": values + 0.1, "sir_db": "", "sinr_db": ""}
        lines.append({**row, **told, "user": "sum", "crowd": crowd if count else ""})
    return lines


def test_the_usual_parts_hold_the_wanted_user_alone(made) -> None:
    alone = made.results(made.sweep(snrs=SNRS, counts=COUNTS, metrics=("bleu_4",)))
    cells = made.results(cell(made))
    assert {point.user for part in cells.parts() for point in part.points} == {"0"}
    assert alone.cells() == ()
    (one,), (other,) = alone.parts(), cells.parts()
    assert [point.value for point in one.absolute] == [point.value for point in other.absolute]


def test_a_part_of_a_cell_holds_every_user_of_one_wanted_codec(made) -> None:
    parts = made.results(cell(made)).cells()
    assert [part.distinction for part in parts] == [(f"wanted codec {name}",) for name in made.codecs]
    for part in parts:
        assert {point.user for point in part.points} == {"0", "1", "2", "sum"}
        assert len(part.points) == len(SNRS) * sum(count + 2 for count in COUNTS)
        assert not part.paired


def test_a_line_a_user_named_with_its_codec(made) -> None:
    part = made.results(cell(made)).cells()[1]
    for draw, panels in ((users_against_snr, 2), (users_against_interferers, 3)):
        figure = draw(part)
        assert len(figure.axes) == panels
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == [
            "user 0 (wanted, plain)", "user 1 (teacher)", "user 2 (plain)",
        ]  # fmt: skip
    last = users_against_interferers(part).axes[0].lines
    assert [len(line.get_xdata()) for line in last] == [3, 2, 1], "a user begins where it joins"
    assert "SIR\xa06\xa0dB" in users_against_snr(part).axes[0].get_title(loc="left"), "as the wanted user hears it"


def test_without_a_crowd_of_its_own_everybody_has_the_wanted_codec(made) -> None:
    part = made.results(cell(made, crowd="")).cells()[0]
    (legend,) = users_against_snr(part).legends
    assert [text.get_text() for text in legend.get_texts()][1:] == ["user 1 (teacher)", "user 2 (teacher)"]


def test_one_user_at_one_point_makes_no_figure(made) -> None:
    for part in made.results([row for row in cell(made) if row["snr_db"] == 0 and row["interferers"] == 1]).cells():
        assert users_against_snr(part) is None
        assert users_against_interferers(part) is None


def test_the_table_has_a_column_a_user_and_one_for_the_sum(made) -> None:
    lines = cell(made)
    results = made.results(lines)
    table = users_table(results.cells()[0])
    assert table.header == (
        "interferers", "SNR [dB]", "user 0 (wanted, teacher)", "user 1 (teacher)", "user 2 (plain)", "sum of all",
    )  # fmt: skip
    assert [row[:2] for row in table.rows] == [(f"{count}", f"{snr:g}") for count in COUNTS for snr in SNRS]
    assert [bool(text) for text in table.rows[0][2:]] == [True, False, False, True]
    read = list(csv.DictReader(io.StringIO(to_csv(table))))
    mine = [row for row in lines if row["codec"] == "teacher" and not row["against"]]
    assert sorted((row["user"], float(row["value"])) for row in read) == sorted(
        (str(row["user"]), float(row["value"])) for row in mine
    )
    assert "users" in table.name and len([each for each in tables_of(results) if "__users__" in each.name]) == 3


def test_the_interval_of_a_sum_may_reach_beyond_one(made) -> None:
    sums = [point for point in made.results(cell(made)).points if point.user == "sum" and not point.against]
    assert max(point.high for point in sums) > 1
    assert all(point.high <= 1 + point.interferers and point.low >= 0 for point in sums)


def test_everything_is_drawn(made, tmp_path) -> None:
    written = {path.stem for path in report(made.table(cell(made)), tmp_path)}
    assert "bleu_4__users_against_snr__wanted_codec_teacher" in written
    assert "bleu_4__users_against_interferers__wanted_codec_plain" in written
    assert "bleu_4__against_snr" in written


def test_a_user_must_be_a_number_or_the_sum(made) -> None:
    lines = cell(made)
    lines[3]["user"] = "everybody"
    with pytest.raises(UserMistake, match="row 4 under the header: user must be the number of a user, sum or empty"):
        made.results(lines)
