"""A picture as numbers and words, whoever draws it: Bokeh on the page, Matplotlib for a paper."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

#: What a line is of: one of many stored ones, their median, the stored one that is nearest to what
#: is set, or what was just solved.
Role = Literal["stored", "median", "nearest", "solved"]


class PictureAxis(NamedTuple):
    """An axis of a picture; on a logarithmic one nothing is drawn below the floor."""

    label: str
    log: bool = False
    floor: float = 0.0

    def shown(self, values: np.ndarray) -> np.ndarray:
        """Values as they are drawn: none below the floor of a logarithmic axis."""
        if not self.log:
            return values
        with np.errstate(invalid="ignore"):
            return np.where(values < self.floor, np.nan, values)


class Line(NamedTuple):
    """A line; `number` is that of its group, which has a colour."""

    role: Role
    x: np.ndarray
    y: np.ndarray
    name: str = ""
    number: int = 0


class Band(NamedTuple):
    """An area between two lines."""

    x: np.ndarray
    low: np.ndarray
    high: np.ndarray
    name: str
    number: int = 0


class Points(NamedTuple):
    """Points, coloured by a value where there is one, else by the number of their group."""

    role: Role
    x: np.ndarray
    y: np.ndarray
    value: np.ndarray | None = None
    name: str = ""
    number: int = 0


class CellMap(NamedTuple):
    """Values over two axes by their levels, (y, x), which both increase."""

    x: np.ndarray
    y: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Picture:
    """What is stored in one panel; what is solved is drawn over it.

    `colour` is the axis of what cells and points are coloured by, `note` says what was left out.
    """

    key: str
    x: PictureAxis
    y: PictureAxis
    bands: list[Band] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    points: list[Points] = field(default_factory=list)
    cells: CellMap | None = None
    colour: PictureAxis | None = None
    title: str = ""
    note: str = ""


class Marks(NamedTuple):
    """What is solved, in one panel."""

    lines: list[Line]
    points: list[Points]
    cells: CellMap | None = None


def edges(levels: np.ndarray, log: bool) -> np.ndarray:
    """Where the cells of increasing levels begin and end, one number more than there are levels."""
    known = np.log(levels) if log else levels.astype(float)
    if len(known) == 1:
        half = np.log(1.1) if log else abs(known[0]) * 0.05 or 0.5
        ends = np.array([known[0] - half, known[0] + half])
    else:
        middle = (known[1:] + known[:-1]) / 2
        first, last = 2 * known[0] - middle[0], 2 * known[-1] - middle[-1]
        ends = np.concatenate([[first], middle, [last]])
    return np.exp(ends) if log else ends
