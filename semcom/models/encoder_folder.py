"""EncoderFolder: a pretrained speech encoder on disk, found and checked without torch or transformers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from semcom.files import digest, digest_of, expanded
from semcom.mistakes import UserMistake
from semcom.models.semantic_spec import SideSpec

CONFIG, WEIGHTS, PREPROCESSOR = "config.json", "model.safetensors", "preprocessor_config.json"
RATE = 16_000  # of all these encoders [samples a second]
LARGEST_JSON, LARGEST_WEIGHTS = 2**20, 8 * 2**30  # far above any that is published [bytes]
MOST_FIELD = RATE  # that a frame looks at [samples]
ACTIVATIONS = ("gelu", "gelu_new", "relu", "selu")
FAMILIES: dict[str, tuple[str, str]] = {
    "hubert": ("HubertConfig", "HubertModel"),
    "wav2vec2": ("Wav2Vec2Config", "Wav2Vec2Model"),
    "wavlm": ("WavLMConfig", "WavLMModel"),
}
"""The architectures that can be read, as `model_type` calls them, and their classes in transformers."""


@dataclass(frozen=True)
class EncoderFolder:
    """What a folder holds of an encoder.

    Args:
        folder: where it is.
        family: which architecture, a key of `FAMILIES`.
        settings: of the architecture, by the names that transformers has for them; nothing of training.
        normalizes: whether each waveform is brought to mean 0 and variance 1.
        masks: whether padding is kept from attention.
        weights: digest of the file of weights.
    """

    folder: Path
    family: str
    settings: Mapping[str, Any]
    normalizes: bool
    masks: bool
    weights: str = ""

    @property
    def digest(self) -> str:
        """Of all that decides what it computes; where it lies and how its files are spelt does not."""
        told = {name: getattr(self, name) for name in ("family", "settings", "normalizes", "masks", "weights")}
        return digest(json.dumps(told, sort_keys=True).encode())

    @property
    def inside(self) -> SideSpec:
        """Its Transformer, in the numbers that a side is made of."""
        names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
        width, layers, heads, feedforward = (self.settings[name] for name in names)
        return SideSpec(width=width, layers=layers, heads=heads, feedforward=feedforward)

    @property
    def hears_padding(self) -> bool:
        """Whether what it makes of a word changes with the silence behind it.

        A group norm is over a whole recording, padding and all; and without a mask attention sees every frame.
        """
        return not self.masks or self.settings["feat_extract_norm"] == "group"

    @property
    def field(self) -> int:
        """That one frame looks at, and so the least that has a frame [samples at 16 kHz]."""
        seen = 1
        for kernel, stride in reversed(self._steps):
            seen = (seen - 1) * stride + kernel
        return seen

    @property
    def _steps(self) -> list[tuple[int, int]]:
        return list(zip(self.settings["conv_kernel"], self.settings["conv_stride"], strict=True))

    def frames_of(self, samples: Any) -> Any:
        """Frames of that many samples at 16 kHz, a number or a tensor of whole ones; at least one field long."""
        for kernel, stride in self._steps:
            samples = (samples - kernel) // stride + 1
        return samples

    def front_multiply_adds(self, samples: int) -> float:
        """Of all before the first layer, in closed form."""
        made, into = 0.0, 1
        for (kernel, stride), channels in zip(self._steps, self.settings["conv_dim"], strict=True):
            samples = (samples - kernel) // stride + 1
            made += samples * kernel * into * channels
            into = channels
        width, told = self.settings["hidden_size"], self.settings
        positions = told["num_conv_pos_embeddings"] * width**2 / told["num_conv_pos_embedding_groups"]
        return made + samples * (into * width + positions)


def encoder_in(folder: str) -> EncoderFolder:
    """The encoder of a folder, checked and digested; read anew only if one of its files changed.

    Raises:
        UserMistake: it is no such folder, or holds what this cannot read or will not.
    """
    path = expanded(folder)
    if not path.is_dir():
        raise UserMistake(
            f"must be a folder that holds {CONFIG} and {WEIGHTS} of a speech encoder, got {folder}, which is none; "
            "save one there with `save_pretrained` of transformers"
        )
    _check_files(path)
    there = [path / name for name in (CONFIG, WEIGHTS, PREPROCESSOR) if (path / name).is_file()]
    stamps = tuple((each.name, each.stat().st_size, each.stat().st_mtime_ns) for each in there)
    return _read(path.absolute(), stamps)


@lru_cache(maxsize=64)
def _read(path: Path, stamps: tuple[tuple[str, int, int], ...]) -> EncoderFolder:
    family, settings = _settings(path)
    names = {name for name, _, _ in stamps}
    told = _json(path / PREPROCESSOR) if PREPROCESSOR in names else {}
    found = EncoderFolder(
        path,
        family,
        settings,
        normalizes=_flag(path / PREPROCESSOR, told, "do_normalize", False),
        # As the model's own file says, or else as transformers' documentation does: those with a group norm were
        # trained without a mask, those with layer norms with one.
        masks=_flag(path / PREPROCESSOR, told, "return_attention_mask", settings["feat_extract_norm"] == "layer"),
    )
    if (rate := told.get("sampling_rate", RATE)) != RATE:
        raise _refused(path / PREPROCESSOR, f"sampling_rate must be {RATE}, got {rate!r:.40}", "name another encoder")
    try:
        _ = found.inside
    except ValueError as error:
        raise _refused(path / CONFIG, str(error), "this is no encoder that can be read") from None
    if found.field > MOST_FIELD:
        what = f"a frame must look at {MOST_FIELD:,} samples at most, got {found.field:,}"
        raise _refused(path / CONFIG, what, "this is no encoder that can be read")
    _check_weights(path / WEIGHTS)
    return replace(found, weights=digest_of(path / WEIGHTS))


def _check_files(path: Path) -> None:
    """Refuse a folder without the two files that are read, or with one too large."""
    if not (path / CONFIG).is_file():
        raise UserMistake(f"{path}: must hold {CONFIG}, got none; name the folder that `save_pretrained` wrote")
    if not (path / WEIGHTS).is_file():
        if (path / "pytorch_model.bin").exists():
            raise UserMistake(
                f"{path}: must hold its weights in {WEIGHTS}, got the pickle pytorch_model.bin, which could run "
                "anything when it is opened; load it where you trust it and `save_pretrained` it again"
            )
        several = " in one file" if (path / f"{WEIGHTS}.index.json").exists() else ""
        raise UserMistake(f"{path}: must hold its weights in {WEIGHTS}{several}, got none; `save_pretrained` it again")
    for name, most in ((CONFIG, LARGEST_JSON), (PREPROCESSOR, LARGEST_JSON), (WEIGHTS, LARGEST_WEIGHTS)):
        if (path / name).is_file() and (size := (path / name).stat().st_size) > most:
            raise _refused(path / name, f"must be of {most:,} bytes at most, got {size:,}", "name another encoder")


def _check_weights(path: Path) -> None:
    """Read the header and hold it against the length of the file; no weight is looked at."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy"):
            pass
    except (SafetensorError, OSError) as error:
        raise _refused(path, f"must be a whole safetensors file, got {error}", "fetch it again") from None


