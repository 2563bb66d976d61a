"""send: one sentence beside others, the same air for every codec, and nobody sends to himself."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from semcom.experiment import sending as module
from semcom.experiment.sample import SENTENCES, read_sample
from semcom.experiment.sending import send_sentence
from semcom.files import digest_of
from semcom.mistakes import UserMistake
from semcom.scenario.load import load_scenario
from semcom.sources.catalog import CORPORA
from semcom.store.folder import RunFolder
from semcom.store.store import Store
from semcom.tasks.text_data import load_text

SAID = "The cat sees a quiet garden, today."


def send(folder: Path, sentence: str = SAID, **changes: object) -> Table:
    options: dict[str, object] = {"snr_db": 6.0, "interferers": 1, "repeats": 2, "seed": 0}
    return send_sentence(folder, sentence, **{**options, **changes})  # type: ignore[arg-type]


def cells(table: Table) -> list[list[str]]:
    return [list(map(str, column.cells)) for column in table.columns]


def test_every_codec_tells_what_arrived(finished) -> None:
    codecs, airs, arrived, right = cells(send(finished))
    assert codecs == ["big", "", "small", ""]
    assert airs == ["1", "2", "1", "2"]
    assert all(len(sentence.split()) <= 8 for sentence in arrived), "the receiver knows the frame's length"
    assert all(0.0 <= float(share) <= 1.0 for share in right)


@pytest.mark.parametrize(
    ("received", "shown"),
    [
        ("a\x1b[2J dog", "a\\x1b[2J dog"),
        ("\x00\x07\x9b31m", "\\x00\\x07\\x9b31m"),
        ("a \u202edog", "a \\u202edog"),
        ("[/red] :smile:", "[/red] :smile:"),
    ],
)
def test_what_arrived_is_shown_and_not_obeyed(finished, monkeypatch, received: str, shown: str) -> None:
    """Byte pairs that noise puts together may stand for any character."""
    monkeypatch.setattr("semcom.sources.tokenizer.Tokenizer.decode", lambda self, tokens: [received] * len(tokens))
    table = send(finished, repeats=1)
    assert cells(table)[2] == [shown] * 2
    said = io.StringIO()
    Console(file=said, width=120).print(table)
    assert shown in said.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_terminal_still_shows_every_codec(finished, width: int) -> None:
    said = io.StringIO()
    Console(width=width, file=said).print(send(finished, repeats=1))
    lines = said.getvalue().splitlines()
    assert "\u2026" not in said.getvalue() and max(map(len, lines)) <= width
    assert {"big", "small"} <= {words[1] for words in map(str.split, lines) if len(words) > 2}


def test_the_heading_says_what_was_sent_and_through_what(finished) -> None:
    title = str(send(finished, snr_db=4.0, interferers=1).title)
    assert title.startswith("sent: the cat sees a quiet garden today .\n"), "as the corpus would have it"
    # One interferer as loud as the user, and noise 4 dB below both.
    assert title.endswith("SNR 4 dB, fading none, 1 interferer (neighbors of 0 dB, fading none), mean SINR -1.5 dB")
    assert str(send(finished, interferers=0).title).endswith("SNR 6 dB, fading none, 0 interferers, mean SINR 6.0 dB")


def test_what_the_link_leaves_open_is_as_the_sweep_begins(carry_out, tmp_path) -> None:
    swept = ("sweep.interference=[{kind: gaussian, fading: {kind: rayleigh}}, {kind: tone}]", "sweep.level_db=[-3, 0]")
    carry_out(tmp_path / "out", *swept, "sweep.codec=[plain]", "sweep.snr_db=6", "training.steps=1")
    title = str(send(tmp_path / "out", repeats=1).title)
    assert "1 interferer (gaussian of -3 dB, fading rayleigh)" in title
    carry_out(tmp_path / "typed", *swept, "link.interference={kind: qam}", "sweep.codec=[plain]", "training.steps=1")
    assert "1 interferer (qam of 0 dB, fading none)" in str(send(tmp_path / "typed", repeats=1).title)


def test_a_beam_of_the_measurement_is_sent_with(carry_out, tmp_path, monkeypatch) -> None:
    changes = ("codecs.plain.decoding=autoregressive", "measure.beam=3", "training.steps=1", "sweep.snr_db=6")
    carry_out(tmp_path / "out", *changes, "sweep.codec=[plain]")
    beams: list[int] = []
    real = module.deliver
    monkeypatch.setattr(module, "deliver", lambda *args, **named: beams.append(named["beam"]) or real(*args, **named))
    send(tmp_path / "out", repeats=1)
    assert beams == [3]


def test_the_same_seed_sends_through_the_same_air(finished) -> None:
    one, same, other = (cells(send(finished, repeats=5, snr_db=-3.0, seed=seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_codecs_can_be_chosen_and_come_in_that_order(finished) -> None:
    assert cells(send(finished, codecs=("small", "big"), repeats=1))[0] == ["small", "big"]
    assert cells(send(finished, codecs=("small",), repeats=1))[0] == ["small"]


def test_a_teacher_outside_the_sweep_can_send_too(carry_out, tmp_path) -> None:
    carry_out(tmp_path / "out", "sweep.codec=[small]", "sweep.snr_db=6", "sweep.interferers=0")
    assert cells(send(tmp_path / "out", repeats=1))[0] == ["small"]
    assert cells(send(tmp_path / "out", codecs=("big",), repeats=1))[0] == ["big"]


def test_codecs_that_are_one_can_both_be_named(carry_out, tmp_path) -> None:
    twins = ("codecs.twin={size: tiny, symbols_per_token: 2}", "sweep.codec=[plain, twin]", "sweep.snr_db=6")
    carry_out(tmp_path / "out", *twins)
    codecs, _, arrived, _ = cells(send(tmp_path / "out", repeats=1))
    assert codecs == ["plain", "twin"]
    assert arrived[0] == arrived[1]


def test_the_first_of_several_seeds_is_sent_with(carry_out, tmp_path, monkeypatch) -> None:
    carry_out(tmp_path / "out", "sweep.seed=[5, 4]", "sweep.codec=[plain]", "sweep.snr_db=6")
    seeds: list[int] = []
    load = module.load_codec
    monkeypatch.setattr(module, "load_codec", lambda build, folder: seeds.append(build.seed) or load(build, folder))
    send(tmp_path / "out", repeats=1)
    assert seeds == [5]


def test_a_codec_that_learned_says_more_than_one_that_did_not(carry_out, tmp_path) -> None:
    learn = ("sweep.codec=[plain]", "training={steps: 200, batch: 16, interferers: 0, snr_db: 20}", "sweep.snr_db=20")
    carry_out(tmp_path / "out", *learn, "sweep.interferers=0", "codecs.plain.size=student_quarter")
    shares = [float(share) for share in cells(send(tmp_path / "out", snr_db=20.0, interferers=0))[3]]
    assert min(shares) > 0.6
    drowned = [float(share) for share in cells(send(tmp_path / "out", snr_db=-20.0, interferers=0, repeats=5))[3]]
    assert sum(drowned) / len(drowned) < 0.4


def test_as_many_interferers_as_there_are_sentences_for(finished, tiny_yaml) -> None:
    with pytest.raises(UserMistake, match="interferers must be at most") as caught:
        send(finished, interferers=10_000)
    most = int(str(caught.value).partition("at most ")[2].partition(" ")[0])
    send(finished, interferers=most, repeats=1)
    with pytest.raises(UserMistake, match=f"at most {most} here, got {most + 1}"):
        send(finished, interferers=most + 1)
    others = sum(len(sentence.split()) for sentence in load_scenario(tiny_yaml)[0].corpus.load().test)
    # Eight tokens each, and the wanted sentence's own eight are nobody else's.
    assert most == others // 8


def test_interferers_of_another_kind_need_no_sentences(carry_out, tmp_path) -> None:
    carry_out(tmp_path / "out", "link={interference: {kind: qam}}", "sweep.codec=[plain]", "sweep.snr_db=6")
    send(tmp_path / "out", interferers=200, repeats=1)


def test_bytes_know_every_word(carry_out, tmp_path) -> None:
    carry_out(
        tmp_path / "out", "tokenizer={kind: byte_pairs, vocabulary: 300}", "sweep.codec=[plain]", "sweep.snr_db=6"
    )
    assert "saxophone" in str(send(tmp_path / "out", "A saxophone plays.", repeats=1).title)


def test_a_sentence_is_shown_as_it_is(carry_out, tmp_path) -> None:
    carry_out(
        *(tmp_path / "out", "corpus.cleaning=light", "tokenizer={kind: byte_pairs, vocabulary: 300}"),
        *("sweep.codec=[plain]", "sweep.snr_db=6"),
    )
    said = io.StringIO()
    Console(file=said, width=200, emoji=False).print(send(tmp_path / "out", "Red [/red] and :smile: [bold]", repeats=1))
    assert "sent: Red [/red] and :smile: [bold]" in said.getvalue()


def test_the_table_can_be_printed(finished) -> None:
    said = io.StringIO()
    Console(file=said, width=100).print(send(finished))
    assert "what arrived" in said.getvalue()


def test_sending_leaves_the_folder_as_it_was(finished, tmp_path) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "tiny"))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    send(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_interferers_send_through_the_codecs_of_their_crowd(carry_out, tmp_path) -> None:
    def sent(*changes: str) -> Table:
        folder = tmp_path / str(len(changes))
        carry_out(folder, "sweep.codec=[big]", "sweep.snr_db=[6]", "sweep.interferers=[2]", *changes)
        return send(folder, snr_db=0.0, interferers=2, repeats=6)

    mixed, alike = sent("link.crowd=[plain, big]"), sent()
    assert cells(mixed)[2] != cells(alike)[2], "another crowd garbles otherwise"
    assert "2 interferers (neighbors of 0 dB, fading none, plain, big in turn), mean" in str(mixed.title)
    assert "2 interferers (neighbors of 0 dB, fading none), mean" in str(alike.title)


@pytest.mark.parametrize("crowd", [(), ("link.crowd=[plain]",), ("link.crowd=[plain, big]",)], ids=str)
def test_as_many_interferers_as_the_crowd_has_text_for_can_send(carry_out, tmp_path, crowd: tuple[str, ...]) -> None:
    """Through a codec of few symbols a token the test sentences last for fewer interferers."""
    few = "codecs.plain.symbols_per_token=2"
    carry_out(tmp_path, "sweep.codec=[big]", "sweep.snr_db=[6]", "sweep.interferers=[2]", few, *crowd)
    with pytest.raises(UserMistake, match=r"interferers must be at most \d+ here") as told:
        send(tmp_path, interferers=100_000, repeats=1)
    most = int(re.search(r"at most (\d+)", str(told.value))[1])  # type: ignore[index]
    assert most > 2
    assert len(cells(send(tmp_path, interferers=most, repeats=1))[2]) == 1
    with pytest.raises(UserMistake, match=f"interferers must be at most {most} here"):
        send(tmp_path, interferers=most + 1, repeats=1)


# Where the text is not


@pytest.fixture
def text(tmp_path, text_file, monkeypatch) -> Path:
    """A text of this test's own, which may go away."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copyfile(text_file, tmp_path / "text.txt"))


