"""Components: each of the codec's four parts puts out what the teacher's puts out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from semcom.distillation.features import turn
from semcom.distillation.method import check_shares
from semcom.distillation.symbols import squared_distance
from semcom.models.semantic_spec import SemanticSpec

if TYPE_CHECKING:
    from semcom.models.spec import Part, Spec
    from semcom.models.trace import Trace

# The three parts whose output has a width of its own; the channel encoder's are symbols.
FEATURES = ("semantic_encoder", "channel_decoder", "semantic_decoder")


@dataclass(frozen=True)
class Components:
    """Weighted distances between the outputs of equal parts of two codecs, per real token.

    loss = w_1 turn(P_1 h_1, g_1) + w_2 (1/S) sum_i |x_s,i - x_t,i|^2 + w_3 turn(P_3 h_3, g_3) + w_4 turn(P_4 h_4, g_4)

    in the order of the fields: semantic encoder (last layer), channel encoder (symbols on the air, S a token),
    channel decoder, semantic decoder (last layer). turn(a, b) = | a/|a| - b/|b| |^2. Every term is 0 for equal and
    2 for unrelated outputs, so the four weights speak of one scale. P is a learned linear layer where the widths
    differ and nothing where they agree: then the student takes over the teacher's very coordinates.

    Args:
        weight: factor of this loss in the sum of all losses.
        semantic_encoder: weight of the semantic encoder's last layer, w_1; 0 leaves the part out.
        channel_encoder: weight of the symbols sent, w_2; 0 leaves the part out.
        channel_decoder: weight of the channel decoder's output, w_3; 0 leaves the part out.
        semantic_decoder: weight of the semantic decoder's last layer, w_4; 0 leaves the part out.

    Source: our reconstruction of component transfer in Liu, Zhou, Chen and Yang, Knowledge Distillation-Based
    Semantic Communications for Multiple Users, IEEE Transactions on Wireless Communications 23(7), 2024. Third parties
    report that components transfer beside outputs, by a Kullback-Leibler divergence, and name the four; we found no
    equations. The normalized distance is ours.
    """

    weight: float = 1.0
    semantic_encoder: float = 1.0
    channel_encoder: float = 1.0
    channel_decoder: float = 1.0
    semantic_decoder: float = 1.0
    kind: Literal["components"] = "components"

    codec = SemanticSpec.kind

    def __post_init__(self) -> None:
        shares = (self.semantic_encoder, self.channel_encoder, self.channel_decoder, self.semantic_decoder)
        check_shares("the components' weights", *shares)

    @property
    def sees(self) -> frozenset[Part]:
        """The sides of the link whose parts have a weight."""
        sending: set[Part] = {"sent"} if self.semantic_encoder or self.channel_encoder else set()
        hearing: set[Part] = {"heard"} if self.channel_decoder or self.semantic_decoder else set()
        return frozenset(sending | hearing)

    def adapters(self, student: Spec, teacher: Spec) -> torch.nn.Module:
        """A projection for every part that counts and has another width.

        Raises:
            ValueError: the channel encoders count and send different numbers of symbols a token.
        """
        if self.channel_encoder and student.symbols_per_unit != teacher.symbols_per_unit:
            raise ValueError(
                f"method components needs a student with the teacher's {teacher.symbols_per_unit} symbols a token, "
                f"got {student.symbols_per_unit}; or set channel_encoder: 0"
            )
        projections: dict[str, torch.nn.Module] = {}
        for part in FEATURES:
            side = "transmitter" if part == "semantic_encoder" else "receiver"
            ours, theirs = getattr(student, side).width, getattr(teacher, side).width
            if getattr(self, part):
                projections[part] = torch.nn.Linear(ours, theirs) if ours != theirs else torch.nn.Identity()
        return torch.nn.ModuleDict(projections)

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        from semcom.models.trace import masked_mean

        assert isinstance(adapters, torch.nn.ModuleDict)
        gaps = []
        for part, project in adapters.items():
            gaps.append(getattr(self, part) * turn(project(output_of(student, part)), output_of(teacher, part)))
        if self.channel_encoder:
            gap = squared_distance(student.sent.symbols, teacher.sent.symbols, student.mask)
            gaps.append(self.channel_encoder * gap)
        return masked_mean(torch.stack(gaps).sum(dim=0), student.mask)


def output_of(trace: Trace, part: str) -> torch.Tensor:
    """What a part put out, [batch, length, width]."""
    if part == "channel_decoder":
        return trace.heard.features
    return (trace.sent if part == "semantic_encoder" else trace.heard).layers[-1]
