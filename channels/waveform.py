"""Waveform: labelled IQ frames of known modulations through a known channel, to train and test recognisers with."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from channels.chance import Chance, complex_gaussian
from channels.emission import Emission, Emitter
from channels.modulation import RML2016, modulation_named
from channels.multipath import Echoes, Multipath
from channels.ranges import Range, check_range, draw_range, limits
from channels.units import db_to_ratio

__all__ = ["Arrival", "Frames", "Waveform", "make_frames"]

# Frames of one class that are modulated at a time.
TOGETHER = 32


@dataclass(frozen=True)
class Waveform:
    """The standing conditions under which frames are received; of two numbers, every frame draws one between them.

    y_n = sum over l of h_l x_{n-l}  +  sum over k of sqrt(p_k) (the same of interferer k)  +  w_n

    SNR is the wanted signal's mean received power over the noise power in the sampled band, per complex sample:
    E|x|^2 = 1 for every modulation, the gains' mean powers add up to 1, and E|w|^2 = 1/snr. It is never measured from
    a frame. Noise fills the whole sampled band while the signal fills part of it, so the signal-to-noise ratio after
    a matched filter is higher: Es/N0 = snr * samples_per_symbol.

    Args:
        modulations: names of the classes, in the order of their labels.
        length: samples of a frame.
        snr_db: see above [dB].
        emitter: how transmitters send.
        multipath: how a signal arrives.
        interferers: other transmitters in the same band; two numbers: every frame draws how many, both included.
        level_db: mean received power of each interferer relative to the wanted signal's [dB].
        others: names of the modulations that interferers use; None is `modulations`. An interferer never uses the
            wanted frame's own.
        level_control: scale every received frame to unit power, as a receiver's gain control does: the power of a
            frame then says nothing about its class.
    """

    modulations: tuple[str, ...] = RML2016
    length: int = 128
    snr_db: Range = (-20.0, 18.0)
    emitter: Emitter = Emitter()
    multipath: Multipath = Multipath()
    interferers: int | tuple[int, int] = 0
    level_db: Range = 0.0
    others: tuple[str, ...] | None = None
    level_control: bool = True

    def __post_init__(self) -> None:
        for name in (*self.modulations, *self.crowd):
            modulation_named(name)
        if not self.modulations or len(set(self.modulations)) < len(self.modulations):
            raise ValueError(f"modulations must be different names, at least one, got {self.modulations!r}")
        if self.length < 1:
            raise ValueError(f"length must be at least 1 sample, got {self.length}")
        check_range("snr_db", self.snr_db)
        check_range("level_db", self.level_db)
        check_range("interferers", self.interferers, low=0)
        if any(each != int(each) for each in limits(self.interferers)):
            raise ValueError(f"interferers must be a whole number or two of them, got {self.interferers!r}")
        if self.most_interferers and any(not set(self.crowd) - {name} for name in self.modulations):
            raise ValueError(
                f"others must name a modulation besides each wanted one, got {self.crowd!r}; "
                "an interferer never uses the modulation of the wanted signal"
            )

    @property
    def crowd(self) -> tuple[str, ...]:
        """The modulations that interferers use."""
        return self.modulations if self.others is None else self.others

    @property
    def most_interferers(self) -> int:
        """How many interferers a frame may have."""
        return int(limits(self.interferers)[1])


@dataclass(frozen=True, eq=False)
class Arrival:
    """One transmitter as it is received, and the truth about it.

    Args:
        classes: [B] which modulation it used, as a place in `modulations`, or in `crowd` for an interferer.
        emission: what chance decided for the transmitter.
        echoes: what chance decided for its paths.
        signal: [B, N] complex, what is heard of it alone, at mean power 1.
    """

    classes: torch.Tensor
    emission: Emission
    echoes: Echoes
    signal: torch.Tensor


@dataclass(frozen=True, eq=False)
class Frames:
    """Received frames, their labels, and what they are made of.

    received = gain * (wanted.signal + interference + noise)

    Args:
        received: [B, N] complex64.
        labels: [B] places in `modulations`.
        snr_db: [B].
        interferers: [B] how many others sent.
        wanted: the wanted signal alone.
        interference: [B, N] complex, all interferers together.
        noise: [B, N] complex.
        gain: [B] of the level control; ones without it.
    """

    received: torch.Tensor
    labels: torch.Tensor
    snr_db: torch.Tensor
    interferers: torch.Tensor
    wanted: Arrival
    interference: torch.Tensor
    noise: torch.Tensor
    gain: torch.Tensor


def make_frames(waveform: Waveform, labels: torch.Tensor, chance: Chance) -> Frames:
    """Make a frame of each label; the same chance gives the same frames.

    Frames are independent realisations: each has its own symbols, message, clock, oscillator, paths and noise, so any
    split of them is a split by realisation. Every cause has a stream of its own: another SNR only scales the noise,
    one more interferer moves neither the others nor the noise, and the label of one frame moves no other.

    Args:
        labels: [B] whole numbers, places in `modulations`.
        chance: narrowed to this batch; batches that should differ need different causes, `chance.of("batch", 7)`.
    """
    frames = check_labels(waveform, labels)
    wanted = arrive(waveform, waveform.modulations, labels, chance.of("wanted"))
    snr_db = draw_range(waveform.snr_db, frames, generator=chance.of("snr").generator())
    noise = complex_gaussian((frames, waveform.length), generator=chance.of("noise").generator())
    noise *= db_to_ratio(-snr_db).sqrt().float().unsqueeze(1)
    least, most = limits(waveform.interferers)
    count = torch.randint(int(least), int(most) + 1, (frames,), generator=chance.of("interferers").generator())
    interference = torch.zeros_like(noise)
    for k in range(waveform.most_interferers):
        interference += interferer(waveform, labels, chance.of("interferer", k)) * (count > k).unsqueeze(1)
    received = wanted.signal + interference + noise
    gain = torch.ones(frames)
    if waveform.level_control:
        gain = received.abs().square().mean(dim=1).rsqrt()
    return Frames(
        received=received * gain.unsqueeze(1),
        labels=labels,
        snr_db=snr_db,
        interferers=count,
        wanted=wanted,
        interference=interference,
        noise=noise,
        gain=gain,
    )


def interferer(waveform: Waveform, labels: torch.Tensor, chance: Chance) -> torch.Tensor:
    """One interferer of every frame, [B, N], of another modulation than the wanted one and at its level."""
    picks = torch.rand(len(labels), generator=chance.of("modulation").generator(), dtype=torch.float64)
    classes = torch.empty_like(labels)
    for label, name in enumerate(waveform.modulations):
        allowed = torch.tensor([place for place, other in enumerate(waveform.crowd) if other != name])
        mine = labels == label
        classes[mine] = allowed[(picks[mine] * len(allowed)).long()]
    level_db = draw_range(waveform.level_db, len(labels), generator=chance.of("level").generator())
    amplitude = db_to_ratio(level_db).sqrt().float().unsqueeze(1)
    return amplitude * arrive(waveform, waveform.crowd, classes, chance).signal


def arrive(waveform: Waveform, modulations: tuple[str, ...], classes: torch.Tensor, chance: Chance) -> Arrival:
    """Draw one transmitter and its paths for every frame, and work out what is heard of it."""
    echoes = waveform.multipath.draw(len(classes), chance)
    lead = waveform.multipath.paths - 1
    emission = waveform.emitter.draw(len(classes), waveform.length, chance, lead=lead)
    envelope = torch.empty((len(classes), emission.samples), dtype=torch.complex64)
    for place in classes.unique().tolist():
        # A few at a time: what pulses are computed from then stays in the processor's cache.
        for rows in (classes == place).nonzero().squeeze(1).split(TOGETHER):
            envelope[rows] = modulation_named(modulations[place]).envelope(emission.rows(rows))
    signal = echoes.received(envelope * emission.carrier())
    return Arrival(classes=classes, emission=emission, echoes=echoes, signal=signal)


def check_labels(waveform: Waveform, labels: torch.Tensor) -> int:
    """Count the frames; refuse labels that are no places in the list of modulations."""
    classes = len(waveform.modulations)
    if labels.ndim != 1 or labels.dtype != torch.long or len(labels) == 0:
        raise ValueError(f"labels must be one row of whole numbers, got {labels.dtype} of shape {tuple(labels.shape)}")
    if int(labels.min()) < 0 or int(labels.max()) >= classes:
        raise ValueError(
            f"labels must be from 0 to {classes - 1}, places in modulations, got {int(labels.min())} to "
            f"{int(labels.max())}"
        )
    return len(labels)
