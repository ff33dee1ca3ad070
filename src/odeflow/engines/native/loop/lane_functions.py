"""The functions of a lane loop that depend on the model, the method and what is saved."""

import itertools
import math
import textwrap
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from odeflow.engines.native.frontend.field import field_at, field_program, observables_program
from odeflow.engines.native.frontend.names import (
    component_labels,
    observable_labels,
    parameter_names,
    scalar_labels,
)
from odeflow.engines.native.loop.delay_history import DelayHistory, without_lost
from odeflow.engines.native.loop.lane_events import LaneEvents
from odeflow.engines.native.loop.lane_reductions import LaneReductions
from odeflow.engines.native.loop.lane_restarts import LaneRestarts
from odeflow.engines.native.loop.last_step import last_step, number_of_coefficients
from odeflow.engines.native.methods.controller import controller_rows, decide, end_columns
from odeflow.engines.native.methods.delay_steps import DelaySteps
from odeflow.engines.native.methods.first_step import first_step
from odeflow.engines.native.methods.knot_steps import KnotSteps
from odeflow.engines.native.methods.stepper import (
    Start,
    Stepper,
    coefficient,
    interpolated,
)
from odeflow.engines.native.methods.stiffness import handed_over
from odeflow.engines.native.methods.wild import without_wild_step
from odeflow.engines.native.program.lane_program import LaneBuilder, LaneProgram
from odeflow.engines.native.program.value import Value, select
from odeflow.engines.native.targets.lane_saving import Kept, LaneSaving
from odeflow.engines.native.targets.layout import BufferLayout
from odeflow.problem.problem import Problem


