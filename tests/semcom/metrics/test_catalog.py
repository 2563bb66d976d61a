"""The names a scenario may use."""

import pytest

from semcom.metrics.catalog import METRICS, metric_named
from semcom.metrics.embedding_model import EmbeddingModel
from semcom.mistakes import UserMistake


def test_the_names_are_those_of_the_results_table():
    assert [metric.name for metric in METRICS] == [
        "bleu_1",
        "bleu_2",
        "bleu_3",
        "bleu_4",
        "similarity",
        "similarity_rescaled",
        "word_error_rate",
        "exact_match",
    ]


def test_each_is_found_by_its_name():
    for metric in METRICS:
        assert metric_named(metric.name) == metric


def test_an_encoder_reaches_the_similarities_alone():
    encoder = EmbeddingModel("somebody/encoder", pooling="cls")
    for metric in METRICS:
        named = metric_named(metric.name, embedding=encoder)
        if metric.name.startswith("similarity"):
            assert named.model == encoder
            assert named.rescaled == metric.rescaled
        else:
            assert named == metric


def test_a_tokenizer_reaches_bleu_alone():
    for metric in METRICS:
        named = metric_named(metric.name, bleu_tokenize="zh")
        if metric.name.startswith("bleu"):
            assert (named.tokenize, named.order) == ("zh", metric.order)
        else:
            assert named == metric


def test_a_misspelt_name_gets_a_hint():
    with pytest.raises(UserMistake, match="got similarty; did you mean similarity"):
        metric_named("similarty")
    with pytest.raises(UserMistake, match="choose one of them"):
        metric_named("rouge")
