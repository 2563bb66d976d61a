"""One opinion of several teachers: the mean of what each holds likely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from semcom.models.trace import Heard, Sent, Trace


def pooled(trips: Sequence[Trace]) -> Trace:
    """What the teachers say together, as the trip of one teacher that shows nothing but its logits.

    z = log( (1/M) sum_m softmax(z_m) )

    The mean is taken of the probabilities as they are, which is the posterior of a teacher drawn by lot, and a
    method's temperature then softens that one distribution as it would a single teacher's. Averaging softened
    probabilities instead would be another thing at every temperature: in the hot limit the mean of the logits, the
    geometric mean of the opinions. Equal teachers are as one of them at any temperature.

    The trips are those of different receivers on one signal, or each of its own transmitter's through one air.

    Source: the arithmetic mean of the members as soft targets, Hinton, Vinyals and Dean, Distilling the Knowledge in
    a Neural Network, 2015, introduction; as the target of ensemble distillation, Malinin, Mlodozeniec and Gales,
    Ensemble Distribution Distillation, ICLR 2020. Softening after the mean is our choice.
    """
    opinions = torch.stack([trip.heard.logits.log_softmax(dim=-1) for trip in trips])
    logits = opinions.logsumexp(dim=0) - math.log(len(trips))
    unseen = torch.full_like(trips[0].arrived.symbols, math.nan)
    heard = Heard(features=torch.full_like(trips[0].heard.features, math.nan), layers=(), logits=logits)
    arrived = replace(trips[0].arrived, symbols=unseen)
    return replace(trips[0], sent=nothing_sent(unseen), arrived=arrived, heard=heard)


def nothing_sent(like: Tensor) -> Sent:
    """In place of what nobody looks at: a method that looks all the same gets no number rather than a wrong one."""
    return Sent(symbols=torch.full_like(like, math.nan), layers=())