def _json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _refused(path, f"must be readable JSON, got {error!s:.100}", "fetch it again") from None
    if not isinstance(told, dict):
        raise _refused(path, "must hold settings by name, got none", "fetch it again")
    return told


def _flag(path: Path, told: Mapping[str, Any], name: str, usual: bool) -> bool:
    value = told.get(name, usual)
    if not isinstance(value, bool):
        raise _refused(path, f"{name} must be true or false, got {value!r:.40}", "fetch it again")
    return value


def _refused(path: Path, what: str, advice: str) -> UserMistake:
    return UserMistake(f"{path}: {what}; {advice}")


Accepts = Callable[[Any], bool]


def _whole(low: int, high: int) -> tuple[Accepts, str]:
    return lambda value: type(value) is int and low <= value <= high, f"a whole number from {low} to {high:,}"


def _each(low: int, high: int) -> tuple[Accepts, str]:
    one, what = _whole(low, high)
    return lambda value: isinstance(value, list) and 1 <= len(value) <= 16 and all(map(one, value)), f"1 to 16 {what}"


def _among(*values: Any) -> tuple[Accepts, str]:
    # By type as well: 1 is no true.
    known = {(type(each), each) for each in values}
    told = " or ".join(map(str, values))
    return lambda value: isinstance(value, str | bool) and (type(value), value) in known, told


