"""Work: the builds and runs that a scenario comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from channels import Chance, Link
from semcom.compression.catalog import AnyPruning
from semcom.distillation.language_lesson import LanguageLesson
from semcom.distillation.teaching import Teaching
from semcom.languages.made_up_spec import MadeUpSpec
from semcom.languages.mixture_spec import MixtureSpec
from semcom.languages.ngram_spec import NGramSpec
from semcom.languages.settings import SearchSettings
from semcom.languages.transformer_spec import TransformerSpec
from semcom.making import Making
from semcom.models.spec import Adopted, Spec
from semcom.scenario.plans import MeasurePlan
from semcom.sources.catalog import AnyCorpus
from semcom.tasks.detectors import AS_NOISE, Detector
from semcom.tasks.task import Task
from semcom.training.recipe import Recipe
from semcom.training.settings import TrainingSettings

NOTHING = "nothing learned"
"""How a codec was made that does not learn."""


@dataclass(frozen=True)
class Digests:
    """What the files of one build must be; None where nobody noted it."""

    weights: str | None = None
    tokenizer: str | None = None


@dataclass(frozen=True)
class Adoption:
    """What is taken over, frozen, from another build: a side, an encoder, or all around generated layers."""

    side: Adopted
    donor: str  # identity of the build it comes from


@dataclass(frozen=True)
class Build:
    """How one codec comes to be.

    The messages, `spec`, `settings`, `seed`, the lesson and the starting weights decide the result, so they are its
    identity; the name is only what people call it.
    """

    name: str
    identity: str
    task: Task
    fingerprint: str  # of its messages as the identity counts on them
    spec: Spec  # that it begins in, as planned
    settings: TrainingSettings
    seed: int
    lesson: Teaching | None  # its teachers are identities of builds
    start: str | None  # identity of the build whose weights it begins from
    fresh: bool  # whether of that build it takes the shape alone
    prune: AnyPruning | None  # what is taken away before the training
    adoption: Adoption | None
    is_reshaped: bool  # pruned, or begun from a codec that was: its weights' header alone knows its shape
    needs: tuple[str, ...]  # identities of the builds that must be done first
    draw: int | None = None  # which draw of chance under the seed; None is the first
    digests: Digests = Digests()  # what its files must be; whoever hands the build out knows
    # What both sides count with, and behind it all that it is made from; a receiver's own language is a run's.
    languages: tuple[LanguageBuild, ...] = ()

    @property
    def label(self) -> str:
        """What progress lines call the work."""
        return f"training {self.name}"

    @property
    def chance(self) -> Chance:
        """The chance of its training: weights, batches and air. What it is measured in is the seed's alone."""
        chance = Chance(self.seed)
        return chance if self.draw is None else chance.of("draw", self.draw)

    @property
    def salt(self) -> int | None:
        """The seed whose own share of the messages it learns from; None for the share that all seeds have."""
        return self.seed if self.settings.own_share else None

    @property
    def making(self) -> Making:
        """How it was made, the codecs that it came from by identity: what people call them is the scenario's."""
        return Making(
            methods="+".join(method.kind for method in self.lesson.methods) if self.lesson else "",
            teachers="+".join(self.lesson.teachers) if self.lesson else "",
            adopted=self.adoption.side if self.adoption else "",
            donor=self.adoption.donor if self.adoption else "",
            # Whose shape alone it has says nothing of how it was made.
            start="" if self.fresh or self.start is None else self.start,
            pruned=self.prune.told if self.prune else "",
        )

    def sends_as(self, other: Build) -> bool:
        """Whether its messages are those of another codec, in the same units, whatever the receivers want of them."""
        ours, theirs = ((each.task.carries, each.task.unit, each.fingerprint) for each in (self, other))
        return ours == theirs

    @property
    def lessons(self) -> str:
        """What it learns from, whatever it begins as."""
        return replace(self.making, start="", pruned="").phrase if self.spec.learns else NOTHING

    @property
    def method(self) -> str:
        """What the results table says of how it was made, in a phrase."""
        return self.making.phrase if self.spec.learns else NOTHING

    @property
    def steps(self) -> int:
        """Of its training; what does not learn takes none."""
        return self.settings.steps if self.spec.learns else 0


