"""How much the methods count: in closed form over the SINR, in the distiller, and what is refused."""

import pytest
import torch

from channels import Chance, Link, Qam, mean_sinr_db
from semcom.distillation.distiller import Distiller
from semcom.distillation.share import check_share, share_in
from semcom.distillation.soft_logits import SoftLogits
from semcom.distillation.symbols import Symbols
from semcom.distillation.teaching import Teaching


@pytest.mark.parametrize(
    ("snr_db", "rises_over_db", "share"),
    [
        (-1.0, (0.0, 6.0), 0.0), (0.0, (0.0, 6.0), 0.0), (1.5, (0.0, 6.0), 0.25), (3.0, (0.0, 6.0), 0.5),
        (6.0, (0.0, 6.0), 1.0), (20.0, (0.0, 6.0), 1.0),
        # Written downwards it is bad air that teaches.
        (-1.0, (6.0, 0.0), 1.0), (1.5, (6.0, 0.0), 0.75), (6.0, (6.0, 0.0), 0.0), (20.0, (6.0, 0.0), 0.0),
    ],
)  # fmt: skip
def test_a_share_grows_linearly_between_two_sinrs(snr_db, rises_over_db, share):
    assert share_in(Link(snr_db=snr_db), rises_over_db=rises_over_db) == pytest.approx(share, abs=1e-12)


def test_it_is_the_sinr_that_counts_and_not_the_snr():
    """An interferer as loud as the noise at 6 dB: half the SINR, 3 dB less."""
    link = Link(snr_db=6.0, interferers=1, interference=Qam(level_db=-6.0))
    assert mean_sinr_db(link) == pytest.approx(6 - 3.0103, abs=1e-4)
    assert share_in(link, rises_over_db=(0.0, 6.0)) == pytest.approx((6 - 3.0103) / 6, abs=1e-4)


@pytest.mark.parametrize(("snr_db", "share"), [(5.9, 0.0), (6.0, 1.0), (6.1, 1.0)])
def test_a_step_is_all_or_nothing(snr_db, share):
    assert share_in(Link(snr_db=snr_db), above_sinr_db=6.0) == share


def test_without_a_rule_all_air_counts_alike():
    assert share_in(Link(snr_db=-50.0)) == 1.0


def test_methods_are_multiplied_and_labels_are_not(make_codec, batch):
    losses = [
        Distiller(
            make_codec(1),
            [make_codec(2)],
            Teaching(teacher="teacher", methods=(SoftLogits(), Symbols(weight=3.0)), rises_over_db=rule),
        )(batch, [Link(snr_db=1.5)], Chance(3))
        for rule in (None, (0.0, 6.0))
    ]
    assert torch.equal(losses[0]["hard_labels"], losses[1]["hard_labels"])
    for name in ("soft_logits", "symbols"):
        assert losses[1][name].item() == pytest.approx(0.25 * losses[0][name].item(), rel=1e-6)


def test_two_rules_at_once_and_a_rise_over_nothing_are_refused(make_codec):
    with pytest.raises(ValueError, match="must be the only rule, got above_sinr_db: 3 beside it"):
        check_share(3.0, (0.0, 6.0))
    with pytest.raises(
        ValueError, match=r"two SINRs at least 0\.01 dB apart, got 2 and 2; for a step write above_sinr_db"
    ):
        Distiller(
            make_codec(1),
            [make_codec(2)],
            Teaching(teacher="teacher", methods=(SoftLogits(),), rises_over_db=(2.0, 2.0)),
        )
    check_share(3.0, None)
    check_share(None, (6.0, 0.0))
