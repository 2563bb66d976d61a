"""Codec: what every pair promises, of which the air needs to know no more than a shape."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from semcom.models.codec import Codec, air_shape
from semcom.models.make import initialize
from semcom.models.semantic_spec import symmetric
from semcom.sources.batches import make_batch

FIVE = replace(symmetric(12, 1, heads=3), symbols_per_token=5)
RAGGED = [[5, 6, 7, 8, 9, 10], [11, 12], [13], [14, 15, 16, 17]]


@pytest.mark.parametrize(("sentences", "shape"), [(RAGGED, (4, 30)), ([[5]], (1, 5))], ids=["ragged", "one token"])
def test_symbols_count_padding_because_the_air_is_drawn_for_it(
    sentences: list[list[int]], shape: tuple[int, int]
) -> None:
    codec, batch = initialize(FIVE, 23, seed=5), make_batch(sentences)
    assert air_shape(codec, batch) == shape == tuple(codec.send(batch).symbols.shape)


def test_who_lacks_one_of_its_promises_is_no_codec() -> None:
    class Mute(Codec):
        send = hear = decode = example = lambda *_, **__: pytest.fail("never asked")

    with pytest.raises(TypeError, match=r"abstract.* stacks"):
        Mute(FIVE, 23)


def test_a_codec_without_attention_says_so() -> None:
    class Echo(Codec):
        send = hear = decode = example = stacks = lambda *_, **__: pytest.fail("never asked")

    echo = Echo(SimpleNamespace(kind="echo"), 2)  # type: ignore[arg-type]
    assert echo.outputs == 2 and not list(echo.parameters())
    with pytest.raises(ValueError, match="a codec of kind echo weighs nothing by attention; leave such methods out"):
        echo.with_attention(SimpleNamespace())  # type: ignore[arg-type]
    assert isinstance(echo, torch.nn.Module)
