"""Algebraic equations for SciPy, which knows ordinary ones only: the state space form.

Of M y' = f(t, y) some rows R of M that are independent give w = M_R y with w' = f_R, and the left
null space N of M the equations 0 = N f(t, y). SciPy integrates w; y is found from w by Newton's
method here, with differences for derivatives. Nothing of it is shared with the engines, which
eliminate M otherwise and differentiate by JAX.

Reference: Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed., section VI.1.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
import scipy.optimize
from jaxtyping import Float

from odeflow.problem.declaration import Declaration
from odeflow.trust.verification.stepping import NoReferenceError

#: Newton steps; when they have converged; what is left where rounding stops them, in tolerances.
_MOST, _CONVERGED, _STAGNATED = 30, 4e-15, 1e-4
_DIFFERENCE = 1e-7

#: (t, y) -> f, the parameters being given.
FieldAt = Callable[[float, np.ndarray], np.ndarray]


class Integrated(NamedTuple):
    """What SciPy integrates over a stretch: derivative, start, tolerances; and the state of it."""

    field: FieldAt
    start: Float[np.ndarray, " row"]
    lift: FieldAt
    atol: Float[np.ndarray, " row"]


class StateSpace:
    """The equations of one model: what is integrated, and what is solved for."""

    def __init__(self, declared: Declaration, atol: Float[np.ndarray, " component"]):
        matrix = declared.full_mass_matrix
        rank = int(np.linalg.matrix_rank(matrix))
        order: Any = scipy.linalg.qr(matrix.T, pivoting=True)[-1]
        self.kept = np.sort(order[:rank])
        self.matrix, self.rows, self.atol = matrix, matrix[self.kept], atol
        self._inverse = np.linalg.pinv(self.rows)
        self._constraints = scipy.linalg.null_space(matrix.T).T
        self._along = scipy.linalg.null_space(self.rows)
        self._start = self._along
        if declared.free is not None:
            sizes = [state.initial.size for state in declared.states.values()]
            free = np.isin(np.repeat(list(declared.states), sizes), list(declared.free))
            self._start = np.eye(len(free))[:, free]
        self._slopes: np.ndarray | None = None

    def integrated(self, field: FieldAt, t: float, y: np.ndarray, rates: np.ndarray) -> Integrated:
        """What is integrated from a state on, with rates that are added to y'."""
        near = [self.restored(field, t, y)]

        def lift(t: float, w: np.ndarray) -> np.ndarray:
            near[0] = self._lifted(field, t, w, near[0])
            return near[0]

        def motion(t: float, w: np.ndarray) -> np.ndarray:
            return field(t, lift(t, w))[self.kept] + self.rows @ rates

        sizes = np.where(self.rows == 0, np.inf, np.abs(self.rows))
        return Integrated(motion, self.rows @ near[0], lift, (sizes * self.atol).min(axis=1))

    def _lifted(self, field: FieldAt, t: float, w: np.ndarray, near: np.ndarray) -> np.ndarray:
        """The state y near a given one with M_R y = w that obeys the algebraic equations."""
        there = near + self._inverse @ (w - self.rows @ near)
        if not self._along.size:
            return there
        try:
            return self._newton(field, t, there, self._along, self._slopes)
        except NoReferenceError:
            return self._from_afar(field, t, there, self._along)

    def restored(self, field: FieldAt, t: float, y: np.ndarray) -> np.ndarray:
        """The state with the same M y that obeys them: after a jump."""
        return self._from_afar(field, t, y, self._along) if self._along.size else y

    def started(self, field: FieldAt, t: float, y: np.ndarray) -> np.ndarray:
        """That at t0, where what the config leaves free is found."""
        return self._from_afar(field, t, y, self._start) if self._along.size else y

    def motion(self, f: np.ndarray) -> np.ndarray:
        """The least y' with M y' = f in the rows that are integrated."""
        return self._inverse @ f[self.kept]

    def _residual(self, field: FieldAt, t: float, y: np.ndarray) -> np.ndarray:
        return self._constraints @ field(t, y)

    def _from_afar(self, field: FieldAt, t: float, y: np.ndarray, along: np.ndarray) -> np.ndarray:
        """By MINPACK's hybrid method first, which comes from further away."""
        at = lambda x: self._residual(field, t, y + along @ x)
        scale = np.maximum(np.abs(along.T @ y), np.abs(along.T) @ self.atol)
        try:
            return self._newton(field, t, y, along)
        except NoReferenceError:
            found = scipy.optimize.root(
                lambda x: at(scale * x), np.zeros(along.shape[1]), tol=1e-10
            )
            return self._newton(field, t, y + along @ (scale * found.x), along)

    def _newton(
        self,
        field: FieldAt,
        t: float,
        y: np.ndarray,
        along: np.ndarray,
        slopes: Any = None,
    ) -> np.ndarray:
        """Newton's method along some directions; `slopes` are a factored matrix to begin with."""
        is_new = slopes is None
        slopes = self._factored(field, t, y, along) if is_new else slopes
        before = np.inf
        for _ in range(_MOST):
            step = -along @ scipy.linalg.lu_solve(slopes, self._residual(field, t, y))
            if not np.isfinite(step).all():
                raise NoReferenceError(f"the algebraic equations have no solution at t = {t:g}")
            y = y + step
            size = float(np.max(np.abs(step) / (np.abs(y) + self.atol)))
            if np.all(np.abs(step) <= _CONVERGED * np.abs(y)):
                break
            if size > 0.3 * before:
                if is_new and size < _STAGNATED:
                    break
                slopes, is_new = self._factored(field, t, y, along), True
            before = size
        else:
            raise NoReferenceError(f"Newton's method does not converge at t = {t:g}")
        if along is self._along:
            self._slopes = slopes
        return y

    def _factored(self, field: FieldAt, t: float, y: np.ndarray, along: np.ndarray) -> Any:
        here = self._residual(field, t, y)
        columns = []
        for direction in along.T:
            size = _DIFFERENCE * max(float(np.abs(direction @ y)), 1e3 * float(self.atol.max()))
            columns.append((self._residual(field, t, y + size * direction) - here) / size)
        matrix = np.stack(columns, axis=1)
        if not np.isfinite(matrix).all():
            raise NoReferenceError(f"the algebraic equations are not finite at t = {t:g}")
        with np.errstate(all="ignore"):
            return scipy.linalg.lu_factor(matrix, check_finite=False)
