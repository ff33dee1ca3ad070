"""Invariants: quantities that the exact solution conserves, and how far they drift.

The engines evaluate them where they save, as they do observables. So no state has to be stored
for it, and what is stored is one number per trajectory.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from odeflow.files.errors import ConfigError
from odeflow.problem.declaration import Variable
from odeflow.problem.model import Model
from odeflow.problem.names import drift_name

#: Lanes whose invariants at t0 are computed at once.
_BLOCK = 4096


class Drift:
    """The drift of a model's invariants; of no invariants where `invariants` is None.

    `invariants` is the model with its invariants as the only observables. `names` are those of the
    drifts in the dataset: the engines evaluate the invariants under them, so that a model may call
    an observable and an invariant alike.
    """

    def __init__(self, invariants: Model | None):
        self.invariants = invariants
        self.own = () if invariants is None else invariants.observable_names
        self.names = tuple(drift_name(name) for name in self.own)

    def taken_from(
        self,
        values: dict[str, Float[np.ndarray, "lane time ..."]],
        y0: Float[np.ndarray, "component lane"],
        args: Float[np.ndarray, "parameter lane"],
        dtype: np.dtype,
    ) -> dict[str, Float[np.ndarray, " lane"]]:
        """The relative drift of every lane, by invariant, whose values leave `values`.

        `y0` and `args` may have more rows than the model has components and parameters.
        """
        if self.invariants is None:
            return {}
        start, scale = self.starts(y0, args, dtype)
        return {
            name: relative_drift(values.pop(drift), start[name], scale[name])
            for name, drift in zip(self.own, self.names)
        }

    def starts(
        self,
        y0: Float[np.ndarray, "component lane"],
        args: Float[np.ndarray, "parameter lane"],
        dtype: np.dtype,
    ) -> tuple[dict[str, Float[np.ndarray, " lane"]], dict[str, Float[np.ndarray, " lane"]]]:
        """`at_start` of lanes as an engine has them, with more rows and in its precision."""
        assert self.invariants is not None
        size = len(self.invariants.components)
        number = len(self.invariants.declared.parameters)
        return self.at_start(y0[:size].astype(dtype), args[:number].astype(dtype))

    def at_start(
        self, y0: Float[np.ndarray, "component lane"], args: Float[np.ndarray, "parameter lane"]
    ) -> tuple[dict[str, Float[np.ndarray, " lane"]], dict[str, Float[np.ndarray, " lane"]]]:
        """Every invariant at t0, and the scale of its drift, by invariant.

        The scale is |I(t0)| or, where that is larger, the size of the terms I is made of, the sum
        of |dI/dy_i y_i| at t0: an energy that is zero as the difference of two large ones, or a
        sum of values of both signs, then does not seem to drift by rounding alone. It is 1 where
        both are 0.
        """
        blocks = _blocks(self._evaluate, y0.T.astype(float), args.T.astype(float))
        start = {name: np.concatenate([b[0][name] for b in blocks]) for name in self.own}
        scale = {}
        for name, values in start.items():
            size = np.concatenate([block[1][name] for block in blocks])
            largest = np.maximum(np.abs(values), size)
            scale[name] = np.where(largest > 0, largest, 1.0)
        return start, scale

    @cached_property
    def _evaluate(self) -> Callable[..., Any]:
        """Compiled once: of a block of lanes, values at t0 and sizes of their terms."""
        model = self.invariants
        assert model is not None
        t0 = model.declared.t0

        def value(y: Any, args: Any) -> dict[str, Any]:
            observed = model.flat_observables(jnp.asarray(t0, float), tuple(y), tuple(args))
            return {name: value.astype(float) for name, value in observed.items()}

        @jax.jit
        @jax.vmap
        def evaluate(y: Any, args: Any) -> tuple[dict[str, Any], dict[str, Any]]:
            terms = {n: jnp.abs(along * y) for n, along in jax.jacfwd(value)(y, args).items()}
            sizes = {n: jnp.sum(jnp.where(jnp.isfinite(t), t, 0.0)) for n, t in terms.items()}
            return value(y, args), sizes

        return evaluate


def with_invariants(model: Model, drift: Drift) -> Model:
    """A model that observes its invariants too, under the names of their drifts.

    `model` may have more states than the invariants know, its sensitivities. Raises ConfigError
    where a name is taken.
    """
    invariants = drift.invariants
    if invariants is None:
        return model
    taken = {*model.variables(), *model.declared.parameters, *model.declared.dims}
    for name, named in zip(drift.own, drift.names):
        if named in taken:
            raise ConfigError(
                f"model.invariants: the dataset calls the drift of {name!r} {named}, as something "
                "in the model is; rename one of them"
            )
    states, parameters = len(invariants.declared.states), len(invariants.declared.parameters)

    def observables(t: Any, y: Any, args: Any) -> dict[str, Any]:
        own_y = invariants.State(*tuple(y)[:states])
        own_args = invariants.Args(*tuple(args)[:parameters])
        conserved = invariants.observables(t, own_y, own_args)
        return model.observables(t, y, args) | {
            named: conserved[name] for name, named in zip(drift.own, drift.names)
        }

    known = model.variables()
    variables = {name: known[name] for name in model.observable_names}
    words = {name: of.long_name for name, of in invariants.variables().items()}
    variables |= {named: Variable(long_name=words[n]) for n, named in zip(drift.own, drift.names)}
    declared = replace(
        model.declared,
        observables=variables,
        observables_origin=(
            model if model.observables_function else invariants
        ).declared.observables_origin,
    )
    return replace(model, declared=declared, observables_function=observables)


def relative_drift(
    values: Float[np.ndarray, "lane time"],
    start: Float[np.ndarray, " lane"],
    scale: Float[np.ndarray, " lane"],
) -> Float[np.ndarray, " lane"]:
    """Largest |I(t) - I(t0)| / scale over the times that a trajectory has values at, else NaN."""
    # the extremes have the largest distances, and no array of distances has to be made
    above = np.fmax.reduce(values, axis=1).astype(float) - start
    below = start - np.fmin.reduce(values, axis=1).astype(float)
    return np.maximum(above, below) / scale


def _blocks(
    evaluate: Callable[..., Any], y0: np.ndarray, args: np.ndarray
) -> Sequence[tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]]:
    """`evaluate` of blocks of lanes of one width, so that it is compiled once."""
    size = len(y0)
    width = min(size, _BLOCK)
    results = []
    for start in range(0, size, width):
        rows = np.minimum(np.arange(start, start + width), size - 1)
        kept = min(width, size - start)
        results.append(
            jax.tree.map(lambda x, kept=kept: np.asarray(x)[:kept], evaluate(y0[rows], args[rows]))
        )
    return results
