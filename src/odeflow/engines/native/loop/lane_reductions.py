"""Metrics reduced after every step of the lanes: `odeflow.problem.reductions` as programs."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odeflow.engines.native.frontend.translate import translate
from odeflow.engines.native.loop.step_view import StepView
from odeflow.engines.native.methods.stepper import Stepper
from odeflow.engines.native.program.lane_program import LaneBuilder, LaneProgram
from odeflow.engines.native.program.program import Program
from odeflow.engines.native.program.value import Value, any_of, inlined, select
from odeflow.problem.problem import Problem
from odeflow.problem.reductions import Reducer, reducers

#: What a scalar's search needs of the step besides values: copies, since it sees the rows of one
#: scalar only.
_STEP = ("step_start", "step_length")


@dataclass
class _Group:
    """Scalars with the same metrics: their rows lie side by side, and one loop serves them."""

    number: int
    reducer: Reducer
    scalars: list[str]
    number_of_nodes: int

    def asks(self, k: int) -> str:
        """The function that says where a search for the k-th of what is searched is asked for."""
        return f"asks{self.number}_{k}"

    def search(self, k: int) -> str:
        """The function that makes it."""
        return f"search{self.number}_{k}"

    def nodes(self) -> list[list[str]]:
        """Rows of the values at each node, by scalar."""
        return [[f"node{k}_{name}" for name in self.scalars] for k in range(self.number_of_nodes)]

    def step(self) -> list[list[str]]:
        """Rows of the copies of `_STEP`, by scalar."""
        return [[f"{row}_of_{name}" for name in self.scalars] for row in _STEP]

    def asked(self) -> list[list[str]]:
        """Rows of whether the last step is to be searched for something, by scalar."""
        return [[f"asks_{kind}_{name}" for name in self.scalars] for kind in self.reducer.searched]

    def searching(self) -> list[list[str]]:
        """All rows that a search needs besides the accumulators; none where none is made."""
        asked = self.asked()
        return [*self.nodes(), *self.step(), *asked] if asked else []

    def kept(self) -> list[list[str]]:
        """Rows of each accumulator, by scalar."""
        return [
            [f"reduced_{kind}_{name}" for name in self.scalars]
            for kind in self.reducer.accumulators
        ]


class LaneReductions:
    """The functions of the reductions of one problem; none where it has none.

    A look at every step (`look_for_metrics`) keeps what its ends and its mean tell in the
    accumulators, rows `reduced_<kind>_<scalar>`, and asks for a search of some scalars of some
    lanes. For one the values of the variables at the nodes are put into rows `node<k>_<scalar>`
    (`find_nodes`), and a loop over the scalars searches (`search<group>_<k>`, called at the place
    of each: so that code does not grow with an array state).
    """

    def __init__(self, problem: Problem, stepper: Stepper):
        self._problem = problem
        reduced = reducers(problem.reductions)
        self._view = StepView(problem, stepper, list(reduced))
        self._parts: dict[str, tuple[_Group, int, int]] = {}
        groups: dict[Any, _Group] = {}
        for variable, reducer in reduced.items():
            key = tuple(reducer.metrics.items())
            group = groups.setdefault(key, _Group(len(groups), reducer, [], len(problem.nodes)))
            parts = self._view.labels(variable)
            group.scalars += parts
            last = len(group.scalars) - 1
            self._parts[variable] = (group, last + 1 - len(parts), last)
        self._groups = list(groups.values())

    def __bool__(self) -> bool:
        return bool(self._groups)

    def rows(self) -> list[str]:
        """All rows; those of the scalars of a group lie side by side, kind by kind."""
        seen = [row for group in self._groups for rows in group.searching() for row in rows]
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

    def start(self, b: LaneBuilder, t0: Value, y: Sequence[Value]) -> None:
        """Puts the accumulators of a trajectory at t0 into its lane."""
        values = self._view.scalars(t0, y, self._view.history.parameters(b))
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
        searches = [
            make(group, k) for group, k in self._searches() for make in (self._asks, self._search)
        ]
        return [*parts, self._look(), *([self._find_nodes()] if searches else []), *searches]

    def source(self) -> str:
        """The function `reduce` of the loop, which calls those that compute."""
        calls = ["asked = look_for_metrics(rows, settings, 0)"] if self else ["pass"]
        searches = []
        for group, k in self._searches():
            searches += [
                f"        for scalar in range({len(group.scalars)}):",
                "            place = base + scalar * LANES",
                f"            if {group.asks(k)}(rows, settings, place) != 0:",
                f"                {group.search(k)}(rows, settings, place)",
            ]
        if searches:
            calls += [
                "for base in range(0, LANES if asked != 0 else 0, WIDTH):",
                "    if (asked >> base) & VECTOR != 0:",
                "        find_nodes(rows, settings, base)",
                *searches,
            ]
        text = "\n".join(['"""Reduces the last step of every lane."""', *calls])
        return "@inlined\ndef reduce(rows, settings):\n" + textwrap.indent(text, "    ")

    def _searches(self) -> list[tuple[_Group, int]]:
        """What is searched, group by group: its number among the `searched` of its reducer."""
        return [(group, k) for group in self._groups for k in range(len(group.reducer.searched))]

    def _here(self, b: LaneBuilder) -> tuple[Value, list[Value]]:
        rows = [f"y_{n}" for n in self._view.components]
        return b.row("t"), b.rows(rows)

    def _start(self) -> LaneProgram:
        b = LaneBuilder(self._problem.dtype)
        self.start(b, *self._here(b))
        return b.finished("start_reductions", "one", "Starts the metrics of a trajectory.")

    def _jump(self) -> LaneProgram:
        b = LaneBuilder(self._problem.dtype)
        t0, y = self._here(b)
        values = self._view.scalars(t0, y, self._view.history.parameters(b))
        for group in self._groups:
            for i, name in enumerate(group.scalars):
                rows = [rows[i] for rows in group.kept()]
                b.store_rows(rows, self._jumped(group.reducer, t0, values[name], b.rows(rows)))
        return b.finished("jump_reductions", "one", "Lets metrics see a state that has jumped.")

    def _jumped(
        self, reducer: Reducer, t: Value, value: Value, kept: Sequence[Value]
    ) -> list[Value]:
        """The accumulators of a scalar after it jumps to a value at t."""
        jump = lambda t, value, *kept: reducer.jump(kept, t, value)
        names = ["t", "value", *reducer.accumulators]
        program = translate(jump, names, self._problem.dtype)
        return inlined(t.builder, program, dict(zip(names, [t, value, *kept])))

    def _look(self) -> LaneProgram:
        """What the last step of every lane tells without a search, and where one is asked for."""
        b = LaneBuilder(self._problem.dtype)
        step = self._view.step(b)
        is_taken, asked = b.row("saved_until") > step.start, []
        wanted = {name for group in self._groups for name in group.scalars}
        controls = self._view.controls(step, wanted)
        for group in self._groups:
            for i, name in enumerate(group.scalars):
                rows = [rows[i] for rows in group.kept()]
                program = self._look_program(group.reducer, len(controls[name]))
                kept = b.rows(rows)
                if self._problem.model.declared.delays and name not in self._view.components:
                    # an observable may jump between steps, where what it looks back at does
                    kept = self._jumped(group.reducer, step.start, controls[name][0], kept)
                given = [step.start, step.length, *controls[name], *kept]
                found = inlined(b, program, dict(zip(program.inputs, given)))
                seen, masks = found[: len(kept)], found[len(kept) :]
                b.store_rows(rows, [select(is_taken, new, old) for new, old in zip(seen, kept)])
                for asks, mask in zip(group.asked(), masks):
                    asked.append(mask & is_taken)
                    b.store(asks[i], select(asked[-1], 1.0, 0.0))
        doc = "Metrics as far as the ends and the mean of the last step tell; who needs a search."
        return b.finished("look_for_metrics", "all", doc, any_of(asked) if asked else None)

    def _look_program(self, reducer: Reducer, count: int) -> Program:
        """Of a variable whose polynomial has so many coefficients."""

        def look(t: Any, h: Any, *numbers: Any) -> Any:
            seen, asked = reducer.look(numbers[count:], t, h, numbers[:count])
            return [*seen, *asked]

        names = ["t", "h", *(f"b{k}" for k in range(count)), *reducer.accumulators]
        return translate(look, names, self._problem.dtype)

    def _find_nodes(self) -> LaneProgram:
        """Puts the values of a lane's last step at the nodes into rows."""
        b = LaneBuilder(self._problem.dtype)
        step, searched = self._view.step(b), [g for g in self._groups if g.reducer.searched]
        for k, values in enumerate(self._view.at_nodes(step)):
            for group in searched:
                b.store_rows(group.nodes()[k], [values[name] for name in group.scalars])
        for group in searched:
            for rows, value in zip(group.step(), (step.start, step.length)):
                for row in rows:
                    b.store(row, value)
        doc = "The variables to be searched, at the nodes of the last step of some lanes."
        return b.finished("find_nodes", "vector", doc)

    def _asks(self, group: _Group, k: int) -> LaneProgram:
        b = LaneBuilder(self._problem.dtype)
        doc = "A mask of the lanes in which one scalar asks for a search."
        return b.finished(group.asks(k), "vector", doc, b.row(group.asked()[k][0]) > 0.0)

    def _search(self, group: _Group, k: int) -> LaneProgram:
        """The last step searched, for the first scalar of a group, in lanes that ask for it."""
        b, reducer = LaneBuilder(self._problem.dtype), group.reducer
        nodes = [f"v{k}" for k in range(group.number_of_nodes)]

        def search(t: Any, h: Any, *numbers: Any) -> Any:
            kept, values = numbers[len(nodes) :], numbers[: len(nodes)]
            return reducer.search(reducer.searched[k], kept, t, h, values)

        names = ["t", "h", *nodes, *reducer.accumulators]
        program = translate(search, names, self._problem.dtype)
        first = lambda rows: b.rows([row[0] for row in rows])
        kept, is_asked = first(group.kept()), b.row(group.asked()[k][0]) > 0.0
        given = [*first(group.step()), *first(group.nodes()), *kept]
        found = inlined(b, program, dict(zip(program.inputs, given)))
        for rows, value, before in zip(group.kept(), found, kept):
            b.store(rows[0], select(is_asked, value, before))
        doc = "Searches the last step for what one scalar of some lanes asks for."
        return b.finished(group.search(k), "vector", doc)
