"""Step-size control of one lane: Diffrax's controller, plus how and where a lane failed."""

from typing import Any

import diffrax
import jax.numpy as jnp
import jax.tree_util as jtu
import optimistix as optx
from diffrax import RESULTS
from equinox.internal import ω
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool

from odeflow.engines.diffrax.knot_control import KnotController
from odeflow.engines.shared.wild_steps import is_wild, looks_for_wild_steps
from odeflow.problem.methods import METHODS
from odeflow.problem.problem import Problem

#: Diffrax's outcome that stands for a wild step; nothing else here has it.
WILD = RESULTS.max_steps_rejected


class LaneController(diffrax.AbstractAdaptiveStepSizeController):
    """Wraps a Diffrax controller; takes the same steps.

    It adds these things. A step with a non-finite candidate is never kept, and ends the lane
    where the wrapped controller cannot shrink the step. A step too small to advance `t` ends the
    lane at once, rather than burning `max_steps` while its neighbours wait. And `scale` measures
    each state in units of its own absolute tolerance: the wrapped controller sees `scale * y`
    with `atol` 1, so that its error norm is err / (atol_i + rtol |y_i|) for each state i.

    Where `field` is given, for methods that do not evaluate it at the end of a step, a step is
    rejected too where `field(t, y, args)` is not finite there: no other could start from it. So is
    one after which a state of `nonnegative` is below zero, or of which `rejected` says so. With
    `looks` a step that is wild (`shared.wild_steps`) ends the lane, with the outcome `WILD`.

    The state is `(wrapped state, time reached, candidate non-finite, error infinite)`.
    """

    wrapped: diffrax.AbstractStepSizeController
    scale: Any | None
    rtol: float
    atol: float
    norm: Any = optx.rms_norm
    field: Any = None
    sees_end: bool = True
    looks: bool = False
    nonnegative: tuple[str, ...] = ()
    rejected: Any = None

    def wrap(self, direction: Any) -> "LaneController":
        """Part of Diffrax's interface; integration here is always forward."""
        del direction
        return self

    def init(
        self,
        terms: Any,
        t0: Any,
        t1: Any,
        y0: Any,
        dt0: Any,
        args: Any,
        func: Any,
        error_order: Any,
    ) -> Any:
        """First step and controller state, see `diffrax.AbstractStepSizeController.init`."""

        def scaled_func(terms: Any, t: Any, z: Any, args: Any) -> Any:
            return self._scaled(func(terms, t, self._unscaled(z), args))

        next_t, state = self.wrapped.init(
            terms, t0, t1, self._scaled(y0), dt0, args, scaled_func, error_order
        )
        return next_t, (state, jnp.asarray(t0), jnp.asarray(False), jnp.asarray(False))

    def adapt_step_size(
        self,
        t0: Any,
        t1: Any,
        y0: Any,
        y1_candidate: Any,
        args: Any,
        y_error: Any,
        error_order: Any,
        controller_state: Any,
    ) -> Any:
        """See `diffrax.AbstractStepSizeController.adapt_step_size`."""
        state, _, _, _ = controller_state
        error_infinite = ~_all_finite(y_error)
        refused = self._is_negative(y1_candidate)
        vain = jnp.asarray(False)
        if self.rejected is not None:
            rejected, vain = self.rejected(t1 - t0, t1, y1_candidate, args)
            refused = refused | rejected
        undefined = jnp.asarray(False)
        if not self.sees_end:
            undefined = ~_all_finite(self.field(t1, y1_candidate, args))
        unfit = undefined | refused | ~_all_finite(y1_candidate)
        estimate = jtu.tree_map(lambda x: jnp.where(unfit, jnp.inf, x), y_error)
        # an infinite error over an infinite tolerance would say nothing
        before = jtu.tree_map(lambda x: jnp.where(jnp.isfinite(x), x, 0.0), y0)
        after = jtu.tree_map(lambda x, y: jnp.where(unfit, x, y), before, y1_candidate)
        keep, next_t0, next_t1, made_jump, state, result = self.wrapped.adapt_step_size(
            t0,
            t1,
            self._scaled(before),
            self._scaled(after),
            args,
            self._scaled(estimate),
            error_order,
            state,
        )
        non_finite = undefined | ~_all_finite(y1_candidate)
        # constant steps, and those of dtmin, are kept by the wrapped controller whatever they are
        forced = keep & (non_finite | refused | error_infinite)
        keep = keep & ~forced
        next_t0 = jnp.where(keep, next_t0, t0)
        # A rejected step of one ulp comes back unchanged where the smaller one rounds up to it.
        stuck = ~keep & (next_t1 >= t1)
        stalled = forced | stuck | vain | (next_t1 <= next_t0)
        result = RESULTS.where(stalled, RESULTS.dt_min_reached, result)
        if self.looks:
            wild = keep & self._is_wild(t0, t1, y0, y1_candidate, args, y_error)
            keep, next_t0 = keep & ~wild, jnp.where(wild, t0, next_t0)
            result = RESULTS.where(wild, WILD, result)
        return (
            keep,
            next_t0,
            next_t1,
            made_jump,
            (state, next_t0, non_finite, error_infinite),
            result,
        )

    def _is_negative(self, y1: Any) -> Any:
        """Whether a state is negative that cannot be."""
        found = jnp.asarray(False)
        scaled = self._scaled(y1)
        for name in self.nonnegative:
            least = -1.0 if self.scale is not None else -self.atol
            found = found | jnp.any(getattr(scaled, name) < least)
        return found

    def _is_wild(self, t0: Any, t1: Any, y0: Any, y1: Any, args: Any, y_error: Any) -> Any:
        """Whether a step is wild, all in units of the absolute tolerances."""
        flat = lambda y: ravel_pytree(self._scaled(y))[0]
        slopes = (
            (t1 - t0) * flat(self.field(t0, y0, args)),
            (t1 - t0) * flat(self.field(t1, y1, args)),
        )
        before, after = flat(y0), flat(y1)
        atol = 1.0 if self.scale is not None else self.atol
        sizes = jnp.abs(before), jnp.abs(after)
        return is_wild(self.rtol, atol, after - before, sizes, slopes, flat(y_error))

    def _scaled(self, y: Any) -> Any:
        return y if self.scale is None or y is None else (y**ω * self.scale**ω).ω

    def _unscaled(self, y: Any) -> Any:
        return y if self.scale is None else (y**ω / self.scale**ω).ω


