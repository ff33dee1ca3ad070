"""The search for what fires inside of a step, in the lane loop: `odeflow.engines.shared.crossings`.

After each step of all lanes at once, `step` says which of them are *suspect*: something may have
fired in them. Those are searched one by one.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

from odeflow.engines.native.frontend.field import memory_names, without_delays
from odeflow.engines.native.frontend.names import component_labels, parameter_names
from odeflow.engines.native.frontend.translate import translate
from odeflow.engines.native.loop.last_step import last_step, number_of_coefficients
from odeflow.engines.native.methods.stepper import (
    Inside,
    Start,
    Stepped,
    Stepper,
    coefficient,
)
from odeflow.engines.native.program.lane_program import LaneBuilder, LaneProgram
from odeflow.engines.native.program.program import Program
from odeflow.engines.native.program.value import Value, inlined, select
from odeflow.engines.native.targets.layout import BufferLayout
from odeflow.engines.shared.crossings import MOST_LOOKS, Crossings, Path, Place, SearchState
from odeflow.engines.shared.watch import Memory, Watch
from odeflow.problem.problem import Problem

#: Rows of the part of a step that is looked at, in the order of `Place`.
_PLACE = ("low", "high", "from_t", "to_t", "verdict")


class LaneCrossings:
    """The functions of the search in the steps of one problem.

    Rows: where a lane is `suspect`; the part of its step that is looked at, from `low` to `high`;
    the `verdict`, and the signs of what is compared at `low`; and the state at `high` in the last
    look at it, `reached_<component>`: computed again, it may round to another, in which nothing
    has changed.
    """

    def __init__(self, problem: Problem, watch: Watch, stepper: Stepper):
        self._problem, self._model, self._stepper = problem, problem.model, stepper
        self._watch, self._crossings = watch, Crossings(problem, watch)
        self._components = component_labels(self._model)
        self._parameters = parameter_names(self._model)
        self._memory = memory_names(watch)
        number = len(problem.guards)
        self._guards, self._found_rows = self._memory[:number], self._memory[number : 2 * number]
        self._signs = [f"sign_{k}" for k in range(self._crossings.number)]
        self._ends = [f"end_sign_{k}" for k in range(self._crossings.number_of_ends)]
        self.reached = [f"reached_{name}" for name in self._components]

    def rows(self) -> list[str]:
        """Names of the rows of the buffer."""
        return ["suspect", "is_fine", *_PLACE, *self._signs, *self._ends, *self.reached]

    def suspect(self, b: LaneBuilder, start: Start, stepped: Stepped, keep: Value) -> Value:
        """After a step of all lanes: in which of them something may have fired."""
        inside = Inside(start.h, start.y, stepped.candidate, stepped.dense)
        given = self._given(b, inside, start.t, start.t_next, start.parameters(start.t_next))
        program = self._program(self._crossings.may_fire, False)
        found, *now = inlined(b, program, given)
        suspect = keep & found
        b.store("suspect", select(suspect, 1.0, 0.0))
        for row, value in zip(self._guards, now):
            b.store(row, select(keep & ~suspect, select(value, 1.0, 0.0), b.row(row)))
        return suspect

    def programs(self) -> list[LaneProgram]:
        """Functions of one lane."""
        place = [*_PLACE, *self._guards, *self._signs, *self._ends, *self._found_rows]
        look = "Looks at a part of a step for what fires."
        halve = "Halves a part of a step that holds one change."
        settle = "Says whether a change lets something fire."
        reach = "Takes up the state at the end of a part of a step."
        return [
            self._searching("look", look, self._crossings.look, place),
            self._searching("halve", halve, self._halved, [*place, "is_fine"]),
            self._searching("settle", settle, self._settled, [*place, *self.reached]),
            self._searching("reach", reach, self._reached, self.reached),
        ]

    def _settled(self, place: Place, path: Path, args: Any, memory: Memory) -> tuple[Any, ...]:
        found = self._crossings.settle(place, path, args, memory)
        return *found, *self._reached(place, path, args, memory)

    def _reached(self, place: Place, path: Path, args: Any, memory: Memory) -> tuple[Any, ...]:
        return self._model.flatten(path.state(place.high))

    def _halved(self, place: Place, path: Path, args: Any, memory: Memory) -> tuple[Any, ...]:
        place, _, _ = self._crossings.halve(place, path, args, memory)
        return *place, jnp.where(self._crossings.is_fine(place, path), 1.0, 0.0)

    def search(self, layout: BufferLayout) -> list[str]:
        """Statements of the loop that search the step of a suspect `lane`, until its verdict."""
        place = lambda row: f"rows[{layout.place(row)} + lane]"
        return [
            f"{place('low')} = REAL(0)",
            f"{place('high')} = REAL(1)",
            f"{place('from_t')} = {place('step_start')}",
            f"{place('to_t')} = {place('t')}",
            f"{place('verdict')} = REAL({SearchState.search:d})",
            *(f"{place(row)} = REAL(0)" for row in self._found_rows),
            f"for _ in range({MOST_LOOKS}):",
            "    look(rows, settings, lane)",
            f"    if {place('verdict')} == {SearchState.one_change:d}:",
            f"        for _ in range({self._crossings.halvings}):",
            "            halve(rows, settings, lane)",
            f"            if {place('is_fine')} > 0:",
            "                break",
            "        settle(rows, settings, lane)",
            f"    if {place('verdict')} != {SearchState.search:d}:",
            "        break",
            # the step counts up to where all is known
            f"if {place('verdict')} == {SearchState.search:d} and {place('low')} > 0:",
            f"    {place('high')} = {place('low')}",
            f"    {place('to_t')} = {place('from_t')}",
            f"    {place('verdict')} = REAL({SearchState.fired:d})",
            "    reach(rows, settings, lane)",
        ]

    def _searching(
        self, name: str, doc: str, function: Callable[..., Any], stored: Sequence[str]
    ) -> LaneProgram:
        """A function of the search in the last step of a lane, which writes these rows."""
        b = LaneBuilder(self._problem.dtype)
        inside = last_step(b, self._stepper, len(self._components))
        given = self._given(b, inside, b.row("step_start"), b.row("t"), b.rows(self._parameters))
        given |= {row: b.row(row) for row in (*_PLACE, *self._signs, *self._ends)}
        b.store_rows(stored, inlined(b, self._program(function, True), given))
        return b.finished(name, "one", doc)

    def _given(
        self, b: LaneBuilder, inside: Inside, t: Value, t_end: Value, parameters: Sequence[Value]
    ) -> dict[str, Value]:
        """The inputs of `_program` that are known of any step."""
        given = {"step_start": t, "step_length": inside.h, "step_end": t_end}
        for i, polynomial in enumerate(self._stepper.polynomial(inside)):
            given |= {coefficient(power, i): x for power, x in enumerate(polynomial)}
            given[f"end_{i}"] = inside.y1[i]
        given |= dict(zip(self._parameters, parameters))
        return given | {row: b.row(row) for row in self._memory}

    def _program(self, function: Callable[..., Any], searches: bool) -> Program:
        """`function(path, args, memory)`, or where it searches `(place, path, args, memory)`."""
        model, shapes = self._model, self._watch.shapes()
        count = len(self._components)
        powers = range(number_of_coefficients(self._stepper, count))
        names = [[coefficient(power, i) for power in powers] for i in range(count)]
        ends = [f"end_{i}" for i in range(len(self._components))]
        own = self._parameters[: len(model.declared.parameters)]
        place = [*_PLACE, *self._signs, *self._ends] if searches else []
        inputs = [
            "step_start", "step_length", "step_end", *(x for row in names for x in row), *ends,
            *self._parameters, *self._memory, *place,
        ]  # fmt: skip

        def flat(*numbers: Any) -> list[Any]:
            given = dict(zip(inputs, numbers))
            args = model.Args(*(given[name] for name in own))
            left, memory = [given[name] for name in self._memory], {}
            for name, shape in shapes.items():
                parts = [left.pop(0) for _ in range(math.prod(shape))]
                memory[name] = jnp.stack(parts).reshape(shape) if shape else parts[0]

            def state(part: Any) -> Any:
                end = [given[name] for name in ends]
                if isinstance(part, float) and part == 1:
                    return model.unflatten(end)
                y = [_horner([given[name] for name in row], part) for row in names]
                if not isinstance(part, float):
                    y = [jnp.where(part < 1, a, b) for a, b in zip(y, end)]
                return model.unflatten(y)

            path = Path(given["step_start"], given["step_length"], given["step_end"], state)
            if not searches:
                return list(function(path, args, memory))
            none = jnp.zeros(0, self._problem.dtype)
            stacked = lambda rows: jnp.stack([given[x] for x in rows]) if rows else none
            start = Place(
                low=given["low"],
                high=given["high"],
                from_t=given["from_t"],
                to_t=given["to_t"],
                verdict=given["verdict"],
                guard=memory["guard"],
                signs=stacked(self._signs),
                ends=stacked(self._ends),
                found=memory["found"],
            )
            return list(function(start, path, args, memory))

        return without_delays(model, translate(flat, inputs, self._problem.dtype))


def _horner(coefficients: Sequence[Any], place: Any) -> Any:
    if isinstance(place, float) and place == 0.0:
        return coefficients[0]
    value = coefficients[-1]
    for other in reversed(coefficients[:-1]):
        value = value * place + other
    return value
