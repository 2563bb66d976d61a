"""Whatever a person gets wrong ends in one message, exit code 2 and nothing half-written; before training if it can."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semcom.experiment.run import encoded_exam
from semcom.tasks.text_data import load_text

WHOLE = (
    r"results\.sqlite(\.lock|-wal|-shm)?|scenario\.yaml|sample\.json|[0-9a-f]{16}\.json|weights\.safetensors"
    r"|checkpoint\.pt"
)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test works in a folder of its own, so that whatever is left behind is seen."""
    monkeypatch.chdir(tmp_path)
    # What was read once is remembered under its path, and `out` is another folder in every test.
    for remembered in (load_text, encoded_exam):
        remembered.cache_clear()
    return tmp_path


@pytest.fixture
def changed(tiny_yaml):
    """Hand out `changed(old, new)`: a scenario file that differs from a good one in one place."""

    def write(old, new):
        text = tiny_yaml.read_text()
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        Path("bad.yaml").write_text(text.replace(old, new))
        return Path("bad.yaml")

    return write


SNRS = "snr_db: [0, 6, 12]"
CROWDS = "interferers: [0, 2]"
SWEPT = "codec: [big, small]"
SHAPE = "plain: {size: tiny, symbols_per_token: 2}"
LAST = "resamples: 100"

