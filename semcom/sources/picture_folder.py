"""PictureFolder: one's own pictures, a folder for each class, brought to one size."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from semcom.files import digest, digest_of, expanded
from semcom.mistakes import UserMistake
from semcom.sources import cache
from semcom.sources.picture_splits import MOST_CLASSES, check_room, check_shares, split_pictures
from semcom.sources.recorded import fingerprint_of
from semcom.sources.sentences import Progress
from semcom.words import visible

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from semcom.sources.pictures import PictureCorpus

ENDINGS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".bmp": "BMP"}
MODES = {1: "L", 3: "RGB"}
MOST_SIDE = 512
# A camera's; unpacked four bytes a pixel at most.
MOST_PIXELS = 60_000_000
LARGEST_FILE = 100_000_000
MOST_FILES = 1_000_000
OWN_SPLITS = ("train", "test")


@dataclass(frozen=True)
class PictureFolder:
    """A folder with a folder for each class, and in these PNG, JPEG or BMP files of any size.

    Where the folder holds two folders, `train` and `test`, those hold the folders of the classes, and the test pictures
    are kept for the test. Every picture is brought to the same size, whatever its proportions.

    Args:
        path: the folder. In a scenario a relative path starts in the scenario's folder.
        size: rows and columns that every picture is brought to, at most 512 [pixels].
        planes: 3 for colors, 1 for shades of grey.
        validation_share: of each class, to validate on.
        test_share: of each class, to test on; has no effect where there is a folder `test`.
        seed: of the split.
    """

    path: str = "pictures"
    size: int = 32
    planes: Literal[1, 3] = 3
    validation_share: float = 0.1
    test_share: float = 0.2
    seed: int = 0
    kind: Literal["folder"] = "folder"

    def __post_init__(self) -> None:
        check_shares(self.validation_share, self.test_share, self.seed)
        if not self.path.strip():
            raise ValueError(f"path must name a folder, got {self.path!r}")
        if not 1 <= self.size <= MOST_SIDE:
            raise ValueError(f"size must be from 1 to {MOST_SIDE} pixels, got {self.size}")
        if self.planes not in MODES:
            raise ValueError(f"planes must be 1 or 3, got {self.planes!r}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, rows and columns of a picture."""
        return (self.planes, self.size, self.size)

    @property
    def is_at_hand(self) -> bool:
        """They are on this machine, but may take minutes to read."""
        return False

    def fingerprint(self) -> str:
        """Covers every byte of the pictures, their classes, and how they are brought to one size and split.

        Digests are remembered for as long as no file's time or size changes.

        Raises:
            UserMistake: there is no such folder, or it cannot be read.
        """
        root, files = self._files()
        facts = [[str(file.relative_to(root)), (told := file.stat()).st_size, told.st_mtime_ns] for file in files]
        key = json.dumps([str(root.resolve()), facts])
        content = next(iter(cache.remember("pictures-digest", key, lambda: [_content(root, files)])))
        settings = {
            "size": self.size,
            "planes": self.planes,
            "shares": [float(self.validation_share), float(self.test_share)],
            "seed": self.seed,
        }
        return fingerprint_of(self.kind, content, settings)

    def prepare(self, progress: Progress | None = None) -> str:
        """Read the pictures once, which also finds whatever is wrong with them."""
        return f"{self.path}: {self.load(progress).account}"

    def load(self, progress: Progress | None = None) -> PictureCorpus:
        """The pictures, dealt to their splits.

        Raises:
            UserMistake: the folder is missing, or a picture is damaged, too large or none.
        """
        root, files = self._files()
        check_room(len(files), self.planes * self.size**2, self.path)
        classes = tuple(sorted({file.parent.name for file in files}))
        if not 2 <= len(classes) <= MOST_CLASSES:
            raise UserMistake(
                f"{self.path}: must have folders of from 2 to {MOST_CLASSES:,} classes, got {len(classes)}; put the "
                "pictures of each class into a folder of its own"
            )
        own = [file for file in files if file.relative_to(root).parts[0] == "test"] if _has_own(root) else []
        tested = set(own)
        kept = [file for file in files if file not in tested]
        pixels, labels = self._read(kept, classes, progress)
        return split_pictures(
            pixels,
            labels,
            test=self._read(own, classes, progress) if own else None,
            shares=(self.validation_share, self.test_share),
            seed=self.seed,
            classes=classes,
            fingerprint=self.fingerprint(),
            account=f"{len(files):,} pictures of {self.size} x {self.size} pixels; classes "
            + ", ".join(map(visible, classes[:20])),
            called=self.path,
        )

    def _files(self) -> tuple[Path, list[Path]]:
        """The folder, and all pictures in it in the order of their names."""
        root = expanded(self.path)
        try:
            if not root.is_dir():
                got = "something that is no folder" if root.exists() else "nothing of that name"
                raise UserMistake(f"path must be a folder with a folder for each class, got {self.path} ({got})")
            pattern = "*/*/*" if _has_own(root) else "*/*"
            found = sorted(each for each in root.glob(pattern) if each.suffix.lower() in ENDINGS and each.is_file())
        except OSError as error:
            raise UserMistake(f"path must be readable, got {self.path} ({error.strerror or error})") from error
        if not 1 <= len(found) <= MOST_FILES:
            raise UserMistake(
                f"{self.path}: must hold from 1 to {MOST_FILES:,} pictures ({', '.join(ENDINGS)}) in folders of their "
                f"classes, got {len(found):,}"
            )
        return root, found

    def _read(self, files: Sequence[Path], classes: Sequence[str], progress: Progress | None) -> tuple[Tensor, Tensor]:
        """Pixels [pictures, planes, size, size] and labels."""
        import torch

        pixels = torch.empty((len(files), *self.shape), dtype=torch.uint8)
        for place, file in enumerate(files):
            if progress and place % 200 == 0:
                progress("reading pictures", place, len(files))
            pixels[place] = torch.from_numpy(read_picture(file, self.size, self.planes))
        return pixels, torch.tensor([classes.index(file.parent.name) for file in files])


