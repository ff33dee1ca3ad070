"""A solver of Diffrax that watches guards: it ends the solve after the step in which one fires."""

from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from diffrax import RESULTS
from jax import lax

from odeflow.engines.shared.crossings import MOST_LOOKS, Crossings, Path, Place, SearchState
from odeflow.engines.shared.watch import Memory


class Watched(NamedTuple):
    """What guards say of the last accepted step.

    `memory`, `t` and `y` are those at its end or where a guard `fired`, before it is counted, and
    `part` is the fraction of the step up to there.
    """

    memory: Memory
    fired: Any
    t: Any
    y: Any
    part: Any


class WatchingSolver(diffrax.AbstractSolver):
    """Wraps a solver; takes the same steps, and ends the solve after one in which a guard fires.

    The state is `(wrapped state, Watched)`. A guard fires where it becomes true, which `Crossings`
    finds on the dense output. The end comes as a Diffrax error, since its loop forgets the
    outcome `event_occurred` of a solver.
    """

    wrapped: diffrax.AbstractSolver
    crossings: Crossings = eqx.field(static=True)
    memory: Memory

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
        one = jnp.ones_like(t0)
        watched = Watched(self.memory, jnp.asarray(False), jnp.asarray(t0), y0, one)
        return self.wrapped.init(terms, t0, t1, y0, args), watched

    def func(self, terms: Any, t0: Any, y0: Any, args: Any) -> Any:
        """See `diffrax.AbstractSolver.func`."""
        return self.wrapped.func(terms, t0, y0, args)

    def step(
        self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any, solver_state: Any, made_jump: Any
    ) -> Any:
        """See `diffrax.AbstractSolver.step`."""
        state, watched = solver_state
        memory = watched.memory
        y1, error, dense_info, state, result = self.wrapped.step(
            terms, t0, t1, y0, args, state, made_jump
        )
        path = self._path(t0, t1, y1, dense_info)
        suspect, now = self.crossings.may_fire(path, args, memory)
        place, y = self._searched(suspect, path, args, memory)
        fired = suspect & (place.verdict == float(SearchState.fired))
        t = place.to_t
        where = lambda a, b: jax.tree.map(lambda x, y: jnp.where(fired, x, y), a, b)
        guard = jnp.where(suspect, place.guard, now.astype(place.guard.dtype))
        # after a search that is over the last look was at the end
        memory = {**memory, "guard": guard, "found": jnp.where(fired, place.found, 0.0)}
        end = Watched(memory, fired, where(t, t1), where(y, y1), place.high)
        result = RESULTS.where(fired, RESULTS.internal_error, result)
        return y1, error, dense_info, (state, end), result

    def _path(self, t0: Any, t1: Any, y1: Any, dense_info: Any) -> Path:
        """Time and state at a fraction of a step, its own end at 1."""
        zero = jnp.zeros_like(t0)
        curve = self.wrapped.interpolation_cls(t0=zero, t1=zero + 1, **dense_info)

        def state(part: Any) -> Any:
            part = jnp.asarray(part, t0.dtype)
            y = jax.tree.map(lambda a, b: jnp.where(part < 1, a, b), curve.evaluate(part), y1)
            # what is compared and what holds are then of the same numbers, to the last bit
            return lax.optimization_barrier(y)

        return Path(t0, t1 - t0, t1, state)

    def _searched(self, suspect: Any, path: Path, args: Any, memory: Memory) -> tuple[Place, Any]:
        """Where in a step something fires, if anything does in one that is suspect; and the state
        that was looked at there: computed again, it may round to one in which nothing does.
        """
        crossings = self.crossings
        first = crossings.start(path, memory)
        verdict = jnp.where(suspect, first.verdict, float(SearchState.over))
        first = first._replace(verdict=verdict.astype(first.verdict.dtype))

        pick = lambda condition, new, old: jax.tree.map(
            lambda a, b: jnp.where(condition, a, b), new, old
        )

        def halve(state: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
            place, middle, here = crossings.halve(state[0], path, args, memory)
            return place, state[1] + 1, pick(here, middle, state[2])

        def look(state: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
            place, looks, _ = state
            place = crossings.look(place, path, args, memory)
            is_one = place.verdict == float(SearchState.one_change)

            def wide(state: tuple[Any, Any, Any]) -> Any:
                fine = crossings.is_fine(state[0], path)
                return is_one & ~fine & (state[1] < crossings.halvings)

            begin = place, jnp.asarray(0), path.state(place.high)
            place, _, there = lax.while_loop(wide, halve, begin)
            known = path._replace(state=lambda part: there)
            settled = crossings.settle(place, known, args, memory)
            place = pick(is_one, settled, place)
            return place, looks + 1, there

        def goes_on(state: tuple[Any, Any, Any]) -> Any:
            return (state[0].verdict == float(SearchState.search)) & (state[1] < MOST_LOOKS)

        begin = first, jnp.asarray(0), path.state(first.high)
        place, _, there = lax.while_loop(goes_on, look, begin)
        # the step counts up to where all is known
        cut = (place.verdict == float(SearchState.search)) & (place.low > 0)
        place = place._replace(
            high=jnp.where(cut, place.low, place.high),
            to_t=jnp.where(cut, place.from_t, place.to_t),
            verdict=jnp.where(cut, float(SearchState.fired), place.verdict),
        )
        end = path.state(place.high)
        return place, pick(cut, end, there)
