"""Steps that may hold a new greatest or least value wait until there is a vector of them.

In a step few lanes need a search, each of another scalar. So these wait in a queue, rows whose
lanes are no trajectory's, and a vector of them is searched at once (`search_peaks`). Whatever waits
longer, the result is the same to the last bit: the greatest value, the first of equal ones, does
not depend on the order in which a search and the ends of later steps come; what is asked for is
checked after what waits for the same scalar is settled; and a lane that ends settles what it has.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from odeflow.engines.native.frontend.translate import translate
from odeflow.engines.native.program.lane_program import LaneBuilder, LaneProgram
from odeflow.engines.native.program.value import inlined
from odeflow.engines.native.targets.layout import BufferLayout
from odeflow.problem.step_curves import peak

#: Of each that waits: the lane; where the greatest value is kept, its time, and that it waits; the
#: sign that makes it the greatest; the step. Then the peak that was found, and when.
_ROWS = ("lane", "at", "time_at", "waits_at", "sign", "start", "length", "found", "time")


class PeakQueue:
    """The queue of steps, each of one scalar, as its values at the nodes of them."""

    def __init__(self, number_of_nodes: int, dtype: Any = np.float64):
        self._number_of_nodes, self._dtype = number_of_nodes, dtype

    def rows(self) -> list[str]:
        """All rows."""
        return ["queue_size", _row("no_time"), *map(_row, _ROWS), *self._values()]

    def _values(self) -> list[str]:
        return [_row(f"value{k}") for k in range(self._number_of_nodes)]

    def search(self) -> LaneProgram:
        """Finds the peak of each that waits."""
        b, values = LaneBuilder(self._dtype), self._values()

        def search(sign: Any, start: Any, length: Any, *values: Any) -> Any:
            highest, place = peak([sign * value for value in values])
            return [sign * highest, start + length * (0.5 + 0.5 * place)]

        given = ["sign", "start", "length"]
        program = translate(search, [*given, *values], self._dtype)
        rows = b.rows([*map(_row, given), *values])
        found = inlined(b, program, dict(zip(program.inputs, rows)))
        b.store_rows([_row("found"), _row("time")], found)
        return b.finished("search_peaks", "all", "The peaks of the steps that wait.")

    def source(self, layout: BufferLayout) -> list[str]:
        """`settle_peaks` takes up what is found of all that waits, `settle_lane` that of a lane."""
        of = {name: f"rows[{layout.place(_row(name))} + i]" for name in _ROWS}
        size = f"rows[{layout.place('queue_size')}]"
        settle = [
            "search_peaks(rows, settings, 0)",
            f"for i in range(int({size})):",
            f"    at = int({of['at']})",
            f"    time_at = int({of['time_at']})",
            f"    rows[int({of['waits_at']})] = 0.0",
            f"    found = {of['sign']} * {of['found']}",
            f"    kept = {of['sign']} * rows[at]",
            f"    time = {of['time']}",
            "    is_earlier = (found == kept) & (time < rows[time_at])",
            "    rows[time_at] = time if (found > kept) | is_earlier else rows[time_at]",
            f"    rows[at] = {of['found']} if found > kept else rows[at]",
            f"{size} = 0.0",
        ]
        settle_lane = [
            "waits = 0",
            f"for i in range(int({size})):",
            f"    if int({of['lane']}) == which:",
            "        waits = 1",
            "if waits != 0:",
            "    settle_peaks(rows, settings)",
        ]
        return [
            loop_function("settle_peaks(rows, settings)", settle),
            loop_function("settle_lane(rows, settings, which)", settle_lane),
        ]


def nowhere(layout: BufferLayout) -> str:
    """A place for the time of what has none."""
    return str(layout.place(_row("no_time")))


def queued(
    layout: BufferLayout, lane: str, places: Mapping[str, str], sign: int, values: Sequence[str]
) -> list[str]:
    """Statements of the loop that put a step into the queue.

    Arguments:
        layout: where rows lie.
        lane: the number of its lane.
        places: by the names of rows of the queue what goes there, as expressions.
        sign: 1 where the greatest value is looked for, -1 for the least.
        values: expressions of the values at the nodes.
    """
    size = f"rows[{layout.place('queue_size')}]"
    given = {"lane": lane, **places, "sign": str(float(sign))}
    given |= {f"value{k}": value for k, value in enumerate(values)}
    puts = [f"rows[{layout.place(_row(row))} + last] = {value}" for row, value in given.items()]
    return [
        f"last = int({size})",
        *puts,
        f"{size} = last + 1.0",
        "if last == LANES - 1:",
        "    settle_peaks(rows, settings)",
    ]


def _row(name: str) -> str:
    return f"queue_{name}"


def loop_function(signature: str, lines: Sequence[str]) -> str:
    """A function of the loop, which is written into its callers."""
    text = textwrap.indent("\n".join(lines), "    ")
    return f"@inlined\ndef {signature}:\n{text}"
