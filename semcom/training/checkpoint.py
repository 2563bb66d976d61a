"""Weights and training state on disk: written whole or not at all, read without trusting them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from semcom.files import digest, digest_of, write_atomically
from semcom.mistakes import UserMistake

# Stands before a checkpoint's digest. Older checkpoints have neither and begin as an archive does.
MARK = b"semcom checkpoint 1 "
ARCHIVE = b"PK"


def weights_of(module: nn.Module) -> dict[str, Tensor]:
    """Every parameter and every buffer of the state once, under its first name; tied ones are not repeated.

    Parts that say of themselves that they are `kept_elsewhere` are left out.
    """
    ours = _kept(module)
    parameters = {name: each.detach() for name, each in module.named_parameters() if name in ours}
    return parameters | buffers_of(module)


def buffers_of(module: nn.Module) -> dict[str, Tensor]:
    """What a module keeps beside its parameters, such as the running statistics of batch normalization."""
    ours = _kept(module)
    return {name: buffer for name, buffer in module.named_buffers() if name in ours}


def _kept(module: nn.Module) -> set[str]:
    """Names of the state, without those of parts whose files are not ours."""
    elsewhere = tuple(f"{name}." for name, each in module.named_modules() if getattr(each, "kept_elsewhere", False))
    return {name for name in module.state_dict(keep_vars=True) if not name.startswith(elsewhere)}


def save_weights(module: nn.Module, path: Path, *, about: dict[str, str]) -> str:
    """Save parameters and buffers as safetensors, with strings about them in the header; equal ones give equal bytes.

    Returns:
        The digest of the file.
    """
    weights = {name: weight.cpu().contiguous() for name, weight in weights_of(module).items()}
    # Bytes first: of a full disk, writing them tells in the system's own words.
    content = _in_order(save(weights, metadata=about))
    write_atomically(path, content)
    return digest(content)


def _in_order(content: bytes) -> bytes:
    """A safetensors file whose header tells about it in alphabetical order: safetensors itself takes any order."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    about = {"__metadata__": dict(sorted(header.pop("__metadata__", {}).items()))}
    told = json.dumps(about | header, separators=(",", ":"), ensure_ascii=False).encode()
    return content[:8] + told.ljust(size) + content[8 + size :]


def load_weights(module: nn.Module, path: Path, *, build: str | None = None, noted: str | None = None) -> None:
    """Fill a module from safetensors; every name, shape and type must be the module's own.

    Args:
        build: whose weights they must be, as their header says. Codecs of one shape fit each other's weights, and an
            exchanged pair of files would exchange their results. None takes any that fit.
        noted: the digest that the file had when it was saved; None takes any bytes.

    Raises:
        UserMistake: the file is missing, damaged, not safetensors, another build's, of another shape or type, or not
            finite.
    """
    own = weights_of(module)
    try:
        _check_digest(path, noted)
        with safe_open(path, framework="pt", device="cpu") as stored:
            _check_owner(path, stored.metadata(), build)
            names = set(stored.keys())
            if names != set(own):
                strange = sorted(names.symmetric_difference(own))[:3]
                raise UserMistake(f"{path}: these weights belong to another network: {', '.join(strange)} do not match")
            for name, weight in own.items():
                shape = tuple(stored.get_slice(name).get_shape())
                if shape != tuple(weight.shape):
                    raise UserMistake(
                        f"{path}: {name} must have shape {tuple(weight.shape)}, got {shape}; "
                        "the weights belong to a codec of another size or vocabulary"
                    )
            # All are looked at before any is changed.
            sound = {name: _sound(path, name, stored.get_tensor(name), kind=own[name].dtype) for name in own}
            for name, weight in sound.items():
                own[name].copy_(weight)
    except FileNotFoundError:
        raise UserMistake(f"{path}: no such file; train the codec first with `semcom run`") from None
    except (SafetensorError, OSError) as error:
        raise UserMistake(
            f"{path}: not a readable safetensors file ({error}); delete it and run again to retrain"
        ) from None


