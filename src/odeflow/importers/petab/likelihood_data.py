"""Measurements as the likelihood reads them: in groups, with the equations of their noise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from odeflow.importers.expressions.expression import Expression

#: The equation of a group whose value is the noise; no quantity can have this name.
NOISE = "noise of a measurement"


@dataclass(frozen=True)
class Group:
    """Measurements of one variable under one condition, their noise by one formula.

    `rows` are their places among all measurements; `times` and `values` what was measured.
    `noise` are equations, in order; they read `states` of the ensemble at the measured times,
    `columns` of its samples (coordinates, by name) and `constants`, a number or one per
    measurement.
    """

    variable: str
    condition: int
    rows: np.ndarray
    times: np.ndarray
    values: np.ndarray
    transformation: str
    distribution: str
    noise: Sequence[tuple[str, Expression]]
    states: Sequence[str]
    columns: Mapping[str, str]
    constants: Mapping[str, Any]


@dataclass(frozen=True)
class Measurements:
    """All measurements of a study, cut into groups, and the conditions' names."""

    number: int
    conditions: Sequence[str]
    groups: Sequence[Group]

    @property
    def variables(self) -> list[str]:
        """The variables that are measured, in order."""
        return list(dict.fromkeys(group.variable for group in self.groups))
