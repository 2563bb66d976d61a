"""Files of counted languages: the same bytes for the same text, and one message for whatever is wrong with them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from semcom.files import digest
from semcom.languages.ngram import NGram, count
from semcom.languages.ngram_spec import NGramSpec
from semcom.mistakes import UserMistake
from semcom.sources.batches import make_batch

MAPS = Path("/proc/self/maps")
TEXT = [[2, 3, 4, 3], [2, 3, 5], [4, 4, 2], [5]]


def language(order: int = 3) -> NGram:
    return count(TEXT, 6, NGramSpec(order), tokenizer="abc")


@pytest.mark.parametrize("order", [1, 2, 5])
def test_comes_back_as_it_was(order: int, tmp_path: Path) -> None:
    kept, path = language(order), tmp_path / "ngram.safetensors"
    noted = kept.save(path)
    assert noted == language(order).save(tmp_path / "again.safetensors") == digest(path.read_bytes())
    found = NGram.load(path, tokenizer="abc", noted=noted)
    assert found.about == kept.about
    assert (found.order, found.outputs, found.about.sentences, found.about.tokens) == (order, 6, 4, 11)
    assert (found.entries, found.size_bytes) == (kept.entries, kept.size_bytes)
    assert torch.equal(found.tell(make_batch(TEXT)), kept.tell(make_batch(TEXT)))
    assert path.stat().st_size - kept.size_bytes < 1500


@pytest.mark.skipif(not MAPS.exists(), reason="only Linux says what is mapped")
def test_the_file_is_mapped_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "ngram.safetensors"
    language().save(path)
    found = NGram.load(path)
    assert str(path) in MAPS.read_text()
    assert found.levels


def test_every_cut_of_a_file_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "ngram.safetensors"
    language().save(path)
    whole = path.read_bytes()
    for size in (0, 5, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(UserMistake, match="must be a counted language that semcom wrote"):
            NGram.load(path)


def test_a_missing_a_foreign_and_an_exchanged_file(tmp_path: Path) -> None:
    path = tmp_path / "ngram.safetensors"
    with pytest.raises(UserMistake, match="no such file"):
        NGram.load(path)
    path.write_bytes(save({"weight": np.ones(3, dtype=np.float32)}, metadata={"build": "x"}))
    with pytest.raises(UserMistake, match="no 'semcom ngram 1' mark"):
        NGram.load(path)
    noted = language().save(path)
    language(order=2).save(path)
    with pytest.raises(UserMistake, match="exchanged"):
        NGram.load(path, noted=noted)
    with pytest.raises(UserMistake, match="tokenizer other, got abc"):
        NGram.load(path, tokenizer="other")


Arrays = dict[str, np.ndarray]
Facts = dict[str, object]
DAMAGE: dict[str, tuple[Callable[[Arrays, Facts], object], str]] = {
    "falling keys": (lambda arrays, _: arrays.update(keys_2=arrays["keys_2"][::-1].copy()), "keys_2 that do not rise"),
    "negative keys": (lambda arrays, _: arrays.update(keys_3=arrays["keys_3"] - (1 << 62)), "keys_3 that do not rise"),
    "large keys": (lambda arrays, _: arrays.update(keys_3=arrays["keys_3"] + (1 << 62)), "keys_3 that do not rise"),
    "few numbers": (lambda arrays, _: arrays.update(log_p_3=arrays["log_p_3"][:-1].copy()), "of different lengths"),
    "no backoffs": (lambda arrays, _: arrays.update(backoff_2=arrays["backoff_2"][:0].copy()), "of different lengths"),
    "missing": (lambda arrays, _: arrays.pop("backoff_1"), "no row of float32 named backoff_1"),
    "another type": (lambda arrays, _: arrays.update(keys_2=arrays["keys_2"].astype(np.int32)), "no row of int64"),
    "nan": (lambda arrays, _: arrays["log_p_2"].fill(np.nan), "no logarithms"),
    "above one": (lambda arrays, _: arrays["log_p_1"].fill(1), "no logarithms"),
    "surplus": (lambda arrays, _: arrays.update(more=np.zeros(1)), "no counted language holds: more"),
    "vocabulary": (lambda _, facts: facts.update(outputs=7), "another vocabulary"),
    "huge vocabulary": (lambda _, facts: facts.update(outputs=1 << 60), "order must be at most 1"),
    "order": (lambda _, facts: facts.update(order=9), "order must be"),
    "not whole": (lambda _, facts: facts.update(order=3.0), "numbers that cannot be"),
    "tokenizer": (lambda _, facts: facts.update(tokenizer=3), "no digest"),
    "fact": (lambda _, facts: facts.pop("tokens"), "no 'semcom ngram 1' mark"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_contradicts_itself_is_refused(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "ngram.safetensors"
    language().save(path)
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    arrays, facts = load(content), json.loads(header["__metadata__"]["semcom ngram 1"])
    change, message = DAMAGE[damage]
    change(arrays, facts)
    path.write_bytes(save(arrays, metadata={"semcom ngram 1": json.dumps(facts)}))
    with pytest.raises(UserMistake, match=message):
        NGram.load(path)
