"""Checks of codecs whose layers are generated: what they are plugged into, and whom they learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semcom.models.plugged_spec import PluggedSpec

if TYPE_CHECKING:
    from semcom.scenario.scenario import Scenario


def check_plugged(scenario: Scenario, name: str) -> None:
    """Refuse such a codec with nothing around it, and what it cannot be plugged into.

    Raises:
        ValueError: beginning with the path of the key that is wrong.
    """
    plan = scenario.codecs[name]
    usual = plan.NAMED[plan.USUAL]
    if not isinstance(usual, PluggedSpec):
        return
    if plan.adopt is None:
        raise ValueError(f"codecs.{name}.adopt must say whose layers are generated, got none; write {{around: NAME}}")
    theirs = scenario.resolved(plan.adopt.donor).begun
    if theirs.kind not in usual.fits_into:
        wanted = " or ".join(usual.fits_into)
        raise ValueError(
            f"codecs.{name}.adopt.around must name a codec of kind {wanted}, whose layers can be generated, "
            f"got '{plan.adopt.donor}' of kind {theirs.kind}; name another"
        )
    spec = scenario.resolved(name).begun
    assert isinstance(spec, PluggedSpec), "as the plan of a codec has seen"
    try:
        spec.check_fit()
    except ValueError as error:
        raise ValueError(f"codecs.{name}: {error}") from None


def check_followed(scenario: Scenario, name: str) -> None:
    """Refuse a teacher whose layers are not those that are generated.

    Raises:
        ValueError: beginning with the path of the key that is wrong.
    """
    plan = scenario.codecs[name]
    spec = scenario.resolved(name).begun
    if plan.distill is None or not isinstance(spec, PluggedSpec):
        return
    if any(method.kind == "generated_layers" for method in plan.distill.methods):
        (teacher,) = plan.distill.teachers
        if scenario.resolved(teacher).spec != spec.around:
            raise ValueError(
                f"codecs.{name}.distill.teacher must be of the shape of the codec in adopt.around, whose layers are "
                f"generated, got '{teacher}', which is not; name the same codec in both"
            )
