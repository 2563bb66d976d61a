"""GenerativeSpeechCodec: another codec's features, channel code and receiver around generated encoder layers."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from channels import Arrived
from semcom.models.generative_speech_spec import GenerativeSpeechSpec
from semcom.models.plugged import PluggedIn
from semcom.models.pretrained_speech import PretrainedTransmitter
from semcom.models.pretrained_speech_spec import PretrainedSpeechSpec
from semcom.models.speech import SpeechReceiver, SpeechTransmitter, WordTransmitter, quiet
from semcom.models.trace import Heard, Sent
from semcom.sources.batch import Batch
from semcom.sources.speech import SpeechBatch


class GenerativeSpeechCodec(PluggedIn):
    """A codec of speech that makes the encoder layers of the codec that it is plugged into.

    Args:
        spec: the shape.
        outputs: number of words.

    Raises:
        ValueError: the shape does not fit the codec around.
    """

    spec: GenerativeSpeechSpec
    transmitter: WordTransmitter
    receiver: SpeechReceiver

    def __init__(self, spec: GenerativeSpeechSpec, outputs: int) -> None:
        super().__init__(spec, outputs)
        spec.check_fit()
        # What is taken over is finished; dropout is the maker's own affair.
        around = replace(spec.plugged, dropout=0.0)
        maker = self.maker_of("transmitter")
        is_pretrained = isinstance(around, PretrainedSpeechSpec)
        hears: type[WordTransmitter] = PretrainedTransmitter if is_pretrained else SpeechTransmitter
        self.transmitter = hears(around, maker=maker, wanted=spec.wanted("sent"))
        self.receiver = SpeechReceiver(around, outputs)

    def send(self, batch: Batch, guide: Sent | None = None) -> Sent:
        """The symbols of each word, and the layers that were made."""
        sent: Sent = self.transmitter(batch, guide=None if guide is None else guide.layers)
        return sent

    def hear(self, arrived: Arrived, batch: Batch, guide: Heard | None = None) -> Heard:
        """What the receiver of the codec around makes of a signal."""
        heard: Heard = self.receiver(arrived.symbols)
        return heard

    def decode(self, arrived: Arrived, batch: Batch, *, beam: int = 1) -> Tensor:
        """The likeliest word of each message, [batch, 1]."""
        return self.hear(arrived, batch).logits.argmax(dim=2)

    def example(self) -> SpeechBatch:
        """One word of usual length, in silence."""
        return quiet(self.spec.plugged)
