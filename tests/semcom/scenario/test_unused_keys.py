"""What is typed and changes no number is said, before hours of work are spent on it."""

from __future__ import annotations

import pytest

from semcom.scenario.load import find_scenario, load_scenario, names
from semcom.scenario.unused_keys import unused_keys

ALL = "sweep.codec=[big, small, plain]"
ALONE = "training.interferers=0"
AMONG = "codecs.plain.training={interferers: 2}"


def told(tiny_yaml, *changes: str) -> list[str]:
    """The keys that have no effect."""
    return [each.partition(" has no effect: ")[0] for each in unused_keys(load_scenario(tiny_yaml, changes)[0])]


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ((), []),
        (("training.level_db=-3", "training.interference={kind: gaussian}"), []),
        ((ALONE,), []),
        ((ALONE, "training.level_db=-3"), ["training.level_db"]),
        ((ALONE, "training.interference={kind: tone}"), ["training.interference"]),
        ((ALONE, "training.level_db=-3", AMONG), []),
        ((ALONE, "codecs.plain.training={level_db: [-6, 0]}"), ["codecs.plain.training.level_db"]),
        ((ALONE, "codecs.plain.training={level_db: [-6, 0], interferers: 1}"), []),
        (("codecs.plain.training={interferers: 0, level_db: 0}",), ["codecs.plain.training.level_db"]),
        (("measure.beam=4",), ["measure.beam"]),
        (("measure.beam=4", "codecs.big.decoding=autoregressive"), []),
        (("measure.similarity={}",), ["measure.similarity"]),
        (("measure.similarity={}", "measure.metrics=[similarity_rescaled]"), []),
        (("measure.bleu_tokenize=char",), []),
        (("measure.bleu_tokenize=char", "measure.metrics=[exact_match]"), ["measure.bleu_tokenize"]),
    ],
)
def test_keys_without_their_other_half(tiny_yaml, changes: tuple[str, ...], keys: list[str]) -> None:
    assert told(tiny_yaml, ALL, *changes) == keys


def test_a_codec_that_nobody_needs(tiny_yaml) -> None:
    assert told(tiny_yaml) == ["codecs.plain"]
    # Its training is nobody's either.
    assert told(tiny_yaml, "codecs.plain.training={interferers: 0, level_db: 0}") == ["codecs.plain"]
    assert told(tiny_yaml, "link.crowd=[plain]") == []


def test_it_is_said_before_the_work(tiny_yaml, carry_out, semcom, tmp_path) -> None:
    note = "measure.beam has no effect: every codec decodes in parallel"
    assert note in semcom("check", tiny_yaml, "--set", "measure.beam=4").out
    said = carry_out(tmp_path / "run", "measure.beam=4", "training.steps=1").said
    assert note in said and said.index(note) < said.index("trained in")


@pytest.mark.parametrize("name", names())
def test_all_of_a_shipped_scenario_is_heard(name: str) -> None:
    assert unused_keys(load_scenario(find_scenario(name))[0]) == ()
