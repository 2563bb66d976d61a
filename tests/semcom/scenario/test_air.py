"""The air of the test beside that of the training: every range, every kind, and what of the test training lacks."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from channels import FADING
from semcom.scenario.air import air_lines, in_phase, phase_note
from semcom.scenario.expand import expand
from semcom.scenario.load import find_scenario, load_scenario, names
from semcom.scenario.scenario import Scenario

ONE = "sweep.interferers=1"
ALL = "sweep.codec=[big, small, plain]"
KEYS = ["snr_db", "interferers", "level_db", "interference", "fading", "coherence", "csi", "equalizer", "antennas"]


@pytest.fixture
def tiny(tiny_yaml) -> Callable[..., Scenario]:
    """Hand out `tiny("seed=4")`: the tiny scenario with changes."""
    return lambda *changes: load_scenario(tiny_yaml, changes)[0]


def table(scenario: Scenario) -> list[list[str]]:
    """The cells of every line; those of no line are wrapped here."""
    lines = air_lines(scenario, [run.link for run in expand(scenario).runs])
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]


def lacking(scenario: Scenario) -> dict[str, str]:
    """What training is said to lack, by key."""
    mark = "not in training: "
    return {cells[0]: cells[-1].removeprefix(mark) for cells in table(scenario) if cells[-1].startswith(mark)}


def test_every_part_of_the_air_has_its_line(tiny) -> None:
    head, *lines = table(tiny("sweep.interferers=[0, 1]"))
    assert head == ["tested", "trained: all codecs"]
    assert [cells[0] for cells in lines] == KEYS
    assert lines[0] == ["snr_db", "0, 6, 12", "0 to 12"]
    assert lines[1] == ["interferers", "0, 1", "0 to 1"]
    assert lines[2:] == [
        ["level_db", "0", "0"],
        ["interference", "neighbors", "neighbors"],
        ["fading", "none", "none"],
        ["coherence", "sentence", "sentence"],
        ["csi", "perfect", "perfect"],
        ["equalizer", "mmse", "mmse"],
        ["antennas", "1", "1"],
    ]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ((), {"interferers": "2"}),
        (("training.interferers=[0, 2]",), {}),
        (("training.interferers=[1, 2]",), {"interferers": "0"}),
        # Without interferers in training nothing is said of their level and kind beside their number.
        (("training.interferers=0", "link.interference={kind: tone, level_db: 3}"), {"interferers": "2"}),
        ((ONE, "sweep.snr_db=[-3, 0, 12, 15]"), {"snr_db": "-3, 15"}),
        ((ONE, "training.snr_db=6"), {"snr_db": "0, 12"}),
        ((ONE, "training.level_db=[-6, -3]"), {"level_db": "0"}),
        ((ONE, "training.interference={kind: neighbors, level_db: -6}"), {"level_db": "0"}),
        ((ONE, "sweep.level_db=[-6, 0]"), {"level_db": "-6"}),
        ((ONE, "link.interference={kind: neighbors, level_db: [0, 3]}"), {"level_db": "3"}),
        ((ONE, "sweep.interference=[{kind: neighbors}, {kind: qam}]"), {"interference": "qam"}),
        ((ONE, "link.interference={kind: bursts, duty: 0.5}"), {"interference": "bursts(duty=0.5)"}),
        ((ONE, "link.fading={kind: rayleigh}"), {"fading": "rayleigh"}),
        ((ONE, "sweep.fading=[{kind: none}, {kind: rician}]"), {"fading": "rician"}),
        (
            (ONE, "link.interference={kind: neighbors, fading: {kind: random_phase}}"),
            {"their fading": "random_phase"},
        ),
        ((ONE, "training.interference={kind: neighbors, fading: {kind: rayleigh}}"),
         {"their fading": "none"}),
        ((ONE, "link.coherence={kind: block}"), {"coherence": "block"}),
        ((ONE, "link.csi={kind: noisy}"), {"csi": "noisy"}),
        ((ONE, "sweep.equalizer=[{kind: mmse}, {kind: zero_forcing}]"), {"equalizer": "zero_forcing"}),
        ((ONE, "sweep.antennas=[1, 2, 4]"), {"antennas": "2, 4"}),
        # How evenly gains are drawn changes no distribution.
        ((ONE, "link.fading={kind: rayleigh, stratified: true}", "training.fading={kind: rayleigh}"), {}),
    ],
    ids=lambda each: "; ".join(each) if isinstance(each, tuple) else "",
)  # fmt: skip
def test_what_training_lacks_is_named(tiny, changes: tuple[str, ...], found: dict[str, str]) -> None:
    assert lacking(tiny(*changes)) == found


def test_codecs_of_one_air_share_a_table_and_others_show_what_differs(tiny) -> None:
    other = "codecs.plain.training={snr_db: [6, 18], steps: 3}"
    lines = table(tiny(ALL, other, ONE))
    heads = [cells for cells in lines if cells[0] == "tested"]
    assert heads == [["tested", "trained: big, small"], ["tested", "trained otherwise: plain"]]
    assert lines[-1] == ["snr_db", "0, 6, 12", "6 to 18", "not in training: 0"]
    assert len(lines) == 2 + len(KEYS) + 1


def test_nothing_is_new_to_a_codec_that_nobody_tests(tiny) -> None:
    apart = ("codecs.big.training={interferers: 0}", "sweep.codec=[small]", ONE)
    assert lacking(tiny(*apart)) == {}
    assert lacking(tiny(*apart[:1], "sweep.codec=[small, big]", ONE)) == {"interferers": "1"}


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ((), "test and in training"),
        (("link.fading={kind: rayleigh}",), "training"),
        (("link.fading={kind: random_phase}",), "training"),
        (("training.interferers=0",), "test"),
        (("training.interference={kind: gaussian}", "training.level_db=-3"), "test"),
        (("training.interferers=0", "link.interference={kind: qam}"), "test"),
        (("training.interferers=0", "link.interference={kind: tone}"), ""),
        (("training.interferers=0", "link.interference={kind: neighbors, fading: {kind: random_phase}}"), ""),
        (("training.interferers=0", "sweep.interferers=0"), ""),
    ],
    ids=lambda each: "; ".join(each) if isinstance(each, tuple) else "",
)
def test_interferers_in_phase_are_told_once(tiny, changes: tuple[str, ...], places: str) -> None:
    scenario = tiny(*changes)
    links = [run.link for run in expand(scenario).runs]
    notes = phase_note(scenario, links)
    assert [note.startswith(f"in {places} interferers arrive in phase") for note in notes] == ([True] if places else [])
    assert any(map(in_phase, links)) == ("test" in places)


@pytest.mark.parametrize("name", names())
def test_a_shipped_scenario_is_readable_in_a_narrow_window(name: str) -> None:
    scenario = load_scenario(find_scenario(name))[0]
    lines = air_lines(scenario, [run.link for run in expand(scenario).runs])
    assert max(map(len, lines)) <= 100
    assert lines[0].split()[0] in ("tested", "trained:")


def test_a_plan_shows_it(tiny_yaml, semcom) -> None:
    words = ("--set", "link.fading={kind: rayleigh, stratified: true}", "--set", "sweep.interferers=[0, 1, 3]")
    said = semcom("check", tiny_yaml, *words).out
    assert "  interferers   0, 1, 3                    0 to 1               not in training: 3" in said
    assert "  fading        rayleigh(stratified=True)  none                 not in training:" in said
    assert "in training interferers arrive in phase with the wanted user" in " ".join(said.split())


# The new words of the air, as a scenario meets them


@pytest.mark.parametrize("fading", ["rayleigh", "rician", "nakagami"])
@pytest.mark.parametrize("where", ["link.fading", "training.fading"])
def test_stratified_is_a_measurement_of_its_own_and_false_is_none(tiny, where: str, fading: str) -> None:
    def identities(more: str) -> set[str]:
        sweep = expand(tiny(f"{where}={{kind: {fading}{more}}}"))
        return {each.identity for each in (*sweep.builds, *sweep.runs)}

    plain = identities("")
    assert identities(", stratified: false") == plain
    spread = identities(", stratified: true")
    assert len(spread - plain) == len(plain) - (0 if where == "training.fading" else 2)


@pytest.mark.parametrize("place", ["sweep.fading=[{kind: random_phase}]", "training.fading={kind: random_phase}",
                                   "link.interference={kind: neighbors, fading: {kind: random_phase}}",
                                   "measure.users=all"])  # fmt: skip
def test_a_random_phase_goes_through_training_links_and_cells(place: str, carry_out, tmp_path) -> None:
    changes = ("training.steps=2", "link.fading={kind: random_phase}", "sweep.snr_db=6", "sweep.interferers=[0, 2]")
    assert carry_out(tmp_path / "run", "sweep.codec=[big]", *changes, place).failures == 0
    assert "random_phase" in (tmp_path / "run" / "results.csv").read_text()


def test_what_may_be_named_is_listed_and_in_the_schema(semcom) -> None:
    said = semcom("list", "fading").out
    schema = json.loads(semcom("schema").out)
    for variant in FADING:
        assert f"  {variant().kind} " in said
        assert schema["$defs"][variant.__name__]["properties"]["kind"]["const"] == variant().kind
    for name in ("Rayleigh", "Rician", "Nakagami"):
        assert "boolean" in json.dumps(schema["$defs"][name]["properties"]["stratified"])


@pytest.mark.parametrize("value", ["1", "yes", "0.5", "[true]"])
def test_stratified_is_true_or_false(tiny_yaml, refused, value: str) -> None:
    message = refused("check", tiny_yaml, "--set", f"link.fading={{kind: rayleigh, stratified: {value}}}")
    assert "link.fading.stratified: must be true or false" in message
