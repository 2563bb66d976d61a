"""The methods a scenario may name."""

from __future__ import annotations

from semcom.distillation.attention_features import AttentionFeatures
from semcom.distillation.attention_maps import AttentionMaps
from semcom.distillation.components import Components
from semcom.distillation.decoupled_logits import DecoupledLogits
from semcom.distillation.generated_layers import GeneratedLayers
from semcom.distillation.hidden_hints import HiddenHints
from semcom.distillation.layered import Layered
from semcom.distillation.masked_prediction import MaskedPrediction
from semcom.distillation.received_symbols import ReceivedSymbols
from semcom.distillation.relations import Relations
from semcom.distillation.representative_keys import RepresentativeKeys
from semcom.distillation.reverse_logits import ReverseLogits
from semcom.distillation.sequence_level import SequenceLevel
from semcom.distillation.similarity_preserving import SimilarityPreserving
from semcom.distillation.soft_logits import SoftLogits
from semcom.distillation.stage_attention import StageAttention
from semcom.distillation.stage_hints import StageHints
from semcom.distillation.symbols import Symbols

METHODS = (
    SoftLogits,
    ReverseLogits,
    DecoupledLogits,
    SequenceLevel,
    HiddenHints,
    GeneratedLayers,
    StageHints,
    StageAttention,
    AttentionFeatures,
    RepresentativeKeys,
    Layered,
    MaskedPrediction,
    AttentionMaps,
    Relations,
    SimilarityPreserving,
    Components,
    Symbols,
    ReceivedSymbols,
)

AnyMethod = (
    SoftLogits
    | ReverseLogits
    | DecoupledLogits
    | SequenceLevel
    | HiddenHints
    | GeneratedLayers
    | StageHints
    | StageAttention
    | AttentionFeatures
    | RepresentativeKeys
    | Layered
    | MaskedPrediction
    | AttentionMaps
    | Relations
    | SimilarityPreserving
    | Components
    | Symbols
    | ReceivedSymbols
)
