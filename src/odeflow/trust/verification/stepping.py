"""SciPy's solvers step by step, and what they may cost."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.integrate import DOP853, LSODA, RK45, Radau

from odeflow.trust.verification.crossings import Conditions, first_change

#: SciPy refuses a smaller relative tolerance.
SMALLEST_RTOL = 100 * float(np.finfo(float).eps)
_METHODS = {"DOP853": DOP853, "LSODA": LSODA, "RK45": RK45, "Radau": Radau}


class NoReferenceError(RuntimeError):
    """SciPy found no solution; the message says why."""


class OutOfTimeError(Exception):
    """The time that there was for verification is over."""


class Accuracy(NamedTuple):
    """How SciPy solves: one of its methods, tolerances (`atol` one per component), longest step."""

    method: str
    rtol: float
    atol: Float[np.ndarray, " component"]
    max_step: float = np.inf


class Work:
    """Counts evaluations of a field, up to a limit and a deadline of `time.monotonic`."""

    def __init__(self, most: int, deadline: float = np.inf):
        self.most, self.deadline, self.count = most, deadline, 0

    def look(self) -> None:
        """Raises OutOfTimeError after the deadline."""
        if time.monotonic() > self.deadline:
            raise OutOfTimeError

    def add(self) -> None:
        """One more. Raises NoReferenceError beyond the limit, OutOfTimeError after the deadline."""
        self.count += 1
        if self.count > self.most:
            raise NoReferenceError(f"it needs more than {self.most:,} evaluations")
        if not self.count % 64:
            self.look()


class Stepping:
    """SciPy's solver of one stretch, whose bound may come nearer on the way.

    `lift(t, y)` makes of what is integrated the state that comes out.
    """

    def __init__(
        self,
        field: Callable[[float, np.ndarray], np.ndarray],
        t: float,
        y: np.ndarray,
        target: float,
        accuracy: Accuracy,
        longest: float,
        lift: Callable[[float, np.ndarray], np.ndarray] = lambda t, y: y,
    ):
        self._field, self._accuracy, self._lift = field, accuracy, lift
        self._max_step = min(accuracy.max_step, longest)
        self._solver = self._made(t, y, target)

    def _made(self, t: float, y: np.ndarray, target: float) -> Any:
        accuracy = self._accuracy
        return _METHODS[accuracy.method](
            self._field,
            t,
            y,
            target,
            rtol=max(accuracy.rtol, SMALLEST_RTOL),
            atol=accuracy.atol,
            max_step=self._max_step,
        )

    @property
    def t(self) -> float:
        """Where it is."""
        return float(self._solver.t)

    @property
    def y(self) -> np.ndarray:
        """The state there."""
        return self._lift(self.t, self._solver.y)

    def step(
        self, bound: float, with_dense: bool
    ) -> tuple[float, float, Callable[[float], np.ndarray]]:
        """One step, not beyond `bound`: its ends, and the values between them."""
        solver = self._solver
        solver.t_bound, solver.status = bound, "running"
        self._from = (solver.t, solver.y.copy())
        message = solver.step()
        if solver.status == "failed":
            raise NoReferenceError(f"{message} at t = {solver.t:g}")
        if not np.isfinite(solver.y).all():
            raise NoReferenceError(f"not finite at t = {solver.t:g}")
        a, b, y, lift = float(solver.t_old), float(solver.t), solver.y, self._lift
        dense = solver.dense_output() if with_dense else lambda t: y
        return a, b, lambda t: lift(t, y if t == b else dense(t))

    def exactly(
        self,
        conditions: Conditions,
        before: np.ndarray,
        t: float,
        dense: Callable[[float], np.ndarray],
    ) -> tuple[float, np.ndarray]:
        """Time and state at which a condition changes in the last step, which begins again for it
        where the dense output is not as good as a step.
        """
        if self._accuracy.method != "Radau" or t == self._solver.t:
            return t, dense(t)
        a, y = self._from
        shift = np.zeros_like(y)
        for _ in range(8):
            off = shift
            shift = self._at(a, y, t) - dense(t)
            moved = lambda t, shift=shift: dense(t) + shift
            again = first_change(conditions, moved, a, self.t, before)
            if again is None or abs(again - t) <= 4 * np.spacing(abs(t)):
                break
            t = again
            if np.allclose(off, shift, rtol=1e-12, atol=0):
                break
        state = dense(t) + shift
        for power in range(60):  # to where it has changed at that state too
            if (conditions.holds(t, state) != before).any():
                break
            t = min(t + 2.0**power * np.spacing(abs(t)), self.t)
            state = dense(t) + shift
        return t, state

    def _at(self, a: float, y: np.ndarray, t: float) -> np.ndarray:
        solver = self._made(a, y, t)
        while solver.status == "running":
            solver.step()
        if solver.status == "failed":
            raise NoReferenceError(f"no step to t = {t:g}")
        return self._lift(t, solver.y)
