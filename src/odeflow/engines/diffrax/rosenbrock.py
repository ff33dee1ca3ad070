"""Rosenbrock methods as Diffrax solvers: linearly implicit, no iteration, for stiff problems."""

from typing import Any, ClassVar

import diffrax
import jax
import jax.numpy as jnp
import jax.tree_util as jtu
import lineax
import numpy as np
from diffrax import RESULTS
from equinox.internal import ω
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from odeflow.engines.diffrax.lane_lu import LaneLU
from odeflow.engines.shared.jacobian_entries import largest_entry
from odeflow.engines.shared.linearised import contradicted
from odeflow.problem.methods.rosenbrock import RODAS3P, RODAS5P
from odeflow.problem.methods.rosenbrock_tableau import RosenbrockTableau

Vector = Float[Array, " n"]


class RosenbrockInterpolation(diffrax.AbstractLocalInterpolation):
    """The method's own polynomial over one step, see `RosenbrockTableau`.

    `q` holds the states q_1, q_2, ... of that formula.
    """

    t0: Any
    t1: Any
    y0: Any
    y1: Any
    q: tuple[Any, ...]

    def evaluate(self, t0: Any, t1: Any | None = None, left: bool = True) -> Any:
        """The state at `t0`, or the increment from `t0` to `t1`."""
        if t1 is not None:
            return (self.evaluate(t1, left=left) ** ω - self.evaluate(t0, left=left) ** ω).ω
        length = self.t1 - self.t0
        theta = (t0 - self.t0) / jnp.where(length == 0, 1, length)
        *lower, correction = self.q
        for q in reversed(lower):
            correction = (q**ω + theta * correction**ω).ω
        inner = (self.y1**ω + (1 - theta) * correction**ω).ω
        return ((1 - theta) * self.y0**ω + theta * inner**ω).ω


class AbstractRosenbrock(diffrax.AbstractAdaptiveSolver):
    """A Rosenbrock method given by its tableau.

    The Jacobian and the time derivative come from forward mode; one LU factorisation serves all
    stages. A step whose linear system is singular is rejected (`y_error` infinite, `y1` the old
    state), and so is one where the field was not finite (`y1` then tells).

    `unbounded` are the places in the flat state of components of which some derivative may be huge
    where the field is not, None where any may be: they may contradict the linear model
    (`linearised`).

    The whole state is one linear system, so its leaves must be real; `y0` may be any pytree.
    """

    term_structure: ClassVar = diffrax.ODETerm
    interpolation_cls: ClassVar = RosenbrockInterpolation
    tableau: ClassVar[RosenbrockTableau]
    unbounded: tuple[int, ...] | None = None

    def order(self, terms: Any) -> int:
        """Order of the solution that is propagated."""
        return self.tableau.order

    def error_order(self, terms: Any) -> int:
        """Power of the step size that the error estimate falls with: embedded order plus one."""
        return self.tableau.embedded_order + 1

    def init(self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any) -> None:
        """Nothing is carried between steps."""

    def func(self, terms: Any, t0: Any, y0: Any, args: Any) -> Any:
        """See `diffrax.AbstractSolver.func`."""
        return terms.vf(t0, y0, args)

    def step(
        self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any, solver_state: None, made_jump: Any
    ) -> tuple[Any, Any, dict[str, Any], None, RESULTS]:
        """See `diffrax.AbstractSolver.step`."""
        y, restore = ravel_pytree(y0)
        t0, t1 = (jnp.asarray(t, jnp.result_type(t0, t1, float)) for t in (t0, t1))
        control = terms.contr(t0, t1)

        def increment(t: Any, y: Vector) -> Vector:
            return ravel_pytree(terms.vf_prod(t, restore(y), args, control))[0]

        y1, error, q = _rosenbrock_step(self.tableau, increment, t0, t1, y, self.unbounded)
        dense_info = {"y0": y0, "y1": restore(y1), "q": tuple(map(restore, q))}
        return restore(y1), restore(error), dense_info, None, RESULTS.successful


