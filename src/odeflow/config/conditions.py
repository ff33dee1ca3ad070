"""Conditions of a design, and what holds before them."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from odeflow.config.base import Distinct, Real, Strict, VariableName


def _condition_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", value):
        raise ValueError(f"{value!r} is not a usable name: letters, digits, '_', '.' and '-'")
    return value


ConditionName = Annotated[str, AfterValidator(_condition_name)]
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
