"""The steady states that trajectories go to: simulated until late, then by Newton's method.

The model's events and switches happen while it is simulated; the finish knows none of them. What
is simulated ends so late that only what is slower than `_LATE` time spans is still moving. The
steps of a stiff method grow as fast as the state comes to rest, so late costs few of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from odeflow.config.root import Config
from odeflow.config.summary import SummaryConfig
from odeflow.engines.choice import Resources, solve
from odeflow.ensemble.build import build_augmented
from odeflow.ensemble.rest.conserved import Conserved, conserved_by
from odeflow.ensemble.rest.newton import derivatives, finish, padded
from odeflow.problem.model import Model
from odeflow.problem.status import has_failed

#: Time spans of the model after which a trajectory has come to rest, or does not.
_LATE = 1e8
#: Steps of such a simulation: what oscillates for ever would take them all.
_MOST_STEPS = 20_000
_METHOD = "rodas5p"
#: What is conserved has changed where it has by this part of itself.
_CHANGED = 1e-8

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Steady:
    """States at rest; `failed` are the lanes that have none, with NaN.

    Where an event has changed what the field conserves, `jumped`, the state at rest does not follow
    from the start.
    """

    y: Float[np.ndarray, "component lane"]
    args: Float[np.ndarray, "parameter lane"]
    failed: Bool[np.ndarray, " lane"]
    jumped: Bool[np.ndarray, " lane"]


class SteadyStates:
    """Finds steady states of a model.

    Arguments:
        config: the experiment; its tolerances and its engine are taken.
        model: the model as it is loaded, without derivatives.
        varied: the parameters that lanes differ in.
    """

    def __init__(self, config: Config, model: Model, varied: Iterable[str]):
        config = _until_late(config, model)
        declared = replace(model.declared, t1=config.model.t1)
        self.model = model = replace(model, declared=declared)
        names = {*varied}
        self._varied = np.array([name in names for name in declared.parameters], bool)
        self._built = build_augmented(config, model, [])
        self._laws: dict[bytes, Conserved] = {}
        self.t = config.model.t1
        given = config.solver.tolerances(model.declared.states)
        self._rtol = given.rtol
        self._atol = jnp.array([given.atol[one.state] for one in model.components])
        self._finish = jax.jit(lambda lanes: finish(self._field, lanes, self._rtol, self._atol))
        self._derivatives = jax.jit(lambda lanes: derivatives(self._field, lanes))

    def _field(self, t: jax.Array, y: jax.Array, args: jax.Array) -> jax.Array:
        return jnp.stack(self.model.flat_vector_field(t, list(y), list(args)))

    def __call__(self, axes: Columns, resources: Resources) -> Steady:
        """The steady states of trajectories with these values of the axes.

        Arguments:
            axes: values by name, one per lane.
            resources: cores, and the folder for compiled code.

        Returns:
            One state per lane; equal lanes are solved once.
        """
        axes = axes or {"": np.zeros(1)}  # one lane, as the model has it
        table = np.stack([np.asarray(x, float) for x in axes.values()])
        _, first, back = np.unique(table, axis=1, return_index=True, return_inverse=True)
        back = back.ravel()
        lanes = self._built.lanes({name: np.asarray(x)[first] for name, x in axes.items()})
        args = lanes.args[: len(self.model.declared.parameters)]
        solution = solve(self._built.problem, lanes, self._built.engine, resources)
        states = [solution.values[name][:, 0] for name in self.model.declared.states]
        ends = np.nan_to_num(np.stack(states, axis=1))
        rows, kept = self._conserved(args)
        began = lanes.y0.T
        jumped = self._have_jumped(began, ends, rows)
        began = np.where(jumped[:, None], ends, began)
        found, at_rest = self._mapped(self._finish, ends, args.T, began, rows, kept)
        failed = has_failed(solution.status) | ~at_rest
        y = np.where(failed[:, None], np.nan, found).T
        return Steady(y[:, back], args[:, back], failed[back], jumped[back])

    def _have_jumped(
        self,
        began: Float[np.ndarray, "lane component"],
        ends: Float[np.ndarray, "lane component"],
        rows: Float[np.ndarray, "lane component component"],
    ) -> Bool[np.ndarray, " lane"]:
        """The lanes in which events have changed what is conserved."""
        if not self.model.events:
            return np.zeros(len(ends), bool)
        change = np.einsum("lij,lj->li", rows, ends - began)
        size = np.einsum("lij,lj->li", np.abs(rows), np.abs(ends) + np.abs(began))
        return (np.abs(change) > _CHANGED * size).any(axis=1)

    def slopes(
        self,
        steady: Steady,
        of_args: Float[np.ndarray, "lane direction parameter"],
        of_start: Float[np.ndarray, "lane direction component"],
    ) -> Float[np.ndarray, "lane direction component"]:
        """The derivatives of steady states along directions.

        Arguments:
            steady: the states.
            of_args: the derivatives of the parameters of each lane.
            of_start: those of the state that each lane started from.

        Returns:
            The derivatives; NaN where they are not known, as after a jump.
        """
        rows, kept = self._conserved(steady.args)
        (found,) = self._mapped(
            lambda lanes: (self._derivatives(lanes),),
            steady.y.T, steady.args.T, of_args, of_start, rows, kept,
        )  # fmt: skip
        return np.where(steady.jumped[:, None, None], np.nan, found)

    def _conserved(self, args: Float[np.ndarray, "parameter lane"]) -> tuple[np.ndarray, ...]:
        """What each lane conserves: rows, and which rates stand for themselves."""
        found, size = [], len(self.model.components)
        for one in args.T:
            key = np.where(self._varied, np.sign(one), one).tobytes()
            if key not in self._laws:
                self._laws[key] = conserved_by(self._field, self.t, size, one, self._varied)
            found.append(self._laws[key])
        return np.stack([x.rows for x in found]), np.stack([x.kept for x in found])

    def _mapped(self, function: Any, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        """A program over lanes, of which it is compiled for few numbers."""
        size = len(arrays[0])
        index = padded(size)
        given = tuple(jnp.asarray(x[index]) for x in arrays)
        result = function((jnp.full(len(index), self.t), *given))
        return tuple(np.asarray(x)[:size] for x in result)


def _until_late(config: Config, model: Model) -> Config:
    """The config whose trajectories end late, with nothing else saved."""
    t0, t1 = config.model.t0, config.model.t1
    solver = config.solver.model_copy(
        update={
            "method": _METHOD,
            "stepsize_controller": "pid",
            "dt0": None,
            "dtmin": None,
            "dtmax": None,
            "reject_drift": False,
            "max_steps": min(config.solver.max_steps, _MOST_STEPS),
        }
    )
    states = list(model.declared.states)
    saveat = config.saveat.model_copy(
        update={"ts": None, "variables": states, "sensitivities": None, "steady_state": False}
    )
    changed = {
        "model": config.model.model_copy(update={"t1": t0 + _LATE * (t1 - t0)}),
        "solver": solver,
        "saveat": saveat,
        "summary": SummaryConfig.model_validate({"metrics": []}),
        "stop": None,
    }
    return config.model_copy(update=changed).in_study(config.study)
