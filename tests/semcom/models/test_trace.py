"""masked_mean: padding counts for nothing, whatever stands in it."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from semcom.models.trace import masked_mean


@given(st.lists(st.integers(1, 6), min_size=1, max_size=8), st.integers(0, 5), st.integers(0, 2**31))
def test_more_padding_changes_nothing(lengths: list[int], extra: int, seed: int) -> None:
    longest = max(lengths)
    values = torch.randn(len(lengths), longest + extra, generator=torch.Generator().manual_seed(seed))
    mask = torch.arange(longest + extra) < torch.tensor(lengths)[:, None]
    real = torch.cat([row[:length] for row, length in zip(values, lengths, strict=True)])
    torch.testing.assert_close(masked_mean(values, mask), real.mean())
    spoiled = torch.where(mask, values, torch.nan)
    assert torch.equal(masked_mean(spoiled, mask), masked_mean(values, mask))


def test_padding_gets_no_gradient() -> None:
    values = torch.tensor([[1.0, 2.0, torch.inf]], requires_grad=True)
    masked_mean(values, torch.tensor([[True, True, False]])).backward()
    assert values.grad.tolist() == [[0.5, 0.5, 0.0]]
