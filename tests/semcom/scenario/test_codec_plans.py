"""Codecs of several kinds in one scenario: each is of its task, and its steps fit together, or the way out is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from semcom.mistakes import UserMistake
from semcom.scenario.load import load_scenario

TEXT = """# Why?
name: one
codecs:
  big: {size: student_half}
  small: {size: tiny}
sweep: {codec: [big, small]}
"""
FRAMES = """# Why?
name: one
task: {kind: modulation}
codecs:
  big: {size: iq_resnet20}
  small: {size: iq_tiny}
sweep: {codec: [big, small]}
"""


@pytest.fixture
def load(tmp_path: Path):
    """Hand out `load(text, "seed=4")`: the scenario with changes."""

    def loaded(text: str, *changes: str):
        path = tmp_path / "one.yaml"
        path.write_text(text)
        return load_scenario(path, changes)[0]

    return loaded


@pytest.mark.parametrize(
    ("text", "changes", "said"),
    [
        (TEXT, ("codecs.small={size: iq_tiny}",), "codecs.small must carry sentences, which task text sends, got a "),
        (FRAMES, ("codecs.small={size: tiny}",), "codecs.small must carry frames, which task modulation sends, got a "),
        (FRAMES, ("corpus={source: docstrings}",), "corpus belongs to task text, got it with task modulation; leave"),
        (FRAMES, ("tokenizer={kind: words}",), "tokenizer belongs to task text, got it with task modulation; leave it"),
        (
            FRAMES,
            ("codecs.small.distill={teacher: big, methods: [symbols]}",),
            "codecs.small.distill.methods: method symbols must have what a transmitter makes to compare, got 'small'",
        ),
        (
            FRAMES,
            ("codecs.small.distill={teacher: big, methods: [attention_maps]}",),
            "take one of soft_logits",
        ),
        (FRAMES, ("codecs.small.adopt={transmitter: big}",), "adopt must be left out: this kind of codec has one side"),
        (TEXT, ("codecs.small.fresh=true",), "fresh must have a start to be of, got none; name the codec in start"),
        (TEXT, ("codecs.small.prune={kind: layers, keep: 1}",), "prune must have a start to be of, got none"),
        (
            TEXT,
            ("codecs.small={start: big, fresh: true, prune: {kind: layers, keep: 1}}",),
            "fresh must be without prune: there are no weights to choose by; leave one of them out",
        ),
        (
            TEXT,
            ("codecs.small={start: big, adopt: {transmitter: big}, prune: {kind: layers, keep: 1}}",),
            "prune must be without adopt, whose side stays as it is; leave one of them out",
        ),
        (
            TEXT,
            ("codecs.small={start: big, prune: {kind: layers, keep: 3}}",),
            "codecs.small.prune: keep must be from 1 to 2, the layers of stack 0, got 3; keep fewer",
        ),
        (
            TEXT,
            ("codecs.small={start: big, prune: {kind: layers, keep: [1, 1, 1]}}",),
            "codecs.small.prune: keep must have one number for each of 2 stacks",
        ),
        (TEXT, ("codecs.small={kind: recognizer, size: tiny}",), "size: must be one of iq_resnet56"),
        (TEXT, ("codecs.small={kind: recogniser}",), "did you mean 'recognizer'?"),
    ],
    ids=lambda each: " ".join(each)[:60] if isinstance(each, tuple) else "",
)
def test_what_does_not_fit_together_is_told(load, text: str, changes: tuple[str, ...], said: str) -> None:
    with pytest.raises(UserMistake) as caught:
        load(text, *changes)
    assert said in str(caught.value).replace("codecs.small: codecs.small", "codecs.small")


def test_a_codec_is_of_the_kind_that_its_size_or_its_start_or_else_its_task_tells(load) -> None:
    codecs = load(FRAMES, "codecs.more={start: small, prune: {kind: layers, keep: 2}}", "codecs.last={}").codecs
    assert {name: each.kind for name, each in codecs.items()} == dict.fromkeys(codecs, "recognizer")
    assert {each.kind for each in load(TEXT, "codecs.last={start: small}").codecs.values()} == {"semantic"}


def test_a_pruned_codec_and_its_fresh_control_have_one_shape(load) -> None:
    scenario = load(
        TEXT,
        "codecs.less={start: big, prune: {kind: layers, keep: [1, 2]}}",
        "codecs.control={start: less, fresh: true}",
    )
    less = scenario.resolved("less").spec
    assert (less.transmitter.layers, less.receiver.layers) == (1, 2)
    assert scenario.resolved("less").begun == scenario.resolved("big").spec
    assert scenario.resolved("control").spec == less
    assert [scenario.resolved(each).is_reshaped for each in ("big", "less", "control")] == [False, True, True]


def test_a_task_says_what_is_meant_where_nothing_is_typed(load) -> None:
    scenario = load(FRAMES, "link.csi=perfect")
    assert (scenario.training.csi.kind, scenario.training.equalizer.kind) == ("none", "none")
    assert (scenario.link.csi.kind, scenario.link.equalizer.kind) == ("perfect", "none"), "what is typed counts"
    assert "accuracy" in scenario.measure.metrics
    assert load(TEXT).training.csi.kind == "perfect"
    with pytest.raises(UserMistake, match=r"measure\.metrics"):
        load(FRAMES, "measure.metrics=[bleu_1]")
