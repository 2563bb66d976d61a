"""SentenceEmbedder: texts to vectors that never depend on what else is embedded beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from semcom.metrics.embedding_model import EmbeddingModel, find_model
from semcom.metrics.pieces import Pieces, cut
from semcom.mistakes import UserMistake

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

# Rows of every batch. On one core 8 gives five sixths of the speed of a large batch, and a set of few texts of many
# lengths is not drowned in filled-up rows.
ROWS = 8


class SentenceEmbedder:
    """A loaded sentence encoder with a memory of what it has embedded.

    A vector is a function of its text alone, to the last bit, on one machine and thread count: texts share a batch
    only with texts of the same number of tokens, so that nothing is padded, and every batch is filled up to the same
    number of rows, so that each matrix product has a shape that the text's own length decides. Padding moves the
    seventh digit, and a batch of another size may, so that a resumed run would no longer repeat an uninterrupted one.

    Texts longer than the model's limit (256 tokens in the bundled one) are cut there. Runs on the CPU, on however
    many threads torch was told to use; one is best.

    Args:
        model: which encoder, and where it comes from.
        remember: texts whose vectors are kept, those used last; each takes 4 bytes a feature.

    Raises:
        UserMistake: the model cannot be had or cannot be read. Nothing is put in its place.
    """

    def __init__(self, model: EmbeddingModel | None = None, *, remember: int = 50_000) -> None:
        model = model or EmbeddingModel()
        self._files = find_model(model)
        self._pooling = model.pooling
        self._remember = remember
        self._known: dict[str, Vectors] = {}
        self._encoder = _load(str(self._files.folder), model.model)

    def provenance(self) -> str:
        """Model, hash of its weights and pooling, to be kept beside every score it made."""
        return self._files.provenance()

    @property
    def longest(self) -> int:
        """How many pieces of a text are read, the marks at both ends left out."""
        longest: int = self._encoder.max_seq_length - self._encoder.tokenizer.num_special_tokens_to_add()
        return longest

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """What the encoder reads of each text."""
        return cut(self._encoder.tokenizer, texts)

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """One vector per text, [texts, width]. Each different text is embedded once, the empty one like any other."""
        import numpy as np

        wanted = dict.fromkeys(texts)
        fresh = self._embed([text for text in wanted if text not in self._known])
        found = {text: fresh[text] if text in fresh else self._known.pop(text) for text in wanted}
        # A dict keeps the order of insertion: what is asked for again moves to the end and is forgotten last.
        self._known.update(found)
        for text in list(self._known)[: max(0, len(self._known) - self._remember)]:
            del self._known[text]
        return np.stack([found[text] for text in texts])

    def _embed(self, texts: list[str]) -> dict[str, Vectors]:
        """Vectors of different texts, in batches of like length and fixed size."""
        alike: defaultdict[int, list[str]] = defaultdict(list)
        for text, tokens in zip(texts, self._token_counts(texts), strict=True):
            alike[tokens].append(text)
        vectors: dict[str, Vectors] = {}
        for group in alike.values():
            for start in range(0, len(group), ROWS):
                batch = group[start : start + ROWS]
                filled = batch + batch[:1] * (ROWS - len(batch))
                vectors.update(zip(batch, self._encode(filled), strict=False))
        return vectors

    def _token_counts(self, texts: list[str]) -> list[int]:
        if not texts:
            return []
        tokens = self._encoder.tokenizer(texts, truncation=True, max_length=self._encoder.max_seq_length)
        return [len(each) for each in tokens["input_ids"]]

    def _encode(self, batch: list[str]) -> list[Vectors]:
        if self._pooling == "own":
            # Copies, for a remembered row of a batch would keep the whole batch in memory.
            return [row.copy() for row in self._encoder.encode(batch, batch_size=ROWS, show_progress_bar=False)]
        tokens = self._encoder.encode(
            batch, batch_size=ROWS, show_progress_bar=False, output_value="token_embeddings", convert_to_numpy=False
        )
        return [_pooled(each.cpu().numpy(), self._pooling) for each in tokens]


@lru_cache(maxsize=2)
def load_embedder(model: EmbeddingModel) -> SentenceEmbedder:
    """The process's one embedder for a model: loading takes seconds, and its memory is worth sharing.

    Sharing changes no result, since no vector depends on what was embedded before it.

    Raises:
        UserMistake: the model cannot be had or cannot be read.
    """
    return SentenceEmbedder(model)


def _load(folder: str, model: str) -> Any:
    """The encoder in `folder`, from local files only and without foreign code."""
    from sentence_transformers import SentenceTransformer

    try:
        with _no_loading_bar():
            return SentenceTransformer(
                folder,
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserMistake(
            f"the embedding model must be one that sentence-transformers can read, got {model} ({reason}); "
            "fetch it again, or use `bundled`"
        ) from error


@contextmanager
def _no_loading_bar() -> Iterator[None]:
    """Keep transformers from drawing a progress bar for a quarter of a second of work."""
    from transformers.utils import logging

    drawn = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if drawn:
            logging.enable_progress_bar()


def _pooled(tokens: Vectors, pooling: str) -> Vectors:
    """One vector from the vectors of a sentence's tokens, [tokens, width]."""
    pooled: Vectors = {"mean": tokens.mean(axis=0), "cls": tokens[0], "max": tokens.max(axis=0)}[pooling]
    return pooled
