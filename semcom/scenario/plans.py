"""What a person types of link and measurement, as pydantic models over the lower floors' own dataclasses."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from channels import Mmse, Neighbors, NoFading, PerfectCsi, PerSentence
from semcom.languages.settings import SearchSettings
from semcom.metrics.bleu import BleuTokenizer
from semcom.metrics.catalog import METRICS, OPTIONS, default_metrics, is_metric
from semcom.metrics.embedding_model import EmbeddingModel
from semcom.scenario.hints import suggestion
from semcom.scenario.plan import Plan, by
from semcom.scenario.variants import (
    CoherencePlan,
    CsiPlan,
    DetectorPlan,
    EqualizerPlan,
    FadingPlan,
    InterferencePlan,
)
from semcom.sources.catalog import AnyCorpus
from semcom.tasks.detectors import AS_NOISE
from semcom.training.settings import MOST_ANTENNAS


class LinkPlan(Plan):
    """The standing conditions of every measurement; the sweep sets SNR and interferers.

    Args:
        fading: how users arrive.
        coherence: how long a gain lasts.
        interference: what the other users send.
        csi: what the receiver knows of the gains.
        equalizer: what the receiver does with the gains before it decodes.
        antennas: antennas of the receiver.
        crowd: the codecs that neighbors send through, in turn; without it all use the wanted user's.
        detector: how the receivers of a cell tell its users apart; others than `noise` need `measure.users: all`.
        scrambling: whether each user turns its symbols by a sequence of its own, which receivers know and undo.
    """

    fading: FadingPlan = NoFading()
    coherence: CoherencePlan = PerSentence()
    interference: InterferencePlan = Neighbors()
    csi: CsiPlan = PerfectCsi()
    equalizer: EqualizerPlan = Mmse()
    antennas: int = Field(default=1, ge=1, le=MOST_ANTENNAS)
    crowd: tuple[str, ...] | None = Field(default=None, min_length=1)
    detector: DetectorPlan = AS_NOISE
    scrambling: bool = False

    @property
    def air(self) -> dict[str, Any]:
        """The fields of a `Link` that stand still."""
        return {name: value for name, value in self if name not in ("crowd", "detector", "scrambling")}


class LimitsPlan(Plan):
    """How far codecs are from what any code could do for the same sentences on the same air.

    Args:
        language: whose bits a sentence has, for codecs that know no language; those that do are held to their own.
        whole: the shares of sentences that are to arrive whole, each between 0 and 1.
        lines: also draw the limits as thin lines in the figure of `exact_match` against SNR.
    """

    language: str | None = None
    whole: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(default=(0.5, 0.9), min_length=1, max_length=16)
    lines: bool = False


class MeasurePlan(Plan):
    """What is measured, on how much, and how surely.

    Args:
        metrics: the scores, by name (`semcom list metrics`).
        sentences: how many test sentences are sent at every operating point [sentences].
        skip: test sentences that are passed over first, to confirm on untouched ones what was found on the others
            [sentences].
        corpus: other text whose test sentences are sent, cut by the scenario's own tokenizer: what becomes of sentences
            unlike all that codecs and languages have read. Without the key the scenario's own text.
        repeats: how often each sentence is sent, each time in new air.
        beam: width of the beam search of autoregressive codecs; 1 is greedy.
        search: how far receivers that know a language look; they have a `beam` of their own there.
        batch: how many sentences are sent at once [sentences].
        resamples: bootstrap resamples behind every interval.
        compare: pairs of codecs whose paired difference is wanted, the second subtracted from the first.
        users: whether the `wanted` user alone is decoded and scored, or `all` users of the cell.
        gap: triples of student, control and teacher: the share of the gap from control to teacher that the student
            closes. Without the key: every pair of `compare` of a taught codec and a control, with the first teacher.
        similarity: the sentence encoder of the similarity metrics.
        confidence: also keep how sure the receiver is of each sentence, for the figure `calibration`: is it right as
            often as it is sure? Of the wanted user, and at the price of a second search.
        limits: also tell at which SNR sentences arrive whole, and how far that is from the limit of any code that knows
            the language: `limits.csv`, a table, and lines on request. Nothing is measured anew for it.
        bleu_tokenize: how BLEU cuts text into words, by sacreBLEU's names; without the key, at white space.
    """

    metrics: tuple[str, ...] = Field(default=default_metrics("sentences"), min_length=1)
    sentences: int = Field(default=500, ge=1)
    skip: int = Field(default=0, ge=0)
    corpus: Annotated[AnyCorpus, by("source")] | None = None
    repeats: int = Field(default=1, ge=1)
    beam: int = Field(default=1, ge=1, le=64)
    search: SearchSettings = SearchSettings()
    batch: int = Field(default=64, ge=1)
    resamples: int = Field(default=1000, ge=100, le=100_000)
    compare: tuple[tuple[str, str], ...] = ()
    users: Literal["wanted", "all"] = "wanted"
    gap: tuple[tuple[str, str, str], ...] | None = None
    similarity: EmbeddingModel = EmbeddingModel()
    confidence: bool = False
    limits: LimitsPlan | None = None
    bleu_tokenize: BleuTokenizer | None = None

    @property
    def options(self) -> dict[str, Any]:
        """What is written, or understood, under the keys that metrics listen to."""
        return {key: getattr(self, key) for key in OPTIONS}

    @field_validator("metrics")
    @classmethod
    def _known(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        names = [metric.name for metric in METRICS]
        for metric in metrics:
            if not is_metric(metric):
                raise ValueError(f"must be among {', '.join(names)}, got '{metric}'{suggestion(metric, names)}")
        if len(set(metrics)) < len(metrics):
            raise ValueError(f"a metric is named twice: {', '.join(metrics)}")
        return metrics
