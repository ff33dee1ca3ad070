"""Crossings at which states are kept, in the lane loop.

After each step of all lanes it is looked who may have crossed. In such a vector of lanes the places
are found on the dense output, put into rows with the variables there, and copied from these to
where the trajectory keeps them.
"""

from __future__ import annotations

import textwrap
from typing import Any

from odeflow.engines.native.frontend.translate import translate
from odeflow.engines.native.loop.step_view import StepView
from odeflow.engines.native.methods.stepper import Stepper, interpolated
from odeflow.engines.native.program.lane_program import LaneBuilder, LaneProgram
from odeflow.engines.native.program.value import Value, any_of, inlined, select
from odeflow.engines.native.targets.layout import BufferLayout
from odeflow.problem.problem import Problem, SavedEvent
from odeflow.problem.step_curves import most_passages, passages

#: What the time of a crossing is that there is not.
_NONE = float("inf")


class LaneEvents:
    """The functions of the saved events of one problem; none where it has none."""

    def __init__(self, problem: Problem, stepper: Stepper):
        self._problem, self._events = problem, problem.events
        named = [x for event in self._events for x in (event.crosses, *event.variables)]
        self._view = StepView(problem, stepper, list(dict.fromkeys(named)))

    def __bool__(self) -> bool:
        return bool(self._events)

    def rows(self) -> list[str]:
        """What is found in a step: of each crossing its time and scalars, side by side."""
        return [
            row
            for number, event in enumerate(self._events)
            for k in range(self._most(event))
            for row in self._found(number, event, k)
        ]

    def _most(self, event: SavedEvent) -> int:
        """Crossings that a step can have."""
        return most_passages(len(self._problem.nodes), event.direction)

    def _found(self, number: int, event: SavedEvent, k: int) -> list[str]:
        labels = [label for name in event.variables for label in self._view.labels(name)]
        words = ["time", *(f"scalar{place}" for place in range(len(labels)))]
        return [f"event{number}_{k}_{word}" for word in words]

    def programs(self) -> list[LaneProgram]:
        """The functions that compute."""
        return [self._look(), self._find()] if self else []

    def _look(self) -> LaneProgram:
        b = LaneBuilder(self._problem.dtype)
        step = self._view.step(b)
        labels = [self._view.labels(event.crosses)[0] for event in self._events]
        controls = self._view.controls(step, labels, self._view.at_nodes(step))
        is_taken, asked = b.row("saved_until") > step.start, []
        for event, label in zip(self._events, labels):
            first, *others = (value > event.threshold for value in controls[label])
            asked += [((one & ~first) | (first & ~one)) & is_taken for one in others]
        doc = "A mask of the lanes whose last step may have crossed a threshold."
        return b.finished("look_for_events", "all", doc, any_of(asked))

    def _find(self) -> LaneProgram:
        b = LaneBuilder(self._problem.dtype)
        step = self._view.step(b)
        is_taken = b.row("saved_until") > step.start
        parameters, at_nodes = self._view.within(step), self._view.at_nodes(step)
        for number, event in enumerate(self._events):
            label = self._view.labels(event.crosses)[0]
            values = [node[label] for node in at_nodes]
            for k, (found, place) in enumerate(self._passages(b, event, values)):
                part = 0.5 + 0.5 * place
                time = step.start + part * step.length
                theta = part if step.cut is None else part * step.cut
                y = [interpolated(polynomial, theta) for polynomial in step.polynomials]
                here = self._view.scalars(time, y, parameters)
                seen = [here[x] for name in event.variables for x in self._view.labels(name)]
                rows = self._found(number, event, k)
                b.store(rows[0], select(found & is_taken, time, _NONE))
                b.store_rows(rows[1:], seen)
        doc = "Where some lanes crossed thresholds in their last step, and what they were there."
        return b.finished("find_events", "vector", doc)

    def _passages(
        self, b: LaneBuilder, event: SavedEvent, values: list[Value]
    ) -> list[tuple[Value, Value]]:
        names = [f"v{k}" for k in range(len(values))]

        def find(*numbers: Any) -> list[Any]:
            return [x for pair in passages(numbers, event.threshold, event.direction) for x in pair]

        program = translate(find, names, self._problem.dtype)
        found = inlined(b, program, dict(zip(names, values)))
        return list(zip(found[::2], found[1::2]))

    def source(self, layout: BufferLayout) -> str:
        """The function `keep_events` of the loop."""
        lines = ['"""Keeps what lanes were where they crossed thresholds in the last step."""']
        if self:
            lines += [
                "asked = look_for_events(rows, settings, 0)",
                "for base in range(0, LANES if asked != 0 else 0, WIDTH):",
                "    if (asked >> base) & VECTOR != 0:",
                "        find_events(rows, settings, base)",
                "        for lane in range(base, base + WIDTH):",
            ]
            copies = [
                self._copy(layout, number, event) for number, event in enumerate(self._events)
            ]
            lines += [f"            {line}" for copied in copies for line in copied]
        signature = "@inlined\ndef keep_events(rows, settings, sample, events, event_counts):\n"
        return signature + textwrap.indent("\n".join(lines), "    ")

    def _copy(self, layout: BufferLayout, number: int, event: SavedEvent) -> list[str]:
        width = self._problem.event_width(event)
        lines = []
        for k in range(self._most(event)):
            first = layout.place(self._found(number, event, k)[0])
            count, row = f"event_counts[{number}, sample[lane]]", f"sample[lane] * {event.most}"
            lines += [
                f"if rows[{first} + lane] < INFINITY:",
                f"    if {count} < {event.most}:",
                f"        for i in range({width}):",
                f"            kept = rows[{first} + i * LANES + lane]",
                f"            events[{number}][{row} + {count}, i] = kept",
                f"    {count} = {count} + 1",
            ]
        return lines