MISTAKES = {
    "unknown key": ("seed: 3", "sede: 3", r"bad.yaml:3:1: sede: unknown key; .*did you mean 'seed'\?"),
    "misspelt kind": (
        "{kind: words}",
        "{kind: wrods}",
        r"tokenizer.kind: must be one of byte_pairs, words, got 'wrods'",
    ),
    "a method against learning": (
        "{kind: symbols}",
        "{kind: symbols, weight: -1}",
        "weight of method symbols must be at least 0 and finite, got -1",
    ),
    "misspelt method": ("{kind: symbols}", "{kind: symbol}", r"must be one of soft_logits, .*did you mean 'symbols'"),
    "wrong type": ("seed: 3", "seed: three", "seed: must be a whole number, got 'three'"),
    "true is no number": ("steps: 6", "steps: true", "training.steps: must be a whole number, got true"),
    "step 0": (SNRS, "snr_db: {start: 0, stop: 6, step: 0}", "sweep.snr_db: step must not be 0; write"),
    "step away": (SNRS, "snr_db: {start: 0, stop: 6, step: -1}", "leads away from stop: 0 never reaches 6"),
    "too many steps": (SNRS, "snr_db: {start: 0, stop: 9, step: 1.0e-7}", "at most 10000 points"),
    "steps too far": (SNRS, "snr_db: {start: 0, stop: 5000, step: 2500}", "between -100 and 100 dB, got 0 to 5000"),
    "no codec": (SWEPT, "codec: []", "codec must name at least one value, got an empty list"),
    "no point": (SNRS, "snr_db: []", "snr_db must name at least one value, got an empty list; leave the key out"),
    "a point twice": (SNRS, "snr_db: [6, 6.0]", "snr_db names a value twice"),
    "half an interferer": (CROWDS, "interferers: {start: 0, stop: 2, step: 0.5}", "must be whole numbers from 0 up"),
    "a whole town": (CROWDS, "interferers: {start: 0, stop: 5000, step: 500}", "must be at most 1000, got 5000"),
    "a world of points": (
        f"{SNRS}, {CROWDS}",
        "snr_db: {start: 0, stop: 10, step: 0.002}, interferers: {start: 0, stop: 19, step: 1}",
        "sweep: must hold at most 100000 points a codec, got 100020; take larger steps",
    ),
    "key twice": ("seed: 3", "seed: 3\nseed: 4", "bad.yaml:4:1: seed: must be given once, got it first in line 3"),
    "a bomb": (SNRS, "snr_db: &a [0]\n  level_db: [*a, *a]", "anchors are not allowed, got &a"),
    "a tag": ("seed: 3", "seed: !!python/object/apply:os.getpid []", "tags are not allowed"),
    "not a number": (SNRS, "snr_db: nan", "sweep.snr_db: must be a finite number, got nan"),
    "not a number as YAML has it": (SNRS, "snr_db: [.nan]", r"sweep.snr_db\[0\]: must be a finite number, got .nan"),
    "infinite": (SNRS, "snr_db: .inf", "sweep.snr_db: must be a finite number, got .inf"),
    "unknown codec swept": (SWEPT, "codec: [big, smal]", "sweep.codec names 'smal', which is none of the codecs: big"),
    "unknown teacher": ("teacher: big", "teacher: bug", "codecs.small.distill.teacher names 'bug'"),
    "unknown start": (SHAPE, "plain: {size: tiny, start: nobody}", "codecs.plain.start names 'nobody'"),
    "unknown donor": (SHAPE, "plain: {adopt: {receiver: nobody}}", "codecs.plain.adopt.receiver names 'nobody'"),
    "unknown codec compared": (LAST, f"{LAST}, compare: [[small, smal]]", "measure.compare names 'smal'"),
    "compared, not measured": (LAST, f"{LAST}, compare: [[small, plain]]", "names 'plain', which is not measured"),
    "compared with itself": (LAST, f"{LAST}, compare: [[small, small]]", "must name two codecs, every pair once"),
    "gap to an unknown codec": (LAST, f"{LAST}, gap: [[small, big, bigg]]", "measure.gap names 'bigg'"),
    "gap of two codecs": (LAST, f"{LAST}, gap: [[small, big, big]]", "must name a student, a control and a teacher"),
    "gap without an end": (LAST, f"{LAST}, gap: [[small, big]]", "measure.gap"),
    "its own teacher": ("teacher: big", "teacher: small", "codecs.small is built from itself: small <- small"),
    "a circle": (
        "big: {size: student_quarter, symbols_per_token: 2}",
        "big: {size: tiny, symbols_per_token: 2, start: small}",
        "codecs.big is built from itself: big <- small <- big",
    ),
    "teacher of another bandwidth": (
        "big: {size: student_quarter, symbols_per_token: 2}",
        "big: {size: student_quarter, symbols_per_token: 4}",
        "bad.yaml:12:15: codecs.small.distill.teacher must send as many symbols a token as its .*got 4 of 'big'",
    ),
    "a start of another size": (
        SHAPE,
        "plain: {size: tiny, start: big}",
        "codecs.plain.start must name a codec of the",
    ),
    "an empty key of a codec's training": (
        SHAPE,
        "plain: {training: {steps: }}",
        "must be a whole number, got nothing",
    ),
    "an empty air of a codec's training": (
        SHAPE,
        "plain: {training: {fading: }}",
        "training.fading: must be .* got nothing",
    ),
    "an empty width": (SHAPE, "plain: {receiver: {width: }}", "receiver.width: must be a whole number, got nothing"),
    "a start of no name": (SHAPE, "plain: {start: ''}", "codecs.plain.start: must"),
    "a donor of no name": (SHAPE, "plain: {adopt: {transmitter: ''}}", "codecs.plain.adopt.transmitter: must"),
    "both sides adopted": (
        SHAPE,
        "plain: {adopt: {receiver: big, transmitter: big}}",
        "must name one of transmitter, receiver",
    ),
    "unknown size": (SHAPE, "plain: {size: huge}", "size: must be one of tiny, .*got 'huge'"),
    "width and heads": (SHAPE, "plain: {transmitter: {width: 30}}", "width must be a multiple of heads, got width 30"),
    "a method twice": ("{kind: symbols}", "{kind: soft_logits}", "each method may be named once"),
    "unknown metric": ("exact_match", "exact_mach", "measure.metrics: must be among bleu_1, .*got 'exact_mach'"),
    "seed below 0": ("seed: 3", "seed: -1", "seed: must be at least 0, got -1"),
    "seed too big": ("seed: 3", f"seed: {10**15}", f"seed: must be below {10**15}, got {10**15}"),
    "seed beyond counting": ("seed: 3", "seed: 123456789012345678901234567890", r"seed: must be a number below 2\^63"),
    "swept seed too big": (SNRS, f"seed: [{10**15}]", rf"sweep.seed\[0\]: must be below {10**15}"),
    "range upside down": ("snr_db: [0, 12]", "snr_db: [12, 0]", r"snr_db must run from low to high, got \[12, 0\]"),
    "no radio": ("snr_db: [0, 12]", "snr_db: [0, 400]", "training: decibels must be between -100 and 100, got 400"),
    "no steps": ("steps: 6", "steps: 0", "steps must be at least 1, got 0"),
    "crowd beyond the batch": (
        "interferers: [0, 1]",
        "interferers: 16",
        "16 interferers in training need a batch of at",
    ),
    "crowd beyond the test": (
        CROWDS,
        "interferers: 20",
        "measure.sentences: 20 interferers need at least 21 sentences",
    ),
    "a level missing": (
        "sweep:",
        "link: {interference: {kind: qam, level_db: [-3]}}\nsweep:",
        "link.interference: level_db must name a level for each of 2 interferers, got 1",
    ),
    "a level missing in training": (
        "interferers: [0, 1]",
        "interferers: 2, interference: {kind: tone, level_db: [-3]}",
        "training: level_db must name a level for each of 2 interferers, got 1",
    ),
    "a level beyond radio": (
        "sweep:",
        "link: {interference: {kind: qam, level_db: 1000000}}\nsweep:",
        "link.interference: decibels must be between -100 and 100",
    ),
    "a name that is a path": ("name: tiny", "name: ../tiny", "name: must be text that matches"),
    "no question": ("# Does the whole chain hold, from text to table?\n", "", "the first line must be a comment"),
    "no text": ("path: ", "path: nowhere", r"path must be a text file or a folder, got /\S*/nowhere"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_check_refuses(refused, changed, mistake) -> None:
    old, new, message = MISTAKES[mistake]
    found = refused("check", changed(old, new), "--out", "out")
    assert re.search(message, found), found


def test_run_refuses_what_check_refuses(refused, changed) -> None:
    for old, new, message in (MISTAKES["unknown key"], MISTAKES["teacher of another bandwidth"], MISTAKES["no text"]):
        found = refused("run", changed(old, new), "--out", "out")
        assert re.search(message, found), found
    assert not Path("out").exists()


FILES = {
    "not UTF-8": (b"# What?\nname: \xff\n", "bad.yaml:2: must be UTF-8 text, got byte 0xff; save it as UTF-8"),
    "empty": (b"", "must hold the keys of a scenario, got an empty file"),
    "no mapping": (b"# What?\n- 1\n", "a scenario must be a mapping of keys to values, got a list"),
    "no YAML": (b"# What?\nname: [\n", "not valid YAML"),
    "deep": (b"# What?\nname: " + b"[" * 5000, "nested at most 24 deep"),
    "long": (b"# What?\n" + b"#" * 300_000, "at most 256 KiB of YAML, got more"),
    "a billion laughs": (
        b"# What?\na: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nd: [*c, *c]\n",
        "aliases are not allowed",
    ),
    "control characters": (b"# What?\nname: \x00\n", "character U+0000 is not allowed"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_no_scenario(refused, kind) -> None:
    data, message = FILES[kind]
    Path("bad.yaml").write_bytes(data)
    assert message in refused("check", "bad.yaml")


@pytest.mark.parametrize("name", ["nope.yaml", "nope", "no/pe", "..", "n" * 300])
def test_a_scenario_that_is_not_there(refused, name) -> None:
    assert "quickstart" in refused("check", name), "the shipped ones are named"


SETS = {
    "word": "--set must be key.path=value",
    "=3": "--set must be key.path=value",
    "training..steps=3": "--set must be key.path=value",
    "training.stepz=3": "--set training.stepz: unknown key.*did you mean 'steps'",
    "training.steps=few": "--set training.steps: must be a whole number, got 'few'",
    "seed=": "--set seed: must be a whole number, got nothing",
    "seed=[": "--set seed: not valid YAML",
    "sweep.snr_db.7=3": "is a list of 3 entries, counted from 0; '7' is none of them",
    "codecs.big=3": "--set codecs.big: must be a mapping",
    "seed=!!python/name:os.system": "--set seed: tags are not allowed",
    "link.fading=rayleih": "--set link.fading: must be none, .* got 'rayleih'; did you mean 'rayleigh'",
    "sweep.sir_db=[6]": "--set sweep.sir_db: unknown key; write level_db",
    "link.interferers=2": "--set link.interferers: unknown key; write sweep.interferers or training.interferers",
    "training.device=cuda": "--set training.device: unknown key; write --device on the command line",
    "training.steps=0-18": "--set training.steps: must be a whole number, got '0-18'; write one number",
}


@pytest.mark.parametrize("option", SETS)
def test_a_change_that_cannot_be_made(refused, tiny_yaml, option) -> None:
    found = refused("check", tiny_yaml, "--set", option)
    assert re.search(SETS[option], found), found


COMMANDS = {
    ("fly",): "No such command 'fly'",
    ("check",): "Missing argument",
    ("check", "quickstart", "--fly"): "No such option: --fly",
    ("run", "quickstart", "--workers", "-1"): "greater than or equal to 1",
    ("run", "quickstart", "--workers", "0"): "greater than or equal to 1",
    ("run", "quickstart", "--workers", "many"): "valid integer",
    ("run", "quickstart", "--threads", "0"): "greater than or equal to 1",
    ("list", "metrcs"): "got metrcs; did you mean 'metrics'?",
    ("list", "method"): "got method; did you mean 'methods'?",
    ("list", "fade"): "got fade; did you mean 'fading'?",
    ("list", "size"): "got size; did you mean 'sizes'?",
    ("run", "quikstart"): "did you mean 'quickstart'?",
    ("check", "Mixed-Cell"): "did you mean 'mixed_cell'?",
    ("check", "transfer_type"): "did you mean 'transfer_types'?",
    ("check", "scenarios/model_sizes.yaml"): "did you mean 'model_size'?",
    ("report", "nowhere"): "there is no file nowhere/results.csv; run the scenario first",
    ("send", "nowhere", "a sentence"): "nowhere is not a run folder",
    ("prepare", "nowhere"): "must be europarl, docstrings, or a file or folder that exists, got nowhere",
    ("prepare", "docstrings", "--url", "http://example.invalid/"): "--url is for europarl alone",
}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_that_cannot_be_given(refused, words) -> None:
    found = refused(*words)
    assert COMMANDS[words] in found, found


# Found on `run`, since it takes the work's own machine or material to know


def test_a_device_that_there_is_not(refused, tiny_yaml) -> None:
    assert "--device must be auto, cpu or cuda, got abacus" in refused("run", tiny_yaml, "--device", "abacus")
    if not pytest.importorskip("torch").cuda.is_available():
        assert "--device cuda needs a GPU" in refused("run", tiny_yaml, "--device", "cuda", "--out", "out")


@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_a_file_where_the_folder_should_be(refused, tiny_yaml, below) -> None:
    Path("taken").write_text("mine")
    message = refused("run", tiny_yaml, "--out", Path("taken") / below)
    assert "must be a folder, got a file in the way at taken" in message
    assert Path("taken").read_text() == "mine"


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_name_that_no_disk_takes(refused, tiny_yaml, command) -> None:
    assert "File name too long" in refused(command, tiny_yaml, "--out", "n" * 300)


TEXTS = {
    "empty": ("", "must hold sentences of 4 to 20 words, got 0 lines and none that fits"),
    "white": ("\n\n \n", "got 0 lines and none that fits"),
    "too long": ("word " * 30, "got 1 line and none that fits"),
    "one sentence": (
        "the cat sees the red house today .\n",
        "must have at least one sentence for training, validation",
    ),
}


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("kind", TEXTS)
def test_a_text_that_is_no_use(refused, changed, text_file, command, kind) -> None:
    text, message = TEXTS[kind]
    Path("text.txt").write_text(text)
    assert message in refused(command, changed(str(text_file), "text.txt"), "--out", "out")


def test_a_text_that_is_not_utf8(refused, changed, text_file) -> None:
    Path("text.txt").write_bytes(b"the cat sees the house .\nthe \xff sees .\n")
    for command in ("check", "run"):
        message = refused(command, changed(str(text_file), "text.txt"), "--out", "out")
        assert "text.txt must be UTF-8 text, got byte 0xff in line 2" in message


def test_a_folder_without_text(refused, changed, text_file) -> None:
    Path("empty").mkdir()
    message = refused("check", changed(str(text_file), "empty"))
    assert f"the folder {Path('empty').absolute()} must hold .txt files, got none" in message


def test_a_crowd_that_the_text_cannot_supply(refused, tiny_yaml, made_up) -> None:
    Path("text.txt").write_text("\n".join(made_up(100)))
    few = ("--set", "corpus.path=text.txt", "--out", "out")
    for command in ("check", "run"):
        message = refused(command, tiny_yaml, *few, "--set", "sweep.interferers=[9]")
        assert "sweep.interferers: 9 interferers need at least 10 test sentences to take their turns from" in message
        share = ("--set", "training.share=0.02", "--set", "training.interferers=4", "--set", "training.batch=8")
        message = refused(command, tiny_yaml, *few, *share)
        assert "training.interferers: 4 interferers need at least 5 training sentences" in message
    assert not Path("out").exists()


def test_a_crowd_that_some_batch_cannot_supply_is_found_before_the_first_step(refused, tiny_yaml, monkeypatch) -> None:
    monkeypatch.setattr("semcom.experiment.build.fit", lambda *_, **__: pytest.fail("training began"))
    crowd = ("--set", "training.interferers=15", "--out", "out")
    message = refused("run", tiny_yaml, *crowd, whole=WHOLE)
    assert "training.interferers: 15 interferers must find other sentences in every batch" in message


def test_a_crowd_too_long_for_the_test_sentences(refused, tiny_yaml, monkeypatch) -> None:
    monkeypatch.setattr("semcom.experiment.build.fit", lambda *_, **__: pytest.fail("training began"))
    crowd = ("--set", "sweep.interferers=[4]", "--set", "measure.sentences=5", "--out", "out")
    message = refused("run", tiny_yaml, *crowd, whole=WHOLE)
    assert "sweep.interferers: 4 interferers must find other test sentences" in message


def test_a_mistake_shows_its_traceback_when_asked(semcom) -> None:
    answer = semcom("--debug", "check", "nope")
    assert answer.code == 2
    assert "Traceback" in answer.err
    assert "'nope' is neither a file nor a shipped scenario" in answer.err
