"""The functions of a lane loop that depend on the model, the method and what is saved."""

import itertools
import textwrap
from collections.abc import Sequence

import numpy as np

from odeflow.engines.native.frontend.field import evaluated, field_program, observables_program
from odeflow.engines.native.frontend.names import (
    component_labels,
    observable_labels,
    parameter_names,
    scalar_labels,
)
from odeflow.engines.native.loop.lane_reductions import LaneReductions
from odeflow.engines.native.loop.lane_restarts import LaneRestarts
from odeflow.engines.native.methods.controller import ControllerSource, end_columns
from odeflow.engines.native.methods.first_step import first_step_lines
from odeflow.engines.native.methods.stepper import StepSource, coefficient
from odeflow.engines.native.methods.wild_lines import wild_lines
from odeflow.engines.native.targets.layout import Layout, load, store
from odeflow.problem.problem import Problem


class LaneFunctions:
    """Writes the functions of one problem: `step`, `prepare`, `record`, `begin`, `write`, ...

    Names follow `methods.stepper`. Where values inside of steps are needed, a step leaves behind
    what the interpolant needs: its start and length, the state there (`from_y_<component>`), dense
    rows.
    `prepare` makes the interpolant's polynomials of these, and `write` evaluates them; with
    observables `record` does, for some lanes at a time.
    """

    def __init__(self, problem: Problem, step: StepSource, control: ControllerSource):
        model = problem.model
        self._problem = problem
        self._step = step
        self._control = control
        self.reductions = LaneReductions(problem, step)
        self.restarts = LaneRestarts(problem, step, control)
        self._inside = problem.ts is not None
        self._dense = self._inside or bool(self.reductions) or self.restarts.has_guards
        self._components = component_labels(model)
        self._y = [f"y_{name}" for name in self._components]
        self._parameters = parameter_names(model)
        self._parameters += end_columns(problem.solver, 0.0, np.ones(1))
        self._parameters += self.restarts.columns()
        self._observables = observable_labels(model, problem.variables)

    def rows(self) -> list[str]:
        """Names of the rows of the buffer."""
        rows = ["t", "t_next", "active", "accepted", "stalled", "next_save", "saved_until"]
        rows += [*self._control.rows, *self._parameters, *self._y, *self._step.carried]
        if self._dense:
            rows += ["step_start", "step_length", *(f"from_{y}" for y in self._y)]
            rows += self._step.dense
        rows += [*self.restarts.rows(), *self.reductions.rows()]
        if self._inside:
            rows += [name for names in self._coefficients() for name in names]
        return rows + [f"out_{name}" for _, _, name in self._kept() if self.is_recorded]

    @property
    def is_recorded(self) -> bool:
        """Whether what is kept has to be computed for several lanes at a time."""
        return bool(self._observables)

    def _coefficients(self) -> list[list[str]]:
        """Rows of the interpolant's coefficients, by power from 1 on: a component each."""
        highest = max(map(len, self._step.polynomial))
        return [
            [coefficient(power, i) for i in range(len(self._components))]
            for power in range(1, highest)
        ]

    def blocks(self) -> dict[str, str]:
        """The first row of the state, of the parameters and of what is kept."""
        return {"STATE": self._y[0], "PARAMETERS": self._parameters[0]}

    def counts(self) -> dict[str, int]:
        """How many rows the state has, and the columns that a trajectory brings besides."""
        return {"COMPONENTS": len(self._y), "COLUMNS": len(self._parameters)}

    def _kept(self) -> list[tuple[int, int, str]]:
        """For every scalar kept: number of its variable, its number in that, its label."""
        model = self._problem.model
        result = []
        for i, variable in enumerate(self._problem.variables):
            parts = scalar_labels(model, variable, self._observables)
            result += [(i, j, name) for j, name in enumerate(parts)]
        return result

    def _function(self, name: str, number: str, doc: str, body: Sequence[str]) -> str:
        text = "\n".join([f'"""{doc}"""', *body])
        signature = f"@lanes_of(LAYOUT, {number!r})\ndef {name}(rows, settings):\n"
        return signature + textwrap.indent(text, "    ")

    def _read_settings(self) -> list[str]:
        return [f"{name} = settings.{name}" for name in self._control.settings]

    def step(self) -> str:
        """A step of every lane; returns a mask of those with times to save or that ended."""
        source, control, names = self._step, self._control, self._components
        kept = []
        if self._dense:
            kept = [store("step_start", "t"), store("step_length", "h")]
            kept += [store(f"from_{y}", y) for y in self._y]
            kept += [store(row, value) for row, value in source.dense.items()]
        loads = ["t", "t_next", "active", "accepted", "next_save", *control.rows]
        loads += [*self._parameters, *self._y, *source.carried]
        body = [
            *self._read_settings(),
            *(self.restarts.origin_lines("origin") if self.restarts.is_constant else []),
            *map(load, loads),
            "h = t_next - t",
            *source.lines,
            *(f"new_{n} = {value}" for n, value in zip(names, source.candidate)),
            *(f"error_{n} = {value}" for n, value in zip(names, source.error or [])),
            *control.lines,
            *wild_lines(self._problem),
            "keep = keep & (active > 0.0)",
            "until = select(keep, t_next, -INFINITY)",
            *self.restarts.until_lines(),
            "ended = ((stalled > 0.0) | (new_t >= t1)) & (active > 0.0)",
            *self.restarts.watch_lines(),
            *kept,
            store("t", "select(keep, new_t, t)"),
            store("t_next", "new_t_next"),
            store("accepted", "accepted + select(keep, 1.0, 0.0)"),
            store("stalled", "stalled"),
            store("saved_until", "until"),
            *(store(row, f"new_{row}") for row in control.rows),
            *(store(f"y_{n}", f"select(keep, new_{n}, y_{n})") for n in names),
            *(
                store(row, f"select(keep, {value.next}, {row})")
                for row, value in source.carried.items()
            ),
            f"return mask((next_save <= until) | ended{self.restarts.attention})",
        ]
        doc = "One step of every lane; returns a mask of those with times to save or that ended."
        return self._function("step", "all", doc, body)

    def finished(self) -> str:
        """A mask of the lanes whose trajectory is at its end, or cannot go on."""
        body = [*map(load, ["t", "t1", "active", "stalled"])]
        body += ["return mask(((stalled > 0.0) | (t >= t1)) & (active > 0.0))"]
        doc = "A mask of the lanes whose trajectory is at its end, or cannot go on."
        return self._function("finished", "all", doc, body)

    def prepare(self) -> str:
        """The interpolants of the last step of some lanes."""
        body = ["pass"]
        if self._inside:
            body = [load("step_length", "h")]
            body += [load(f"from_{y}", y) for y in self._y]
            body += [load(f"y_{n}", f"y1_{n}") for n in self._components]
            body += [*map(load, self._step.dense), *self._step.interpolant_lines]
            body += [store(row, row) for rows in self._coefficients() for row in rows]
        return self._function("prepare", "vector", "The interpolants of some lanes.", body)

    def record(self) -> str:
        """The kept variables of some lanes, each at its next time to save."""
        names = self._components
        body = [*map(load, ["next_save", *self._parameters])]
        if not self.is_recorded:
            body = ["pass"]
        elif self._inside:
            body += [load("step_start"), load("step_length", "h")]
            body += [load(f"from_y_{n}", coefficient(0, i)) for i, n in enumerate(names)]
            body += [load(row) for rows in self._coefficients() for row in rows]
            body += ["theta = (next_save - step_start)/h"]
            body += [f"at_{n} = {value}" for n, value in zip(names, self._step.interpolated)]
        else:
            body += [load(f"y_{n}", f"at_{n}") for n in names]
        if self._observables:
            program = observables_program(
                self._problem.model, list(self._observables), self._problem.dtype
            )
            rename = {"t": "next_save"} | {f"y_{n}": f"at_{n}" for n in names}
            lines, values = evaluated(program, rename, "o_")
            body += lines
            body += [
                f"at_{name} = {value}" for name, value in zip(self._observables.values(), values)
            ]
        if self.is_recorded:
            body += [store(f"out_{name}", f"at_{name}") for _, _, name in self._kept()]
        doc = "What is kept of some lanes, each at its next time to save."
        return self._function("record", "vector", doc, body)

    def begin(self) -> str:
        """Puts a trajectory into a lane."""
        model, solver, dtype = self._problem.model, self._problem.solver, self._problem.dtype
        names, step = self._components, self._step
        field = field_program(model, dtype)
        derivative, values = evaluated(field, {"t": "t0"}, "v_")
        body = [
            *self._read_settings(),
            *self.restarts.origin_lines("t"),
            *map(load, [*self._parameters, *self._y]),
            *derivative,
            *(f"f_{n} = {value}" for n, value in zip(names, values)),
            *first_step_lines(solver, model, field, step.error_order),
            "end = t0 + dt",
            store("t", "t0"),
            store("t_next", "select(end > t1, t1, end)"),
            store("active", "1.0"),
            store("accepted", "0.0"),
            store("stalled", "0.0"),
            store("saved_until", "t0"),
            *(store(row, value) for row, value in self._control.rows.items()),
            *(store(row, value.start) for row, value in step.carried.items()),
        ]
        if self._dense:
            # a step of no change, for a time to save at t0
            body += [store("step_start", "t0"), store("step_length", "1.0")]
            body += [store(f"from_{y}", y) for y in self._y]
            body += [store(row, "0.0") for row in step.dense]
        if "origin" in self.rows():
            body += [store("origin", "t0")]
        if not self.restarts:
            body += self.reductions.start_lines()
        doc = "Starts the trajectory whose initial state and parameters are in a lane."
        return self._function("begin", "one", doc, body)

    def restart(self, layout: Layout) -> str:
        """What starts trajectories, and lets them go on after jumps and events."""
        functions = self.restarts.functions(layout)
        if self.restarts and self.reductions:
            functions += self.reductions.restart_functions()
        parts = [self._function(name, "one", doc, body) for name, doc, body in functions]
        return "\n\n\n".join([*parts, self.restarts.source(layout)])

    def write(self, layout: Layout) -> str:
        """Stores what is kept of a lane at a time of its last step."""
        lines = []
        if self._inside and not self.is_recorded:
            start, length = (layout.place(row) for row in ("step_start", "step_length"))
            lines.append(f"theta = (time - rows[{start} + lane]) / rows[{length} + lane]")
        for number, parts in itertools.groupby(self._kept(), lambda kept: kept[0]):
            names = [name for _, _, name in parts]
            value = self._kept_value(layout, names[0])
            if len(names) == 1:
                lines.append(f"values[{number}][place, 0] = {value.replace('@', '')}")
            else:
                lines += [
                    f"for i in range({len(names)}):",
                    f"    values[{number}][place, i] = {value.replace('@', ' + i * LANES')}",
                ]
        text = "\n".join(
            ['"""Stores what is kept of a lane at a time of its last step."""', *lines]
        )
        signature = "@inlined\ndef write(values, place, rows, lane, time):\n"
        return signature + textwrap.indent(text, "    ")

    def _kept_value(self, layout: Layout, name: str) -> str:
        """The value of the first scalar of a variable; `@` stands for the way to the others."""
        row = lambda name: f"rows[{layout.place(name)} + lane@]"
        if self.is_recorded:
            return row(f"out_{name}")
        if not self._inside:
            return row(f"y_{name}")
        i = self._components.index(name)
        coefficients = self._coefficients()
        value = row(coefficients[-1][i])
        for names in reversed(coefficients[:-1]):
            value = f"({value}) * theta + {row(names[i])}"
        return f"({value}) * theta + {row(f'from_y_{name}')}"

    def reduce(self) -> str:
        """Reduces the last step of every lane into the accumulators of its metrics."""
        doc = "The variables to be reduced, at the nodes of the last step of every lane."
        parts = [self._function("find_nodes", "all", doc, self.reductions.node_lines())]
        calls = ["find_nodes(rows, settings, 0)"]
        for number, (size, lines) in enumerate(self.reductions.update_lines()):
            doc = "Reduces what was found at the nodes, of one scalar of every lane."
            parts.append(self._function(f"reduce{number}", "all", doc, lines))
            calls += [
                f"for scalar in range({size}):",
                f"    reduce{number}(rows, settings, scalar * LANES)",
            ]
        if not self.reductions:
            parts, calls = [], ["pass"]
        text = "\n".join(['"""Reduces the last step of every lane."""', *calls])
        caller = "@inlined\ndef reduce(rows, settings):\n" + textwrap.indent(text, "    ")
        return "\n\n\n".join([*parts, caller])

    def collect(self, layout: Layout) -> str:
        """Stores the accumulators of a lane that ended, and what is kept of its stop."""
        lines, column = [], 0
        for kept in (self.reductions.kept_rows(), self.restarts.kept_rows()):
            if kept:
                place = f"{layout.place(kept[0])} + i * LANES + lane"
                lines += [
                    f"for i in range({len(kept)}):",
                    f"    reduced[sample, {column} + i] = rows[{place}]",
                ]
                column += len(kept)
        body = "\n".join(lines) or "pass"
        text = f'"""Stores what was reduced of a lane that ended."""\n{body}'
        signature = "@inlined\ndef collect(reduced, sample, rows, lane):\n"
        return signature + textwrap.indent(text, "    ")
