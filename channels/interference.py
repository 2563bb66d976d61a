"""What the other users send: codec neighbors, QAM, Gaussian, tone, bursts, a jammer."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from channels.chance import complex_gaussian
from channels.fading import Fading

__all__ = ["Bursts", "Crowd", "Gaussian", "Interference", "Jammer", "Neighbors", "Qam", "Tone", "neighbor_signals"]

# Whole numbers picked below this stay uniform to 2^-30 when folded onto a million slots, on every device.
PICKS = 2**50
# The least duty of bursts: rarer ones are louder than single precision adds up.
RAREST = 1e-6


@dataclass(frozen=True)
class Neighbors:
    """Other sentences through the same codec: the interference of a crowd using one system.

    Interferers send sentence after sentence, so a window of their symbols starts and ends in mid-sentence. No
    gradient flows to them: they are weather. A sentence is never its own interferer.

    Args:
        level_db: mean power of each interferer relative to the wanted user [dB]; a list gives each its own.
        fading: how interferers arrive; without it, as the wanted user does.
    """

    level_db: float | tuple[float, ...] = 0.0
    fading: Fading | None = None
    kind: Literal["neighbors"] = "neighbors"

    def __post_init__(self) -> None:
        check_levels(self.level_db)

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Pick whom to hear, [B, 1] whole numbers; `neighbor_signals` folds them onto the slots still free."""
        return torch.randint(PICKS, (shape[0], 1), generator=generator)


@dataclass(frozen=True)
class Qam:
    """Independent symbols of a square constellation of unit mean power: a classical digital system next door.

    x = (a + jb) / sqrt(2 (order - 1) / 3),  a, b odd whole numbers below sqrt(order) in size

    Args:
        order: points of the constellation: 4 (QPSK), 16 or 64.
        level_db: mean power of each interferer relative to the wanted user [dB]; a list gives each its own.
        fading: how interferers arrive; without it, as the wanted user does.

    Source: Proakis and Salehi, Digital Communications, 5th edition, section 3.2-3.
    """

    order: Literal[4, 16, 64] = 4
    level_db: float | tuple[float, ...] = 0.0
    fading: Fading | None = None
    kind: Literal["qam"] = "qam"

    def __post_init__(self) -> None:
        check_levels(self.level_db)
        if self.order not in (4, 16, 64):
            raise ValueError(f"order must be 4, 16 or 64, got {self.order}; other constellations are not square")

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw [B, K] symbols, each axis on its own."""
        side = math.isqrt(self.order)
        axes = torch.randint(side, (*shape, 2), generator=generator)
        scale = math.sqrt(2 * (self.order - 1) / 3)
        return torch.view_as_complex((2 * axes - (side - 1)) / scale)


@dataclass(frozen=True)
class Gaussian:
    """Independent complex Gaussian symbols: interference without structure, as textbooks assume.

    x ~ CN(0, 1)

    At a fixed gain nobody can tell it from more noise; under fading its power moves with the gain.

    Args:
        level_db: mean power of each interferer relative to the wanted user [dB]; a list gives each its own.
        fading: how interferers arrive; without it, as the wanted user does.
    """

    level_db: float | tuple[float, ...] = 0.0
    fading: Fading | None = None
    kind: Literal["gaussian"] = "gaussian"

    def __post_init__(self) -> None:
        check_levels(self.level_db)

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw [B, K] symbols."""
        return complex_gaussian(shape, generator=generator)


