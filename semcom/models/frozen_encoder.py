"""FrozenEncoder: a pretrained speech encoder of transformers, read from a folder and left as it is."""

from __future__ import annotations

import warnings
from typing import Any, Self

import torch
from torch import Tensor, nn

from semcom.mistakes import UserMistake
from semcom.models.encoder_folder import FAMILIES, WEIGHTS, EncoderFolder, encoder_in

# As files of earlier versions of torch call the two parts of a normalized weight.
RENAMED = {"conv.weight_g": "conv.parametrizations.weight.original0"}
RENAMED |= {"conv.weight_v": "conv.parametrizations.weight.original1"}
# Nothing is dropped or hidden, and no layer left out, whatever was done when it was trained.
QUIET: dict[str, Any] = {
    **dict.fromkeys(("hidden_dropout", "activation_dropout", "attention_dropout", "feat_proj_dropout"), 0.0),
    **dict.fromkeys(("layerdrop", "mask_time_prob", "mask_feature_prob"), 0.0),
    "apply_spec_augment": False,
}


class FrozenEncoder(nn.Module):
    """Makes hidden layers of waveforms. It is never trained, and always in evaluation mode.

    They are what transformers calls `hidden_states`: the first is what enters the first layer, behind convolutions,
    projection and positions, the others are what each layer puts out. A last normalization behind all layers, as large
    encoders have, is left out: it belongs to no layer.

    Args:
        folder: where it is; see `EncoderFolder`.
        digest: what `EncoderFolder.digest` must be.
        has_layers: whether there are Transformer layers; without them it makes what enters the first one.

    Raises:
        UserMistake: the folder is gone, or holds something else now.
        ValueError: no folder is named.
    """

    kept_elsewhere = True
    """Its weights stay in their folder: no file of a codec repeats them (`semcom.training.checkpoint`)."""

    def __init__(self, folder: str, digest: str, *, has_layers: bool = True) -> None:
        super().__init__()
        if not folder:
            raise ValueError("a codec with a pretrained encoder must have a folder to read it from, got none")
        self.there = encoder_in(folder)
        if self.there.digest != digest:
            raise UserMistake(
                f"{folder}: must hold the encoder that was there when the scenario was read, got another; put it back, "
                "or run again: with another encoder it is another codec"
            )
        self.model = _architecture(self.there, has_layers)
        if torch.get_default_device().type != "meta":
            self.model.load_state_dict(_weights(self.there, self.model), assign=True)
        self.model.requires_grad_(False)
        self.train(False)

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode, whatever the rest of the codec does."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """What enters the first layer, and the layers, [batch, frames, width] each.

        Args:
            waveform: at 16 kHz [batch, samples], zeros behind each word.
            lengths: of the words [batch], at least one field of the encoder [samples].
        """
        mask = None
        if self.there.masks and not waveform.is_meta:  # without memory behind it nothing is there to be kept out
            mask = (torch.arange(waveform.shape[1], device=waveform.device) < lengths[:, None]).long()
        with warnings.catch_warnings():
            # WavLM hands torch a mask of truths beside a bias of numbers: deprecated there, and as it should be.
            warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")
            made = self.model(waveform, attention_mask=mask, output_hidden_states=True)
        if not len(self.model.encoder.layers):
            return made.last_hidden_state, ()
        first, *layers = made.hidden_states
        return first, tuple(layers)


def _architecture(there: EncoderFolder, has_layers: bool) -> Any:
    """The model without memory behind its weights, and without what is behind its layers."""
    import transformers

    config, model = (getattr(transformers, name) for name in FAMILIES[there.family])
    with torch.device("meta"):
        made = model(config(**there.settings, **QUIET))
    if there.settings["do_stable_layer_norm"]:
        made.encoder.layer_norm = nn.Identity()
    if not has_layers:
        made.encoder.layers = nn.ModuleList()
    return made


def _weights(there: EncoderFolder, model: nn.Module) -> dict[str, Tensor]:
    """The weights that the model has, from the file; what else is in it, such as heads, is not looked at."""
    from safetensors import SafetensorError, safe_open

    path, wanted = there.folder / WEIGHTS, model.state_dict()
    found: dict[str, Tensor] = {}
    try:
        with safe_open(path, framework="pt", device="cpu") as stored:
            names = {_plain(name, there.family): name for name in stored.keys()}  # noqa: SIM118 (no mapping)
            for name, like in wanted.items():
                if name not in names:
                    raise UserMistake(f"{path}: must hold {name}, got none; the weights belong to another encoder")
                shape = tuple(stored.get_slice(names[name]).get_shape())
                if shape != tuple(like.shape):
                    raise UserMistake(
                        f"{path}: {name} must have shape {tuple(like.shape)} as config.json says, got {shape}; the "
                        "weights belong to another encoder"
                    )
                # Half precision, as some are kept in, would be lost on a CPU.
                weight = stored.get_tensor(names[name])
                found[name] = weight.to(like.dtype)
                if not found[name].isfinite().all():
                    raise UserMistake(f"{path}: {name} must be finite, got NaN or infinity; fetch it again")
    except (SafetensorError, OSError) as error:
        raise UserMistake(f"{path}: must be a whole safetensors file, got {error}; fetch it again") from None
    return found


def _plain(name: str, family: str) -> str:
    """A weight's name in the encoder alone: models with a head have the encoder's name before it."""
    name = name.removeprefix(f"{family}.")
    for old, new in RENAMED.items():
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name
