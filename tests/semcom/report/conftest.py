"""A results.csv as a run would leave it: made-up curves that fall where curves of this kind fall."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from semcom.making import MAKING, Making
from semcom.report.reading import read_results
from semcom.report.results import Results

HEADER = (
    "task", "codec", "role", "method", *MAKING, "language", "beam", "parameters", "body_parameters", "size_bytes",
    "symbols_per_token", "symbols_per_word", "fading", "coherence", "interference", "equalizer", "csi", "antennas",
    "crowd", "detector", "user", "snr_db", "interferers", "level_db", "sir_db", "sinr_db", "measured_snr_db",
    "measured_sinr_db", "metric", "kind", "against", "gap_to", "value", "low", "high", "count", "seed", "status",
    "run_id", "common",
)  # fmt: skip
TAUGHT = Making(methods="soft_logits+symbols", teachers="teacher")
CODECS = {
    "teacher": {"role": "teacher", "making": Making(), "parameters": 1_420_000, "skill": 0.0},
    "plain": {"role": "control", "making": Making(), "parameters": 380_000, "skill": -2.2},
    "distilled": {"role": "student", "making": TAUGHT, "parameters": 380_000, "skill": -1.0},
}
SNRS = tuple(float(snr) for snr in range(-6, 13, 3))
METRICS = ("bleu_1", "bleu_4", "similarity")
HALF = {"bleu_1": 3.2, "bleu_4": 5.0, "similarity": 1.0}

Lines = list[dict[str, object]]


def quality(metric: str, sinr_db: float, skill: float) -> float:
    """A rising curve between what chance gives and almost everything."""
    share = 1 / (1 + math.exp(-(sinr_db + skill - HALF.get(metric, 3.0)) / 2.0))
    return 0.35 + 0.64 * share if metric == "similarity" else 0.04 + 0.94 * share


def line(codec: str, about: dict[str, object], *, snr_db: float, interferers: int, level_db: float, seed: int) -> dict:
    """What every row of one run says; how its codec was made, in columns, or as others might in a phrase alone."""
    making = about.get("making")
    made = {**vars(making), "method": making.phrase} if isinstance(making, Making) else {"method": about["method"]}
    per_token = float(about.get("symbols_per_token", 4))
    sir_db = -level_db - 10 * math.log10(interferers) if interferers else math.inf
    sinr_db = -10 * math.log10(10 ** (-snr_db / 10) + 10 ** (-sir_db / 10))
    return {
        **dict.fromkeys(HEADER, ""),
        "task": "text", "codec": codec, "role": about["role"], **made,
        "parameters": about["parameters"], "body_parameters": int(0.6 * int(about["parameters"])),
        "size_bytes": 4 * int(about["parameters"]) + 900, "symbols_per_token": per_token,
        "symbols_per_word": per_token * 1.31, "fading": "rayleigh", "coherence": "sentence",
        "interference": "neighbors" if interferers else "none", "equalizer": "mmse", "csi": "perfect",
        "antennas": 1, "snr_db": snr_db, "interferers": interferers,
        "level_db": level_db if interferers else "", "sir_db": sir_db, "sinr_db": sinr_db,
        "measured_snr_db": snr_db + 0.03, "measured_sinr_db": sinr_db + 0.02, "count": 2000, "seed": seed,
        "status": "done", "run_id": f"{codec}-{snr_db:g}-{interferers}-{level_db:g}-{seed}",
    }  # fmt: skip


def sweep(
    *,
    codecs: dict[str, dict[str, object]] = CODECS,
    snrs: Iterable[float] = SNRS,
    counts: Iterable[int] = (0, 1, 2, 4),
    metrics: Iterable[str] = METRICS,
    seeds: Iterable[int] = (11,),
    level_db: float = -6.0,
    pairs: Iterable[tuple[str, str]] = (("distilled", "teacher"), ("distilled", "plain"), ("plain", "teacher")),
) -> Lines:
    """Rows of every codec at every point, then the paired rows."""
    chance = np.random.default_rng(5)
    lines, found = [], {}
    places = [(s, n, m, seed) for seed in seeds for n in counts for s in snrs for m in metrics]
    for codec, about in codecs.items():
        for snr_db, interferers, metric, seed in places:
            row = line(codec, about, snr_db=snr_db, interferers=interferers, level_db=level_db, seed=seed)
            value = quality(metric, float(row["sinr_db"]), float(about["skill"])) + 0.012 * chance.standard_normal()
            found[codec, snr_db, interferers, metric, seed] = value = float(np.clip(value, 0.0, 1.0))
            lines.append({**row, "metric": metric, "value": value, "low": value - 0.014, "high": value + 0.013})
    for codec, against in pairs:
        for place in places:
            snr_db, interferers, metric, seed = place
            row = line(codec, codecs[codec], snr_db=snr_db, interferers=interferers, level_db=level_db, seed=seed)
            gap = found[(codec, *place)] - found[(against, *place)]
            told = {"metric": metric, "against": against, "value": gap, "low": gap - 0.006, "high": gap + 0.006}
            lines.append({**row, **told})
    return lines


def shared(lines: Lines, student: str = "distilled", control: str = "plain", teacher: str = "teacher") -> Lines:
    """The rows of the share of the gap that a student closes, from the absolute rows of one metric or several."""
    places: dict[tuple[object, ...], dict[object, list[float]]] = {}
    first: dict[tuple[object, ...], dict[str, object]] = {}
    for row in lines:
        if not row["against"]:
            place = row["interferers"], row["level_db"], row["snr_db"], row["metric"]
            places.setdefault(place, {}).setdefault(row["codec"], []).append(float(row["value"]))
            if row["codec"] == student:
                first.setdefault(place, row)
    found = []
    for place, values in places.items():
        means = {codec: sum(each) / len(each) for codec, each in values.items()}
        share = (means[student] - means[control]) / (means[teacher] - means[control])
        told = {"against": control, "gap_to": teacher, "seed": "", "value": share, "low": share - 0.2}
        found.append({**first[place], **told, "high": share + 0.2})
    return found


def failed(lines: Lines, codec: str, snr_db: float, interferers: int, status: str = "failed") -> Lines:
    """The same rows with one point that gave no number, its paired rows included."""
    gone = {"value": "", "low": "", "high": "", "count": "", "status": status}
    return [
        {**row, **gone}
        if codec in (row["codec"], row["against"]) and (row["snr_db"], row["interferers"]) == (snr_db, interferers)
        else row
        for row in lines
    ]


def published(metrics: Iterable[str] = METRICS) -> Lines:
    """A curve from elsewhere: a note, no interval, no seed."""
    note = "independent re-run of a public code, axis shifted +3 dB to our SNR, 8 symbols a word"
    about = {"role": "published", "method": note, "parameters": "0"}
    lines = []
    for metric in metrics:
        for snr_db in (3.0103, 6.0103, 9.0103, 12.0103):
            row = line("reference", about, snr_db=snr_db, interferers=0, level_db=0.0, seed=0)
            told = {"metric": metric, "value": quality(metric, snr_db, -1.6), "status": "published"}
            blank = dict.fromkeys(("parameters", "body_parameters", "size_bytes", "count", "seed", "run_id"), "")
            lines.append({**row, **blank, **told, "equalizer": "zero_forcing", "symbols_per_word": 8})
    return lines


def kind(row: dict[str, object]) -> str:
    """What the number in a row is."""
    return "share" if row["gap_to"] else "difference" if row["against"] else "value"


def write(path: Path, lines: Lines) -> Path:
    """Write the rows as a run would."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows({**line, "kind": line["kind"] or kind(line)} for line in lines)
    return path


class Maker:
    """The functions above, and a folder of the test's own to write into."""

    codecs = CODECS
    sweep = staticmethod(sweep)
    failed = staticmethod(failed)
    published = staticmethod(published)
    shared = staticmethod(shared)

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def table(self, lines: Lines) -> Path:
        return write(self.folder / "results.csv", lines)

    def results(self, lines: Lines) -> Results:
        return read_results(self.table(lines))

    def part(self, lines: Lines) -> Results:
        """The only part of a table with one metric under one condition."""
        (part,) = self.results(lines).parts()
        return part


@pytest.fixture
def made(tmp_path: Path) -> Maker:
    return Maker(tmp_path)
