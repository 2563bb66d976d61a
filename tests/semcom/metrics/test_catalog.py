"""The names a scenario may use."""

import math

import pytest

from semcom.metrics.catalog import METRICS, axis_of, check_suited, listening, metric_named
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
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "psnr",
        "ms_ssim",
        "log_spectral_distance",
    ]


def test_each_is_found_by_its_name():
    for metric in METRICS:
        assert metric_named(metric.name) == metric


def test_an_encoder_reaches_the_similarities_alone():
    encoder = EmbeddingModel("somebody/encoder", pooling="cls")
    for metric in METRICS:
        named = metric_named(metric.name, options={"similarity": encoder, "bleu_tokenize": None})
        if metric.name.startswith("similarity"):
            assert named.model == encoder
            assert named.rescaled == metric.rescaled
        else:
            assert named == metric


def test_a_tokenizer_reaches_bleu_alone():
    for metric in METRICS:
        named = metric_named(metric.name, options={"bleu_tokenize": "zh"})
        if metric.name.startswith("bleu"):
            assert (named.tokenize, named.order) == ("zh", metric.order)
        else:
            assert named == metric


def test_a_misspelt_name_gets_a_hint():
    with pytest.raises(UserMistake, match="got similarty; did you mean similarity"):
        metric_named("similarty")
    with pytest.raises(UserMistake, match="choose one of them"):
        metric_named("rouge")


def test_the_classes_of_a_task_reach_the_metrics_of_classes_alone():
    for metric in METRICS:
        named = metric_named(metric.name, classes=["ant", "bee"])
        assert named.classes == ("ant", "bee") if metric.scores == "classes" else named == metric
    assert metric_named("accuracy_of_bee", classes=["ant", "bee"]).name == "accuracy_of_bee"
    with pytest.raises(UserMistake, match="one of the classes: ant, bee, got wasp"):
        metric_named("accuracy_of_wasp", classes=["ant", "bee"])
    with pytest.raises(UserMistake, match="got accuracy_of_; did you mean accuracy"):
        metric_named("accuracy_of_")


def test_a_key_is_heard_by_those_that_listen():
    names = [metric.name for metric in METRICS]
    assert listening(names, "similarity") == ("similarity", "similarity_rescaled")
    assert listening(names, "bleu_tokenize") == ("bleu_1", "bleu_2", "bleu_3", "bleu_4")
    assert listening(["accuracy"], "similarity") == ()


def test_a_metric_that_does_not_suit_the_task_is_refused():
    check_suited(["accuracy", "accuracy_of_bee"], "classes", classes=["ant", "bee"])
    check_suited(["bleu_4", "exact_match"], "sentences")
    with pytest.raises(UserMistake, match=r"score classes.*got bleu_4, which scores sentences; choose among acc"):
        check_suited(["accuracy", "bleu_4"], "classes")
    with pytest.raises(UserMistake, match=r"must score sentences.*got accuracy_of_bee, which scores classes; .*bleu_1"):
        check_suited(["accuracy_of_bee"], "sentences")
    with pytest.raises(UserMistake, match="got wasp"):
        check_suited(["accuracy_of_wasp"], "classes", classes=["ant", "bee"])


def test_a_metric_from_elsewhere_keeps_its_name_and_has_no_limits():
    axis = axis_of("mean_opinion_score")
    assert (axis.name, axis.label) == ("mean opinion score",) * 2
    assert (axis.least, axis.most) == (-math.inf, math.inf)
