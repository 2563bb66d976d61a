"""Strangers: neighbors whose messages are of another kind than the wanted user's, text beside pictures and back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from channels import Chance, Energies, Gaussian, Link, RandomPhase, draw, everyone, mean_sinr_db
from semcom.models.codec import air_shape
from semcom.models.make import initialize
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.sources.batches import evaluation_batches
from semcom.tasks.pictures import Pictures
from semcom.tasks.trip import Encoded, deliver, encode_once, strangers

SIDE = SideSpec(width=12, layers=1, heads=3, feedforward=20, channel_hidden=16)
CHANCE = Chance(5, ("cell",))
CROWDED = Link(snr_db=30.0, interferers=2, fading=RandomPhase())


@pytest.fixture(scope="module")
def text() -> Encoded:
    """Ninety sentences of 3 to 7 tokens, 4 symbols each."""
    generator = torch.Generator().manual_seed(1)
    lengths = torch.randint(3, 8, (90,), generator=generator).tolist()
    codec = initialize(SemanticSpec(SIDE, SIDE, symbols_per_token=4), 29, seed=5).eval()
    return encode_once(
        codec, evaluation_batches([torch.randint(4, 29, (n,), generator=generator).tolist() for n in lengths], 30)
    )


@pytest.fixture(scope="module")
def pictures() -> Encoded:
    """Sixty digits of 6 symbols each."""
    task = Pictures()
    data = task.load(Path(), task.fingerprint())
    spec = task.fitted(task.sizes["resnet8_tiny"])
    return encode_once(initialize(spec, data.outputs, seed=2).eval(), list(data.exam(60, 25).batches))


@pytest.fixture(params=["text", "pictures"])
def pair(request: pytest.FixtureRequest, text: Encoded, pictures: Encoded) -> tuple[Encoded, Encoded]:
    """The wanted user and its neighbor, either way round."""
    return (text, pictures) if request.param == "text" else (pictures, text)


def sent(wanted: Encoded, crowd: Encoded, index: int) -> Tensor:
    """What all three users of one batch send [batch, users, symbols]."""
    air = draw(CROWDED, air_shape(wanted.codec, wanted.batches[index]), CHANCE)
    return everyone(wanted.symbols[index], CROWDED, air, [crowd.crowds[index]] * 2)


def test_a_stranger_sends_what_its_own_codec_makes_of_its_own_messages(pair: tuple[Encoded, Encoded]) -> None:
    wanted, other = pair
    crowd = strangers(other, wanted.batches)
    ring = torch.cat((other.crowds[0].stream, other.crowds[0].stream))
    windows = set()
    for index in range(len(wanted.batches)):
        signals = sent(wanted, crowd, index)
        places = ring.unfold(0, signals.shape[2], 1)
        for first, second in signals[:, 1:]:
            found = [next(k for k, each in enumerate(places) if torch.equal(each, one)) for one in (first, second)]
            assert found[0] != found[1]
            windows |= set(found)
    # From all over the ring, and not the same few.
    assert len(windows) > 10
    assert max(windows) > len(other.crowds[0].stream) / 2


def test_a_message_of_the_wanted_user_is_on_the_air_whole(pair: tuple[Encoded, Encoded]) -> None:
    wanted, other = pair
    assert torch.equal(sent(wanted, strangers(other, wanted.batches), 1)[:, 0], wanted.symbols[1])


def test_its_power_is_that_of_its_level(pair: tuple[Encoded, Encoded]) -> None:
    """Codecs promise unit power over each message, and windows from all of a ring keep to it on average."""
    wanted, other = pair
    met = Energies()
    for repeat in range(20):
        met += deliver(wanted, CROWDED, CHANCE.of("repeat", repeat), crowd=[strangers(other, wanted.batches)]).energies
    # 20 repeats of at least 60 messages beside two neighbors each, whose power in a window spreads by a third at most.
    error = 5 * 4.34 * 0.33 / (20 * 60 * 2) ** 0.5
    assert met.sinr_db == pytest.approx(mean_sinr_db(CROWDED), abs=error)


def test_it_disturbs(pair: tuple[Encoded, Encoded]) -> None:
    """Other answers than alone, and other ones than beside white noise or beside one's own kind."""
    wanted, other = pair

    def answers(link: Link, *crowd: Encoded) -> list[object]:
        return [str(each) for each in deliver(wanted, link, CHANCE, crowd=crowd).answers]

    noise = Link(snr_db=30.0, interferers=2, fading=RandomPhase(), interference=Gaussian())
    alone = Link(snr_db=30.0, fading=RandomPhase())
    found = [
        answers(alone),
        answers(noise),
        answers(CROWDED),
        answers(CROWDED, strangers(other, wanted.batches)),
        answers(CROWDED, wanted, strangers(other, wanted.batches)),
    ]
    assert all(one != two for place, one in enumerate(found) for two in found[:place])


def test_more_strangers_than_there_is_to_send_are_refused(text: Encoded, pictures: Encoded) -> None:
    few = Encoded(pictures.codec, pictures.batches[:1], pictures.symbols[:1], [])
    crowd = strangers(encode_once(few.codec, few.batches), text.batches)
    room = crowd.crowds[0].slots(text.symbols[0].shape[1])
    with pytest.raises(ValueError, match=rf"{room + 1} interferers need a crowd"):
        deliver(text, Link(interferers=room + 1), CHANCE, crowd=[crowd])
