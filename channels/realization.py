"""What chance decided for one batch, and the arithmetic that sends signals through it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from threading import get_ident

import torch

from channels.chance import Chance, complex_gaussian
from channels.interference import Crowd, Neighbors, neighbor_signals
from channels.link import Link
from channels.paths import draw_csi_error, draw_paths
from channels.units import ratio_to_db

__all__ = ["Energies", "Realization", "draw", "equalize", "everyone", "measured_powers", "superpose"]


@dataclass(frozen=True, eq=False)
class Realization:
    """What chance decided for one batch: everyone's gains, the noise, and what interferers do.

    A value like any other: send the teacher and the student through the same one and they meet the same air.

    Args:
        paths: the gain of each user, user 0 being the wanted one, with interferers' sqrt(p_k) in it: [B, A, G] complex
            for batch and antennas, or one number where nobody fades. Each of the G gains lasts K/G symbols, G dividing
            K: 1 for a gain per sentence, K for one per symbol.
        noise: [B, A, K] complex, already at the link's noise power.
        interference: what was drawn of the interferers' sending: [B, U-1, K] complex signals of unit power, or
            [B, U-1, 1] whole numbers that pick neighbors from a crowd. None without interferers.
        csi_error: [B, U, A, G] what the receiver's estimates of the gains are wrong by; None if it estimates nothing.
    """

    paths: tuple[torch.Tensor | float, ...]
    noise: torch.Tensor
    interference: torch.Tensor | None = None
    csi_error: torch.Tensor | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Batch, users and symbols: the shape that signals must have."""
        batch, _, symbols = self.noise.shape
        return batch, len(self.paths), symbols

    @cached_property
    def gains(self) -> torch.Tensor:
        """All paths side by side, [B, U, A, G] complex, for receivers: what is sent goes path by path."""
        batch, antennas, _ = self.noise.shape
        each = [as_gains(path, (batch, antennas, 1), self.noise.device) for path in self.paths]
        # A lone user is the common case, and a view of its gains costs nothing.
        return torch.stack(each, dim=1) if len(each) > 1 else each[0].unsqueeze(1)

    def to(self, device: torch.device | str) -> Realization:
        """Move everything to a device; chance itself is always drawn on the CPU."""
        return Realization(
            paths=tuple(path.to(device) if isinstance(path, torch.Tensor) else path for path in self.paths),
            noise=self.noise.to(device),
            interference=None if self.interference is None else self.interference.to(device),
            csi_error=None if self.csi_error is None else self.csi_error.to(device),
        )


def as_gains(path: torch.Tensor | float, shape: tuple[int, int, int], device: torch.device) -> torch.Tensor:
    """See a path as [B, A, G] gains."""
    return path if isinstance(path, torch.Tensor) else steady_gains(path, shape, device)


@lru_cache(maxsize=64)
def steady_gains(amplitude: float, shape: tuple[int, int, int], device: torch.device) -> torch.Tensor:
    """The gains of a user that does not fade, [B, A, 1]; a view of one number, made once."""
    # Whoever asks first may be in inference mode; what is kept must serve the training after it, too.
    with torch.inference_mode(False):
        return torch.full((), amplitude, dtype=torch.complex64, device=device).expand(shape)


def draw(link: Link, shape: tuple[int, int], chance: Chance) -> Realization:
    """Let chance decide one batch: the only line of the air with randomness in it.

    Every user has its own streams, named after their cause: ("fading", user), ("interference", user), ("csi", user);
    ("noise",) gives the receiver's noise and then the wanted user's gains, since a stream of its own costs as much as
    half a thousand symbols. So adding a user changes neither the others nor the noise, fading changes no noise, and
    changing the SNR only scales it. The same `chance` gives the same air again: narrow it, `chance.of("batch", 3)`,
    for every new batch.

    Args:
        shape: batch and symbols, (B, K).
    """
    batch, symbols = shape
    if batch < 1 or symbols < 1:
        raise ValueError(f"shape must be at least one sentence of one symbol, got {shape}; skip an empty batch")
    generator = own_generator(get_ident())
    noise = complex_gaussian(
        (batch, link.antennas, symbols), power=link.noise_power, generator=chance.begin(generator, "noise")
    )
    # Gains that never change are not drawn at all, whatever the coherence: AWGN costs no more than a number a user.
    # Their estimates are, and last as long as the coherence says: who else fades must not change them.
    paths: tuple[torch.Tensor | float, ...]
    paths = link.amplitudes if link.is_steady else draw_paths(link, shape, chance, generator)
    interference = draw_interference(link, shape, chance, generator) if link.interferers else None
    error = draw_csi_error(link, shape, chance, generator) if link.csi_error_power else None
    return Realization(paths, noise, interference, error)


