"""Method: the three promises of one way of learning from a teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn

    from semcom.models.spec import CodecSpec
    from semcom.models.trace import Trace


class Method(Protocol):
    """One way of learning from a teacher; its fields are its YAML.

    A method owns what extra layers it trains and its loss. It never touches a loop, and never sees a model:
    only the two traces.

    `weight` multiplies its loss; `kind` is its only name.
    """

    @property
    def weight(self) -> float: ...

    @property
    def kind(self) -> str: ...

    def adapters(self, student: CodecSpec, teacher: CodecSpec) -> nn.Module:
        """Layers trained beside the student and thrown away afterwards; an empty module if there are none."""
        ...

    def loss(self, student: Trace, teacher: Trace, adapters: nn.Module) -> Tensor:
        """A number to make small, averaged over real tokens; gradients reach the student and the adapters alone."""
        ...
