"""One call of `ensemble_solve`, taken apart: its structure, its numbers, its trajectories."""

from typing import Any, NamedTuple

import jax
import numpy as np
from jax.core import Tracer

from odeflow.api.batch import Batch, batched
from odeflow.api.events import condition_of
from odeflow.api.handles import Handle, handle_of
from odeflow.api.numbers import Numbering
from odeflow.api.problems import is_loose
from odeflow.api.remembered import Remembered
from odeflow.api.same import Same
from odeflow.api.saving import saving_of
from odeflow.api.settings import number, settings_of, vector_field_of
from odeflow.api.structure import ConditionKeywords, Structure

#: What is written in place of a dt0 that is not given, which nobody reads.
_NO_DT0 = 0.0
_SPAN = ("t0", "t1", "dt0")
_SAVING, _SETTINGS = Remembered(saving_of), Remembered(settings_of)


class CheckedCall(NamedTuple):
    """What a caller gave, checked; `given` is what Diffrax itself would be called with.

    `span` is (t0, t1, dt0); it and `ts` may be traced, as the leaves of `batch`.
    """

    structure: Structure
    numbering: Numbering
    batch: Batch
    span: tuple[Any, Any, Any]
    ts: Any
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
    ) -> "CheckedCall":
        """Checks what `ensemble_solve` was given; raises as it says."""
        if engine not in ("auto", "native", "diffrax"):
            raise ValueError(f"engine: {engine!r}; it is one of auto, native, diffrax")
        if precision not in ("float64", "float32"):
            raise ValueError(f"precision: {precision!r}; it is float64 or float32")
        field = vector_field_of(terms)
        batch = batched(y0, args, in_axes)
        saving, ts = _SAVING((saveat,), event is not None)
        t0, t1, dt0 = span
        settings = _SETTINGS((solver, controller), dt0 is not None, max_steps)
        known = {"terms": terms, "solver": solver, "t0": t0, "t1": t1, "dt0": dt0}
        known |= {"stepsize_controller": controller, "max_steps": max_steps, "saveat": saveat}
        condition, seen = condition_of(event), None
        if condition is not None:
            seen = _seen(known, ts, settings)
        structure = Structure(
            field=Same(field),
            y=batch.y,
            args=batch.args,
            words=settings.words,
            given=settings.given,
            loose=is_loose(settings.rtol),
            ends_only=saving.ends_only,
            fn=None if saving.fn is None else Same(saving.fn),
            event=condition and (Same(condition[0]), *condition[1:]),
            seen=seen,
            precision=precision,
            wanted="diffrax" if engine == "diffrax" else "auto",
        )
        pair = tuple(in_axes) if isinstance(in_axes, tuple | list) else (in_axes, in_axes)
        known |= {"y0": y0, "args": args, "event": event}
        known["in_axes"] = None if batch.lanes is None else pair
        moving = (t0, t1, _NO_DT0 if dt0 is None else dt0)
        numbering = Numbering(settings.numbers, dt0 is not None, saving, precision)
        return cls(structure, numbering, batch, moving, ts, known)

    @property
    def is_traced(self) -> bool:
        """Whether some number is known only to a transformation of JAX."""
        return self.batch.is_traced or any(isinstance(x, Tracer) for x in (*self.span, self.ts))

    def handle(self) -> tuple[Handle | None, str]:
        """What is kept of calls of this structure, and why it is not solved natively, or "".

        There is no handle where a function closes over what JAX traces.
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


def _seen(known: dict[str, Any], ts: Any, settings: Any) -> ConditionKeywords:
    """What the condition of an event is shown; nothing that is traced, which is not to be kept."""
    span = [known[name] for name in _SPAN]
    traced = {name for name, value in zip(_SPAN, span) if isinstance(value, Tracer)}
    if isinstance(ts, Tracer):
        traced.add("saveat")
    shown = {name: None if name in traced else value for name, value in known.items()}
    key = (*(shown[name] for name in _SPAN), tuple(sorted(traced)), settings)
    if isinstance(ts, np.ndarray):
        key = (*key, ts.tobytes())
    return ConditionKeywords(shown, key)