def read_picture(file: Path, size: int, planes: int) -> np.ndarray:
    """One picture as [planes, size, size] of uint8; its own size is looked at before any of it is unpacked.

    Raises:
        UserMistake: it is damaged, too large, or no picture of the kind that its name says.
    """
    import numpy as np
    from PIL import Image

    expected = f"{file}: must be a whole picture of at most {MOST_PIXELS:,} pixels and {LARGEST_FILE:,} bytes"
    if (length := file.stat().st_size) > LARGEST_FILE:
        raise UserMistake(f"{expected}, got {length:,} bytes; make it smaller or take it out")
    try:
        # Opening reads the head alone; pillow warns there of more pixels than are let in here.
        with (
            warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
            Image.open(file, formats=[ENDINGS[file.suffix.lower()]]) as opened,
        ):
            columns, rows = opened.size
            if columns * rows > MOST_PIXELS:
                raise UserMistake(f"{expected}, got {columns:,} x {rows:,} pixels; make it smaller or take it out")
            shown = opened.convert(MODES[planes]).resize((size, size), Image.Resampling.BILINEAR)
    except Image.DecompressionBombError:
        raise UserMistake(f"{expected}, got more; make it smaller or take it out") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise UserMistake(f"{expected}, got {visible(str(error))[:200]}; repair it or take it out") from None
    array = np.asarray(shown, dtype=np.uint8).reshape(size, size, planes).transpose(2, 0, 1)
    return array.copy()  # what pillow hands out is read alone


def _has_own(root: Path) -> bool:
    """Whether the folder's own folders are of splits, and not of classes."""
    return sorted(each.name for each in root.iterdir() if each.is_dir()) == sorted(OWN_SPLITS)


def _content(root: Path, files: Sequence[Path]) -> str:
    return digest(json.dumps([[str(file.relative_to(root)), digest_of(file)] for file in files]).encode())
