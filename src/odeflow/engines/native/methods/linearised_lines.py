"""`engines.shared.linearised` as source: the error of a component that the field contradicts."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from odeflow.engines.native.methods.controller import total
from odeflow.engines.shared.linearised import MOST_AMISS, MOST_CURVED, ROUNDINGS


class Ends(NamedTuple):
    """By component: names of the state at the start, at the last stage and after the step, and
    expressions of the field at the first two.
    """

    y: Sequence[str]
    end: Sequence[str]
    y1: Sequence[str]
    value: Sequence[str]
    end_value: Sequence[str]


def contradiction_lines(
    i: int, ends: Ends, row: Mapping[int, str], drifts: bool, dtype: Any
) -> list[str]:
    """Defines `contradiction<i>`, the undamped error of component i, 0 where there is none.

    `row` are the entries of its row of the Jacobian by component; where the field `drifts` with
    time, `slope<i>` is by how much, times h.
    """
    y, end, y1 = ends.y[i], ends.end[i], ends.y1[i]
    noise = ROUNDINGS * float(np.finfo(dtype).eps)
    drift = [f"slope{i}"] if drifts else []
    lines = [f"first{i} = {ends.value[i]}", f"last{i} = {ends.end_value[i]}"]
    lines += [f"by{i}_{j} = ({x})*({ends.end[j]} - {ends.y[j]})" for j, x in row.items()]
    lines += [f"of{i}_{j} = abs(({x})*{ends.y[j]})" for j, x in row.items()]
    linear = [f"by{i}_{j}" for j in row] + drift
    sizes = [f"of{i}_{j}" for j in row]
    foretold = total([f"abs({x})" for x in linear] or ["0.0"])
    return [
        *lines,
        f"missed{i} = abs((last{i} - first{i}) - ({total(linear or ['0.0'])}))",
        f"noise{i} = {noise!r}*({total(sizes or ['0.0'])})",
        f"curved{i} = missed{i} > {MOST_CURVED!r}*({foretold}) + noise{i}",
        f"amiss{i} = abs(2.0*({end} - {y}) - h*(first{i} + last{i}))"
        f" > ({MOST_AMISS!r}*h)*(abs(first{i}) + abs(last{i}))",
        f"away{i} = ({y}*first{i} > 0.0) & ({end}*last{i} > 0.0)",
        f"other{i} = (({y} > 0.0) & (({end} < 0.0) | ({y1} < 0.0)))"
        f" | (({y} < 0.0) & (({end} > 0.0) | ({y1} > 0.0)))",
        f"undamped{i} = select(curved{i} & amiss{i}, h*missed{i}, 0.0)",
        f"contradiction{i} = select(away{i} & other{i}, INFINITY, undamped{i})",
    ]
