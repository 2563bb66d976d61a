"""Separate: the codec of separate source and channel coding, which enters a scenario like one that learned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from channels import Arrived
from semcom.baselines.blocks import Block, block_of
from semcom.baselines.huffman import Bits
from semcom.baselines.mapping import to_ratios, to_symbols
from semcom.baselines.separate_spec import SeparateSpec
from semcom.baselines.sources import Source, source_of
from semcom.baselines.text_codes import table_of
from semcom.languages.language import Language
from semcom.models.codec import Codec
from semcom.models.likelihoods import LEAST, per_symbol
from semcom.models.semantic import TOKENS
from semcom.models.trace import Heard, Sent
from semcom.sources.batch import Batch
from semcom.sources.batches import SentenceBatch, make_batch
from semcom.sources.tokenizer import PAD, Tokenizer


class Table(nn.Module):
    """What both sides hold of the training text, as bytes; zeros behind it."""

    held: Tensor

    def __init__(self, room: int) -> None:
        super().__init__()
        if room:
            self.register_buffer("held", torch.zeros(room, dtype=torch.uint8))

    def fill(self, content: bytes) -> None:
        """Hold this."""
        self.held.zero_()
        self.held[: len(content)] = torch.frombuffer(bytearray(content), dtype=torch.uint8)

    def read(self) -> bytes:
        """What is held, with the zeros."""
        return bytes(self.held.cpu().numpy()) if hasattr(self, "held") else b""


class Separate(Codec):
    """The textbook's receiver: it finds the bits first, by their code alone, and believes a block whole or not at all.

    It knows gain and noise power as far as its csi does, and takes interference for Gaussian noise of known power. Of
    each sentence it is told how many tokens it has and how many bits its block, nothing else.

    Most source codes need more than the shape: `study` takes their tables from training text, once, and `equip` hands
    over what is kept elsewhere.

    Args:
        spec: the shape.
        outputs: how many token numbers there are, the vocabulary.
    """

    spec: SeparateSpec
    transmitter: Table
    receiver: Table

    def __init__(self, spec: SeparateSpec, outputs: int) -> None:
        super().__init__(spec, outputs)
        self.transmitter = Table(spec.table_bytes)
        self.receiver = self.transmitter
        self._tokenizer: Tokenizer | None = None
        self._language: Language | None = None
        self._source: Source | None = None
        self._packed: dict[tuple[int, ...], Bits] = {}
        self._read: dict[tuple[Bits, int], list[int]] = {}

    def study(self, sentences: Sequence[str]) -> None:
        """Fill the tables from training text."""
        if self.spec.table_bytes:
            self.transmitter.fill(table_of(self.spec.source, sentences, self.spec.table_bytes))

    def equip(self, tokenizer: Tokenizer, language: Language | None = None) -> None:
        """Hand over how tokens are written, and the language to count with."""
        self._tokenizer, self._language, self._source = tokenizer, language, None

    def example(self) -> SentenceBatch:
        """One sentence of 20 tokens."""
        return make_batch([[index % self.outputs for index in range(TOKENS)]])

    def stacks(self) -> tuple[nn.ModuleList, ...]:
        """No layers."""
        return ()

    def send(self, batch: Batch) -> Sent:
        """Symbols [batch, K] complex, points of QAM at mean power 1, padding silent."""
        assert isinstance(batch, SentenceBatch)
        symbols = torch.zeros(len(batch), batch.mask.shape[1] * self.spec.symbols_per_token, dtype=torch.complex64)
        packed = self._pack(batch)
        for block, rows in self._blocks(batch).items():
            payload = torch.tensor([_padded(packed[row], block) for row in rows])
            symbols[rows, : block.symbols] = to_symbols(block.encode(payload), block.bits_per_symbol)
        return Sent(symbols.to(batch.mask.device), layers=())

    def hear(self, arrived: Arrived, batch: Batch) -> Heard:
        """Nothing to compare: it has no logits."""
        raise ValueError("separate coding learns nothing and has no logits; call decode")

    def decode(self, arrived: Arrived, batch: Batch, *, beam: int = 1) -> Tensor:
        """The tokens [batch, longest] that the blocks say; padding where a block failed and is dropped."""
        assert isinstance(batch, SentenceBatch)
        symbols, gain = arrived.symbols.cpu(), per_symbol(arrived.gain, arrived).cpu()
        noise = per_symbol(arrived.noise_power, arrived).clamp_min(LEAST).cpu()
        lengths, found = batch.lengths.tolist(), list[tuple[int, Bits, bool]]()
        for block, rows in self._blocks(batch).items():
            heard, gains, powers = (each[rows, : block.symbols] for each in (symbols, gain, noise))
            ratios = to_ratios(heard, gains, powers, block.bits_per_symbol)
            payloads, believed = block.decode(ratios, self.spec.iterations)
            texts = ("".join(map(str, payload)) for payload in payloads.int().tolist())
            found += zip(rows, texts, believed.tolist(), strict=True)
        kept = [(row, payload, sure) for row, payload, sure in found if sure or self.spec.on_failure == "keep"]
        answers = torch.full(batch.mask.shape, PAD)
        told = self._unpack([(payload, lengths[row]) for row, payload, _ in kept], [sure for _, _, sure in kept])
        for (row, _, _), tokens in zip(kept, told, strict=True):
            fitting = tokens[: lengths[row]]
            answers[row, : len(fitting)] = torch.tensor(fitting, dtype=torch.long)
        return answers.to(batch.mask.device)

    @property
    def source(self) -> Source:
        """The source code, made when it is first needed."""
        if self._source is None:
            self._packed.clear()
            self._read.clear()
            self._source = source_of(
                self.spec,
                self.outputs,
                self.transmitter.read(),
                tokenizer=self._tokenizer,
                language=self._language,
            )
        return self._source

    def _blocks(self, batch: SentenceBatch) -> dict[Block, list[int]]:
        """Rows of a batch by the block that each is, which a control channel tells the receiver."""
        found: dict[Block, list[int]] = defaultdict(list)
        for row, (bits, length) in enumerate(zip(self._pack(batch), batch.lengths.tolist(), strict=True)):
            found[block_of(self.spec, len(bits), length * self.spec.symbols_per_token)].append(row)
        return found

    def _pack(self, batch: SentenceBatch) -> list[Bits]:
        """The bits of each sentence; asked again, they are remembered."""
        source = self.source
        rows = [tuple(row[:length]) for row, length in zip(batch.tokens.tolist(), batch.lengths.tolist(), strict=True)]
        new = list(dict.fromkeys(row for row in rows if row not in self._packed))
        self._packed |= dict(zip(new, source.pack(new), strict=True))
        return [self._packed[row] for row in rows]

    def _unpack(self, payloads: Sequence[tuple[Bits, int]], sure: Sequence[bool]) -> list[list[int]]:
        """The tokens of payloads and lengths; of those that were right, which come at every operating point again, they
        are remembered."""
        new = list(dict.fromkeys(each for each in payloads if each not in self._read))
        read = dict(zip(new, self.source.unpack(*zip(*new, strict=True)), strict=True)) if new else {}
        self._read |= {each: read[each] for each, right in zip(payloads, sure, strict=True) if right and each in read}
        return [read[each] if each in read else self._read[each] for each in payloads]


def _padded(bits: Bits, block: Block) -> list[float]:
    return [float(bit) for bit in bits.ljust(block.bits - block.crc, "0")]
