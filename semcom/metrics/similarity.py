"""Sentence similarity: the cosine between what was meant and what arrived, raw and rescaled against random pairs."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, ClassVar

from semcom.metrics.axis import Axis
from semcom.metrics.embedding_model import EmbeddingModel, find_model
from semcom.metrics.metric import Scored, check_pairs
from semcom.metrics.pieces import Pieces, tell_apart
from semcom.mistakes import UserMistake
from semcom.words import LOST, LOST_WORD, visible

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from semcom.metrics.embedder import SentenceEmbedder
    from semcom.metrics.metric import Statistics

    Vector = NDArray[np.float32]
    Embed = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class Similarity:
    """Mean cosine between the embeddings of reference and hypothesis.

        similarity          s = mean of  B(r) . B(h) / (|B(r)| |B(h)|)
        similarity_rescaled     (s - f) / (1 - f),  f = mean cosine of random pairs of references

    The raw value sits in a narrow range: unrelated sentences of one corpus are already some way from 0, so 0.9 may
    mean half of the meaning lost. Rescaled, 0 is what an unrelated sentence of the same corpus would score, and
    worse than that is negative. Shuffled words are barely punished: read it beside BLEU.

    Identical text scores exactly 1 without being embedded. An empty hypothesis is embedded like any other text,
    which gives every model's own vector of "nothing"; it scores low, but not 0.

    The bundled encoder is an English model. A word that an encoder does not know counts as said only if it is the
    reference's own (see `tell_apart`), and a reference of unknown words alone has no similarity to anything. Of a text
    longer than the encoder's limit (256 pieces in the bundled one) only the beginning counts.

    Args:
        model: the sentence encoder.
        rescaled: whether the random pairs' cosine is taken out.

    Source: Xie et al., Deep Learning Enabled Semantic Communication Systems, IEEE Trans. Signal Processing 69, 2021,
    performance metrics; the encoder Reimers and Gurevych, Sentence-BERT, EMNLP 2019; the rescaling after Zhang et
    al., BERTScore, ICLR 2020, section 3, baseline rescaling.
    """

    model: EmbeddingModel = field(default_factory=EmbeddingModel)
    rescaled: bool = False

    scores: ClassVar[Scored] = "sentences"
    options: ClassVar[Mapping[str, str]] = {"similarity": "model"}

    @property
    def name(self) -> str:
        """`similarity` or `similarity_rescaled`."""
        return "similarity_rescaled" if self.rescaled else "similarity"

    @property
    def axis(self) -> Axis:
        """Names the rescaling, since the two are not comparable; rescaled, there is no lowest value."""
        if self.rescaled:
            return Axis("rescaled similarity", "Sentence similarity (0: random pair, 1: same)", least=-math.inf)
        # Unrelated sentences score well above 0 already, so a curve seldom comes near the lower half of the axis.
        return Axis("similarity", "Sentence similarity (cosine)", least=-1.0, zoom_above=0.2)

    @property
    def family(self) -> Hashable:
        """One per sentence encoder."""
        return ("similarity", self.model)

    def statistics(self, references: Sequence[str], hypotheses: Sequence[str]) -> Statistics:
        """One, cosine with the hypothesis, cosine with a random other reference: [sentences, 3].

        The first two depend on the pair alone, to the last digit. The third depends on which references there are
        (see `random_partners`), so hand over a whole test set at once, not batch by batch.

        Raises:
            UserMistake: the sentence encoder is not to be had, knows nothing of a reference, or makes no numbers of it.
        """
        from semcom.metrics.embedder import load_embedder

        check_pairs(references, hypotheses)
        embedder = load_embedder(self.model)
        return cosine_statistics(embedder.vectors, references, _as_read(embedder, references, hypotheses))

    def combine(self, totals: Statistics) -> Statistics:
        """Mean cosine; rescaled, nan where all references are one sentence to the encoder: no random pair exists."""
        import numpy as np

        count = totals[..., 0]
        mean: Statistics = totals[..., 1] / count
        if not self.rescaled:
            return mean
        floor = totals[..., 2] / count
        rescaled: Statistics = np.divide(mean - floor, 1.0 - floor, out=np.full_like(mean, np.nan), where=floor < 1)
        return rescaled

    def provenance(self) -> str:
        """Model, hash of its weights and pooling.

        Raises:
            UserMistake: the sentence encoder is not to be had.
        """
        return find_model(self.model).provenance()


def cosine_statistics(embed: Embed, references: Sequence[str], hypotheses: Sequence[str]) -> Statistics:
    """Statistics of `Similarity` under any embedding of texts into vectors.

    Args:
        embed: from texts to vectors, [texts, width]; called once, with every text it is needed for.
    """
    import numpy as np

    pairs = list(zip(references, hypotheses, strict=True))
    partners = random_partners(references)
    texts = list(dict.fromkeys([*references, *(h for r, h in pairs if h != r)]))
    vectors = dict(zip(texts, embed(texts), strict=True))
    for text, vector in vectors.items():
        if not np.isfinite(vector).all():
            raise UserMistake(
                f"a sentence's vector must hold finite numbers, got others for {visible(text)!r}; name another "
                "encoder in measure.similarity"
            )
    to_partner = {r: cosine(vectors[r], vectors[other]) for r, other in partners.items()}
    rows = [(1.0, 1.0 if r == h else cosine(vectors[r], vectors[h]), to_partner.get(r, math.nan)) for r, h in pairs]
    return np.array(rows, dtype=float)


def check_readable(pieces: Sequence[Pieces]) -> None:
    """Refuse references of which the encoder knows nothing: to it they are all the same sentence.

    Raises:
        UserMistake: there is one.
    """
    unreadable = [each.text for each in pieces if each.is_unreadable]
    if unreadable:
        raise UserMistake(
            f"measure.metrics: similarity must be asked of sentences that the encoder can read, got {len(unreadable)} "
            f"of {len(pieces)} without a word it knows, the first {visible(unreadable[0])!r}; name an encoder of their "
            "language in measure.similarity, leave similarity out, or take such lines out of the text"
        )


def _as_read(embedder: SentenceEmbedder, references: Sequence[str], hypotheses: Sequence[str]) -> list[str]:
    """The hypotheses, in which what is unknown to the encoder or was lost can no longer pass for what was meant."""
    different = list(dict.fromkeys(references))
    known = dict(zip(different, embedder.pieces(different), strict=True))
    check_readable(list(known.values()))
    pairs = list(zip(references, hypotheses, strict=True))
    doubtful = list(dict.fromkeys(h for r, h in pairs if known[r].unknown and h != r))
    read = dict(zip(doubtful, embedder.pieces(doubtful) if doubtful else (), strict=True))
    told = (tell_apart(known[r], read[h]) if h in read and known[r].unknown else h for r, h in pairs)
    return [_without_lost(r, h) if LOST in h else h for (r, _), h in zip(pairs, told, strict=True)]


def _without_lost(reference: str, hypothesis: str) -> str:
    """A lost word is read as the word "unknown", unless that would pass for what was meant."""
    shown, silent = hypothesis.replace(LOST, ""), hypothesis.replace(LOST_WORD, "").replace(LOST, "")
    is_right_but_for_it = silent.split() == reference.split()
    return silent if "unknown" in reference.casefold() and not is_right_but_for_it else shown


def random_partners(references: Sequence[str]) -> dict[str, str]:
    """Another reference for each, by chance yet always the same: empty if there is only one.

    The different references stand in a ring in the order of their hashes, each looking at its neighbor. So everyone
    is looked at once, no one looks at itself, and neither the order of sentences nor their repetition matters.
    Neighbors in the corpus would not do: they share a subject.
    """
    ring = sorted(set(references), key=lambda text: blake2b(text.encode()).digest())
    return {} if len(ring) < 2 else dict(zip(ring, [*ring[1:], ring[0]], strict=True))


def cosine(a: Vector, b: Vector) -> float:
    """Cosine of two vectors, 0 if one of them is zero.

    Products of single-precision numbers are exact in double precision and `fsum` rounds once, so the digits do not
    depend on how a library orders a sum.
    """
    along, own, other = (math.fsum((x.astype(float) * y).tolist()) for x, y in ((a, b), (a, a), (b, b)))
    if not own or not other:
        return 0.0
    return max(-1.0, min(1.0, along / math.sqrt(own * other)))
