"""fit: the only training loop."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import Tensor, nn

from channels import Chance
from semcom.mistakes import UserMistake
from semcom.sources.batch import Batch
from semcom.training.checkpoint import Checkpoint, buffers_of
from semcom.training.objective import Scheduled
from semcom.training.pace import Pace
from semcom.training.recipe import Recipe

CHECKPOINT_SECONDS = 20.0
SMOOTHING = 50  # steps over which the loss that is shown and watched is averaged
DIVERGED = 2.0  # a smoothed loss this many times the first one is not coming back
LITTLE = 0.1  # but twice as much as hardly anything is hardly anything: what a codec that works well may begin with


class Batches(Protocol):
    """Training batches by step number; the same number gives the same batch."""

    def at(self, step: int) -> Batch: ...


class Progress(Protocol):
    """Called after a step: how many are done, of how many, and what to say."""

    def __call__(self, done: int, total: int, message: str) -> None: ...


def silent(done: int, total: int, message: str) -> None:
    """Say nothing."""


class Diverged(RuntimeError):
    """Training left the finite numbers, or the good ones; the codec holds the last good weights."""


@dataclass
class History:
    """What a training looked like: one entry per validation.

    Args:
        told: what the objective tells of itself, by the name of a loss; none of one that has no `told`.
    """

    steps: list[int] = field(default_factory=list)
    losses: list[dict[str, float]] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    told: list[dict[str, dict[str, list[float]]]] = field(default_factory=list)


def fit(
    objective: nn.Module,
    batches: Batches,
    settings: Recipe,
    chance: Chance,
    *,
    checkpoint: Checkpoint | None = None,
    validate: Callable[[], float] | None = None,
    progress: Progress = silent,
    fabric: Fabric | None = None,
    pace: Pace | None = None,
) -> History:
    """Minimize an objective, in place.

    Step t depends on the weights, the optimizer and t alone: batch, air and dropout come from streams named
    after t. So a training killed at any instant and begun again ends with the same weights, bit for bit on
    CPU, as one never killed.

    Args:
        objective: called with (batch, links, chance), gives named losses.
        checkpoint: where to keep unfinished work; None keeps none.
        validate: a number to follow, smaller is better; called every `validate_every` steps.
        fabric: the processes that train together, from `launch`; None trains here, on the CPU.
        pace: where the time of each step is noted.

    Raises:
        Diverged: the loss is not finite, or has grown past any hope.
    """
    fabric = fabric or processes(settings, "cpu")
    rank, world = fabric.global_rank, fabric.world_size
    trained = {name: p for name, p in objective.named_parameters() if p.requires_grad}
    optimizer = _optimizer(trained, settings)
    model, wrapped = fabric.setup(_Asked(objective), optimizer)
    state = _State(objective, optimizer, checkpoint, pace=pace or Pace())
    state.resume()
    _begin_to_learn(objective)
    for step in range(state.step, settings.steps):
        state.pace.begin()
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate_at(step)
        if isinstance(objective, Scheduled):
            # Told anew at every step rather than counted: a training that goes on from a checkpoint knows it too.
            objective.reach(step / settings.steps)
        own = chance.of("step", step) if world == 1 else chance.of("step", step, "rank", rank)
        losses = _losses(model, batches.at(step * world + rank).to(fabric.device), settings, chance=own)
        each = torch.stack(list(losses.values()))
        # All processes must see the same numbers, or one would stop and leave the others waiting.
        everyones = fabric.all_reduce(each.detach(), reduce_op="mean")
        assert isinstance(everyones, Tensor)
        state.watch(step, dict(zip(losses, everyones.tolist(), strict=True)))
        fabric.backward(each.sum())
        norm = fabric.clip_gradients(model, wrapped, max_norm=settings.clip, error_if_nonfinite=False)
        # A finite loss can have a gradient that is not; one such step would spoil the weights for good.
        state.insist(norm, step)
        wrapped.step()
        wrapped.zero_grad(set_to_none=True)
        state.pace.end()
        done = step + 1
        if validate is not None and (done % settings.validate_every == 0 or done == settings.steps):
            objective.eval()
            state.note(done, validate())
            _begin_to_learn(objective)
        state.keep(done, is_last=done == settings.steps, is_writer=rank == 0)
        progress(done, settings.steps, state.message())
    objective.eval()
    return state.history


def processes(settings: Recipe, device: str, *, idle: bool = False) -> Fabric:
    """The processes that train one codec together; call its `launch` where there are several.

    Args:
        idle: whether the objective leaves some of the weights alone, which several processes must know beforehand.

    Raises:
        UserMistake: this machine has not the devices, or cannot compute in that precision.
    """
    on_gpu = device != "cpu"
    if settings.precision == "bf16" and not (on_gpu and torch.cuda.is_bf16_supported()):
        raise UserMistake("training.precision bf16 needs an accelerator that computes in it; use '32' on this machine")
    if on_gpu and settings.devices > torch.cuda.device_count():
        raise UserMistake(f"training.devices must be at most {torch.cuda.device_count()}, got {settings.devices}")
    if not on_gpu and settings.devices > (cores := os.cpu_count() or 1):
        raise UserMistake(f"training.devices must be at most {cores}, this machine's cores, got {settings.devices}")
    return Fabric(
        accelerator=device,
        devices=settings.devices,
        strategy=DDPStrategy(start_method="spawn", find_unused_parameters=idle) if settings.devices > 1 else "auto",
        precision="bf16-mixed" if settings.precision == "bf16" else "32-true",
    )


class _Asked(nn.Module):
    """An objective that is handed a question instead of its arguments.

    Fabric looks into the arguments of a forward call to move and convert them, and refuses frozen records. A
    function it passes on as it is.
    """

    def __init__(self, objective: nn.Module) -> None:
        super().__init__()
        self.objective = objective

    def forward(self, question: Callable[[nn.Module], dict[str, Tensor]]) -> dict[str, Tensor]:
        return question(self.objective)


def _begin_to_learn(objective: nn.Module) -> None:
    """Switch to training mode, all but the running statistics of frozen parts: those stay as they were adopted.

    Dropout, which keeps nothing, acts in a frozen part too, unless the part itself stays in evaluation mode.
    """
    objective.train()
    for part in objective.modules():
        parameters = list(part.parameters())
        if parameters and not any(each.requires_grad for each in parameters):
            for module in part.modules():
                # Of this module alone: there may be dropout below it.
                module.training = module.training and next(module.buffers(recurse=False), None) is None


def _losses(model: nn.Module, batch: Batch, settings: Recipe, *, chance: Chance) -> dict[str, Tensor]:
    """The named losses of one step, with dropout drawn from the step's own stream."""
    links, device = settings.links(chance.of("link"), len(batch)), batch.mask.device
    with torch.random.fork_rng(devices=[] if device.type == "cpu" else [device]):
        torch.manual_seed(chance.of("dropout").integer())
        losses: dict[str, Tensor] = model(lambda objective: objective(batch, links, chance.of("air")))
    return losses


