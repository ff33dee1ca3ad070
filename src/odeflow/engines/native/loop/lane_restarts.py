"""Where trajectories stop and go on: jumps at given times, guards that fire, in the lane loop.

A lane that reaches a jump, or where a guard fires, is ended like one that is done, and begins again
from there with the same trajectory. Where a problem has neither, the functions here are empty.
"""

import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

from odeflow.engines.native.frontend.field import lane_program, memory_names, watch_program
from odeflow.engines.native.frontend.names import component_labels, parameter_names
from odeflow.engines.native.loop.delay_history import DelayHistory
from odeflow.engines.native.loop.lane_crossings import LaneCrossings
from odeflow.engines.native.methods.stepper import Start, Stepped, Stepper
from odeflow.engines.native.program.lane_program import LaneBuilder, LaneProgram
from odeflow.engines.native.program.program import Program
from odeflow.engines.native.program.value import Value, inlined, select
from odeflow.engines.native.targets.layout import BufferLayout
from odeflow.engines.shared.crossings import SearchState
from odeflow.engines.shared.watch import MOST_ROUNDS, RoundOutcome, Watch
from odeflow.problem.problem import SAME_TIME_ULPS, Problem
from odeflow.problem.status import Status

#: What `stalled` is where a guard has fired in the last step.
FIRED = 100
#: Rows of a lane's segment that a jump sets, after the parameters that it does.
SEGMENT = ("t1", "clip_floor", "last_save")


def counted_columns(problem: Problem) -> list[str]:
    """Names of the columns of what guards count as before t0, where lanes say it."""
    return [f"counted_{i}" for i in range(len(problem.guards))] if problem.counted else []


