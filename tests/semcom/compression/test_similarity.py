"""Unbiased CKA against its formula in fractions and another form of the estimator, and what it must not depend on."""

from fractions import Fraction

import pytest
import torch

from semcom.compression.evidence import Seen
from semcom.compression.similarity import cka_matrix, column_sums, hsic_matrix, rows_of, similarities


def rows(count, width, seed=0):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_the_formula(x, y):
    """HSIC_1 term by term, as Song et al. write it, in exact fractions."""
    x, y = ([[Fraction(value) for value in row] for row in each.tolist()] for each in (x, y))
    n, places = len(x), range(len(x))

    def kernel(z):
        return [[sum(a * b for a, b in zip(z[i], z[j], strict=True)) * (i != j) for j in places] for i in places]

    k, m = kernel(x), kernel(y)
    trace = sum(k[i][j] * m[j][i] for i in places for j in places)
    totals = sum(map(sum, k)) * sum(map(sum, m))
    chain = sum(k[i][j] * m[j][h] for i in places for j in places for h in places)
    return (trace + totals / ((n - 1) * (n - 2)) - Fraction(2, n - 2) * chain) / (n * (n - 3))


def by_centering(x, y):
    """The same estimate as the mean product of U-centered kernels (Szekely and Rizzo, 2014)."""

    def centered(z):
        n, kernel = len(z), (z @ z.T).fill_diagonal_(0)
        sums = kernel.sum(dim=1)
        kernel = kernel - (sums[:, None] + sums) / (n - 2) + kernel.sum() / ((n - 1) * (n - 2))
        return kernel.fill_diagonal_(0)

    return (centered(x) * centered(y)).sum() / (len(x) * (len(x) - 3))


def test_a_computation_by_hand() -> None:
    """x = 0, 1, 3, 6 and y = 1, 0, 2, 4."""
    x, y = torch.tensor([[0.0], [1.0], [3.0], [6.0]]).double(), torch.tensor([[1.0], [0.0], [2.0], [4.0]]).double()
    # Off the diagonal K has 1 x 3, 1 x 6, 3 x 6 and L has 1 x 2, 1 x 4, 2 x 4; their rows sum to 0, 9, 21, 24 and to
    # 6, 0, 10, 12, and one pair is in both.
    trace, totals, chain = 2 * 18 * 8, 54 * 28, 0 * 6 + 9 * 0 + 21 * 10 + 24 * 12
    expected = (trace + totals / (3 * 2) - 2 / 2 * chain) / (4 * 1)
    assert expected == 10.5
    assert hsic_matrix([x, y])[0, 1].item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("count", "widths"), [(4, (1, 2, 3)), (7, (2, 9, 4)), (9, (2, 3, 1))], ids=str)
def test_hsic_is_the_formula_whichever_way_it_is_computed(count: int, widths: tuple[int, ...]) -> None:
    """With fewer rows than features by kernels, with more by products of features."""
    layers = [rows(count, width, seed) + 3 for seed, width in enumerate(widths)]
    exact = [[float(by_the_formula(x, y)) for y in layers] for x in layers]
    torch.testing.assert_close(hsic_matrix(layers), torch.tensor(exact, dtype=torch.float64), rtol=1e-11, atol=1e-11)


def test_cka_equals_another_form_of_the_estimator() -> None:
    layers = [rows(40, width, seed) for seed, width in enumerate((5, 60, 3))]
    layers.append(layers[0] @ rows(5, 8, 7))
    hsic = torch.stack([torch.stack([by_centering(x, y) for y in layers]) for x in layers])
    own = hsic.diagonal().sqrt()
    torch.testing.assert_close(cka_matrix(layers), hsic / torch.outer(own, own), rtol=1e-11, atol=1e-13)


def test_cka_is_one_for_what_is_turned_moved_and_scaled_and_about_zero_for_strangers() -> None:
    x = rows(300, 6)
    turned = torch.linalg.qr(rows(6, 6, 1))[0]
    matrix = cka_matrix([x, 5 * x @ turned + 100.0, rows(300, 6, 2)])
    assert matrix[0, 1].item() == pytest.approx(1.0, abs=1e-9)
    assert torch.equal(matrix.diagonal(), torch.ones(3, dtype=torch.float64))
    assert torch.equal(matrix, matrix.T)
    # Independent rows: the estimate is unbiased, so small values of either sign, where the biased form is above 0.
    pairs = torch.stack([cka_matrix([rows(30, 6, 2 * s + 10), rows(30, 6, 2 * s + 11)])[0, 1] for s in range(200)])
    assert abs(pairs.mean()) < 5 * pairs.std() / 200**0.5
    assert pairs.min() < 0 < pairs.max()


def test_a_layer_that_never_varies_is_like_no_other() -> None:
    constant = torch.full((20, 3), 0.1, dtype=torch.float64)
    assert cka_matrix([rows(20, 4), constant]).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_padding_counts_nothing() -> None:
    layer = rows(3 * 5, 4).reshape(3, 5, 4).float()
    mask = torch.arange(5) < torch.tensor([5, 2, 4])[:, None]
    other = layer.square()
    real = Seen(((layer, other),), mask, mask)
    spoiled = [torch.where(mask[..., None], each, 1e6) for each in (layer, other)]
    alone = cka_matrix([torch.cat([each[i, :n] for i, n in enumerate((5, 2, 4))]).double() for each in (layer, other)])
    assert len(rows_of(layer, mask)) == 11
    assert torch.equal(similarities([real])[0], similarities([Seen((tuple(spoiled),), mask, mask)])[0])
    torch.testing.assert_close(similarities([real])[0], alone, rtol=1e-12, atol=0)


def test_batches_are_averaged_in_two_ways() -> None:
    layers = [[rows(8, 3, 10 * b + s).reshape(8, 3, 1) for s in range(3)] for b in range(4)]
    batches = [Seen((tuple(each), tuple(each[:2])), torch.zeros(8)) for each in layers]
    flat = [[layer.flatten(1) for layer in each] for each in layers]
    mean = torch.stack([cka_matrix(each) for each in flat]).mean(dim=0)
    hsic = torch.stack([hsic_matrix(each) for each in flat]).mean(dim=0)
    own = hsic.diagonal().sqrt()
    matrices = similarities(batches)
    torch.testing.assert_close(matrices[0], mean, rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(matrices[1], mean[:2, :2], rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(
        similarities(batches, averaged="hsic")[0], hsic / torch.outer(own, own), rtol=1e-12, atol=1e-15
    )
    assert column_sums(matrices[0]) == pytest.approx([sum(column) for column in mean.T.tolist()])


@pytest.mark.parametrize(
    ("layers", "said"),
    [([rows(3, 2)], "at least 4 rows in a batch, got 3"), ([rows(5, 2), rows(6, 2)], "the same rows")],
)
def test_too_few_rows_or_unlike_ones_are_refused(layers: list, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        cka_matrix(layers)
    with pytest.raises(ValueError, match="at least one batch"):
        similarities([])