def _optimizer(trained: dict[str, nn.Parameter], settings: Recipe) -> torch.optim.Optimizer:
    matrices = [p for p in trained.values() if p.ndim > 1]
    vectors = [p for p in trained.values() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=settings.learning_rate,
        betas=(0.9, 0.98),
        eps=1e-8,
        fused=True,
    )


class _State:
    """Where a training stands: what a checkpoint saves and a restart needs."""

    def __init__(
        self,
        objective: nn.Module,
        optimizer: torch.optim.Optimizer,
        checkpoint: Checkpoint | None,
        *,
        pace: Pace,
    ) -> None:
        self.objective = objective
        self.optimizer = optimizer
        self.checkpoint = checkpoint
        self.history = History()
        self.pace = pace
        self.step = 0
        self.first = 0.0
        self.smooth: dict[str, float] = {}
        self.saved_at = time.monotonic()
        self.good = self._weights()

    def _moving(self) -> dict[str, Tensor]:
        """What a step changes: trained parameters, and running statistics, which no gradient moves."""
        trained = {name: each.detach() for name, each in self.objective.named_parameters() if each.requires_grad}
        return trained | buffers_of(self.objective)

    def _weights(self) -> dict[str, Tensor]:
        return {name: each.clone() for name, each in self._moving().items()}

    @torch.no_grad()
    def _put_back(self, weights: dict[str, Tensor]) -> None:
        for name, each in self._moving().items():
            each.copy_(weights[name])

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one of this very training."""
        state = self.checkpoint.load() if self.checkpoint else None
        if state is None:
            return
        self._put_back(state["weights"])
        self.good = self._weights()
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.first, self.smooth = state["step"], state["first"], state["smooth"]
        self.history = History(**state["history"])
        # A checkpoint of an earlier version knows no times.
        self.pace.seconds[:] = state.get("pace", [])

    def watch(self, step: int, losses: dict[str, float]) -> None:
        """Follow the losses; stop at once when they are lost."""
        if not math.isfinite(total := sum(losses.values())):
            self._give_up(f"the loss became {total} at step {step + 1}")
        for name, value in losses.items():
            before = self.smooth.get(name, value)
            self.smooth[name] = before + (value - before) / min(step + 1, SMOOTHING)
        if step < SMOOTHING:
            # One batch in clear air says little; what later losses are held against is the mean of the first ones.
            self.first = sum(self.smooth.values())
        elif sum(self.smooth.values()) > DIVERGED * max(abs(self.first), LITTLE):
            self._give_up(f"the loss grew from {self.first:.3g} to {sum(self.smooth.values()):.3g} by step {step + 1}")

    def insist(self, norm: Tensor | None, step: int) -> None:
        """Stop before a step along a gradient that is not finite."""
        if norm is not None and not torch.isfinite(norm):
            self._give_up(f"the gradient's norm became {float(norm)} at step {step + 1}")

    def _give_up(self, what: str) -> None:
        self._put_back(self.good)
        raise Diverged(
            f"training diverged: {what}; the weights of step {self.step} were kept. "
            "Try a lower training.learning_rate or more training.warmup"
        )

    def note(self, done: int, validation: float) -> None:
        """Write one line of the history."""
        self.history.steps.append(done)
        self.history.losses.append(dict(self.smooth))
        self.history.validation.append(validation)
        if tell := getattr(self.objective, "told", None):
            self.history.told.append(tell())

    def keep(self, done: int, *, is_last: bool, is_writer: bool) -> None:
        """Save a checkpoint when the last one is old enough, and when nothing is left to do."""
        if not is_last and time.monotonic() - self.saved_at < CHECKPOINT_SECONDS:
            return
        self.step, self.saved_at, self.good = done, time.monotonic(), self._weights()
        if self.checkpoint is not None and is_writer:
            self.checkpoint.save(
                {
                    "step": done,
                    "first": self.first,
                    "smooth": self.smooth,
                    "weights": self.good,
                    "optimizer": self.optimizer.state_dict(),
                    "history": vars(self.history),
                    "pace": self.pace.seconds,
                }
            )

    def message(self) -> str:
        """The losses, smoothed, for a progress line."""
        parts = [f"{name} {value:.3f}" for name, value in self.smooth.items()]
        if self.history.validation:
            parts.append(f"validation {self.history.validation[-1]:.3f}")
        return "  ".join(parts)
