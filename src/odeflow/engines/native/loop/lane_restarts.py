"""Where trajectories stop and go on: jumps at given times, guards that fire, in the lane loop.

A lane that reaches a jump, or where a guard fires, is ended like one that is done, and begins anew
from there with the same trajectory. Where a problem has neither, the functions here are empty.
"""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from odeflow.engines.native.frontend.field import (
    evaluated,
    lane_program,
    memory_names,
    watch_program,
)
from odeflow.engines.native.frontend.names import component_labels, parameter_names
from odeflow.engines.native.loop.lane_crossings import LaneCrossings
from odeflow.engines.native.methods.controller import ControllerSource
from odeflow.engines.native.methods.stepper import StepSource
from odeflow.engines.native.targets.layout import Layout, load, store
from odeflow.engines.shared.crossings import Verdict
from odeflow.engines.shared.watch import MOST_ROUNDS, Outcome, Watch
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

    def __init__(self, problem: Problem, step: StepSource, control: ControllerSource):
        model = problem.model
        self._problem, self._step, self._control = problem, step, control
        self._components = component_labels(model)
        self._parameters = parameter_names(model)
        self._watch = Watch(problem)
        self._same_time = f"REAL({SAME_TIME_ULPS * float(np.finfo(problem.dtype).eps)!r})"
        self._memory = memory_names(self._watch) if self._watch else []
        self._found = [row for row in self._memory if row.startswith("found_")]
        self._crossings = LaneCrossings(problem, self._watch, step) if self._watch else None

    def __bool__(self) -> bool:
        return self._problem.restarts

    @property
    def has_guards(self) -> bool:
        """Whether there are guards: steps may then be cut short."""
        return bool(self._watch)

    @property
    def attention(self) -> str:
        """What else lets a lane be looked at after a step."""
        return " | suspect" if self._watch else ""

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

    def origin_lines(self, t: str) -> list[str]:
        """Defines `t0` as where the lane began or begins."""
        return [f"t0 = rows.{t}"] if self else []

    def until_lines(self) -> list[str]:
        """Leaves a time to save at a jump to what comes after it."""
        if self._problem.jumps is None:
            return []
        return ["until = select(until > last_save, last_save, until)"]

    def watch_lines(self) -> list[str]:
        """After a step: defines which lanes are `suspect`, where something may have fired."""
        if self._crossings is None:
            return []
        return [*self._crossings.suspect_lines(), store("cut", "1.0")]

    def functions(self, layout: Layout) -> list[tuple[str, str, Sequence[str]]]:
        """Functions of one lane: name, what it does, body."""
        return [*self._jumping(), *self._watching()]

    @property
    def _has_jumping(self) -> bool:
        return self._problem.jumps is not None and self._problem.model.jumping is not None

    def _jumping(self) -> list[tuple[str, str, Sequence[str]]]:
        jumping = self._problem.model.jumping
        if not self._has_jumping or jumping is None:
            return []
        return [
            ("leave", "What a lane does before something is given.", self._changed(jumping.leave)),
            ("arrive", "What a lane does after something is given.", self._changed(jumping.arrive)),
        ]

    def _changed(self, function: Callable[..., Any]) -> list[str]:
        """Gives a lane the state that a function of (t, y, args) gives."""
        problem = self._problem
        program = lane_program(problem.model, function, problem.dtype)
        lines, values = evaluated(program, {}, "g_")
        rows = [f"y_{n}" for n in self._components]
        changed = [(row, value) for row, value in zip(rows, values) if value != row]
        return [*self._state(), *lines, *(store(row, value) for row, value in changed)]

    def _watching(self) -> list[tuple[str, str, Sequence[str]]]:
        if self._crossings is None:
            return []
        return [
            ("arm_guards", "What is remembered of guards before a trajectory.", self._arm()),
            *self._crossings.functions(),
            ("cut_step", "Ends a step where a guard fires.", self._cut()),
            ("land", "Puts the state where a guard fired into a lane.", self._land()),
            ("fire", "One round of what guards and events ask for.", self._fire()),
        ]

    def source(self, layout: Layout) -> str:
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

    def _enter(self, layout: Layout) -> str:
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
                f"    if {place('outcome')} == {Outcome.stop:d}:",
                f"        ending = REAL({Status.stopped_by_event:d})",
                f"    if {place('outcome')} == {Outcome.nothing:d}:",
                "        ending = REAL(0)",
                f"    if {place('outcome')} != {Outcome.event:d}:",
                "        break",
            ]
        if self and self.is_constant:
            dt = f"settings[{layout.settings.index('dt0')}]"
            span = f"{place('t1')} - {place('t')}"
            lines += [
                f"dt = np.nextafter({dt}, REAL(INFINITY))",
                f"{place('steps')} = np.ceil(({span}) / dt)",
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

    def _resumes(self, layout: Layout) -> str:
        place = lambda row: f"rows[{layout.place(row)} + lane]"
        conditions = []
        if self._problem.jumps is not None:
            due = f"jump[lane] < jumps[0][sample] and {place('t')} >= {place('t1')}"
            conditions.append(f"({due})")
        if self._watch:
            conditions.append(f"{place('stalled')} == {FIRED}")
        return "return " + (" or ".join(conditions) or "False")

    def _resume(self, layout: Layout) -> str:
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

    def _locate(self, layout: Layout) -> str:
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
                f"        if {place('verdict')} == {Verdict.fired:d}:",
                "            cut_step(rows, settings, lane)",
                f"            {place('stalled')} = REAL({FIRED})",
                # what is saved at that time is the value after what happens there
                f"            until = np.nextafter({place('t')}, REAL(-INFINITY))",
                f"            same = {place('t')} - {self._same_time} * abs({place('t')})",
                f"            {place('saved_until')} = min(until, same)",
            ]
        )

    def _arm(self) -> list[str]:
        start = lambda t, y, args, memory: [self._watch.start(t, y, args)]
        _, lines, values = self._evaluated(start, {})
        columns = counted_columns(self._problem)
        return [
            *self._state(),
            *lines,
            *map(store, self._memory, values),
            *(store(row, f"rows.{column}") for row, column in zip(self._memory, columns)),
        ]

    def _cut(self) -> list[str]:
        return [load("high"), load("to_t"), store("cut", "high"), store("t", "to_t")]

    def _land(self) -> list[str]:
        assert self._crossings is not None
        reached = self._crossings.reached
        return [
            *map(load, reached),
            *(store(f"y_{n}", row) for n, row in zip(self._components, reached)),
        ]

    def _fire(self) -> list[str]:
        _, lines, values = self._evaluated(self._watch.round, {})
        rows = [*(f"y_{n}" for n in self._components), *self._memory, "outcome"]
        changed = [(row, value) for row, value in zip(rows, values) if value != row]
        return [
            *self._state(),
            *map(load, self._memory),
            *lines,
            *(store(row, value) for row, value in changed),
        ]

    def _evaluated(
        self, function: Callable[..., Any], rename: Mapping[str, str]
    ) -> tuple[list[str], list[str], list[str]]:
        """The rows of the memory that a function of a `Watch` reads, its statements and values."""
        problem = self._problem
        program = watch_program(problem.model, self._watch, function, problem.dtype)
        reads = {x for statement in program.statements for x in statement.reads()}
        reads.update(x for x in program.outputs if isinstance(x, str))
        read = [name for name in self._memory if name in reads]
        lines, values = evaluated(program, rename, "g_")
        return read, lines, values

    def _state(self) -> list[str]:
        return [
            load("t"),
            *map(load, self._parameters),
            *(load(f"y_{n}") for n in self._components),
        ]
