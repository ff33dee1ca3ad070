"""The numbers of a call that all its trajectories share."""

from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from odeflow.api.saving import Saving, saved_times
from odeflow.problem.time_resolution import check_span


class Numbers(NamedTuple):
    """The span, the increasing times to save, None for the end only, and the solver's by name."""

    t0: float
    t1: float
    ts: tuple[float, ...] | None
    solver: tuple[tuple[str, float], ...]


class Numbering(NamedTuple):
    """Makes the numbers of a call once its times are known: in a trace, they are not before.

    `solver` are the solver's own, `has_dt0` is whether there is a first step beside them.
    """

    solver: tuple[tuple[str, float], ...]
    has_dt0: bool
    saving: Saving
    precision: str

    def numbers(self, span: np.ndarray, ts: Any) -> tuple[Numbers, np.ndarray | None]:
        """The numbers, and which saved time each time is that was asked for, None if the same.

        `span` is (t0, t1, dt0). Raises ValueError where they do not fit together.
        """
        t0, t1, dt0 = map(float, span)
        for name, value in (("t0", t0), ("t1", t1)):
            if not isfinite(value):
                raise ValueError(f"{name}: {value}; a finite time is needed")
        if not t1 > t0:
            raise ValueError(
                f"t1: {t1:g} is not above t0={t0:g}; to go back in time, solve for s = -t"
            )
        check_span("t1", t0, t1, np.dtype(self.precision))
        numbers = self.solver
        if self.has_dt0:
            if not (isfinite(dt0) and dt0 > 0):
                raise ValueError(f"dt0: {dt0:g}; a step above 0 is needed, or None")
            numbers = (*numbers, ("dt0", dt0))
        times, place = saved_times(self.saving, t0, t1, ts)
        return Numbers(t0, t1, times, numbers), place
