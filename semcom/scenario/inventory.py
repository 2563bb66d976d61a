"""inventory: what a scenario may name, with one line each."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from channels.catalog import COHERENCE, CSI, EQUALIZERS, FADING, INTERFERENCE
from semcom.compression.catalog import PRUNINGS
from semcom.compression.criteria import CRITERIA
from semcom.distillation.catalog import METHODS
from semcom.languages.transformer_spec import LANGUAGE_SIZES
from semcom.metrics.accuracy import OF_CLASS
from semcom.metrics.catalog import METRICS, axis_of
from semcom.mistakes import UserMistake
from semcom.scenario.hints import suggestion
from semcom.scenario.language_plans import LANGUAGES
from semcom.scenario.load import names, shipped
from semcom.scenario.published import PUBLISHED
from semcom.sources.catalog import CORPORA, FRAMES, PICTURES, SPEECH, TOKENIZERS
from semcom.tasks.catalog import TASKS
from semcom.tasks.detectors import DETECTORS

VARIANTS: dict[str, tuple[type, ...]] = {
    "tasks": TASKS,
    "corpora": CORPORA,
    "tokenizers": TOKENIZERS,
    "frames": FRAMES,
    "pictures": PICTURES,
    "speech": SPEECH,
    "fading": FADING,
    "coherence": COHERENCE,
    "interference": INTERFERENCE,
    "csi": CSI,
    "equalizers": EQUALIZERS,
    "detectors": DETECTORS,
    "methods": METHODS,
    "prunings": PRUNINGS,
    "criteria": CRITERIA,
}
KINDS = ("scenarios", "sizes", "languages", *VARIANTS, "metrics", "overlays")


def inventory(kind: str | None) -> str:
    """A listing of one kind of name, or of all.

    Raises:
        UserMistake: there is no such kind.
    """
    if kind is not None and kind not in KINDS:
        hint = suggestion(kind, KINDS) or "; name one of them, or none for all"
        raise UserMistake(f"what to list must be one of {', '.join(KINDS)}, got {kind}{hint}")
    chosen = KINDS if kind is None else (kind,)
    return "\n\n".join("\n".join((f"{each}:", *_lines(each))) for each in chosen)


def _lines(kind: str) -> Iterator[str]:
    entries = list(_entries(kind))
    width = max(len(name) for name, _ in entries)
    for name, line in entries:
        yield f"  {name:<{width}}  {line}"


def _entries(kind: str) -> Iterator[tuple[str, str]]:
    if kind == "scenarios":
        for name in names():
            first = (shipped() / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")[0]
            yield name, first.lstrip("# ")
    elif kind == "sizes":
        for task in TASKS:
            for name, spec in task.sizes.items():
                yield name, f"{spec.told} (task {task.kind})"
    elif kind == "languages":
        for plan in LANGUAGES:
            yield plan.model_fields["kind"].default, (plan.__doc__ or "").partition("\n")[0]
        for name, shape in LANGUAGE_SIZES.items():
            yield name, f"{shape.told}, a size of transformer"
    elif kind == "metrics":
        for metric in METRICS:
            english = "; the bundled encoder is English" if "similarity" in metric.options else ""
            yield metric.name, f"{metric.axis.label}; of {metric.scores}{english}"
        every = f"{OF_CLASS}CLASS"
        yield every, f"{axis_of(every).label}; of classes"
    elif kind == "overlays":
        for curve in PUBLISHED:
            yield curve.name, curve.note
    else:
        for variant in VARIANTS[kind]:
            yield _name(variant), f"{(variant.__doc__ or '').partition(chr(10))[0]}{_options(variant)}"


def _name(variant: type) -> str:
    fields: dict[str, Any] = {each.name: each.default for each in dataclasses.fields(variant)}
    return str(fields.get("kind", fields.get("source")))


def _options(variant: type) -> str:
    options = [each.name for each in dataclasses.fields(variant) if each.name not in ("kind", "source")]
    return f"  ({', '.join(options)})" if options else ""