@pytest.fixture
def far_away(tmp_path, monkeypatch):
    """Hand out `far_away(folder, text)`: the folder on a machine that has neither the text nor any cached one."""

    def carry(folder: Path, text: Path) -> Path:
        copy = Path(shutil.copytree(folder, tmp_path / "far" / "away"))
        text.unlink()
        forget()
        (tmp_path / "far" / "cache").mkdir()
        monkeypatch.setenv("SEMCOM_CACHE", str(tmp_path / "far" / "cache"))
        monkeypatch.chdir(tmp_path / "far")
        return copy

    return carry


def forget() -> None:
    load_text.cache_clear()


ONE = ("sweep.codec=[plain]", "sweep.snr_db=6", "training.steps=1")
ALONE = {
    "as it is": ((), {"interferers": 2}),
    "nobody else": ((), {"interferers": 0}),
    "byte pairs": ((*ONE, "tokenizer={kind: byte_pairs, vocabulary: 300}"), {"interferers": 3}),
    "a crowd of others": ((*ONE, "link.crowd=[big, plain]"), {"interferers": 2}),
    "another user's kind": ((*ONE, "link={interference: {kind: qam}}"), {"interferers": 2}),
    "one codec of several": ((), {"codecs": ("small",), "interferers": 1}),
    "in the text's own letters": ((*ONE, "corpus.cleaning=light", "tokenizer={kind: byte_pairs, vocabulary: 300}"), {}),
}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=() if at % 4 == 0 else pytest.mark.exhaustive) for at, case in enumerate(ALONE)]
)
def test_a_folder_sends_without_its_text(carry_out, tmp_path, text, far_away, case: str) -> None:
    changes, sending = ALONE[case]
    carry_out(tmp_path / "out", f"corpus.path={text}", *changes)
    before = cells(send(tmp_path / "out", **sending))
    copy = far_away(tmp_path / "out", text)
    assert cells(send(copy, **sending)) == before
    assert cells(send(Path("away"), **sending)) == before
    assert not list(Path("cache").iterdir())


