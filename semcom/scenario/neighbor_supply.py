"""Supply: whether a text has enough to say for the crowds that a scenario asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from channels import Neighbors
from semcom.mistakes import UserMistake
from semcom.scenario.scenario import Scenario
from semcom.sources.sentences import Corpus
from semcom.training.settings import TrainingSettings, bounds


def most_neighbors(settings: TrainingSettings) -> int:
    """The largest crowd of codec neighbors in training; made-up interferers need no text."""
    return int(bounds(settings.interferers)[1]) if isinstance(settings.interference, Neighbors) else 0


def kept_sentences(settings: TrainingSettings, corpus: Corpus) -> int:
    """How many training sentences the settings' share comes to."""
    return max(1, round(settings.share * len(corpus.train)))


def check_text(scenario: Scenario, corpus: Corpus) -> None:
    """Count sentences, which needs no tokenizer and so can be done before anything is written.

    Raises:
        UserMistake: a crowd has more members than there are sentences, or no sentence is left to measure.
    """
    for name in scenario.needed_codecs:
        settings = scenario.training_of(name)
        _compare("training.interferers", most_neighbors(settings), kept_sentences(settings, corpus), "training")
    there, skip = len(corpus.test), scenario.measure.skip
    if skip >= there:
        raise UserMistake(f"measure.skip: must leave some of {there} test sentences, got {skip}; skip fewer")
    most = scenario.most_neighbors
    _compare("sweep.interferers", most, min(scenario.measure.sentences, there - skip), "test")


def check_batches(batches: Iterable[Sequence[int]], most: int) -> None:
    """See that every training batch can supply the crowd, however its sentences differ in length.

    Args:
        batches: the token counts of each batch's sentences.
        most: neighbors in training.

    Raises:
        UserMistake: some batch is too small, which otherwise would end a training in its middle.
    """
    fewest = min((neighbors_in(lengths, max(lengths)) for lengths in batches), default=0)
    if most > fewest:
        raise UserMistake(
            f"training.interferers: {most} interferers must find other sentences in every batch to take their turns "
            f"from, got a batch that has them for {fewest}; use fewer interferers, a larger training.batch or more text"
        )


def check_exam(scenario: Scenario, lengths: Sequence[int]) -> None:
    """See that the test sentences, sent back to back, are long enough for the largest crowd of the sweep.

    Args:
        lengths: the token count of every test sentence that is measured.

    Raises:
        UserMistake: they are not.
    """
    most = scenario.most_neighbors
    supply = min(_supply(scenario, name, lengths, crowd) for name in scenario.sweep.codec for crowd in scenario.crowds)
    if most > supply:
        raise UserMistake(
            f"sweep.interferers: {most} interferers must find other test sentences to take turns from, got enough "
            f"for {supply} in {len(lengths)} sentences; use fewer interferers, more measure.sentences or more text"
        )


def check_cells(scenario: Scenario, batches: Sequence[Sequence[int]]) -> None:
    """See that every batch of the exam has a sentence for each user of a cell.

    Args:
        batches: one entry for every sentence of each batch.

    Raises:
        UserMistake: some batch is too small, which otherwise would show after the training.
    """
    fewest, users = min(map(len, batches)), 1 + scenario.most_neighbors
    if fewest < users:
        raise UserMistake(
            f"measure.users: a cell of {users} users must find as many sentences in every batch, got a batch of "
            f"{fewest}; use fewer interferers, a larger measure.batch (no batch is below half of it) or more sentences"
        )


def neighbors_in(lengths: Sequence[int], longest: int, *, rates: tuple[int, int] = (1, 1)) -> int:
    """How many neighbors sentences of these lengths, sent back to back, can be to one of the longest length.

    Every neighbor needs a stretch of its own as long as the wanted signal, beside the wanted sentence itself.

    Args:
        rates: symbols a token of the wanted codec, and of the neighbors'.
    """
    ours, theirs = rates
    return (sum(lengths) - longest) * theirs // (longest * ours)


def neighbors_in_turn(lengths: Sequence[int], longest: int, *, ours: int, theirs: Sequence[int], wanted: int) -> int:
    """As `neighbors_in`, but through codecs in turn: those of different rates share no text.

    Args:
        ours: symbols a token of the wanted codec.
        theirs: of each codec that neighbors send through.
        wanted: no more than so many are looked for.
    """
    room = {rate: neighbors_in(lengths, longest, rates=(ours, rate)) for rate in theirs}
    for most in range(wanted):
        room[theirs[most % len(theirs)]] -= 1
        if min(room.values()) < 0:
            return most
    return wanted


def _supply(scenario: Scenario, name: str, lengths: Sequence[int], crowd: tuple[str, ...] | None) -> int:
    """The most neighbors that find text in this crowd."""
    rates = [scenario.spec_of(each).symbols_per_token for each in crowd or (name,)]
    ours = scenario.spec_of(name).symbols_per_token
    return neighbors_in_turn(lengths, max(lengths), ours=ours, theirs=rates, wanted=scenario.most_neighbors)


def _compare(where: str, most: int, sentences: int, split: str) -> None:
    if sentences <= most:
        raise UserMistake(
            f"{where}: {most} interferers need at least {most + 1} {split} sentences to take their turns from, got "
            f"{sentences}; use fewer interferers or more text"
        )
