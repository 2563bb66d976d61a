"""send: one sentence as each codec of a run folder delivers it, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.table import Table
from rich.text import Text

from channels import Chance, Link, Neighbors, mean_sinr_db
from semcom.experiment.build import load_codec
from semcom.experiment.data import data_of
from semcom.experiment.repair import sealed
from semcom.experiment.sample import SENTENCES, Sample, read_sample
from semcom.experiment.tuning import reader_of
from semcom.files import digest_of
from semcom.languages.bits import bits_per_token
from semcom.languages.reader import Reader
from semcom.metrics.bleu import Bleu
from semcom.mistakes import UserMistake
from semcom.models.codec import Codec
from semcom.scenario.axes import values
from semcom.scenario.expand import expand
from semcom.scenario.hints import suggestion
from semcom.scenario.load import load_scenario
from semcom.scenario.scenario import Scenario
from semcom.scenario.sweep import MOST_DECIBELS
from semcom.scenario.work import Build, LanguageBuild, Sweep, Tuning
from semcom.sources.batch import Batch
from semcom.sources.batches import SentenceBatch, evaluation_batches, make_batch
from semcom.sources.cleaning import clean_or_drop
from semcom.sources.tokenizer import Tokenizer
from semcom.store.folder import RunFolder
from semcom.store.store import Store
from semcom.tasks.detectors import AS_NOISE
from semcom.tasks.neighbors import neighbors_in_turn
from semcom.tasks.text import Text as TextTask
from semcom.tasks.text_data import TextData
from semcom.tasks.trip import Encoded, deliver, encode_once
from semcom.words import counted, visible

NEIGHBORS_BATCH = 32
LONGEST_WORD = 40
UNLIKE = 1.5  # times the bits that validation text takes


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
    """A table: codecs by repeats, each with what arrived and its BLEU-1. Needs the folder alone, and no text.

    The air of one repeat is the same for all codecs: the scenario's `link`, and where that leaves a condition open, the
    first that the sweep names. Interferers send sentences of the test split.

    Raises:
        UserMistake: the folder is no run folder, a codec is unknown or untrained, the air is impossible, or the
            sentence is empty, too long or has words that no codec was taught.
    """
    scenario = _scenario_of(folder)
    if not isinstance(scenario.goal, TextTask):
        raise UserMistake(
            f"send says a sentence, so {folder} must be a run of task text, got task {scenario.goal.kind}; look at its "
            "figures instead"
        )
    torch.set_num_threads(scenario.threads)
    place = RunFolder(folder)
    if place.sample_file.is_file():
        _check_noted(place, place.sample_file, "the sample of the text")
    sample = read_sample(place, scenario.corpus)
    sweep = _sweep(scenario, folder, sample)
    named, talking = codecs or _of_text(scenario), scenario.link.crowd or ()
    _check_text(scenario, (*named, *talking))
    builds = _sealed(folder, _builds(sweep, (*named, *talking)), sample)
    link = _link(scenario, snr_db, interferers)
    said, bleu = _said(scenario, sentence), Bleu(order=1, tokenize=scenario.measure.bleu_tokenize)
    # Text, because a sentence may hold what would be markup.
    table = Table(title=Text(_title(said, link, talking)), title_justify="left", show_lines=True)
    for heading in ("codec", "air", "what arrived", "BLEU-1"):
        table.add_column(heading, overflow="fold")
    readers, notes = _readers(sweep, named, folder), _unused(scenario, link)
    for name, build in ((name, builds[name]) for name in dict.fromkeys(named)):
        tokenizer = _tokenizer(build, folder)
        batch = _understood(said, tokenizer)
        neighbors = _neighbors(build, folder, sample)
        ours = build.spec.symbols_per_unit
        theirs = [builds[each].spec.symbols_per_unit for each in talking or (name,)]
        _check_crowd(link, batch, neighbors, ours=ours, theirs=theirs)
        reader, usual = readers.get(name, (None, 0.0))
        if reader:
            notes.append(_how_usual(scenario.codecs[name].language or "", reader, usual, batch))
        encoded = replace(_on_the_air(load_codec(build, folder), batch, neighbors), reader=reader)
        crowd = [_on_the_air(load_codec(builds[each], folder), batch, neighbors) for each in talking]
        for repeat in range(repeats):
            air = Chance(seed).of("send", repeat)
            delivery = deliver(encoded, link, air, beam=scenario.measure.beam, crowd=crowd)
            arrived = tokenizer.decode(delivery.answers)[0]
            right = float(bleu.combine(bleu.statistics([said], [arrived])[0]))
            table.add_row(name if repeat == 0 else "", str(repeat + 1), Text(visible(arrived)), f"{right:.2f}")
    if notes:
        table.caption, table.caption_justify = Text("\n".join(dict.fromkeys(notes))), "left"
    return table


def _of_text(scenario: Scenario) -> tuple[str, ...]:
    """The codecs that are measured and carry sentences."""
    return tuple(name for name in scenario.sweep.codec if isinstance(scenario.goal_of(name), TextTask))


def _check_text(scenario: Scenario, names: Iterable[str]) -> None:
    """Refuse codecs that carry no sentences, as the wanted user's and as its neighbors'."""
    for name in names:
        if name in scenario.codecs and (goal := scenario.goal_of(name)) != scenario.goal:
            raise UserMistake(
                f"send says a sentence among others, so its codecs must be of task text, got '{name}' of task "
                f"{goal.kind}; look at the figures instead"
            )


def _scenario_of(folder: Path) -> Scenario:
    path = RunFolder(folder).scenario_file
    if not path.is_file():
        raise UserMistake(f"{folder} is not a run folder: it holds no scenario.yaml; give the folder of a `semcom run`")
    _check_noted(RunFolder(folder), path, "the scenario")
    # In folders of older versions paths start in the working directory; later ones keep absolute paths.
    return load_scenario(path, homes=(Path.cwd(),))[0]


def _sweep(scenario: Scenario, folder: Path, sample: Sample | None) -> Sweep:
    """The work that the folder was made for, on the text as it was then if the folder knows."""
    if sample:
        return expand(scenario, fingerprint=sample.fingerprint, corpora=sample.corpora)
    try:
        return expand(scenario)
    except UserMistake as mistake:
        what = f"{folder} keeps no sample of its text, so the text itself must be there: {mistake}"
        raise UserMistake(f"{what}; `semcom run` with this --out, where the text is, adds the sample") from mistake


def _neighbors(build: Build, folder: Path, sample: Sample | None) -> list[Batch]:
    """What interferers send: test sentences that the folder keeps, or else those of the text."""
    if sample is None:
        return list(data_of(build, folder).exam(SENTENCES, NEIGHBORS_BATCH).batches)
    return list(evaluation_batches(_tokenizer(build, folder).encode(list(sample.sentences)), NEIGHBORS_BATCH))


def _readers(sweep: Sweep, names: Iterable[str], folder: Path) -> dict[str, tuple[Reader, float]]:
    """What those receivers decide with that know a language, by codec, and the bits a token of its validation text."""
    tunings = {run.build.name: run.tuning for run in reversed(sweep.runs) if run.tuning and run.build.name in names}
    if not tunings:
        return {}
    place = RunFolder(folder)
    with Store(place.store_file, reading=True) as store:
        known, done, builds = sealed(sweep.everything, place, store), store.done_builds(), store.builds()
    languages = {key: each for key, each in known.items() if isinstance(each, LanguageBuild)}
    found = {}
    for name, tuning in tunings.items():
        ready = known[tuning.identity]
        assert isinstance(ready, Tuning)
        if not {ready.identity, ready.language.identity} <= done:
            raise UserMistake(f"the language of {name} is not made yet; run the scenario first with `semcom run`")
        usual = float(builds[ready.language.identity].record["bits_per_token"])
        found[name] = reader_of(ready, languages, folder), usual
    return found


def _how_usual(language: str, reader: Reader, usual: float, batch: SentenceBatch) -> str:
    """How unlike the text of a language a sentence is: what it never read, it guesses wrong."""
    here = bits_per_token(reader.language, [batch])
    unlike = (
        f"; more than {UNLIKE:g} times as many: it knows little of what is said here" if here > UNLIKE * usual else ""
    )
    return f"language {language}: {here:.1f} bits a token of this sentence, {usual:.1f} of validation text{unlike}"


def _unused(scenario: Scenario, link: Link) -> list[str]:
    """What of the scenario's link counts for nothing here."""
    detector = scenario.link.detector
    if not link.interferers or detector == AS_NOISE:
        return []
    return [f"send decodes the wanted user alone and takes the others for noise: detector {detector.kind} is not used"]