@lru_cache(maxsize=64)
def own_generator(thread: int) -> torch.Generator:
    """The one generator of a thread's draws: each stream seeds it anew and is drawn to its end before the next begins.

    So it carries nothing from one draw to another. Seeding is most of what a stream costs, and making a generator
    seeds it once more.
    """
    return torch.Generator()


def draw_interference(link: Link, shape: tuple[int, int], chance: Chance, generator: torch.Generator) -> torch.Tensor:
    """Draw what is to be drawn of every interferer's sending, [B, U-1, K] or [B, U-1, 1]."""
    streams = (chance.begin(generator, "interference", user) for user in range(1, 1 + link.interferers))
    return torch.stack([link.interference.draw(shape, generator=one) for one in streams], dim=1)


def everyone(
    symbols: torch.Tensor, link: Link, air: Realization, crowd: Crowd | Sequence[Crowd] | None = None
) -> torch.Tensor:
    """Put the wanted symbols and all interferers' signals side by side; no randomness.

    Interferers' signals have unit power here, their level is in the air's gains, and no gradient flows to them.

    Args:
        symbols: [B, K] complex, what the wanted users send.
        crowd: whom codec neighbors are taken from, or one for each where they send through different codecs. None
            takes the batch itself, with its padding as pauses: hand over a crowd when sentences differ in length.

    Returns: [B, U, K] complex, user 0 being the wanted one.

    Raises:
        ValueError: too small a crowd for the neighbors asked for, or air drawn for something else.
    """
    check_air(link, air)
    batch, _, length = air.noise.shape
    if not symbols.is_complex():
        raise ValueError(f"symbols must be complex, got {symbols.dtype}; pair reals with to_symbols")
    if symbols.shape != (batch, length):
        raise ValueError(
            f"symbols must be {(batch, length)} (batch, symbols) as the air was drawn, got {tuple(symbols.shape)}; "
            "draw one realization for each batch"
        )
    wanted = symbols.unsqueeze(1)
    if air.interference is None:
        return wanted
    # Made-up kinds send what was drawn; neighbors were only picked, since what they say depends on the codec.
    if not isinstance(link.interference, Neighbors):
        return torch.cat((wanted, air.interference), dim=1)
    if crowd is None:
        if link.interferers >= batch:
            raise ValueError(
                f"{link.interferers} interferers need a batch of at least {link.interferers + 1} sentences, "
                f"got {batch}; a sentence is never its own interferer, so enlarge the batch or hand over a crowd"
            )
        ends = torch.arange(1, batch + 1, device=symbols.device) * length
        crowd = Crowd(stream=symbols.flatten(), ends=ends)
    return torch.cat((wanted, neighbor_signals(crowd, air.interference.squeeze(-1), symbols=length)), dim=1)


def superpose(signals: torch.Tensor, air: Realization) -> torch.Tensor:
    """Add up what the receiver's antennas hear: y_a = sum_u h_{u,a} x_u + n_a.

    No randomness: the same signals through the same air give the same result. Gradients flow to the signals.

    Args:
        signals: [B, U, K] complex.

    Returns: [B, A, K] complex.
    """
    if signals.shape != air.shape:
        raise ValueError(
            f"signals must be {air.shape} (batch, users, symbols) as the air was drawn, got {tuple(signals.shape)}; "
            "draw one realization for each batch, with one user for each signal"
        )
    received, first = air.noise, air.paths[0]
    count = first.shape[2] if isinstance(first, torch.Tensor) else 1
    if blocks := 1 < count < received.shape[2]:
        received, signals = in_spans(received, count), in_spans(signals, count)
    # [B, 1, K] each, heard by every antenna. Cutting costs a tenth of a sum of 10,000 symbols; a lone user needs none.
    each = (signals,) if len(air.paths) == 1 else signals.chunk(len(air.paths), dim=1)
    # One fused pass a user, straight onto the noise: nothing of size users x antennas x symbols is ever stored.
    for path, signal in zip(air.paths, each, strict=True):
        if isinstance(path, torch.Tensor):
            received = torch.addcmul(received, path.unsqueeze(-1) if blocks else path, signal)
        else:
            received = torch.add(received, signal, alpha=path)
    return received.flatten(-2) if blocks else received


def equalize(received: torch.Tensor, link: Link, air: Realization) -> torch.Tensor:
    """Estimate the wanted symbols with the link's equalizer and what its csi knows of the gains.

    x_hat = sum_a w_a y_a

    Args:
        received: [B, A, K] complex.

    Returns: [B, K] complex.
    """
    check_air(link, air)
    if received.shape != air.noise.shape:
        raise ValueError(
            f"received must be {tuple(air.noise.shape)} (batch, antennas, symbols) as the air was drawn, "
            f"got {tuple(received.shape)}; equalize what came through this air"
        )
    return combine(received, weigh(link, air)[1])


