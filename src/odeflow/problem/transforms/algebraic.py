"""Algebraic equations in a form that engines have, with consistent initial values.

M y' = f(t, y, args) gets the rows of `mass_matrix`, each algebraic row that of the component that
it is eliminated with. A state obeys the algebraic rows g after some steps of Newton's method along
directions in which nothing else changes: those of M y = const after a jump, at t0 those of the
states that the config leaves free. A step is shortened until a simplified one after it would be
shorter (the natural monotonicity test).

Reference: Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed., section VI.1;
Deuflhard, Newton Methods for Nonlinear Problems, section 3.3.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from odeflow.files.errors import ConfigError
from odeflow.problem.algebraic import Algebraic, Moving, slopes_along
from odeflow.problem.mass_matrix import MassMatrix, pivots_of, rows_of
from odeflow.problem.model import Jumping, Model
from odeflow.problem.problem import Lanes
from odeflow.problem.solver import Tolerances

#: Parts of a Newton step that are tried, and steps at t0 and after a jump.
_PARTS, _STEPS_AT_START, _STEPS = (1 / 64, 1 / 8, 1 / 2, 1.0), 100, 15
#: Of the tolerances, and in roundings, what the last step may be.
_ENOUGH, _ROUNDINGS = 0.01, 64
#: Points beside the start at which a derivative that is zero counts as zero everywhere.
_PROBES = 3

#: Residuals (k,) of (t, y, args), y a vector of components.
Residual = Callable[[Any, Any, Any], Any]


def with_algebraic(model: Model, tolerances: Tolerances) -> Model:
    """The model with the rows of its mass matrix, if it has one or algebraic states.

    A regular matrix leaves an ordinary differential equation. `tolerances` are those of its states.

    Raises ConfigError where the equations are not of index 1, where as many states are not free at
    t0 as there are algebraic equations, or where Newton's method finds no consistent values there.
    """
    declared = model.declared
    if not declared.is_implicit:
        return model
    rows = rows_of(declared.full_mass_matrix)
    constraints = [i for i in range(len(model.components)) if i not in rows.differential]
    if not constraints:
        return replace(model, function=_summed(model, rows.differential))
    matrix = MassMatrix(len(model.components), tuple(constraints), rows.coupling)
    residual = _residuals(model, rows.constraints)
    scales = _Scales(model, tolerances)
    start = _Start(model, residual, matrix, scales)
    order = start.pivots()
    pivoted = tuple(constraints[column] for _, column in order)
    given = {constraints[column]: rows.constraints[row] for row, column in order}
    matrix = MassMatrix(matrix.size, pivoted, rows.coupling)
    restored = _solved(model, residual, matrix.directions, scales, _STEPS)
    return replace(
        model,
        function=_summed(model, {**rows.differential, **given}),
        algebraic=Algebraic(matrix, restored, start.solved),
        jumping=Jumping(lambda t, y, args: y, restored),
    )


def started(model: Model, lanes: Lanes) -> Lanes:
    """Lanes whose states obey the algebraic equations at t0, NaN where no such state is found."""
    algebraic = model.algebraic
    if algebraic is None:
        return lanes

    @jax.jit
    @jax.vmap
    def moved(y: Any, args: Any) -> Any:
        t = jnp.asarray(model.declared.t0, y.dtype)
        state = algebraic.started(t, model.unflatten(tuple(y)), model.Args(*args))
        return jnp.stack(model.flatten(state))

    return replace(lanes, y0=np.asarray(moved(lanes.y0.T, lanes.args.T), float).T)


def _summed(model: Model, rows: Mapping[int, Mapping[int, float]]) -> Moving:
    """The vector field whose components are sums of those of the model's."""

    def vector_field(t: Any, y: Any, args: Any) -> Any:
        given = model.flatten(model.vector_field(t, y, args))
        return model.unflatten([_sum(rows[i], given) for i in range(len(given))])

    return vector_field


def _residuals(model: Model, rows: Sequence[Mapping[int, float]]) -> Residual:
    def residual(t: Any, y: Any, args: Any) -> Any:
        given = model.flat_vector_field(t, tuple(y), tuple(args))
        return jnp.stack([_sum(row, given) for row in rows])

    return residual


def _sum(row: Mapping[int, float], values: Sequence[Any]) -> Any:
    terms = [values[i] if x == 1 else x * values[i] for i, x in row.items()]
    return sum(terms[1:], terms[0])


class _Scales:
    """Sizes of changes that count, by component."""

    def __init__(self, model: Model, tolerances: Tolerances):
        self._rtol = tolerances.rtol
        self._atol = np.array([tolerances.atol[one.state] for one in model.components])

    def of(self, y: Any) -> Any:
        rtol = max(self._rtol, _ROUNDINGS / _ENOUGH * float(jnp.finfo(y.dtype).eps))
        return jnp.asarray(self._atol, y.dtype) + rtol * jnp.abs(y)


