"""Numbers of one tiny scenario that goes through most of the code, pinned: every weight and every row.

A number that moves under an unchanged identity says that every finished run of every user is silently wrong. Only who
means to move them (and so raises `GENERATION` or another number in `semcom/scenario/identity.py`) writes them anew:
`SEMCOM_REWRITE_GOLDEN=1 pytest tests/test_golden_numbers.py`.

Rounding differs between processors and versions of torch. So the file says what it was made with (`arithmetic`), and
that includes a digest of a small training that uses torch alone, since two processors with the same instructions may
still multiply matrices by other kernels. Where all of that agrees, every bit must agree. Elsewhere two sums over each
weight must agree within `CLOSE`, and rows within `CLOSE` and, as one rounding may change a word, `A_FEW_WORDS`. Set to
older instructions (`ATEN_CPU_CAPABILITY=default MKL_ENABLE_INSTRUCTIONS=SSE4_2`, and the same for AVX2) the processor
that wrote the file moved weights by at most 3e-6, the sums by at most 2e-7, and no word. Only the biases of attention's
keys are not compared there: they add the same to every score, so their gradient is nothing but rounding, which Adam
blows up to full steps.

Deliberate mistakes that must move them, whichever way they are compared, are tests below: AdamW's second beta, another
name for the stream of first weights, another order of sentences, a channel estimate with 100 times the error. An
estimate of time that is 100 times too large falls in test_preview.py.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file

from channels import Chance, NoisyCsi
from semcom.experiment.conduct import conduct
from semcom.experiment.workers import Means
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.store.circumstances import circumstances
from semcom.store.folder import RunFolder

GOLDEN = Path(__file__).resolve().parent / "golden"
CLOSE = 1e-5
A_FEW_WORDS = 0.03  # of the 145 words and 16 sentences that are scored
SCORES = ("value", "low", "high")
AIR = ("sinr_db", "measured_snr_db", "measured_sinr_db", "symbols_per_word", "count", "size_bytes")

Numbers = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def numbers_of(tmp_path_factory: pytest.TempPathFactory, made_up: Callable[..., list[str]]) -> Callable[..., Numbers]:
    """Hand out `numbers_of("training.steps=3")`: what the scenario gives with changes."""
    text = tmp_path_factory.mktemp("numbers") / "text.txt"
    text.write_text("\n".join(made_up(300)) + "\n", encoding="utf-8")

    def call(*changes: str) -> Numbers:
        folder = tmp_path_factory.mktemp("run")
        scenario, said = load_scenario(GOLDEN / "numbers.yaml", (f"corpus.path={text}", *changes))
        with pytest.MonkeyPatch.context() as patch:
            # It takes longer than all the rest, and times are no numbers of the scenario.
            patch.setattr("semcom.experiment.conduct.time_codecs", lambda *_, **__: None)
            means = Means(device="cpu")
            assert not conduct(scenario, said, folder, means=means, console=Console(file=io.StringIO()))
        weights = {}
        for build in expand(scenario).builds:
            stored = load_file(RunFolder(folder).weights(build.identity))
            weights |= {f"{build.name} {name}": in_brief(weight) for name, weight in sorted(stored.items())}
        with (folder / "results.csv").open(encoding="utf-8", newline="") as lines:
            rows = {place(row): [float(row[name] or "nan") for name in SCORES + AIR] for row in csv.DictReader(lines)}
        return {"arithmetic": arithmetic(), "weights": weights, "rows": rows}

    return call


def in_brief(weight: torch.Tensor) -> list[Any]:
    """The digest of a weight; its root mean square; and a sum that knows the order of its numbers."""
    content = hashlib.blake2b(weight.contiguous().numpy().tobytes(), digest_size=8).hexdigest()
    values = weight.double().flatten()
    ramp = torch.linspace(-1, 1, len(values), dtype=torch.float64)
    return [content, round(values.square().mean().sqrt().item(), 7), round((values * ramp).mean().item(), 7)]


def place(row: dict[str, str]) -> str:
    """What a row is of."""
    of = " ".join(filter(None, (row["codec"], row["kind"], row["against"], row["metric"])))
    return f"{of} at {float(row['snr_db']):g} dB with {float(row['interferers']):g}"


def arithmetic() -> dict[str, Any]:
    """What the numbers were computed with."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        digests = hashlib.blake2b(digest_size=8)
        for width in (16, 32):
            layer = torch.nn.TransformerEncoderLayer(width, 2, 4 * width, dropout=0.0, batch_first=True)
            optimizer = torch.optim.AdamW(layer.parameters(), lr=1e-2, fused=True)
            for length in (8, 11):
                heard, targets = layer(torch.randn(16, length, width)), torch.arange(16 * length) % width
                torch.nn.functional.cross_entropy(heard.flatten(0, 1), targets).backward()
                optimizer.step()
            for each in layer.parameters():
                digests.update(each.detach().numpy().tobytes())
    return {**vars(circumstances("cpu")), "kernels": digests.hexdigest()}


