"""Metrics reduced after every step of the lanes: `odeflow.problem.reductions` as programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odeflow.engines.native.frontend.translate import translate
from odeflow.engines.native.loop.last_step import LastStep
from odeflow.engines.native.loop.metric_groups import MetricGroup, bits
from odeflow.engines.native.loop.peak_queue import PeakQueue, loop_function, nowhere, queued
from odeflow.engines.native.loop.step_view import StepView
from odeflow.engines.native.methods.stepper import Start, Stepped, Stepper
from odeflow.engines.native.program.lane_program import LaneBuilder, LaneProgram
from odeflow.engines.native.program.program import Program
from odeflow.engines.native.program.value import Value, inlined, select, total
from odeflow.engines.native.targets.layout import BufferLayout
from odeflow.problem.problem import Problem
from odeflow.problem.reductions import EXTREMES, Reducer, reaches, reducers, roundings


@dataclass(frozen=True)
class _Seen:
    """What a look at a step tells of the scalar of this number in a group: the accumulators by
    kind, the coefficients in Bernstein's basis; of an observable the values at the nodes.
    """

    step: LastStep
    group: MetricGroup
    number: int
    kept: Mapping[str, Value]
    controls: Sequence[Value]
    at_nodes: Sequence[Value]


class LaneReductions:
    """The functions of the reductions of one problem; none where it has none.

    A look at every step keeps what its ends and its mean tell in the accumulators, rows
    `reduced_<kind>_<scalar>`, and asks for a search of some scalars of some lanes. It is part of
    the step, or follows it (`look_for_metrics`) where that may be cut short. Where a search is
    asked for, and halves of the polynomial do not refute it, the values at the nodes are put into
    rows `node<k>_<scalar>`. Peaks wait for each other (`peak_queue`), all else is searched at once.
    """

    def __init__(self, problem: Problem, stepper: Stepper):
        self._problem = problem
        reduced = reducers(problem.reductions)
        self._view = StepView(problem, stepper, list(reduced))
        self._parts: dict[str, tuple[MetricGroup, int, int]] = {}
        groups: dict[Any, MetricGroup] = {}
        for variable, reducer in reduced.items():
            count, is_state = self._view.number_of_controls(variable), self._view.is_state(variable)
            made = MetricGroup(len(groups), reducer, count, len(problem.nodes), is_state, [])
            group = groups.setdefault((count, is_state, *reducer.metrics.items()), made)
            parts = self._view.labels(variable)
            group.scalars += parts
            last = len(group.scalars) - 1
            self._parts[variable] = (group, last + 1 - len(parts), last)
        self._groups = list(groups.values())
        self._has_peaks = any(kind in EXTREMES for g in self._groups for kind in g.reducer.searched)
        self._queue = PeakQueue(len(problem.nodes), problem.dtype)

    def __bool__(self) -> bool:
        return bool(self._groups)

    @property
    def follows(self) -> bool:
        """Whether the look follows a step, which leaves what it needs."""
        return bool(self) and self._view.is_cut

    def rows(self) -> list[str]:
        """All rows; those of the scalars of a group lie side by side, kind by kind."""
        seen = [row for group in self._groups for rows in group.searching() for row in rows]
        seen += [row for _, _, rows in self._asks() for row in rows]
        seen += self._queue.rows() if self._has_peaks else []
        return seen + [row for row in self.kept_rows() if not row.startswith("y_")]

    def _asks(self) -> list[tuple[MetricGroup, str, list[str]]]:
        """Of each group and each kind that is searched for, the rows of who asks."""
        return [
            (group, kind, group.asked(kind, self._problem.dtype))
            for group in self._groups
            for kind in group.reducer.searched
        ]

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
                b.store_rows([rows[i] for rows in group.kept()], kept)

    def programs(self, restarts: bool) -> list[LaneProgram]:
        """The functions that compute; where trajectories may jump, those for that too."""
        if not self:
            return []
        parts = [self._start(), self._jump()] if restarts else []
        parts += [self._look()] if self.follows else []
        if not self._asks():
            return parts
        made = [
            self._search(group, kind) for group, kind, _ in self._asks() if kind not in EXTREMES
        ]
        queue = [self._queue.search()] if self._has_peaks else []
        return [*parts, self._searched(), *queue, *made]

    def source(self, layout: BufferLayout) -> list[str]:
        """The functions of the loop that call those that compute: `reduce` after a step, and
        `settle_metrics` before a lane is given up.
        """
        calls = ["look_for_metrics(rows, settings, 0)"] if self.follows else []
        answers = [line for ask in self._asks() for line in self._answers(*ask, layout)]
        if answers:
            calls += [
                "asked = searched(rows, settings, 0)",
                "while asked != 0:",
                "    lane = lowest_bit(asked)",
                "    asked &= asked - 1",
                *(f"    {line}" for line in answers),
            ]
        return [
            *(self._queue.source(layout) if self._has_peaks else []),
            loop_function(
                "reduce(rows, settings)", ['"""Searches the last steps."""', *(calls or ["pass"])]
            ),
            loop_function(
                "settle_metrics(rows, settings, lane)",
                ["settle_lane(rows, settings, lane)" if self._has_peaks else "pass"],
            ),
        ]

    def _answers(
        self, group: MetricGroup, kind: str, asks: Sequence[str], layout: BufferLayout
    ) -> list[str]:
        """Statements of the loop that search the last step of a `lane` where that is asked for."""
        found = [f"{group.search(kind)}(rows, settings, at)"]
        if kind in EXTREMES:
            found = self._queued(group, kind, layout)
        lines = []
        for word, row in enumerate(asks):
            first = word * bits(self._problem.dtype)
            lines += [
                f"scalars = int(rows[{layout.place(row)} + lane])",
                f"rows[{layout.place(row)} + lane] = 0.0",
                "while scalars != 0:",
                f"    at = (lowest_bit(scalars) + {first}) * LANES + lane",
                "    scalars &= scalars - 1",
                *(f"    {line}" for line in found),
            ]
        return lines

    def _queued(self, group: MetricGroup, kind: str, layout: BufferLayout) -> list[str]:
        """Statements that put the last step of a scalar of a lane into the queue of peaks, once
        what waits of it is settled.
        """
        at = lambda rows: f"rows[{layout.place(rows[0])} + at]"
        kept = dict(zip(group.reducer.accumulators, group.kept()))
        times, waits = kept.get(f"time_of_{kind}"), at(group.waiting(kind))
        start, length = map(at, group.step())
        places = {
            "at": f"{layout.place(kept[kind][0])} + at",
            "time_at": nowhere(layout) if times is None else f"{layout.place(times[0])} + at",
            "waits_at": f"{layout.place(group.waiting(kind)[0])} + at",
            "start": start,
            "length": length,
        }
        sign, record = float(EXTREMES[kind]), at(kept[kind])
        rounding = f"{roundings(self._problem.dtype)!r} * abs({record})"
        put = queued(layout, "lane", places, EXTREMES[kind], list(map(at, group.nodes())))
        return [
            f"if {waits} > 0.0:",
            "    settle_peaks(rows, settings)",
            f"if {sign} * {at(group.reached(kind))} > {sign} * {record} + {rounding}:",
            f"    {waits} = 1.0",
            *(f"    {line}" for line in put),
        ]

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
        b = LaneBuilder(self._problem.dtype)
        step = self._view.step(b)
        self._looked(step, b.row("saved_until") > step.start)
        return b.finished("look_for_metrics", "all", "Metrics after the last step of every lane.")

    def look(self, b: LaneBuilder, start: Start, stepped: Stepped, keep: Value) -> None:
        """Looks at a step that is being taken, where none follows, in the lanes that `keep` it."""
        if self and not self.follows:
            self._looked(self._view.taken(b, start, stepped), keep)

    def _looked(self, step: LastStep, is_taken: Value) -> None:
        """What a step of every lane tells without a search, and who needs one."""
        b = step.builder
        wanted = {name for group in self._groups for name in group.scalars}
        is_observed = not all(group.is_state for group in self._groups)
        at_nodes = self._view.at_nodes(step) if is_observed else []
        controls = self._view.controls(step, wanted, at_nodes)
        for group in self._groups:
            program = self._program(group, group.reducer.looks)
            for i, name in enumerate(group.scalars):
                rows = [rows[i] for rows in group.kept()]
                kept = b.rows(rows)
                if self._problem.model.declared.delays and name not in self._view.components:
                    # an observable may jump between steps, where what it looks back at does
                    kept = self._jumped(group.reducer, step.start, controls[name][0], kept)
                given = [step.start, step.length, *controls[name], *kept]
                found = inlined(b, program, dict(zip(program.inputs, given)))
                for row, new, old in zip(rows, found, kept):
                    if not row.startswith("y_"):
                        b.store(row, select(is_taken, new, old))
                given = controls[name], [values[name] for values in at_nodes]
                seen = _Seen(step, group, i, dict(zip(group.reducer.accumulators, found)), *given)
                for kind, asked in zip(group.reducer.searched, found[len(kept) :]):
                    asked = asked & is_taken
                    with b.only_where(asked):
                        if kind in EXTREMES:
                            self._leave_peak(seen, kind, asked)
                        else:
                            self._leave(seen, kind, asked)

    def _leave_peak(self, seen: _Seen, kind: str, asked: Value) -> None:
        """Leaves what a search for a peak needs, unless halves of the polynomial refute it."""
        b = seen.step.builder
        names = ["record", *(f"b{k}" for k in range(seen.group.count))]
        look = lambda record, *controls: reaches(kind, record, controls)
        program = translate(look, names, self._problem.dtype)
        given = dict(zip(names, [seen.kept[kind], *seen.controls]))
        reach, is_beyond = inlined(b, program, given)
        with b.only_where(asked & is_beyond):
            b.store(seen.group.reached(kind)[seen.number], reach)
            self._leave(seen, kind, asked & is_beyond)

    def _leave(self, seen: _Seen, kind: str, asked: Value) -> None:
        """Leaves what a search needs."""
        b, group, step = seen.step.builder, seen.group, seen.step
        values = self._view.values(seen.controls) if group.is_state else seen.at_nodes
        rows = [row[seen.number] for row in (*group.nodes(), *group.step())]
        b.store_rows(rows, [*values, step.start, step.length])
        word, bit = divmod(seen.number, bits(self._problem.dtype))
        asks = group.asked(kind, self._problem.dtype)[word]
        b.store(asks, b.row(asks) + select(asked, 2.0**bit, 0.0))

    def _program(self, group: MetricGroup, function: Callable[..., Any]) -> Program:
        """`function(kept, t, h, controls)` of a step of one scalar: of t, h, controls, kept."""
        names = [f"b{k}" for k in range(group.count)]
        names = ["t", "h", *names, *group.reducer.accumulators]

        def of(t: Any, h: Any, *numbers: Any) -> Any:
            return function(numbers[group.count :], t, h, numbers[: group.count])

        return translate(of, names, self._problem.dtype)

    def _searched(self) -> LaneProgram:
        b = LaneBuilder(self._problem.dtype)
        doc = "A mask of the lanes whose last step is to be searched."
        asks = [row for _, _, rows in self._asks() for row in rows]
        return b.finished("searched", "all", doc, total(b.rows(asks)) > 0.0)

    def _search(self, group: MetricGroup, kind: str) -> LaneProgram:
        """The last step of one scalar searched for what is no peak."""
        b, reducer = LaneBuilder(self._problem.dtype), group.reducer
        nodes = [f"v{k}" for k in range(group.number_of_nodes)]

        def search(t: Any, h: Any, *numbers: Any) -> Any:
            values, kept = numbers[: len(nodes)], numbers[len(nodes) :]
            return reducer.search(kind, kept, t, h, values)

        names = ["t", "h", *nodes, *reducer.accumulators]
        program = translate(search, names, self._problem.dtype)
        first = lambda rows: b.rows([row[0] for row in rows])
        given = [*first(group.step()), *first(group.nodes()), *first(group.kept())]
        found = inlined(b, program, dict(zip(program.inputs, given)))
        for rows, value in zip(group.kept(), found):
            b.store(rows[0], value)
        doc = "Searches the last step of one scalar."
        return b.finished(group.search(kind), "one", doc)
