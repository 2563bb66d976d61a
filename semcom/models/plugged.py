"""PluggedIn: what codecs share that are plugged in around the semantic layers of another and make those themselves."""

from __future__ import annotations

from abc import abstractmethod

from torch import nn

from channels import Arrived
from semcom.models.codec import Codec
from semcom.models.generative_layers import maker
from semcom.models.plugged_spec import PluggedSpec
from semcom.models.spec import Side
from semcom.models.trace import Heard, Sent
from semcom.sources.batch import Batch

MADE = "maker."
"""How the names of parameters begin that are a student's own; all others of a side are the codec's around."""


class PluggedIn(Codec):
    """A codec that makes layers of the codec around it; whatever the messages are, all else is that codec's.

    Its sides have the parts of the codec around, under the same names, and where layers are made a `maker` in the place
    of `layers`. Its traces hold the layers that it makes where that codec's hold its own.
    """

    spec: PluggedSpec  # type: ignore[assignment]

    def maker_of(self, side: Side) -> nn.Module | None:
        """What makes the layers of a side; None where they are those of the codec around."""
        return maker(self.spec.generator(side)) if self.spec.makes(side) else None

    @abstractmethod
    def send(self, batch: Batch, guide: Sent | None = None) -> Sent:
        """See `Codec.send`; with the layers that were made.

        Args:
            guide: what the teacher makes of the same batch; layers are then made from its own below (teacher forcing).
        """

    @abstractmethod
    def hear(self, arrived: Arrived, batch: Batch, guide: Heard | None = None) -> Heard:
        """See `Codec.hear`; with the layers that were made.

        Args:
            guide: what the teacher makes of a signal, as in `send`.
        """

    def stacks(self) -> tuple[nn.ModuleList, ...]:
        """No layers that could be pruned: one block makes all."""
        return ()

    def plug_in(self, around: Codec) -> None:
        """Take over all of another codec but the layers that are made here, and freeze it.

        Raises:
            ValueError: it is no codec of the shape that this one is to be plugged into.
        """
        if around.spec != self.spec.around or around.outputs != self.outputs:
            raise ValueError(
                f"the codec around must be of the shape {self.spec.around.told} with {self.outputs} answers, got "
                f"{around.spec.told} with {around.outputs}"
            )
        for name in ("transmitter", "receiver"):
            ours, theirs = getattr(self, name), getattr(around, name).state_dict()
            if self.spec.makes(name):
                # Wherever a side keeps them: a pretrained encoder has its own names.
                theirs = {key: each for key, each in theirs.items() if ".layers." not in f".{key}"}
            own = {key: each for key, each in ours.state_dict().items() if key.startswith(MADE)}
            ours.load_state_dict(theirs | own)
            for key, parameter in ours.named_parameters():
                parameter.requires_grad_(key.startswith(MADE))