class LaneRestarts:
    """The functions of restarts of one problem: `arm`, `enter`, `resumes`, `resume`, `locate`.

    `cut` is where in its last step a guard of a lane fired, as a fraction; 1 where none did. What
    a lane remembers of guards and events are rows of their own.
    """

    def __init__(self, problem: Problem, stepper: Stepper):
        model = problem.model
        self._problem = problem
        self._components = component_labels(model)
        self._parameters = parameter_names(model)
        self._watch = Watch(problem)
        self._same_time = f"REAL({SAME_TIME_ULPS * float(np.finfo(problem.dtype).eps)!r})"
        self._memory = memory_names(self._watch) if self._watch else []
        self._found = [row for row in self._memory if row.startswith("found_")]
        self._history = DelayHistory(problem, stepper)
        self._crossings = LaneCrossings(problem, self._watch, stepper) if self._watch else None

    def __bool__(self) -> bool:
        return self._problem.restarts

    @property
    def has_guards(self) -> bool:
        """Whether there are guards: steps may then be cut short."""
        return bool(self._watch)

    @property
    def is_constant(self) -> bool:
        """Whether steps are of equal length, counted from where a lane began."""
        return not self._problem.solver.is_adaptive

    def rows(self) -> list[str]:
        """Names of the rows of the buffer."""
        rows = ["origin"] if self and self.is_constant else []
        if self._crossings is not None:
            rows += ["cut", "outcome", *self._crossings.rows(), *self._memory]
        return rows

    def kept_rows(self) -> list[str]:
        """Rows that say more of a lane that has stopped."""
        return [row for row in self._memory if row.startswith("at_stop_")]

    def columns(self) -> list[str]:
        """Names of further columns beside the parameters."""
        columns = ["last_save"] if self._problem.jumps is not None else []
        return columns + counted_columns(self._problem)

    def origin(self, b: LaneBuilder) -> Value:
        """Where the lane began, for steps of equal length."""
        return b.row("origin") if "origin" in self.rows() else b.setting("t0")

    def until(self, b: LaneBuilder, until: Value) -> Value:
        """The time until which values are saved: one at a jump is left to what comes after it."""
        if self._problem.jumps is None:
            return until
        last_save = b.row("last_save")
        return select(until > last_save, last_save, until)

    def watch(self, b: LaneBuilder, start: Start, stepped: Stepped, keep: Value) -> Value | None:
        """After a step: which lanes are suspect, where something may have fired."""
        if self._crossings is None:
            return None
        b.store("cut", 1.0)
        return self._crossings.suspect(b, start, stepped, keep)

    def programs(self) -> list[LaneProgram]:
        """Functions of one lane."""
        return [*self._jumping(), *self._watching()]

    @property
    def _has_jumping(self) -> bool:
        return self._problem.jumps is not None and self._problem.model.jumping is not None

    def _jumping(self) -> list[LaneProgram]:
        jumping = self._problem.model.jumping
        if not self._has_jumping or jumping is None:
            return []
        before = "What a lane does before something is given."
        after = "What a lane does after something is given."
        return [
            self._changed("leave", before, jumping.leave),
            self._changed("arrive", after, jumping.arrive),
        ]

    def _changed(self, name: str, doc: str, function: Callable[..., Any]) -> LaneProgram:
        """Gives a lane the state that a function of (t, y, args) gives."""
        problem, b = self._problem, LaneBuilder(self._problem.dtype)
        program = lane_program(problem.model, function, problem.dtype)
        return self._stored(b, program, [f"y_{n}" for n in self._components], name, doc)

    def _watching(self) -> list[LaneProgram]:
        if self._crossings is None:
            return []
        return [self._arm(), *self._crossings.programs(), self._cut(), self._land(), self._fire()]

    def source(self, layout: BufferLayout) -> str:
        """The functions that the loop calls."""
        bodies = {
            "arm(rows, settings, lane)": "\n".join(self._prepared()),
            "enter(rows, settings, lane, sample, jump, jumps)": self._enter(layout),
            "resumes(rows, lane, sample, jump, jumps)": self._resumes(layout),
            "resume(rows, settings, lane, sample, jump, jumps)": self._resume(layout),
            "locate(rows, settings, attention)": self._locate(layout),
        }
        docs = (
            "Prepares guards and metrics of a trajectory.",
            "Begins at the time in a lane, after the jumps and events of that time.",
            "Whether a lane that ended goes on with its trajectory.",
            "Goes on with a trajectory after a jump, or where a guard fired.",
            "Finds where in the last step guards fired.",
        )
        return "\n\n\n".join(
            f"@inlined\ndef {signature}:\n"
            + textwrap.indent(f'"""{doc}"""\n{body or "pass"}', " " * 4)
            for (signature, body), doc in zip(bodies.items(), docs)
        )

    def _prepared(self) -> list[str]:
        lines = ["arm_guards(rows, settings, lane)"] if self._watch else []
        metrics = self and self._problem.reductions
        return lines + (["start_reductions(rows, settings, lane)"] if metrics else [])

    def _enter(self, layout: BufferLayout) -> str:
        lines = []
        place = lambda row: f"rows[{layout.place(row)} + lane]"
        jumps = self._problem.jumps
        if jumps is not None:
            added = [f"y_{self._components[i]}" for i in jumps.components]
            replaced = [*(self._parameters[i] for i in jumps.parameters), *SEGMENT]
            lines += [
                f"while jump[lane] < jumps[0][sample] and {place('t')} >= {place('t1')}:",
                "    number = jump[lane]",
                *(["    leave(rows, settings, lane)"] if self._has_jumping else []),
                *(
                    f"    {place(row)} += jumps[1][number, {i}, sample]"
                    for i, row in enumerate(added)
                ),
                *(
                    f"    {place(row)} = jumps[2][number, {i}, sample]"
                    for i, row in enumerate(replaced)
                ),
                *(["    arrive(rows, settings, lane)"] if self._has_jumping else []),
                *(f"    {place(row)} = REAL(0)" for row in self._found),
                "    jump[lane] += 1",
            ]
        if "pending" in self._memory:
            lines += [f"{place('pending')} = jumps[0][sample] - jump[lane]"]
        if self._watch:
            lines += [
                f"ending = REAL({Status.events_failed:d})",
                f"for _ in range({MOST_ROUNDS}):",
                "    fire(rows, settings, lane)",
                f"    if {place('outcome')} == {RoundOutcome.stop:d}:",
                f"        ending = REAL({Status.stopped_by_event:d})",
                f"    if {place('outcome')} == {RoundOutcome.nothing:d}:",
                "        ending = REAL(0)",
                f"    if {place('outcome')} != {RoundOutcome.event:d}:",
                "        break",
            ]
        if self and self.is_constant:
            dt = f"settings[{layout.settings.index('dt0')}]"
            span = f"{place('t1')} - {place('t')}"
            lines += [
                f"dt = nextafter({dt}, REAL(INFINITY))",
                f"{place('steps')} = ceil(({span}) / dt)",
            ]
        lines += ["begin(rows, settings, lane)"]
        if self and self._problem.reductions:
            lines += ["jump_reductions(rows, settings, lane)"]
        if self._watch:
            lines += [
                "if ending > 0:",
                f"    {place('stalled')} = ending",
                # and so it is where the stop comes before it by rounding alone
                f"    late = {place('next_save')} - {place('t')}",
                f"    near = late > 0 and late <= {self._same_time} * abs({place('t')})",
                f"    if near and ending == {Status.stopped_by_event:d}:",
                f"        {place('t')} = min({place('next_save')}, {place('t1')})",
                f"        {place('saved_until')} = {place('t')}",
            ]
        return "\n".join(lines)

    def _resumes(self, layout: BufferLayout) -> str:
        place = lambda row: f"rows[{layout.place(row)} + lane]"
        conditions = []
        if self._problem.jumps is not None:
            due = f"jump[lane] < jumps[0][sample] and {place('t')} >= {place('t1')}"
            conditions.append(f"({due})")
        if self._watch:
            conditions.append(f"{place('stalled')} == {FIRED}")
        return "return " + (" or ".join(conditions) or "False")

    def _resume(self, layout: BufferLayout) -> str:
        if not self:
            return ""
        lines = []
        if self._watch:
            lines += [
                f"if rows[{layout.place('stalled')} + lane] == {FIRED}:",
                "    land(rows, settings, lane)",
            ]
        lines += ["enter(rows, settings, lane, sample, jump, jumps)"]
        return "\n".join(lines)

    def _locate(self, layout: BufferLayout) -> str:
        if self._crossings is None:
            return ""
        place = lambda row: f"rows[{layout.place(row)} + lane]"
        return "\n".join(
            [
                "left = attention",
                "while left != 0:",
                "    lane = lowest_bit(left)",
                "    left &= left - 1",
                f"    if {place('suspect')} > 0:",
                *(f"        {line}" for line in self._crossings.search(layout)),
                f"        if {place('verdict')} == {SearchState.fired:d}:",
                "            cut_step(rows, settings, lane)",
                f"            {place('stalled')} = REAL({FIRED})",
                # what is saved at that time is the value after what happens there
                f"            until = nextafter({place('t')}, REAL(-INFINITY))",
                f"            same = {place('t')} - {self._same_time} * abs({place('t')})",
                f"            {place('saved_until')} = min(until, same)",
            ]
        )

    def _arm(self) -> LaneProgram:
        b, problem = LaneBuilder(self._problem.dtype), self._problem
        start = lambda t, y, args, memory: [self._watch.start(t, y, args)]
        program = watch_program(problem.model, self._watch, start, problem.dtype)
        doc = "What is remembered of guards before a trajectory."
        values = inlined(b, program, self._here(b, program))
        counted = [b.row(column) for column in counted_columns(problem)]
        b.store_rows(self._memory, [*counted, *values[len(counted) :]])
        return b.finished("arm_guards", "one", doc)

    def _cut(self) -> LaneProgram:
        b = LaneBuilder(self._problem.dtype)
        b.store("cut", b.row("high"))
        b.store("t", b.row("to_t"))
        return b.finished("cut_step", "one", "Ends a step where a guard fires.")

    def _land(self) -> LaneProgram:
        assert self._crossings is not None
        b = LaneBuilder(self._problem.dtype)
        rows = [f"y_{n}" for n in self._components]
        b.store_rows(rows, b.rows(self._crossings.reached))
        return b.finished("land", "one", "Puts the state where a guard fired into a lane.")

    def _fire(self) -> LaneProgram:
        problem, b = self._problem, LaneBuilder(self._problem.dtype)
        program = watch_program(problem.model, self._watch, self._watch.round, problem.dtype)
        rows = [*(f"y_{n}" for n in self._components), *self._memory, "outcome"]
        doc = "One round of what guards and events ask for."
        return self._stored(b, program, rows, "fire", doc)

    def _stored(
        self, b: LaneBuilder, program: Program, rows: list[str], name: str, doc: str
    ) -> LaneProgram:
        """The function that puts a program's outputs at the state of a lane into rows of it."""
        b.store_rows(rows, inlined(b, program, self._here(b, program)))
        return b.finished(name, "one", doc)

    def _here(self, b: LaneBuilder, program: Program) -> dict[str, Value]:
        """The inputs of a program: rows of the same names, and what is delayed at this time."""
        rows = dict(zip(program.inputs, b.rows(program.inputs)))
        return rows | dict(zip(self._parameters, self._history.parameters(b)(b.row("t"))))
