"""Reader: a language at the receiver, and how much it counts beside the signal there."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from channels import Arrived
from semcom.languages.language import Language
from semcom.languages.search import Found, search
from semcom.languages.settings import SearchSettings, Weights
from semcom.models.codec import Codec
from semcom.sources.batch import Batch
from semcom.sources.batches import SentenceBatch


@dataclass(frozen=True, eq=False)
class Reader:
    """What turns a codec's receiver into one that knows a language.

    Args:
        unigram: log-probability of every token number in the text that the receiver was trained on [vocabulary].
        weights: of signal and language, as they were fitted for this receiver on validation sentences.
        settings: of the search.
    """

    language: Language
    unigram: Tensor
    weights: Weights
    settings: SearchSettings

    def decide(self, codec: Codec, arrived: Arrived, batch: Batch) -> Tensor:
        """The tokens [batch, longest] that signal and language find likeliest."""
        return self.found(codec, arrived, batch, confidence=False).tokens

    def found(self, codec: Codec, arrived: Arrived, batch: Batch, *, confidence: bool = True) -> Found:
        """The same with scores and, if asked for, how sure the search is of each token."""
        assert isinstance(batch, SentenceBatch)
        return search(
            codec.listen(arrived, batch),
            batch,
            language=self.language,
            unigram=self.unigram,
            weights=self.weights,
            settings=self.settings,
            confidence=confidence,
        )
