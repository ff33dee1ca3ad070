"""Metrics reduced in Diffrax's loop, and crossings kept: a solver that carries both."""

from collections.abc import Callable
from typing import Any

import diffrax
import equinox as eqx
import jax.numpy as jnp

from odeflow.engines.diffrax.keeping import EventKeeper
from odeflow.engines.diffrax.watching import WatchingSolver
from odeflow.problem.reductions import Reducer


class ReducingSolver(diffrax.AbstractSolver):
    """Wraps a solver; takes the same steps.

    The state is `(wrapped state, {variable: accumulators})`, with what is kept of saved events
    under the keys of `keepers`: Diffrax keeps that of accepted steps only. `observe(t, y, args)`
    gives the variables by name, looked at where the problem's `nodes` are. It is not an
    `AbstractWrappedSolver`, of which Diffrax would ask the root finder of the wrapped one. `kept`
    are the accumulators to go on with; None starts them. The step of a `WatchingSolver` counts up
    to where a guard fires.
    """

    wrapped: diffrax.AbstractSolver
    observe: Callable[..., dict[str, Any]] = eqx.field(static=True)
    reducers: tuple[tuple[str, Reducer], ...] = eqx.field(static=True)
    keepers: tuple[EventKeeper, ...] = eqx.field(static=True)
    nodes: tuple[float, ...] = eqx.field(static=True)
    kept: Any = None

    @property
    def term_structure(self) -> Any:  # pyright: ignore
        """See `diffrax.AbstractSolver`."""
        return self.wrapped.term_structure

    @property
    def interpolation_cls(self) -> Any:  # pyright: ignore
        """See `diffrax.AbstractSolver`."""
        return self.wrapped.interpolation_cls

    def order(self, terms: Any) -> Any:
        """See `diffrax.AbstractSolver.order`."""
        return self.wrapped.order(terms)

    def error_order(self, terms: Any) -> Any:
        """See `diffrax.AbstractSolver.error_order`."""
        return self.wrapped.error_order(terms)

    def init(self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any) -> Any:
        """See `diffrax.AbstractSolver.init`."""
        if self.kept is not None:
            return self.wrapped.init(terms, t0, t1, y0, args), self.kept
        first = self.observe(t0, y0, args)
        kept: dict[str, Any] = {name: r.start(t0, first[name]) for name, r in self.reducers}
        kept |= {keeper.key: keeper.start(jnp.asarray(t0).dtype) for keeper in self.keepers}
        return self.wrapped.init(terms, t0, t1, y0, args), kept

    def func(self, terms: Any, t0: Any, y0: Any, args: Any) -> Any:
        """See `diffrax.AbstractSolver.func`."""
        return self.wrapped.func(terms, t0, y0, args)

    def step(
        self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any, solver_state: Any, made_jump: Any
    ) -> Any:
        """See `diffrax.AbstractSolver.step`."""
        state, kept = solver_state
        y1, error, dense_info, state, result = self.wrapped.step(
            terms, t0, t1, y0, args, state, made_jump
        )
        path = self.wrapped.interpolation_cls(t0=t0, t1=t1, **dense_info)
        end, last = t1, y1
        if isinstance(self.wrapped, WatchingSolver):
            end, last = state[1].t, state[1].y
        h = end - t0
        times = [t0, *(t0 + h * node for node in self.nodes[1:-1]), end]
        points = [y0, *map(path.evaluate, times[1:-1]), last]
        seen = [self.observe(t, y, args) for t, y in zip(times, points)]
        at = lambda time: self.observe(time, path.evaluate(time), args)
        kept = {
            name: reducer.update(kept[name], t0, h, [values[name] for values in seen])
            for name, reducer in self.reducers
        } | {
            keeper.key: keeper.update(kept[keeper.key], t0, h, seen, at) for keeper in self.keepers
        }
        return y1, error, dense_info, (state, kept), result