def about_of(path: Path) -> dict[str, str]:
    """The strings in the header of a safetensors file.

    Raises:
        UserMistake: the file is missing or not safetensors.
    """
    try:
        with safe_open(path, framework="pt", device="cpu") as stored:
            return dict(stored.metadata() or {})
    except FileNotFoundError:
        raise UserMistake(f"{path}: no such file; train the codec first with `semcom run`") from None
    except (SafetensorError, OSError) as error:
        raise UserMistake(
            f"{path}: not a readable safetensors file ({error}); delete it and run again to retrain"
        ) from None


def check_weights(path: Path, *, build: str, noted: str | None = None) -> None:
    """See that a file holds weights of this build, of whatever shape, before anybody takes it over.

    Args:
        noted: the digest that the file had when it was saved, if anybody knows it.

    Raises:
        UserMistake: the file is missing, damaged, not safetensors, another build's, or holds what no training leaves
            behind.
    """
    try:
        _check_digest(path, noted)
        with safe_open(path, framework="pt", device="cpu") as stored:
            _check_owner(path, stored.metadata(), build)
            for name in stored.keys():  # noqa: SIM118 (a safetensors file is no mapping)
                _sound(path, name, stored.get_tensor(name))
    except (SafetensorError, OSError) as error:
        raise UserMistake(f"{path}: not a readable safetensors file ({error})") from None


def _check_digest(path: Path, noted: str | None) -> None:
    if noted is not None and digest_of(path) != noted:
        raise UserMistake(
            f"{path}: must be as the training saved it, got a damaged, edited or exchanged file; run again to retrain"
        )


def _check_owner(path: Path, about: dict[str, str] | None, build: str | None) -> None:
    owner = (about or {}).get("build", "nobody")
    if build is not None and owner != build:
        raise UserMistake(
            f"{path}: must hold the weights of build {build}, got those of {owner}; files were exchanged, so delete it "
            "and run again to retrain"
        )


def _sound(path: Path, name: str, weight: Tensor, *, kind: torch.dtype | None = None) -> Tensor:
    """The same weight, if a training can have left it behind.

    Args:
        kind: the type that it must have; None takes any.
    """
    if kind is not None and weight.dtype != kind:
        wanted, found = (str(each).removeprefix("torch.") for each in (kind, weight.dtype))
        raise UserMistake(f"{path}: {name} must be of {wanted}, got {found}; delete it and run again to retrain")
    # In the widest type, since those of eight bits cannot be asked.
    if weight.is_floating_point() and not weight.double().isfinite().all():
        raise UserMistake(f"{path}: {name} must be finite, got NaN or infinity; delete it and run again to retrain")
    return weight


class Checkpoint:
    """The state of one unfinished training, replaced whole at every save.

    Only tensors, numbers and strings go in, so that it can be read with `weights_only=True`: a file from
    outside cannot run code. Its first line holds a digest of the rest.

    Args:
        path: where it lives.
        identity: of what is trained; a checkpoint of anything else is not taken.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self.identity = identity

    def save(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint by this state."""
        buffer = io.BytesIO()
        torch.save({**state, "identity": self.identity}, buffer)
        payload = buffer.getvalue()
        write_atomically(self.path, MARK + digest(payload).encode() + b"\n" + payload)

    def load(self) -> dict[str, Any] | None:
        """The state last saved, or None if there is none worth going on from.

        A damaged or foreign checkpoint is not an error: it costs the training done so far, never the result.
        """
        if not self.path.exists():
            return None
        try:
            payload = io.BytesIO(_as_saved(self.path.read_bytes()))
            state = torch.load(payload, weights_only=True, map_location="cpu")
        except Exception:  # torch raises half a dozen types for a damaged file, and none is a reason to stop
            return None
        if not isinstance(state, dict) or state.get("identity") != self.identity:
            return None
        return state


def _as_saved(content: bytes) -> bytes:
    """What a checkpoint holds behind its first line, if that line is true."""
    if content.startswith(ARCHIVE):
        return content
    told, _, payload = content.partition(b"\n")
    if told != MARK + digest(payload).encode():
        raise ValueError("the digest does not match")
    return payload


def about_codec(spec: object, **more: object) -> dict[str, str]:
    """A safetensors header: strings only."""
    return {"spec": json.dumps(spec, sort_keys=True), **{key: str(value) for key, value in more.items()}}
