"""What the report promises: every file, the same bytes again, and no model behind it."""

from __future__ import annotations

import subprocess
import sys

from semcom.report.drawing import draw_all, report


def tiny(made):
    return made.table(made.sweep(snrs=(0.0, 9.0), counts=(0,), metrics=("bleu_4",), pairs=(("distilled", "teacher"),)))


def test_drawing_twice_gives_the_same_bytes(made, tmp_path):
    path = tiny(made)
    told = []
    first = report(path, tmp_path / "one", lambda done, total, message: told.append((done, total, message)))
    second = draw_all(str(path), tmp_path / "two")
    assert [one.name for one in first] == [other.name for other in second]
    assert {one.suffix for one in first} == {".png", ".svg", ".pdf", ".md", ".tex", ".csv"}
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
    assert [done for done, _, _ in told] == list(range(1, told[-1][1] + 1))
    assert {path.parent.name for path in first} == {"figures", "tables"}


def test_only_beside_its_table_is_anything_removed(made, tmp_path):
    path, elsewhere = tiny(made), tmp_path / "paper"
    theirs = [elsewhere / "figures" / "fig__setup.pdf", elsewhere / "tables" / "ablation.csv"]
    old = path.parent / "figures" / "wer__against_snr.png"
    for file in (*theirs, old):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("somebody's")
    report(path, elsewhere)
    assert [file.read_text() for file in theirs] == ["somebody's"] * 2
    report(path, path.parent)
    assert not old.exists()


def test_the_table_alone_is_enough_and_torch_stays_away(made, tmp_path):
    path = tiny(made)
    program = (
        "import sys; from pathlib import Path; import semcom.report.drawing, semcom.report.summary;"
        f"semcom.report.summary.summary_table(Path({str(path)!r}));"
        "assert 'torch' not in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_conditions_get_files_of_their_own(made, tmp_path, monkeypatch):
    """Names only: what is in the files is tested elsewhere, and drawing takes time."""
    lines = made.sweep(snrs=(0.0, 9.0), counts=(0,), metrics=("bleu_4",), pairs=())
    path = made.table(lines + [{**line, "fading": "rician(k_factor_db=6)"} for line in lines])
    names = []
    monkeypatch.setattr("semcom.report.drawing.save", lambda figure, path: names.append(path.name) or [])
    draw_all(path, tmp_path)
    assert "bleu_4__against_snr__fading_rayleigh" in names
    assert "bleu_4__against_snr__fading_rician_k_factor_db_6" in names
    assert len(set(names)) == len(names)