def note(folder: RunFolder) -> None:
    """Have the store believe the files as they are now."""
    with Store(folder.store_file) as store:
        for path in (folder.scenario_file, folder.sample_file):
            if path.is_file():
                store.noted.note_file(path.name, digest_of(path))


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda each: each.__name__)
def test_no_corpus_is_looked_at_to_send(finished, tmp_path, monkeypatch, corpus: type) -> None:
    """Docstrings have another fingerprint on another machine, and other archives another."""
    folder = Path(shutil.copytree(finished, tmp_path / "out"))
    typed = {"source": corpus().source, "longest": 20}
    sample = json.loads((folder / "sample.json").read_text())
    text = (folder / "scenario.yaml").read_text()
    (folder / "scenario.yaml").write_text(re.sub(r"corpus: \{.*\}", f"corpus: {json.dumps(typed)}", text))
    sample["corpus"] = {**{name: value for name, value in vars(corpus()).items() if value is not None}, **typed}
    (folder / "sample.json").write_text(json.dumps(sample))
    note(RunFolder(folder))
    for name in ("load", "fingerprint", "prepare"):
        monkeypatch.setattr(corpus, name, lambda *_, **__: pytest.fail("looked at"))
    forget()
    assert cells(send(folder, interferers=2)) == cells(send(finished, interferers=2))


