"""Method: the promises of one way of learning from a teacher."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

    from semcom.models.spec import Part, Spec
    from semcom.models.trace import Trace

LOGITS: frozenset[Part] = frozenset({"logits"})
"""What a method sees that compares only what both receivers say; it alone may learn from several teachers at once."""

STAGES: frozenset[Part] = frozenset({"stages"})
"""What a method sees that compares feature maps of unequal size."""


class Method(Protocol):
    """One way of learning from a teacher; its fields are its YAML.

    A method says what of a trip it sees, and owns what extra layers it trains and its loss. It never touches a
    loop, and never sees a model: only the two traces.

    `weight` multiplies its loss; `kind` is its only name. One that learns from the teacher's decisions, and so is
    above 0 even for the teacher's copy, says `vanishes = False`. One that knows the parts of a single kind of codec
    names that kind in `codec`. One that leaves something to the kind of codec has `settled(spec)`, which decides it;
    one that can tell more than `sees` why a kind does not suit it has `unsuited(spec)`; one that keeps an account of
    its training has `told(adapters)`. One that holds layers against each other place by place says `by_place = True`:
    the two codecs must have equal places there.

    A method that needs no teacher says `needs_teacher = False`. Its `adapters` are told the number of answers in the
    teacher's place, and its `loss` is of the student's trip with all views of the messages (`Layered.ways`).
    """

    @property
    def weight(self) -> float: ...

    @property
    def kind(self) -> str: ...

    @property
    def sees(self) -> frozenset[Part]:
        """The parts of the two trips that it compares; the costly ones are made only if somebody sees them."""
        ...

    def adapters(self, student: Any, teacher: Any) -> nn.Module:
        """Layers trained beside the student and thrown away afterwards; an empty module if there are none."""
        ...

    def loss(self, student: Trace, teacher: Trace, adapters: nn.Module) -> Tensor:
        """A number to make small, averaged over real units; gradients reach the student and the adapters alone."""
        ...


def needs_teacher(method: Method) -> bool:
    """Whether it is a teacher that it learns from."""
    return getattr(method, "needs_teacher", True)


def no_adapters(method: Method, student: Spec, teacher: Spec) -> nn.Module:
    """`adapters` of a method that trains no layers: it compares what has one meaning at any width."""
    return torch.nn.Identity()


def check_shares(what: str, *shares: float) -> None:
    """Refuse the weights of a method's terms if one is negative, or no number, or all are 0."""
    if not (all(share >= 0 for share in shares) and any(shares)):
        raise ValueError(f"{what} must be at least 0, one of them more, got {', '.join(map(str, shares))}")


def check_methods(
    methods: Sequence[Method],
    *,
    transmitter_is_frozen: bool,
    encoder_is_frozen: bool = False,
    hears_alike: bool = False,
    teachers: int = 1,
) -> None:
    """Refuse methods that could not be told apart, and those that would teach nobody.

    What the transmitter makes depends on the transmitter alone. If that is frozen, such a loss is a constant, or
    trains nothing but its own adapters, and an ablation would report it as a method that does not help. Of a frozen
    encoder that is so of its layers, though not of the symbols that are learned behind it.

    A frozen receiver is another matter: gradients pass through it to the transmitter. But one that is the teacher's
    own and hears what the teacher hears agrees with it always, so that what looks at it alone is 0.

    Several teachers agree on the answers they choose from and on nothing else: neither on what to send nor on what a
    coordinate of a layer means. So there a method may look at the logits alone.

    Args:
        hears_alike: whether the student's receiver is its teacher's, on the same signal. A method that learns from the
            teacher's decisions says `vanishes = False`: agreement does not make it 0.

    Raises:
        ValueError: see above.
    """
    kinds = [method.kind for method in methods]
    if len(set(kinds)) < len(kinds):
        raise ValueError(f"each method may be named once, got {', '.join(kinds)}; losses are told apart by it")
    for method in methods:
        if not 0 <= method.weight < math.inf:
            raise ValueError(f"weight of method {method.kind} must be at least 0 and finite, got {method.weight:g}")
        if transmitter_is_frozen and method.sees & {"sent", "received"}:
            raise ValueError(
                f"method {method.kind} must teach something, got a student whose transmitter is adopted and frozen; "
                "leave the method out, or what of it looks at the transmitter"
            )
        of_layers = getattr(method, "by_place", False) or not needs_teacher(method)
        if encoder_is_frozen and of_layers and "sent" in method.sees:
            raise ValueError(
                f"method {method.kind} must teach something, got a student whose encoder is adopted and frozen; leave "
                "the method out, or what of it looks at the encoder"
            )
        if hears_alike and getattr(method, "vanishes", True) and not method.sees & {"sent", "received"}:
            raise ValueError(
                f"method {method.kind} must teach something, got a student whose receiver is its teacher's, adopted, "
                "and hears the same; let the teacher hear its own transmitter (hears: own), or leave the method out"
            )
        if teachers > 1 and method.sees != LOGITS and needs_teacher(method):
            raise ValueError(
                f"teacher must be a single one for method {method.kind}, which looks at more than logits, "
                f"got {teachers}; name one, or leave the method out"
            )
