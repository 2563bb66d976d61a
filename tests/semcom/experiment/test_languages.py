"""Languages of a run: made once, weighed, told in every row, made again where damaged; and what they never read."""

from __future__ import annotations

from semcom.experiment.build import data_of, exam_of
from semcom.experiment.language import load_language, sentences_of, text_of
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.sources.textfile import TextFile
from semcom.store.folder import RunFolder
from semcom.store.results import read_csv
from semcom.store.store import Store

CHANGES = (
    "languages={counts: {kind: ngram, order: 3}, taught: {kind: transformer, size: tiny, share: 0.5, own_share: true, "
    "training: {steps: 3, warmup: 1, batch: 8}, made_up: {by: counts, sentences: 40}, distill: {teacher: counts}}, "
    "both: {kind: mixture, of: [counts, taught]}}",
    "codecs.plain.language=counts",
    "codecs.small.language=both",
    "sweep.codec=[big, small, plain]",
    "sweep.snr_db=[6]",
    "sweep.interferers=0",
    "training.steps=3",
    "measure.search.beam=4",
)


def test_a_run_with_languages_ends_with_a_table_and_finds_nothing_left_to_do(carry_out, tmp_path) -> None:
    out = tmp_path / "out"
    first = carry_out(out, *CHANGES)
    assert first.failures == 0, first.said
    rows = [row for row in read_csv(out / "results.csv") if row.metric == "bleu_1" and row.kind == "value"]
    assert {row.codec: (row.language, row.beam) for row in rows} == {
        "big": ("", None), "small": ("both", 4), "plain": ("counts", 4),
    }  # fmt: skip
    assert {row.status for row in rows} == {"done"}
    table = (out / "results.csv").read_bytes()
    again = carry_out(out, *CHANGES)
    assert "0 of 3 codecs to train, 0 of 4 languages to make, 0 of 3 points to measure" in again.said
    assert (out / "results.csv").read_bytes() == table


def test_a_damaged_language_is_made_again_where_it_is_wanted(carry_out, tiny_yaml, tmp_path) -> None:
    out = tmp_path / "out"
    carry_out(out, *CHANGES)
    counts = next(each for each in expand(load_scenario(tiny_yaml, CHANGES)[0]).languages if each.name == "counts")
    weights = RunFolder(out).weights(counts.identity)
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    said = carry_out(out, *CHANGES).said
    assert "counts is made again" in said
    assert weights.read_bytes() == whole


def test_other_text_may_be_what_is_sent(carry_out, tiny_yaml, tmp_path, made_up) -> None:
    other, out = tmp_path / "other.txt", tmp_path / "out"
    other.write_text("\n".join(" ".join(reversed(each.split())) + " or so" for each in made_up(400)))
    changes = ("sweep.codec=[plain]", "sweep.snr_db=[6]", "sweep.interferers=0", "training.steps=3")
    carry_out(out, *changes, f"measure.corpus={{source: file, path: {other}}}")
    carry_out(out, *changes)
    rows = [row for row in read_csv(out / "results.csv") if row.metric == "bleu_1" and row.kind == "value"]
    assert len(rows) == 1, "the table is of what the scenario asks for now"
    with Store(RunFolder(out).store_file, reading=True) as store:
        runs = store.runs().values()
        assert len(store.builds()) == 1 and len(runs) == 2, "one codec, measured on two texts"
    sweep = expand(load_scenario(tiny_yaml, changes)[0])
    sent = exam_of(data_of(sweep.builds[0], out), 20, 8, skip=0, foreign=TextFile(str(other)))
    assert len(sent.messages) == 20 and all(each.endswith("or so") for each in sent.messages)


def test_a_language_and_its_weighing_never_read_the_test_split(carry_out, tiny_yaml, tmp_path, monkeypatch) -> None:
    """Not a test sentence is in the text of a language, its own or another corpus; and tuning asks for no exam."""
    from semcom.tasks.text_data import TextData

    out = tmp_path / "out"
    carry_out(out, *CHANGES)
    scenario = load_scenario(tiny_yaml, CHANGES)[0]
    corpus = scenario.corpus
    for change in ((), (f"languages.counts.corpus={{source: file, path: {corpus.path}}}",)):
        sweep = expand(load_scenario(tiny_yaml, (*CHANGES, *change))[0])
        for language in sweep.languages:
            if language.spec.kind not in ("mixture", "made_up"):
                data = text_of(language, out)
                read = set(sentences_of(language, data))
                assert read and not read & {*data.corpus.validation, *data.corpus.test}
    monkeypatch.setattr(
        TextData, "exam", lambda *_, **__: (_ for _ in ()).throw(AssertionError("the exam was asked for"))
    )
    from semcom.experiment.tuning import carry_out_tuning

    sweep = expand(scenario)
    known = {each.identity: each for each in sweep.languages}
    record = carry_out_tuning(sweep.tunings[0], known, out)
    assert 0 <= record["error"] <= record["error_alone"] <= 1
    assert load_language(sweep.tunings[0].language, known, out).outputs > 0
