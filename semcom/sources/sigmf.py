"""SigMF: frames cut out of one's own recordings, where annotations name their class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from semcom.files import expanded
from semcom.mistakes import UserMistake
from semcom.sources.recorded import (
    MOST_CLASSES,
    check_recorded,
    check_size,
    content_of,
    corpus_of,
    fingerprint_of,
    taking_turns,
)
from semcom.sources.rml2016 import LONGEST_FRAME
from semcom.sources.sentences import Progress
from semcom.sources.sigmf_metadata import DATA, META, Recording, read_recording, width_of
from semcom.words import counted as several
from semcom.words import visible

if TYPE_CHECKING:
    from torch import Tensor

    from semcom.sources.frames import FrameCorpus

MOST_RECORDINGS = 100_000
# A frame costs as much as so many samples, whatever its length, until it is read.
LEAST_COUNTED = 64
Split = str


class Cut(NamedTuple):
    """Where one frame lies: in which recording, in which of its stretches, from which sample."""

    label: str
    recording: int
    stretch: int
    start: int


@dataclass(frozen=True)
class SigMfFrames:
    """Frames cut out of a folder of SigMF recordings (pairs of .sigmf-meta and .sigmf-data).

    Annotations with a `core:label` name the class of their samples, which are cut into frames one after another; a
    rest shorter than a frame is left out, as is all that has no label. Frequencies of annotations are not looked at:
    a frame holds the whole band of its recording.

    No recording is in two splits where a class has enough of them; where it has not, no annotation is; where a class
    has fewer than three of these too, its frames are cut into three runs, and one frame is left out between two of
    them. So frames of one stretch of air never land in two splits.

    All frames share one scale, at which the mean power of the training frames is 1; whole numbers are first divided
    by their largest. Noise is part of what was recorded: link noise would be added to it.

    Args:
        path: the folder. In a scenario a relative path starts in the scenario's folder.
        length: samples of a frame.
        validation_share: of the frames of each class, to validate on; as near as whole recordings allow.
        test_share: of the frames of each class, to test on; as near as whole recordings allow.
        seed: of the split.

    Source: Signal Metadata Format Specification, version 1.2.
    """

    path: str = "recordings"
    length: int = 128
    validation_share: float = 0.1
    test_share: float = 0.3
    seed: int = 0
    source: Literal["sigmf"] = "sigmf"

    def __post_init__(self) -> None:
        check_recorded(self.path, self.validation_share, self.test_share, self.seed)
        if not 1 <= self.length <= LONGEST_FRAME:
            raise ValueError(f"length must be from 1 to {LONGEST_FRAME:,} samples, got {self.length}")

    def fingerprint(self) -> str:
        """Covers every byte of the recordings and their metadata, and how they are cut and split.

        File names count only by their order, so a folder of the same recordings is the same set.

        Raises:
            UserMistake: there is no such folder, or it cannot be read.
        """
        settings = {
            "length": self.length,
            "shares": [float(self.validation_share), float(self.test_share)],
            "seed": self.seed,
        }
        content = []
        for meta in self._metadata():
            data = meta.with_suffix(DATA)
            if not data.is_file():
                raise UserMistake(f"{data.name} must lie beside its metadata, got no such file; add it")
            content.append([content_of(meta), content_of(data)])
        return fingerprint_of(self.source, content, settings)

    def prepare(self, progress: Progress | None = None) -> str:
        """Read the recordings once, which also finds whatever is wrong with them."""
        return f"{self.path}: {self.load(progress).account}"

    def load(self, progress: Progress | None = None) -> FrameCorpus:
        """The frames, dealt to their splits.

        Raises:
            UserMistake: the folder is missing, or a recording is damaged, of another type or cut short.
        """
        import torch

        recordings = [read_recording(meta) for meta in self._metadata()]
        count = sum(stretch.count // self.length for recording in recordings for stretch in recording.stretches)
        check_size(count, max(self.length, LEAST_COUNTED), self.path)
        cuts = tuple(cuts_of(recordings, self.length))
        classes = tuple(sorted({cut.label for cut in cuts}))
        if not 2 <= len(classes) <= MOST_CLASSES:
            raise UserMistake(
                f"{self.path}: must have from 2 to {MOST_CLASSES:,} classes with a frame of {self.length:,} samples, "
                f"got {len(classes)}; name classes by core:label in annotations"
            )
        labels = torch.tensor([classes.index(cut.label) for cut in cuts])
        dealt = split_cuts(cuts, shares=(self.validation_share, self.test_share), seed=self.seed, called=self.path)
        rows = {
            split: taking_turns([(self._mixed(part, split, place), place) for place, part in enumerate(parts)])
            for split, parts in dealt.items()
        }
        kept = sum(map(len, rows.values()))
        return corpus_of(
            rows,
            labels=labels,
            snr_db=None,
            read=lambda chosen: _read(recordings, [cuts[row] for row in chosen.tolist()], self.length, progress),
            classes=classes,
            fingerprint=self.fingerprint(),
            account=f"{kept:,} frames of {self.length:,} samples from {several(len(recordings), 'recording')}; classes "
            + ", ".join(map(visible, classes)),
            called=self.path,
        )

    def _mixed(self, rows: list[int], split: str, place: int) -> Tensor:
        """In an order by chance, so that the beginning of a split is of all its recordings."""
        import torch

        from channels.chance import Chance

        generator = Chance(self.seed).of("order", split, place).generator()
        return torch.tensor(rows)[torch.randperm(len(rows), generator=generator)]

    def _metadata(self) -> list[Path]:
        folder = expanded(self.path)
        try:
            if not folder.is_dir():
                got = "something that is no folder" if folder.exists() else "nothing of that name"
                raise UserMistake(f"path must be a folder of SigMF recordings, got {self.path} ({got})")
            found = sorted(inner for inner in folder.glob(f"*{META}") if inner.is_file())
        except OSError as error:
            raise UserMistake(f"path must be readable, got {self.path} ({error.strerror or error})") from error
        if not 1 <= len(found) <= MOST_RECORDINGS:
            raise UserMistake(
                f"the folder {self.path} must hold from 1 to {MOST_RECORDINGS:,} {META} files, got {len(found):,}"
            )
        return found


def cuts_of(recordings: Iterable[Recording], length: int) -> Iterable[Cut]:
    """Every frame that the labelled stretches hold, one after another."""
    for place, recording in enumerate(recordings):
        for number, stretch in enumerate(recording.stretches):
            for start in range(stretch.start, stretch.start + stretch.count - length + 1, length):
                yield Cut(stretch.label, place, number, start)


def split_cuts(
    cuts: tuple[Cut, ...], *, shares: tuple[float, float], seed: int, called: str = "the recordings"
) -> dict[Split, list[list[int]]]:
    """Which frames go to which split, class by class in the order of their names: by recording if that can be.

    Args:
        shares: of each class, for validation and for test.

    Raises:
        UserMistake: a class has too few frames for three splits.
    """
    wanted = {"test": shares[1], "validation": shares[0], "train": 1 - sum(shares)}
    members: dict[str, list[int]] = {}
    for row, cut in enumerate(cuts):
        members.setdefault(cut.label, []).append(row)
    parts: dict[str, dict[Split, list[int]]] = {}
    for whole in (lambda cut: (cut.recording,), lambda cut: (cut.recording, cut.stretch)):
        units: dict[tuple[int, ...], list[int]] = {}
        for label in sorted(set(members) - set(parts)):
            for row in members[label]:
                units.setdefault(whole(cuts[row]), []).append(row)
        dealt = _deal_units([units[unit] for unit in sorted(units)], [cut.label for cut in cuts], wanted, seed)
        for label, by_split in dealt.items():
            if all(by_split.get(split) for split in wanted):
                parts[label] = by_split
    for label in sorted(set(members) - set(parts)):
        parts[label] = _three_runs(members[label], wanted, f"{called}: {visible(label)}")
    return {split: [parts[label][split] for label in sorted(parts)] for split in ("train", "validation", "test")}


def _deal_units(
    units: list[list[int]], labels: list[str], wanted: Mapping[Split, float], seed: int
) -> dict[str, dict[Split, list[int]]]:
    """Deal whole recordings or stretches: each to the split that lacks its classes most."""
    import torch

    from channels.chance import Chance

    total = Counter(labels[row] for unit in units for row in unit)
    dealt: dict[str, dict[Split, list[int]]] = {label: {} for label in total}
    for place in torch.randperm(len(units), generator=Chance(seed).of("split").generator()).tolist():
        held = Counter(labels[row] for row in units[place])

        def lack(split: Split, held: Counter[str] = held) -> float:
            """By how much of their share the classes of this unit lack the split; one that has none comes first."""
            have = {label: len(dealt[label].get(split, ())) for label in held}
            empty = sum(not count for count in have.values())
            return 10 * empty + sum(wanted[split] - count / total[label] for label, count in have.items())

        chosen = max(wanted, key=lack)
        for row in units[place]:
            dealt[labels[row]].setdefault(chosen, []).append(row)
    return dealt


def _three_runs(rows: list[int], wanted: Mapping[Split, float], called: str) -> dict[Split, list[int]]:
    """Frames in the order of time, cut in three; the frame at each cut is left out, because it touches both sides."""
    test, validation = (max(1, round(wanted[split] * (len(rows) - 2))) for split in ("test", "validation"))
    train = len(rows) - 2 - test - validation
    if train < 1:
        raise UserMistake(f"{called} must have at least 5 frames for three splits, got {len(rows)}; record more")
    return {
        "train": rows[:train],
        "validation": rows[train + 1 :][:validation],
        "test": rows[train + validation + 2 :],
    }


def _read(recordings: list[Recording], cuts: list[Cut], length: int, progress: Progress | None) -> Tensor:
    """The samples of those frames [frames, length], recording by recording."""
    import torch

    found = torch.empty((len(cuts), length), dtype=torch.complex64)
    places: dict[int, list[int]] = {}
    for place, cut in enumerate(cuts):
        places.setdefault(cut.recording, []).append(place)
    for done, number in enumerate(sorted(places)):
        if progress:
            progress("reading recordings", done, len(places))
        recording = recordings[number]
        try:
            with recording.data.open("rb") as file:
                for place in sorted(places[number], key=lambda place: cuts[place].start):
                    file.seek(cuts[place].start * width_of(recording.kind))
                    found[place] = _complex(file.read(length * width_of(recording.kind)), recording)
        except OSError as error:
            raise UserMistake(f"{recording.data} must be readable, got {error.strerror or error}") from error
    return found


def _complex(data: bytes, recording: Recording) -> Tensor:
    """Samples as complex numbers; whole numbers from -1 to 1."""
    import numpy as np
    import torch

    kind = np.dtype(recording.kind)
    if not data or len(data) % (2 * kind.itemsize):
        raise UserMistake(f"{recording.data.name} must stay as it is while it is read, got an end in the middle")
    numbers = np.frombuffer(data, kind).astype(np.float64)
    if kind.kind != "f":
        half = 2.0 ** (8 * kind.itemsize - 1)
        numbers = (numbers - (half - 0.5 if kind.kind == "u" else 0.0)) / half
    with np.errstate(over="ignore"):  # beyond single precision: infinite, which is refused with other such samples
        return torch.view_as_complex(torch.from_numpy(numbers.astype(np.float32)).view(-1, 2))
