"""The search in a ring of rows that each lane fills for itself, by halving, as a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from odeflow.engines.native.targets.lane_loops import Sum, loop
from odeflow.engines.native.targets.lane_values import LaneValue
from odeflow.engines.native.targets.primitives import floor, select

if TYPE_CHECKING:
    from odeflow.engines.native.targets.lane_rows import Rows


def ring_search(rows: Rows, group: str, size: int, count: LaneValue, upto: Any) -> LaneValue:
    """The number of the last item that is not greater, of items that increase.

    `size` is a power of 2, and `count` the number of items so far, of which a ring has the last
    ones. Where all of these are greater it is the first of them; negative where there is none.
    """
    writer, builder = count.writer, rows.builder
    found, half = Sum(count - float(size)), Sum(count * 0.0 + float(size))
    for _ in loop(builder, 0, size.bit_length() - 1):
        half.set(half.value * 0.5)
        further = found.value + half.value
        starts = rows.gathered(group, further - size * floor(further * (1.0 / size)))
        passed = (further < 0.0) | (starts <= writer.lanes(upto, writer.real))
        found.set(select(passed, further, found.value))
    return found.value
