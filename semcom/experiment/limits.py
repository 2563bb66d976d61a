"""limits_of: what any code could do for the sentences of a run, from the bits that they have under a language."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from channels import Link, snr_db_for_share
from channels.limits import check_limit
from semcom.experiment.data import exam_of, text_of
from semcom.experiment.language import device_of
from semcom.experiment.repair import sealed
from semcom.experiment.spoken import load_language
from semcom.experiment.tabulate import conditions
from semcom.scenario.air import in_words
from semcom.scenario.work import LanguageBuild, Run, Surprise, Sweep
from semcom.sources.batches import SentenceBatch
from semcom.store.folder import RunFolder
from semcom.store.limits import Limit, write_limits
from semcom.store.results import cell
from semcom.store.store import Store
from semcom.tasks.detectors import AS_NOISE

FAMILY = "surprise"  # under which name the store keeps tokens and bits of every sentence
LINE = (0.002, 0.01, 0.03, *(each / 20 for each in range(2, 19)), 0.94, 0.97, 0.99, 0.998)
"""Shares through which a line is drawn."""


def unread(sweep: Sweep, done: Set[str]) -> set[str]:
    """Identities of the languages that have to be there because the bits of sentences under them are not known yet.

    Args:
        done: what the store holds.
    """
    return {each.language.identity for each in sweep.surprises.values() if each.identity not in done}


def write_bounds(sweep: Sweep, store: Store, place: RunFolder, *, device: str) -> None:
    """Write limits.csv, where limits were asked for. Bits that the store does not hold yet are counted and kept there.

    Raises:
        UserMistake: the disk refuses, or a language is not what its build wrote.
    """
    if not sweep.surprises:
        return
    known = sealed(sweep.languages, place, store)
    languages = {key: each for key, each in known.items() if isinstance(each, LanguageBuild)}
    done, built = store.done_runs(), store.done_builds()
    for key, each in {each.identity: each for each in sweep.surprises.values()}.items():
        if key not in done and each.language.identity in built:
            counted = bits_of_sentences(each, languages, place.path, device=device)
            record = {"what": f"bits of test sentences under {each.language.name}"}
            store.finish_run(key, statistics={FAMILY: counted}, record=record)
    write_limits(limits_of(sweep, store), place.limits_file)


def bits_of_sentences(
    surprise: Surprise, languages: Mapping[str, LanguageBuild], folder: Path, *, device: str
) -> np.ndarray:
    """Tokens and bits of every test sentence, in the order of the exam, [sentences, 2].

    A receiver is told where a sentence ends, so the end has no bits.
    """
    measure, build = surprise.measure, languages[surprise.language.identity]
    language = load_language(build, languages, folder, device)
    data = text_of(build, folder)
    questions = exam_of(data, measure.sentences, measure.batch, skip=measure.skip, foreign=measure.corpus)
    found = np.zeros((len(questions.messages), 2))
    with torch.inference_mode():
        for batch in questions.batches:
            assert isinstance(batch, SentenceBatch), "text is dealt in sentences"
            told = language.tell(batch.to(device_of(language))).double().cpu()[:, :-1]
            nats = -torch.where(batch.mask, told, 0.0).sum(1)
            found[list(batch.rows)] = torch.stack([batch.lengths.double(), nats / math.log(2)], dim=1).numpy()
    return found


def limits_of(sweep: Sweep, store: Store) -> list[Limit]:
    """Every measured codec's limit in every air that it met, in the order of the table.

    Raises:
        UserMistake: what is stored is not what was written.
    """
    done = store.done_runs()
    bits = {
        key: store.statistics(key, FAMILY)
        for key in {each.identity for each in sweep.surprises.values()}
        if key in done
    }
    met: dict[tuple[Any, ...], Run] = {}
    for run in sweep.runs:
        air = replace(run.link, snr_db=0.0)
        met.setdefault((run.build.name, run.build.seed, air, run.detector), run)
    worked_out: dict[tuple[Any, ...], list[tuple[float, str, float | None, str]]] = {}
    found = []
    for (name, seed, air, detector), run in met.items():
        surprise = sweep.surprises[name, seed]
        if surprise.identity not in bits:
            continue
        sentences, symbols = bits[surprise.identity], run.build.spec.symbols_per_unit
        # Codecs of one bandwidth and one language have the same limit.
        key = (surprise.identity, symbols, air, detector)
        if key not in worked_out:
            worked_out[key] = list(_of_air(run, air, sentences))
        tokens, held = sentences.sum(axis=0)
        facts = _facts(run)
        found += [
            Limit(
                codec=name,
                language=surprise.language.name,
                seed=seed,
                symbols_per_token=float(symbols),
                bits_per_token=float(held / tokens),
                **facts,
                whole=whole,
                limit_snr_db=snr_db,
                why=why,
                use=use,
            )
            for whole, use, snr_db, why in worked_out[key]
        ]
    return found


def _of_air(run: Run, air: Link, sentences: np.ndarray) -> Iterator[tuple[float, str, float | None, str]]:
    """Share, use, limit and why there is none, of the shares that were asked for and those that a line needs."""
    limits = run.measure.limits
    assert limits is not None, "whoever has surprises asked for limits"
    wanted = [(each, "table") for each in limits.whole] + [(each, "line") for each in LINE if limits.lines]
    why = _why_none(run, air)
    if why:
        yield from ((share, use, None, why) for share, use in wanted if use == "table")
        return
    tokens, held = torch.from_numpy(sentences).T
    symbols = tokens * run.build.spec.symbols_per_unit
    for share, use in wanted:
        yield share, use, snr_db_for_share(air, share, symbols=symbols, bits=held), ""


def _why_none(run: Run, air: Link) -> str:
    """Why there is no limit in this air; empty where there is one."""
    if run.detector != AS_NOISE:
        return f"detector {run.detector.kind} does not take interference for noise"
    try:
        check_limit(air)
    except ValueError as error:
        return str(error).partition(";")[0]
    return ""


def _facts(run: Run) -> dict[str, Any]:
    """The columns of the air, as results.csv has them."""
    told = conditions(run.link)
    names = ("fading", "coherence", "interference", "antennas", "interferers")
    detector = "" if run.detector == AS_NOISE else in_words(run.detector)
    scrambled = ", scrambled" if run.scrambling else ""
    facts = {name: told[name] for name in names} | {"level_db": cell(told["level_db"]), "detector": detector}
    return facts | {"interference": f"{told['interference']}{scrambled}"}