def test_a_sample_holds_the_first_test_sentences_and_no_more(carry_out, finished, tmp_path, text, made_up) -> None:
    folder = RunFolder(finished)
    corpus = load_scenario(folder.scenario_file)[0].corpus
    kept = read_sample(folder, corpus)
    assert kept is not None
    assert kept.fingerprint == corpus.fingerprint()
    assert sorted(kept.sentences) == sorted(corpus.load().test)
    text.write_text("\n".join(made_up(3000)))
    carry_out(tmp_path / "large", f"corpus.path={text}", *ONE)
    larger = read_sample(RunFolder(tmp_path / "large"), load_scenario(tmp_path / "large" / "scenario.yaml")[0].corpus)
    assert larger is not None
    assert len(larger.sentences) == SENTENCES


def test_a_text_that_changed_since_does_not_matter(carry_out, tmp_path, text) -> None:
    carry_out(tmp_path / "out", f"corpus.path={text}", *ONE)
    before = cells(send(tmp_path / "out"))
    text.write_text(text.read_text() + "one more sentence is here now\n")
    forget()
    assert cells(send(tmp_path / "out")) == before
    # Carried out again, it is the text of today that counts.
    carry_out(tmp_path / "out", f"corpus.path={text}", *ONE)
    assert len(list((tmp_path / "out" / "models").iterdir())) == 2
    assert send(tmp_path / "out")
    today = load_scenario(tmp_path / "out" / "scenario.yaml")[0].corpus
    kept = read_sample(RunFolder(tmp_path / "out"), today)
    assert kept is not None and kept.fingerprint == today.fingerprint()
    carry_out(tmp_path / "out", f"corpus.path={text}", *ONE, "corpus.longest=19")
    assert json.loads((tmp_path / "out" / "sample.json").read_text())["corpus"]["longest"] == 19


@pytest.mark.parametrize("corpus", ["as it was", "typed from the working directory"])
def test_a_folder_of_before_sends_where_its_text_is(carry_out, tmp_path, text, far_away, corpus: str) -> None:
    carry_out(tmp_path / "out", f"corpus.path={text}", *ONE)
    expected = cells(send(tmp_path / "out"))
    RunFolder(tmp_path / "out").sample_file.unlink()
    if corpus != "as it was":
        kept = RunFolder(tmp_path / "out").scenario_file
        kept.write_text(kept.read_text().replace(str(text), "text.txt"))
        note(RunFolder(tmp_path / "out"))
    forget()
    assert cells(send(tmp_path / "out")) == expected
    assert not RunFolder(tmp_path / "out").sample_file.exists(), "sending writes nothing"
    copy = far_away(tmp_path / "out", text)
    with pytest.raises(UserMistake, match=r"keeps no sample of its text, .* got .*text\.txt .*; `semcom run`"):
        send(copy)


def test_a_second_run_gives_a_folder_of_before_its_sample(carry_out, finished, tmp_path) -> None:
    folder = RunFolder(Path(shutil.copytree(finished, tmp_path / "tiny")))
    folder.sample_file.unlink()
    carry_out(folder.path)
    assert folder.sample_file.read_bytes() == RunFolder(finished).sample_file.read_bytes()


