"""A pretrained encoder is read as transformers has it, stays as it is, and is refused where it cannot be trusted.

All encoders here are tiny and randomly initialised; none has learned anything.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from channels import Chance, Link
from semcom.compression.cost import count
from semcom.distillation.distiller import Distiller
from semcom.distillation.relations import Relations
from semcom.distillation.similarity_preserving import SimilarityPreserving
from semcom.distillation.soft_logits import SoftLogits
from semcom.distillation.teaching import Teaching
from semcom.experiment.conduct import conduct
from semcom.experiment.workers import Means
from semcom.identity import canonical
from semcom.mistakes import UserMistake
from semcom.models.encoder_folder import CONFIG, LARGEST_JSON, PREPROCESSOR, WEIGHTS, encoder_in
from semcom.models.generative_speech import GenerativeSpeechCodec
from semcom.models.generative_speech_spec import GenerativeSpeechSpec
from semcom.models.make import initialize, make
from semcom.models.pretrained_speech import PretrainedSpeechCodec, PretrainedTransmitter
from semcom.models.pretrained_speech_spec import PretrainedSpeechSpec
from semcom.models.speech_spec import SpeechSpec
from semcom.scenario.load import load_scenario
from semcom.sources.speech import FULL, SpeechBatch
from semcom.training.checkpoint import load_weights, save_weights, weights_of
from semcom.training.fit import _begin_to_learn

TINY: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (8, 8, 8),
    "conv_kernel": (10, 4, 4),
    "conv_stride": (5, 8, 8),
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
LAYER_NORM = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
LAYER_NORM_FILE = {"do_normalize": True, "return_attention_mask": True, "sampling_rate": 16_000}
KINDS: dict[str, tuple[str, dict[str, Any], dict[str, Any] | None]] = {
    "tiny random HuBERT": ("Hubert", {}, {"do_normalize": True, "sampling_rate": 16_000}),
    "tiny random HuBERT, layer norm": ("Hubert", LAYER_NORM, LAYER_NORM_FILE),
    "tiny random WavLM": ("WavLM", {}, None),
    "tiny random WavLM, layer norm": ("WavLM", LAYER_NORM, LAYER_NORM_FILE),
    "tiny random WavLM, group norm and mask": ("WavLM", {}, {"return_attention_mask": True}),
    "tiny random wav2vec 2.0": ("Wav2Vec2", {}, None),
}
Saved = Callable[[str], Path]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """The folder of an encoder of that name, made once."""
    home = tmp_path_factory.mktemp("encoders")

    def folder(kind: str) -> Path:
        place = home / kind.replace(" ", "_")
        if not place.exists():
            import transformers

            family, changes, preprocessor = KINDS[kind]
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(1)
                config = getattr(transformers, f"{family}Config")(**TINY, **changes)
                getattr(transformers, f"{family}Model")(config).save_pretrained(place)
            if preprocessor is not None:
                (place / PREPROCESSOR).write_text(json.dumps(preprocessor))
        return place

    return folder


@pytest.fixture(params=KINDS)
def folder(request: pytest.FixtureRequest, saved: Saved) -> Path:
    return saved(request.param)


def spec_of(folder: Path, rate: int = 16_000, **changes: Any) -> PretrainedSpeechSpec:
    return PretrainedSpeechSpec(
        rate=rate, samples=rate // 4, folder=str(folder), symbols=4, hidden=20, **changes
    ).found()


def codec_of(folder: Path, **changes: Any) -> PretrainedSpeechCodec:
    made = initialize(spec_of(folder, **changes), 3, seed=1)
    assert isinstance(made, PretrainedSpeechCodec)
    return made.eval()


def words(*lengths: int, room: int = 4000) -> SpeechBatch:
    """Noise of these lengths, silence behind it."""
    samples = torch.zeros(len(lengths), room, dtype=torch.int16)
    for row, length in enumerate(lengths):
        noise = torch.randn(length, generator=torch.Generator().manual_seed(row))
        samples[row, :length] = (3000 * noise + 500).clamp(-32_000, 32_000).to(torch.int16)
    labels = torch.arange(len(lengths)) % 3
    return SpeechBatch(samples, torch.tensor(lengths), labels, tuple(range(len(lengths))), max(lengths))


def by_transformers(folder: Path, batch: SpeechBatch) -> tuple[torch.Tensor, ...]:
    """Hidden states of the encoder as transformers reads it, by the words of its documentation."""
    import transformers

    there = encoder_in(str(folder))
    model = transformers.AutoModel.from_pretrained(folder).eval()
    longest = batch.longest if there.settings["feat_extract_norm"] == "layer" else batch.samples.shape[1]
    features = transformers.Wav2Vec2FeatureExtractor(
        do_normalize=there.normalizes, return_attention_mask=True, sampling_rate=16_000
    )
    spoken = [row[:length].numpy() / FULL for row, length in zip(batch.samples, batch.durations.tolist(), strict=True)]
    told = features(spoken, sampling_rate=16_000, padding="max_length", max_length=longest, return_tensors="pt")
    mask = told.attention_mask if there.masks else None
    with torch.no_grad():
        states = model(told.input_values.float(), attention_mask=mask, output_hidden_states=True).hidden_states
    assert states is not None
    return tuple(states)


# What is heard


@pytest.mark.filterwarnings("ignore")
def test_layers_are_the_hidden_states_of_transformers(folder: Path) -> None:
    made, batch = codec_of(folder), words(3000, 1700)
    with torch.no_grad():
        sent = made.send(batch)
    first, *layers = by_transformers(folder, batch)
    assert len(sent.layers) == 3 == len(layers) == len(made.spec.widths_of("sent"))  # type: ignore[attr-defined]
    for ours, theirs in zip(sent.layers, layers, strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=1e-4)
    assert sent.places is not None and sent.places.sum(dim=1).tolist() == [9, 5]
    assert sent.layers[0].shape[:2] == sent.places.shape == first.shape[:2]
    torch.testing.assert_close(sent.symbols.abs().square().mean(dim=1), torch.ones(2))


def test_what_is_made_of_a_word_hangs_on_no_other_word(folder: Path) -> None:
    made, alone, beside = codec_of(folder), words(1700), words(1700, 3900)
    with torch.no_grad():
        one, both = made.send(alone), made.send(beside)
        torch.testing.assert_close(one.symbols[0], both.symbols[0], atol=1e-5, rtol=1e-4)
        real = one.places
        assert real is not None
        for ours, theirs in zip(one.layers, both.layers, strict=True):
            torch.testing.assert_close(ours[0, real[0]], theirs[0, :5], atol=1e-5, rtol=1e-4)
        # Whatever stands behind the end of a word is not heard.
        alone.samples[0, 1700:] = 999
        assert torch.equal(made.send(alone).symbols, one.symbols)
        alone.samples[0, 100:300] = 0
        assert not torch.allclose(made.send(alone).symbols, one.symbols, atol=1e-3)


def test_words_shorter_than_a_frame_have_one(folder: Path) -> None:
    sent = codec_of(folder).send(words(3, 3900))
    assert sent.places is not None and sent.places.sum(dim=1)[0] == 1
    assert sent.symbols.isfinite().all()


def test_speech_of_another_rate_is_brought_to_16_khz(saved: Saved) -> None:
    at_16, at_8 = (codec_of(saved("tiny random HuBERT"), rate=rate) for rate in (16_000, 8000))
    time = torch.arange(4000) / 16_000
    spoken = ((time * 6283).sin() + (time * 12_566).cos()) * time * 8000
    both = [spoken.to(torch.int16)[None], spoken[::2].to(torch.int16)[None]]
    batches = [SpeechBatch(each, torch.tensor([each.shape[1]]), torch.zeros(1), (0,), each.shape[1]) for each in both]
    with torch.no_grad():
        slow, fast = at_8.send(batches[1]), at_16.send(batches[0])
    assert slow.layers[0].shape == fast.layers[0].shape
    torch.testing.assert_close(slow.layers[2][0, 1:-1], fast.layers[2][0, 1:-1], atol=0.02, rtol=0.02)


# Frozen


def test_nothing_of_the_encoder_moves_while_the_rest_learns(folder: Path) -> None:
    made, batch = codec_of(folder, dropout=0.5), words(3000, 1700)
    encoder = made.transmitter.encoder  # type: ignore[attr-defined]
    before = {name: each.clone() for name, each in encoder.state_dict().items()}
    with torch.no_grad():
        quiet = made.send(batch).layers
    _begin_to_learn(made)
    assert made.receiver.dropout.training and not any(each.training for each in encoder.modules())
    assert not any(each.requires_grad for each in encoder.parameters())
    optimizer = torch.optim.SGD([each for each in made.parameters() if each.requires_grad], lr=1.0)
    sent = made.send(batch)
    assert all(torch.equal(*pair) for pair in zip(sent.layers, quiet, strict=True)), "nothing is dropped or hidden"
    made.receiver(sent.symbols).logits.sum().backward()
    optimizer.step()
    assert made.transmitter.weights.grad is not None and made.transmitter.weights.grad.any()
    assert all(torch.equal(each, before[name]) for name, each in encoder.state_dict().items())


def test_its_weights_stay_in_their_folder(folder: Path, tmp_path: Path) -> None:
    made, other = codec_of(folder), initialize(spec_of(folder), 3, seed=2)
    assert not any("encoder.model" in name for name in weights_of(made))
    save_weights(made, tmp_path / "codec.safetensors", about={})
    load_weights(other, tmp_path / "codec.safetensors")
    batch = words(3000)
    assert torch.equal(other.eval().send(batch).symbols, made.send(batch).symbols)
    assert (tmp_path / "codec.safetensors").stat().st_size < 20_000


def test_it_is_counted_without_memory_behind_it(folder: Path) -> None:
    made = codec_of(folder)
    with torch.device("meta"):
        assert count(make(made.spec, 3)) == count(made)
    cost = count(made)
    encoder = made.transmitter.encoder  # type: ignore[attr-defined]
    assert cost.parameters > sum(each.numel() for each in encoder.parameters()) > 0
    spec = made.spec
    heard = spec.encoder.front_multiply_adds(spec.samples)  # type: ignore[attr-defined]
    # The layers on 12 frames: products with weights, and with each other.
    layers = 3 * 12 * (4 * 16**2 + 2 * 16 * 24 + 2 * 12 * 16)
    assert heard + layers < cost.transmitter_multiply_adds < 1.1 * (heard + layers)


def test_another_file_is_another_codec_and_another_place_is_not(saved: Saved, tmp_path: Path) -> None:
    one = spec_of(saved("tiny random HuBERT"))
    moved = spec_of(shutil.copytree(saved("tiny random HuBERT"), tmp_path / "moved"))
    assert one == moved and canonical(one) == canonical(moved) and "folder" not in canonical(one)
    assert one.digest != spec_of(saved("tiny random WavLM")).digest
    (tmp_path / "moved" / PREPROCESSOR).unlink()
    assert spec_of(tmp_path / "moved").digest != one.digest
    with pytest.raises(UserMistake, match="got another; put it back"):
        initialize(moved, 3, seed=1)


def test_names_of_older_files_and_of_models_with_a_head_are_known(saved: Saved, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    there = saved("tiny random HuBERT")
    old = shutil.copytree(there, tmp_path / "old")
    weights = load_file(there / WEIGHTS)
    for part, name in ("original0", "weight_g"), ("original1", "weight_v"):
        weights[f"encoder.pos_conv_embed.conv.{name}"] = weights.pop(
            f"encoder.pos_conv_embed.conv.parametrizations.weight.{part}"
        )
    save_file({f"hubert.{name}": each for name, each in weights.items()} | {"head": torch.ones(1)}, old / WEIGHTS)
    batch = words(3000)
    assert torch.equal(codec_of(old).send(batch).symbols, codec_of(there).send(batch).symbols)


# Folders from outside


def changed(**settings: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        told = json.loads((folder / CONFIG).read_text())
        (folder / CONFIG).write_text(json.dumps({**told, **settings}))

    return change


def cut(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[:-100])


def pickled(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "pytorch_model.bin")


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda folder: shutil.rmtree(folder), "must be a folder that holds config.json and model.safetensors"),
    "no config": (lambda folder: (folder / CONFIG).unlink(), "must hold config.json, got none"),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), "must hold its weights in model.safetensors, got none"),
    "pickle": (pickled, "got the pickle pytorch_model.bin, which could run anything"),
    "truncated": (cut, "must be a whole safetensors file"),
    "no safetensors": (lambda folder: (folder / WEIGHTS).write_bytes(b"PK" * 99), "must be a whole safetensors file"),
    "another architecture": (changed(model_type="bert"), "model_type must be hubert, wav2vec2, wavlm, got 'bert'"),
    "no name": (changed(model_type=["hubert"]), "model_type must be"),
    "no JSON": (lambda folder: (folder / CONFIG).write_text("{"), "must be readable JSON"),
    "deep JSON": (lambda folder: (folder / CONFIG).write_text("[" * 200_000), "must be readable JSON"),
    "a list": (lambda folder: (folder / CONFIG).write_text("[]"), "must hold settings by name"),
    "large JSON": (lambda folder: (folder / CONFIG).write_text(" " * (LARGEST_JSON + 1)), "bytes at most"),
    "huge": (changed(hidden_size=10**9), "hidden_size must be a whole number from 2 to 4,096"),
    "too deep": (changed(num_hidden_layers=65), "num_hidden_layers must be"),
    "true for 1": (changed(num_hidden_layers=True), "num_hidden_layers must be"),
    "heads": (changed(num_attention_heads=3), "heads"),
    "foreign function": (changed(hidden_act="os.system"), "hidden_act must be gelu or"),
    "unequal lists": (changed(conv_stride=[5, 2]), "must be equally long"),
    "endless frames": (changed(conv_stride=[1000, 1000, 1000]), "samples at most"),
    "groups": (changed(num_conv_pos_embedding_groups=3), "must divide hidden_size"),
    "adapters": (changed(adapter_attn_dim=16), "without adapters"),
    "another rate": (lambda folder: (folder / PREPROCESSOR).write_text('{"sampling_rate": 8000}'), "must be 16000"),
    "no truth": (lambda folder: (folder / PREPROCESSOR).write_text('{"do_normalize": 1}'), "must be true or false"),
}


@pytest.mark.parametrize("harm", HOSTILE)
def test_a_folder_that_cannot_be_read_is_refused_in_a_sentence(harm: str, saved: Saved, tmp_path: Path) -> None:
    folder = shutil.copytree(saved("tiny random HuBERT"), tmp_path / "encoder")
    do, told = HOSTILE[harm]
    do(folder)
    with pytest.raises(UserMistake) as refused:
        spec_of(folder)
    assert told in str(refused.value) and "; " in str(refused.value) and len(str(refused.value)) < 500


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (changed(hidden_size=32), "as config.json says"),
        (changed(num_hidden_layers=4), "must hold encoder.layers.3"),
    ],
)
def test_weights_of_another_shape_are_refused(
    harm: Callable[[Path], None], told: str, saved: Saved, tmp_path: Path
) -> None:
    folder = shutil.copytree(saved("tiny random HuBERT"), tmp_path / "encoder")
    harm(folder)
    with pytest.raises(UserMistake, match=told):
        initialize(spec_of(folder), 3, seed=1)


def test_weights_that_are_not_finite_are_refused(saved: Saved, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(saved("tiny random HuBERT"), tmp_path / "encoder")
    weights = load_file(folder / WEIGHTS)
    weights["encoder.layer_norm.weight"][3] = torch.nan
    save_file(weights, folder / WEIGHTS)
    with pytest.raises(UserMistake, match="layer_norm\\.weight must be finite"):
        initialize(spec_of(folder), 3, seed=1)


# Students


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", ["generated", "heads"])
def test_a_student_is_plugged_in_around_it(folder: Path, family: Any) -> None:
    teacher, batch = codec_of(folder), words(3000, 1700)
    spec = GenerativeSpeechSpec(plugged=teacher.spec, family=family, width=8, heads=2, feedforward=12)  # type: ignore[arg-type]
    student = initialize(spec, 3, seed=2)
    assert isinstance(student, GenerativeSpeechCodec)
    with torch.no_grad():
        teacher.transmitter.weights.copy_(torch.tensor([0.5, -1.0, 0.2]))
    student.plug_in(teacher)
    student.eval()
    assert {name.split(".")[1] for name, each in student.named_parameters() if each.requires_grad} == {"maker"}
    assert isinstance(student.transmitter, PretrainedTransmitter)
    theirs = teacher.send(batch)
    first, _ = student.transmitter.encoder(*student.transmitter._heard(batch))
    torch.testing.assert_close(first, by_transformers(folder, batch)[0], atol=2e-5, rtol=1e-4)
    ours = student.send(batch)
    assert [each.shape for each in ours.layers] == [each.shape for each in theirs.layers]
    student.transmitter.maker = _Given(theirs.layers)
    torch.testing.assert_close(student.send(batch).symbols, theirs.symbols)


class _Given(torch.nn.Module):
    def __init__(self, layers: tuple[torch.Tensor, ...]) -> None:
        super().__init__()
        self.given = layers

    def forward(self, *_: object) -> tuple[torch.Tensor, ...]:
        return self.given


@pytest.mark.parametrize("method", [SoftLogits(), Relations(), SimilarityPreserving()], ids=lambda each: each.kind)
def test_an_ordinary_student_learns_what_has_no_frames(saved: Saved, method: Any) -> None:
    shape = SpeechSpec(rate=16_000, samples=4000, mels=20, width=16, layers=1, heads=2, feedforward=24, symbols=4)
    student, teacher = initialize(shape, 3, seed=1), codec_of(saved("tiny random WavLM"))
    lesson = Teaching(teacher="teacher", methods=(method,), label_weight=0, hears="own")
    (loss,) = (
        Distiller(student, [teacher], lesson)
        .train()(words(3000, 1700, 2500, 900), [Link(snr_db=5.0)], Chance(1))
        .values()
    )
    loss.backward()
    assert loss.item() > 0 and any(each.grad is not None and each.grad.any() for each in student.parameters())


SCENARIO = """\
# Do words arrive?
name: words
task: {kind: speech, source: {kind: formant_words, words: 3, speakers: 4, takes: 4}}
codecs:
  teacher: {kind: pretrained_speech, folder: encoder, symbols: 4, hidden: 16}
  made:
    size: generated_speech
    width: 8
    heads: 2
    adopt: {around: teacher}
    distill: {teacher: teacher, label_weight: 0, hears: own, methods: [{kind: generated_layers, side: encoder}]}
  heads:
    size: speech_layer_heads
    width: 8
    heads: 2
    adopt: {around: teacher}
    distill: {teacher: teacher, label_weight: 0, hears: own, methods: [{kind: generated_layers, side: encoder}]}
  plain: {size: speech_tiny, symbols: 4, distill: {teacher: teacher, methods: [{kind: soft_logits}]}}
  taken: {kind: pretrained_speech, adopt: {transmitter: teacher}}
