"""Every figure there is, in five tuples: a figure is a function from a part of the results to a picture, or to None."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from semcom.report.break_even import break_even
from semcom.report.curves import against_interferers, against_level, against_snr, shortfall_against_snr
from semcom.report.gaps import (
    gain_against_interferers,
    gain_against_level,
    gain_against_snr,
    gap_to_teacher_against_interferers,
    gap_to_teacher_against_parameters,
    gap_to_teacher_against_snr,
)
from semcom.report.gaps_by_kind import gains_by_kind
from semcom.report.kinds import kinds_against_level
from semcom.report.results import Results
from semcom.report.shares import share_against_interferers, share_against_snr
from semcom.report.sizes import (
    against_latency,
    against_multiply_adds,
    against_parameters,
    against_symbols,
    meaning_per_symbol,
)
from semcom.report.users import users_against_interferers, users_against_snr

__all__ = ["ACROSS_LEVELS", "FIGURES", "OF_CELLS", "OF_KINDS", "OF_PAIRS_AND_KINDS", "Drawing"]

Drawing = Callable[[Results], Figure | None]

# Drawn for each metric under each condition, interferer level included. None: the results do not hold this figure.
FIGURES: tuple[Drawing, ...] = (
    against_snr,
    shortfall_against_snr,
    against_interferers,
    gap_to_teacher_against_snr,
    gap_to_teacher_against_interferers,
    gap_to_teacher_against_parameters,
    gain_against_snr,
    gain_against_interferers,
    share_against_snr,
    share_against_interferers,
    against_parameters,
    break_even,
    against_multiply_adds,
    against_latency,
    against_symbols,
    meaning_per_symbol,
)

# Drawn for each metric under each condition, all interferer levels together.
ACROSS_LEVELS: tuple[Drawing, ...] = (against_level, gain_against_level)

# Drawn for each metric and each wanted codec where several kinds of interference were met.
OF_KINDS: tuple[Drawing, ...] = (kinds_against_level,)

# Drawn for each metric where several kinds of interference were met and codecs compared.
OF_PAIRS_AND_KINDS: tuple[Drawing, ...] = (gains_by_kind,)

# Drawn for each metric under each condition and for each wanted codec, where all users of a cell were scored.
OF_CELLS: tuple[Drawing, ...] = (users_against_snr, users_against_interferers)
