"""FashionMnist: 70,000 pictures of clothes, 28 x 28 pixels, as their makers publish them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from semcom.files import expanded
from semcom.mistakes import UserMistake
from semcom.sources import cache
from semcom.sources.idx import read_idx
from semcom.sources.picture_splits import check_shares, split_pictures
from semcom.sources.recorded import fingerprint_of
from semcom.sources.sentences import Progress

if TYPE_CHECKING:
    from semcom.sources.pictures import PictureCorpus

OFFICIAL_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
# Where Debian's package dataset-fashion-mnist puts them.
PACKAGED = Path("/usr/share/datasets/fashion-mnist")
LARGEST_FILE = 40_000_000
SIDE = 28
# Of the files unpacked: packed anew, as by Debian, they have other sums. Packed as published, their MD5 sums are those
# that the makers' README tells.
TRAIN_IMAGES = "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
TRAIN_LABELS = "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
TEST_IMAGES = "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
TEST_LABELS = "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
FILES: dict[str, tuple[tuple[int, ...], str]] = {
    "train-images-idx3-ubyte.gz": ((60_000, SIDE, SIDE), TRAIN_IMAGES),
    "train-labels-idx1-ubyte.gz": ((60_000,), TRAIN_LABELS),
    "t10k-images-idx3-ubyte.gz": ((10_000, SIDE, SIDE), TEST_IMAGES),
    "t10k-labels-idx1-ubyte.gz": ((10_000,), TEST_LABELS),
}
CLASSES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


@dataclass(frozen=True)
class FashionMnist:
    """Ten kinds of clothes in shades of grey, 28 x 28 pixels: 60,000 pictures to train on and 10,000 to test on.

    The four files are looked for in `path`, in what Debian's package dataset-fashion-mnist installs, and in the cache;
    where they are in none of these they are fetched from the official address, once. Only the official contents are
    taken. They are under the MIT license.

    Args:
        path: the folder of the four files, as published; without it they are looked for as said above. In a scenario
            a relative path starts in the scenario's folder.
        validation_share: of each class of the training pictures, to validate on; the test pictures are the official
            ones.
        seed: of the split.

    Source: Xiao, Rasul and Vollgraf, Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms,
    arXiv:1708.07747, 2017.
    """

    path: str | None = None
    validation_share: float = 0.1
    seed: int = 0
    kind: Literal["fashion_mnist"] = "fashion_mnist"

    def __post_init__(self) -> None:
        check_shares(self.validation_share, None, self.seed)
        if self.path is not None and not self.path.strip():
            raise ValueError(f"path must name a folder, got {self.path!r}; leave it out to have the files found")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, rows and columns of a picture."""
        return (1, SIDE, SIDE)

    @property
    def is_at_hand(self) -> bool:
        """Wherever the files are there already."""
        return self.path is not None or any(_has_all(folder) for folder in (PACKAGED, _fetched()))

    def fingerprint(self) -> str:
        """Covers the pictures, which are the official ones or none, and how they are split."""
        settings = {"validation_share": float(self.validation_share), "seed": self.seed}
        return fingerprint_of(self.kind, [sha256 for _, sha256 in FILES.values()], settings)

    def prepare(self, progress: Progress | None = None) -> str:
        """Fetch what is not there, and read it once, which also finds whatever is wrong with it."""
        return f"{self.kind}: {self.load(progress).account}"

    def load(self, progress: Progress | None = None) -> PictureCorpus:
        """The pictures, dealt to their splits; fetched first where they are nowhere to be found.

        Raises:
            UserMistake: a file is missing, damaged or not the official one, or cannot be fetched.
        """
        import torch

        folder = self._folder(progress)
        if progress:
            progress("reading pictures", 0, 0)
        arrays = [
            torch.from_numpy(read_idx(folder / name, shape, sha256, called=str(folder / name)).copy())
            for name, (shape, sha256) in FILES.items()
        ]
        images, labels, test_images, test_labels = arrays
        return split_pictures(
            images.unsqueeze(1),
            labels.long(),
            test=(test_images.unsqueeze(1), test_labels.long()),
            shares=(self.validation_share, 0.0),
            seed=self.seed,
            classes=CLASSES,
            fingerprint=self.fingerprint(),
            account="70,000 pictures of 28 x 28 pixels in 10 classes, the official 10,000 of them for the test",
            called=self.kind,
        )

    def _folder(self, progress: Progress | None) -> Path:
        """Where the files are, at last."""
        if self.path is not None:
            folder = expanded(self.path)
            if not folder.is_dir():
                raise UserMistake(f"path must be a folder of {', '.join(FILES)}, got {self.path}; check the spelling")
            return folder
        if _has_all(PACKAGED):
            return PACKAGED
        folder = _fetched()
        for name in FILES:
            if not (folder / name).is_file():
                _fetch(name, folder, progress)
        return folder


def _fetched() -> Path:
    return cache.folder() / "fashion-mnist"


def _has_all(folder: Path) -> bool:
    return all((folder / name).is_file() for name in FILES)


def _fetch(name: str, folder: Path, progress: Progress | None) -> None:
    """Fetch one file; it has its name only once it is known to be the official one."""
    # The network's modules are slow to load, and only needed once.
    from semcom.sources import download

    shape, sha256 = FILES[name]
    unchecked = folder / f"{name}.unchecked"
    download.fetch(f"{OFFICIAL_URL}/{name}", unchecked, progress, largest=LARGEST_FILE)
    try:
        read_idx(unchecked, shape, sha256, called=f"{OFFICIAL_URL}/{name}")
    except UserMistake:
        unchecked.unlink(missing_ok=True)
        raise
    unchecked.replace(folder / name)
