"""Unbiased CKA: how alike the activations of two layers are, and of all pairs of layers over several batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from semcom.compression.evidence import Seen

Averaged = Literal["matrices", "hsic"]
FEWEST_ROWS = 4  # HSIC_1 divides by n - 3
CONSTANT = 1e-12  # sqrt(HSIC) below this share of the mean squared length of a row is rounding


def rows_of(features: Tensor, mask: Tensor | None = None) -> Tensor:
    """Activations of one layer as a matrix of float64 rows.

    Args:
        features: [batch, ...], one row for each example; or, with a mask, [batch, length, width], one row for each
            real token, so that padding counts nothing.
        mask: [batch, length], True for real tokens.
    """
    chosen = features.flatten(1) if mask is None else features[mask]
    return chosen.detach().double()


def hsic_matrix(layers: Sequence[Tensor]) -> Tensor:
    """HSIC_1 of all pairs of layers with linear kernels, [layers, layers] in float64.

        HSIC_1(K, L) = ( tr(K~ L~) + 1'K~1 1'L~1 / ((n-1)(n-2)) - 2/(n-2) 1'K~L~1 ) / (n(n-3)),

    K~ being K with a diagonal of 0.
    It does not change when a layer's mean is taken away. Then every row of K~ sums to -q_i with q_i = |x_i|^2, and what
    is left is

        ( |X'Y|^2 - sum q_i r_i n/(n-2) + sum q_i sum r_i / ((n-1)(n-2)) ) / (n(n-3)),   r_i = |y_i|^2

    Args:
        layers: float64 rows [n, features], the same n rows for each layer.

    Source: Song, Smola, Gretton, Bedo and Borgwardt, Feature Selection via Dependence Maximization, JMLR 13, 2012,
    the unbiased estimator.
    """
    count = _rows(layers)
    centered = [layer - layer.mean(dim=0) for layer in layers]
    squares = torch.stack([each.square().sum(dim=1) for each in centered])
    if count <= max(each.shape[1] for each in centered):
        kernels = torch.stack([(each @ each.T).flatten() for each in centered])
        products = kernels @ kernels.T
    else:
        products = torch.stack([torch.stack([(x.T @ y).square().sum() for y in centered]) for x in centered])
    totals = squares.sum(dim=1)
    corrected = products - squares @ squares.T * count / (count - 2)
    corrected = corrected + torch.outer(totals, totals) / ((count - 1) * (count - 2))
    return corrected / (count * (count - 3))


def cka_matrix(layers: Sequence[Tensor]) -> Tensor:
    """Unbiased CKA of all pairs of layers, 1 on the diagonal.

        CKA(X, Y) = HSIC_1(X, Y) / sqrt( HSIC_1(X, X) HSIC_1(Y, Y) )

    A layer whose activations do not vary is like no other: 0 beside the diagonal.
    """
    return _normalized(hsic_matrix(layers), _scales(layers))


def similarities(batches: Iterable[Seen], *, averaged: Averaged = "matrices") -> tuple[Tensor, ...]:
    """Unbiased CKA between the layers of each stack, over several batches: [layers, layers] in float64, stack by stack.

    Args:
        averaged: `matrices` is the mean of every batch's CKA, as the official code of layer pruning has it; `hsic`
            divides the means of HSIC, which is the better estimate where batches are small.

    Source: `hsic` after Nguyen, Raghu and Kornblith, Do Wide and Deep Networks Learn the Same Things?, ICLR 2021;
    `matrices` after the official code of Lu et al., arXiv 2406.07929.
    """
    means: list[_Mean] = []
    for seen in batches:
        means = means or [_Mean() for _ in seen.layers]
        for mean, stack in zip(means, seen.layers, strict=True):
            layers = [rows_of(layer, seen.mask) for layer in stack]
            mean.add(cka_matrix(layers) if averaged == "matrices" else hsic_matrix(layers), _scales(layers))
    if not means:
        raise ValueError("similarity needs at least one batch of activations, got none")
    if averaged == "matrices":
        return tuple(mean.matrix / mean.count for mean in means)
    return tuple(_normalized(mean.matrix / mean.count, mean.scales / mean.count) for mean in means)


def column_sums(matrix: Tensor) -> tuple[float, ...]:
    """One number for each layer: how alike it is to all layers together. The sequence that is segmented."""
    return tuple(matrix.sum(dim=0).tolist())


class _Mean:
    """Sums over batches, of which the means are wanted."""

    def __init__(self) -> None:
        self.matrix = self.scales = torch.zeros(())
        self.count = 0

    def add(self, matrix: Tensor, scales: Tensor) -> None:
        self.matrix, self.scales, self.count = self.matrix + matrix.cpu(), self.scales + scales.cpu(), self.count + 1


def _rows(layers: Sequence[Tensor]) -> int:
    counts = {len(layer) for layer in layers}
    if len(counts) != 1:
        raise ValueError(f"all layers must have the same rows, got {sorted(counts)} rows")
    count = counts.pop()
    if count < FEWEST_ROWS:
        raise ValueError(f"unbiased CKA needs at least {FEWEST_ROWS} rows in a batch, got {count}; use larger batches")
    return count


def _scales(layers: Sequence[Tensor]) -> Tensor:
    """The mean squared length of each layer's rows, beside which rounding is judged."""
    return torch.stack([layer.square().sum(dim=1).mean() for layer in layers])


def _normalized(hsic: Tensor, scales: Tensor) -> Tensor:
    own = hsic.diagonal().clamp(min=0).sqrt()
    varies = own > CONSTANT * scales
    inverse = torch.where(varies, 1 / own, torch.zeros_like(own))
    return (hsic * torch.outer(inverse, inverse)).fill_diagonal_(1.0)
