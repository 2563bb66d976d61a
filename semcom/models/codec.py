"""Codec: what every transmitter-receiver pair promises, whatever its messages are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from channels import Arrived
from semcom.models.evidence import Evidence
from semcom.models.spec import Spec
from semcom.models.trace import Heard, Sent, Trace, hard_labels
from semcom.sources.batch import Batch


class Codec(nn.Module, ABC):
    """A matched transmitter and receiver.

    A side may have no weights: a recognizer's transmitter sends the message as it is.

    Args:
        spec: the shape.
        outputs: how many answers there are for a unit: token numbers, or classes.
    """

    transmitter: nn.Module
    receiver: nn.Module
    goal: ClassVar[str] = "hard_labels"
    """What `loss` is called in histories."""

    def __init__(self, spec: Spec, outputs: int) -> None:
        super().__init__()
        self.spec = spec
        self.outputs = outputs

    @abstractmethod
    def send(self, batch: Batch) -> Sent:
        """What goes on the air: symbols [batch, K] complex, at mean power 1, padding silent."""

    @abstractmethod
    def hear(self, arrived: Arrived, batch: Batch) -> Heard:
        """In training: logits for every unit at once; an autoregressive receiver is handed the true past."""

    @abstractmethod
    def decode(self, arrived: Arrived, batch: Batch, *, beam: int = 1) -> Tensor:
        """The answers [batch, longest], found without the true ones; a rebuilt picture has its axes behind these,
        and a rebuilt spectrum its bands.

        Args:
            batch: only its mask and lengths are read, never its targets.
            beam: hypotheses kept for each message where there is a search; 1 is greedy.
        """

    def listen(self, arrived: Arrived, batch: Batch) -> Evidence:
        """What the receiver makes of the signal, for a search that decides with a language as well.

        Args:
            batch: only its mask and lengths are read, never its targets.
        """
        raise ValueError(f"a codec of kind {self.spec.kind} sends no language to search in; call decode")

    def loss(self, trace: Trace, batch: Batch) -> Tensor:
        """How far the receiver is from what was sent, which training makes small; averaged over real units.

        Args:
            trace: of this codec's trip of the batch.
        """
        return hard_labels(trace)

    @abstractmethod
    def example(self) -> Batch:
        """One message of usual length, to count and time what a trip costs."""

    @abstractmethod
    def stacks(self) -> tuple[nn.ModuleList, ...]:
        """The layers that may be pruned, stack by stack."""

    def with_attention(self, trace: Trace) -> Trace:
        """This codec's trace with what the self-attention of its last layers compared, where it has any."""
        raise ValueError(f"a codec of kind {self.spec.kind} weighs nothing by attention; leave such methods out")


def air_shape(codec: Codec, batch: Batch) -> tuple[int, int]:
    """The shape (batch, symbols) that a batch takes on the air."""
    return len(batch), batch.mask.shape[1] * codec.spec.symbols_per_unit
