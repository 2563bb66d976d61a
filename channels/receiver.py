"""What is known of the gains (perfect, noisy estimate, nothing); equalizers; antennas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

__all__ = [
    "Csi",
    "Equalizer",
    "InterferenceRejecting",
    "Mmse",
    "NoCsi",
    "NoEqualizer",
    "NoisyCsi",
    "PerfectCsi",
    "ZeroForcing",
]


@dataclass(frozen=True)
class PerfectCsi:
    """The receiver knows every gain, its own and the interferers'.

    known h = h
    """

    kind: Literal["perfect"] = "perfect"

    def error_power(self, noise_power: float) -> float:
        """Mean power of an estimate's error: none."""
        return 0.0

    def known(self, gains: torch.Tensor, error: torch.Tensor | None, *, amplitudes: Sequence[float]) -> torch.Tensor:
        """Give the gains as they are."""
        return gains


@dataclass(frozen=True)
class NoisyCsi:
    """The receiver estimates every gain from pilots of unit power, in the link's own noise.

    known h = h + e,  e ~ CN(0, N0 / pilots)

    The least-squares estimate. Pilots of different users do not disturb each other and are not counted as symbols;
    a gain per symbol gets its pilots per symbol, which no real system could afford.

    Args:
        pilots: pilot symbols behind each estimate, at least 1.

    Source: Tse and Viswanath, Fundamentals of Wireless Communication, section 3.5.2.
    """

    pilots: int = 4
    kind: Literal["noisy"] = "noisy"

    def __post_init__(self) -> None:
        if self.pilots < 1:
            raise ValueError(f"pilots must be at least 1, got {self.pilots}; without any the kind is 'none'")

    def error_power(self, noise_power: float) -> float:
        """Mean power of an estimate's error: N0 / pilots."""
        return noise_power / self.pilots

    def known(self, gains: torch.Tensor, error: torch.Tensor | None, *, amplitudes: Sequence[float]) -> torch.Tensor:
        """Give the gains with the errors that were drawn for them."""
        if error is None:
            raise ValueError(
                "the air must hold an error for every estimate, got none; draw it for a link with this csi"
            )
        return gains + error


@dataclass(frozen=True)
class NoCsi:
    """The receiver knows the standing conditions alone: it takes every gain to be what its mean power says.

    known h_0 = 1,  known h_k = sqrt(p_k)

    Right without fading; under Rayleigh fading it is wrong about every phase, and a codec must learn to do without.
    """

    kind: Literal["none"] = "none"

    def error_power(self, noise_power: float) -> float:
        """Mean power of an estimate's error: what is not estimated has none."""
        return 0.0

    def known(self, gains: torch.Tensor, error: torch.Tensor | None, *, amplitudes: Sequence[float]) -> torch.Tensor:
        """Give every user the amplitude of its mean power, whatever the gains."""
        assumed = torch.tensor(tuple(amplitudes), dtype=gains.dtype, device=gains.device)
        return assumed.reshape(1, -1, 1, 1).expand_as(gains)


Csi = PerfectCsi | NoisyCsi | NoCsi


@dataclass(frozen=True)
class NoEqualizer:
    """Hand the received symbols on as they are; several antennas are averaged.

    x = (1/A) sum_a y_a
    """

    kind: Literal["none"] = "none"

    def weights(
        self, gains: torch.Tensor, *, noise_power: float | torch.Tensor, interference_power: float | torch.Tensor
    ) -> torch.Tensor:
        """Give every antenna the same weight, [B, A, G]."""
        wanted = gains[:, 0]
        return torch.ones_like(wanted) / wanted.shape[1]


