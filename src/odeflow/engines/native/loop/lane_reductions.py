"""Metrics reduced after every step of the lanes: `odeflow.problem.reductions` as statements."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odeflow.engines.native.frontend.field import evaluated, observables_program
from odeflow.engines.native.frontend.names import (
    component_labels,
    observable_labels,
    parameter_names,
    scalar_labels,
)
from odeflow.engines.native.frontend.translate import translate
from odeflow.engines.native.methods.stepper import StepSource
from odeflow.engines.native.targets.layout import load, store
from odeflow.problem.problem import Problem
from odeflow.problem.reductions import Reducer, reducers

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*) = ")
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
    """The statements of the reductions of one problem; none where it has none.

    Of every step the values of the variables at the nodes are put into rows `node<k>_<scalar>`
    (`node_lines`), which a loop over the scalars reduces into rows `reduced_<kind>_<scalar>`
    (`update_lines`, called at the place of each): so that code does not grow with an array state.
    """

    def __init__(self, problem: Problem, step: StepSource):
        model = problem.model
        self._problem, self._step = problem, step
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

    def start_lines(self) -> list[str]:
        """Puts the accumulators of a trajectory at t0 into its lane, from `y_<component>`."""
        here = {name: f"y_{name}" for name in self._components}
        lines, values = self._observed("t0", here, "s_")
        for number, group in enumerate(self._groups):
            program = translate(group.reducer.start, ["t", "value"], self._problem.dtype)
            for i, name in enumerate(group.scalars):
                rename = {"t": "t0", "value": (here | values)[name]}
                prefix = f"s{number}_{i}_"
                statements, kept = evaluated(program, rename, prefix)
                lines += statements
                lines += [store(rows[i], value) for rows, value in zip(group.kept(), kept)]
        return lines

    def restart_functions(self) -> list[tuple[str, str, list[str]]]:
        """Functions of one lane for trajectories that jump: name, what it does, body."""
        read = [load("t", "t0"), *map(load, self._parameters)]
        read += [load(f"y_{n}") for n in self._components]
        start = "Starts the metrics of a trajectory."
        jump = "Lets metrics see a state that has jumped."
        return [
            ("start_reductions", start, [*read, *self.start_lines()]),
            ("jump_reductions", jump, [*read, *self._jump_lines()]),
        ]

    def _jump_lines(self) -> list[str]:
        here = {name: f"y_{name}" for name in self._components}
        lines, values = self._observed("t0", here, "s_")
        for number, group in enumerate(self._groups):
            accumulators = group.reducer.accumulators

            def jump(t: Any, value: Any, *kept: Any, reducer: Any = group.reducer) -> Any:
                return reducer.jump(kept, t, value)

            program = translate(jump, ["t", "value", *accumulators], self._problem.dtype)
            for i, name in enumerate(group.scalars):
                rows = [rows[i] for rows in group.kept()]
                rename = {"t": "t0", "value": (here | values)[name]} | dict(zip(accumulators, rows))
                statements, kept = evaluated(program, rename, f"s{number}_{i}_")
                lines += [*map(load, rows), *statements, *map(store, rows, kept)]
        return lines

    def node_lines(self) -> list[str]:
        """Puts the values of a lane's last step at the nodes into rows."""
        lines = [load(p) for p in self._parameters]
        lines += [load("t"), load("step_start"), load("step_length", "h"), load("saved_until")]
        # a step in which a guard fired ends there
        lines += [load("cut"), "length = h*cut"] if self._is_cut else ["length = h"]
        lines += [load(f"from_y_{n}", f"y_{n}") for n in self._components]
        lines += [load(f"y_{n}", f"y1_{n}") for n in self._components]
        lines += map(load, self._step.dense)
        last = len(self._problem.nodes) - 1
        for k, node in enumerate(self._problem.nodes):
            statements, here = self._state_at(k, node)
            lines += statements
            time = {0: "step_start", last: "t"}.get(k, f"step_start + {node!r}*length")
            statements, values = self._observed(f"time{k}", here, f"o{k}_")
            if statements or values:
                lines += [f"time{k} = {time}", *statements]
            for group in self._groups:
                rows = group.nodes()[k]
                lines += [store(r, (here | values)[n]) for r, n in zip(rows, group.scalars)]
        for group in self._groups:
            for rows, value in zip(group.step(), ("step_start", "length", "saved_until")):
                lines += [store(row, value) for row in rows]
        return lines

    def update_lines(self) -> list[tuple[int, list[str]]]:
        """For each group: its number of scalars, and what to do for the first of them."""
        return [(len(group.scalars), self._update(group)) for group in self._groups]

    def _update(self, group: _Group) -> list[str]:
        accumulators = group.reducer.accumulators
        nodes = [f"v{k}" for k in range(group.number_of_nodes)]

        def update(t: Any, h: Any, *numbers: Any) -> Any:
            return group.reducer.update(numbers[len(nodes) :], t, h, numbers[: len(nodes)])

        program = translate(update, ["t", "h", *nodes, *accumulators], self._problem.dtype)
        statements, values = evaluated(program, {}, "u_")
        names = [*nodes, "t", "h", "until", *accumulators]
        rows = [rows[0] for rows in (*group.nodes(), *group.step(), *group.kept())]
        return [
            *(load(row, name) for name, row in zip(names, rows)),
            "keep = until > t",
            *statements,
            *(
                store(rows[0], f"select(keep, {value}, {name})")
                for name, rows, value in zip(accumulators, group.kept(), values)
            ),
        ]

    def _state_at(self, k: int, node: float) -> tuple[list[str], dict[str, str]]:
        """Statements of the state at a node, and its names."""
        is_last = k == len(self._problem.nodes) - 1
        if k == 0 or (is_last and not self._is_cut):
            prefix = "y_" if k == 0 else "y1_"
            return [], {name: f"{prefix}{name}" for name in self._components}
        theta = f"{node!r}*cut" if self._is_cut else repr(node)
        lines = [f"theta = {theta}", *self._step.interpolant_lines]
        lines += [f"at_{n} = {x}" for n, x in zip(self._components, self._step.interpolated)]
        if is_last:
            lines += [f"at_{n} = select(cut < 1.0, at_{n}, y1_{n})" for n in self._components]
        own = {match[1] for line in lines if (match := _ASSIGNMENT.match(line))}
        lines = [
            re.sub(r"\b[A-Za-z_]\w*", lambda m: m[0] + f"_at{k}" if m[0] in own else m[0], line)
            for line in lines
        ]
        return lines, {name: f"at_{name}_at{k}" for name in self._components}

    def _observed(
        self, time: str, state: Mapping[str, str], prefix: str
    ) -> tuple[list[str], dict[str, str]]:
        """Statements of the observables at a state, and the expressions of their values."""
        if not self._observables:
            return [], {}
        problem = self._problem
        program = observables_program(problem.model, list(self._observables), problem.dtype)
        rename = {"t": time} | {f"y_{name}": value for name, value in state.items()}
        lines, values = evaluated(program, rename, prefix)
        return lines, dict(zip(self._observables.values(), values))
