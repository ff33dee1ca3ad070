"""Metrics reduced after every step of the lanes: `odeflow.problem.reductions` as programs."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odeflow.engines.native.frontend.field import field_at, observables_program
from odeflow.engines.native.frontend.names import (
    component_labels,
    observable_labels,
    parameter_names,
    scalar_labels,
)
from odeflow.engines.native.frontend.translate import translate
from odeflow.engines.native.loop.last_step import last_step
from odeflow.engines.native.methods.stepper import Inside, Stepper, interpolated
from odeflow.engines.native.program.lane_program import LaneBuilder, LaneProgram
from odeflow.engines.native.program.value import Value, inlined, select
from odeflow.problem.problem import Problem
from odeflow.problem.reductions import Reducer, reducers

#: What a scalar's reduction needs of the step besides values: copies, since it sees the rows of one
#: scalar only.
_STEP = ("step_start", "step_length", "saved_until")


@dataclass
class _Group:
    """Scalars with the same metrics: their rows lie side by side, and one loop serves them."""

    reducer: Reducer
    scalars: list[str]
    number_of_nodes: int

    def nodes(self) -> list[list[str]]:
        """Rows of the values at each node, by scalar."""
        return [[f"node{k}_{name}" for name in self.scalars] for k in range(self.number_of_nodes)]

    def step(self) -> list[list[str]]:
        """Rows of the copies of `_STEP`, by scalar."""
        return [[f"{row}_of_{name}" for name in self.scalars] for row in _STEP]

    def kept(self) -> list[list[str]]:
        """Rows of each accumulator, by scalar."""
        return [
            [f"reduced_{kind}_{name}" for name in self.scalars]
            for kind in self.reducer.accumulators
        ]


class LaneReductions:
    """The functions of the reductions of one problem; none where it has none.

    Of every step the values of the variables at the nodes are put into rows `node<k>_<scalar>`
    (`find_nodes`), which a loop over the scalars reduces into rows `reduced_<kind>_<scalar>`
    (`reduce<group>`, called at the place of each): so that code does not grow with an array state.
    """

    def __init__(self, problem: Problem, stepper: Stepper):
        model = problem.model
        self._problem, self._stepper = problem, stepper
        self._is_cut = bool(problem.guards)
        self._components = component_labels(model)
        self._parameters = parameter_names(model)
        reduced = reducers(problem.reductions)
        self._observables = observable_labels(model, list(reduced))
        self._parts: dict[str, tuple[_Group, int, int]] = {}
        groups: dict[Any, _Group] = {}
        for variable, reducer in reduced.items():
            key = tuple(reducer.metrics.items())
            group = groups.setdefault(key, _Group(reducer, [], len(problem.nodes)))
            parts = scalar_labels(model, variable, self._observables)
            group.scalars += parts
            last = len(group.scalars) - 1
            self._parts[variable] = (group, last + 1 - len(parts), last)
        self._groups = list(groups.values())

    def __bool__(self) -> bool:
        return bool(self._groups)

    def rows(self) -> list[str]:
        """All rows; those of the scalars of a group lie side by side, kind by kind."""
        seen = [
            row
            for group in self._groups
            for rows in (*group.nodes(), *group.step())
            for row in rows
        ]
        return seen + self.kept_rows()

    def kept_rows(self) -> list[str]:
        """Rows of the accumulators."""
        return [row for group in self._groups for rows in group.kept() for row in rows]

    def columns(self) -> Mapping[str, Sequence[slice]]:
        """Where among `kept_rows` the accumulators of each variable lie."""
        place = {row: i for i, row in enumerate(self.kept_rows())}
        return {
            variable: [slice(place[rows[first]], place[rows[last]] + 1) for rows in group.kept()]
            for variable, (group, first, last) in self._parts.items()
        }

    def start(
        self, b: LaneBuilder, t0: Value, y: Sequence[Value], parameters: Sequence[Value]
    ) -> None:
        """Puts the accumulators of a trajectory at t0 into its lane."""
        values = self._scalars(b, t0, y, parameters)
        for group in self._groups:
            program = translate(group.reducer.start, ["t", "value"], self._problem.dtype)
            for i, name in enumerate(group.scalars):
                kept = inlined(b, program, {"t": t0, "value": values[name]})
                for rows, value in zip(group.kept(), kept):
                    b.store(rows[i], value)

    def programs(self, restarts: bool) -> list[LaneProgram]:
        """The functions that compute; where trajectories may jump, those for that too."""
        if not self:
            return []
        parts = [self._start(), self._jump()] if restarts else []
        updates = [self._update(number, group) for number, group in enumerate(self._groups)]
        return [*parts, self._find_nodes(), *updates]

    def source(self) -> str:
        """The function `reduce` of the loop, which calls those that compute."""
        calls = ["find_nodes(rows, settings, 0)"] if self else ["pass"]
        for number, group in enumerate(self._groups):
            calls += [
                f"for scalar in range({len(group.scalars)}):",
                f"    reduce{number}(rows, settings, scalar * LANES)",
            ]
        text = "\n".join(['"""Reduces the last step of every lane."""', *calls])
        return "@inlined\ndef reduce(rows, settings):\n" + textwrap.indent(text, "    ")

    def _here(self, b: LaneBuilder) -> tuple[Value, list[Value], list[Value]]:
        return b.row("t"), b.rows([f"y_{n}" for n in self._components]), b.rows(self._parameters)

    def _start(self) -> LaneProgram:
        b = LaneBuilder(self._problem.dtype)
        self.start(b, *self._here(b))
        return b.finished("start_reductions", "one", "Starts the metrics of a trajectory.")

    def _jump(self) -> LaneProgram:
        b = LaneBuilder(self._problem.dtype)
        t0, y, parameters = self._here(b)
        values = self._scalars(b, t0, y, parameters)
        for group in self._groups:
            accumulators = group.reducer.accumulators

            def jump(t: Any, value: Any, *kept: Any, reducer: Any = group.reducer) -> Any:
                return reducer.jump(kept, t, value)

            program = translate(jump, ["t", "value", *accumulators], self._problem.dtype)
            for i, name in enumerate(group.scalars):
                rows = [rows[i] for rows in group.kept()]
                given = {"t": t0, "value": values[name]} | dict(zip(accumulators, b.rows(rows)))
                b.store_rows(rows, inlined(b, program, given))
        return b.finished("jump_reductions", "one", "Lets metrics see a state that has jumped.")

    def _find_nodes(self) -> LaneProgram:
        """Puts the values of a lane's last step at the nodes into rows."""
        b, last = LaneBuilder(self._problem.dtype), len(self._problem.nodes) - 1
        parameters, step_start = b.rows(self._parameters), b.row("step_start")
        inside = last_step(b, self._stepper, len(self._components))
        # a step in which a guard fired ends there
        length = inside.h * b.row("cut") if self._is_cut else inside.h
        polynomials = self._stepper.polynomial(inside)
        for k, node in enumerate(self._problem.nodes):
            y = self._state_at(b, k, node, inside, polynomials)
            time = {0: step_start, last: b.row("t")}.get(k)
            if time is None:
                time = step_start + node * length
            values = self._scalars(b, time, y, parameters)
            for group in self._groups:
                b.store_rows(group.nodes()[k], [values[name] for name in group.scalars])
        for group in self._groups:
            for rows, value in zip(group.step(), (step_start, length, b.row("saved_until"))):
                for row in rows:
                    b.store(row, value)
        doc = "The variables to be reduced, at the nodes of the last step of every lane."
        return b.finished("find_nodes", "all", doc)

    def _update(self, number: int, group: _Group) -> LaneProgram:
        """What was found at the nodes reduced, for the first scalar of a group."""
        b, accumulators = LaneBuilder(self._problem.dtype), group.reducer.accumulators
        nodes = [f"v{k}" for k in range(group.number_of_nodes)]

        def update(t: Any, h: Any, *numbers: Any) -> Any:
            return group.reducer.update(numbers[len(nodes) :], t, h, numbers[: len(nodes)])

        program = translate(update, ["t", "h", *nodes, *accumulators], self._problem.dtype)
        first = lambda rows: b.rows([row[0] for row in rows])
        (t, h, until), kept = first(group.step()), first(group.kept())
        given = [t, h, *first(group.nodes()), *kept]
        reduced = inlined(b, program, dict(zip(program.inputs, given)))
        for rows, value, before in zip(group.kept(), reduced, kept):
            b.store(rows[0], select(until > t, value, before))
        doc = "Reduces what was found at the nodes, of one scalar of every lane."
        return b.finished(f"reduce{number}", "all", doc)

    def _state_at(
        self,
        b: LaneBuilder,
        k: int,
        node: float,
        inside: Inside,
        polynomials: Sequence[Sequence[Value]],
    ) -> Sequence[Value]:
        """The state at a node."""
        is_last = k == len(self._problem.nodes) - 1
        if k == 0:
            return inside.y
        if is_last and not self._is_cut:
            return inside.y1
        theta = node * b.row("cut") if self._is_cut else Value(b, node)
        there = [interpolated(polynomial, theta) for polynomial in polynomials]
        if not is_last:
            return there
        return [select(b.row("cut") < 1.0, x, y1) for x, y1 in zip(there, inside.y1)]

    def _scalars(
        self, b: LaneBuilder, time: Value, y: Sequence[Value], parameters: Sequence[Value]
    ) -> dict[str, Value]:
        """The components and the reduced observables at a state, by label."""
        values = dict(zip(self._components, y))
        if self._observables:
            problem = self._problem
            program = observables_program(problem.model, list(self._observables), problem.dtype)
            found = field_at(program, time, y, parameters)
            values |= dict(zip(self._observables.values(), found))
        return values