DAMAGES = {
    "empty": "",
    "cut off": '{"corpus": {"source": "file"}, "fing',
    "no mapping": "[]",
    "nothing in it": "{}",
    "no sentence": '{"corpus": {}, "fingerprint": "abc", "sentences": []}',
    "other kinds": '{"corpus": {}, "fingerprint": 3, "sentences": ["a"]}',
    "more in it": '{"corpus": {}, "fingerprint": "abc", "sentences": ["a"], "run": "rm"}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_sample_is_told_and_mended(carry_out, finished, tmp_path, damage: str) -> None:
    folder = RunFolder(Path(shutil.copytree(finished, tmp_path / "tiny")))
    folder.sample_file.write_text(DAMAGES[damage])
    with pytest.raises(UserMistake, match=r"sample\.json: must be .* as the run wrote it, got a damaged"):
        send(folder.path)
    carry_out(folder.path)
    assert folder.sample_file.read_bytes() == RunFolder(finished).sample_file.read_bytes()


def test_a_sample_of_another_corpus_is_none(finished, tmp_path) -> None:
    """As after a kill between two files."""
    folder = RunFolder(Path(shutil.copytree(finished, tmp_path / "tiny")))
    folder.scenario_file.write_text(folder.scenario_file.read_text().replace("longest: 20", "longest: 19"))
    note(folder)
    with pytest.raises(UserMistake, match=r"big must be trained in .* on the text as it is now, got no such weights"):
        send(folder.path)


def test_what_is_not_trained_is_said_to_be_without_a_word_of_the_text(finished, tmp_path) -> None:
    folder = RunFolder(Path(shutil.copytree(finished, tmp_path / "tiny")))
    with Store(folder.store_file) as store:
        store.noted.forget("build", store.done_builds())
    with pytest.raises(UserMistake, match=r"got no such weights; `semcom run` with this --out trains it"):
        send(folder.path)
    shutil.rmtree(folder.models)
    with pytest.raises(UserMistake, match=r"got no such weights; `semcom run` with this --out trains it"):
        send(folder.path)


def test_of_weights_that_were_removed_no_run_is_promised_that_would_not_train_them(finished, tmp_path) -> None:
    folder = RunFolder(Path(shutil.copytree(finished, tmp_path / "tiny")))
    shutil.rmtree(folder.models)
    with pytest.raises(
        UserMistake, match=r"big must have its weights in .*, got none, though .* or with another --out"
    ):
        send(folder.path)


def test_a_folder_without_its_text_lends(carry_out, finished, tmp_path, text, far_away, text_file) -> None:
    carry_out(tmp_path / "out", f"corpus.path={text}")
    lender = far_away(tmp_path / "out", text)
    carried = carry_out(tmp_path / "new", f"corpus.path={os.path.relpath(text_file)}", lenders=(lender,))
    assert "borrowed: big, small" in carried.said
    assert (tmp_path / "new" / "results.csv").read_bytes() == (finished / "results.csv").read_bytes()


def test_a_receiver_that_knows_a_language_sends_where_no_text_is(carry_out, tmp_path, text, far_away, made_up) -> None:
    """Not the text of the codecs, nor the language's own; and how unlike it a sentence is stands below."""
    other = tmp_path / "other.txt"
    other.write_text("\n".join(made_up(300)))
    spoken = f"languages={{counts: {{kind: ngram, order: 2, corpus: {{source: file, path: {other}}}}}}}"
    codecs = ("codecs.plain.language=counts", "codecs.small.language=counts", "sweep.codec=[big, small, plain]")
    carry_out(tmp_path / "out", f"corpus.path={text}", spoken, *codecs, *ONE[1:])
    table = send(tmp_path / "out", interferers=0)
    (note,) = str(table.caption).splitlines()
    assert re.fullmatch(
        r"language counts: \d+\.\d bits a token of this sentence, \d+\.\d of validation text(;.*)?", note
    )
    copy = far_away(tmp_path / "out", text)
    other.unlink()
    assert cells(send(copy, interferers=0)) == cells(table)


def test_a_detector_that_counts_for_nothing_here_is_told(carry_out, tmp_path) -> None:
    cell = ("measure.users=all", "link.detector=successive", "sweep.interferers=1", "measure.batch=4")
    carry_out(tmp_path / "out", *ONE, *cell)
    assert "detector successive is not used" in str(send(tmp_path / "out", interferers=1).caption)
    assert send(tmp_path / "out", interferers=0).caption is None
