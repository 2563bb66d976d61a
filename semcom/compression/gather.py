"""gather: what a pruning may look at, of a codec of any kind."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable

from channels import Chance
from semcom.compression.catalog import EVIDENCE
from semcom.compression.evidence import Evidence
from semcom.mistakes import UserMistake
from semcom.models.codec import Codec
from semcom.models.trace import Trace


def evidence_of(
    codec: Codec, trips: Callable[[], Iterable[Trace]], *, loss: Callable[[Codec], float], chance: Chance
) -> Evidence:
    """All that the layers of a codec may be chosen by.

    Args:
        trips: makes the trips of this codec that are looked at, the same ones every time.
        loss: what a codec is worth; smaller is better.

    Raises:
        UserMistake: layers of such codecs are not known here.
    """
    if codec.spec.kind not in EVIDENCE:
        raise UserMistake(
            f"a codec to prune must be of kind {' or '.join(EVIDENCE)}, got one of kind {codec.spec.kind}"
        )
    module, _, name = EVIDENCE[codec.spec.kind].partition(":")
    found: Evidence = getattr(importlib.import_module(module), name)(codec, trips, loss=loss, chance=chance)
    return found
