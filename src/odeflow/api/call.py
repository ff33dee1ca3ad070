"""One call of `ensemble_solve`, taken apart: its plan, and its trajectories."""

from typing import Any, NamedTuple

from jax.core import Tracer

from odeflow.api.batch import Batch, flattened
from odeflow.api.plan import CallPlan, Span, plan_of
from odeflow.api.settings import vector_field_of


class CheckedCall(NamedTuple):
    """What a caller gave, checked; `trees` are y0, args and in_axes as they were.

    `span` is (t0, t1, dt0), which may be traced, as the leaves of `batch`.
    """

    plan: CallPlan
    batch: Batch
    span: Span
    trees: tuple[Any, Any, Any]

    @classmethod
    def of(
        cls,
        terms: Any,
        solver: Any,
        span: Span,
        y0: Any,
        args: Any,
        in_axes: Any,
        saveat: Any,
        controller: Any,
        event: Any,
        max_steps: int | None,
        engine: str,
        precision: str,
    ) -> "CheckedCall":
        """Checks what `ensemble_solve` was given; raises as it says."""
        if engine not in ("auto", "native", "diffrax"):
            raise ValueError(f"engine: {engine!r}; it is one of auto, native, diffrax")
        if precision not in ("float64", "float32"):
            raise ValueError(f"precision: {precision!r}; it is float64 or float32")
        field, modules = vector_field_of(terms), (solver, saveat, controller, event)
        leaves, trees = flattened(y0, args, in_axes)
        plan = plan_of(field, modules, trees, span, max_steps, engine, precision)
        return cls(plan, Batch(leaves, *plan.arrangement), span, (y0, args, in_axes))

    @property
    def is_traced(self) -> bool:
        """Whether some number is known only to a transformation of JAX."""
        return any(isinstance(x, Tracer) for x in (*self.span, self.plan.ts, *self.batch.leaves))

    @property
    def given(self) -> dict[str, Any]:
        """What Diffrax itself would be called with; `in_axes` is a pair, or None for one
        trajectory.
        """
        y0, args, axes = self.trees
        pair = tuple(axes) if isinstance(axes, tuple | list) else (axes, axes)
        in_axes = None if self.batch.lanes is None else pair
        more = {"y0": y0, "args": args, "in_axes": in_axes, "event": self.plan.event}
        return self.plan.given(self.span) | more
