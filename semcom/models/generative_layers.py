"""Makers of a teacher's hidden layers: one after another on a grid of layers by places, or all at once from heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from semcom.models.layers import EncoderLayer, KeysAndValues
from semcom.models.plugged_spec import GeneratorSpec

Layers = tuple[Tensor, ...]
SLOT_SIZE = 0.5  # of the vectors that tell layers apart: about the size of what enters the block beside them


class LayerGenerator(nn.Module):
    """One block that makes layer after layer, in the coordinates of the layers it is told to make.

    The block sees a grid of layers by places: row 1 holds what entered the teacher's first layer, row l the (l-1)-th
    layer that is made. Attention has two dimensions: from row l it sees every place, before and behind, of the rows up
    to l, and none of later rows. What the block puts out at row l is layer l, or with `skip` what is added to row l.

        g_l = W block(rows 1 .. l)_l (+ g_{l-1}),   g_0 = what enters

    with one W for all layers or, with `own_projections`, a W_l for each.

    Nothing here knows what the layers are of: any Transformer whose layers are [batch, length, width] may be the
    teacher, whether it reads tokens, signals or speech.

    Args:
        spec: the shape.

    Source: see `GenerativeSpec`.
    """

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        self.spec = spec
        width = spec.inside.width
        # Layers of a pre-norm Transformer grow on the way up; the block is to see all of them at one scale.
        self.into = nn.Sequential(nn.LayerNorm(spec.places), nn.Linear(spec.places, width))
        self.slots = nn.Parameter(SLOT_SIZE * torch.randn(len(spec.wanted), width))
        self.dropout = nn.Dropout(spec.dropout)
        self.block = nn.ModuleList(EncoderLayer(spec.inside, spec.manner) for _ in range(spec.inside.layers))
        self.norm = nn.LayerNorm(width)
        self.leave: nn.Module = nn.Linear(width, spec.places) if spec.project else nn.Identity()
        if spec.own_projections:
            self.leave = nn.ModuleList(nn.Linear(width, spec.places) for _ in spec.wanted)
        if spec.skip:
            begin_at_nothing(self.leave)

    def forward(self, first: Tensor, mask: Tensor | None = None, guide: Sequence[Tensor] | None = None) -> Layers:
        """The layers [batch, length, places] each, first to last.

        Args:
            first: what enters the teacher's first layer, [batch, length, places].
            mask: True where a place may be seen, [batch, 1, 1, length]; None where all may.
            guide: all layers of the teacher. Each layer is then made from its true layers below (teacher forcing), in
                one pass; without it from what was made before (running free).
        """
        if guide is None:
            return self._free(first, mask)
        return self.forced([first, *chosen(guide, self.spec)[:-1]], mask)

    def forced(self, rows: Sequence[Tensor], mask: Tensor | None = None) -> Layers:
        """The layers made from given rows of the grid, [batch, length, places] each, in one pass."""
        count, length = len(rows), rows[0].shape[1]
        below = torch.ones(count, count, dtype=torch.bool, device=rows[0].device).tril()
        seen = below.repeat_interleave(length, dim=0).repeat_interleave(length, dim=1)
        if mask is not None:
            seen = seen & mask.repeat(1, 1, 1, count)
        grid = torch.stack(tuple(rows), dim=1)
        features = self.dropout(self.into(grid) + self.slots[:, None]).flatten(1, 2)
        for layer in self.block:
            features = layer(features, seen)
        by_row = features.unflatten(1, (count, length)).unbind(1)
        return tuple(self._made(index, *each) for index, each in enumerate(zip(by_row, rows, strict=True)))

    def _free(self, first: Tensor, mask: Tensor | None) -> Layers:
        """Row by row; keys and values of earlier rows are kept, so that each row is computed once."""
        made: list[Tensor] = []
        past: list[KeysAndValues | None] = [None] * len(self.block)
        row = first
        for index, slot in enumerate(self.slots):
            features = self.dropout(self.into(row) + slot)
            seen = None if mask is None else mask.repeat(1, 1, 1, index + 1)
            for depth, layer in enumerate(self.block):
                assert isinstance(layer, EncoderLayer)
                features, past[depth] = layer.step(features, past[depth], seen)
            row = self._made(index, features, row)
            made.append(row)
        return tuple(made)

    def _made(self, index: int, features: Tensor, row: Tensor) -> Tensor:
        """The layer of a row, from what the block puts out there and what entered it."""
        leave = self.leave[index] if isinstance(self.leave, nn.ModuleList) else self.leave
        made: Tensor = leave(self.norm(features))
        return made + row if self.spec.skip else made


class LayerHeads(nn.Module):
    """The baseline: a small Transformer and one linear head for every layer, which see nothing of each other.

    Args:
        spec: the shape.

    Source: Chang, Yang and Lee, DistilHuBERT, ICASSP 2022, on prediction heads.
    """

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        self.spec = spec
        width = spec.inside.width
        self.into = nn.Sequential(nn.LayerNorm(spec.places), nn.Linear(spec.places, width))
        self.dropout = nn.Dropout(spec.dropout)
        self.block = nn.ModuleList(EncoderLayer(spec.inside, spec.manner) for _ in range(spec.inside.layers))
        self.norm = nn.LayerNorm(width)
        self.heads = nn.ModuleList(nn.Linear(width, spec.places) for _ in spec.wanted)
        if spec.skip:
            begin_at_nothing(self.heads)

    def forward(self, first: Tensor, mask: Tensor | None = None, guide: Sequence[Tensor] | None = None) -> Layers:
        """See `LayerGenerator.forward`; there is no history that a guide could replace."""
        features = self.dropout(self.into(first))
        for layer in self.block:
            features = layer(features, mask)
        features = self.norm(features)
        made = tuple(head(features) for head in self.heads)
        return tuple(each + first for each in made) if self.spec.skip else made


def begin_at_nothing(projections: nn.Module) -> None:
    """Let them put out zeros at first: a layer begins as the one its skip comes from, which learns faster."""
    for each in projections.modules():
        if isinstance(each, nn.Linear):
            nn.init.zeros_(each.weight)
            nn.init.zeros_(each.bias)


def maker(spec: GeneratorSpec) -> LayerGenerator | LayerHeads:
    """What makes layers of this shape."""
    return LayerGenerator(spec) if spec.family == "generated" else LayerHeads(spec)


def chosen(layers: Sequence[Tensor], spec: GeneratorSpec) -> Layers:
    """Those of all of a teacher's layers that are made.

    Raises:
        ValueError: it has too few of them.
    """
    if len(layers) < spec.wanted[-1]:
        raise ValueError(f"a teacher must have layer {spec.wanted[-1]} to be followed there, got {len(layers)} layers")
    return tuple(layers[number - 1] for number in spec.wanted)
