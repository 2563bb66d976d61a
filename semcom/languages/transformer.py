"""TransformerLanguage: a decoder-only Transformer that tells how likely the next token is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from semcom.languages.language import BOUNDARY
from semcom.languages.rows import following
from semcom.languages.transformer_spec import TransformerSpec
from semcom.models.attention import MultiHeadAttention
from semcom.models.layers import KeysAndValues, Residual, add_positions, feed_forward, final_norm, look_back
from semcom.models.sides import embedding
from semcom.sources.batches import SentenceBatch


class CausalLayer(nn.Module):
    """Self-attention that sees no later position, then feed-forward, over [batch, length, width]."""

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(spec.width, spec.heads)
        self.feedforward = feed_forward(spec.side)
        self.around_attention = Residual(spec.width, spec.manner)
        self.around_feedforward = Residual(spec.width, spec.manner)

    def forward(self, features: Tensor) -> Tensor:
        """A whole sentence at once. Padding needs no mask: it comes last, so nobody real looks at it."""
        features = self.around_attention(
            features, lambda x: self.attention.attend(x, self.attention.remember(x), causal=True)
        )
        return self.around_feedforward(features, self.feedforward)

    def step(self, features: Tensor, past: KeysAndValues | None) -> tuple[Tensor, KeysAndValues]:
        """One position [rows, 1, width] more, given the keys and values of those before it."""
        features, grown = look_back(self.attention, self.around_attention, features, past)
        return self.around_feedforward(features, self.feedforward), grown


@dataclass(eq=False)
class _State:
    """Beginnings of one length: what each layer remembers of them, and log-probabilities of what comes next."""

    past: list[KeysAndValues]
    features: Tensor  # [rows, width], of the last position
    scores: Tensor | None = None  # [rows, vocabulary], worked out when somebody asks


class TransformerLanguage(nn.Module):
    """A language model that reads all of the beginning.

    Sentences begin with BOUNDARY, and BOUNDARY follows their last token. The first weights are whatever torch draws
    (`initialize_language` fixes them). All answers are in single precision at least, whatever training computes in.

    Args:
        spec: the shape.
        outputs: how many token numbers there are, the vocabulary.

    Source: Vaswani et al., NeurIPS 2017, section 3, without the encoder; pre-norm after Radford et al., Language
    Models are Unsupervised Multitask Learners, 2019, section 2.3; one matrix for input and output after Press and
    Wolf, EACL 2017.
    """

    def __init__(self, spec: TransformerSpec, outputs: int) -> None:
        super().__init__()
        if outputs <= BOUNDARY:
            raise ValueError(f"a language must have at least {BOUNDARY + 1} token numbers, got {outputs}")
        self.spec = spec
        self.embedding = embedding(outputs, spec.width)
        self.dropout = nn.Dropout(spec.dropout)
        self.layers = nn.ModuleList(CausalLayer(spec) for _ in range(spec.layers))
        self.norm = final_norm(spec.side, spec.manner)

    @property
    def outputs(self) -> int:
        """The vocabulary."""
        return self.embedding.num_embeddings

    @property
    def memory(self) -> int | None:
        """None: all of a beginning matters."""
        return None

    def _enter(self, tokens: Tensor, *, first: int = 0) -> Tensor:
        known = self.embedding(tokens) * self.spec.width**0.5
        entered: Tensor = self.dropout(add_positions(known, first=first))
        return entered

    def _leave(self, features: Tensor) -> Tensor:
        return F.linear(self.norm(features), self.embedding.weight)

    def logits(self, batch: SentenceBatch) -> Tensor:
        """For every token of whole sentences and for what follows the last, in one pass [batch, longest + 1, V]."""
        features = self._enter(F.pad(batch.tokens, (1, 0), value=BOUNDARY))
        for layer in self.layers:
            features = layer(features)
        return self._leave(features)

    @torch.no_grad()
    def everything(self, batch: SentenceBatch) -> Tensor:
        """Log-probabilities of all tokens at every position of whole sentences [batch, longest + 1, V].

        Row i stands behind the first i tokens; what rows behind a sentence's end say means nothing.
        """
        return self.logits(batch).float().log_softmax(dim=-1)

    @torch.no_grad()
    def tell(self, batch: SentenceBatch) -> Tensor:
        """See `Language.tell`."""
        tokens, real = following(batch)
        told = self.everything(batch).gather(-1, tokens[..., None])[..., 0]
        return torch.where(real, told, 0.0)

    @torch.no_grad()
    def begin(self, rows: int) -> _State:
        """See `Language.begin`."""
        return self._step(torch.full((rows,), BOUNDARY, device=self.embedding.weight.device), None)

    @torch.no_grad()
    def scores(self, state: _State, candidates: Tensor | None = None) -> Tensor:
        """See `Language.scores`."""
        if state.scores is None:
            state.scores = self._leave(state.features).float().log_softmax(dim=-1)
        return state.scores if candidates is None else state.scores.gather(1, candidates)

    @torch.no_grad()
    def extend(self, state: _State, parents: Tensor, tokens: Tensor) -> _State:
        """See `Language.extend`."""
        past = [(keys.index_select(0, parents), values.index_select(0, parents)) for keys, values in state.past]
        return self._step(tokens, past)

    def _step(self, tokens: Tensor, past: list[KeysAndValues] | None) -> _State:
        features = self._enter(tokens[:, None], first=past[0][0].shape[2] if past else 0)
        grown = []
        for index, layer in enumerate(self.layers):
            assert isinstance(layer, CausalLayer)
            features, remembered = layer.step(features, past[index] if past else None)
            grown.append(remembered)
        return _State(grown, features[:, 0])


def initialize_language(spec: TransformerSpec, outputs: int, *, seed: int) -> TransformerLanguage:
    """A fresh language, not in training mode, whose weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed accelerators too, for good
        return TransformerLanguage(spec, outputs).eval()
