"""Languages in a scenario: what is refused, what is warned of, and what identities count on."""

from pathlib import Path

import pytest

from semcom.mistakes import UserMistake
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.scenario.unused_keys import unused_keys

TEXT = """# Does a language help?
name: spoken
corpus: {source: docstrings}
codecs:
  alone: {size: tiny}
  reading: {size: tiny, language: counts}
languages:
  counts: {kind: ngram, order: 3}
  taught:
    kind: transformer
    size: tiny
    share: 0.5
    own_share: true
    made_up: {by: counts, sentences: 40}
    distill: {teacher: counts}
  both: {kind: mixture, of: [counts, taught]}
training: {steps: 2, warmup: 1}
sweep: {codec: [alone, reading], seed: [1, 2], snr_db: [6]}
measure: {sentences: 4}
"""


def scenario_of(tmp_path: Path, *changes: str):
    path = tmp_path / "spoken.yaml"
    path.write_text(TEXT)
    return load_scenario(path, changes)[0]


def test_codecs_that_differ_in_their_language_alone_are_one_build(tmp_path: Path) -> None:
    sweep = expand(scenario_of(tmp_path), fingerprint="f")
    assert len(sweep.builds) == 2, "one for each seed"
    assert len(sweep.languages) == 1, "counts are the same under every seed"
    assert len(sweep.tunings) == 2
    alone, reading = (next(run for run in sweep.runs if run.build.name == name) for name in ("alone", "reading"))
    assert alone.build.identity == reading.build.identity and alone.identity != reading.identity
    assert alone.tuning is None and reading.needs == {
        reading.build.identity, reading.tuning.identity, reading.tuning.language.identity
    }  # fmt: skip


def test_what_a_language_is_made_from_comes_first_and_each_seed_has_its_own(tmp_path: Path) -> None:
    sweep = expand(scenario_of(tmp_path, "codecs.reading.language=both"), fingerprint="f")
    names = [each.name for each in sweep.languages]
    assert sorted(names) == ["both", "both", "counts", "counts's 40 sentences", "taught", "taught"]
    known = set()
    for each in sweep.languages:
        assert set(each.needs) <= known
        known.add(each.identity)
    assert {each.salt for each in sweep.languages if each.name == "taught"} == {1, 2}
    fixed = expand(
        scenario_of(tmp_path, "codecs.reading.language=taught", "languages.taught.seed=7"), fingerprint="f"
    ).languages
    assert [each.name for each in fixed] == ["counts", "counts's 40 sentences", "taught"]


def test_a_codec_may_look_further_than_the_others(tmp_path: Path) -> None:
    changes = ("codecs.far={size: tiny, language: counts, search: {beam: 64}}", "sweep.codec=[reading, far]")
    runs = expand(scenario_of(tmp_path, *changes), fingerprint="f").runs
    assert {run.build.name: run.tuning.search.beam for run in runs if run.tuning} == {"reading": 16, "far": 64}
    assert len({run.tuning.identity for run in runs}) == 4, "weights are fitted for each search"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("codecs.alone.search={beam: 2}", "search must be of a receiver that knows a language"),
        ("codecs.reading.language=cuonts", "none of the languages: counts, taught, both; did you mean 'counts'"),
        ("languages.both.of=[counts, both]", "languages.both is made from itself: both <- both"),
        ("languages.taught.made_up.by=nobody", "languages.taught.made_up.by names 'nobody', none of the languages"),
        ("languages.taught.made_up.sentences=0", "sentences must be from 1 to"),
        ("languages.both.of=[counts, nobody]", "names 'nobody', none of the languages"),
        ("languages.taught.size=huge", "must be one of tiny, small, base, large, teacher, got 'huge'"),
        ("languages.counts.order=7", "must be at most 6, got 7"),
        ("languages.taught.distill.methods=[hidden_hints]", "must look at logits alone to teach a language"),
        ("languages.taught.distill={teacher: counts, methods: []}", "methods must name one at least"),
        ("measure.search.beam=0", "beam must be from 1 to 1024, got 0"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(UserMistake) as told:
        scenario_of(tmp_path, change)
    assert message in str(told.value)


def test_a_language_that_nobody_knows_is_told(tmp_path: Path) -> None:
    said = unused_keys(scenario_of(tmp_path))
    assert [each.partition(" has")[0] for each in said if each.startswith("languages.")] == [
        "languages.taught",
        "languages.both",
    ]
    assert not any("measure.search" in each for each in said)
    without = unused_keys(scenario_of(tmp_path, "sweep.codec=[alone]", "measure.search.beam=4"))
    assert any(each.startswith("measure.search has no effect") for each in without)


def test_how_far_a_search_looks_changes_the_runs_of_receivers_that_know_a_language(tmp_path: Path) -> None:
    before, after = (
        expand(scenario_of(tmp_path, *change), fingerprint="f") for change in ((), ("measure.search.beam=3",))
    )
    assert [each.identity for each in before.builds] == [each.identity for each in after.builds]
    for one, other in zip(before.runs, after.runs, strict=True):
        assert (one.identity == other.identity) == (one.build.name == "alone")
