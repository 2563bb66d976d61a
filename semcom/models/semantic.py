"""SemanticCodec: a Transformer transmitter and receiver of text, matched to each other."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from channels import Arrived
from semcom.models.codec import Codec
from semcom.models.evidence import Evidence
from semcom.models.layers import DecoderLayer, EncoderLayer, self_attention
from semcom.models.search import decode, listen, shifted
from semcom.models.semantic_spec import SemanticSpec
from semcom.models.sides import Receiver, Transmitter
from semcom.models.trace import Heard, Sent, Trace
from semcom.sources.batch import Batch
from semcom.sources.batches import SentenceBatch, make_batch

TOKENS = 20  # of a usual sentence


class SemanticCodec(Codec):
    """A matched transmitter and receiver.

    Args:
        spec: the shape.
        outputs: how many token numbers there are, the vocabulary.
    """

    spec: SemanticSpec
    transmitter: Transmitter
    receiver: Receiver

    def __init__(self, spec: SemanticSpec, outputs: int) -> None:
        super().__init__(spec, outputs)
        self.transmitter = Transmitter(spec, outputs)
        shared = self.transmitter.embedding if spec.shares_embedding else None
        self.receiver = Receiver(spec, outputs, shared)

    def example(self) -> SentenceBatch:
        """One sentence of 20 tokens."""
        return make_batch([[index % self.outputs for index in range(TOKENS)]])

    def stacks(self) -> tuple[nn.ModuleList, ...]:
        """The layers that may be pruned: of the semantic encoder, and of the semantic decoder."""
        return self.transmitter.layers, self.receiver.layers

    def send(self, batch: Batch) -> Sent:
        """Symbols [batch, K] complex, unit power per sentence, padding silent."""
        sent: Sent = self.transmitter(batch)
        return sent

    def hear(self, arrived: Arrived, batch: Batch) -> Heard:
        """Logits for every token at once; an autoregressive receiver is handed the true tokens before each."""
        assert isinstance(batch, SentenceBatch)
        heard: Heard = self.receiver(arrived.symbols, batch, previous=shifted(batch.tokens))
        return heard

    def decode(self, arrived: Arrived, batch: Batch, *, beam: int = 1) -> Tensor:
        """The tokens [batch, length] that arrive (`semcom.models.search`)."""
        assert isinstance(batch, SentenceBatch)
        return decode(self.receiver, arrived.symbols, batch, beam=beam)

    def listen(self, arrived: Arrived, batch: Batch) -> Evidence:
        """What the receiver makes of the signal, token by token (`semcom.models.evidence`)."""
        assert isinstance(batch, SentenceBatch)
        return listen(self.receiver, arrived.symbols, batch)

    def with_attention(self, trace: Trace) -> Trace:
        """This codec's trace with what the self-attention of its last layers compared; only asking costs anything."""
        sent, heard = trace.sent, trace.heard
        last, final = self.transmitter.layers[-1], self.receiver.layers[-1]
        assert isinstance(last, EncoderLayer) and isinstance(final, EncoderLayer | DecoderLayer)
        # A transmitter that did not run for this trip weighed nothing.
        if sent.entering is not None:
            sent = replace(sent, attention=self_attention(last, sent.entering))
        assert heard.entering is not None, "a trace that this codec did not leave"
        return replace(trace, sent=sent, heard=replace(heard, attention=self_attention(final, heard.entering)))
