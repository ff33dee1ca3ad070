"""Minimises one objective from many starts, all lanes together: a trust region within bounds.

Each lane has a point, a radius and a quadratic model of the gradient and the Fisher information,
which is Gauss-Newton's matrix for least squares. What that lacks of the Hessian is learned from
the steps (Dennis, Gay and Welsch) and added where it foretold the last step better. The model is
minimised in the ball of the radius by the eigenvalues of the matrix (More and Sorensen);
parameters that would leave their bounds are put there and the others solved for again. Trial
points need values alone; derivatives are computed where a step is taken. A lane that has ended
leaves the others, and none decides on another.

References: More and Sorensen (1983), Computing a trust region step, SIAM J. Sci. Stat. Comput. 4,
553-572; Dennis, Gay and Welsch (1981), An adaptive nonlinear least-squares algorithm, ACM Trans.
Math. Softw. 7, 348-368; Voglis and Lagaris (2004), A rectangular trust region dogleg approach for
unconstrained and bound constrained nonlinear optimization; Froehlich and Sorger (2022), Fides:
reliable trust-region optimization for parameter estimation of ordinary differential equation
models, PLoS Comput. Biol. 18.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Int, Int8

from odeflow.analysis.estimation.objective import Matrices, Numbers, Slopes
from odeflow.analysis.estimation.parameters import Vectors

Mask = Bool[np.ndarray, "vector parameter"]


class FitStatus(IntEnum):
    """How a lane ended. The numbers are stored and do not change."""

    converged = 0
    max_iterations_reached = 1
    stalled = 2
    failed_at_start = 3
    derivatives_failed = 4


@dataclass(frozen=True)
class Options:
    """When a lane ends.

    It has converged where the largest slope along a free parameter is below `gtol`, or where a step
    that the model is right about gains less than `ftol` of one and the objective. It has stalled
    where the radius is below `xtol`. Before either counts it begins anew, without what it has
    learned, until that gains less than `worthwhile`.
    """

    max_iterations: int = 500
    ftol: float = 1e-8
    gtol: float = 1e-6
    xtol: float = 1e-9
    first_radius: float = 1.0
    worthwhile: float = 1e-3


@runtime_checkable
class BatchObjective(Protocol):
    """An objective of many vectors: its values, and derivatives where they are needed."""

    def settled(self, theta: Vectors) -> tuple[Numbers, Vectors]:
        """The objective, and the vectors that it is of."""
        ...

    def slopes(self, theta: Vectors) -> Slopes:
        """Gradient and Fisher information."""
        ...


@dataclass(frozen=True)
class Minimum:
    """Where each lane ended: `gradient_norm` is the largest slope along a free parameter."""

    theta: Vectors
    objective: Numbers
    gradient_norm: Numbers
    num_steps: Int[np.ndarray, " vector"]
    num_gradients: Int[np.ndarray, " vector"]
    status: Int8[np.ndarray, " vector"]


def minimise(
    batch: BatchObjective,
    start: Vectors,
    lower: Vectors,
    upper: Vectors,
    fixed: Mask,
    options: Options | None = None,
    progress: Callable[[int], None] | None = None,
) -> Minimum:
    """Minimises from every start.

    Arguments:
        batch: the objective.
        start: where lanes begin, one row per lane.
        lower: bounds of each lane, the same shape.
        upper: bounds of each lane, the same shape.
        fixed: parameters that stay, or that the objective itself sets.
        options: when a lane ends.
        progress: called with the number of lanes that have ended.

    Returns:
        Where each ended, and how; the objective is infinite where it failed at the start.
    """
    lanes = _Lanes(batch, np.clip(start, lower, upper), lower, upper, fixed, options or Options())
    while lanes.step():
        if progress is not None:
            progress(len(start) - len(lanes.running))
    return lanes.minimum()


class _Lanes:
    def __init__(
        self,
        batch: BatchObjective,
        x: Vectors,
        lower: Vectors,
        upper: Vectors,
        fixed: Mask,
        options: Options,
    ):
        self._batch, self._options = batch, options
        self._lower, self._upper, self._fixed = lower, upper, fixed
        size, number = x.shape
        self._f, self._x = batch.settled(x)
        self._g, self._h = np.zeros((size, number)), np.zeros((size, number, number))
        #: What the Fisher information lacks, by secants, and the lanes whose model has it.
        self._rest, self._secant = np.zeros((size, number, number)), np.zeros(size, bool)
        self._before = self._x.copy()
        self._norm = np.full(size, np.nan)
        self._radius = np.full(size, options.first_radius)
        self._new = np.ones(size, bool)
        #: The objective where each last began.
        self._anew = np.full(size, np.inf)
        self._steps, self._gradients = np.zeros(size, int), np.zeros(size, int)
        self._status = np.full(size, -1, np.int8)
        self._status[~np.isfinite(self._f)] = FitStatus.failed_at_start

    @property
    def running(self) -> Int[np.ndarray, " running"]:
        """Lanes that have not ended."""
        return np.flatnonzero(self._status < 0)

    def minimum(self) -> Minimum:
        """Where the lanes are."""
        return Minimum(
            self._x, self._f, self._norm, self._steps, self._gradients, self._status.copy()
        )

    def step(self) -> bool:
        """One trial step of every running lane; whether there were any."""
        self._differentiate()
        run = self.running
        free = self._free(run)
        self._norm[run] = np.where(free, np.abs(self._g[run]), 0.0).max(axis=1, initial=0.0)
        self._status[run[self._norm[run] < self._options.gtol]] = FitStatus.converged
        run, free = run[self._status[run] < 0], free[self._status[run] < 0]
        if not len(run):
            return False
        room = self._lower[run] - self._x[run], self._upper[run] - self._x[run]
        h = self._h[run] + np.where(self._secant[run, None, None], self._rest[run], 0.0)
        p = bounded_step(self._g[run], h, self._radius[run], free, *room)
        expected = -_model(self._g[run], h, p)
        trial = np.clip(self._x[run] + p, self._lower[run], self._upper[run])
        f, trial = self._batch.settled(trial)
        self._judge(run, p, expected, f, trial)
        return True

    def _differentiate(self) -> None:
        due = np.flatnonzero(self._new & (self._status < 0))
        if not len(due):
            return
        slopes = self._batch.slopes(self._x[due])
        again = due[self._gradients[due] > 0]
        old, new = self._g[again], slopes.gradient[self._gradients[due] > 0]
        # what the objective sets itself is no step, and has no slope
        moved = np.where(self._fixed[again], 0.0, self._x[again] - self._before[again])
        old, new = (np.where(self._fixed[again], 0.0, g) for g in (old, new))
        self._rest[again] = secant(
            self._rest[again], moved, new - old, slopes.fisher[self._gradients[due] > 0]
        )
        self._before[due] = self._x[due]
        self._g[due], self._h[due] = slopes.gradient, slopes.fisher
        self._gradients[due] += 1
        self._new[due] = False
        self._status[due[slopes.failed]] = FitStatus.derivatives_failed

    def _free(self, run: np.ndarray) -> Mask:
        """Parameters that may move: not fixed, and not pressed against a bound."""
        x, g = self._x[run], self._g[run]
        pressed = ((x <= self._lower[run]) & (g > 0)) | ((x >= self._upper[run]) & (g < 0))
        return ~self._fixed[run] & ~pressed

    def _judge(
        self, run: np.ndarray, p: Vectors, expected: Numbers, f: Numbers, trial: Vectors
    ) -> None:
        """Takes the steps that gain, changes the radii, and ends the lanes that are done."""
        options = self._options
        with np.errstate(all="ignore"):
            gained = self._f[run] - f
            ratio = np.where(expected > 0, gained / expected, -np.inf)
        length = np.sqrt((p * p).sum(axis=1))
        small = options.ftol * (1 + np.abs(self._f[run]))
        taken = gained > 0
        radius = self._radius[run]
        shrunk = np.minimum(radius, length) / 4
        radius = np.where(~(ratio >= 0.25), np.where(shrunk > 0, shrunk, radius / 4), radius)
        grown = (ratio > 0.75) & (length > 0.8 * radius)
        self._radius[run] = np.where(grown, 2 * radius, radius)
        plain = -_model(self._g[run], self._h[run], p)
        bent = plain - 0.5 * (p * _times(self._rest[run], p)).sum(axis=1)
        with np.errstate(all="ignore"):
            self._secant[run] = np.abs(gained - bent) < np.abs(gained - plain)
        converged = (np.abs(gained) <= small) & (expected <= small)
        self._x[run[taken]], self._f[run[taken]] = trial[taken], f[taken]
        self._new[run[taken]] = True
        self._steps[run] += 1
        self._status[run[self._steps[run] >= options.max_iterations]] = (
            FitStatus.max_iterations_reached
        )
        stalled = self._radius[run] < options.xtol
        again = (converged | stalled) & self._begin_anew(run[converged | stalled], len(self._f))[
            run
        ]
        self._status[run[stalled & ~again]] = FitStatus.stalled
        self._status[run[converged & ~again]] = FitStatus.converged

    def _begin_anew(self, ended: np.ndarray, size: int) -> Bool[np.ndarray, " lane"]:
        """Lanes that are done but have gained since they last began: their models begin anew.

        What a long valley has taught of the curvature may be wrong at its end, where steps then
        gain nothing though others would.
        """
        gained = np.zeros(size, bool)
        small = self._options.worthwhile
        gained[ended] = ~(self._anew[ended] - self._f[ended] <= small)
        self._anew[gained] = self._f[gained]
        self._rest[gained], self._secant[gained] = 0.0, False
        self._radius[gained] = self._options.first_radius
        return gained


def bounded_step(
    g: Vectors, h: Matrices, radius: Numbers, free: Mask, low: Vectors, high: Vectors
) -> Vectors:
    """The step of each lane to the least of its model in the ball, within low..high.

    Arguments:
        g: gradients.
        h: matrices, positive semidefinite.
        radius: the longest step of each lane.
        free: parameters that may move.
        low: how far each may move down, not above 0.
        high: how far each may move up, not below 0.

    Returns:
        The steps; what would leave its bounds is put there, and the others solved for again.
    """
    p = np.zeros_like(g)
    lanes, still = np.arange(len(g)), free.copy()
    for _ in range(4):
        pulled = g[lanes] + _times(h[lanes], p[lanes])
        step = _in_ball(pulled, h[lanes], radius[lanes], still[lanes])
        out = still[lanes] & ((step < low[lanes]) | (step > high[lanes]))
        moved = np.where(still[lanes], step, p[lanes])
        p[lanes] = np.clip(moved, low[lanes], high[lanes])
        crossed = out.any(axis=1)
        lanes, out = lanes[crossed], out[crossed]
        if not len(lanes):
            break
        still[lanes] &= ~out
        p[lanes] = np.where(still[lanes], 0.0, p[lanes])
    else:
        p[lanes] = np.where(still[lanes], 0.0, p[lanes])
    return p


def secant(rest: Matrices, s: Vectors, y: Vectors, fisher: Matrices) -> Matrices:
    """What the Fisher information lacks of the Hessian after a step.

    Arguments:
        rest: what it lacked before.
        s: the steps.
        y: how much the gradients have changed.
        fisher: the information where the steps led.

    Returns:
        The update of Dennis, Gay and Welsch, sized.
    """
    lacking = y - _times(fisher, s)
    known = _times(rest, s)
    with np.errstate(all="ignore"):
        size = np.abs((s * lacking).sum(axis=1)) / np.abs((s * known).sum(axis=1))
        size = np.minimum(np.nan_to_num(size, nan=1.0, posinf=1.0), 1.0)
        error = lacking - size[:, None] * known
        bend = (s * y).sum(axis=1)
        one = error[:, :, None] * y[:, None, :] / bend[:, None, None]
        two = y[:, :, None] * y[:, None, :]
        two = two * ((s * error).sum(axis=1) / bend**2)[:, None, None]
        update = size[:, None, None] * rest + one + one.transpose(0, 2, 1) - two
    usable = np.isfinite(update).all(axis=(1, 2)) & (bend > 0)
    return np.where(usable[:, None, None], update, rest)


def _times(h: Matrices, p: Vectors) -> Vectors:
    return np.matmul(h, p[:, :, None])[:, :, 0]


def _model(g: Vectors, h: Matrices, p: Vectors) -> Numbers:
    """How much the model changes along steps."""
    return (g * p).sum(axis=1) + 0.5 * (p * _times(h, p)).sum(axis=1)


def _in_ball(g: Vectors, h: Matrices, radius: Numbers, free: Mask) -> Vectors:
    """The least of the model over the free parameters in a ball, by eigenvalues."""
    g = np.where(free, g, 0.0)
    both = free[:, :, None] & free[:, None, :]
    h = np.where(both, h, 0.0) + np.where(free, 0.0, 1.0)[:, :, None] * np.eye(g.shape[1])
    values, vectors = np.linalg.eigh(h)
    along = np.matmul(vectors.transpose(0, 2, 1), g[:, :, None])[:, :, 0]
    most = np.maximum(np.abs(values).max(axis=1, initial=0.0), 1e-300)
    damping = np.maximum(-values.min(axis=1, initial=0.0), 0.0) + 1e-14 * most
    going = np.ones(len(g), bool)
    for _ in range(25):  # Newton on 1 / |p| - 1 / radius, from below: it does not overshoot
        shifted = values + damping[:, None]
        with np.errstate(all="ignore"):
            p = along / shifted
            square = (p * p).sum(axis=1)
            slope = (p * p / shifted).sum(axis=1)
            length = np.sqrt(square)
            change = square / slope * (length / radius - 1)
        damping = damping + np.where(going & (length > radius), np.nan_to_num(change), 0.0)
        going &= (length > radius) & (change > 1e-3 * damping)  # each lane by itself
        if not going.any():
            break
    p = along / (values + damping[:, None])
    return np.where(free, -np.matmul(vectors, p[:, :, None])[:, :, 0], 0.0)
