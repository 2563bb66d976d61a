"""Rewriting: numbers, lists, axes and truth values in other notations, each told how it is written here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.mistakes import UserMistake
from semcom.scenario.document import ScenarioError
from semcom.scenario.load import load_scenario
from semcom.scenario.rewriting import flow, rewritten
from semcom.scenario.yaml_data import written

STEPS = "write {start: 0, stop: 18, step: ...} with the step you want, or [0, 18] for these two"


@pytest.fixture
def loaded(tiny_yaml):
    """Hand out `loaded("seed=4")`: the tiny scenario with changes."""
    return lambda *changes: load_scenario(tiny_yaml, changes)[0]


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ('training.steps="6"', "must be a whole number, got '6'; write 6, without quotes"),
        ("training.steps=10k", "write 10000"),
        ("training.steps=1,000", "write 1000, without commas"),
        ("training.steps=0-18", "write one number"),
        ("training.steps=[10, 20]", "must be a whole number, got a list; write one value"),
        ("training.steps=auto", "leave the key out for its default"),
        ("training.learning_rate=0,003", "write 0.003, with a point"),
        ("training.share=50%", "write 0.5"),
        ("training.share=1/4", "write 0.25"),
        ("training.snr_db=6 dB", "write 6, without its unit"),
        ("training.snr_db=-3dB", "write -3, without its unit"),
        ("training.snr_db=\u22126", "write -6, with the minus of the keyboard"),
        ("training.snr_db=0-18", "write [0, 18]"),
        ("training.snr_db=0..18", "write [0, 18]"),
        ("training.snr_db=0 to 18", "write [0, 18]"),
        ("training.snr_db=-3:18", "write [-3, 18]"),
        ("training.snr_db=[0:18]", "write [0, 18]"),
        ("training.snr_db=0, 18", "write [0, 18]"),
        ("training.snr_db={start: 0, stop: 18, step: 6}", "write [0, 18]"),
        ("training.snr_db={min: 0, max: 18}", "write [0, 18]"),
        ("training.snr_db=[0, 6, 12]", "must have 2 entries, got 3; write [0, 12], the lowest and the highest"),
        ("training.snr_db=[6]", "must have 2 entries, got 1; write 6"),
        ("sweep.snr_db=0-18", STEPS),
        ("sweep.snr_db=0:18", STEPS),
        ("sweep.snr_db=[0:18]", STEPS),
        ("sweep.snr_db=0:6:18", "write {start: 0, stop: 18, step: 6}"),
        ("sweep.snr_db=0:18:6", "write {start: 0, stop: 18, step: 6}"),
        ("sweep.snr_db=-18:0:6", "write {start: -18, stop: 0, step: 6}"),
        ("sweep.snr_db=-18:-2:4", "write {start: -18, stop: -2, step: 4}"),
        ("sweep.snr_db=-6:3:12", "write {start: -6, stop: 12, step: 3}"),
        ("sweep.snr_db=-20:5:20", "write {start: -20, stop: 20, step: 5}"),
        ("sweep.snr_db=-10:5:10", "write {start: -10, stop: 10, step: 5}"),
        ("sweep.snr_db=-10:10:5", "write {start: -10, stop: 10, step: 5}"),
        ("sweep.snr_db=range(0, 18, 6)", "write {start: ..., stop: ..., step: ...}, in which stop is included"),
        ("sweep.snr_db=np.linspace(0, 18, 4)", "write {start: ..., stop: ..., step: ...}, in which stop is included"),
        ("sweep.snr_db=[0, 6, ...]", "write {start: ..., stop: ..., step: ...} for evenly spaced points"),
        ("sweep.snr_db=0,6,12", "write [0, 6, 12]"),
        ("sweep.snr_db=0 6 12", "write [0, 6, 12]"),
        ("sweep.snr_db=[0 dB, 6]", "write 0, without its unit"),
        ("sweep.interferers='2'", "write 2, without quotes"),
        ("sweep.codec=big", "must be a list, got 'big'; write [big]"),
        ("sweep.seed=3", "write [3]"),
        ("sweep.antennas=2", "write [2]"),
        ("sweep.fading=rayleigh", "write [rayleigh]"),
        ("sweep.fading={kind: rician, k_factor_db: 3}", "write [{kind: rician, k_factor_db: 3}]"),
        ("sweep.fading={rician: 3}", "must be a list, got a mapping"),
        ("sweep.crowd=big", "write [[big]]"),
        ("sweep.crowd=[big, small]", "must be a list of lists, got one list; write [[big, small]]"),
        ("measure.compare=[small, big]", "must be a list of lists, got one list; write [[small, big]]"),
        ("measure.compare=small", "write [[small, ...]]"),
        ("measure.compare=[[small]]", "must have 2 entries, got 1"),
        ("measure.gap=[small, plain, big]", "write [[small, plain, big]]"),
        ("measure.metrics=bleu_1", "write [bleu_1]"),
        ("codecs.small.distill.methods=symbols", "write [symbols]"),
        ("link.fading=[rayleigh]", "write rayleigh without brackets"),
        ("link.fading=[rayleigh, none]", "write one value here, or several in sweep.fading"),
        ("link.antennas=[1, 2]", "write one value here, or several in sweep.antennas"),
        ("seed=[1, 2]", "write one value here, or several in sweep.seed"),
        ("codecs.big.tied=yes", "must be true or false, got 'yes'; write true"),
        ("codecs.big.tied=off", "write false"),
        ("codecs.big.tied=0", "write false"),
    ],
)
def test_another_notation_is_told_how_it_is_written_here(loaded, change: str, hint: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        loaded(change)
    (message,) = caught.value.messages
    assert message.startswith(f"--set {change.partition('=')[0]}")
    assert message.endswith(hint)


@pytest.mark.parametrize("typed", ["1e3", "1000", "1000.0", "1.0E3", "+1000", "1_000", "0x3e8"])
def test_a_whole_number_may_be_written_in_any_way_yaml_has(loaded, typed: str) -> None:
    settings = loaded(f"training.steps={typed}").training
    assert (settings.steps, type(settings.steps)) == (1000, int)


def test_a_comma_within_a_flow_mapping_is_told_of(tiny_yaml, loaded) -> None:
    for typed in ("{steps: 1,000}", "{learning_rate: 0,5}", "{share: 0,25, steps: 3}"):
        with pytest.raises(ScenarioError, match=r"a key must be text, got '\d+'; a comma ends a value, so write 1000"):
            loaded(f"training={typed}")


NASTY = [
    *(None, True, False, 0, -1, 1.5, 1e300, "", "6", "6 dB", "0-18", "0:6:18", "...", "yes", "off", "none", "rayleigh"),
    *("\u2212", "1/0", "1e999k", "range()", "[", "a.b", "x" * 300, "\x1b[31m", [], [[]], [None], [1, [2]], {}, {"": 1}),
    *(
        {"kind": "none"},
        {"kind": []},
        {"kind": {"kind": 1}},
        {"start": "x", "stop": None},
        [{}],
        [["a"], "b"],
        {"a": [{}]},
    ),
]
PLACES = [
    *(
        "name",
        "seed",
        "corpus",
        "corpus.longest",
        "tokenizer",
        "tokenizer.kind",
        "codecs",
        "codecs.big",
        "codecs.big.size",
    ),
    *("codecs.small.distill", "codecs.small.distill.methods", "codecs.small.distill.methods.0", "codecs.small.adopt"),
    *("codecs.small.training", "codecs.small.training.fading", "codecs.small.training.snr_db", "codecs.big.receiver"),
    *(
        "training",
        "training.steps",
        "training.snr_db",
        "training.interference",
        "training.level_db",
        "link",
        "link.fading",
    ),
    *(
        "link.interference",
        "link.interference.fading",
        "link.crowd",
        "sweep",
        "sweep.codec",
        "sweep.snr_db",
        "sweep.crowd",
    ),
    *("sweep.fading", "sweep.layers", "sweep.interferers", "sweep.seed", "measure", "measure.compare", "measure.gap"),
    *(
        "measure.metrics",
        "measure.similarity",
        "measure.users",
        "overlay",
        "threads",
        "task",
        "nonsense",
        "link.sir_db",
    ),
]


@pytest.mark.parametrize("place", PLACES)
def test_whatever_is_typed_is_taken_or_is_a_message(tiny_yaml, place: str) -> None:
    # A few values in each place; over all places every value has its turns.
    first = PLACES.index(place) * 5
    for value in (NASTY[(first + step) % len(NASTY)] for step in range(5)):
        typed = written([value]).strip()
        try:
            load_scenario(
                tiny_yaml, (f"{place}={typed.removeprefix('- ') if isinstance(value, dict) else typed[1:-1]}",)
            )
        except UserMistake as mistake:
            assert all(line.isprintable() for line in str(mistake).splitlines())


NODES = [
    [{"type": "number"}],
    [{"type": "integer"}, {"type": "array", "items": {}}],
    [{"type": "number"}, {"type": "array", "prefixItems": [{}, {}]}],
    [{"type": "boolean"}],
    [{"type": "string"}],
    [{"type": "array", "items": {"type": "array", "prefixItems": [{}, {}]}}],
]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
numbers = st.text(alphabet="0123456789-+.,:;/~ eEdBkM%to\u2212", max_size=14)


@given(scalars | numbers | st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=3), scalars), st.data())
def test_any_value_is_rewritten_or_not(value: object, data: st.DataObject) -> None:
    wanted, around = data.draw(st.sampled_from(NODES)), data.draw(st.sampled_from([[], *NODES]))
    said = rewritten(value, wanted, around)
    assert said == "" or (said.isprintable() and len(said) < 200)


def test_short_values_are_written_as_yaml_in_one_line() -> None:
    assert flow([1, 2.5, "a", True, None, {"b": [3.0]}]) == "[1, 2.5, a, true, null, {b: [3]}]"
