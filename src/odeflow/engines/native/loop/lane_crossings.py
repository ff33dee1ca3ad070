"""The search for what fires inside of a step, in the lane loop: `odeflow.engines.shared.crossings`.

After each step of all lanes at once, `step` says which of them are *suspect*: something may have
fired in them. Those are searched one by one.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from odeflow.engines.native.frontend.field import evaluated, memory_names
from odeflow.engines.native.frontend.names import component_labels, parameter_names
from odeflow.engines.native.frontend.translate import translate
from odeflow.engines.native.methods.stepper import StepSource, coefficient
from odeflow.engines.native.program.program import Program
from odeflow.engines.native.targets.layout import Layout, load, store
from odeflow.engines.shared.crossings import MOST_LOOKS, Crossings, Path, Place, Verdict
from odeflow.engines.shared.watch import Memory, Watch
from odeflow.problem.problem import Problem

#: Rows of the part of a step that is looked at, in the order of `Place`.
_PLACE = ("low", "high", "from_t", "to_t", "verdict")
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class _Found:
    """A program's statements, the expressions of its outputs, and the inputs that it reads."""

    lines: list[str]
    values: list[str]
    reads: set[str]


class LaneCrossings:
    """The functions of the search in the steps of one problem.

    Rows: where a lane is `suspect`; the part of its step that is looked at, from `low` to `high`;
    the `verdict`, and the signs of what is compared at `low`; and the state at `high` in the last
    look at it, `reached_<component>`: computed again, it may round to another, in which nothing
    has changed.
    """

    def __init__(self, problem: Problem, watch: Watch, step: StepSource):
        self._problem, self._model, self._step = problem, problem.model, step
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

    def suspect_lines(self) -> list[str]:
        """After a step of all lanes, whose new state is `new_<component>`: defines `suspect`."""
        found = self._found(self._crossings.may_fire, False)
        suspect, *now = found.values
        return [
            *map(load, [name for name in self._memory if name in {*found.reads, *self._guards}]),
            *self._coefficient_lines(found.reads),
            *found.lines,
            f"suspect = keep & ({suspect})",
            store("suspect", "select(suspect, 1.0, 0.0)"),
            *(
                store(row, f"select(keep & ~suspect, select({value}, 1.0, 0.0), {row})")
                for row, value in zip(self._guards, now)
            ),
        ]

    def functions(self) -> list[tuple[str, str, Sequence[str]]]:
        """Functions of one lane: name, what it does, body."""
        place = [*_PLACE, *self._guards, *self._signs, *self._ends, *self._found_rows]
        return [
            (
                "look",
                "Looks at a part of a step for what fires.",
                self._body(self._crossings.look, place),
            ),
            (
                "halve",
                "Halves a part of a step that holds one change.",
                self._body(self._halved, [*place, "is_fine"]),
            ),
            (
                "settle",
                "Says whether a change lets something fire.",
                self._body(self._settled, [*place, *self.reached]),
            ),
            (
                "reach",
                "Takes up the state at the end of a part of a step.",
                self._body(self._reached, self.reached),
            ),
        ]

    def _settled(self, place: Place, path: Path, args: Any, memory: Memory) -> tuple[Any, ...]:
        found = self._crossings.settle(place, path, args, memory)
        return *found, *self._reached(place, path, args, memory)

    def _reached(self, place: Place, path: Path, args: Any, memory: Memory) -> tuple[Any, ...]:
        return self._model.flatten(path.state(place.high))

    def _halved(self, place: Place, path: Path, args: Any, memory: Memory) -> tuple[Any, ...]:
        place, _, _ = self._crossings.halve(place, path, args, memory)
        return *place, jnp.where(self._crossings.is_fine(place, path), 1.0, 0.0)

    def search(self, layout: Layout) -> list[str]:
        """Statements of the loop that search the step of a suspect `lane`, until its verdict."""
        place = lambda row: f"rows[{layout.place(row)} + lane]"
        return [
            f"{place('low')} = REAL(0)",
            f"{place('high')} = REAL(1)",
            f"{place('from_t')} = {place('step_start')}",
            f"{place('to_t')} = {place('t')}",
            f"{place('verdict')} = REAL({Verdict.search:d})",
            *(f"{place(row)} = REAL(0)" for row in self._found_rows),
            f"for _ in range({MOST_LOOKS}):",
            "    look(rows, settings, lane)",
            f"    if {place('verdict')} == {Verdict.one_change:d}:",
            f"        for _ in range({self._crossings.halvings}):",
            "            halve(rows, settings, lane)",
            f"            if {place('is_fine')} > 0:",
            "                break",
            "        settle(rows, settings, lane)",
            f"    if {place('verdict')} != {Verdict.search:d}:",
            "        break",
            # the step counts up to where all is known
            f"if {place('verdict')} == {Verdict.search:d} and {place('low')} > 0:",
            f"    {place('high')} = {place('low')}",
            f"    {place('to_t')} = {place('from_t')}",
            f"    {place('verdict')} = REAL({Verdict.fired:d})",
            "    reach(rows, settings, lane)",
        ]

    def _body(self, function: Callable[..., Any], stored: Sequence[str]) -> list[str]:
        found = self._found(function, True)
        changed = [(row, value) for row, value in zip(stored, found.values) if row != value]
        return [
            *map(load, self._parameters),
            load("step_start"),
            load("step_length", "h"),
            load("t", "step_end"),
            *(load(f"from_y_{n}", f"y_{n}") for n in self._components),
            *(load(f"y_{n}", f"y1_{n}") for n in self._components),
            *map(load, self._step.dense),
            *map(load, [*_PLACE, *self._signs, *self._ends, *self._memory]),
            *self._step.interpolant_lines,
            *found.lines,
            *(store(row, value) for row, value in changed),
        ]

    def _found(self, function: Callable[..., Any], searches: bool) -> _Found:
        """A function of the search in the names of a step of all lanes, or of a lane searched."""
        program = self._program(function, searches)
        reads = {x for statement in program.statements for x in statement.reads()}
        reads.update(x for x in program.outputs if isinstance(x, str))
        lanes = {"step_start": "t", "step_end": "t_next", "step_length": "h"}
        rename = {"step_length": "h"} if searches else lanes
        end = "y1_" if searches else "new_"
        for i, name in enumerate(self._components):
            rename |= {coefficient(0, i): f"y_{name}", f"end_{i}": f"{end}{name}"}
        return _Found(*evaluated(program, rename, "g_"), reads & set(program.inputs))

    def _program(self, function: Callable[..., Any], searches: bool) -> Program:
        """`function(path, args, memory)`, or where it searches `(place, path, args, memory)`."""
        model, shapes = self._model, self._watch.shapes()
        names = [
            [coefficient(power, i) for power in range(len(terms))]
            for i, terms in enumerate(self._step.polynomial)
        ]
        ends = [f"end_{i}" for i in range(len(self._components))]
        place = [*_PLACE, *self._signs, *self._ends] if searches else []
        inputs = [
            "step_start", "step_length", "step_end", *(x for row in names for x in row), *ends,
            *self._parameters, *self._memory, *place,
        ]  # fmt: skip

        def flat(*numbers: Any) -> list[Any]:
            given = dict(zip(inputs, numbers))
            args = model.Args(*(given[name] for name in self._parameters))
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

        return translate(flat, inputs, self._problem.dtype)

    def _coefficient_lines(self, reads: set[str]) -> list[str]:
        """Defines those coefficients of the interpolant that are read, in a step of all lanes."""
        lines: dict[str, None] = {}
        for i, (name, terms) in enumerate(zip(self._components, self._step.polynomial)):
            for power, value in list(enumerate(terms))[1:]:
                if coefficient(power, i) not in reads:
                    continue
                for used in _NAME.findall(value):
                    if used == f"y1_{name}":
                        lines[f"{used} = new_{name}"] = None
                    elif used in self._step.dense:
                        lines[f"{used} = {self._step.dense[used]}"] = None
                lines[f"{coefficient(power, i)} = {value}"] = None
        return list(lines)


def _horner(coefficients: Sequence[Any], place: Any) -> Any:
    if isinstance(place, float) and place == 0.0:
        return coefficients[0]
    value = coefficients[-1]
    for other in reversed(coefficients[:-1]):
        value = value * place + other
    return value
