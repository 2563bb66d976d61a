"""train_language: from sentences in token numbers to a trained Transformer language model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from channels import Chance
from semcom.languages.bits import bits_per_token
from semcom.languages.transformer import TransformerLanguage, initialize_language
from semcom.languages.transformer_spec import TransformerSpec
from semcom.sources.batches import SentenceBatch, TrainingBatches
from semcom.training.checkpoint import Checkpoint
from semcom.training.fit import Batches, History, Progress, fit, processes, silent
from semcom.training.language_objective import NextToken
from semcom.training.recipe import Recipe


def train_language(
    spec: TransformerSpec,
    outputs: int,
    encoded: Sequence[Sequence[int]] | Batches,
    recipe: Recipe,
    *,
    chance: Chance,
    objective: Callable[[TransformerLanguage], nn.Module] = NextToken,
    validation: Sequence[SentenceBatch] = (),
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
    progress: Progress = silent,
) -> tuple[TransformerLanguage, History]:
    """A language that learned from text, and perhaps from a teacher.

    A training that was killed and is begun again ends with the same weights.

    Args:
        outputs: the vocabulary.
        encoded: the training sentences in token numbers; all are used, so whoever wants a share hands over that. Or
            ready batches, of the recipe's size, such as a teacher makes up.
        objective: what to minimize; the text alone unless told, `TaughtLanguage` for a student.
        recipe: its `share` is not looked at, see above; one process trains, so `devices` must be 1.
        validation: what the history follows, in bits per token without ends; empty for nothing.
        device: `cpu` or `cuda`; the language stays there.
        checkpoint: where to keep unfinished work; None keeps none.

    Raises:
        Diverged: training left the good numbers.
        UserMistake: this machine has not the device, or cannot compute in that precision.
    """
    if recipe.devices != 1:
        raise ValueError(f"devices must be 1 for a language, got {recipe.devices}; train it in one process")
    language = initialize_language(spec, outputs, seed=chance.of("weights").integer())
    fabric = processes(recipe, device)
    questions = [batch.to(fabric.device) for batch in validation]
    if isinstance(encoded, Sequence):
        encoded = TrainingBatches(encoded, recipe.batch, chance.of("batches"))
    history = fit(
        objective(language),
        encoded,
        recipe,
        chance,
        checkpoint=checkpoint,
        validate=(lambda: bits_per_token(language, questions)) if questions else None,
        progress=progress,
        fabric=fabric,
    )
    return language, history