@dataclass(frozen=True)
class ZeroForcing:
    """Undo the wanted user's gain exactly; several antennas are combined by maximum ratio.

    x = sum_a conj(h_a) y_a / sum_a |h_a|^2

    Unbiased, but a deep fade turns into very loud noise: the mean noise power is infinite under Rayleigh fading
    with one antenna.

    Source: Tse and Viswanath, Fundamentals of Wireless Communication, section 3.3.1.
    """

    kind: Literal["zero_forcing"] = "zero_forcing"

    def weights(
        self, gains: torch.Tensor, *, noise_power: float | torch.Tensor, interference_power: float | torch.Tensor
    ) -> torch.Tensor:
        """Give the antennas' weights, [B, A, G]."""
        return matched(gains[:, 0], 0.0)


@dataclass(frozen=True)
class Mmse:
    """Estimate the wanted symbol with least mean squared error, taking interference for more noise of its mean power.

    x = sum_a conj(h_a) y_a / (sum_a |h_a|^2 + sum_k p_k + N0)

    Needs the wanted gain and the mean powers, nothing of the interferers' gains. Biased towards zero where the air
    is bad: a learned decoder reads that as doubt, a decision on amplitudes must undo it.

    Source: Tse and Viswanath, Fundamentals of Wireless Communication, section 8.3.3.
    """

    kind: Literal["mmse"] = "mmse"

    def weights(
        self, gains: torch.Tensor, *, noise_power: float | torch.Tensor, interference_power: float | torch.Tensor
    ) -> torch.Tensor:
        """Give the antennas' weights, [B, A, G]."""
        return matched(gains[:, 0], noise_power + interference_power)


@dataclass(frozen=True)
class InterferenceRejecting:
    """Estimate the wanted symbol with least mean squared error, knowing every interferer's gains.

    x = h_0^H (sum_u h_u h_u^H + N0 I)^-1 y,  u over all users, h_u with one entry an antenna

    Known as interference rejection combining: A antennas can silence A - 1 interferers. With one antenna it is the
    `Mmse` that knows the interference power of the moment instead of the mean.

    Source: Winters, Optimum combining in digital mobile radio with cochannel interference, IEEE Journal on Selected
    Areas in Communications 2(4), 1984.
    """

    kind: Literal["interference_rejecting"] = "interference_rejecting"

    def weights(
        self, gains: torch.Tensor, *, noise_power: float | torch.Tensor, interference_power: float | torch.Tensor
    ) -> torch.Tensor:
        """Give the antennas' weights, [B, A, G]."""
        wanted = gains[:, 0]
        if gains.shape[2] == 1:
            total = torch.view_as_real(gains).square().sum(dim=(1, 4)) + noise_power
            return wanted.conj() / total
        # Double precision: where loud users arrive alike, single precision loses the noise and with it the inverse.
        columns = gains.permute(0, 3, 2, 1).to(torch.complex128)  # [B, G, A, U]: a column of antennas for each user
        # Beyond 130 dB or so even that loses it; a floor keeps the inverse, and is far below any noise before.
        total = torch.view_as_real(columns).square().sum(dim=(2, 3, 4))[..., None, None]
        least = torch.as_tensor(noise_power, dtype=torch.float32, device=gains.device).unsqueeze(-1)
        floor = (1e-14 * total).clamp_min(least.double())
        covariance = columns @ columns.mH + floor * torch.eye(gains.shape[2], device=gains.device)
        answer: torch.Tensor = torch.linalg.solve(covariance, columns[..., :1])
        return answer.squeeze(-1).conj().transpose(1, 2).to(gains.dtype)


Equalizer = NoEqualizer | ZeroForcing | Mmse | InterferenceRejecting


def matched(wanted: torch.Tensor, disturbance: float | torch.Tensor) -> torch.Tensor:
    """Maximum ratio combining over antennas: conj(h_a) / (sum_a |h_a|^2 + disturbance)."""
    total = torch.view_as_real(wanted).square().sum(dim=(1, 3)).unsqueeze(1) + disturbance
    # Only an exact zero needs the floor: 0/0 would send a NaN where a gain of zero should send silence.
    return wanted.conj() / total.clamp_min(torch.finfo(total.dtype).tiny)