def combine(received: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Add up what the antennas received [B, A, K] with these weights [B, A, G], to [B, K]."""
    if blocks := 1 < weights.shape[2] < received.shape[2]:
        weights, received = weights.unsqueeze(-1), in_spans(received, weights.shape[2])
    weighted = weights * received
    estimate = weighted.squeeze(1) if received.shape[1] == 1 else weighted.sum(dim=1)
    return estimate.flatten(-2) if blocks else estimate


def weigh(link: Link, air: Realization) -> tuple[torch.Tensor, torch.Tensor]:
    """What the receiver knows of the gains [B, U, A, G], and the equalizer's weights [B, A, G]."""
    known = known_gains(link, air)
    weights = link.equalizer.weights(
        known, noise_power=link.noise_power, interference_power=sum(link.interferer_powers)
    )
    return known, weights


def known_gains(link: Link, air: Realization) -> torch.Tensor:
    """What the receiver knows of everyone's gains [B, U, A, G], the interferers' levels in them."""
    return link.csi.known(air.gains, air.csi_error, amplitudes=link.amplitudes)


def in_spans(symbols: torch.Tensor, count: int) -> torch.Tensor:
    """View [..., K] as [..., G, K/G], the symbols that share each of G gains together."""
    return symbols.reshape(*symbols.shape[:-1], count, symbols.shape[-1] // count)


def check_air(link: Link, air: Realization) -> None:
    """Refuse air that was drawn for another number of users or antennas: it would broadcast in silence."""
    users, antennas = len(air.paths), air.noise.shape[1]
    if users != 1 + link.interferers or antennas != link.antennas:
        raise ValueError(
            f"the air must be drawn for {1 + link.interferers} users and {link.antennas} antennas, got air for "
            f"{users} and {antennas}; draw it for the link that uses it"
        )
    # Neighbors are picked by whole numbers, which as signals would be deafening.
    if air.interference is not None and air.interference.is_complex() == isinstance(link.interference, Neighbors):
        raise ValueError(
            f"the air must be drawn for interferers of kind {link.interference.kind}, got air for "
            f"{'another kind' if air.interference.is_complex() else 'neighbors'}; draw it for the link that uses it"
        )


@dataclass(frozen=True)
class Energies:
    """What arrived at the antennas, added up over symbols; sums of these are exact over batches of any size.

    Args:
        wanted: energy of the wanted user.
        interference: energy of all the others together, as they overlap.
        noise: energy of the receiver's noise.
        symbols: symbols that were counted, once for each antenna.
    """

    wanted: float = 0.0
    interference: float = 0.0
    noise: float = 0.0
    symbols: int = 0

    def __add__(self, other: Energies) -> Energies:
        return Energies(
            wanted=self.wanted + other.wanted,
            interference=self.interference + other.interference,
            noise=self.noise + other.noise,
            symbols=self.symbols + other.symbols,
        )

    @property
    def snr_db(self) -> float:
        """Measured counterpart of the link's `snr_db`; NaN before anything was counted."""
        return ratio_to_db(self.wanted / self.noise) if self.noise > 0 else math.nan

    @property
    def sir_db(self) -> float:
        """Measured counterpart of `mean_sir_db`."""
        return ratio_to_db(self.wanted / self.interference) if self.interference > 0 else math.inf

    @property
    def sinr_db(self) -> float:
        """Measured counterpart of `mean_sinr_db`; NaN before anything was counted."""
        disturbance = self.interference + self.noise
        return ratio_to_db(self.wanted / disturbance) if disturbance > 0 else math.nan


def measured_powers(signals: torch.Tensor, air: Realization, *, sent: torch.Tensor | None = None) -> Energies:
    """Add up the energies that arrived, to report what was measured beside what was asked for.

    For the record only: nothing in the physics may depend on it.

    Args:
        signals: [B, U, K] complex.
        sent: [B, K], False where the wanted user's symbol belongs to padding; such symbols are not counted at all.
    """
    if sent is not None and sent.shape != (signals.shape[0], signals.shape[2]):
        raise ValueError(f"sent must mark every symbol of {tuple(signals.shape)}, got {tuple(sent.shape)}")
    # What overlaps is measured as it overlaps: interferers that cancel each other at an antenna do no harm there.
    silent = Realization(paths=air.paths, noise=torch.zeros_like(air.noise))
    alone = torch.zeros_like(signals)
    alone[:, 0] = signals[:, 0]
    parts = torch.stack((superpose(alone, silent), superpose(signals - alone, silent), air.noise))
    if sent is not None:
        parts = parts * sent.unsqueeze(1)
    wanted, interference, noise = torch.view_as_real(parts.detach()).square().sum(dim=(1, 2, 3, 4)).tolist()
    symbols = air.noise.numel() if sent is None else int(sent.sum()) * air.noise.shape[1]
    return Energies(wanted=wanted, interference=interference, noise=noise, symbols=symbols)
