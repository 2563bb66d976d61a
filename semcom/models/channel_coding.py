"""Fully connected channel encoder and decoder: features to reals for the air, and back."""

from __future__ import annotations

from torch import Tensor, nn

from semcom.models.semantic_spec import SideSpec


class ChannelEncoder(nn.Module):
    """Features [batch, length, width] to 2 x symbols_per_token reals a token: width -> hidden -> reals.

    Source: Xie et al., Deep Learning Enabled Semantic Communication Systems, IEEE TSP 69, 2021, Table I.
    """

    def __init__(self, side: SideSpec, symbols_per_token: int) -> None:
        super().__init__()
        self.inner = nn.Linear(side.width, side.channel_hidden)
        self.outer = nn.Linear(side.channel_hidden, 2 * symbols_per_token)

    def forward(self, features: Tensor) -> Tensor:
        reals: Tensor = self.outer(self.inner(features).relu())
        return reals


class ChannelDecoder(nn.Module):
    """Received reals [batch, length, 2 x symbols_per_token] to features, with a residual path.

    reals -> width, then width -> hidden -> width added to it, then layer normalization, as in the official
    DeepSC code.
    """

    def __init__(self, side: SideSpec, symbols_per_token: int) -> None:
        super().__init__()
        self.inner = nn.Linear(2 * symbols_per_token, side.width)
        self.hidden = nn.Linear(side.width, side.channel_hidden)
        self.outer = nn.Linear(side.channel_hidden, side.width)
        self.norm = nn.LayerNorm(side.width)

    def forward(self, reals: Tensor) -> Tensor:
        features = self.inner(reals)
        decoded: Tensor = self.norm(features + self.outer(self.hidden(features.relu()).relu()))
        return decoded