def _solved(
    model: Model,
    residual: Residual,
    directions: Float[np.ndarray, "component k"],
    scales: _Scales,
    steps: int,
) -> Moving:
    """The state along `directions` from a given one where the residuals are zero, NaN for none."""
    leading = np.argmax(directions == 1, axis=0)
    moves = np.any(directions != 0, axis=1)

    def solved(t: Any, y: Any, args: Any) -> Any:
        given = jnp.stack(model.flatten(y))
        along = jnp.asarray(directions, given.dtype)
        # the iteration is not differentiated: the last step has the derivatives of the solution
        here, fixed, now = jax.lax.stop_gradient((given, tuple(args), t))
        at = lambda y: residual(now, y, fixed)
        scale = scales.of(here)[leading]

        def improved(_: Any, y: Any) -> Any:
            block = slopes_along(at, y, along)
            step = -jnp.linalg.solve(block, at(y))
            trials = [y + along @ (part * step) for part in _PARTS]
            after = jnp.linalg.solve(block, jnp.stack([at(trial) for trial in trials], axis=1))
            length, best = _length(step / scale), trials[0]
            for part, trial, column in zip(_PARTS, trials, after.T):
                shorter = _length(column / scale) <= (1 - part / 2) ** 2 * length
                best = jnp.where(shorter, trial, best)
            return best

        offset = jax.lax.fori_loop(0, steps, improved, here) - here
        near = given + offset
        block = slopes_along(at, here + offset, along)
        last = -jnp.linalg.solve(block, residual(t, near, tuple(args)))
        scale = scales.of(here + offset)[leading]
        found = jnp.all(jnp.abs(last) <= _ENOUGH * scale)
        lost = jnp.where(jnp.asarray(moves), jnp.nan, given)
        moved = model.unflatten(tuple(jnp.where(found, near + along @ last, lost)))
        return type(y)(*moved)

    return solved


def _length(x: Any) -> Any:
    return jnp.sum(x * x)


class _Start:
    """The consistent start of a model at its nominal values, by which equations are put in order.

    Raises ConfigError as `with_algebraic` does.
    """

    def __init__(self, model: Model, residual: Residual, matrix: MassMatrix, scales: _Scales):
        self._model, self._residual, self._matrix = model, residual, matrix
        directions, size = matrix.directions, matrix.size
        self._free = matrix.algebraic
        free = model.declared.free
        if free is not None:
            names = [component.state for component in model.components]
            self._free = tuple(i for i, name in enumerate(names) if name in free)
            directions = np.eye(size)[:, list(self._free)]
        self._directions = directions
        self.solved = _solved(model, residual, directions, scales, _STEPS_AT_START)

    def pivots(self) -> list[tuple[int, int]]:
        """Rows and columns of g_z in an order of elimination."""
        model = self._model
        t, y, args = model.example()
        self._refuse_singular(t, y, args)
        found = jnp.stack(model.flatten(jax.jit(self.solved)(t, y, args)))
        given = jnp.stack(model.flatten(y))
        here = found if np.isfinite(found).all() else given
        order, missing = pivots_of(self._block(self._matrix.directions, t, here, args))
        if missing.any():
            raise ConfigError(
                f"model.algebraic: the algebraic equations do not determine "
                f"{self._named(self._without(missing))} at model.t0, where their matrix is "
                "singular; start elsewhere, or differentiate equations whose index is above 1"
            )
        if here is given:
            raise ConfigError(
                f"model.algebraic: Newton's method finds no values of {self._named(self._free)} at "
                "model.t0 for which the algebraic equations hold, from the initial values in the "
                "config; give initial values that are nearer, or name other states in model.free"
            )
        return order

    def _refuse_singular(self, t: Any, y: Any, args: Any) -> None:
        """Raises where the equations are singular whatever the values of what they read."""
        given = np.array(self._model.flatten(y), float)
        random = np.random.default_rng(0)
        beside = 1 + 0.1 * random.random((_PROBES, len(given)))
        probes = [given, *(given * beside + 0.01 * random.random((_PROBES, len(given))))]
        checks = [(self._matrix.algebraic, self._matrix.directions)]
        checks += [(self._free, self._directions)] if self._model.declared.free else []
        for columns, directions in checks:
            blocks = [self._block(directions, t, probe, args) for probe in probes]
            pattern = np.any([block != 0 for block in blocks], axis=0)
            _, missing = pivots_of(np.where(pattern, 1 + random.random(pattern.shape), 0.0))
            if missing.any():
                why = "model.free has to name other states"
                if columns is self._matrix.algebraic:
                    why = "the index of the equations is above 1: differentiate them"
                lost = self._named(columns[i] for i in np.flatnonzero(missing))
                raise ConfigError(
                    f"model.algebraic: the algebraic equations do not determine {lost}: {why}"
                )

    def _block(self, directions: np.ndarray, t: Any, y: Any, args: Any) -> np.ndarray:
        y = jnp.asarray(y, jnp.result_type(t))
        at = lambda y: self._residual(t, y, tuple(args))
        return np.asarray(slopes_along(at, y, jnp.asarray(directions, y.dtype)), float)

    def _without(self, missing: np.ndarray) -> list[int]:
        return [self._matrix.algebraic[i] for i in np.flatnonzero(missing)]

    def _named(self, components: Iterable[int]) -> str:
        return ", ".join(dict.fromkeys(self._model.components[i].state for i in components))
