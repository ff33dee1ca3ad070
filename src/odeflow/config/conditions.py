"""Conditions of a design, and what holds before them."""

from collections.abc import Collection, Mapping
from typing import Annotated

from pydantic import Field

from odeflow.config.base import Distinct, Real, Strict, VariableName

#: Under a condition a quantity has a value, or that of an axis.
Settings = dict[VariableName, Real | VariableName]


class PreequilibrationConfig(Strict):
    """What holds before a condition, until the state is at rest."""

    settings: Settings = Field(
        default_factory=dict,
        description="{parameter or state: a number or an axis}, over what the condition sets",
    )
    reset: Annotated[list[VariableName], Distinct] = Field(
        default_factory=list,
        description="states that start as the condition says, and not at rest",
    )


def check_preequilibration(
    preequilibration: Mapping[str, PreequilibrationConfig],
    conditions: Collection[str],
    axes: Collection[str],
) -> None:
    """Raises ValueError where settings are of no condition, or name no axis."""
    names = {name for one in preequilibration.values() for name in one.settings}
    for condition, before in preequilibration.items():
        key = f"design.preequilibration.{condition}"
        if condition not in conditions:
            known = ", ".join(conditions) or "none"
            raise ValueError(f"{key}: not one of design.conditions: {known}")
        for name in sorted(names):
            if name not in before.settings:
                raise ValueError(f"{key}.settings.{name}: needed, since another one sets {name}")
        for name, value in before.settings.items():
            if isinstance(value, str) and value not in axes:
                raise ValueError(
                    f"{key}.settings.{name}: {value!r} is not an axis; "
                    f"axes: {', '.join(axes) or 'none'}"
                )
