"""Digits: 1,797 handwritten digits of 8 x 8 pixels that come with scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from semcom.files import digest
from semcom.mistakes import UserMistake
from semcom.sources.picture_splits import check_shares, split_pictures
from semcom.sources.recorded import fingerprint_of
from semcom.sources.sentences import Progress

if TYPE_CHECKING:
    from semcom.sources.pictures import PictureCorpus

# Of the pictures, 17 levels a pixel as scikit-learn has them, and their labels behind them.
CONTENT = "3add1ae1fa53cc89d7599167a31c4e88"
LEVELS = 16


@dataclass(frozen=True)
class Digits:
    """Handwritten digits of 8 x 8 pixels, 1,797 of them; nothing is to be fetched.

    The set names no test pictures; they are chosen by chance within each class.

    Args:
        validation_share: of each class, to validate on.
        test_share: of each class, to test on.
        seed: of the split.

    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998,
    its test part, as shipped with scikit-learn.
    """

    validation_share: float = 0.1
    test_share: float = 0.2
    seed: int = 0
    kind: Literal["digits"] = "digits"

    def __post_init__(self) -> None:
        check_shares(self.validation_share, self.test_share, self.seed)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, rows and columns of a picture."""
        return (1, 8, 8)

    @property
    def is_at_hand(self) -> bool:
        """They are part of every installation."""
        return True

    def fingerprint(self) -> str:
        """Covers the pictures, which never change, and how they are split."""
        settings = {"shares": [float(self.validation_share), float(self.test_share)], "seed": self.seed}
        return fingerprint_of(self.kind, CONTENT, settings)

    def prepare(self, progress: Progress | None = None) -> str:
        """Nothing to do."""
        return f"{self.kind}: {self.load(progress).account}"

    def load(self, progress: Progress | None = None) -> PictureCorpus:
        """The pictures, dealt to their splits.

        Raises:
            UserMistake: this scikit-learn has other digits.
        """
        import numpy as np
        import torch
        from sklearn.datasets import load_digits

        found = load_digits()
        images, labels = found.images.astype(np.uint8), found.target.astype(np.uint8)
        if (got := digest(images.tobytes() + labels.tobytes())) != CONTENT:
            raise UserMistake(
                f"the digits of scikit-learn must have the digest {CONTENT}, got {got}; install the release of "
                "scikit-learn that constraints.txt names"
            )
        pixels = torch.from_numpy(np.rint(images * (255 / LEVELS)).astype(np.uint8)).unsqueeze(1)
        return split_pictures(
            pixels,
            torch.from_numpy(labels).long(),
            shares=(self.validation_share, self.test_share),
            seed=self.seed,
            classes=tuple(map(str, range(10))),
            fingerprint=self.fingerprint(),
            account=f"{len(pixels):,} pictures of 8 x 8 pixels in 10 classes",
            called=self.kind,
        )