def _rosenbrock_step(
    tableau: RosenbrockTableau,
    increment: Any,
    t0: Any,
    t1: Any,
    y: Vector,
    unbounded: tuple[int, ...] | None,
) -> tuple[Vector, Vector, list[Vector]]:
    """`y1`, error estimate and dense output of one step; `increment(t, y)` is h f(t, y).

    The stage equations of `RosenbrockTableau` times h, so that nothing is divided by h. A row of
    the Jacobian that is not finite is taken for zero, as in the native engine.
    """
    h = t1 - t0
    largest = largest_entry(y.dtype)
    jacobian = jax.jacfwd(increment, argnums=1)(t0, y)
    usable = jnp.sum(jnp.abs(jacobian), axis=1) < largest * h
    jacobian = jnp.where(usable[:, None], jacobian, 0.0)
    first, time_derivative = jax.jvp(lambda t: increment(t, y), (t0,), (jnp.ones_like(t0),))
    time_derivative = jnp.where(jnp.abs(time_derivative) < largest * h, time_derivative, 0.0)
    solver = LaneLU()
    matrix = jnp.eye(y.size, dtype=y.dtype) / tableau.gamma - jacobian
    factors = solver.init(lineax.MatrixLinearOperator(matrix), {})
    arguments: list[Vector] = []
    values: list[Vector] = []
    ks: list[Vector] = []
    solvable = jnp.asarray(True)
    for i, (base, terms) in enumerate(tableau.increments):
        start = y if base is None else arguments[base]
        arguments.append(start + _combine(terms, ks) if terms else start)
        if i == tableau.stages:
            break
        shared = tableau.evaluations[i]
        if i == 0:
            values.append(first)
        elif shared < i:
            values.append(values[shared])
        else:
            t = t1 if tableau.alpha[i] == 1 else t0 + tableau.alpha[i] * h
            values.append(increment(t, arguments[i]))
        right = values[i]
        if any(tableau.c[i]):
            right = right + _combine(dict(enumerate(tableau.c[i])), ks)
        if tableau.gammas[i]:
            right = right + (tableau.gammas[i] * h) * time_derivative
        k, _, _ = solver.compute(factors, right, {})
        ks.append(k)
        if i == 0:
            solvable = _finite(k) | ~_finite(right)
    finite = _finite(jnp.concatenate(ks))
    y1 = jnp.where(solvable, arguments[-1], y)
    error = _combine(dict(enumerate(tableau.error)), ks)
    rows = np.arange(y.size) if unbounded is None else np.array(unbounded, int)
    contradiction = contradicted(
        rows, (y, arguments[-2], arguments[-1]), (first, values[-1]), jacobian, h * time_derivative
    )
    larger = contradiction > jnp.abs(error[rows])
    error = error.at[rows].set(jnp.where(larger, contradiction, error[rows]))
    error = jnp.where(finite, error, jnp.inf)
    return y1, error, [_combine(dict(enumerate(row)), ks) for row in tableau.dense]


def _combine(coefficients: dict[int, float], ks: list[Vector]) -> Vector:
    """Sum of coefficients[j] ks[j], in order of j, over coefficients that are not zero."""
    terms = [x * ks[j] if x != 1 else ks[j] for j, x in coefficients.items() if x]
    return jtu.tree_reduce(jnp.add, terms)


def _finite(x: Vector) -> Any:
    return jnp.all(jnp.isfinite(x))


class Rodas5P(AbstractRosenbrock):
    """Rodas5P: 8 stages, order 5(4), stiffly accurate, with dense output of order 4.

    Keeps its order on problems of Prothero-Robinson type better than its relatives; the method to
    try first for small stiff systems, at all but crude tolerances.

    Reference: Steinebach, BIT Numer. Math. 63:27 (2023),
    https://doi.org/10.1007/s10543-023-00967-x.
    """

    tableau: ClassVar[RosenbrockTableau] = RODAS5P


class Rodas3P(AbstractRosenbrock):
    """Rodas3P: 5 stages, 3 evaluations of the field, order 3(2), with dense output of order 3.

    For crude tolerances. The extra error test of the published implementation, which compares
    two interpolants inside the step, is left out.

    Reference: Steinebach, Rosenbrock methods within OrdinaryDiffEq.jl: overview, recent
    developments and applications (2024), https://github.com/hbrs-cse/RosenbrockMethods.
    """

    tableau: ClassVar[RosenbrockTableau] = RODAS3P
