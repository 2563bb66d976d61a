"""Pairing reals into complex symbols, and unit power over what is really sent."""

from __future__ import annotations

import torch

__all__ = ["normalize_power", "to_reals", "to_symbols"]


def to_symbols(reals: torch.Tensor) -> torch.Tensor:
    """Pair neighboring reals into complex symbols: s_k = r_{2k} + j r_{2k+1}.

    Args:
        reals: [..., 2K], as a network gives them; brain floats are widened, for there are no complex ones.

    Returns: [..., K] complex.

    Raises:
        ValueError: an odd number of reals.
    """
    if reals.shape[-1] % 2:
        raise ValueError(
            f"reals must come in pairs along the last axis, got {reals.shape[-1]} of them; make that width even"
        )
    if reals.dtype == torch.bfloat16:
        reals = reals.float()
    return torch.view_as_complex(reals.unflatten(-1, (-1, 2)).contiguous())


def to_reals(symbols: torch.Tensor) -> torch.Tensor:
    """Lay complex symbols out as real neighbors, [..., K] to [..., 2K]: what `to_symbols` undoes."""
    return torch.view_as_real(symbols.resolve_conj()).flatten(-2)


def normalize_power(symbols: torch.Tensor, sent: torch.Tensor | None = None) -> torch.Tensor:
    """Give every sentence unit mean power over the symbols it really sends.

    x_k = s_k sqrt(n / sum_i |s_i|^2),  the sum running over the n symbols sent

    Padding is silenced rather than counted: a short sentence in a long batch is as loud as it would be alone. A
    codec that says nothing stays silent, with a finite gradient.

    Args:
        symbols: [B, K] complex, at any scale from 1e-6 to 1e12. What is quieter counts as silence and is not made as
            loud as the rest; what is louder leaves the range of float32, first in the gradient, then in the energy.
        sent: [B, K], False where a symbol belongs to padding; None when every symbol is sent.

    Source: the average power constraint of Tse and Viswanath, Fundamentals of Wireless Communication, section 5.1.
    """
    if sent is None:
        kept = symbols
        count = torch.full_like(symbols[..., :1].real, symbols.shape[-1])
    else:
        if sent.shape != symbols.shape:
            raise ValueError(
                f"sent must mark every symbol of shape {tuple(symbols.shape)}, got {tuple(sent.shape)}; "
                "repeat a mask over tokens once for each symbol of a token"
            )
        # Not a product: a NaN in the padding times zero is still a NaN.
        kept = torch.where(sent, symbols, torch.zeros_like(symbols))
        count = sent.sum(dim=-1, keepdim=True).to(symbols.real.dtype)
    energy = torch.view_as_real(kept.resolve_conj()).square().sum(dim=(-2, -1)).unsqueeze(-1)
    # Silence has no power to scale: the floor keeps its gradient finite. The two roots are taken apart because the
    # root of an empty sentence's 0/energy would have an infinite slope.
    return kept * (count.sqrt() * energy.clamp_min(1e-12).rsqrt())
