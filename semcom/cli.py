"""The command line: run, check, report, send, prepare, list, schema."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

# Before anything imports torch: spinning threads wait badly on shared cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from semcom.lazy_torch import load_torch_when_used

load_torch_when_used()

import typer  # noqa: E402

from semcom.files import unwritable  # noqa: E402
from semcom.mistakes import UserMistake  # noqa: E402
from semcom.terminal import Terminal, reserve_standard_streams  # noqa: E402

INTERRUPTED = 130  # what typer makes of Ctrl-C
OUT_OF_MEMORY = (
    "the work must fit into memory, and there was not enough; free some, use fewer --workers, a smaller training.batch "
    "or measure.batch, or less text, and run the same command again to go on"
)

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
reserve_standard_streams()
console = Terminal()
complaints = Terminal(stderr=True)

ScenarioArgument = Annotated[str, typer.Argument(help="A YAML file, or the bare name of a shipped scenario.")]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="Override one key: --set training.steps=500.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="Run folder; default runs/<name of the scenario>.")]
WorkersOption = Annotated[int, typer.Option(min=1, max=256, help="Processes that train and measure.")]
BorrowOption = Annotated[
    list[Path] | None, typer.Option("--borrow", help="A run folder whose finished codecs are not trained again.")
]
ReplaceOption = Annotated[bool, typer.Option("--replace", help="Also in another scenario's run folder.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu or cuda.")]


@app.callback()
def _options(debug: Annotated[bool, typer.Option(help="Show tracebacks of mistakes.")] = False) -> None:
    """Semantic communication over a simulated multi-user link: train, distil, compare."""
    if debug:
        os.environ["SEMCOM_DEBUG"] = "1"


def _load(scenario: str, changes: list[str] | None) -> Any:
    from semcom.scenario.load import find_scenario, load_scenario

    return load_scenario(find_scenario(scenario), tuple(changes or ()))


@app.command()
def run(
    scenario: ScenarioArgument,
    out: OutOption = None,
    workers: WorkersOption = 1,
    device: DeviceOption = "auto",
    threads: Annotated[int | None, typer.Option(min=1, max=256, help="torch threads of each worker.")] = None,
    borrow: BorrowOption = None,
    replace: ReplaceOption = False,
    changes: SetOption = None,
) -> None:
    """Carry a scenario out: train, sweep, tabulate, draw. Begun again, it goes on where it stopped."""
    plan, text = _load(scenario, changes)
    from semcom.experiment.conduct import conduct
    from semcom.experiment.workers import Means

    folder = out or Path("runs") / plan.name
    means = Means(workers=workers, device=device, threads=threads or plan.threads)
    lenders = tuple(borrow or ())
    failed = conduct(plan, text, folder, means=means, console=console, lenders=lenders, replace=replace)
    _draw(folder)
    if failed:
        raise typer.Exit(1)


def _draw(folder: Path) -> None:
    from semcom.report.drawing import report as draw
    from semcom.report.summary import summary_table
    from semcom.words import counted

    paths = draw(folder / "results.csv", folder)
    console.print(summary_table(folder / "results.csv"))
    _print_special(folder / "results.csv")
    figures = sum(path.suffix == ".png" for path in paths)
    said = f"{counted(figures, 'figure')} in {folder / 'figures'}, tables in {folder / 'tables'}"
    console.print(said, highlight=False, markup=False)


def _print_special(results_csv: Path) -> None:
    """What there is only where it was asked for, or where codecs were compared."""
    from semcom.report.crossovers import crossover_summary
    from semcom.report.limits import limit_summary
    from semcom.report.summary import ablation_summary

    for summary in (ablation_summary, crossover_summary, limit_summary):
        if found := summary(results_csv):
            console.print(found)


@app.command()
def check(
    scenario: ScenarioArgument, out: OutOption = None, replace: ReplaceOption = False, changes: SetOption = None
) -> None:
    """Parse, expand and print the plan: what will be built and run, what is done, and about how long it takes."""
    from semcom.experiment.preview import preview

    plan, _ = _load(scenario, changes)
    folder = out or Path("runs") / plan.name
    console.print(preview(plan, folder, replace=replace), highlight=False, markup=False)
    _see_it_written()


@app.command()
def report(
    run_dir: Annotated[Path, typer.Argument(help="A run folder, or any folder with a results.csv.")],
    out: Annotated[Path | None, typer.Option("--out", help="Where figures and tables go; default the folder.")] = None,
) -> None:
    """Draw the figures and write the tables, from results.csv alone."""
    from semcom.report.drawing import report as draw

    paths = draw(run_dir / "results.csv", out or run_dir)
    for path in paths:
        console.print(str(path), highlight=False, markup=False)
    _print_special(run_dir / "results.csv")


@app.command()
def send(
    run_dir: Annotated[Path, typer.Argument(help="A run folder with trained codecs.")],
    sentence: Annotated[str, typer.Argument(help="What to say.")],
    codec: Annotated[list[str] | None, typer.Option(help="Which codecs; default all of the sweep.")] = None,
    snr_db: Annotated[float, typer.Option(help="Signal-to-noise ratio in dB.")] = 6.0,
    interferers: Annotated[int, typer.Option(min=0, max=1000, help="Other users on the air.")] = 0,
    repeats: Annotated[int, typer.Option(min=1, max=100, help="How many times, each in new air.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of the air.")] = 0,
) -> None:
    """Send one sentence and show what each codec delivers, side by side."""
    from semcom.experiment.sending import send_sentence

    table = send_sentence(
        run_dir, sentence, codecs=tuple(codec or ()), snr_db=snr_db, interferers=interferers, repeats=repeats, seed=seed
    )
    console.print(table)
    _see_it_written()


@app.command()
def prepare(
    corpus: Annotated[str, typer.Argument(help="europarl, docstrings, or the path of a text file or folder.")],
    url: Annotated[str | None, typer.Option(help="Another address of the Europarl archive.")] = None,
    cleaning: Annotated[
        str, typer.Option(help="letters (a-z and . ! ? alone) or light (as written, in any script).")
    ] = "letters",
) -> None:
    """Obtain and clean a corpus, once; broken downloads go on where they stopped."""
    from semcom.experiment.preparing import prepare_corpus

    prepare_corpus(corpus, url=url, cleaning=cleaning, console=console)


@app.command("list")
def list_names(
    kind: Annotated[str | None, typer.Argument(help="fading, interference, methods, metrics, ...")] = None,
) -> None:
    """What a scenario may name, with one line each."""
    from semcom.scenario.inventory import inventory

    console.print(inventory(kind), highlight=False, markup=False)
    _see_it_written()


@app.command()
def schema(
    markdown: Annotated[bool, typer.Option("--markdown", help="Tables of all keys, to be read by people.")] = False,
) -> None:
    """The JSON schema of a scenario, for editors; every key with its type, default and meaning."""
    # Written past rich: both are for machines, to the letter.
    if markdown:
        from semcom.scenario.reference import reference

        console.file.write("\n\n".join(f"## {name}\n\n{table}" for name, table in reference().items()) + "\n")
        return
    import json

    from semcom.scenario.scenario import Scenario

    told = Scenario.model_json_schema()
    # The question is the file's first comment, which no editor sees.
    told["required"] = [name for name in told["required"] if name != "question"]
    console.file.write(json.dumps(told, indent=2) + "\n")
    _see_it_written()


def _see_it_written() -> None:
    """For commands that only say something: where a full disk lost it they failed; a reader who left is no failure."""
    console.file.flush()
    if console.lost is not None:
        raise unwritable(Path("standard output"), console.lost)


def main() -> None:
    """Run a command; a user's mistake is one message and exit code 2."""
    try:
        app()
    except UserMistake as mistake:
        _complain(str(mistake))
        sys.exit(2)
    except OSError as error:
        # Most are explained where they arise; this is for disks that fill up while a figure is drawn and the like.
        _complain(str(unwritable(Path(error.filename or "a file"), error)))
        sys.exit(2)
    except MemoryError as error:
        _complain(OUT_OF_MEMORY + (f" ({error})" if str(error) else ""))
        sys.exit(1)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _complain("stopped; run the same command again to go on where it stopped")
        raise


def _complain(message: str) -> None:
    if os.environ.get("SEMCOM_DEBUG"):
        traceback.print_exc()
    complaints.print(message, style="red", highlight=False, markup=False)
