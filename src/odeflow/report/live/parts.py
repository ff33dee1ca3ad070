"""The trajectories of a selection in groups that have a colour each."""

from typing import NamedTuple

import numpy as np

from odeflow.design import CONDITION
from odeflow.report.live.selection import Selection
from odeflow.report.live.stored import SomeRows, Stored

#: Groups that can be told apart.
MOST_GROUPS = 7


class Part(NamedTuple):
    """SomeRows of a group, with its name."""

    name: str
    rows: SomeRows


def parts(stored: Stored, selection: Selection, most: int) -> list[Part]:
    """The rows of a selection in groups: of a coordinate, else of the conditions, else one.

    Arguments:
        stored: the experiment.
        selection: what is chosen.
        most: rows of all groups together, at most.
    """
    rows = stored.rows(selection, most)
    group = selection.group
    if group is None and selection.condition is None and 1 < len(stored.conditions) <= MOST_GROUPS:
        group = CONDITION
    if group is None:
        return [Part("", rows)]
    numbers = (
        stored.ensemble[CONDITION].values[rows.numbers]
        if group == CONDITION
        else stored.axis_values(group, rows.numbers)
    )
    levels = np.unique(numbers)[:MOST_GROUPS]
    words = stored.level_words(group, list(levels))
    share = rows.total / max(len(rows.numbers), 1)
    found = []
    for word, level in zip(words, levels):
        own = rows.numbers[numbers == level]
        found.append(Part(word, SomeRows(own, round(len(own) * share))))
    return found
