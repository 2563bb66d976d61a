"""TableFiles: the tables of a run folder, which its report is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TableFiles:
    """The names of the tables in a folder.

    Args:
        path: the folder.
    """

    path: Path

    @property
    def results_file(self) -> Path:
        """The tidy table."""
        return self.path / "results.csv"

    @property
    def costs_file(self) -> Path:
        """What each codec costs; times are in it, so no two runs write the same."""
        return self.path / "costs.csv"

    @property
    def confusion_file(self) -> Path:
        """Which class was taken for which; only where a task has classes."""
        return self.path / "confusion.csv"

    @property
    def pruning_file(self) -> Path:
        """What pruned codecs kept; there is none where nothing was pruned."""
        return self.path / "pruning.csv"

    @property
    def calibration_file(self) -> Path:
        """How sure receivers were and how often right; only where it was asked for."""
        return self.path / "calibration.csv"

    @property
    def keys_file(self) -> Path:
        """Which of their teachers' features students kept; there is none where none of them chose."""
        return self.path / "keys.csv"

    @property
    def examples_file(self) -> Path:
        """A few pictures and what became of them; only where pictures are sent."""
        return self.path / "examples.json"

    @property
    def layers_file(self) -> Path:
        """How close generated layers are to a teacher's; there is none where nothing was generated."""
        return self.path / "layers.csv"

    @property
    def limits_file(self) -> Path:
        """What any code could do for the sentences that were sent; only where it was asked for."""
        return self.path / "limits.csv"

    @property
    def all_tables(self) -> tuple[Path, ...]:
        """The tables that a run may write, there or not."""
        special = (self.confusion_file, self.pruning_file, self.keys_file, self.layers_file, self.calibration_file)
        return self.results_file, self.costs_file, *special, self.limits_file, self.examples_file

    @property
    def tables_written(self) -> tuple[Path, ...]:
        """The tables that are there now."""
        return tuple(each for each in self.all_tables if each.is_file())
