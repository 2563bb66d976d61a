"""NGram: a language of counts, which predicts a token from the few before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from semcom.languages.counting import count_ngrams
from semcom.languages.language import BOUNDARY
from semcom.languages.lookup import Lookup, State
from semcom.languages.ngram_file import About, read_ngrams, write_ngrams
from semcom.languages.ngram_spec import NGramSpec
from semcom.languages.smoothing import Smoothed, smoothed
from semcom.sources.batches import SentenceBatch
from semcom.sources.sentences import Progress


@dataclass(frozen=True, eq=False)
class NGram:
    """Interpolated Kneser-Ney probabilities, each n-gram's worked out beforehand.

    It computes on the CPU. Scores lie where the candidates lie.

    Args:
        about: its order and vocabulary, and what it was counted from.
        levels: the n-grams of one token, of two, and so on to its order.
    """

    about: About
    levels: tuple[Smoothed, ...]

    @property
    def outputs(self) -> int:
        """The vocabulary: how many token numbers there are."""
        return self.about.outputs

    @property
    def order(self) -> int:
        """Length of the longest n-grams [tokens]."""
        return self.about.order

    @property
    def memory(self) -> int:
        """How many last tokens of a beginning matter."""
        return self.order - 1

    @property
    def entries(self) -> int:
        """How many n-grams are kept, of all lengths together."""
        return sum(len(level.log_p) for level in self.levels)

    @property
    def size_bytes(self) -> int:
        """What it takes on disk, but for the header [bytes]; the table of pairs is made anew where it is used."""
        keys = sum(level.keys.nbytes for level in self.levels[1:])
        return keys + sum(level.log_p.nbytes + level.backoff.nbytes for level in self.levels)

    def begin(self, rows: int) -> State:
        """See `Language.begin`."""
        return self._lookup.state(self._lookup.begin(rows))

    def extend(self, state: State, parents: Tensor, tokens: Tensor) -> State:
        """See `Language.extend`."""
        return self._lookup.state(self._lookup.behind(state.last.take(parents.cpu().numpy()), tokens.cpu().numpy()))

    def scores(self, state: State, candidates: Tensor | None = None) -> Tensor:
        """See `Language.scores`."""
        if candidates is None:
            return torch.from_numpy(self._lookup.all_log_p(state))
        return torch.from_numpy(self._lookup.log_p(state, candidates.cpu().numpy())).to(candidates.device)

    def tell(self, batch: SentenceBatch) -> Tensor:
        """See `Language.tell`."""
        tokens, lengths = batch.tokens.cpu().numpy(), batch.lengths.cpu().numpy()
        rows, longest = tokens.shape
        last = [self._lookup.begin(rows)]
        for place in range(longest):
            last.append(self._lookup.behind(last[-1], tokens[:, place]))
        targets = np.concatenate([tokens, tokens[:, :1]], axis=1)
        targets[np.arange(rows), lengths] = BOUNDARY
        real = np.arange(longest + 1) <= lengths[:, None]
        state = self._lookup.state(np.stack(last, axis=1)[real])
        told = np.zeros((rows, longest + 1), dtype=np.float32)
        told[real] = self._lookup.log_p(state, targets[real][:, None])[:, 0]
        return torch.from_numpy(told).to(batch.tokens.device)

    def save(self, path: Path) -> str:
        """Keep it as safetensors; equal ones give equal bytes.

        Returns:
            The digest of the file.
        """
        return write_ngrams(path, self.about, self.levels)

    @staticmethod
    def load(path: Path, *, tokenizer: str | None = None, noted: str | None = None) -> NGram:
        """Open what `save` wrote, believing none of it; numbers are fetched from the disk when they are needed.

        Args:
            tokenizer: digest of the one whose token numbers it must have counted; None takes any.
            noted: the digest that the file had when it was saved; None takes any bytes.

        Raises:
            UserMistake: the file is missing, damaged, not a counted language, or another tokenizer's.
        """
        return NGram(*read_ngrams(path, tokenizer=tokenizer, noted=noted))

    @cached_property
    def _lookup(self) -> Lookup:
        return Lookup(self.outputs, self.levels)


def count(
    sentences: Iterable[Sequence[int]],
    outputs: int,
    spec: NGramSpec,
    progress: Progress | None = None,
    *,
    tokenizer: str | None = None,
) -> NGram:
    """Count a language from encoded sentences, which may stream.

    Args:
        sentences: token numbers, without PAD and BOUNDARY.
        outputs: the vocabulary [tokens].
        tokenizer: digest of the one that encoded them, kept in the file's header.

    Raises:
        UserMistake: the order is too high for the vocabulary, or there is no sentence.
        ValueError: a token number that cannot be in a sentence.
    """
    counts = count_ngrams(sentences, outputs, spec.order, progress)
    about = About(spec.order, outputs, counts.sentences, counts.tokens, tokenizer)
    return NGram(about, smoothed(counts, progress))
