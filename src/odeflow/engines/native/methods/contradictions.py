"""`engines.shared.linearised` on values: the error of a component that the field contradicts."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from odeflow.engines.native.program.value import Value, select, total
from odeflow.engines.shared.linearised import MOST_AMISS, MOST_CURVED, ROUNDINGS


class Ends(NamedTuple):
    """By component: the state at the start, at the last stage and after the step, and the field at
    the first two.
    """

    y: Sequence[Value]
    end: Sequence[Value]
    y1: Sequence[Value]
    value: Sequence[Value]
    end_value: Sequence[Value]


def contradiction(
    i: int, ends: Ends, row: Mapping[int, Value], drift: Value | None, h: Value, dtype: Any
) -> Value:
    """The undamped error of component i, 0 where there is none.

    `row` are the entries of its row of the Jacobian by component; `drift` is by how much the field
    changes with time, times h, where it does.
    """
    y, end, y1 = ends.y[i], ends.end[i], ends.y1[i]
    first, last = ends.value[i], ends.end_value[i]
    noise = ROUNDINGS * float(np.finfo(dtype).eps)
    linear = [x * (ends.end[j] - ends.y[j]) for j, x in row.items()]
    linear += [] if drift is None else [drift]
    sizes = [abs(x * ends.y[j]) for j, x in row.items()]
    foretold = total([abs(x) for x in linear]) if linear else 0.0
    missed = abs((last - first) - total(linear)) if linear else abs(last - first)
    tolerated = noise * total(sizes) if sizes else 0.0
    curved = missed > MOST_CURVED * foretold + tolerated
    amiss = abs(2.0 * (end - y) - h * (first + last)) > (MOST_AMISS * h) * (abs(first) + abs(last))
    away = (y * first > 0.0) & (end * last > 0.0)
    falls = (y > 0.0) & ((end < 0.0) | (y1 < 0.0))
    rises = (y < 0.0) & ((end > 0.0) | (y1 > 0.0))
    undamped = select(curved & amiss, h * missed, 0.0)
    return select(away & (falls | rises), math.inf, undamped)
