"""The values that the ranges of a repeated task have, iteration by iteration."""

from collections.abc import Callable

import numpy as np

from odeflow.config.levels import MOST_LEVELS
from odeflow.files.xml_tree import Element
from odeflow.importers.sedml.document import (
    SedmlFile,
    given,
    identifier_of,
    listed,
    named,
    number_given,
)
from odeflow.importers.sedml.formulas import number


def ranges_of(
    file: SedmlFile, task: Element, value: Callable[[Element], float]
) -> dict[str, list[float]]:
    """The values of each range, as many as the main range of a repeated task has.

    `value` is that of a variable that a functional range reads. Raises ConfigError.
    """
    ranges = listed(task, "listOfRanges")
    main = identifier_of(named(file, ranges, given(file, task, "range"), "range", task))
    found: dict[str, list[float]] = {}
    waiting: list[Element] = []  # for the range that they are computed of
    for one in ranges:
        if one.name == "functionalRange":
            waiting.append(one)
        elif one.name == "vectorRange":
            found[identifier_of(one)] = _listed_values(file, one)
        elif one.name == "uniformRange":
            found[identifier_of(one)] = _uniform(file, one)
        else:
            what = f"{one.name} is not supported; give the values in a vectorRange"
            raise file.mistake(what, one)
    while waiting:
        one = next((x for x in waiting if x.attributes.get("range", main) in found), None)
        if one is None:
            what = f"a functionalRange needs a range of {identifier_of(task)!r} to compute with"
            raise file.mistake(what, waiting[0])
        waiting.remove(one)
        rows = range(len(found[one.attributes.get("range", main)]))
        known = [{x: v[i] for x, v in found.items() if i < len(v)} for i in rows]
        found[identifier_of(one)] = [number(file, one, row, value) for row in known]
    length = len(found[main])
    for one in ranges:
        values = found[identifier_of(one)]
        if len(values) < length or not values:
            what = f"the range {identifier_of(one)!r} has {len(values)} values"
            raise file.mistake(f"{what}, {main!r} has {length}; give as many", one)
    return {name: values[:length] for name, values in found.items()}


def _listed_values(file: SedmlFile, one: Element) -> list[float]:
    try:
        return [float(x.text) for x in one.children if x.name == "value"]
    except ValueError:
        what = f"the range {identifier_of(one)!r} has a value that is no number"
        raise file.mistake(what, one) from None


def _uniform(file: SedmlFile, one: Element) -> list[float]:
    """From start to end in equal steps, or in equal ratios."""
    start, end = number_given(file, one, "start"), number_given(file, one, "end")
    steps = round(number_given(file, one, "numberOfSteps", "numberOfPoints"))
    kind, where = one.attributes.get("type", "linear"), f"the range {identifier_of(one)!r}"
    if not 0 <= steps < MOST_LEVELS:
        raise file.mistake(f"{where} has {steps} steps; 0 to {MOST_LEVELS - 1:,} can be", one)
    if kind not in ("linear", "log"):
        raise file.mistake(f"{where} is of type {kind}; linear or log is needed", one)
    if kind == "log" and not (start > 0 and end > 0):
        raise file.mistake(f"{where} is of type log; both ends have to be above 0", one)
    space = np.geomspace if kind == "log" else np.linspace
    return [float(x) for x in space(start, end, steps + 1)]
