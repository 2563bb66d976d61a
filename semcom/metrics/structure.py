"""Structural similarity of pictures at several scales, of tensors and differentiable: a metric, and part of a loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

# Of the five scales, finest first.
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW, WIDTH = 11, 1.5  # of the Gaussian window, and its standard deviation [pixels]
CONSTANTS = (0.01**2, 0.03**2)  # of luminance and of contrast, for values from 0 to 1
LEAST = 1e-6  # a similarity below is 0


def structural_similarity(ours: Tensor, theirs: Tensor) -> Tensor:
    """MS-SSIM of pairs of pictures [batch], from 0 to 1; both [batch, planes, rows, columns], values from 0 to 1.

        mean(l cs)_M^w_M  prod_j mean(cs)_j^w_j,   j = 1 to M - 1, scale j + 1 the mean over 2 x 2 pixels of scale j

    with l the similarity of luminance, and cs that of contrast and structure, in windows of a Gaussian of standard
    deviation 1.5; means are over a picture and its planes. What runs against each other counts as 0, and has no slope.

    The published M = 5 scales and windows of 11 x 11 pixels need pictures of 176 pixels or more. Smaller ones get the
    scales whose pictures hold a window (`scales_of`), with the first weights at a sum of 1; where not even the first
    holds one the window is cut to the picture, and an odd number of pixels.

    Source: Wang, Simoncelli and Bovik, Multiscale Structural Similarity for Image Quality Assessment, Asilomar 2003;
    windows and constants of Wang et al., Image Quality Assessment, IEEE Transactions on Image Processing, 2004.
    """
    if ours.shape != theirs.shape or ours.ndim != 4:
        raise ValueError(
            f"pictures must pair up, [batch, planes, rows, columns], got {tuple(ours.shape)} and {tuple(theirs.shape)}"
        )
    least = min(ours.shape[2:])
    scales, window = scales_of(least), min(WINDOW, least - 1 + least % 2)
    taps = torch.exp(-((torch.arange(window, dtype=ours.dtype) - window // 2) ** 2) / (2 * WIDTH**2))
    taps = (taps / taps.sum()).to(ours.device)
    weights = [each / sum(WEIGHTS[:scales]) for each in WEIGHTS[:scales]]
    found = torch.ones(len(ours), dtype=ours.dtype, device=ours.device)
    for scale, weight in enumerate(weights):
        luminance, contrast = _similar(ours, theirs, taps)
        similar = (luminance * contrast if scale + 1 == scales else contrast).mean(dim=(1, 2, 3))
        # A root has no slope at 0 that a training could follow.
        positive = similar > LEAST
        found = found * torch.where(positive, torch.where(positive, similar, LEAST) ** weight, 0.0)
        if scale + 1 < scales:
            ours, theirs = F.avg_pool2d(ours, 2), F.avg_pool2d(theirs, 2)
    return found


def scales_of(least: int) -> int:
    """How many scales a picture has whose shorter side is so long [pixels]."""
    scales = 1
    while scales < len(WEIGHTS) and least // 2**scales >= WINDOW:
        scales += 1
    return scales


def _similar(ours: Tensor, theirs: Tensor, taps: Tensor) -> tuple[Tensor, Tensor]:
    """Similarity of luminance, and of contrast and structure, window by window [batch, planes, rows, columns]."""
    planes = ours.shape[1]

    def smoothed(values: Tensor) -> Tensor:
        down = taps.view(1, 1, -1, 1).expand(planes, 1, -1, 1)
        return F.conv2d(F.conv2d(values, down, groups=planes), down.mT, groups=planes)

    our_mean, their_mean = smoothed(ours), smoothed(theirs)
    our_power = smoothed(ours * ours) - our_mean**2
    their_power = smoothed(theirs * theirs) - their_mean**2
    common = smoothed(ours * theirs) - our_mean * their_mean
    first, second = CONSTANTS
    luminance = (2 * our_mean * their_mean + first) / (our_mean**2 + their_mean**2 + first)
    contrast = (2 * common + second) / (our_power + their_power + second)
    return luminance, contrast
