"""A sweep over shapes: which codecs it multiplies, what follows the width, what it is called, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from semcom.compression.cost import count
from semcom.experiment.preview import preview
from semcom.mistakes import UserMistake
from semcom.models.semantic import SemanticCodec
from semcom.models.semantic_spec import SemanticSpec, SideSpec, symmetric
from semcom.models.sizes import SIZES
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.scenario.scenario import Scenario
from semcom.scenario.shapes import written_out

AXES = ("sweep.codec=[big, plain, small]", "sweep.layers=[1, 2]", "sweep.width=[16, 24]")
VOCABULARY = 101

Load = Callable[..., Scenario]


@pytest.fixture
def load(tiny_yaml: Path) -> Load:
    return lambda *changes: load_scenario(tiny_yaml, changes)[0]


def test_the_axes_multiply_what_nobody_is_made_from(load: Load) -> None:
    scenario = load(*AXES)
    ladder = ["1x16", "1x24", "2x16", "2x24"]
    assert scenario.sweep.codec == ("big", *(f"{name}_{each}" for name in ("plain", "small") for each in ladder))
    assert list(scenario.codecs) == list(scenario.sweep.codec), "in the place of the codec they come from"
    for each in ladder:
        layers, width = map(int, each.split("x"))
        spec = scenario.resolved(f"plain_{each}").spec
        assert (spec.transmitter.layers, spec.receiver.layers) == (layers, layers)
        assert (spec.transmitter.width, spec.receiver.width) == (width, width)
    assert scenario.resolved("big").spec.receiver == SIZES["student_quarter"].receiver


def test_a_written_out_scenario_has_nothing_left_to_write_out(load: Load) -> None:
    scenario = load(*AXES)
    assert written_out(scenario) is scenario
    plain = load()
    assert written_out(plain) is plain


def test_what_is_no_codec_of_the_sweep_is_left_alone(load: Load) -> None:
    scenario = load("sweep.codec=[small]", "sweep.width=[16, 24]")
    assert list(scenario.codecs) == ["big", "plain", "small_width16", "small_width24"]


def test_a_variant_is_the_codec_that_would_be_typed(load: Load) -> None:
    """Identity and all: writing a shape by hand is no other training."""
    one = load(*AXES)
    side = "{layers: 2, width: 24, heads: 2, feedforward: 96, channel_hidden: %d}"
    typed = load("sweep.codec=[plain]", f"codecs.plain.transmitter={side % 48}", f"codecs.plain.receiver={side % 96}")
    builds = {build.name: build.identity for build in expand(one).builds}
    assert builds["plain_2x24"] == expand(typed).builds[0].identity


def test_a_shape_equal_to_the_size_moves_no_identity(load: Load) -> None:
    before = {build.name: build.identity for build in expand(load("sweep.codec=[big, plain, small]")).builds}
    after = {build.name: build.identity for build in expand(load(*AXES)).builds}
    assert after["big"] == before["big"]
    assert after["plain_1x16"] == before["plain"]
    assert after["small_1x16"] == before["small"]


@pytest.mark.parametrize(("width", "heads"), [(2, 2), (16, 2), (18, 2), (24, 2)])
def test_heads_divide_the_width(load: Load, width: int, heads: int) -> None:
    spec = load("sweep.codec=[plain]", f"sweep.width=[{width}]").resolved(f"plain_width{width}").spec
    assert (spec.transmitter.heads, spec.receiver.heads) == (heads, heads)


@pytest.mark.parametrize(("width", "heads"), [(64, 8), (36, 6), (30, 6), (14, 7), (26, 2), (4, 4)])
def test_heads_are_the_largest_divisor_not_above_the_codecs_own(load: Load, width: int, heads: int) -> None:
    scenario = load("codecs.plain={size: student_half}", "sweep.codec=[plain]", f"sweep.width={width}")
    assert scenario.resolved(f"plain_width{width}").spec.receiver.heads == heads


def test_hidden_widths_follow_as_in_symmetric(load: Load) -> None:
    scenario = load("sweep.codec=[plain]", "sweep.layers=3", "sweep.width=24")
    like = symmetric(24, 3, heads=2)
    spec = scenario.resolved("plain_3x24").spec
    assert (spec.transmitter, spec.receiver) == (like.transmitter, like.receiver)


def test_what_is_typed_or_an_axis_does_not_follow(load: Load) -> None:
    changes = ("codecs.plain.receiver={feedforward: 40}", "sweep.codec=[plain]", "sweep.width=[24]")
    spec = load(*changes).resolved("plain_width24").spec
    assert (spec.transmitter.feedforward, spec.receiver.feedforward) == (96, 40)
    assert (spec.transmitter.channel_hidden, spec.receiver.channel_hidden) == (48, 96)
    axes = load("sweep.codec=[plain]", "sweep.width=[24]", "sweep.feedforward=[8]", "sweep.channel_hidden=[9]")
    spec = axes.resolved("plain_width24_ff8_ch9").spec
    assert {(side.feedforward, side.channel_hidden) for side in (spec.transmitter, spec.receiver)} == {(8, 9)}


def test_an_adopted_side_stays_its_donor_s(load: Load) -> None:
    scenario = load("codecs.plain.adopt={transmitter: big}", "sweep.codec=[big, plain]", *AXES[1:])
    spec = scenario.resolved("plain_2x24").spec
    assert spec.transmitter == SIZES["student_quarter"].transmitter
    assert (spec.receiver.layers, spec.receiver.width) == (2, 24)
    assert scenario.codecs["plain_2x24"].transmitter is None


def test_a_typed_side_stays_and_the_other_is_varied(load: Load) -> None:
    scenario = load("codecs.plain.transmitter={width: 16, layers: 1}", "sweep.codec=[plain]", *AXES[1:])
    spec = scenario.resolved("plain_2x24").spec
    assert (spec.transmitter.layers, spec.transmitter.width) == (1, 16)
    assert (spec.receiver.layers, spec.receiver.width) == (2, 24)


def test_a_codec_that_fixes_both_sides_has_no_variants_of_that_axis(load: Load) -> None:
    fixed = ("codecs.plain.transmitter={width: 16}", "codecs.plain.receiver={width: 16}")
    assert load(*fixed, *AXES).sweep.codec[:3] == ("big", "plain_layers1", "plain_layers2")


def test_a_start_fits_one_shape_and_keeps_it(load: Load) -> None:
    tuned = "codecs.tuned={size: tiny, symbols_per_token: 2, start: plain}"
    scenario = load(tuned, "sweep.codec=[tuned, small, plain]", "sweep.width=[16, 24]")
    assert scenario.sweep.codec == ("tuned", "small_width16", "small_width24", "plain")


def test_steps_are_an_axis_as_well(load: Load) -> None:
    scenario = load("sweep.codec=[plain]", "sweep.width={start: 8, stop: 24, step: 8}")
    assert scenario.sweep.codec == ("plain_width8", "plain_width16", "plain_width24")


def test_pairs_are_of_one_shape(load: Load) -> None:
    scenario = load(*AXES, "measure.compare=[[small, plain], [plain, big]]")
    ladder = ["1x16", "1x24", "2x16", "2x24"]
    assert scenario.measure.compare == (
        *((f"small_{each}", f"plain_{each}") for each in ladder),
        *((f"plain_{each}", "big") for each in ladder),
    )


def test_pairs_that_share_some_axes_agree_in_those(load: Load) -> None:
    deep = ("codecs.plain.transmitter={layers: 1}", "codecs.plain.receiver={layers: 1}")
    scenario = load(*deep, *AXES, "measure.compare=[[small, plain]]")
    assert scenario.measure.compare == (
        ("small_1x16", "plain_width16"),
        ("small_1x24", "plain_width24"),
        ("small_2x16", "plain_width16"),
        ("small_2x24", "plain_width24"),
    )


def test_students_have_their_controls_shape_by_shape(load: Load) -> None:
    roles = {run.build.name: run.role for run in expand(load(*AXES)).runs}
    assert roles.pop("big") == "teacher"
    assert all(role == ("student" if name.startswith("small") else "control") for name, role in roles.items())


def test_check_shows_the_variants(load: Load, tmp_path: Path) -> None:
    text = preview(load(*AXES), tmp_path / "out")
    assert "9 codecs (9 to train)" in text
    assert all(each in text for each in ("plain_1x16", "small_2x24", "2x24 -> 2x24"))


def test_the_scenario_is_kept_as_it_was_typed(tiny_yaml: Path, tmp_path: Path) -> None:
    scenario, text = load_scenario(tiny_yaml, AXES)
    assert "plain_1x16" not in text
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    assert load_scenario(path)[0] == scenario


def side_by_hand(side: SideSpec, symbols: int, *, sends: bool) -> int:
    """Every weight and bias of one side without embeddings, pre-norm, parallel decoder."""
    d, f, c, reals = side.width, side.feedforward, side.channel_hidden, 2 * symbols
    layer = 4 * (d * d + d) + (d * f + f + f * d + d) + 2 * (2 * d)
    encoder = d * c + c + c * reals + reals
    decoder = reals * d + d + d * c + c + c * d + d + 2 * d
    return side.layers * layer + 2 * d + (encoder if sends else decoder)


@pytest.mark.parametrize("shape", ["1x16", "1x24", "2x16", "2x24"])
def test_parameters_of_every_variant_by_hand(load: Load, shape: str) -> None:
    layers, width = map(int, shape.split("x"))
    spec: SemanticSpec = load(*AXES).resolved(f"plain_{shape}").spec
    sending = SideSpec(width, layers, 2, 4 * width, 2 * width)
    hearing = SideSpec(width, layers, 2, 4 * width, 4 * width)
    by_hand = side_by_hand(sending, 2, sends=True) + side_by_hand(hearing, 2, sends=False)
    with torch.device("meta"):
        cost = count(SemanticCodec(spec, VOCABULARY))
    assert cost.body_parameters == by_hand
    assert cost.parameters == by_hand + VOCABULARY * width


REFUSED = [
    ("sweep.width=1000000", "sweep.width: must be at most 4096, got 1000000"),
    ("sweep.width=[16, 1000000]", r"sweep.width\[1\]: must be at most 4096, got 1000000"),
    ("sweep.width={start: 16, stop: 4800, step: 16}", "must be at most 4096, got 4800"),
    ("sweep.width=[16, 17]", "must be a multiple of 2, got 17"),
    ("sweep.width={start: 15, stop: 48, step: 8}", "must be even .*, got 15"),
    ("sweep.width={start: 16, stop: 48, step: 8.5}", "must be whole numbers from 2 up, got 16, 24.5"),
    ("sweep.width=[]", "width must name at least one value"),
    ("sweep.layers=[1, 1]", "layers names a value twice: 1, 1"),
    ("sweep.layers=0", "must be at least 1, got 0"),
    ("sweep.layers=65", "must be at most 64, got 65"),
    ("sweep.layers=deep", "must be a whole number, a list or a mapping of start, stop, step"),
    ("sweep.feedforward=16385", "must be at most 16384"),
    ("codecs.plain.receiver.width=1000000", "codecs.plain: width must be at most 4096, got 1000000; use a smaller one"),
    ("training.antennas=65", "antennas must be at most 64, got 65"),
]


@pytest.mark.parametrize(("change", "said"), REFUSED)
def test_sizes_that_no_machine_bears_are_refused(load: Load, change: str, said: str) -> None:
    with pytest.raises(UserMistake, match=said):
        load(change)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (("sweep.codec=[big]", "sweep.width=[16]"), "sweep.width must find a codec in sweep.codec to vary, got none"),
        (
            (
                "sweep.codec=[plain]",
                "sweep.width=[16]",
                "codecs.plain.transmitter={width: 8}",
                "codecs.plain.receiver={width: 8}",
            ),
            "sweep.width must find a codec",
        ),
        ((*AXES, "codecs.plain_1x16={size: tiny}"), "one of its shapes is 'plain_1x16' as well"),
        ((*AXES[:2], "sweep.width={start: 2, stop: 1000, step: 2}"), "must lead to at most 500 codecs, got 2001"),
        ((f"codecs={{{'a' * 60}: {{size: tiny}}}}", f"sweep={{codec: [{'a' * 60}], width: 16}}"), "a shorter name"),
    ],
)
def test_nonsense_is_refused(load: Load, changes: tuple[str, ...], said: str) -> None:
    with pytest.raises(UserMistake, match=said):
        load(*changes)


def test_a_mistake_stands_at_its_line(tmp_path: Path, text_file: Path) -> None:
    path = tmp_path / "lines.yaml"
    path.write_text(
        f"# How?\nname: lines\ncorpus: {{source: file, path: {text_file}}}\ncodecs:\n  one: {{size: tiny}}\n"
        "  two: {size: tiny, start: one}\nsweep:\n  codec: [one, two]\n  layers: [1]\n"
    )
    with pytest.raises(UserMistake, match=r"lines\.yaml:9:3: sweep\.layers must find a codec"):
        load_scenario(path)


def test_the_ends_of_a_gap_are_of_one_shape_though_the_student_has_none(load: Load) -> None:
    other = "codecs.other={size: tiny, symbols_per_token: 2, decoding: autoregressive}"
    changes = (other, "sweep.codec=[big, plain, other]", "sweep.layers=[1, 2]", "measure.gap=[[big, plain, other]]")
    gap = load(*changes).measure.gap
    assert gap == (("big", "plain_layers1", "other_layers1"), ("big", "plain_layers2", "other_layers2"))
