"""All of a call but its trajectories: calls of one plan differ in the values of y0 and args."""

from functools import cached_property
from operator import attrgetter
from typing import Any

import diffrax
import jax
import numpy as np
from jax.core import Tracer

from odeflow.api.batch import Trees, arranged
from odeflow.api.events import condition_of
from odeflow.api.handles import Handle, handle_of
from odeflow.api.numbers import Numbering
from odeflow.api.problems import is_loose
from odeflow.api.remembered import Remembered
from odeflow.api.same import Same
from odeflow.api.saving import saving_of
from odeflow.api.settings import number, settings_of
from odeflow.api.structure import ConditionKeywords, Structure
from odeflow.problem.problem import Problem

#: What is written in place of a dt0 that is not given, which nobody reads.
_NO_DT0 = 0.0
_SPAN = ("t0", "t1", "dt0")
_SAVING, _SETTINGS = Remembered(saving_of), Remembered(settings_of)
#: Types of numbers that are known and do not change.
_NUMBERS = {float, int, np.float64, type(None)}


class Plan:
    """What a caller gave but the values of y0 and args, checked, and what is made of it.

    `arrangement` says how trajectories lie in these. `span` is (t0, t1, dt0); it and `ts` may be
    traced. There is no handle where a function closes over what JAX traces; `reason` is why it is
    not solved natively, or "".
    """

    def __init__(
        self,
        field: Same,
        solver: Any,
        saveat: Any,
        controller: Any,
        event: Any,
        trees: Trees,
        span: tuple[Any, Any, Any],
        max_steps: int | None,
        engine: str,
        precision: str,
    ):
        self.arrangement = arranged(trees)
        saving, self.ts = _SAVING((), (saveat,), event is not None)
        t0, t1, dt0 = span
        has_dt0 = dt0 is not None
        settings = _SETTINGS((), (solver, controller), has_dt0, max_steps)
        self.event, self.max_steps = event, max_steps
        self.span = (t0, t1, dt0 if has_dt0 else _NO_DT0)
        self._given = {"solver": solver, "t0": t0, "t1": t1, "dt0": dt0, "saveat": saveat}
        self._given |= {"stepsize_controller": controller, "max_steps": max_steps}
        self._field = field
        condition, seen = condition_of(event), None
        if condition is not None:
            seen = _seen(self.given, self.ts, settings)
        self.structure = Structure(
            field=field,
            y=self.arrangement.y,
            args=self.arrangement.args,
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
        functions = (self.structure.field, self.structure.fn, *(self.structure.event or ())[:1])
        self._functions = [x for x in functions if x is not None]
        self.numbering = Numbering(settings.numbers, has_dt0, saving, precision)
        self.is_traced = any(isinstance(x, Tracer) for x in (*self.span, self.ts))
        self.handle, self.reason = self._handle()

    def _handle(self) -> tuple[Handle | None, str]:
        try:
            handle = handle_of(self.structure)
        except (jax.errors.TracerArrayConversionError, jax.errors.UnexpectedTracerError):
            return None, (
                "a function closes over a value that JAX traces: let it read that from args, or "
                "give it as a number"
            )
        native = handle.choice.name == "native"
        return handle, "" if native else handle.choice.reason

    @property
    def given(self) -> dict[str, Any]:
        """What Diffrax itself would be called with, but the trajectories."""
        return {"terms": diffrax.ODETerm(self._field.function), **self._given}

    @property
    def lasts(self) -> bool:
        """Whether a call of the same objects has this plan: what its functions read is the same."""
        return self.handle is not None and all(map(_lasts, self._functions))

    @cached_property
    def problem(self) -> Problem:
        """What is solved, once all numbers are known; raises where they do not fit together."""
        assert self.handle is not None
        return self.handle.problem(self._numbers[0])

    @property
    def place(self) -> np.ndarray | None:
        """Which of the problem's times each time is that was asked for, None if the same."""
        return self._numbers[1]

    @cached_property
    def times(self) -> np.ndarray | None:
        """The times that were asked for; None where each trajectory's end is all that is saved."""
        times = self._numbers[0].ts
        if times is None:
            return None
        return np.array(times) if self.place is None else np.array(times)[self.place]

    @cached_property
    def _numbers(self) -> Any:
        span = np.array([number(name, value) for name, value in zip(_SPAN, self.span)])
        return self.numbering.numbers(span, self.ts)


_lasts = attrgetter("lasts")
_PLANS = Remembered(Plan, _lasts)


def plan_of(
    field: Any,
    modules: tuple[Any, Any, Any, Any],
    trees: Trees,
    span: tuple[Any, Any, Any],
    max_steps: int | None,
    engine: str,
    precision: str,
) -> Plan:
    """The plan of these arguments of `Plan`; `modules` are the solver and those after it."""
    if _NUMBERS.issuperset(map(type, (*span, max_steps, *trees.axes))):
        return _PLANS((field,), modules, trees, span, max_steps, engine, precision)
    return Plan(Same(field), *modules, trees, span, max_steps, engine, precision)


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