def _tokenizer(build: Build, folder: Path) -> Tokenizer:
    data = data_of(build, folder)
    assert isinstance(data, TextData)
    return data.tokenizer


def _check_noted(place: RunFolder, path: Path, what: str) -> None:
    """Refuse a file of the folder that is not what its run wrote; a folder without a store is believed."""
    if not place.store_file.is_file():
        return
    with Store(place.store_file, reading=True) as store:
        noted = store.noted.file(path.name)
    if noted not in (None, digest_of(path)):
        raise UserMistake(
            f"{path}: must be {what} as the run wrote it, got a damaged or edited one; run the scenario itself again "
            "with this --out to write it anew"
        )


def _sealed(folder: Path, builds: dict[str, Build], sample: Sample | None) -> dict[str, Build]:
    """Trained builds with what their files must be, as the store knows; a folder without one is believed."""
    place = RunFolder(folder)
    gone = [name for name, build in builds.items() if not place.weights(build.identity).is_file()]
    if not place.store_file.is_file():
        if gone:
            raise _untrained(gone[0], folder, sample)
        return builds
    with Store(place.store_file, reading=True) as store:
        known, done = sealed(builds.values(), place, store), store.done_builds()
        for name, build in builds.items():
            if not store.noted.is_true("build", build.identity) and build.identity in done:
                what = f"what it says of {name} must be as the run stored it, got a damaged or edited record"
                raise UserMistake(f"{place.store_file}: {what}; run again to train {name} anew")
            if build.identity not in done:
                raise _untrained(name, folder, sample)
            if name in gone:
                what = f"{name} must have its weights in {folder}, got none, though it was trained there"
                hint = "`semcom run` makes them again where something is left to measure, or with another --out"
                raise UserMistake(f"{what}; {hint}")
    ready = {name: known[build.identity] for name, build in builds.items()}
    return {name: replace(each, name=name) for name, each in ready.items() if isinstance(each, Build)}


