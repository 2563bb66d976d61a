"""GenerativeCodec: another codec's own channel code and output around semantic layers that are generated."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from channels import Arrived
from semcom.models.evidence import Evidence
from semcom.models.generative_spec import GenerativeSpec
from semcom.models.plugged import PluggedIn
from semcom.models.search import decode, listen, shifted
from semcom.models.semantic import TOKENS
from semcom.models.sides import Receiver, Transmitter
from semcom.models.trace import Heard, Sent
from semcom.sources.batch import Batch
from semcom.sources.batches import SentenceBatch, make_batch


class GenerativeCodec(PluggedIn):
    """A codec whose semantic encoder, decoder, or both make the layers of the codec that it is plugged into.

    Its traces hold the layers that it makes where that codec's hold its own.

    Args:
        spec: the shape.
        outputs: how many token numbers there are, the vocabulary.

    Raises:
        ValueError: the shape does not fit the codec around.
    """

    spec: GenerativeSpec
    transmitter: Transmitter
    receiver: Receiver

    def __init__(self, spec: GenerativeSpec, outputs: int) -> None:
        super().__init__(spec, outputs)
        spec.check_fit()
        # What is taken over is finished; dropout is the makers' own affair.
        around = replace(spec.plugged, dropout=0.0)
        self.transmitter = Transmitter(around, outputs, maker=self.maker_of("transmitter"))
        shared = self.transmitter.embedding if around.shares_embedding else None
        self.receiver = Receiver(around, outputs, shared, maker=self.maker_of("receiver"))

    def example(self) -> SentenceBatch:
        """One sentence of 20 tokens."""
        return make_batch([[index % self.outputs for index in range(TOKENS)]])

    def send(self, batch: Batch, guide: Sent | None = None) -> Sent:
        """Symbols [batch, K] complex, unit power per sentence, padding silent; and the layers that were made."""
        sent: Sent = self.transmitter(batch, guide=None if guide is None else guide.layers)
        return sent

    def hear(self, arrived: Arrived, batch: Batch, guide: Heard | None = None) -> Heard:
        """Logits for every token at once, and the layers that were made."""
        assert isinstance(batch, SentenceBatch)
        layers = None if guide is None else guide.layers
        heard: Heard = self.receiver(arrived.symbols, batch, previous=shifted(batch.tokens), guide=layers)
        return heard

    def decode(self, arrived: Arrived, batch: Batch, *, beam: int = 1) -> Tensor:
        """The tokens [batch, length] that arrive (`semcom.models.search`)."""
        assert isinstance(batch, SentenceBatch)
        return decode(self.receiver, arrived.symbols, batch, beam=beam)

    def listen(self, arrived: Arrived, batch: Batch) -> Evidence:
        """What the receiver makes of the signal, token by token (`semcom.models.evidence`)."""
        assert isinstance(batch, SentenceBatch)
        return listen(self.receiver, arrived.symbols, batch)
