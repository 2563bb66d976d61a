"""What a scenario may ask for and hardly anybody wants is said with the way out, and nothing else is."""

from __future__ import annotations

import pytest

from semcom.scenario.load import find_scenario, load_scenario, names
from semcom.scenario.pitfalls import pitfalls, scarce
from semcom.scenario.scenario import Scenario

SOFT = "codecs.small.distill.methods=[{kind: soft_logits}]"
LONG = "training.warmup=100"


@pytest.fixture
def tiny(tiny_yaml):
    """Hand out `tiny("seed=4")`: the tiny scenario with changes."""
    return lambda *changes: load_scenario(tiny_yaml, changes)[0]


def strangers(scenario: Scenario) -> list[str]:
    """The codecs that are said to be read in a code their teacher never learned."""
    return [each.split(".")[1] for each in pitfalls(scenario) if "in a code it never learned" in each]


@pytest.mark.parametrize(
    "methods",
    [
        "[{kind: soft_logits}]",
        "[{kind: reverse_logits}, {kind: hidden_hints, side: encoder}]",
        "[{kind: decoupled_logits}, {kind: symbols, weight: 0.0}]",
        "[{kind: hidden_hints, side: decoder}]",
        "[{kind: attention_maps, side: both}]",
        "[{kind: soft_logits}, {kind: components, channel_encoder: 0.0}]",
    ],
)
def test_a_teacher_that_reads_a_code_it_never_learned(tiny, methods: str) -> None:
    (line,) = pitfalls(tiny(f"codecs.small.distill.methods={methods}"))
    assert line.startswith("codecs.small.distill: the receiver of big reads what small sends")
    for way_out in ("adopt: {transmitter: big}", "{kind: symbols}", "{kind: components}", "hears: own"):
        assert way_out in line


@pytest.mark.parametrize(
    "changes",
    [
        (),
        ("codecs.small.distill.methods=[{kind: soft_logits}, {kind: components}]",),
        ("codecs.small.distill.methods=[{kind: soft_logits}, {kind: received_symbols}]",),
        ("codecs.small.distill.methods=[{kind: hidden_hints, side: encoder}]",),
        (SOFT, "codecs.small.distill.hears=own"),
        (SOFT, "codecs.small.adopt={transmitter: big}"),
        # Through a third codec that both have it from.
        (SOFT, "codecs.small.adopt={transmitter: plain}", "codecs.big.adopt={transmitter: plain}"),
        (SOFT, "codecs.small.size=student_quarter", "codecs.small.start=big"),
        (SOFT, "codecs.small.adopt={receiver: big}", "codecs.small.distill.cleaner_db=3"),
    ],
)
def test_a_teacher_that_understands_or_does_not_listen(tiny, changes: tuple[str, ...]) -> None:
    assert strangers(tiny(*changes)) == []


def test_only_those_teachers_are_named_that_do_not_understand(tiny) -> None:
    two = ("codecs.small.distill.teacher=[big, plain]", SOFT)
    (line,) = pitfalls(tiny(*two))
    assert "the receiver of big and plain reads" in line
    (line,) = pitfalls(tiny(*two, "codecs.small.adopt={transmitter: plain}"))
    assert "the receiver of big reads" in line
    assert strangers(tiny(SOFT, "sweep.codec=[big]")) == [], "nobody makes it"


@pytest.mark.parametrize(
    ("changes", "where", "who", "reached"),
    [
        ((LONG,), "training", "big, small", "0.00018"),
        (("training.steps=30", LONG), "training", "big, small", "0.0009"),
        (("training.warmup=7",), "training", "big, small", "0.0026"),
        (("codecs.small.training={warmup: 60, learning_rate: 0.01}",), "codecs.small.training", "small", "0.001"),
        (("training.warmup=40", "codecs.big.training={steps: 50}"), "training", "small", "0.00045"),
    ],
)
def test_a_warm_up_that_is_never_over(tiny, changes: tuple[str, ...], where: str, who: str, reached: str) -> None:
    scenario = tiny(*changes)
    (line,) = pitfalls(scenario)
    settings = scenario.resolved(who.split(", ")[-1]).training
    assert line == (
        f"{where}.warmup of {settings.warmup} is longer than the {settings.steps} steps of {who}: the learning rate "
        f"ends at {reached} and never reaches {settings.learning_rate:g}; set {where}.warmup: "
        f"{max(1, settings.steps // 10)}, or train for more steps"
    )
    # The highest rate of all steps is the last one's.
    rates = [settings.learning_rate_at(step) for step in range(settings.steps)]
    assert f"{max(rates):.2g}" == reached


@pytest.mark.parametrize("warmup", [0, 2, 5, 6])
def test_a_warm_up_that_ends_in_time(tiny, warmup: int) -> None:
    scenario = tiny(f"training.warmup={warmup}")
    assert pitfalls(scenario) == ()
    settings = scenario.training
    rates = [settings.learning_rate_at(step) for step in range(settings.steps)]
    assert max(rates) == pytest.approx(settings.learning_rate)


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        (("training.validate_every=7",), ["training.validate_every"]),
        (("training.validate_every=6",), []),
        (("training.validate_every=500",), []),
        (("codecs.big.training={validate_every: 9}",), ["codecs.big.training.validate_every"]),
        (("codecs.big.training={steps: 3}",), ["codecs.big.training.validate_every"]),
    ],
)
def test_a_validation_that_never_comes_is_told_where_it_was_typed(tiny, changes, keys: list[str]) -> None:
    found = [line for line in pitfalls(tiny(*changes)) if "validated once, at the end" in line]
    assert [line.split(" ")[0] for line in found] == keys


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ((), None),
        (("training.share=0.03",), None),
        (
            ("training.share=0.01",),
            "training.share of 0.01 leaves 5 of 536 training sentences, fewer than the batch of",
        ),
        (
            ("training.batch=600",),
            "training.batch of 600 is more than the 536 training sentences there are: every step",
        ),
        (("training.share=1.0e-9", "training.interferers=0"), "training.share of 1e-09 leaves 1 of 536 training"),
        (("codecs.big.training={share: 0.02, batch: 12}",), "codecs.big.training.share of 0.02 leaves 11 of 536"),
    ],
)
def test_a_text_that_fills_no_batch(tiny, changes: tuple[str, ...], line: str | None) -> None:
    scenario = tiny(*changes)
    found = scarce(scenario, scenario.goal, scenario.goal.count())
    assert [each.startswith(line or "") for each in found] == ([True] if line else [])
    assert all("trains on the same" in each for each in found)


def test_it_is_said_before_the_work(tiny_yaml, carry_out, semcom, tmp_path) -> None:
    changes = (SOFT, LONG, "training.share=0.02")
    notes = ("in a code it never learned", "training.warmup of 100 is longer", "trains on the same 11")
    planned = semcom("check", tiny_yaml, *(word for each in changes for word in ("--set", each))).out
    said = carry_out(tmp_path / "run", *changes).said
    for note in notes:
        assert note in " ".join(planned.split())
        assert note in " ".join(said.split()) and said.index(note.split(" ")[0]) < said.index("trained in")


@pytest.mark.parametrize("name", names())
def test_shipped_scenarios_do_so_only_where_that_is_their_question(name: str) -> None:
    scenario = load_scenario(find_scenario(name))[0]
    asked = {"one_observation": ["whole_read"], "one_observation_converged": ["whole_read"]}
    asked["transfer_types"] = ["nothing_outputs", "both_outputs"]
    assert strangers(scenario) == asked.get(name, [])
    assert len(pitfalls(scenario)) == len(strangers(scenario))
