"""SynFlow: how much of what flows through a network depends on its weights, found without any data."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor, nn


def synflow(network: nn.Module, flow: Callable[[nn.Module], Tensor], *, batch_statistics: bool = False) -> float:
    """How much of an input of ones flows through a network, weighed by every weight's part in it.

        R = sum of the outputs for an input of ones, with every weight w replaced by |w|
        score = sum over w of | w dR/dw |

    Buffers are replaced as well. All is done on a copy in float64. It is made for networks of linear parts and
    rectifiers, where every layer's weights sum up to R; layer normalization and softmax take the size out of what
    flows, so that in a Transformer the score says less.

    Args:
        flow: the outputs of a network for an input of ones, in the network's own precision.
        batch_statistics: whether batch normalization takes its statistics from that input, as in training, instead of
            what it has stored.

    Source: Tanaka, Kunin, Yamins and Ganguli, Pruning Neural Networks without Any Data by Iteratively Conserving
    Synaptic Flow, NeurIPS 2020.
    """
    positive = copy.deepcopy(network).double().eval()
    for module in positive.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.train(batch_statistics)
    with torch.no_grad():
        for tensor in (*positive.parameters(), *positive.buffers()):
            if tensor.is_floating_point():
                tensor.abs_()
    weights = list(positive.requires_grad_().parameters())
    with torch.enable_grad():
        total = flow(positive).sum()
        slopes = torch.autograd.grad(total, weights, allow_unused=True)
    parts = [(w.detach() * slope).abs().sum() for w, slope in zip(weights, slopes, strict=True) if slope is not None]
    score = math.fsum(part.item() for part in parts)
    if not math.isfinite(score):
        raise ValueError(f"the SynFlow score must be finite, got {score}; use batch_statistics, or another criterion")
    return score
