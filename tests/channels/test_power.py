"""Unit power over what is really sent, whatever the scale and however long the padding."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from channels import Chance, complex_gaussian, normalize_power, to_reals, to_symbols


def sentence(symbols: int, *, batch: int = 1, seed: int = 0) -> torch.Tensor:
    return complex_gaussian((batch, symbols), generator=Chance(seed).of("sentence").generator())


@given(batch=st.integers(1, 4), pairs=st.integers(1, 9), seed=st.integers(0, 99))
def test_pairing_survives_the_round_trip(batch: int, pairs: int, seed: int) -> None:
    reals = torch.randn((batch, 2, 2 * pairs), generator=Chance(seed).generator())
    assert to_symbols(reals).shape == (batch, 2, pairs)
    assert torch.equal(to_reals(to_symbols(reals)), reals)


def test_neighbors_are_paired() -> None:
    assert to_symbols(torch.tensor([1.0, 2.0, 3.0, 4.0])).tolist() == [1 + 2j, 3 + 4j]


def test_a_strided_view_can_be_paired() -> None:
    reals = torch.arange(12.0).reshape(6, 2).T
    assert to_symbols(reals)[0].tolist() == [0 + 2j, 4 + 6j, 8 + 10j]


def test_a_conjugate_that_is_still_to_be_worked_out_is_one_like_any_other() -> None:
    symbols = torch.randn(3, 4, dtype=torch.complex64, generator=torch.Generator().manual_seed(1))
    worked_out = symbols.conj().resolve_conj()
    assert torch.equal(to_reals(symbols.conj()), to_reals(worked_out))
    torch.testing.assert_close(normalize_power(symbols.conj()), normalize_power(worked_out))


def test_brain_floats_are_paired_as_wider_ones() -> None:
    reals = torch.randn(2, 6, generator=torch.Generator().manual_seed(1)).bfloat16()
    assert torch.equal(to_symbols(reals), to_symbols(reals.float()))


def test_an_odd_width_is_refused() -> None:
    with pytest.raises(ValueError, match="must come in pairs along the last axis, got 3"):
        to_symbols(torch.zeros(2, 3))


@given(real=st.integers(1, 40), padding=st.integers(0, 40), scale=st.floats(1e-2, 1e3), seed=st.integers(0, 99))
def test_power_is_one_whatever_scale_and_padding(real: int, padding: int, scale: float, seed: int) -> None:
    alone = sentence(real, seed=seed)
    padded = torch.cat((alone * scale, 5 * scale * sentence(padding, seed=seed + 1)), dim=1)
    sent = torch.arange(real + padding).unsqueeze(0) < real
    result = normalize_power(padded, sent)
    assert result.abs().square().sum().item() / real == pytest.approx(1.0, rel=1e-5)
    torch.testing.assert_close(result[:, :real], normalize_power(alone), rtol=1e-4, atol=1e-5)
    assert torch.count_nonzero(result[:, real:]) == 0


def test_every_sentence_is_normalized_by_itself() -> None:
    loud_and_quiet = sentence(30, batch=3) * torch.tensor([[1e-2], [1.0], [1e2]])
    power = normalize_power(loud_and_quiet).abs().square().mean(dim=1)
    torch.testing.assert_close(power, torch.ones(3))


def test_whatever_stands_in_the_padding_is_not_heard() -> None:
    symbols = sentence(6)
    sent = torch.tensor([[True, True, True, True, False, False]])
    poisoned = symbols.clone()
    poisoned[:, 4:] = complex("nan")
    assert torch.equal(normalize_power(poisoned, sent), normalize_power(symbols, sent))


@pytest.mark.parametrize("sent", [None, torch.ones(2, 5, dtype=torch.bool), torch.zeros(2, 5, dtype=torch.bool)])
def test_silence_stays_silent_with_a_finite_gradient(sent: torch.Tensor | None) -> None:
    symbols = torch.zeros(2, 5, dtype=torch.complex64, requires_grad=True)
    result = normalize_power(symbols, sent)
    assert torch.count_nonzero(result) == 0
    result.real.sum().backward()
    assert symbols.grad is not None
    assert symbols.grad.isfinite().all()


def test_the_gradient_never_asks_for_more_power() -> None:
    # Unit power holds whatever the scale, so no loss can gain by scaling: the gradient is orthogonal to the symbols.
    symbols = sentence(20).requires_grad_()
    (normalize_power(symbols) * sentence(20, seed=5).conj()).real.sum().backward()
    assert symbols.grad is not None
    along = (symbols.grad.conj() * symbols.detach()).real.sum()
    assert abs(along.item()) < 1e-4 * symbols.grad.abs().sum().item()


def test_a_mask_over_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must mark every symbol of shape \(1, 6\), got \(1, 3\)"):
        normalize_power(sentence(6), torch.ones(1, 3, dtype=torch.bool))
