"""Metrics that say little or nothing of the test sentences: refused or remarked on before the training."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from semcom.mistakes import UserMistake
from semcom.scenario.load import load_scenario
from semcom.scenario.metric_checks import check_metrics
from semcom.scenario.plans import MeasurePlan
from semcom.store.folder import RunFolder
from semcom.store.store import Store

ENGLISH = [
    "the committee will vote on the report tomorrow",
    "we ask the council to answer before the summer",
    "return the array of sample points along the given axis .",
]


def drawn(first: int, last: int, *, words: int, letters: int, count: int = 40) -> list[str]:
    """Sentences of made-up words in the letters between two code points."""
    chance = random.Random(first)
    return [
        " ".join("".join(chr(chance.randint(first, last)) for _ in range(letters)) for _ in range(words))
        for _ in range(count)
    ]


AMHARIC, KHMER, GEORGIAN = (0x1200, 0x1246), (0x1780, 0x17A2), (0x10D0, 0x10F0)
ARABIC, HEBREW, THAI, GREEK = (0x0628, 0x063A), (0x05D0, 0x05EA), (0x0E01, 0x0E2E), (0x03B1, 0x03C9)
HAN, HIRAGANA, LAO, RUSSIAN = (0x4E00, 0x9000), (0x3041, 0x3093), (0x0E94, 0x0EAB), (0x0430, 0x044F)


def told(sentences: list[str], *metrics: str, **others: object) -> str:
    return "\n".join(check_metrics(MeasurePlan(metrics=metrics, **others), sentences))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "sentences", [ENGLISH, [each + " <unknown> ." for each in ENGLISH], [e.title() for e in ENGLISH]]
)
def test_of_english_nothing_is_said(sentences: list[str]) -> None:
    every = ("bleu_1", "bleu_4", "similarity", "similarity_rescaled", "word_error_rate", "exact_match")
    assert told(sentences, *every) == ""


@pytest.mark.parametrize("letters", [AMHARIC, KHMER, (0x1F600, 0x1F640), (0x1000, 0x1020)])
def test_similarity_of_unknown_pieces_is_refused(letters: tuple[int, int]) -> None:
    sentences = drawn(*letters, words=6, letters=5)
    with pytest.raises(UserMistake, match=r"got \d+% of the text of 40 test sentences unknown.* measure\.similarity"):
        told(sentences, "bleu_1", "similarity_rescaled")
    assert told(sentences, "bleu_1", "exact_match") == ""


def test_a_single_sentence_that_cannot_be_read_is_named() -> None:
    alien = drawn(*AMHARIC, words=4, letters=3, count=1)
    with pytest.raises(UserMistake, match="got 1 of 21 without a word it knows") as refusal:
        told([*(f"{each} {number}" for each in ENGLISH for number in range(7))][:20] + alien, "similarity")
    assert alien[0] in str(refusal.value)


@pytest.mark.parametrize("letters", [AMHARIC, GEORGIAN, (0x1F600, 0x1F640)])
def test_some_unknown_words_are_said_to_be_unknown(letters: tuple[int, int]) -> None:
    mixed = [f"{english} {alien}" for english in ENGLISH for alien in drawn(*letters, words=1, letters=5, count=4)]
    assert "similarity cannot read" in told(mixed, "similarity")


@pytest.mark.parametrize("letters", [ARABIC, HEBREW, GREEK, RUSSIAN])
def test_letters_one_by_one_are_no_english(letters: tuple[int, int]) -> None:
    said = told(drawn(*letters, words=6, letters=5), "similarity")
    assert "the bundled encoder is an English model" in said and "measure.similarity" in said


@pytest.mark.parametrize(
    "sentence",
    [
        "die kommission hat dem parlament gestern einen neuen vorschlag vorgelegt",
        "la comisi\u00f3n present\u00f3 ayer al parlamento una nueva propuesta sobre la que votaremos ma\u00f1ana",
        "\u092f\u0939 \u090f\u0915 \u0928\u0908 \u0915\u093f\u0924\u093e\u092c \u0939\u0948",
        "komissio esitti eilen parlamentille uuden ehdotuksen josta \u00e4\u00e4nest\u00e4mme huomenna",
    ],
)
def test_nor_are_other_languages(sentence: str) -> None:
    assert "English model" in told([sentence], "similarity")


@pytest.mark.parametrize("words", [255, 300, 1000])
def test_what_is_cut_is_counted(words: int) -> None:
    said = told(["the " * words, *ENGLISH], "similarity")
    assert "only the beginning of 1 test sentence of 4" in said and "254 pieces" in said
    assert "beginning" not in told(["the " * 254, *ENGLISH], "similarity")


def test_one_sentence_has_no_random_pair() -> None:
    with pytest.raises(UserMistake, match="two different test sentences"):
        told(ENGLISH[:1] * 3, "similarity_rescaled")
    assert told(ENGLISH[:1] * 3, "similarity") == ""


@pytest.mark.parametrize(
    ("letters", "words", "long"),
    [(HAN, 1, 12), (HIRAGANA, 1, 20), (THAI, 2, 15), (LAO, 5, 14), (KHMER, 5, 20), (HAN, 6, 8), (RUSSIAN, 2, 5)],
)
def test_where_words_are_hardly_separated_it_is_said(letters: tuple[int, int], words: int, long: int) -> None:
    sentences = drawn(*letters, words=words, letters=long)
    said = told(sentences, "bleu_1", "bleu_4")
    assert said.startswith("measure.metrics: bleu_4 takes for a word what white space parts")
    assert "measure.bleu_tokenize to char" in said
    assert told(sentences, "bleu_4", bleu_tokenize="char") == ""
    assert ("word_error_rate" in told(sentences, "word_error_rate")) == (long > 6)


@pytest.mark.parametrize(("letters", "long"), [(HAN, 2), (THAI, 5), (KHMER, 5), (RUSSIAN, 9)])
def test_of_separated_words_nothing_is_said(letters: tuple[int, int], long: int) -> None:
    assert told(drawn(*letters, words=6, letters=long), "bleu_4", "word_error_rate", "exact_match") == ""


def test_short_sentences_do_for_short_ngrams() -> None:
    short = ["yes please", "well said"]
    assert told(short, "bleu_1", "bleu_2") == ""
    assert "2 of 2 test sentences have fewer than 3 words and so no 3-gram" in told(short, "bleu_2", "bleu_3")


def written(tmp_path: Path, sentences: list[str]) -> tuple[str, ...]:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(sentences) + "\n", encoding="utf-8")
    corpus = f"corpus={{source: file, path: {path}, shortest: 1, longest: 20, cleaning: light}}"
    return (corpus, "tokenizer={kind: byte_pairs, vocabulary: 300}", "sweep.codec=[plain]", "sweep.snr_db=6")


def test_nothing_is_trained_before_a_refusal(carry_out, tmp_path) -> None:
    changes = written(tmp_path, drawn(*AMHARIC, words=5, letters=3, count=300))
    with pytest.raises(UserMistake, match="unknown to it"):
        carry_out(tmp_path / "out", *changes, "measure.metrics=[similarity]")
    with Store(RunFolder(tmp_path / "out").store_file, reading=True) as store:
        assert not store.builds() and not store.runs()


def test_the_remark_is_heard_in_a_run_and_its_way_out_works(carry_out, tmp_path) -> None:
    changes = written(tmp_path, drawn(*THAI, words=1, letters=6, count=300))
    changes = (*changes, "training.steps=1", "sweep.interferers=0", "training.interferers=0")
    assert "measure.bleu_tokenize" in carry_out(tmp_path / "out", *changes).said
    after = carry_out(tmp_path / "out", *changes, "measure.bleu_tokenize=char")
    assert "measure.bleu_tokenize" not in after.said and after.failures == 0
    assert "tok:char" in (tmp_path / "out" / "record.json").read_text()


def test_a_metric_of_classes_is_refused_where_the_receiver_says_sentences(tiny_yaml):
    for name in ("accuracy", "accuracy_of_cat"):
        with pytest.raises(UserMistake, match=f"must score sentences.*got {name}, which scores classes"):
            load_scenario(tiny_yaml, [f"measure.metrics=[exact_match, {name}]"])