class BudgetedController(LaneController):
    """A `LaneController` that ends the solve after a number of steps, each lane's own.

    The state is `(the other's state, steps taken)`.
    """

    budget: Any = None

    def init(self, *args: Any) -> Any:
        """First step and controller state, see `diffrax.AbstractStepSizeController.init`."""
        next_t, state = super().init(*args)
        return next_t, (state, jnp.asarray(0))

    def adapt_step_size(self, *args: Any) -> Any:
        """See `diffrax.AbstractStepSizeController.adapt_step_size`."""
        *known, (state, taken) = args
        adapt: Any = super().adapt_step_size
        *adapted, state, result = adapt(*known, state)
        spent = (taken + 1 >= self.budget) & (result == RESULTS.successful)
        result = RESULTS.where(spent, RESULTS.max_steps_reached, result)
        return (*adapted, (state, taken + 1), result)


def _all_finite(tree: Any) -> Bool[Array, ""]:
    finite = jnp.asarray(True)
    for leaf in jtu.tree_leaves(tree):
        finite = finite & jnp.all(jnp.isfinite(leaf))
    return finite


def lane_controller(problem: Problem, state_record: Any, budget: Any = None) -> LaneController:
    """The controller that a problem asks for; one of `budget` steps where that is given.

    `state_record` is an example state, to lay out per-state absolute tolerances.
    """
    solver, model = problem.solver, problem.model
    tolerances = solver.tolerances
    if not solver.is_adaptive:
        wrapped: Any = diffrax.ConstantStepSize()
    else:
        wrapped = diffrax.PIDController(
            rtol=tolerances.rtol,
            atol=1.0 if tolerances.uniform is None else tolerances.uniform,
            pcoeff=solver.pcoeff,
            icoeff=solver.icoeff,
            dcoeff=solver.dcoeff,
            dtmin=solver.dtmin,
            dtmax=solver.dtmax,
            force_dtmin=False,
            factormin=solver.factormin,
            factormax=solver.factormax,
            safety=solver.safety,
        )
        if model.knots is not None:
            wrapped = KnotController(wrapped, jnp.asarray(model.knots.times, problem.dtype))
    scale = None
    if tolerances.uniform is None:
        scales = {n: 1.0 / tolerances.atol[n] for n in state_record._fields}
        scale = type(state_record)(**{n: jnp.asarray(x, problem.dtype) for n, x in scales.items()})
    known = {
        "wrapped": wrapped,
        "scale": scale,
        "rtol": tolerances.rtol,
        "atol": tolerances.least,
        "field": model.vector_field,
        "sees_end": not solver.is_adaptive or METHODS[solver.method].sees_end,
        "looks": looks_for_wild_steps(solver),
        "nonnegative": tuple(model.declared.nonnegative),
        "rejected": problem.rejected,
    }
    if budget is None:
        return LaneController(**known)
    return BudgetedController(**known, budget=budget)