def _untrained(name: str, folder: Path, sample: Sample | None) -> UserMistake:
    if sample:
        what = f"{name} must be trained in {folder}, got no such weights"
        return UserMistake(f"{what}; `semcom run` with this --out trains it")
    return UserMistake(
        f"{name} must be trained in {folder} on the text as it is now, got no such weights; if the text or its "
        "cleaning changed since, `semcom run` with this --out trains it anew"
    )


def _builds(sweep: Sweep, names: tuple[str, ...]) -> dict[str, Build]:
    # Codecs that are made alike share a build, so names come from the runs too; the first seed of each name wins.
    known = {build.name: build for build in reversed((*(run.build for run in sweep.runs), *sweep.builds))}
    for name in names:
        if name not in known:
            near = suggestion(name, known)
            raise UserMistake(f"codec must be one of {', '.join(sorted(known))}, got {name}{near}")
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
    for name in ("fading", "interference", "csi", "equalizer", "antennas"):
        if name not in scenario.link.model_fields_set and (points := getattr(sweep, name)):
            air[name] = points[0]
    if sweep.level_db is not None and "interference" not in scenario.link.model_fields_set:
        air["interference"] = replace(air["interference"], level_db=float(values(sweep.level_db)[0]))
    return air


def _said(scenario: Scenario, sentence: str) -> str:
    """The sentence as the corpus would have it."""
    said = clean_or_drop(sentence, scenario.corpus.cleaning)
    if said is None:
        raise UserMistake(
            "the sentence must be in the letters a-z, as the text that the codecs were trained on (cleaning: letters), "
            f"got {sentence!r}; write it in them"
        )
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


def _check_crowd(link: Link, batch: Batch, neighbors: list[Batch], *, ours: int, theirs: list[int]) -> None:
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


def _on_the_air(codec: Codec, batch: Batch, neighbors: list[Batch]) -> Encoded:
    """The one sentence, ready to be delivered among the others' symbols."""
    everybody = encode_once(codec, [batch, *neighbors])
    return Encoded(codec, everybody.batches[:1], everybody.symbols[:1], everybody.crowds[:1])
