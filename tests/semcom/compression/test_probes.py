"""Linear probes: what a linear classifier reads off a layer, and the layers that add to it."""

from dataclasses import replace

import pytest
import torch

from semcom.compression.evidence import Evidence, Seen
from semcom.compression.probes import LinearProbes, probe_scores

CLASSES = torch.arange(120) % 3
NOISE = torch.randn(120, 4, generator=torch.Generator().manual_seed(1))
KNOWN = torch.nn.functional.one_hot(CLASSES, 3) + 0.01 * NOISE[:, :3]
HALF = torch.where(CLASSES[:, None] == 0, 1.0, 0.0) + 0.01 * NOISE  # tells one class of three


def test_probes_read_what_is_there() -> None:
    ((guess, *scores),) = probe_scores([Seen(((NOISE, HALF, KNOWN),), CLASSES)])
    assert guess == pytest.approx(1 / 3, abs=0.01)
    assert scores[0] < 0.6
    assert scores[1] == pytest.approx(2 / 3, abs=0.15)
    assert scores[2] == 1.0


def test_several_batches_are_one_and_places_are_averaged() -> None:
    apart = [Seen(((NOISE[rows], KNOWN[rows]),), CLASSES[rows]) for rows in (slice(0, 50), slice(50, 120))]
    together = Seen(((NOISE, KNOWN),), CLASSES)
    assert probe_scores(apart) == probe_scores([together])
    spread = torch.stack((KNOWN - 5, KNOWN + 5), dim=2)
    assert probe_scores([Seen(((NOISE, spread),), CLASSES)]) == probe_scores([together])


def test_padding_is_neither_fitted_nor_tested() -> None:
    tokens, features = CLASSES.reshape(20, 6), KNOWN.reshape(20, 6, 3)
    mask = torch.arange(6) < (torch.arange(20) % 6 + 1)[:, None]
    padded = Seen(((torch.where(mask[..., None], features, 1e3),),), torch.where(mask, tokens, 77), mask)
    plain = Seen(((features[mask],),), tokens[mask])
    assert probe_scores([padded]) == probe_scores([plain])


def test_the_layers_that_add_most_stay(recognizer_evidence: Evidence) -> None:
    layers = (NOISE, HALF, HALF, KNOWN, KNOWN)
    evidence = replace(recognizer_evidence, observe=lambda: [Seen((layers,), CLASSES)])
    assert LinearProbes().choose(evidence, (1,))[0][0] in (1, 3)
    assert LinearProbes().choose(evidence, (2,)) == ((1, 3),)


@pytest.mark.parametrize("batches", [[], [Seen(((NOISE[:1],),), CLASSES[:1])]])
def test_too_little_to_probe_is_refused(batches: list) -> None:
    with pytest.raises(ValueError, match="linear probes need at least"):
        probe_scores(batches)