@dataclass(frozen=True)
class Tone:
    """An unmodulated carrier somewhere in the band: a jammer, a leaking oscillator.

    x_k = exp(j (2 pi f k + t)),  t uniform

    Args:
        cycles_per_symbol: its frequency f, from -0.5 to 0.5 [cycles per symbol]; without it one is drawn for each
            sentence and interferer.
        level_db: mean power of each interferer relative to the wanted user [dB]; a list gives each its own.
        fading: how interferers arrive; without it, as the wanted user does.
    """

    cycles_per_symbol: float | None = None
    level_db: float | tuple[float, ...] = 0.0
    fading: Fading | None = None
    kind: Literal["tone"] = "tone"

    def __post_init__(self) -> None:
        check_levels(self.level_db)
        if self.cycles_per_symbol is not None and not -0.5 <= self.cycles_per_symbol <= 0.5:
            raise ValueError(
                f"cycles_per_symbol must be between -0.5 and 0.5, got {self.cycles_per_symbol}; "
                "one sample a symbol cannot tell faster tones from slower ones"
            )

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw [B, K] symbols: a phase, and a frequency if it is open."""
        batch, symbols = shape
        # Both are drawn whether needed or not, so that fixing the frequency leaves the phases as they were.
        phase, frequency = torch.rand((2, batch, 1), generator=generator, dtype=torch.float64)
        cycles = frequency - 0.5 if self.cycles_per_symbol is None else self.cycles_per_symbol
        turns = phase + cycles * torch.arange(symbols, dtype=torch.float64)
        return torch.polar(torch.ones(()).double(), 2 * math.pi * turns).to(torch.complex64)


@dataclass(frozen=True)
class Bursts:
    """Packets of another system: blocks that are loud Gaussian with probability `duty` and silent otherwise.

    x = sqrt(1/duty) z in a block that is on, 0 in one that is off,  z ~ CN(0, 1),  so E|x|^2 = 1.

    Same mean power as `Gaussian`, but it leaves most symbols clean and drowns the others.

    Args:
        duty: probability that a block is on, from one in a million to 1.
        length: length of a block, at least 1 [symbols].
        level_db: mean power of each interferer relative to the wanted user [dB]; a list gives each its own.
        fading: how interferers arrive; without it, as the wanted user does.
    """

    duty: float = 0.25
    length: int = 16
    level_db: float | tuple[float, ...] = 0.0
    fading: Fading | None = None
    kind: Literal["bursts"] = "bursts"

    def __post_init__(self) -> None:
        check_levels(self.level_db)
        if not RAREST <= self.duty <= 1:
            raise ValueError(f"duty must be from {RAREST:g} to 1, got {self.duty}; it is a share of the time")
        if self.length < 1:
            raise ValueError(f"length must be at least 1 symbol, got {self.length}; 1 switches every symbol by itself")

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw [B, K] symbols. The first block of a sentence starts anywhere in its length."""
        batch, symbols = shape
        loud = complex_gaussian(shape, power=1 / self.duty, generator=generator)
        on = torch.rand((batch, symbols // self.length + 2), generator=generator) < self.duty
        late = torch.randint(self.length, (batch, 1), generator=generator)
        return loud * on.gather(1, (torch.arange(symbols) + late) // self.length)


@dataclass(frozen=True)
class Jammer:
    """Gaussian noise over one fixed stretch of every message, and silence over the rest: a jammer that aims.

    x_k = z_k / sqrt(share) for first K <= k < last K, else 0,  z ~ CN(0, 1),  so E|x|^2 = 1 over the message

    What stands in a stretch is up to the codec: of one that sends two senses after each other, each has its own.

    Args:
        first: where the stretch begins, as a share of the message from 0 to 1.
        last: where it ends, above `first`.
        level_db: mean power of each interferer over the whole message relative to the wanted user [dB]; a list gives
            each its own.
        fading: how interferers arrive; without it, as the wanted user does.
    """

    first: float = 0.0
    last: float = 0.5
    level_db: float | tuple[float, ...] = 0.0
    fading: Fading | None = None
    kind: Literal["jammer"] = "jammer"

    def __post_init__(self) -> None:
        check_levels(self.level_db)
        if not 0 <= self.first < self.last <= 1:
            raise ValueError(
                "first and last must be shares of a message with 0 <= first < last <= 1, "
                f"got {self.first} and {self.last}"
            )

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw [B, K] symbols; a stretch too short for one symbol hits the one that it begins in."""
        symbols = shape[1]
        begin = min(int(self.first * symbols), symbols - 1)
        end = max(round(self.last * symbols), begin + 1)
        # Drawn over the whole message, so that jammers of different stretches meet the same noise where they overlap.
        noise = complex_gaussian(shape, power=symbols / (end - begin), generator=generator)
        places = torch.arange(symbols)
        return noise * ((places >= begin) & (places < end))


Interference = Neighbors | Qam | Gaussian | Tone | Bursts | Jammer


def check_levels(level_db: float | tuple[float, ...]) -> None:
    """Refuse levels that are no decibels; a list is refused too, because a link must stay hashable."""
    levels = level_db if isinstance(level_db, tuple) else (level_db,)
    if not all(isinstance(each, (int, float)) and math.isfinite(each) for each in levels):
        raise ValueError(
            f"level_db must be a finite number of decibels or a tuple of them, got {level_db!r}; "
            "for no interference set interferers to 0"
        )


@dataclass(frozen=True, eq=False)
class Crowd:
    """Everyone's sent symbols back to back, padding left out, as the ring that neighbors send from.

    Args:
        stream: [S] complex symbols of unit power.
        ends: [B] where in the stream each wanted sentence ends, one past its last symbol.
        longest: most symbols that a wanted sentence takes in this stream; None is the length of the wanted signals,
            which is right where the stream comes from the codec that sends those.
    """

    stream: torch.Tensor
    ends: torch.Tensor
    longest: int | None = None

    def slots(self, symbols: int) -> int:
        """How many stretches of so many symbols the ring holds beside a wanted sentence; none may be below 0."""
        size = self.stream.shape[0]
        return (size - (symbols if self.longest is None else self.longest)) // symbols


def neighbor_signals(crowd: Crowd | Sequence[Crowd], picks: torch.Tensor, *, symbols: int) -> torch.Tensor:
    """Cut what each neighbor sends out of its crowd's ring; no randomness and no gradient.

    Neighbor k sends the `symbols` symbols that start slot_k * symbols after the wanted sentence's own end. Slots stop
    short of the wanted sentence. The k-th pick chooses among the slots that earlier neighbors left free, so one more
    neighbor moves nobody.

    Neighbors with rings of one size choose from one set of slots: they send different text although different codecs
    carry it, and which codec carries one neighbor moves no other. Rings of different sizes have their slots at
    different places of the text and know nothing of each other.

    Args:
        crowd: one for all neighbors, or one for each: of the same sentences, sent through codecs of their own.
        picks: [B, N] whole numbers, as `Neighbors` draws them.
        symbols: K, the length of the wanted signals.

    Returns: [B, N, K] complex.

    Raises:
        ValueError: a crowd too small for that many different neighbors, or made for another batch or other neighbors.
    """
    neighbors = picks.shape[1]
    crowds = (crowd,) * neighbors if isinstance(crowd, Crowd) else tuple(crowd)
    if len(crowds) != neighbors:
        raise ValueError(
            f"crowd must be one for all or one for each of {neighbors} interferers, got {len(crowds)}; repeat those "
            "that several send from"
        )
    taken = torch.empty_like(picks)
    for members in alike((each.stream.shape[0], each.slots(symbols)) for each in crowds):
        _check_room(crowds[members[0]], len(picks), len(members), symbols=symbols)
        taken[:, members] = distinct(picks[:, members], crowds[members[0]].slots(symbols))
    signals = [_cut(crowds[members[0]], taken[:, members], symbols) for members in alike(map(id, crowds))]
    if len(signals) == 1:
        return signals[0]
    order = [member for members in alike(map(id, crowds)) for member in members]
    return torch.cat(signals, dim=1)[:, torch.tensor(order).argsort()]


def distinct(picks: torch.Tensor, places: int) -> torch.Tensor:
    """Fold picks [B, N] onto different places from 0 to `places` - 1; the k-th takes one that earlier ones left."""
    taken = picks[:, :1] % places
    for k in range(1, picks.shape[1]):
        free = picks[:, k : k + 1] % (places - k)
        # The j-th free place is j plus the number of taken places in front of it; with the taken ones in ascending
        # order c_0 < c_1 < ..., there are c_i - i free places in front of c_i.
        skipped = taken.sort(dim=1).values - torch.arange(k, device=picks.device) <= free
        taken = torch.cat((taken, free + skipped.sum(dim=1, keepdim=True)), dim=1)
    return taken


def alike(keys: Iterable[Hashable]) -> list[list[int]]:
    """The numbers of those with equal keys, together, in order."""
    found: dict[Hashable, list[int]] = {}
    for number, key in enumerate(keys):
        found.setdefault(key, []).append(number)
    return list(found.values())


def _cut(crowd: Crowd, slots: torch.Tensor, symbols: int) -> torch.Tensor:
    """The stretches [B, n, K] of one ring in these slots [B, n]."""
    starts = (crowd.ends.unsqueeze(1) + slots * symbols) % crowd.stream.shape[0]
    # The ring is closed by repeating its beginning, so that every window is a plain row to copy.
    closed = torch.cat((crowd.stream, crowd.stream[: symbols - 1])).detach()
    return closed.unfold(0, symbols, 1)[starts]


def _check_room(crowd: Crowd, batch: int, neighbors: int, *, symbols: int) -> None:
    """Refuse a crowd of another batch, and one without a slot for each of its neighbors."""
    if crowd.ends.shape != (batch,):
        raise ValueError(
            f"ends must name a place in the stream for each of {batch} sentences, got {tuple(crowd.ends.shape)}; "
            "make one crowd for each batch"
        )
    if crowd.slots(symbols) < neighbors:
        least = neighbors * symbols + (symbols if crowd.longest is None else crowd.longest)
        raise ValueError(
            f"{neighbors} interferers need a crowd of at least {least} symbols, got {crowd.stream.shape[0]}; hand over "
            "more sentences or ask for fewer interferers"
        )
