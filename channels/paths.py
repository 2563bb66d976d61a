"""Drawing of every user's gains and of what a receiver takes them for, one for each span of symbols that they last."""

from __future__ import annotations

import torch

from channels.chance import Chance, complex_gaussian
from channels.coherence import spread
from channels.fading import Fading
from channels.link import Link
from channels.standard import Cdl, Tdl

__all__ = ["draw_csi_error", "draw_paths"]


def draw_paths(
    link: Link, shape: tuple[int, int], chance: Chance, generator: torch.Generator
) -> tuple[torch.Tensor, ...]:
    """Draw every user's gains, [B, A, G] each; the interferers' levels are in them.

    The wanted user's come from the generator as it stands, in the noise's stream and after the noise. A standard
    channel has a stream of its own: there is so much of it to draw that one more costs nothing.
    """
    paths = []
    for user, fading in enumerate(link.fadings):
        if user or isinstance(fading, Tdl | Cdl):
            chance.begin(generator, "fading", user)
        gains = _draw_gains(fading, link, shape, generator)
        # The level goes into the gain and not into the signal: only the air knows who is the wanted user.
        paths.append(gains * link.amplitudes[user] if user else gains)
    return tuple(paths)


def draw_csi_error(link: Link, shape: tuple[int, int], chance: Chance, generator: torch.Generator) -> torch.Tensor:
    """Draw what the receiver's estimates of the gains are wrong by, [B, U, A, G]; a standard channel's one by one."""
    errors = []
    for user, fading in enumerate(link.fadings):
        chance.begin(generator, "csi", user)
        count = shape[1] if isinstance(fading, Tdl | Cdl) else _spans(link, shape[1])
        error = complex_gaussian((shape[0], link.antennas, count), power=link.csi_error_power, generator=generator)
        errors.append(_laid_out(error, link, shape[1]))
    return torch.stack(errors, dim=1)


def _draw_gains(fading: Fading, link: Link, shape: tuple[int, int], generator: torch.Generator) -> torch.Tensor:
    batch, symbols = shape
    each = (batch, link.antennas, _spans(link, symbols))
    if isinstance(fading, Tdl | Cdl):
        grid = fading.draw_grid((*each, link.coherence.span(symbols)), generator=generator)
        return grid.flatten(-2)[..., :symbols]
    return _laid_out(fading.draw(each, generator=generator), link, symbols)


def _spans(link: Link, symbols: int) -> int:
    """How many stretches of one gain, or of one standard channel, a message takes."""
    return -(-symbols // link.coherence.span(symbols))


def _laid_out(values: torch.Tensor, link: Link, symbols: int) -> torch.Tensor:
    """One value for every symbol where spans do not divide a message, or where somebody's gains vary within them."""
    span = link.coherence.span(symbols)
    if values.shape[-1] == symbols or not (symbols % span or link.is_selective):
        return values
    return spread(values, span=span, symbols=symbols)