@dataclass(frozen=True)
class LanguageBuild:
    """How one language comes to be; what decides the result is its identity, as with codecs."""

    name: str
    identity: str
    task: Task  # whose tokenizer cuts the text, and whose training split it is unless there is a corpus
    fingerprint: str  # of its messages
    spec: NGramSpec | TransformerSpec | MixtureSpec | MadeUpSpec
    share: float
    salt: int | None  # the seed whose own share of the sentences it is; None: the share that all seeds have
    corpus: AnyCorpus | None
    recipe: Recipe | None  # of one that is trained
    lesson: LanguageLesson | None  # its teacher is the identity of a language
    seed: int | None  # None where chance has no part in it
    needs: tuple[str, ...] = ()
    made_up: str | None = None  # identity of the text that another language made up for it
    digests: Digests = Digests()

    @property
    def label(self) -> str:
        """What progress lines call the work."""
        if isinstance(self.spec, MadeUpSpec):
            return f"making up {self.name}"
        return f"{'training' if self.recipe else 'counting'} {self.name}"


@dataclass(frozen=True)
class Tuning:
    """How much a language counts beside the signal of one codec: weights fitted on validation sentences."""

    name: str
    identity: str
    task: Task
    fingerprint: str
    codec: Build
    language: LanguageBuild
    search: SearchSettings
    digests: Digests = Digests()

    @property
    def needs(self) -> tuple[str, ...]:
        """The codec and the language."""
        return self.codec.identity, self.language.identity

    @property
    def label(self) -> str:
        """What progress lines call the work."""
        return f"weighing {self.language.name} for {self.codec.name}"


AnyBuild = Build | LanguageBuild | Tuning
"""Whatever is made once and kept under its identity, in a file with a digest."""


@dataclass(frozen=True)
class Run:
    """One codec at one operating point."""

    build: Build
    role: str
    link: Link
    measure: MeasurePlan
    identity: str
    crowd: tuple[Build, ...] | None = None  # what the interferers send through, in turn; None: the run's own codec
    tuning: Tuning | None = None  # of the language that the receiver knows; None: it knows none
    crowd_tunings: tuple[Tuning | None, ...] = ()  # the same of the crowd, where all of a cell are decoded
    detector: Detector = AS_NOISE
    scrambling: bool = False

    @property
    def point(self) -> tuple[int, Link, tuple[str, ...] | None, Detector]:
        """What must agree for two codecs to have met the same air, and the same crowd in it, told apart alike."""
        crowd = None if self.crowd is None else tuple(each.identity for each in self.crowd)
        return self.build.seed, self.link, crowd, self.detector

    @property
    def builds(self) -> tuple[Build, ...]:
        """The codecs that must be there to carry it out."""
        return (self.build, *(self.crowd or ()))

    @property
    def language(self) -> LanguageBuild | None:
        """What the receiver decides with, or both sides count with."""
        if self.tuning:
            return self.tuning.language
        return self.build.languages[0] if self.build.languages else None

    @property
    def needs(self) -> frozenset[str]:
        """Identities of all that must be there to carry it out."""
        tunings = [each for each in (self.tuning, *self.crowd_tunings) if each]
        counted = (each for build in self.builds for each in build.languages)
        made: tuple[AnyBuild, ...] = (*self.builds, *counted, *tunings, *(each.language for each in tunings))
        return frozenset(each.identity for each in made)

    @property
    def users(self) -> tuple[str, ...]:
        """Whom its rows are about: all users of a cell by number, and their sum; else the wanted one, unnamed."""
        if self.measure.users == "wanted":
            return ("",)
        return (*map(str, range(1 + self.link.interferers)), "sum")


@dataclass(frozen=True)
class Surprise:
    """The bits that each test sentence has under a language; counted once and kept under its identity."""

    identity: str
    language: LanguageBuild
    measure: MeasurePlan


@dataclass(frozen=True)
class Sweep:
    """All of a scenario's work: builds with origins first, and runs in the order of the table."""

    builds: tuple[Build, ...]
    runs: tuple[Run, ...]
    languages: tuple[LanguageBuild, ...] = ()
    tunings: tuple[Tuning, ...] = ()
    # By name and seed of a measured codec, where limits are asked for.
    surprises: Mapping[tuple[str, int], Surprise] = field(default_factory=dict)

    @property
    def everything(self) -> tuple[AnyBuild, ...]:
        """All that is made once and kept, origins first."""
        return (*self.builds, *self.languages, *self.tunings)
