"""Masked prediction: what is hidden of a spoken word is told from what is not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import torch

from semcom.models.speech_spec import SpeechSpec

if TYPE_CHECKING:
    from channels import Chance
    from semcom.models.spec import Part, Spec
    from semcom.models.trace import Trace
    from semcom.sources.speech import SpeechBatch

MOST_CLUSTERS = 2000


@dataclass(frozen=True)
class MaskedPrediction:
    """No teacher: the encoder of a codec of speech tells the clusters of frames that are hidden from it.

    loss = mean over hidden frames t of  -log softmax( W h_L[t] )[ c_t ],    c_t = argmin_k | e_t - m_k |^2

    e are frames of the log-mel spectrum, m_k the means of clusters of them, h_L the last layer of the encoder, W a
    linear layer that is thrown away afterwards. In every step stretches of each word are hidden by chance: there the
    encoder is given the mean spectrum. The clusters are found by k-means in the first batch, follow the frames of some
    more, each mean going by 1 / (frames that it had so far) of the way, and then stay. No label is looked at, and no
    air: set `label_weight: 0` to train so alone, and name the codec as `start` of one that learns its task.

    Args:
        weight: factor of this loss in the sum of all losses.
        clusters: of frames, from 2 to 2000; fewer where the first batch has fewer frames.
        share: of frames at which a stretch begins that is hidden, above 0 and below 1; stretches may overlap.
        span: frames of a stretch, 20 ms each.
        settle: batches after which the clusters stay.

    Source: Hsu et al., HuBERT, IEEE/ACM TASLP 29, 2021, sections II.A to II.C, its first round, on log-mel frames
    instead of cepstra, without its temperature and without a loss of frames that are not hidden; means that follow
    batches, Sculley, Web-Scale K-Means Clustering, WWW 2010.
    """

    weight: float = 1.0
    clusters: int = 50
    share: float = 0.1
    span: int = 5
    settle: int = 50
    kind: Literal["masked_prediction"] = "masked_prediction"

    needs_teacher: ClassVar[bool] = False
    vanishes: ClassVar[bool] = False
    ways: ClassVar[tuple[str, ...]] = ()
    codec: ClassVar[str] = SpeechSpec.kind

    def __post_init__(self) -> None:
        if not 2 <= self.clusters <= MOST_CLUSTERS:
            raise ValueError(f"clusters must be from 2 to {MOST_CLUSTERS:,}, got {self.clusters}")
        if not 0 < self.share < 1:
            raise ValueError(f"share must be above 0 and below 1, got {self.share}")
        if self.span < 1 or self.settle < 1:
            raise ValueError(f"span and settle must be at least 1, got {self.span} and {self.settle}")

    @property
    def sees(self) -> frozenset[Part]:
        """The layers of the encoder."""
        return frozenset({"sent"})

    def hide(self, batch: SpeechBatch, spec: Spec, chance: Chance) -> SpeechBatch:
        """The batch with stretches hidden, in frames of this codec."""
        assert isinstance(spec, SpeechSpec), "as `codec` says"
        frames = -(-batch.longest // spec.hop)
        begins = torch.rand(len(batch), frames, generator=chance.generator()) < self.share
        hidden = begins.clone()
        for step in range(1, min(self.span, frames)):
            hidden[:, step:] |= begins[:, :-step]
        return replace(batch, hidden=hidden.to(batch.labels.device))

    def adapters(self, student: Spec, teacher: int) -> torch.nn.Module:
        """The layer that tells clusters, and the clusters themselves."""
        from semcom.distillation.frame_clusters import FrameClusters

        assert isinstance(student, SpeechSpec), "as `codec` says"
        return torch.nn.ModuleDict(
            {
                "tell": torch.nn.Sequential(
                    torch.nn.LayerNorm(student.width), torch.nn.Linear(student.width, self.clusters)
                ),
                "clusters": FrameClusters(self.clusters, student.mels, settle=self.settle),
            }
        )

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class; the student's trip is one with stretches hidden, and there is no teacher's to look at."""
        from semcom.models.trace import masked_mean

        assert isinstance(adapters, torch.nn.ModuleDict)
        sent = student.sent
        assert sent.spectrum is not None and sent.places is not None and sent.hidden is not None
        wanted = adapters["clusters"](sent.spectrum, sent.places)
        said = adapters["tell"](sent.layers[-1])
        losses = torch.nn.functional.cross_entropy(said.mT, wanted, reduction="none")
        counted = sent.hidden & sent.places
        # Chance may hide nothing of a small batch.
        return masked_mean(losses, counted) if counted.any() else 0 * losses.sum()
