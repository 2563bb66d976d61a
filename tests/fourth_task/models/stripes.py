"""PictureCodec: a picture straight to symbols, and from symbols to its class, learned together."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from channels import Arrived, normalize_power, to_reals, to_symbols
from semcom.models.codec import Codec
from semcom.models.stripes_spec import PIXELS, PictureSpec
from semcom.models.trace import Heard, Sent
from semcom.sources.batch import Batch
from semcom.sources.stripes import SIDE, PictureBatch


class PictureTransmitter(nn.Module):
    """Pixels to symbols at mean power 1."""

    def __init__(self, spec: PictureSpec) -> None:
        super().__init__()
        self.hidden = nn.Linear(PIXELS, spec.hidden)
        self.symbols = nn.Linear(spec.hidden, 2 * spec.symbols_per_picture)

    def forward(self, batch: PictureBatch) -> Sent:
        features = self.hidden(batch.pixels.flatten(1)).relu()
        return Sent(normalize_power(to_symbols(self.symbols(features))), (features.unsqueeze(1),))


class PictureReceiver(nn.Module):
    """Symbols to logits."""

    def __init__(self, spec: PictureSpec, outputs: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(2 * spec.symbols_per_picture, spec.hidden)
        self.output = nn.Linear(spec.hidden, outputs)

    def forward(self, symbols: Tensor) -> Heard:
        features = self.hidden(to_reals(symbols)).relu().unsqueeze(1)
        return Heard(features, (features,), self.output(features))


class PictureCodec(Codec):
    """See the file."""

    spec: PictureSpec

    def __init__(self, spec: PictureSpec, outputs: int) -> None:
        super().__init__(spec, outputs)
        self.transmitter = PictureTransmitter(spec)
        self.receiver = PictureReceiver(spec, outputs)

    def send(self, batch: Batch) -> Sent:
        """See `Codec.send`."""
        return self.transmitter(batch)

    def hear(self, arrived: Arrived, batch: Batch) -> Heard:
        """See `Codec.hear`."""
        return self.receiver(arrived.symbols)

    def decode(self, arrived: Arrived, batch: Batch, *, beam: int = 1) -> Tensor:
        """The likeliest class [batch, 1]."""
        return self.hear(arrived, batch).logits.argmax(dim=2)

    def example(self) -> PictureBatch:
        """One empty picture."""
        return PictureBatch(torch.zeros(1, SIDE, SIDE), torch.zeros(1, dtype=torch.long), (0,))

    def stacks(self) -> tuple[nn.ModuleList, ...]:
        """Nothing here is deep enough to be pruned."""
        return ()
