"""send: one sentence as each codec of a run folder delivers it, side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.table import Table
from rich.text import Text

from channels import Chance, Link, Neighbors, mean_sinr_db
from semcom.experiment.axes import values
from semcom.experiment.build import load_codec
from semcom.experiment.expand import Build, expand
from semcom.experiment.folder import RunFolder
from semcom.experiment.material import exam, material_of
from semcom.experiment.plans import MOST_DECIBELS
from semcom.experiment.scenario import Scenario, load_scenario
from semcom.experiment.supply import neighbors_in_turn
from semcom.metrics.bleu import Bleu
from semcom.mistakes import UserMistake
from semcom.models.codec import SemanticCodec
from semcom.sources.batches import SentenceBatch, make_batch
from semcom.sources.sentences import clean
from semcom.sources.tokenizer import Tokenizer
from semcom.tasks.text import Encoded, deliver, encode_once
from semcom.words import counted, visible

CROWD_SENTENCES = 64
LONGEST_WORD = 40


def send_sentence(
    folder: Path,
    sentence: str,
    *,
    codecs: tuple[str, ...] = (),
    snr_db: float,
    interferers: int,
    repeats: int,
    seed: int,
) -> Table:
    """A table: codecs by repeats, each with what arrived and its BLEU-1.

    The air of one repeat is the same for all codecs: the scenario's `link`, and where that leaves a condition open, the
    first that the sweep names. Interferers send sentences of the test split.

    Raises:
        UserMistake: the folder is no run folder, a codec is unknown or untrained, the air is impossible, or the
            sentence is empty, too long or has words that no codec was taught.
    """
    scenario = _scenario_of(folder)
    torch.set_num_threads(scenario.threads)
    builds = _builds(scenario, codecs or scenario.sweep.codec)
    others = _builds(scenario, scenario.link.crowd or ())
    link = _link(scenario, snr_db, interferers)
    said = _said(scenario, sentence)
    # Text, because a sentence may hold what would be markup.
    table = Table(title=Text(_title(said, link, scenario.link.crowd or ())), title_justify="left", show_lines=True)
    for heading in ("codec", "air", "what arrived", "BLEU-1"):
        table.add_column(heading, overflow="fold")
    for name, build in {**others, **builds}.items():
        if not RunFolder(folder).weights(build.identity).is_file():
            raise UserMistake(
                f"{name} must be trained in {folder} on the text as it is now, got no such weights; if the text or its "
                "cleaning changed since, `semcom run` with this --out trains it anew"
            )
    for name, build in builds.items():
        material = material_of(build, folder)
        batch = _understood(said, material.tokenizer)
        neighbors = exam(material, CROWD_SENTENCES, 32).batches
        ours, crowded = build.spec.symbols_per_token, scenario.link.crowd or (name,)
        theirs = [{**builds, **others}[each].spec.symbols_per_token for each in crowded]
        _check_crowd(link, batch, neighbors, ours=ours, theirs=theirs)
        encoded = _on_the_air(load_codec(build, folder), batch, neighbors)
        crowd = [_on_the_air(load_codec(others[each], folder), batch, neighbors) for each in scenario.link.crowd or ()]
        for repeat in range(repeats):
            air = Chance(seed).of("send", repeat)
            delivery = deliver(encoded, link, air, beam=scenario.measure.beam, crowd=crowd)
            arrived = material.tokenizer.decode(delivery.tokens)[0]
            right = float(Bleu(order=1).combine(Bleu(order=1).statistics([said], [arrived])[0]))
            table.add_row(name if repeat == 0 else "", str(repeat + 1), Text(visible(arrived)), f"{right:.2f}")
    return table


def _scenario_of(folder: Path) -> Scenario:
    path = RunFolder(folder).scenario_file
    if not path.is_file():
        raise UserMistake(f"{folder} is not a run folder: it holds no scenario.yaml; give the folder of a `semcom run`")
    return load_scenario(path)[0]


def _builds(scenario: Scenario, names: tuple[str, ...]) -> dict[str, Build]:
    sweep = expand(scenario)
    # Codecs that are made alike share a build, so names come from the runs too; the first seed of each name wins.
    known = {build.name: build for build in reversed((*(run.build for run in sweep.runs), *sweep.builds))}
    for name in names:
        if name not in known:
            raise UserMistake(f"codec must be one of {', '.join(sorted(known))}, got {name}")
    return {name: known[name] for name in names}


def _link(scenario: Scenario, snr_db: float, interferers: int) -> Link:
    try:
        if abs(snr_db) > MOST_DECIBELS:
            raise ValueError(f"snr_db must be between -{MOST_DECIBELS} and {MOST_DECIBELS}, got {snr_db}")
        return Link(snr_db=snr_db, interferers=interferers, **_standing(scenario))
    except ValueError as error:
        raise UserMistake(f"the air cannot be like that: {error}") from None


def _standing(scenario: Scenario) -> dict[str, Any]:
    """The conditions of the link; what was not typed there is as at the first point of the sweep."""
    air, sweep = scenario.link.air, scenario.sweep
    for name in ("fading", "interference", "equalizer", "antennas"):
        if name not in scenario.link.model_fields_set and (points := getattr(sweep, name)):
            air[name] = points[0]
    if sweep.level_db is not None and "interference" not in scenario.link.model_fields_set:
        air["interference"] = replace(air["interference"], level_db=float(values(sweep.level_db)[0]))
    return air


def _said(scenario: Scenario, sentence: str) -> str:
    """The sentence as the corpus would have it."""
    said = clean(sentence, scenario.corpus.cleaning)
    if not said:
        raise UserMistake(f"the sentence must hold letters or . ! ?, got {sentence!r}; write a sentence")
    words, longest = len(said.split()), scenario.corpus.longest
    if len(said) > longest * LONGEST_WORD:
        raise UserMistake(
            f"the sentence must have at most {longest * LONGEST_WORD} letters, as {longest} long words have, got "
            f"{len(said)}; cut it"
        )
    if words > longest:
        raise UserMistake(
            f"the sentence must have at most {longest} words (marks count), as those the codecs were trained on, got "
            f"{words}; cut it"
        )
    return said


def _understood(said: str, tokenizer: Tokenizer) -> SentenceBatch:
    """The sentence as a batch of one, if it has no unknown word."""
    ids = tokenizer.encode([said])[0]
    # Only a tokenizer of whole words knows unknown ones, and there tokens and words are the same.
    unknown = [word for word, token in zip(said.split(), ids, strict=False) if token == tokenizer.unknown]
    if unknown:
        raise UserMistake(
            f"the sentence must be made of words from the training text, got {', '.join(unknown)}; use other words, or "
            "train with tokenizer byte_pairs, to which no word is unknown"
        )
    return make_batch([ids])


def _check_crowd(
    link: Link, batch: SentenceBatch, neighbors: list[SentenceBatch], *, ours: int, theirs: list[int]
) -> None:
    lengths = [length for each in (batch, *neighbors) for length in each.lengths.tolist()]
    supply = neighbors_in_turn(lengths, int(batch.lengths.max()), ours=ours, theirs=theirs, wanted=link.interferers)
    if isinstance(link.interference, Neighbors) and link.interferers > supply:
        raise UserMistake(
            f"interferers must be at most {supply} here, got {link.interferers}; there are no more test sentences for "
            "them to send"
        )


def _title(said: str, link: Link, crowd: tuple[str, ...]) -> str:
    levels = link.interference.level_db
    loud = ", ".join(f"{each:g} dB" for each in (levels if isinstance(levels, tuple) else (levels,)))
    arriving = link.interference.fading or link.fading
    through = f", {', '.join(crowd)} in turn" if crowd else ""
    others = f" ({link.interference.kind} of {loud}, fading {arriving.kind}{through})" if link.interferers else ""
    return (
        f"sent: {visible(said)}\nSNR {link.snr_db:g} dB, fading {link.fading.kind}, "
        f"{counted(link.interferers, 'interferer')}{others}, mean SINR {mean_sinr_db(link):.1f} dB"
    )


def _on_the_air(codec: SemanticCodec, batch: SentenceBatch, neighbors: list[SentenceBatch]) -> Encoded:
    """The one sentence, ready to be delivered among the others' symbols."""
    everybody = encode_once(codec, [batch, *neighbors])
    return Encoded(codec, everybody.batches[:1], everybody.symbols[:1], everybody.crowds[:1])
