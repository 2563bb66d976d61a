"""Lattice: all that a search kept, from which come the best sentence, its margin and the confidence of every token."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Step:
    """One position of a search: hypotheses [batch, hypotheses] each with its parent and its last token.

    Args:
        totals: score of each hypothesis, from the beginning [nats].
        arcs: what the step from every old hypothesis to every new one adds [batch, old, new] [nats]; minus infinity
            where the old one with the new one's token is not the new one. None where only parents are known.
    """

    parents: Tensor
    tokens: Tensor
    totals: Tensor
    arcs: Tensor | None


@dataclass(frozen=True, eq=False)
class Lattice:
    """All positions of a search.

    Args:
        steps: one a position.
        final: what each last hypothesis gets for ending where it does [batch, hypotheses] [nats].
    """

    steps: list[Step]
    final: Tensor

    def best(self) -> tuple[Tensor, Tensor]:
        """The best hypothesis: its score [batch], and its number at each position [batch, length]."""
        score, here = (self.steps[-1].totals + self.final).max(dim=1)
        path, number = [], here[:, None]
        for step in reversed(self.steps):
            path.append(number)
            number = step.parents.gather(1, number)
        return score, torch.cat(path[::-1], dim=1)

    def margin(self, score: Tensor, path: Tensor) -> Tensor:
        """By how much the best sentence leads any other in the lattice [batch, nats]; infinite where there is none.

        Another sentence passes another hypothesis somewhere, so the best way through each such hypothesis is looked at.
        """
        onward, rival = self.final, torch.full_like(score, -torch.inf)
        for position in range(len(self.steps) - 1, -1, -1):
            step = self.steps[position]
            through = (step.totals + onward).scatter(1, path[:, position, None], -torch.inf)
            rival = rival.maximum(through.amax(dim=1))
            onward = (_arcs(step) + onward[:, None]).amax(dim=2)
        return score - rival

    def certainty(self, score: Tensor) -> Tensor:
        """Posterior probability of the best sentence, of this score, among all in the lattice [batch]."""
        so_far = torch.full_like(self.final, -torch.inf)
        so_far[:, 0] = 0.0
        for step in self.steps:
            so_far = (so_far[..., None] + _arcs(step)).logsumexp(dim=1)
        return (score - (so_far + self.final).logsumexp(dim=1)).exp().clamp(max=1.0)

    def confidence(self, path: Tensor) -> Tensor:
        """Posterior probability of each token of the best sentence, among all sentences in the lattice [batch, length].

        Forward and backward sums over all ways through, those too that lost against a better one on the way.

        Source: Wessel et al., Confidence measures for large vocabulary continuous speech recognition, IEEE Trans.
        Speech and Audio Processing 9(3), 2001.
        """
        so_far = torch.full_like(self.final, -torch.inf)
        so_far[:, 0] = 0.0
        forward = []
        for step in self.steps:
            so_far = (so_far[..., None] + _arcs(step)).logsumexp(dim=1)
            forward.append(so_far)
        onward, shares = self.final, []
        for position in range(len(self.steps) - 1, -1, -1):
            step = self.steps[position]
            posterior = (forward[position] + onward).softmax(dim=1)
            agrees = step.tokens == step.tokens.gather(1, path[:, position, None])
            shares.append((posterior * agrees).sum(dim=1))
            onward = (_arcs(step) + onward[:, None]).logsumexp(dim=2)
        return torch.stack(shares[::-1], dim=1).clamp(max=1.0)


def _arcs(step: Step) -> Tensor:
    if step.arcs is None:
        raise ValueError("this lattice keeps no arcs; search with confidence=True")
    return step.arcs
