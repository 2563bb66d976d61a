"""Carry out the making up of sentences: drawn piece by piece, so that a run killed in between goes on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from channels import Chance
from semcom.languages.language import Language
from semcom.languages.made_up_file import read_sentences, write_sentences
from semcom.languages.made_up_spec import MadeUpSpec
from semcom.languages.making_up import make_up
from semcom.mistakes import UserMistake
from semcom.scenario.work import LanguageBuild
from semcom.store.circumstances import circumstances
from semcom.store.digests import WEIGHTS_DIGEST
from semcom.store.folder import RunFolder
from semcom.training.fit import Progress, silent

PIECE = 4096
"""Sentences that are drawn and kept together; another number would give others."""


def carry_out_text(
    build: LanguageBuild, teacher: Language, folder: Path, *, device: str = "cpu", progress: Progress = silent
) -> dict[str, Any]:
    """Have a language make up as many sentences as the build says, and save them.

    Returns:
        The record.
    """
    assert isinstance(build.spec, MadeUpSpec)
    began, wanted = time.perf_counter(), build.spec.sentences
    place, chance = RunFolder(folder), Chance(build.seed or 0).of("made_up")
    path, unfinished = place.weights(build.identity), place.weights(build.identity).with_name("pieces.safetensors")
    path.parent.mkdir(parents=True, exist_ok=True)
    made = _kept(unfinished, teacher.outputs)
    while len(made) < wanted:
        progress(len(made), wanted, "")
        with torch.inference_mode():
            made += make_up(teacher, PIECE, chance.of("piece", len(made) // PIECE), at_once=PIECE // 4)
        write_sentences(unfinished, made)
    made = made[:wanted]
    saved = write_sentences(path, made)
    unfinished.unlink(missing_ok=True)
    progress(wanted, wanted, "")
    return {
        "name": build.name,
        "seed": build.seed,
        "kind": build.spec.kind,
        "sentences": len(made),
        "tokens": sum(map(len, made)),
        "parameters": 0,
        WEIGHTS_DIGEST: saved,
        "seconds": round(time.perf_counter() - began, 2),
        **vars(circumstances(device)),
    }


def _kept(path: Path, outputs: int) -> list[list[int]]:
    """The whole pieces of a run that was killed; none if there are none, or if they are damaged."""
    try:
        made = read_sentences(path, outputs=outputs)
    except UserMistake:
        return []
    return made[: len(made) // PIECE * PIECE]
