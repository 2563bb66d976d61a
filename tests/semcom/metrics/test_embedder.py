"""The real sentence encoder: same bits in any company, no network, and what the numbers mean."""

import random
import shutil
import socket

import numpy as np
import pytest

from semcom.metrics.embedder import ROWS, SentenceEmbedder, load_embedder
from semcom.metrics.embedding_model import EmbeddingModel, find_model
from semcom.metrics.similarity import Similarity, cosine
from semcom.mistakes import UserMistake

TALE = "the a harbor kite lends every quiet green bicycle to seven unusual neighbors before winter , and nobody"
VOCABULARY = TALE.split()


class Spy:
    """An encoder of word counts that notes what it is given."""

    max_seq_length = 6

    def __init__(self):
        self.batches = []

    def tokenizer(self, texts, *, truncation, max_length):
        assert truncation
        return {"input_ids": [text.split()[:max_length] for text in texts]}

    def encode(self, texts, *, batch_size, show_progress_bar):
        assert batch_size == len(texts)
        self.batches.append(texts)
        return np.array([[len(text), len(text.split())] for text in texts], dtype=np.float32)


@pytest.fixture
def spy(monkeypatch):
    encoder = Spy()
    monkeypatch.setattr("semcom.metrics.embedder._load", lambda folder, model: encoder)
    return encoder


def test_a_batch_has_one_length_and_one_size(spy):
    texts = [" ".join("x" * (1 + k % 3) for _ in range(k % 9)) for k in range(60)]
    vectors = SentenceEmbedder().vectors(texts)
    assert vectors.tolist() == [[len(text), len(text.split())] for text in texts]
    assert {len(batch) for batch in spy.batches} == {ROWS}
    # Cut at six tokens, longer texts are of one length and share a batch.
    assert all(len({min(len(text.split()), 6) for text in batch}) == 1 for batch in spy.batches)
    assert any(len({len(text.split()) for text in batch}) > 1 for batch in spy.batches)


def test_each_text_is_embedded_once(spy):
    embedder = SentenceEmbedder()
    for texts in (["a", "b", "a"], ["b", "a b", ""], ["a b", "a"]):
        assert len(embedder.vectors(texts)) == len(texts)
    assert sorted({text for batch in spy.batches for text in batch}) == ["", "a", "a b", "b"]
    assert len(spy.batches) == 3


def test_what_was_used_last_is_remembered(spy):
    embedder = SentenceEmbedder(remember=2)
    for text in ("a", "b", "a", "c", "a"):
        embedder.vectors([text])
    assert [batch[0] for batch in spy.batches] == ["a", "b", "c"]
    assert embedder.vectors(["a", "b", "c", "d"])[:, 0].tolist() == [1, 1, 1, 1]


def sentences(count, seed=1):
    chance = random.Random(seed)
    return [" ".join(chance.choices(VOCABULARY, k=chance.randint(0, 24))) for _ in range(count)]


def test_vectors_do_not_depend_on_company_or_memory():
    """Alone, in a crowd, in another order, remembered or forgotten: the same bits."""
    texts = ["", "rain", *sentences(20)]
    embedder = load_embedder(EmbeddingModel())
    alone = np.stack([embedder.vectors([text])[0] for text in texts])
    fresh = SentenceEmbedder(remember=5)
    assert (fresh.vectors(texts) == alone).all()
    assert (fresh.vectors([*sentences(10, seed=2), *reversed(texts)])[-len(texts) :] == alone[::-1]).all()


@pytest.mark.slow
def test_any_length_and_place_in_a_batch_gives_the_same_bits():
    """As many companions of the same length as there are rows, turned so that each text visits several rows."""
    embedder = SentenceEmbedder(remember=0)
    for words in (1, 2, 5, 12, 24, 45):
        texts = [" ".join(random.Random(k).choices(VOCABULARY[:12], k=words)) for k in range(8)]
        alone = np.stack([embedder.vectors([text])[0] for text in texts])
        for turn in (1, 3, 4, 6):
            assert (embedder.vectors(texts[turn:] + texts[:turn]) == np.roll(alone, -turn, axis=0)).all()