_TRUTH = _among(True, False)
_KNOWN: dict[str, tuple[Accepts, str]] = {
    # Limits of width, layers and heads are those of a side.
    "hidden_size": _whole(2, 4096),
    "num_hidden_layers": _whole(1, 64),
    "num_attention_heads": _whole(1, 4096),
    "intermediate_size": _whole(1, 16_384),
    "hidden_act": _among(*ACTIVATIONS),
    "layer_norm_eps": (lambda value: type(value) is float and 0 < value < 1, "a number between 0 and 1"),
    "feat_extract_norm": _among("group", "layer"),
    "feat_extract_activation": _among(*ACTIVATIONS),
    "conv_dim": _each(1, 4096),
    "conv_kernel": _each(1, 1024),
    "conv_stride": _each(1, 1024),
    "conv_bias": _TRUTH,
    "num_conv_pos_embeddings": _whole(1, 1024),
    "num_conv_pos_embedding_groups": _whole(1, 4096),
    "do_stable_layer_norm": _TRUTH,
}
"""What every family must say, and in which form."""
_OWN: dict[str, dict[str, tuple[Accepts, str, Any]]] = {
    # With what is meant where nothing is said.
    "hubert": {"feat_proj_layer_norm": (*_TRUTH, True), "conv_pos_batch_norm": (*_TRUTH, False)},
    "wav2vec2": {},
    "wavlm": {"num_buckets": (*_whole(4, 4096), 320), "max_bucket_distance": (*_whole(1, 100_000), 800)},
}


def _settings(path: Path) -> tuple[str, dict[str, Any]]:
    """The family, and the settings of its architecture; whatever else the file says is not looked at."""
    told, path = _json(path / CONFIG), path / CONFIG
    family = told.get("model_type")
    if not isinstance(family, str) or family not in FAMILIES:
        raise _refused(path, f"model_type must be {', '.join(FAMILIES)}, got {family!r:.40}", "name another encoder")
    if told.get("adapter_attn_dim") is not None:
        raise _refused(path, "must be without adapters in its layers, got adapter_attn_dim", "name another encoder")
    forms = {name: (*form, None) for name, form in _KNOWN.items()} | _OWN[family]
    settings = {}
    for name, (accepts, what, usual) in forms.items():
        value = told.get(name, usual)
        if not accepts(value):
            got = "none" if value is None else f"{value!r:.60}"
            raise _refused(path, f"{name} must be {what}, got {got}", "this is no encoder that can be read")
        settings[name] = value
    _check_together(path, settings)
    return family, settings


def _check_together(path: Path, settings: Mapping[str, Any]) -> None:
    """Refuse numbers that do not fit one another."""
    lengths = {len(settings[name]) for name in ("conv_dim", "conv_kernel", "conv_stride")}
    what = ""
    if len(lengths) > 1:
        what = "conv_dim, conv_kernel and conv_stride must be equally long"
    elif settings["hidden_size"] % settings["num_conv_pos_embedding_groups"]:
        what = "num_conv_pos_embedding_groups must divide hidden_size"
    elif settings.get("max_bucket_distance", 2**20) <= settings.get("num_buckets", 4) // 4:
        what = "max_bucket_distance must be above a fourth of num_buckets"
    if what:
        raise _refused(path, what, "this is no encoder that can be read")
