"""Cifar: CIFAR-10 and CIFAR-100, read out of their pickles without executing any of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from semcom.files import expanded
from semcom.mistakes import UserMistake
from semcom.sources.pickled_arrays import UnreadablePickleError, text_of
from semcom.sources.picture_splits import check_shares, split_pictures
from semcom.sources.plain_pickle import lists_and_bytes_in
from semcom.sources.recorded import content_of, fingerprint_of, found_file
from semcom.sources.sentences import Progress
from semcom.words import visible

if TYPE_CHECKING:
    from torch import Tensor

    from semcom.sources.pictures import PictureCorpus

SIDE, PLANES = 32, 3
VALUES = PLANES * SIDE * SIDE
# The largest official one, of CIFAR-100, has 155 MB.
LARGEST_FILE = 400_000_000
MOST_PICTURES = LARGEST_FILE // VALUES
Labels = Literal["ten", "fine", "coarse"]


@dataclass(frozen=True)
class _Layout:
    """The files of one set, and what they call their parts."""

    train: tuple[str, ...]
    test: str
    meta: str
    labels: str
    names: str
    classes: int


LAYOUTS: dict[Labels, _Layout] = {
    "ten": _Layout(
        tuple(f"data_batch_{part}" for part in range(1, 6)), "test_batch", "batches.meta", "labels", "label_names", 10
    ),
    "fine": _Layout(("train",), "test", "meta", "fine_labels", "fine_label_names", 100),
    "coarse": _Layout(("train",), "test", "meta", "coarse_labels", "coarse_label_names", 20),
}


@dataclass(frozen=True)
class Cifar:
    """CIFAR-10 or CIFAR-100, in the format for Python that their maker publishes; 32 x 32 pixels in three colors.

    The files are pickles, which no other program should load: a pickle can hold commands. These are read as data, and
    one that holds anything but arrays of bytes, lists, words and numbers is refused.

    Args:
        path: the folder that cifar-10-python.tar.gz or cifar-100-python.tar.gz unpacks to. In a scenario a relative
            path starts in the scenario's folder.
        labels: `ten` for CIFAR-10, `fine` or `coarse` for the 100 classes or the 20 of CIFAR-100.
        validation_share: of each class of the training pictures, to validate on; the test pictures are the official
            ones.
        seed: of the split.

    Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """

    path: str = "cifar-10-batches-py"
    labels: Labels = "ten"
    validation_share: float = 0.1
    seed: int = 0
    kind: Literal["cifar"] = "cifar"

    def __post_init__(self) -> None:
        check_shares(self.validation_share, None, self.seed)
        if not self.path.strip():
            raise ValueError(f"path must name a folder, got {self.path!r}")
        if self.labels not in LAYOUTS:
            raise ValueError(f"labels must be one of {', '.join(LAYOUTS)}, got {self.labels!r}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, rows and columns of a picture."""
        return (PLANES, SIDE, SIDE)

    @property
    def is_at_hand(self) -> bool:
        """Seconds are enough to read them."""
        return True

    def fingerprint(self) -> str:
        """Covers every byte of the files, which classes are told, and how they are split.

        Raises:
            UserMistake: there are no such files, or they cannot be read.
        """
        layout = LAYOUTS[self.labels]
        content = [content_of(self._file(name)) for name in (*layout.train, layout.test, layout.meta)]
        settings = {"labels": self.labels, "validation_share": float(self.validation_share), "seed": self.seed}
        return fingerprint_of(self.kind, content, settings)

    def prepare(self, progress: Progress | None = None) -> str:
        """Read the files once, which also finds whatever is wrong with them."""
        return f"{self.path}: {self.load(progress).account}"

    def load(self, progress: Progress | None = None) -> PictureCorpus:
        """The pictures, dealt to their splits.

        Raises:
            UserMistake: a file is missing, damaged, or holds anything but labelled pictures.
        """
        import torch

        if progress:
            progress("reading pictures", 0, 0)
        layout = LAYOUTS[self.labels]
        classes = self._classes(layout)
        parts = [self._pictures(name, layout.labels, len(classes)) for name in layout.train]
        pixels, labels = (torch.cat(each) for each in zip(*parts, strict=True))
        test = self._pictures(layout.test, layout.labels, len(classes))
        return split_pictures(
            pixels,
            labels,
            test=test,
            shares=(self.validation_share, 0.0),
            seed=self.seed,
            classes=classes,
            fingerprint=self.fingerprint(),
            account=f"{len(pixels) + len(test[0]):,} pictures of 32 x 32 pixels in {len(classes)} classes, the "
            f"official {len(test[0]):,} of them for the test",
            called=self.path,
        )

    def _file(self, name: str) -> Path:
        return found_file(str(expanded(self.path) / name), "CIFAR in the format for Python")

    def _classes(self, layout: _Layout) -> tuple[str, ...]:
        names = self._read(layout.meta).get(layout.names)
        found = tuple(_word(each) for each in names) if isinstance(names, list) else ()
        if len(found) != layout.classes or len(set(found)) < len(found) or not all(found):
            raise UserMistake(
                f"{self._file(layout.meta)}: must name {layout.classes} classes under {layout.names}, got "
                f"{visible(', '.join(found[:3])) or 'none'}; fetch it again"
            )
        return found

    def _pictures(self, name: str, labels: str, classes: int) -> tuple[Tensor, Tensor]:
        """Pixels [pictures, 3, 32, 32] and labels of one file."""
        import numpy as np
        import torch

        found = self._read(name)
        data, told = found.get("data"), found.get(labels)
        if not isinstance(data, np.ndarray) or data.ndim != 2 or data.shape[1] != VALUES:
            raise UserMistake(f"{self._file(name)}: data must be an array [pictures, {VALUES}], got another")
        fits = isinstance(told, list) and len(told) == len(data)
        if not fits or not all(type(each) is int and 0 <= each < classes for each in told or ()):
            raise UserMistake(
                f"{self._file(name)}: {labels} must be {len(data):,} whole numbers below {classes}, got others; is it "
                "the other CIFAR? Set labels"
            )
        return torch.from_numpy(data.reshape(-1, *self.shape).copy()), torch.tensor(told)

    def _read(self, name: str) -> dict[str, Any]:
        file = self._file(name)
        size = file.stat().st_size
        if size > LARGEST_FILE:
            raise UserMistake(f"{file}: must be at most {LARGEST_FILE:,} bytes, got {size:,}; check the path")
        try:
            with file.open("rb") as opened:
                return lists_and_bytes_in(opened, size)
        except UnreadablePickleError as error:
            raise UserMistake(
                f"{file}: must be the pickle of CIFAR, got {error}; nothing of it was executed; fetch it again, and "
                "load it with no other program"
            ) from None
        except OSError as error:
            raise UserMistake(
                f"{file}: must be readable, got {error.strerror or error}; check its permissions"
            ) from error


def _word(value: object) -> str:
    try:
        return text_of(value)
    except UnreadablePickleError:
        return ""
