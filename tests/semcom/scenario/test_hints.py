"""Hints: every word of the tables leads to something that there is, and what people type leads there."""

from __future__ import annotations

import re

import pytest
from typer.main import get_command

from semcom.cli import app
from semcom.metrics.catalog import METRICS
from semcom.models.sizes import SIZES
from semcom.scenario.document import ScenarioError
from semcom.scenario.hints import FOREIGN, NAMES, nearest, suggestion
from semcom.scenario.inventory import VARIANTS
from semcom.scenario.load import load_scenario
from semcom.scenario.scenario import Scenario


@pytest.fixture
def complaint(tiny_yaml):
    """Hand out `complaint("seed=x")`: the only message about the tiny scenario with this change."""

    def call(change: str) -> str:
        with pytest.raises(ScenarioError) as caught:
            load_scenario(tiny_yaml, (change,))
        (message,) = caught.value.messages
        return message

    return call


SCHEMA = Scenario.model_json_schema()
KEYS = {key for node in (SCHEMA, *SCHEMA["$defs"].values()) for key in node.get("properties", {})}


def test_every_foreign_key_leads_to_a_key_an_option_or_an_explanation() -> None:
    options = {
        option for command in get_command(app).commands.values() for each in command.params for option in each.opts
    }
    for each in FOREIGN:
        assert each.key in {*KEYS, *options, "training.devices"} or (not each.key and each.why), each
        # A word that is itself a key could only mislead, unless it stands where that key does not.
        assert each.key not in each.words.split() or each.key == "threads"


def test_every_foreign_name_leads_to_a_name() -> None:
    there = {metric.name for metric in METRICS} | set(SIZES)
    for variants in VARIANTS.values():
        for variant in variants:
            there |= {str(getattr(variant, key)) for key in ("kind", "source") if hasattr(variant, key)}
    assert {name for meant in NAMES.values() for name in meant} <= there
    assert all(re.fullmatch(r"[a-z0-9]+", word) for word in NAMES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("sweep.sir_db=[6]", r"write level_db \(level_db is -sir_db for one interferer"),
        ("link.sir_db=6", "write link.interference.level_db, sweep.level_db or training.level_db"),
        ("link.interference.SIR=6", r"write level_db \("),
        ("sweep.ebno_db=[6]", "there is no such axis: .* no energy per bit; set snr_db"),
        ("link.Eb/N0=6", "there is no such axis: .* no energy per bit"),
        ("sweep.sinr_db=[6]", "there is no such axis: SINR follows from snr_db, level_db and interferers"),
        ("sweep.snr=[6]", "write snr_db"),
        ("sweep.esn0_db=[6]", "write snr_db"),
        ("link.SNR=6", "write sweep.snr_db or training.snr_db"),
        ("link.snr_db=6", "write sweep.snr_db or training.snr_db"),
        ("link.interferers=2", "write sweep.interferers or training.interferers"),
        ("link.users=2", r"write sweep.interferers or training.interferers \(it counts the other users"),
        ("link.channel=rayleigh", "write fading"),
        ("training.device=cuda", r"write --device on the command line \(auto, cpu or cuda\)"),
        ("device=cuda", "write --device on the command line"),
        ("training.workers=2", "write --workers on the command line"),
        ("training.threads=2", r"write threads at the top \(or --threads; more processes are --workers\)"),
        ("training.epochs=2", r"write steps \(one batch each"),
        ("epochs=2", r"write training.steps \(one batch each"),
        ("training.lr=0.1", r"write learning_rate \(its peak\)"),
        ("training.batchSize=8", "write batch"),
        ("training.optimizer=sgd", "there is no such key: all train with AdamW"),
        ("codecs.big.pruning=layers", r"write prune \(in a codec that has a start\)"),
        ("training.seed=3", "write seed at the top or sweep.seed"),
        ("seeds=[1, 2]", r"write seed \(several go in sweep.seed\)"),
        ("sweep.seeds=[1, 2]", "write seed"),
        ("training.metrics=[bleu_1]", "write measure.metrics"),
        ("steps=9", "write training.steps"),
        ("codecs.big.d_model=64", "write codecs.big.width, codecs.big.transmitter.width or codecs.big.receiver.width"),
        ("codecs.small.distill.temperature=2", "write codecs.small.distill.methods.temperature"),
        ("codecs.small.distill.alpha=0.5", "write label_weight"),
        ("link.fading={type: rayleigh}", "write kind"),
        ("link.fading={rician: {k_factor_db: 3}}", "write kind: rician"),
        ("corpus={source: docstrings, max_len: 9}", "write longest"),
        ("tokenizer.vocab_size=300", "write vocabulary"),
        ("measure.n_bootstrap=200", "write resamples"),
        ("sweep.snr_db={start: 0, stop: 6, step: 2, num: 4}", "write step"),
        ("training.learning-rate=0.1", "did you mean 'learning_rate'"),
        ("sweep.codecs=[big]", "did you mean 'codec'"),
    ],
)
def test_a_key_of_another_tool_is_told_by_its_name_here(complaint, change: str, message: str) -> None:
    found = complaint(change)
    assert found.startswith(f"--set {change.partition('=')[0]}")
    assert re.search(f"unknown key; (.*; )?{message}", found), found


