"""Picture splits: how labelled pictures are limited, dealt to training, validation and test, and scaled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semcom.mistakes import UserMistake
from semcom.sources.recorded import deal
from semcom.words import visible

if TYPE_CHECKING:
    from torch import Tensor

    from semcom.sources.pictures import PictureCorpus, Scale

# Part of every fingerprint here: raise it when a change alters which pictures are read or where they go.
READING_VERSION = 1
# Bytes of all pictures of a set together, in memory; CIFAR has 0.2 GB.
LARGEST_BYTES = 16_000_000_000
MOST_CLASSES = 1000


def check_shares(validation_share: float, test_share: float | None, seed: int) -> None:
    """Refuse settings that leave a split empty.

    Args:
        test_share: None where the set has test pictures of its own.

    Raises:
        ValueError: in words that name the setting.
    """
    shares = {"validation_share": validation_share} | ({} if test_share is None else {"test_share": test_share})
    for name, share in shares.items():
        if not 0 < share < 1:
            raise ValueError(f"{name} must be between 0 and 1, got {share}; 0.1 is a tenth")
    if sum(shares.values()) >= 1:
        told = " and ".join(f"{share:g}" for share in shares.values())
        raise ValueError(f"{' and '.join(shares)} must leave some to train on, got {told}; make them smaller")
    if type(seed) is not int:
        raise ValueError(f"seed must be a whole number, got {seed!r}")


def check_room(pictures: int, size: int, called: str) -> None:
    """Refuse to hold more than a machine can.

    Args:
        size: bytes of one picture.
    """
    if pictures * size > LARGEST_BYTES:
        raise UserMistake(
            f"{called}: pictures must fit {LARGEST_BYTES:,} bytes of memory, got {pictures * size:,}; keep fewer or "
            "smaller ones"
        )


def split_pictures(
    pixels: Tensor,
    labels: Tensor,
    *,
    test: tuple[Tensor, Tensor] | None = None,
    shares: tuple[float, float],
    seed: int,
    classes: Sequence[str],
    fingerprint: str,
    account: str,
    called: str,
) -> PictureCorpus:
    """Deal pictures to their splits by chance, class by class, so that each split has all classes alike.

    Args:
        pixels: [pictures, planes, rows, columns], uint8.
        labels: [pictures], long.
        test: pixels and labels of the test pictures that the set itself names; all of them are kept for the test.
        shares: of each class, for validation and for test; the second is not looked at where the set names a test.
        called: what errors call the set.

    Raises:
        UserMistake: a split has no picture of some class.
    """
    import torch

    from semcom.sources.pictures import PictureCorpus, PictureSet

    rows = deal(labels, shares=shares if test is None else (shares[0], 0.0), seed=seed)
    tested = (pixels[rows["test"]], labels[rows["test"]])
    if test is not None:
        order = deal(test[1], shares=(0.0, 0.0), seed=seed)["train"]
        tested = (test[0][order], test[1][order])
    splits = {name: (pixels[rows[name]], labels[rows[name]]) for name in ("train", "validation")} | {"test": tested}
    for split, (_, there) in splits.items():
        absent = sorted(set(range(len(classes))) - set(torch.unique(there).tolist()))
        if absent:
            names = ", ".join(visible(classes[place]) for place in absent[:5])
            raise UserMistake(f"{called}: must have pictures of every class for {split}, got none of {names}; add some")
    scale = scale_of(splits["train"][0])
    sets = {split: PictureSet(shown, there.long(), scale, tuple(classes)) for split, (shown, there) in splits.items()}
    return PictureCorpus(**sets, classes=tuple(classes), fingerprint=fingerprint, account=account)


def scale_of(pixels: Tensor) -> Scale:
    """Mean and standard deviation of every plane of [pictures, planes, rows, columns]; a flat plane has spread 1."""
    import torch

    from semcom.sources.pictures import BRIGHTEST, Scale

    levels = torch.arange(BRIGHTEST + 1, dtype=torch.float64) / BRIGHTEST
    center, spread = [], []
    for plane in range(pixels.shape[1]):
        # By the histogram: a copy of all pictures as floats would take eight times their memory.
        counts = torch.bincount(pixels[:, plane].flatten(), minlength=BRIGHTEST + 1).double()
        mean = float((counts * levels).sum() / counts.sum())
        variance = float((counts * (levels - mean) ** 2).sum() / counts.sum())
        center.append(mean)
        spread.append(variance**0.5 or 1.0)
    return Scale(tuple(center), tuple(spread))
