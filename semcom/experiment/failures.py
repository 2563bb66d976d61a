"""failure_of: why a build or a run failed, in one line that says what to do."""

from __future__ import annotations

# How torch says on a CPU that memory ran out; on a GPU it has a type of its own.
_NO_ROOM = ("can't allocate memory", "not enough memory", "out of memory")
SMALLER = "use fewer --workers, a smaller training.batch or measure.batch, or smaller codecs"


def failure_of(error: BaseException) -> str:
    """One line about an exception that a job raised."""
    kind, said = type(error).__name__, " ".join(str(error).split())
    if kind == "KilledWorker":
        # Dask tells this of a job whose worker processes were ended from outside, each time it was begun.
        return (
            f"its worker process was killed {error.args[2] + 1} times, as systems do that run out of memory; {SMALLER}"
        )
    if isinstance(error, MemoryError) or any(each in said.lower() for each in _NO_ROOM):
        return f"memory ran out ({said or kind}); {SMALLER}"
    return f"{kind}: {said}"