class LaneFunctions:
    """Makes the functions of one problem: `step`, `prepare`, `record`, `begin`, `write`, ...

    Metrics look at a step while it is taken. Where else values inside of steps are needed, a step
    leaves behind what the interpolant needs: its start and length, the state there
    (`from_y_<component>`), dense rows. `prepare` makes the interpolant's polynomials of these,
    `record` evaluates them, with observables, and `write` or
    `saving` put what is kept where it belongs.
    """

    def __init__(self, problem: Problem, stepper: Stepper):
        model = problem.model
        self._problem, self._stepper = problem, stepper
        self._control = controller_rows(problem, stepper.error_order)
        self._knots = KnotSteps(problem)
        self._history = DelayHistory(problem, stepper)
        self.reductions = LaneReductions(problem, stepper)
        self.restarts = LaneRestarts(problem, stepper)
        self.events = LaneEvents(problem, stepper)
        self._inside = problem.ts is not None
        looks_inside = self.reductions.follows or bool(self.events)
        self._dense = self._inside or looks_inside or self.restarts.has_guards
        self._components = component_labels(model)
        self._y = [f"y_{name}" for name in self._components]
        self._parameters = parameter_names(model)
        self._columns = [
            *self._parameters,
            *end_columns(problem.solver, 0.0, np.ones(1)),
            *self.restarts.columns(),
        ]
        self._observables = observable_labels(model, problem.variables)

    def rows(self) -> list[str]:
        """Names of the rows of the buffer."""
        rows = ["t", "t_next", "active", "accepted", "stalled", "next_save", "saved_until"]
        rows += [*self._control, *self._columns, *self._y, *self._stepper.carried]
        if self._dense:
            rows += ["step_start", "step_length", *(f"from_{y}" for y in self._y)]
            rows += self._stepper.dense
        rows += [
            *self._knots.rows(),
            *self._history.rows(),
            *self.restarts.rows(),
            *self.reductions.rows(),
        ]
        rows += self.events.rows()
        if self._inside:
            rows += [name for names in self._coefficients for name in names]
        return rows + [f"out_{name}" for _, _, name in self._kept() if self.is_recorded]

    def row_groups(self) -> dict[str, int]:
        """The numbers of further rows by name."""
        return {**self._stepper.row_groups, **self._history.row_groups()}

    @property
    def is_recorded(self) -> bool:
        """Whether what is kept has to be computed for several lanes at a time."""
        return self._inside or bool(self._observables)

    @cached_property
    def _coefficients(self) -> list[list[str]]:
        """Rows of the interpolant's coefficients, by power from 1 on: one component each."""
        size = len(self._components)
        return [
            [coefficient(power, i) for i in range(size)]
            for power in range(1, number_of_coefficients(self._stepper, size))
        ]

    def first_rows(self) -> dict[str, str]:
        """The first row of the state, and of the columns that a trajectory brings."""
        return {"STATE": self._y[0], "PARAMETERS": self._columns[0]}

    def counts(self) -> dict[str, int]:
        """How many rows the state has, and the further columns that a trajectory brings."""
        return {"COMPONENTS": len(self._y), "COLUMNS": len(self._columns)}

    def _kept(self) -> list[tuple[int, int, str]]:
        """For every scalar kept: number of its variable, its number in that, its label."""
        model = self._problem.model
        result = []
        for i, variable in enumerate(self._problem.variables):
            parts = scalar_labels(model, variable, self._observables)
            result += [(i, j, name) for j, name in enumerate(parts)]
        return result

    def programs(self) -> list[LaneProgram]:
        """The functions that compute."""
        return [
            self._step(),
            self._finished(),
            self._prepare(),
            self._record(),
            self._begin(),
            *self.restarts.programs(),
            *self.reductions.programs(bool(self.restarts)),
            *self.events.programs(),
        ]

    def source(self, layout: BufferLayout) -> list[str]:
        """The functions that move numbers, and call those that compute, as the loop's source."""
        return [
            self.restarts.source(layout),
            self._write(layout),
            *self.reductions.source(layout),
            self.events.source(layout),
            self._collect(layout),
        ]

    def _step(self) -> LaneProgram:
        b, problem = LaneBuilder(self._problem.dtype), self._problem
        self._knots.enter(b)
        t, t_next, active = b.row("t"), b.row("t_next"), b.row("active")
        carried = {row: b.row(row) for row in self._stepper.carried}
        y = b.rows(self._y)
        parameters = self._history.within(b, t, t_next)
        start = Start(t, t_next, t_next - t, y, parameters, carried)
        stepped = self._stepper.step(start)
        start = stepped.start or start
        order = self._stepper.error_order
        decision = decide(b, problem, order, start, stepped, self.restarts.origin(b))
        decision = without_wild_step(b, problem, start, stepped.candidate, stepped.error, decision)
        decision = handed_over(b, problem.solver, stepped.at_limit, decision)
        if self._history:
            decision = without_lost(start, parameters.lost, decision)
        keep = decision.keep & (active > 0.0)
        until = self.restarts.until(b, select(keep, start.t_next, -math.inf))
        is_over = (decision.stalled > 0.0) | (decision.t >= b.row("t1"))
        attention = (b.row("next_save") <= until) | (is_over & (active > 0.0))
        suspect = self.restarts.watch(b, start, stepped, keep)
        if suspect is not None:
            attention = attention | suspect
        self._history.keep(b, keep, start, stepped)
        if self._dense:
            b.store("step_start", t)
            b.store("step_length", start.h)
            b.store_rows([f"from_{row}" for row in self._y], y)
            b.store_rows(list(stepped.dense), list(stepped.dense.values()))
        b.store("t", select(keep, decision.t, t))
        b.store("t_next", decision.t_next)
        b.store("accepted", b.row("accepted") + select(keep, 1.0, 0.0))
        b.store("stalled", decision.stalled)
        b.store("saved_until", until)
        b.store_rows(list(decision.rows), list(decision.rows.values()))
        kept = [select(keep, new, old) for new, old in zip(stepped.candidate, y)]
        b.store_rows(self._y, kept)
        for row, value in stepped.carried.items():
            b.store(row, select(keep, value, carried[row]))
        self.reductions.look(b, start, stepped, keep)
        doc = "One step of every lane; a mask of those with times to save or that ended."
        return b.finished("step", "all", doc, attention)

    def _finished(self) -> LaneProgram:
        b = LaneBuilder(self._problem.dtype)
        is_over = (b.row("stalled") > 0.0) | (b.row("t") >= b.row("t1"))
        doc = "A mask of the lanes whose trajectory is at its end, or cannot go on."
        return b.finished("finished", "all", doc, is_over & (b.row("active") > 0.0))

    def _prepare(self) -> LaneProgram:
        b = LaneBuilder(self._problem.dtype)
        if self._inside:
            polynomials = self._stepper.polynomial(last_step(b, self._stepper, len(self._y)))
            for power, rows in enumerate(self._coefficients, start=1):
                b.store_rows(rows, [polynomial[power] for polynomial in polynomials])
        return b.finished("prepare", "vector", "The interpolants of the last step of some lanes.")

    def _record(self) -> LaneProgram:
        b, problem = LaneBuilder(self._problem.dtype), self._problem
        doc = "What is kept of some lanes, each at its next time to save."
        if not self.is_recorded:
            return b.finished("record", "vector", doc)
        time = b.row("next_save")
        if self._inside:
            theta = (time - b.row("step_start")) / b.row("step_length")
            coefficients = [[f"from_{row}" for row in self._y], *self._coefficients]
            here = [interpolated(b.rows(rows), theta) for rows in zip(*coefficients)]
        else:
            here = b.rows(self._y)
        program = observables_program(problem.model, list(self._observables), problem.dtype)
        observed = field_at(program, time, here, self._history.parameters(b)(time))
        values: Mapping[str, Value] = dict(zip(self._components, here))
        values |= dict(zip(self._observables.values(), observed))
        for _, _, name in self._kept():
            b.store(f"out_{name}", values[name])
        return b.finished("record", "vector", doc)

    def _begin(self) -> LaneProgram:
        b, problem, stepper = LaneBuilder(self._problem.dtype), self._problem, self._stepper
        t0 = b.row("t") if self.restarts else b.setting("t0")
        self._knots.begin(b, t0)
        self._history.begin(b, t0)
        y, parameters = b.rows(self._y), self._history.parameters(b)
        field = field_program(problem.model, problem.dtype)
        f = field_at(field, t0, y, parameters(t0))
        end = t0 + first_step(b, problem, field, stepper, t0, y, f, parameters)
        end = self._knots.first_step_end(b, end)
        end = DelaySteps(problem).first_step_end(b, t0, end)
        t1 = b.row("t1")
        b.store("t", t0)
        b.store("t_next", select(end > t1, t1, end))
        b.store("active", 1.0)
        b.store("accepted", 0.0)
        b.store("stalled", 0.0)
        b.store("saved_until", t0)
        for row in self._control:
            b.store(row, 0.0)
        for row, component in stepper.carried.items():
            b.store(row, f[component])
        if self._dense:
            # a step of no change, for a time to save at t0
            b.store("step_start", t0)
            b.store("step_length", 1.0)
            b.store_rows([f"from_{row}" for row in self._y], y)
            for row in stepper.dense:
                b.store(row, 0.0)
        if "origin" in self.restarts.rows():
            b.store("origin", t0)
        if not self.restarts:
            self.reductions.start(b, t0, y)
        doc = "Starts the trajectory whose initial state and parameters are in a lane."
        return b.finished("begin", "one", doc)

    def _write(self, layout: BufferLayout) -> str:
        """Stores what is kept of a lane."""
        lines = ['"""Stores what is kept of a lane."""']
        for number, kept in enumerate(self.saving(layout).kept):
            lines += [
                f"for i in range({kept.count}):",
                f"    values[{number}][place, i] = rows[{kept.place} + lane + i * LANES]",
            ]
        signature = "@inlined\ndef write(values, place, rows, lane):\n"
        return signature + textwrap.indent("\n".join(lines), "    ")

    def saving(self, layout: BufferLayout) -> LaneSaving:
        """How what is kept of the lanes of a vector is put where it belongs."""
        kind, kept = "out" if self.is_recorded else "y", []
        for _, parts in itertools.groupby(self._kept(), lambda kept: kept[0]):
            names = [name for _, _, name in parts]
            kept.append(Kept(layout.place(f"{kind}_{names[0]}"), len(names)))
        places = layout.place("next_save"), layout.place("saved_until")
        return LaneSaving(*places, tuple(kept), layout.lanes, layout.width)

    def _collect(self, layout: BufferLayout) -> str:
        """Stores the accumulators of a lane that ended, and what is kept of its stop."""
        lines, column = [], 0
        for first, count in _runs(
            layout, [*self.reductions.kept_rows(), *self.restarts.kept_rows()]
        ):
            lines += [
                f"for i in range({count}):",
                f"    reduced[{column} + i, sample] = rows[{first} + i * LANES + lane]",
            ]
            column += count
        body = "\n".join(lines) or "pass"
        text = f'"""Stores what was reduced of a lane that ended."""\n{body}'
        signature = "@inlined\ndef collect(reduced, sample, rows, lane):\n"
        return signature + textwrap.indent(text, "    ")


def _runs(layout: BufferLayout, rows: Sequence[str]) -> list[tuple[int, int]]:
    """Rows in order as parts that lie side by side: where each begins, and of how many rows."""
    runs: list[tuple[int, int]] = []
    for place in map(layout.place, rows):
        if runs and place == runs[-1][0] + runs[-1][1] * layout.lanes:
            runs[-1] = runs[-1][0], runs[-1][1] + 1
        else:
            runs.append((place, 1))
    return runs
