"""Making: how a codec was made, in the columns of a table and in one phrase composed of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

ADOPTABLE = ("transmitter", "receiver", "encoder", "around")
"""What may be taken over from another codec: a side, its encoder, or all around the layers that are generated."""


@dataclass(frozen=True, kw_only=True)
class Making:
    """How a codec was made; the fields are columns of results.csv.

    Args:
        methods: that it was taught by, joined by +; empty where nobody taught it.
        teachers: the codecs that taught it, joined by +.
        adopted: what it took over, frozen, from another codec: transmitter, receiver, encoder, or around, which is
            all but the layers that it generates; or empty.
        donor: that other codec.
        start: the codec whose weights it began from; empty where it began from chance.
        pruned: the criterion, then what is left of what was there, as in "psr keep 4"; empty where nothing was
            cut out.
        bits: that each weight is quantised to; None where weights are as they were trained.
    """

    methods: str = ""
    teachers: str = ""
    adopted: str = ""
    donor: str = ""
    start: str = ""
    pruned: str = ""
    bits: int | None = None

    @property
    def phrase(self) -> str:
        """The column `method`: soft_logits+symbols, 2 teachers, transmitter adopted, from weights.

        A label, not to be read back. Codecs that differ in size alone have the same, so that one line joins them: how
        much was cut out is not in it.
        """
        taught = self.teachers.count("+") + 1
        told = [
            self.methods or "trained",
            f"{taught} teachers" if taught > 1 else "",
            "plugged in" if self.adopted == "around" else f"{self.adopted} adopted" if self.adopted else "",
            "from weights" if self.start else "",
            f"pruned by {self.pruned.split()[0]}" if self.pruned else "",
            f"{self.bits} bits" if self.bits is not None else "",
        ]
        return ", ".join(each for each in told if each)


MAKING = tuple(each.name for each in dataclasses.fields(Making))
