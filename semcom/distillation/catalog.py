"""The methods a scenario may name."""

from __future__ import annotations

from semcom.distillation.soft_logits import SoftLogits
from semcom.distillation.symbols import Symbols

METHODS = (SoftLogits, Symbols)

AnyMethod = SoftLogits | Symbols
