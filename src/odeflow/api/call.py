"""One call of `ensemble_solve`, taken apart: its structure, its numbers, its trajectories."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from odeflow.api.batch import Batch, batched
from odeflow.api.events import condition_of
from odeflow.api.handles import Handle, handle_of
from odeflow.api.saving import Saving, saved_times, saving_of
from odeflow.api.settings import Settings, number, settings_of, vector_field_of
from odeflow.api.structure import Numbers, Same, Seen, Structure
from odeflow.config.ladder import SAFE_RTOL
from odeflow.config.times import check_span

#: What is written in place of a dt0 that is not given, which nobody reads.
_NO_DT0 = 0.0
_SPAN = ("t0", "t1", "dt0")


@dataclass(frozen=True)
class Call:
    """What a caller gave, checked; `given` is what Diffrax itself would be called with.

    `span` is (t0, t1, dt0), any of which may be traced.
    """

    structure: Structure
    settings: Settings
    saving: Saving
    batch: Batch
    span: tuple[Any, Any, Any]
    given: dict[str, Any]

    @classmethod
    def of(
        cls,
        terms: Any,
        solver: Any,
        span: tuple[Any, Any, Any],
        y0: Any,
        args: Any,
        in_axes: Any,
        saveat: Any,
        controller: Any,
        event: Any,
        max_steps: int | None,
        engine: str,
        precision: str,
    ) -> "Call":
        """Checks what `ensemble_solve` was given; raises as it says."""
        if engine not in ("auto", "native", "diffrax"):
            raise ValueError(f"engine: {engine!r}; it is one of auto, native, diffrax")
        if precision not in ("float64", "float32"):
            raise ValueError(f"precision: {precision!r}; it is float64 or float32")
        field = vector_field_of(terms)
        batch = batched(y0, args, in_axes)
        saving = saving_of(saveat, event is not None)
        t0, t1, dt0 = span
        settings = settings_of(solver, controller, dt0 is not None, max_steps)
        known = {"terms": terms, "solver": solver, "t0": t0, "t1": t1, "dt0": dt0}
        known |= {"stepsize_controller": controller, "max_steps": max_steps}
        names = [name for name, _ in settings.numbers]
        condition, seen = condition_of(event), None
        if condition is not None:
            key = (*map(_key, (t0, t1, dt0, saving.ts)), settings)
            seen = Seen({**known, "saveat": saveat}, key)
        structure = Structure(
            field=Same(field),
            y=batch.y,
            args=batch.args,
            words=settings.words,
            given=tuple(names if dt0 is None else [*names, "dt0"]),
            loose=dict(settings.numbers)["rtol"] > SAFE_RTOL,
            ends_only=saving.ends_only,
            fn=None if saving.fn is None else Same(saving.fn),
            event=condition and (Same(condition[0]), *condition[1:]),
            seen=seen,
            precision=precision,
            wanted="diffrax" if engine == "diffrax" else "auto",
        )
        pair = tuple(in_axes) if isinstance(in_axes, tuple | list) else (in_axes, in_axes)
        known |= {"y0": y0, "args": args, "saveat": saveat, "event": event}
        known["in_axes"] = None if batch.lanes is None else pair
        moving = (t0, t1, _NO_DT0 if dt0 is None else dt0)
        return cls(structure, settings, saving, batch, moving, known)

    @property
    def is_traced(self) -> bool:
        """Whether some number is known to a transformation of JAX only."""
        others = (*self.span, self.saving.ts)
        return self.batch.is_traced or any(isinstance(x, Tracer) for x in others)

    def handle(self) -> tuple[Handle | None, str]:
        """What is kept of calls of this structure, and why it is not solved natively, or "".

        There is no handle where the vector field closes over what JAX traces.
        """
        try:
            handle = handle_of(self.structure)
        except (jax.errors.TracerArrayConversionError, jax.errors.UnexpectedTracerError):
            return None, (
                "a function closes over a value that JAX traces: let it read that from args, or "
                "give it as a number"
            )
        native = handle.choice.name == "native"
        return handle, "" if native else handle.choice.reason

    def span_values(self) -> np.ndarray:
        """(t0, t1, dt0), once they are known."""
        return np.array([number(name, value) for name, value in zip(_SPAN, self.span)])

    def numbers(self, span: np.ndarray, ts: Any) -> tuple[Numbers, np.ndarray | None]:
        """The numbers of the call, and which saved time each time that was asked for is.

        `span` and `ts` are the values of `self.span` and `self.saving.ts`. Raises ValueError where
        they do not fit together.
        """
        t0, t1, dt0 = map(float, span)
        for name, value in (("t0", t0), ("t1", t1)):
            if not np.isfinite(value):
                raise ValueError(f"{name}: {value}; a finite time is needed")
        if not t1 > t0:
            raise ValueError(
                f"t1: {t1:g} is not above t0={t0:g}; to go back in time, solve for s = -t"
            )
        check_span("t1", t0, t1, np.dtype(self.structure.precision))
        numbers = self.settings.numbers
        if "dt0" in self.structure.given:
            if not (np.isfinite(dt0) and dt0 > 0):
                raise ValueError(f"dt0: {dt0:g}; a step above 0 is needed, or None")
            numbers = (*numbers, ("dt0", dt0))
        times, place = saved_times(self.saving, t0, t1, ts)
        return Numbers(t0, t1, times, numbers), place


def _key(value: Any) -> Any:
    """Something to compare a number or array by; what is traced is equal to itself only."""
    if isinstance(value, Tracer):
        return id(value)
    return value.tobytes() if isinstance(value, np.ndarray) else value
