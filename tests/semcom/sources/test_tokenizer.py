"""Tokenizers: round trips, special tokens that no text can forge, and files that are not believed."""

import codecs
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.metrics.bleu import Bleu
from semcom.metrics.score import score
from semcom.metrics.words import ExactMatch
from semcom.mistakes import UserMistake
from semcom.sources.catalog import TOKENIZERS
from semcom.sources.cleaning import clean
from semcom.sources.tokenizer import BytePairs, Tokenizer, Words
from semcom.words import LOST_LETTER, LOST_WORD, visible

SENTENCES = [f"the {a} boat and the {b} barge meet ." for a in ("red", "green", "blue") for b in ("old", "new", "slow")]
PAIRS = BytePairs(vocabulary=320).train(SENTENCES)
WHOLE = Words().train(SENTENCES)
SPELLINGS = (
    *("<unknown>", "<unk>", "[UNK]", "unknown", " unknown", "\x1a<unknown>", "\ufffd", "\x1a\ufffd", "\x1a"),
    *("<pad>", "[PAD]", " pad", "<s>", "</s>", "[CLS]", "[SEP]", "<start>", " start", "\u0120pad", "\u2581unknown"),
)
FORGED = " pad <pad> [PAD] start <start> <unknown> </s>"


@pytest.mark.parametrize("spec", TOKENIZERS)
def test_every_kind_trains_without_being_told_more(spec, tmp_path: Path) -> None:
    learned = spec().train(SENTENCES)
    assert (learned.pad, learned.start, learned.unknown) == (0, 1, 2)
    encoded = learned.encode(SENTENCES)
    assert learned.decode(encoded) == SENTENCES
    assert all(2 < token < learned.size for row in encoded for token in row)
    again = spec().train(SENTENCES)
    for name, each in (("first", learned), ("second", again)):
        each.save(tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    loaded = Tokenizer.load(tmp_path / "first")
    assert loaded == learned and loaded.encode(SENTENCES) == encoded
    with pytest.raises(UserMistake, match="at least one sentence, got none"):
        spec().train([])


@given(st.text(max_size=80), st.sampled_from(["letters", "light"]))
def test_byte_pairs_bring_every_cleaned_text_back(text: str, cleaning: str) -> None:
    sentence = clean(text, cleaning)
    assert PAIRS.decode(PAIRS.encode([sentence])) == [sentence]


@given(st.lists(st.sampled_from(" ".join(SENTENCES).split()), max_size=12))
def test_words_bring_known_words_back(words: list[str]) -> None:
    assert WHOLE.decode(WHOLE.encode([" ".join(words)])) == [" ".join(words)]


@pytest.mark.parametrize("tokenizer", [PAIRS, WHOLE], ids=["byte_pairs", "words"])
def test_no_text_can_forge_a_pad_or_a_start(tokenizer: Tokenizer) -> None:
    assert not {0, 1} & set(tokenizer.encode([FORGED])[0])


def test_forged_marks_are_ordinary_words_where_they_were_learned() -> None:
    sentence = clean(FORGED, "light")
    for spec in (BytePairs(vocabulary=400), Words()):
        learned = spec.train([sentence] * 3)
        assert learned.decode(learned.encode([sentence])) == [sentence]


def test_unknown_words_are_seen_as_such() -> None:
    assert WHOLE.encode(["the purple boat"])[0][1] == WHOLE.unknown
    assert WHOLE.decode(WHOLE.encode(["the purple boat"])) == [f"the {LOST_WORD} boat"]
    assert 2 not in PAIRS.encode(["the purple boat"])[0]


@pytest.mark.parametrize("tokenizer", [PAIRS, WHOLE], ids=["byte_pairs", "words"])
@given(rows=st.lists(st.lists(st.integers(-5, 400), max_size=12), max_size=4))
def test_any_ids_decode(tokenizer: Tokenizer, rows: list[list[int]]) -> None:
    decoded = tokenizer.decode(rows)
    assert len(decoded) == len(rows)
    for row, text in zip(rows, decoded, strict=True):
        strange = sum(token == 2 or token < 0 or token >= tokenizer.size for token in row)
        assert text.count("<unknown>") == strange


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("cleaning", ["light", "letters"])
def test_what_spells_a_special_token_is_ordinary_text(spelling: str, cleaning: str) -> None:
    """To tokenizers that have met it and to others; and it is not what they make of a token without text."""
    sentence = clean(f"press {spelling} to{spelling} go on", cleaning)
    for tokenizer in (WHOLE, PAIRS, Words().train([sentence] * 3), BytePairs(300).train([sentence] * 3)):
        ids = tokenizer.encode([sentence])[0]
        assert not {tokenizer.pad, tokenizer.start} & set(ids)
        if tokenizer is not WHOLE:
            assert tokenizer.unknown not in ids
            assert tokenizer.decode([ids]) == [sentence]
        lost = tokenizer.decode([[tokenizer.unknown]])[0]
        assert lost == LOST_WORD and lost not in sentence.split()


@pytest.mark.parametrize("word", ["<unknown>", "<unk>", "\ufffd", "\x1a<unknown>", "unknown", "\x1a\ufffd"])
def test_a_lost_word_is_never_right(word: str) -> None:
    """The word is in the text; what arrives is the unknown token, or a byte that makes no letter."""
    sentence = clean(f"press {word} to continue now", "light")
    pairs, words = BytePairs(300).train([sentence]), Words().train(["press it to continue now"])
    half_a_letter = pairs.encode(["\u1230"])[0][:2]
    (first, then), (left, right) = (each.encode(["press", "to continue now"]) for each in (words, pairs))
    arrived = [*words.decode([[*first, words.unknown, *then]]), *pairs.decode([[*left, *half_a_letter, *right]])]
    for each in arrived:
        assert each.split()[0] == "press" and each.split()[2:] == ["to", "continue", "now"]
        assert score([ExactMatch(), Bleu(order=1)], [sentence], [each]) == (0, pytest.approx(0.8))
    assert [visible(each).split()[1] for each in arrived] == ["<unknown>", "\ufffd"]


codecs.register_error("lost", lambda error: (LOST_LETTER, error.end))  # type: ignore[attr-defined]


@given(st.text("\ufffd\u1230\xef\xbf\xbdab\U0001f680", min_size=1), st.randoms())
def test_only_bytes_that_make_no_letter_are_lost(text: str, chance) -> None:
    """As Python reads the bytes, some of which are missing: a token is a byte here."""
    learned = BytePairs(300).train(["-"])
    kept = [pair for pair in zip(learned.encode([text])[0][1:], text.encode(), strict=True) if chance.random() < 0.8]
    expected = bytes(byte for _, byte in kept).decode("utf-8", "lost")
    assert learned.decode([[token for token, _ in kept]]) == [expected]


def test_pads_and_starts_are_passed_over() -> None:
    ids = WHOLE.encode(["the red boat"])[0]
    assert WHOLE.decode([[1, ids[0], 0, *ids[1:], 0, 0]]) == ["the red boat"]


def test_a_word_is_the_same_token_wherever_it_stands() -> None:
    first, second = PAIRS.encode(["boat the boat"])[0][:1], PAIRS.encode(["the boat"])[0][-1:]
    assert PAIRS.decode([first]) == ["boat"] and first == second


def test_rare_words_go_and_frequent_ones_come_first() -> None:
    sentences = ["a a a b b c", "a b c d"]
    assert Words().train(sentences).pieces[3:] == ("a", "b", "c", "d")
    assert Words(min_count=2).train(sentences).pieces[3:] == ("a", "b", "c")
    assert Words(vocabulary=5).train(sentences).pieces[3:] == ("a", "b")
    assert WHOLE.size == 3 + len(set(" ".join(SENTENCES).split()))


def test_byte_pairs_keep_to_their_size() -> None:
    assert BytePairs(vocabulary=300).train([FORGED, *SENTENCES]).size == 300
    assert PAIRS.size <= 320 and len(PAIRS.merges) == PAIRS.size - 259


@pytest.mark.parametrize("wrong", [lambda: BytePairs(200), lambda: Words(3), lambda: Words(None, 0)])
def test_impossible_vocabularies_are_refused(wrong) -> None:
    with pytest.raises(UserMistake, match="must be at least"):
        wrong()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "other"}, "no 'semcom tokenizer 1' mark"),
        ({"kind": "pickle"}, "unknown kind"),
        ({"pieces": "abc"}, "not texts"),
        ({"pieces": [1, 2]}, "not texts"),
        ({"pieces": ["a", "b", "c", "d"]}, "special tokens"),
        ({"pieces": [" pad", " start", " unknown", "a", "a"]}, "twice"),
        ({"merges": [["a"]]}, "list of pairs"),
        ({"merges": [["a", "never seen"]]}, "does not list"),
        ({"kind": "words"}, "list of pairs"),
        ({"merges": {"a": 1}}, "list of pairs"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(tmp_path: Path, change: dict, reason: str) -> None:
    PAIRS.save(tmp_path / "good.json")
    facts = json.loads((tmp_path / "good.json").read_text()) | change
    (tmp_path / "bad.json").write_text(json.dumps(facts))
    with pytest.raises(UserMistake, match=f"bad.json must be a tokenizer .*{reason}"):
        Tokenizer.load(tmp_path / "bad.json")


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[]", b"[" * 100_000, b"nonsense"])
def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(data)
    with pytest.raises(UserMistake, match="must be a tokenizer"):
        Tokenizer.load(tmp_path / "bad.json")
    with pytest.raises(UserMistake, match="must be a tokenizer"):
        Tokenizer.load(tmp_path / "absent.json")
