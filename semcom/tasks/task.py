"""Task: what every kind of message and question about it promises, and the data it puts into batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from semcom.metrics.metric import Scored
from semcom.models.spec import Carries, Spec

if TYPE_CHECKING:
    from channels import Chance
    from semcom.sources.batch import Batch

# Called as progress(what, done, total); a total of 0 means that it is not known.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Counts:
    """How many messages there are in each split.

    Args:
        account: how they were chosen, in one line for people; empty if there is nothing to tell.
    """

    training: int
    validation: int
    test: int
    account: str = ""


class Task(Protocol):
    """What is sent and what the receiver wants: a frozen dataclass whose fields are its YAML.

    Its file stays free of torch, so that checking a scenario is quick; what needs torch is behind `load`.
    """

    @property
    def kind(self) -> str:
        """Its name in a scenario and in tables."""

    carries: ClassVar[Carries]
    """Which messages its codecs carry."""
    message: ClassVar[str]
    """What one message is called: a sentence, a frame."""
    sizes: ClassVar[Mapping[str, Spec]]
    """Named shapes of its codecs, of one kind or of several; the first of a kind is that kind's usual one, but for the
    kind of `usual_size`."""
    usual_size: ClassVar[str]
    """The one of a codec that a scenario gives no size."""
    codec: ClassVar[str]
    """The kind of a codec that a scenario gives neither a kind nor a size."""
    defaults: ClassVar[Mapping[str, Any]]
    """What keys of a scenario mean for this task where they are left out, in the form in which they are typed."""

    @property
    def scores(self) -> Scored:
        """What its receivers say, and metrics score."""

    @property
    def unit(self) -> str:
        """What of a message takes symbols on the air: a token, or a frame."""

    @property
    def usual_units(self) -> int:
        """Of a message, to guess how long work takes."""

    @classmethod
    def usually(cls, typed: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """`codec` and `defaults` as they are for a task of which these keys are typed."""

    @property
    def source_name(self) -> str:
        """Where the messages come from, in a word for the progress bar."""

    @property
    def is_at_hand(self) -> bool:
        """Whether its messages can be counted at once, without obtaining anything first."""

    def fitted(self, spec: Any) -> Any:
        """The shape of a codec, adjusted to these messages."""

    def fingerprint(self) -> str:
        """A short hash of everything that can change the messages; cheap."""

    def facts(self, fingerprint: str) -> dict[str, Any]:
        """What of it enters the identity of a trained codec."""

    def exam_facts(self, fingerprint: str) -> dict[str, Any]:
        """What of it enters the identity of a measurement, beside the codec's."""

    def kept_files(self, kept: Path, fingerprint: str) -> tuple[Path, ...]:
        """The files that a run folder keeps of it, whether they are there yet or not."""

    def count(self, progress: Progress | None = None) -> Counts:
        """Obtain the messages, which may take minutes the first time, and count them."""

    def load(self, kept: Path, fingerprint: str, *, noted: str | None = None) -> Data:
        """The messages, as the fingerprint says; nothing is read before it is asked for.

        Args:
            kept: the folder of a run's own files of it.
            noted: the digest that its kept file must have; None where nobody noted one.
        """


class Batches(Protocol):
    """Training batches by step number; the same number gives the same batch."""

    def at(self, step: int) -> Batch: ...


@dataclass(frozen=True, eq=False)
class Exam:
    """The test messages that a measurement is made on, and the batches they travel in.

    Args:
        messages: what a metric compares with what arrives.
        units: really sent, of all messages.
        words: of all messages; None where there are none to count.
    """

    messages: Sequence[Any]
    batches: Sequence[Batch]
    units: int
    words: int | None = None


class Data(Protocol):
    """The messages of a task, ready for training and measuring."""

    @property
    def outputs(self) -> int:
        """How many answers there are for a unit: token numbers, or classes."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their numbers, where the receiver tells classes; else none."""

    @property
    def training_messages(self) -> int:
        """How many messages the training split has."""

    def training(self, *, batch: int, share: float, chance: Chance, neighbors: int, salt: int | None = None) -> Batches:
        """Training batches, from a share of the training split.

        Args:
            batch: messages of each.
            neighbors: interferers that must find messages in every batch.

        Raises:
            UserMistake: some batch has too few messages for them.
        """

    def validation(self, size: int) -> Sequence[Batch]:
        """A fixed sample of the validation split."""

    def exam(self, count: int, size: int, *, skip: int = 0) -> Exam:
        """The first `count` test messages behind those skipped, or all of them if there are fewer."""

    def read(self, answers: list[Any]) -> list[Any]:
        """What arrived, as a metric takes it: sentences of token numbers, what else there is as it is."""
