"""LayerPruning: choose the layers of a trained network that stay, and put a smaller network together from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from semcom.compression.criteria import AnyCriterion
from semcom.compression.evidence import Evidence, Kept, layers_to_keep
from semcom.compression.pruning import Pruned
from semcom.compression.psr import Psr
from semcom.models.semantic_spec import SemanticSpec
from semcom.words import counted

if TYPE_CHECKING:
    from semcom.models.spec import Spec


MOST_BATCHES = 1000


@dataclass(frozen=True)
class LayerPruning:
    """Keep a few layers of each stack. The network is trained on afterwards, which is another step.

    Args:
        keep: layers of each stack, or a number for each.
        choose: which ones.
        batches: training batches that a choice looks at.
    """

    keep: int | tuple[int, ...]
    choose: AnyCriterion = Psr()
    batches: int = 8
    kind: Literal["layers"] = "layers"

    def __post_init__(self) -> None:
        each: Sequence[int] = (self.keep,) if isinstance(self.keep, int) else self.keep
        if not each or min(each) < 1:
            raise ValueError(f"keep must be at least 1 layer of each stack, got {self.keep}")
        if not 1 <= self.batches <= MOST_BATCHES:
            raise ValueError(f"batches must be from 1 to {MOST_BATCHES}, got {self.batches}")

    def kept(self, evidence: Evidence) -> Kept:
        """The layers that stay, stack by stack.

        Raises:
            UserMistake: a stack has not as many layers, or there are too many combinations to try.
        """
        return self.choose.choose(evidence, layers_to_keep(self.keep, evidence.depths))

    @property
    def told(self) -> str:
        """The criterion, and how many layers are kept of each stack: psr keep 4."""
        counts = (self.keep,) if isinstance(self.keep, int) else self.keep
        return f"{self.choose.kind} keep {'+'.join(map(str, counts))}"

    @property
    def aim(self) -> str:
        """How many layers stay, and by which criterion."""
        if isinstance(self.keep, int):
            return f"pruned to {counted(self.keep, 'layer')} a stack by {self.choose.kind}"
        return f"pruned to {' and '.join(map(str, self.keep))} layers by {self.choose.kind}"

    def planned(self, spec: Spec) -> Spec:
        """The layers of each side of a text codec; which units of a recognizer stay depends on its weights."""
        if not isinstance(spec, SemanticSpec):
            return spec
        sending, hearing = layers_to_keep(self.keep, (spec.transmitter.layers, spec.receiver.layers))
        return replace(
            spec,
            transmitter=replace(spec.transmitter, layers=sending),
            receiver=replace(spec.receiver, layers=hearing),
        )

    def prune(self, evidence: Evidence) -> Pruned:
        """See `Pruning.prune`; the account tells which layers stay, and of PSR how they were found."""
        if isinstance(self.choose, Psr):
            partitions = self.choose.partitions(evidence, layers_to_keep(self.keep, evidence.depths))
            kept = tuple(each.kept for each in partitions)
            stacks = [each.account() for each in partitions]
        else:
            kept = self.kept(evidence)
            stacks = [{"kept": numbers} for numbers in kept]
        return Pruned(evidence.rebuild(kept), {"depths": evidence.depths, "stacks": stacks})