@pytest.mark.slow
def test_what_lies_beyond_the_limit_is_not_seen():
    embedder = load_embedder(EmbeddingModel())
    long = " ".join(["harbor"] * 300)
    assert (embedder.vectors([long])[0] == embedder.vectors([long + " nobody"])[0]).all()


@pytest.mark.slow
def test_loading_and_embedding_ask_nothing_of_network_or_chance(monkeypatch):
    import torch

    asked = []
    monkeypatch.setattr(socket.socket, "connect", lambda *arguments: asked.append(arguments))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **settings: asked.append(arguments))
    before = torch.get_rng_state()
    SentenceEmbedder().vectors(["a quiet green bicycle"])
    assert not asked
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
def test_agrees_with_plain_transformers_and_mean_pooling():
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = str(find_model(EmbeddingModel()).folder)
    tokenizer, encoder = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    for text in ["", *sentences(5)]:
        with torch.inference_mode():
            plain = encoder(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(dim=0).numpy()
        # Single precision: twelve matrix products deep, some 1e-7 each.
        assert cosine(plain, load_embedder(EmbeddingModel()).vectors([text])[0]) == pytest.approx(1, abs=1e-6)


@pytest.mark.slow
def test_similarity_orders_meanings():
    """Our own sentences, values measured once with these weights: kept to three digits, so a wrong layer shows."""
    reference = "the committee will vote on the report tomorrow"
    hypotheses = [reference, "tomorrow the committee votes on the report", "my dog likes cold water", ""]
    cosines = Similarity().statistics([reference] * 4, hypotheses)[:, 1]
    assert cosines == pytest.approx([1.0, 0.9226, -0.0005, 0.0380], abs=1e-3)


@pytest.mark.slow
def test_random_pairs_rescale_to_about_zero_and_identical_text_to_one():
    texts = sentences(60)
    metric = Similarity(rescaled=True)
    same, mixed = metric.statistics(texts, texts), metric.statistics(texts, texts[1:] + texts[:1])
    assert metric.combine(same.sum(axis=0)) == pytest.approx(1.0, abs=1e-12)
    # Both means are over the same 60 texts, paired by chance in two ways.
    spread = np.hypot(mixed[:, 1].std(), mixed[:, 2].std()) / np.sqrt(len(texts))
    floor = mixed[:, 2].mean()
    assert abs(metric.combine(mixed.sum(axis=0))) <= 5 * spread / (1 - floor)


@pytest.mark.slow
def test_named_poolings(tmp_path):
    text = ["seven unusual neighbors"]
    own = load_embedder(EmbeddingModel()).vectors(text)[0]
    assert cosine(SentenceEmbedder(EmbeddingModel(pooling="mean")).vectors(text)[0], own) == pytest.approx(1, abs=1e-6)
    for pooling in ("cls", "max"):
        embedder = SentenceEmbedder(EmbeddingModel(pooling=pooling))
        assert embedder.vectors(text).shape == (1, 384)
        assert cosine(embedder.vectors(text)[0], own) < 0.99
        assert embedder.provenance().endswith(f"pooling:{pooling}")


@pytest.mark.slow
def test_a_folder_of_the_users_goes_the_same_way(tmp_path):
    bundled = find_model(EmbeddingModel()).folder
    copy = tmp_path / "bert"
    shutil.copytree(bundled, copy, ignore=shutil.ignore_patterns("modules.json", "1_Pooling", "*sentence*"))
    embedder = SentenceEmbedder(EmbeddingModel(str(copy), pooling="mean"))
    text = ["a harbor before winter"]
    assert cosine(embedder.vectors(text)[0], load_embedder(EmbeddingModel()).vectors(text)[0]) > 1 - 1e-6


@pytest.mark.slow
def test_a_broken_folder_is_a_mistake(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserMistake, match="one that sentence-transformers can read"):
        SentenceEmbedder(EmbeddingModel(str(tmp_path), pooling="mean"))
