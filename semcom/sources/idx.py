"""IDX: arrays of bytes as the MNIST family of data sets keeps them, compressed, checked before they are unpacked."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from semcom.mistakes import UserMistake

if TYPE_CHECKING:
    import numpy as np

BYTES = 8  # the code of unsigned bytes
MOST_AXES = 4


def read_idx(path: Path, shape: tuple[int, ...], sha256: str, *, called: str) -> np.ndarray:
    """An array of unsigned bytes out of a .gz, which must have this shape and this content.

    No more is unpacked than an array of that shape takes, whatever the file claims.

    Args:
        sha256: of the file unpacked; packed, equal contents may differ.
        called: what errors call the file.

    Raises:
        UserMistake: it is missing, cut short, longer, or another.
    """
    import numpy as np

    expected = f"{called} must be an IDX file of {' x '.join(f'{each:,}' for each in shape)} bytes, gzipped"
    size = 4 + 4 * len(shape) + math.prod(shape)
    try:
        with gzip.open(path) as file:
            data = file.read(size + 1)
    except FileNotFoundError:
        raise UserMistake(f"{expected}, got no such file; fetch it") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserMistake(f"{expected}, got {_told(error)}; fetch it again") from None
    if len(data) != size:
        got = "more" if len(data) > size else f"{len(data):,} with its head"
        raise UserMistake(f"{expected}, got {got}; fetch it again")
    axes = [int.from_bytes(data[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(len(shape))]
    if data[:4] != bytes((0, 0, BYTES, len(shape))) or tuple(axes) != shape:
        raise UserMistake(f"{expected}, got another head; fetch it again")
    if (got := hashlib.sha256(data).hexdigest()) != sha256:
        raise UserMistake(f"{expected}, whose sha256 is {sha256}, got {got}; fetch it again, from the official address")
    return np.frombuffer(data, dtype=np.uint8, offset=size - math.prod(shape)).reshape(shape)


def _told(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or "an end in the middle"
