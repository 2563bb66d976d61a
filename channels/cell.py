"""A cell: the link as the receiver of each of its users meets it, and whose sentence each user sends."""

from __future__ import annotations

from dataclasses import replace

import torch

from channels.interference import distinct
from channels.link import Link
from channels.realization import Realization, check_air

__all__ = ["as_heard_for", "link_for", "seen_from", "sentence_shifts"]


def link_for(link: Link, user: int) -> Link:
    """The standing conditions that user k's receiver meets: its own power is the unit there, all others interfere.

    y / sqrt(p_k) = h_k x_k + h_0 x_0 / sqrt(p_k) + sum_j sqrt(p_j / p_k) h_j x_j + n / sqrt(p_k)

    SNR_k = SNR + level_k; the wanted user interferes at -level_k and the others at level_j - level_k, the wanted user
    first. User 0 is the wanted one, whose link is the link itself.

    For receiving and for mean powers, never to draw air from: a link knows one fading of all interferers, and among
    those of user k the wanted user may fade otherwise than the others. Closed forms over fading hold of it where all
    fade alike, or where there is one interferer.

    Raises:
        ValueError: there is no such user.
    """
    if not 0 <= user <= link.interferers:
        raise ValueError(f"user must be from 0 to {link.interferers}, got {user}; 0 is the wanted one")
    if user == 0:
        return link
    typed = link.interference.level_db
    levels = (0.0, *(typed if isinstance(typed, tuple) else (typed,) * link.interferers))
    others = seen_from(user, 1 + link.interferers)[1:]
    heard = replace(
        link.interference,
        level_db=tuple(levels[other] - levels[user] for other in others),
        fading=link.fading if link.interferers == 1 else link.interferer_fading,
    )
    return replace(link, snr_db=link.snr_db + levels[user], fading=link.interferer_fading, interference=heard)


def as_heard_for(link: Link, air: Realization, user: int) -> tuple[Link, Realization]:
    """The link and one batch of its air as user k's receiver meets them; no randomness, and for user 0 the same again.

    Everything is divided by sqrt(p_k), as in `link_for`: what was received must be too, before it is equalized. Users
    are in the order of `seen_from`, and signals must be brought into it. What interferers send is left out: it was
    drawn for the wanted user's view.

    Raises:
        ValueError: there is no such user, or the air was drawn for another link.
    """
    check_air(link, air)
    view = link_for(link, user)
    if user == 0:
        return link, air
    order, amplitude = list(seen_from(user, 1 + link.interferers)), link.amplitudes[user]
    heard = Realization(
        paths=tuple(air.paths[each] / amplitude for each in order),
        noise=air.noise / amplitude,
        csi_error=None if air.csi_error is None else air.csi_error[:, order] / amplitude,
    )
    return view, heard


def seen_from(user: int, users: int) -> tuple[int, ...]:
    """The order of users in the view of one: itself first, then the others as they were."""
    return (user, *(other for other in range(users) if other != user))


def sentence_shifts(air: Realization) -> tuple[int, ...]:
    """How far down the batch each user finds its sentence: user k sends that of row (i + s_k) mod B along with row i.

    The wanted user's shift is 0 and all differ, so no two users send the same sentence and each sends every sentence
    once. The k-th is drawn among those that earlier users left free, so one more user moves nobody.

    Args:
        air: drawn for neighbors.

    Raises:
        ValueError: fewer sentences in the batch than users in the cell.
    """
    batch, users, _ = air.shape
    if users > batch:
        raise ValueError(
            f"a cell of {users} users needs a batch of at least {users} sentences, got {batch}; each sends another "
            "sentence of it, so enlarge the batch or ask for fewer interferers"
        )
    if air.interference is None:
        return (0,)
    if torch.is_complex(air.interference):
        raise ValueError("the air must be drawn for neighbors, got signals; only codec users have sentences to send")
    # One pick for all rows: were each row to choose for itself, a user might send one sentence twice.
    return (0, *(1 + distinct(air.interference[:1, :, 0], batch - 1)).flatten().tolist())
