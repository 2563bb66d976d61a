"""gather: what a pruning may look at, of a codec of any kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from channels import Chance
from semcom.compression.codec_layers import codec_evidence
from semcom.compression.evidence import Evidence
from semcom.compression.recognizer_layers import recognizer_evidence
from semcom.mistakes import UserMistake
from semcom.models.codec import Codec
from semcom.models.recognizer import Recognizer
from semcom.models.semantic import SemanticCodec
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
    if isinstance(codec, SemanticCodec):
        return codec_evidence(codec, trips, loss=loss, chance=chance)
    if isinstance(codec, Recognizer):
        return recognizer_evidence(codec, trips, loss=loss, chance=chance)
    raise UserMistake(f"a codec to prune must be a text codec or a recognizer, got one of kind {codec.spec.kind}")
