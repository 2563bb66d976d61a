"""Pictures: splits and batches of them are even and repeatable, and training pictures change by named chance alone."""

from __future__ import annotations

import pytest
import torch

from channels import Chance
from semcom.sources.augmentation import Augmentation
from semcom.sources.digits import Digits
from semcom.sources.picture_splits import scale_of
from semcom.sources.pictures import PictureBatches, PictureCorpus, PictureSet


@pytest.fixture(scope="module")
def digits() -> PictureCorpus:
    return Digits().load()


def numbered(count: int, classes: int = 2) -> PictureSet:
    """Pictures of 4 x 4 pixels; the first pixel of each is its own number."""
    pixels = torch.full((count, 1, 4, 4), 200, dtype=torch.uint8)
    pixels[:, 0, 0, 0] = torch.arange(count)
    return PictureSet(pixels, torch.arange(count) % classes)


def test_every_digit_is_in_one_split_and_every_beginning_is_even(digits: PictureCorpus) -> None:
    assert [len(digits.train), len(digits.validation), len(digits.test)] == [1259, 179, 359]
    seen = [each.pixels.flatten(1) for each in (digits.train, digits.validation, digits.test)]
    assert sum(map(len, seen)) == 1797
    assert digits.train.pixels.dtype == torch.uint8 and digits.train.pixels.max() == 255
    for split in (digits.train, digits.test):
        counts = torch.bincount(split.labels[:100], minlength=10)
        assert counts.min() == counts.max() == 10
    again = Digits().load()
    assert torch.equal(again.test.pixels, digits.test.pixels)
    assert not torch.equal(Digits(seed=1).load().test.pixels, digits.test.pixels)
    assert Digits().fingerprint() == digits.fingerprint != Digits(seed=1).fingerprint()


def test_standard_pictures_have_mean_0_and_variance_1(digits: PictureCorpus) -> None:
    whole = digits.train.batch(range(len(digits.train)))
    assert whole.standard.mean().item() == pytest.approx(0, abs=1e-5)
    assert whole.standard.var(correction=0).item() == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(whole.shades_of(whole.standard), whole.shades)
    assert scale_of(torch.zeros(3, 1, 2, 2, dtype=torch.uint8)).spread == (1.0,), "of black pictures nothing is divided"


def test_a_share_is_as_even_and_a_smaller_one_is_part_of_it() -> None:
    pictures = numbered(40, classes=4)

    def rows(share: float) -> set[int]:
        batches = PictureBatches(pictures, 8, Chance(1), share=share)
        return {row for step in range(batches.per_epoch) for row in batches.at(step).rows}

    # Two shots of each of the four classes.
    assert rows(0.2) == set(range(8))
    assert rows(0.1) < rows(0.2) < rows(1.0) == set(range(40))


def test_a_share_of_ones_own_is_of_other_pictures_and_as_even() -> None:
    pictures = numbered(40, classes=4)
    first, second = pictures.reordered(1), pictures.reordered(2)
    assert not torch.equal(first.pixels, second.pixels)
    assert torch.equal(first.pixels, pictures.reordered(1).pixels)
    for each in (first, second):
        assert sorted(each.pixels[:, 0, 0, 0].tolist()) == list(range(40))
        assert torch.bincount(each.labels[:8]).tolist() == [2, 2, 2, 2]
        assert torch.equal(each.pixels[:, 0, 0, 0] % 4, each.labels), "every picture keeps its class"


@pytest.mark.parametrize("planes", [1, 3])
def test_a_crop_is_a_piece_of_the_padded_picture(planes: int) -> None:
    pixels = torch.randint(1, 256, (50, planes, 5, 7), dtype=torch.uint8)
    changed = Augmentation(crop=2).changed(pixels, Chance(3))
    assert changed.shape == pixels.shape and changed.dtype == torch.uint8
    padded = torch.nn.functional.pad(pixels, (2, 2, 2, 2))
    found = set()
    for old, new in zip(padded, changed, strict=True):
        places = [
            (row, column)
            for row in range(5)
            for column in range(5)
            if torch.equal(old[:, row : row + 5, column : column + 7], new)
        ]
        assert len(places) == 1
        found.add(places[0])
    assert len(found) > 10, "all over the padding"
    assert torch.equal(Augmentation(crop=2).changed(pixels, Chance(3)), changed)


def test_a_flip_mirrors_about_half() -> None:
    pixels = torch.randint(0, 256, (400, 1, 4, 5), dtype=torch.uint8)
    changed = Augmentation(crop=0, flip=True).changed(pixels, Chance(3))
    mirrored = (changed == pixels.flip(3)).flatten(1).all(dim=1)
    assert ((changed == pixels).flatten(1).all(dim=1) | mirrored).all()
    # Five standard errors of a fair coin.
    assert abs(mirrored.float().mean().item() - 0.5) < 5 * 0.5 / 20


def test_training_batches_change_by_their_step_alone() -> None:
    def batches(augmentation: Augmentation | None) -> PictureBatches:
        return PictureBatches(numbered(16), 8, Chance(5), augmentation=augmentation)

    plain, changed, again = batches(None), batches(Augmentation(crop=1)), batches(Augmentation(crop=1))
    assert plain.at(3).rows == changed.at(3).rows and not torch.equal(plain.at(3).pixels, changed.at(3).pixels)
    again.at(9)
    assert torch.equal(again.at(3).pixels, changed.at(3).pixels)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"validation_share": 0.0}, "validation_share must be between 0 and 1"),
        ({"validation_share": 0.5, "test_share": 0.5}, "must leave some to train on"),
        ({"seed": 1.5}, "seed must be a whole number"),
    ],
)
def test_splits_that_leave_nothing_are_refused(changes: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Digits(**changes)  # type: ignore[arg-type]