training: {steps: 4, batch: 8, warmup: 2, snr_db: [0, 12], validate_every: 4}
sweep: {snr_db: [0, 12], codec: [teacher, made, heads, plain, taken]}
measure: {sentences: 12, batch: 6, resamples: 100}
"""


@pytest.fixture
def scenario(tmp_path: Path, saved: Saved) -> Path:
    shutil.copytree(saved("tiny random HuBERT"), tmp_path / "encoder")
    (tmp_path / "words.yaml").write_text(SCENARIO)
    return tmp_path / "words.yaml"


@pytest.mark.slow
def test_a_run_from_a_scenario_to_its_tables(scenario: Path, tmp_path: Path, semcom: Any) -> None:
    out = tmp_path / "out"
    read, kept = load_scenario(scenario, ())
    assert not conduct(read, kept, out, means=Means(), console=Console(quiet=True))
    with (out / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["status"] for row in rows} == {"done"} and len({row["codec"] for row in rows}) == 5
    with (out / "layers.csv").open() as file:
        layers = dict.fromkeys((row["codec"], row["layer"]) for row in csv.DictReader(file))
    assert list(layers) == [(name, number) for name in ("made", "heads") for number in "123"]
    with (out / "costs.csv").open() as file:
        costs = {row["codec"]: row for row in csv.DictReader(file)}
    whole, plain = costs["teacher"], costs["plain"]
    # The encoder counts in parameters, and is in no file of the run.
    assert int(whole["size_bytes"]) < 4 * int(whole["parameters"])
    assert int(whole["transmitter_multiply_adds"]) > int(plain["transmitter_multiply_adds"])
    # Kept results need no folder; what has to be heard again does.
    (tmp_path / "encoder").rename(tmp_path / "elsewhere")
    answer = semcom("run", str(out / "scenario.yaml"), "--out", str(out))
    assert answer.code == 2 and "codecs.teacher.folder: must be a folder" in " ".join(answer.err.split())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("codecs.teacher.folder=nowhere", "codecs.teacher.folder: must be a folder"),
        ("codecs.teacher={kind: pretrained_speech}", "codecs.teacher.folder must name the folder"),
        ("codecs.taken.adopt={receiver: teacher}", "must name transmitter, got receiver"),
        (
            "codecs.teacher.distill={methods: [{kind: masked_prediction}]}",
            "masked_prediction must have the parts of",
        ),
        ("codecs.made.adopt.around=plain", "must be of the shape of the codec in adopt.around"),
        ("codecs.plain.distill.methods=[{kind: hidden_hints}]", "hidden_hints must have layers of equal places"),
        ("codecs.plain.distill.methods=[{kind: attention_features}]", "attention_features must have layers of equal"),
        ("codecs.made.layers=[1]", "layers must end with 3"),
        ("codecs.taken.prune={kind: layers, share: 0.5}", "prune"),
    ],
)
def test_what_does_not_fit_is_refused(scenario: Path, change: str, told: str) -> None:
    with pytest.raises(UserMistake, match=told):
        load_scenario(scenario, (change,))


def test_check_reads_the_shape_without_torch_or_transformers(scenario: Path) -> None:
    program = (
        "import sys, semcom.cli\nfrom pathlib import Path\n"
        "from semcom.scenario.load import load_scenario\n"
        "from semcom.scenario.expand import expand\n"
        "scenario, _ = load_scenario(Path(sys.argv[1]), ())\n"
        "print(*(build.spec.told for build in expand(scenario).builds[:1]))\n"
        "print(*(name for name in ('torch._C', 'torch.nn', 'transformers', 'scipy') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program, scenario], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["frozen hubert, 3x16, 4 symbols a word", ""], done.stderr


def test_the_base_size_is_counted_on_until_a_folder_says_otherwise() -> None:
    spec = PretrainedSpeechSpec()
    assert (spec.width, len(spec.widths_of("sent")), spec.encoder.field) == (768, 12, 400)
    assert spec.encoder.frames_of(16_000) == 49
    # 12 layers of 7.1 million on the 49 frames of a second, and the convolutions, which are more than a third of it.
    assert 6e9 < spec.rough_multiply_adds < 7e9
    with pytest.raises(ValueError, match="must have a folder"):
        make(spec, 3)
    with pytest.raises(ValueError, match="multiple of 50"):
        replace(spec, rate=8001)
