"""Torch loaded when one of its names is first used, so that a command that only reads YAML answers at once."""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import Any


class _WhenUsed(types.ModuleType):
    """A module that fills itself at the first name asked of it.

    The standard library's LazyLoader is no help: in Python 3.11 a second `import torch` statement already asks the
    module for its `__spec__` and so loads it. Here the metadata is in place, and only missing names load.
    """

    def __getattr__(self, name: str) -> Any:
        spec = self.__spec__
        assert spec is not None and spec.loader is not None
        self.__class__ = types.ModuleType  # type: ignore[assignment]
        self.__path__ = list(spec.submodule_search_locations or ())
        spec.loader.exec_module(self)
        return getattr(self, name)


def load_torch_when_used() -> None:
    """Put an unfilled torch into `sys.modules`; without effect if torch is already there, or is not installed."""
    spec = importlib.util.find_spec("torch") if "torch" not in sys.modules else None
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    # Without a path, importing a submodule asks for it and so loads torch itself first, in the order torch expects.
    del module.__path__
    module.__class__ = _WhenUsed
    sys.modules["torch"] = module
