"""signals: what every modulation looks like, in time, in the plane and in frequency, for the eye to judge."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from channels import Chance, Emitter, matched_filter, modulation_named
from channels.modulation import Linear
from semcom.report.style import GREY, INK, in_house_style

__all__ = ["signals"]

SAMPLES_PER_SYMBOL, ROLLOFF, MESSAGE_BAND = 8.0, 0.35, 0.05
FRAMES, LENGTH = 24, 1024  # behind a spectrum and a plane
SHOWN = 160  # samples of time
POINTS = 1500  # in a plane
QUADRATURE = "#c05a2e"
WIDTH, ROW = 7.2, 0.95  # inches


def signals(modulations: Sequence[str], *, seed: int = 0) -> Figure:
    """A row per modulation: one frame in time, the plane, and the power spectrum of the mean of many frames.

    The carrier stands still and there is no noise, so that what is seen is the modulation's. In the plane are the
    symbols after the matched filter where a modulation is linear, and the path of the envelope where it is not.

    Args:
        modulations: their names (`channels.MODULATIONS`).
    """
    with in_house_style():
        figure = Figure(figsize=(WIDTH, ROW * len(modulations) + 0.6), layout="constrained")
        rows = figure.subplots(len(modulations), 3, squeeze=False, width_ratios=(2.2, 1, 1.6))
        for place, (axes, name) in enumerate(zip(rows, modulations, strict=True)):
            _row(axes, name, Chance(seed).of("signals", name), is_last=place == len(modulations) - 1)
        rows[0][0].set_title("real and imaginary part over time", loc="left")
        rows[0][1].set_title("plane", loc="left")
        rows[0][2].set_title("power spectrum [dB]", loc="left")
        return figure


def _row(axes: Sequence[Axes], name: str, chance: Chance, *, is_last: bool) -> None:
    emitter = Emitter(
        samples_per_symbol=SAMPLES_PER_SYMBOL,
        rolloff=ROLLOFF,
        message_band=MESSAGE_BAND,
        timing=0.0,
        phase=0.0,
        carrier_offset=0.0,
        clock_offset_ppm=0.0,
        linewidth=0.0,
    )
    modulation = modulation_named(name)
    emission = emitter.draw(FRAMES, LENGTH, chance)
    sent = (modulation.envelope(emission) * emission.carrier())[:, -LENGTH:]
    time, plane, frequency = axes
    time.plot(sent[0, :SHOWN].real.numpy(), color=INK, linewidth=0.9)
    time.plot(sent[0, :SHOWN].imag.numpy(), color=QUADRATURE, linewidth=0.9)
    time.set_ylabel(name, rotation=0, ha="right", va="center")
    time.set_ylim(-2.4, 2.4)
    if isinstance(modulation, Linear) and not modulation.late:
        symbols, whole = matched_filter(sent, emission)
        points = symbols[whole][:POINTS]
        plane.plot(points.real.numpy(), points.imag.numpy(), ".", color=INK, markersize=2.2)
    else:
        path = sent[0, : 3 * SHOWN]
        plane.plot(path.real.numpy(), path.imag.numpy(), color=INK, linewidth=0.4)
    plane.set(xlim=(-1.9, 1.9), ylim=(-1.9, 1.9), aspect="equal")
    window = torch.hann_window(LENGTH)
    power = torch.fft.fftshift(torch.fft.fft(sent * window).abs().square().mean(dim=0))
    decibels = 10 * torch.log10(power / power.max() + 1e-7)
    frequency.plot(torch.linspace(-0.5, 0.5, LENGTH + 1)[:-1].numpy(), decibels.numpy(), color=INK, linewidth=0.8)
    frequency.set(xlim=(-0.5, 0.5), ylim=(-62, 4))
    for each in axes:
        each.tick_params(labelbottom=is_last, colors=GREY)
    if is_last:
        time.set_xlabel(f"samples ({SAMPLES_PER_SYMBOL:g} a symbol)")
        frequency.set_xlabel("frequency [cycles per sample]")