@pytest.mark.parametrize(
    ("change", "meant"),
    [
        ("sweep.codec=[smal]", "small"),
        ("sweep.codec=[Big]", "big"),
        ("measure.compare=[[smal, big]]", "small"),
        ("measure.gap=[[small, pain, big]]", "plain"),
        ("codecs.small.distill.teacher=bigg", "big"),
        ("codecs.small.adopt.receiver=bigg", "big"),
        ("codecs.plain.start=bigg", "big"),
        ("link.crowd=[plian]", "plain"),
        ("sweep.crowd=[[plian]]", "plain"),
        ("codecs.big.size=student_qarter", "student_quarter"),
        ("codecs.big.size=Student-Half", "student_half"),
        ("codecs.big.size=large", "teacher"),
        ("measure.metrics=[exact_mach]", "exact_match"),
        ("measure.metrics=[BLEU-4]", "bleu_4"),
        ("measure.metrics=[wer]", "word_error_rate"),
        ("codecs.small.distill.methods=[soft_logit]", "soft_logits"),
        ("codecs.small.distill.methods=[{kind: dkd}]", "decoupled_logits"),
        ("codecs.small.distill.methods=[kd]", "soft_logits"),
        ("link.fading=rayleih", "rayleigh"),
        ("link.fading=Rayleigh", "rayleigh"),
        ("link.fading=awgn", "none"),
        ("link.fading=off", "none"),
        ("link.fading=false", "none"),
        ("link.interference=awgn", "gaussian"),
        ("link.equalizer=zf", "zero_forcing"),
        ("link.equalizer=MMSE", "mmse"),
        ("sweep.fading=[none, rayliegh]", "rayleigh"),
        ("tokenizer=bpe", "byte_pairs"),
        ("corpus=docstring", "docstrings"),
    ],
)
def test_a_name_that_is_nearly_one_is_asked_back(complaint, change: str, meant: str) -> None:
    assert complaint(change).endswith(f"; did you mean '{meant}'?")


def test_a_path_for_a_corpus_is_told_how_to_be_one(complaint) -> None:
    assert complaint("corpus=my/text.txt").endswith("write {source: file, path: 'my/text.txt'}")


@pytest.mark.parametrize("word", ["xyzzy", "", "  ", "\x1b[31m", "\u2603", 3, "a" * 10_000])
def test_where_nothing_is_near_nothing_is_asked(word: object) -> None:
    assert suggestion(word, ["rayleigh", "none"]) == ""
    assert nearest(word, []) == ""


def test_the_right_name_is_not_asked_back() -> None:
    assert suggestion("none", ["rayleigh", "none"]) == ""
