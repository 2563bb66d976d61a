"""PSNR and MS-SSIM: by hand, against loops over windows, and at the limits that small pictures set."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from semcom.metrics.pictures import MOST_DB, MsSsim, Psnr
from semcom.metrics.structure import WEIGHTS, scales_of, structural_similarity


def test_psnr_is_decibels_first_and_then_the_mean() -> None:
    black, gray = np.zeros((1, 4, 4), np.uint8), np.full((1, 4, 4), 51, np.uint8)
    one_off = black.copy()
    one_off[0, 0, 0] = 255
    statistics = Psnr().statistics([black, black, black, black], [gray, one_off, black, None])
    # 255 / 51 is 5; one value of 16 is all wrong.
    assert statistics[:, 0].tolist() == pytest.approx([20 * math.log10(5), 10 * math.log10(16), MOST_DB, 0.0])
    assert Psnr().combine(statistics.sum(axis=0)) == pytest.approx(statistics[:, 0].mean())
    assert 10 * math.log10(12 * 255**2) == pytest.approx(MOST_DB, abs=1e-3), "the error of rounding alone"


def slowly(ours: np.ndarray, theirs: np.ndarray) -> float:
    """MS-SSIM of one plane, window by window."""
    rows, columns = ours.shape
    scales = scales_of(min(rows, columns))
    window = min(11, min(rows, columns) - 1 + min(rows, columns) % 2)
    taps = np.exp(-((np.arange(window) - window // 2) ** 2) / 4.5)
    weights = np.outer(taps, taps) / np.outer(taps, taps).sum()
    value = 1.0
    for scale in range(scales):
        found = []
        for row in range(ours.shape[0] - window + 1):
            for column in range(ours.shape[1] - window + 1):
                a, b = (each[row : row + window, column : column + window] for each in (ours, theirs))
                p, q = (weights * a).sum(), (weights * b).sum()
                cross = (weights * (a - p) * (b - q)).sum()
                spread = (weights * (a - p) ** 2).sum() + (weights * (b - q) ** 2).sum()
                contrast = (2 * cross + 9e-4) / (spread + 9e-4)
                light = (2 * p * q + 1e-4) / (p * p + q * q + 1e-4)
                found.append(contrast * (light if scale == scales - 1 else 1))
        value *= max(float(np.mean(found)), 0.0) ** (WEIGHTS[scale] / sum(WEIGHTS[:scales]))
        ours, theirs = (
            each[: each.shape[0] // 2 * 2, : each.shape[1] // 2 * 2]
            .reshape(each.shape[0] // 2, 2, each.shape[1] // 2, 2)
            .mean(axis=(1, 3))
            for each in (ours, theirs)
        )
    return value


@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (13, 30)])
def test_ms_ssim_is_what_loops_over_windows_give(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    smooth = np.add.outer(np.linspace(0, 1, shape[0]), np.linspace(0, 1, shape[1])) / 2
    noisy = np.clip(smooth + 0.1 * rng.normal(size=shape), 0, 1)
    found = structural_similarity(torch.from_numpy(smooth)[None, None], torch.from_numpy(noisy)[None, None])
    assert found.item() == pytest.approx(slowly(smooth, noisy), rel=1e-9)


def test_small_pictures_have_fewer_scales() -> None:
    assert [scales_of(each) for each in (1, 8, 21, 22, 28, 43, 44, 175, 176, 1000)] == [1, 1, 1, 2, 2, 2, 3, 4, 5, 5]
    one = torch.ones(1, 1, 1, 1)
    assert structural_similarity(one, one).item() == 1.0


def test_what_runs_against_it_is_worth_nothing_and_has_no_slope() -> None:
    board = (torch.arange(64).view(1, 1, 8, 8) % 2).double()
    other = (1 - board).requires_grad_()
    found = structural_similarity(board, other)
    assert found.item() == 0.0
    found.backward()
    assert other.grad is not None and not other.grad.any()


def test_pictures_of_unequal_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="of one size"):
        MsSsim().statistics([np.zeros((1, 4, 4), np.uint8)], [np.zeros((1, 4, 5), np.uint8)])
    with pytest.raises(ValueError, match="uint8"):
        Psnr().statistics([np.zeros((1, 4, 4))], [np.zeros((1, 4, 4))])