def moved(found: Numbers, known: Numbers, *, bits: bool) -> list[str]:
    """What is not as it was pinned, of that which was found; what was never pinned has moved too."""
    is_same = {"weights": identical if bits else close_weights, "rows": identical if bits else close_rows}
    return [
        f"{kind}: {name} {value} instead of {known[kind].get(name)}"
        for kind, same in is_same.items()
        for name, value in found[kind].items()
        if name not in known[kind] or not same(name, value, known[kind][name])
    ]


def identical(name: str, value: list[Any], pinned: list[Any]) -> bool:
    return value == pinned


def close_weights(name: str, value: list[Any], pinned: list[Any]) -> bool:
    return name.endswith(("attention.key.bias", "across.key.bias")) or value[1:] == pytest.approx(pinned[1:], abs=CLOSE)


def close_rows(name: str, value: list[float], pinned: list[float]) -> bool:
    scores, air = slice(0, len(SCORES)), slice(len(SCORES), None)
    is_heard = value[scores] == pytest.approx(pinned[scores], abs=A_FEW_WORDS)
    return is_heard and value[air] == pytest.approx(pinned[air], abs=CLOSE)


def pinned() -> Numbers:
    path = GOLDEN / "numbers.json"
    assert path.is_file(), f"{path} is missing; a golden file is never made by the way"
    numbers: Numbers = json.loads(path.read_text(encoding="utf-8"))
    return numbers


def write(numbers: Numbers) -> None:
    """One weight or row a line, so that a change can be read."""
    parts = []
    for kind, each in numbers.items():
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in each.items())
        parts.append(f" {json.dumps(kind)}: {{\n{lines}\n }}")
    (GOLDEN / "numbers.json").write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def test_the_numbers_of_one_scenario_are_pinned(numbers_of: Callable[..., Numbers]) -> None:
    found = numbers_of()
    if os.environ.get("SEMCOM_REWRITE_GOLDEN"):
        write(found)
    known = pinned()
    assert [*found["weights"], *found["rows"]] == [*known["weights"], *known["rows"]]
    bits = found["arithmetic"] == known["arithmetic"]
    wrong = moved(found, known, bits=bits)
    assert not wrong, "\n".join([f"{len(wrong)} numbers moved, compared by {'bits' if bits else 'size'}:", *wrong[:20]])


# Deliberate mistakes

ALONE = ("sweep={codec: [teacher], snr_db: [18], interferers: [2]}", "measure.compare=[]")


def another_beta(patch: pytest.MonkeyPatch) -> None:
    right = torch.optim.AdamW
    patch.setattr(torch.optim, "AdamW", lambda groups, **more: right(groups, **{**more, "betas": (0.9, 0.999)}))


def renamed(patch: pytest.MonkeyPatch, cause: str) -> None:
    right = Chance.of
    patch.setattr(Chance, "of", lambda self, *causes: right(self, *("?" if each == cause else each for each in causes)))


def another_stream_of_first_weights(patch: pytest.MonkeyPatch) -> None:
    renamed(patch, "weights")


def another_order_of_sentences(patch: pytest.MonkeyPatch) -> None:
    renamed(patch, "batches")


def a_hundredfold_error_of_the_channel_estimate(patch: pytest.MonkeyPatch) -> None:
    right = NoisyCsi.error_power
    patch.setattr(NoisyCsi, "error_power", lambda self, *given: 100 * right(self, *given))


def none_at_all(patch: pytest.MonkeyPatch) -> None:
    """What must move nothing."""


@pytest.mark.parametrize(
    "mistake",
    [
        none_at_all,
        another_beta,
        another_stream_of_first_weights,
        another_order_of_sentences,
        a_hundredfold_error_of_the_channel_estimate,
    ],
    ids=lambda mistake: mistake.__name__,
)
def test_a_mistake_that_changes_results_moves_them(
    mistake: Callable[[pytest.MonkeyPatch], None], numbers_of: Callable[..., Numbers], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = pinned()
    mistake(monkeypatch)
    found = numbers_of(*ALONE)
    wrong = moved(found, known, bits=False)
    if mistake is none_at_all:
        assert not wrong
        return
    weights = [each for each in wrong if each.startswith("weights")]
    assert len(weights) > len(found["weights"]) / 2, "seen on another processor too"
    assert any(each.startswith("rows") for each in wrong)
