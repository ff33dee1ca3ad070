"""All of a call but y0, args, t0, t1 and dt0, in the values of which calls of one plan differ."""

from operator import attrgetter
from typing import Any, NamedTuple

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

Span = tuple[Any, Any, Any]
_SPAN = ("t0", "t1", "dt0")
_SAVING, _SETTINGS = Remembered(saving_of), Remembered(settings_of)
#: Types of numbers that are known and do not change.
_NUMBERS = {float, int, np.float64, type(None)}


class Numbered(NamedTuple):
    """What is solved for a span of time, once it is known.

    `times` are those that were asked for, None where each trajectory's end is all that is saved,
    and `place` which of the problem's times each of them is, None if the same.
    """

    problem: Problem
    times: np.ndarray | None
    place: np.ndarray | None


class CallPlan:
    """What a caller gave but y0, args, t0, t1 and dt0, checked, and what is made of it.

    `arrangement` says how trajectories lie in y0 and args. `ts` may be traced. There is no handle
    where a function closes over what JAX traces; `reason` is why it is not solved natively, or "".
    A `span`, (t0, t1, dt0), is given where an event may look at it.
    """

    def __init__(
        self,
        field: Same,
        solver: Any,
        saveat: Any,
        controller: Any,
        event: Any,
        trees: Trees,
        has_dt0: bool,
        span: Span | None,
        max_steps: int | None,
        engine: str,
        precision: str,
    ):
        self.arrangement = arranged(trees)
        saving, self.ts = _SAVING((), (saveat,), event is not None)
        settings = _SETTINGS((), (solver, controller), has_dt0, max_steps)
        self.event, self.max_steps = event, max_steps
        self._given = {"stepsize_controller": controller, "max_steps": max_steps}
        self._given |= {"solver": solver, "saveat": saveat}
        self._field = field
        condition, seen = condition_of(event), None
        if condition is not None and span is not None:
            seen = _seen(self.given(span), self.ts, settings)
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
        self._last: tuple[Span, Numbered] | None = None
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

    def given(self, span: Span) -> dict[str, Any]:
        """What Diffrax itself would be called with, but the trajectories."""
        terms = diffrax.ODETerm(self._field.function)
        return {"terms": terms, **dict(zip(_SPAN, span)), **self._given}

    @property
    def lasts(self) -> bool:
        """Whether a call of the same objects has this plan: what its functions read is the same."""
        return self.handle is not None and all(map(_lasts, self._functions))

    def numbered(self, span: Span) -> Numbered:
        """What is solved for this span; raises ValueError where its numbers do not fit together."""
        is_plain = _NUMBERS.issuperset(map(type, span))
        known = self._last
        if is_plain and known is not None and known[0] == span:
            return known[1]
        made = self._numbered(span)
        if is_plain:
            self._last = span, made
        return made

    def _numbered(self, span: Span) -> Numbered:
        assert self.handle is not None
        values = (number(name, 0.0 if x is None else x) for name, x in zip(_SPAN, span))
        numbers, place = self.numbering.numbers(np.array([*values]), self.ts)
        times = None if numbers.ts is None else np.array(numbers.ts)
        if times is not None and place is not None:
            times = times[place]
        return Numbered(self.handle.problem(numbers), times, place)


_lasts = attrgetter("lasts")
_PLANS = Remembered(CallPlan, _lasts)


def plan_of(
    field: Any,
    modules: tuple[Any, Any, Any, Any],
    trees: Trees,
    span: Span,
    max_steps: int | None,
    engine: str,
    precision: str,
) -> CallPlan:
    """The plan of these arguments of `CallPlan`; `modules` are the solver and those after it."""
    shown = None if modules[-1] is None else span
    words = (trees, span[2] is not None, shown, max_steps, engine, precision)
    if _NUMBERS.issuperset(map(type, (*(shown or ()), max_steps, *trees.axes))):
        return _PLANS((field,), modules, *words)
    return CallPlan(Same(field), *modules, *words)


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
