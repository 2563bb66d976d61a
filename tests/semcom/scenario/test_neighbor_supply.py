"""Supply: crowds that a scenario asks for are held against the messages there are, before anything is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from channels import Qam
from semcom.mistakes import UserMistake
from semcom.scenario.load import load_scenario
from semcom.scenario.neighbor_supply import check_counts, check_exam, kept_messages, most_neighbors
from semcom.scenario.scenario import Scenario
from semcom.tasks.task import Counts
from semcom.tasks.text_data import shared
from semcom.training.settings import TrainingSettings

SETTINGS = TrainingSettings(batch=16)


def counted(scenario: Scenario, there: Counts) -> None:
    check_counts(scenario, scenario.goal, there)


def examined(scenario: Scenario, lengths: list[int]) -> None:
    check_exam(scenario, {scenario.goal: lengths})


def test_only_neighbors_need_sentences() -> None:
    assert most_neighbors(replace(SETTINGS, interferers=(1, 5))) == 5
    assert most_neighbors(replace(SETTINGS, interferers=5, interference=Qam())) == 0
    assert most_neighbors(SETTINGS) == 0


def test_an_exam_with_too_little_to_say(tiny_yaml) -> None:
    def most(interferers: int, *changes: str) -> Scenario:
        return load_scenario(tiny_yaml, (f"sweep.interferers=[{interferers}]", *changes))[0]

    examined(most(2), [4, 4, 4])
    examined(most(0), [9])
    with pytest.raises(UserMistake, match=r"sweep\.interferers: 3 interferers .* for 2 in 3 sentences"):
        examined(most(3), [4, 4, 4])


def test_an_exam_too_short_for_a_crowd_of_another_rate(tiny_yaml) -> None:
    """8 symbols beside the wanted sentence are two stretches of its 4; of a codec half as talkative there is one."""

    def mixed(crowd: str, interferers: int) -> Scenario:
        rare = "codecs.plain={size: tiny, symbols_per_token: 1}"
        return load_scenario(tiny_yaml, (f"sweep.interferers=[{interferers}]", rare, f"link.crowd={crowd}"))[0]

    examined(mixed("[plain]", 1), [2, 2, 2])
    # Codecs of two rates have their stretches apart: two of the one and one of the other.
    examined(mixed("[big, plain]", 3), [2, 2, 2])
    for crowd, interferers, enough in (("[plain]", 2, 1), ("[plain, big]", 3, 2), ("[big, plain]", 4, 3)):
        with pytest.raises(UserMistake, match=f"{interferers} interferers .* enough for {enough} in 3 sentences"):
            examined(mixed(crowd, interferers), [2, 2, 2])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            ("sweep.interferers=5", "measure.sentences=20"),
            r"sweep\.interferers: 5 .* at least 6 test sentences .* got 4",
        ),
        (("training={batch: 9, interferers: 8, share: 0.1}",), r"training\.interferers: 8 .* 9 training .* got 4"),
        (("codecs.big.training={batch: 9, interferers: 8, share: 0.1}",), r"training\.interferers: 8 .* got 4"),
    ],
)
def test_a_text_with_too_few_sentences(tiny_yaml, changes: tuple[str, ...], told: str) -> None:
    there = Counts(training=40, validation=4, test=4)
    counted(load_scenario(tiny_yaml)[0], there)
    with pytest.raises(UserMistake, match=told):
        counted(load_scenario(tiny_yaml, changes)[0], there)
    # What nobody asked for needs nothing.
    counted(load_scenario(tiny_yaml, ("codecs.spare={training: {batch: 99, interferers: 98}}",))[0], there)
    made_up = [f"{change.partition('=')[0]}.interference={{kind: qam}}" for change in changes if "training" in change]
    counted(load_scenario(tiny_yaml, (*changes, *made_up, "link={interference: {kind: qam}}"))[0], there)


def test_skipping_every_test_sentence_is_told(tiny_yaml) -> None:
    there = Counts(training=40, validation=4, test=9)
    counted(load_scenario(tiny_yaml, ("measure.skip=5",))[0], there)
    with pytest.raises(UserMistake, match=r"measure\.skip: must leave some of 9 test sentences, got 9; skip fewer"):
        counted(load_scenario(tiny_yaml, ("measure.skip=9",))[0], there)
    with pytest.raises(UserMistake, match=r"sweep\.interferers"):
        counted(load_scenario(tiny_yaml, ("measure.skip=7",))[0], there)


@pytest.mark.parametrize(("share", "kept"), [(1.0, 540), (0.3, 162), (0.01, 5), (0.001, 1)])
def test_a_share_is_counted_as_it_is_taken(share: float, kept: int) -> None:
    there = Counts(training=540, validation=30, test=30)
    assert kept_messages(replace(SETTINGS, share=share), there) == kept == shared(share, there.training)
