"""Detectors: how the receivers of a cell tell its users apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from semcom.tasks.cancellation import Scene

MOST_ROUNDS = 16


@dataclass(frozen=True)
class AsNoise:
    """Everyone is decoded from all that is heard, and takes everybody else for noise."""

    kind: Literal["noise"] = "noise"

    def decide(self, scene: Scene) -> list[Tensor]:
        """The answers [batch, longest] of every user."""
        from semcom.tasks.cancellation import as_noise

        return as_noise(scene)


@dataclass(frozen=True)
class Successive:
    """The loudest user is decoded first, sent again in thought and subtracted; then the next.

    Each is decoded by its own receiver, with the language that it knows. What is subtracted goes through the gains that
    the link's `csi` knows, and the order follows them, message by message. The receiver knows every user's codec and
    that all begin to send at the same time.

    Args:
        rounds: how often everyone is decoded, at most 16; from the second round on with all others subtracted.
        soft: subtract only as much of a user's symbols as the receiver is sure of its tokens, and count with the rest
            as interference; without it every decision is taken for right.
        lengths: whether the receiver knows how many tokens each neighbor's sentence has; without it a neighbor is
            decoded, and subtracted, as one sentence that fills the air.

    Source: Tse and Viswanath, Fundamentals of Wireless Communication, section 6.1 (successive cancellation); soft:
    Wang and Poor, Iterative (turbo) soft interference cancellation and decoding for coded CDMA, IEEE Trans.
    Communications 47(7), 1999.
    """

    rounds: int = 1
    soft: bool = False
    lengths: bool = True
    kind: Literal["successive"] = "successive"

    def __post_init__(self) -> None:
        if not 1 <= self.rounds <= MOST_ROUNDS:
            raise ValueError(f"rounds must be from 1 to {MOST_ROUNDS}, got {self.rounds}; 1 decodes everyone once")

    def decide(self, scene: Scene) -> list[Tensor]:
        """The answers [batch, longest] of every user."""
        from semcom.tasks.cancellation import Cancellation

        return Cancellation(scene, soft=self.soft, lengths=self.lengths).run(self.rounds)


Detector = AsNoise | Successive
DETECTORS: tuple[type[Detector], ...] = (AsNoise, Successive)
AS_NOISE = AsNoise()
