"""Text: sentences are sent, and the receiver wants them back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from semcom.baselines.separate_spec import SEPARATE_SIZES
from semcom.identity import identity
from semcom.metrics.metric import Scored
from semcom.models.codebook_spec import CODEBOOK_SIZES
from semcom.models.generative_spec import GENERATIVE_SIZES
from semcom.models.sizes import SIZES
from semcom.models.spec import Carries, Spec
from semcom.sources.docstrings import Docstrings
from semcom.sources.textfile import TextFile
from semcom.sources.tokenizer import BytePairs
from semcom.tasks.task import Counts, Progress

if TYPE_CHECKING:
    from semcom.sources.catalog import AnyCorpus, AnyTokenizer
    from semcom.tasks.text_data import TextData


@dataclass(frozen=True)
class Text:
    """Sentences of a corpus, cut into tokens. In a scenario `corpus` and `tokenizer` are keys of their own.

    Args:
        corpus: where the sentences come from.
        tokenizer: how sentences become tokens; learned from the training sentences alone.
    """

    corpus: AnyCorpus = Docstrings()
    tokenizer: AnyTokenizer = BytePairs()
    kind: Literal["text"] = "text"

    carries: ClassVar[Carries] = "sentences"
    scores: ClassVar[Scored] = "sentences"
    unit: ClassVar[str] = "token"
    usual_units: ClassVar[int] = 22
    message: ClassVar[str] = "sentence"
    codec: ClassVar[str] = "semantic"
    sizes: ClassVar[Mapping[str, Spec]] = {**SIZES, **CODEBOOK_SIZES, **SEPARATE_SIZES, **GENERATIVE_SIZES}
    usual_size: ClassVar[str] = "teacher"
    defaults: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def usually(cls, typed: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The same whatever is typed."""
        return cls.codec, cls.defaults

    @property
    def source_name(self) -> str:
        """Of the corpus."""
        return self.corpus.source

    @property
    def is_at_hand(self) -> bool:
        """A file of one's own is quick to read."""
        return isinstance(self.corpus, TextFile)

    def fitted(self, spec: Any) -> Any:
        """Any shape suits any text."""
        return spec

    def fingerprint(self) -> str:
        """Of the corpus."""
        return self.corpus.fingerprint()

    def facts(self, fingerprint: str) -> dict[str, Any]:
        """The corpus and the tokenizer; without the name of the task, for text was here before there were others."""
        return {"corpus": fingerprint, "tokenizer": self.tokenizer}

    def exam_facts(self, fingerprint: str) -> dict[str, Any]:
        """The corpus."""
        return {"corpus": fingerprint}

    def kept_files(self, kept: Path, fingerprint: str) -> tuple[Path, ...]:
        """The tokenizer that was trained on the corpus."""
        return (kept / f"{identity(corpus=fingerprint, tokenizer=self.tokenizer)}.json",)

    def count(self, progress: Progress | None = None) -> Counts:
        """Read and clean the corpus, once, and let it go again: whoever trains reads it from the cache."""
        text = self.corpus.load(progress)
        account = f"{self.corpus.source}: {text.account}" if text.account else ""
        return Counts(len(text.train), len(text.validation), len(text.test), account)

    def load(self, kept: Path, fingerprint: str, *, noted: str | None = None) -> TextData:
        """See `Task.load`.

        Raises:
            UserMistake: the tokenizer is not the one that was noted.
        """
        from semcom.tasks.text_data import load_text

        data = load_text(self.corpus, self.tokenizer, self.kept_files(kept, fingerprint)[0], fingerprint)
        data.check_tokenizer(noted)
        return data
