"""The reference solution of one trajectory, by SciPy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.integrate import solve_ivp

#: A vector field over flat arrays: (t, y, args) -> dy/dt.
Field = Callable[[float, np.ndarray, np.ndarray], np.ndarray]

#: SciPy refuses a smaller relative tolerance.
SMALLEST_RTOL = 100 * float(np.finfo(float).eps)


class NoReferenceError(RuntimeError):
    """SciPy found no solution."""


@dataclass(frozen=True)
class Stretch:
    """A part of a trajectory: at `start` the state grows by `added`, from then on `args` hold."""

    start: float
    added: Float[np.ndarray, " component"]
    args: Float[np.ndarray, " parameter"]


@dataclass(frozen=True)
class Reference:
    """Values at the times asked for, what they cost, and the method that found them."""

    ys: Float[np.ndarray, "time component"]
    evaluations: int
    method: str


class _TooManyEvaluations(Exception):
    pass


def reference_solution(
    field: Field,
    stretches: Sequence[Stretch],
    ts: Float[np.ndarray, " time"],
    y0: Float[np.ndarray, " component"],
    rtol: float,
    atol: Float[np.ndarray, " component"],
    methods: tuple[str, ...],
    max_evaluations: int,
) -> Reference:
    """The solution at `ts` (increasing, from the first start on) by the first of SciPy's methods
    that finds it; stopped and started anew between the stretches.

    `methods` are SciPy's names, such as DOP853 (explicit, order 8) and Radau (implicit, order 5);
    each may evaluate the field `max_evaluations` times. Raises NoReferenceError where none gets to
    the last time.

    Reference: E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential
    Equations I, section II.5; E. Hairer and G. Wanner (1996), II, section IV.8. Springer.
    """
    reasons = []
    for method in methods:
        count = 0

        def counted(t: float, y: np.ndarray, args: np.ndarray) -> np.ndarray:
            nonlocal count
            count += 1
            if count > max_evaluations:
                raise _TooManyEvaluations
            return field(t, y, args)

        try:
            ys = _solve(counted, stretches, ts, y0, (rtol, atol, method))
        except _TooManyEvaluations:
            reasons.append(f"{method} needs more than {max_evaluations:,} evaluations")
        except (NoReferenceError, ValueError, np.linalg.LinAlgError) as error:
            reasons.append(f"{method}: {error}")
        else:
            return Reference(ys, count, method)
    raise NoReferenceError("; ".join(reasons))


_Accuracy = tuple[float, np.ndarray, str]


def _solve(
    field: Field, stretches: Sequence[Stretch], ts: np.ndarray, y0: np.ndarray, how: _Accuracy
) -> np.ndarray:
    """Values at `ts`, of shape (time, component); at a start the one after it."""
    parts, y = [], y0
    ends = [*(stretch.start for stretch in stretches[1:]), np.inf]
    for stretch, end in zip(stretches, ends):
        y = y + stretch.added
        inside = ts[(ts >= stretch.start) & (ts < end)]
        wanted = inside if end > ts[-1] else np.append(inside, end)
        piece = lambda t, y, args=stretch.args: field(t, y, args)
        values = _integrate(piece, stretch.start, wanted, y, *how)
        parts.append(values[: len(inside)])
        if end > ts[-1]:
            break
        y = values[-1]
    return np.concatenate(parts)


def _integrate(
    field: Callable[[float, np.ndarray], np.ndarray],
    t0: float,
    ts: np.ndarray,
    y0: np.ndarray,
    rtol: float,
    atol: np.ndarray,
    method: str,
) -> np.ndarray:
    """Values at `ts` of what is smooth from t0 on."""
    later = ts[ts > t0]
    result = np.empty((len(ts), len(y0)))
    result[: len(ts) - len(later)] = y0
    if not len(later):
        return result
    with np.errstate(all="ignore"):
        solution = solve_ivp(
            field,
            (t0, later[-1]),
            y0,
            method,
            t_eval=later,
            rtol=max(rtol, SMALLEST_RTOL),
            atol=atol,
        )
    if not solution.success or not np.isfinite(solution.y).all():
        raise NoReferenceError(str(solution.message))
    result[len(ts) - len(later) :] = solution.y.T
    return result
