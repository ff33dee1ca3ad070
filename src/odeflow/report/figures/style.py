"""The common look: sizes, colours that colour-blind readers tell apart, labels, saving."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from odeflow.files.netcdf import atomic_path
from odeflow.report.figures.math_text import escape_what_is_no_math, wrapped

#: Okabe and Ito (2008), Color Universal Design.
BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE, BLACK, YELLOW = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#F0E442",
)  # fmt: skip
GREY = "#7f7f7f"

STYLE: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.2,
    "image.cmap": "viridis",
    "figure.constrained_layout.use": True,
}
#: Fixed, so that the same figure is the same bytes.
_SAVE_STYLE: Any = {"svg.hashsalt": "odeflow", "svg.fonttype": "path", "pdf.fonttype": 42}
_METADATA = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}

#: Inches: a journal's full width, and the height of one row of panels.
_WIDTH, _ROW = 6.9, 2.1


def panels(
    count: int, columns: int = 3, square: bool = False, share_x: bool = False
) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels in rows of at most `columns`, and its axes in order."""
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    width = min(_WIDTH, 3.4 * columns)
    height = rows * (width / columns * 0.85 if square else max(_ROW, 2.5 if rows == 1 else 0))
    figure = Figure(figsize=(width, height))
    grid = figure.subplots(rows, columns, squeeze=False, sharex=share_x).ravel()
    for unused in grid[count:]:
        unused.remove()
    return figure, list(grid[:count])


def label(array: xr.DataArray) -> str:
    """Axis label of a variable: its long name and units, on as many lines as a panel needs."""
    words = str(array.attrs.get("long_name", array.name))
    units = array.attrs.get("units", "1")
    text = words if units in ("1", "") else f"{words} ({units})"
    return wrapped(text[:1].upper() + text[1:], 30)


def message(text: str) -> Figure:
    """A figure that says why there is nothing to draw."""
    figure = Figure(figsize=(3.4, 1.2))
    figure.text(0.5, 0.5, text, ha="center", va="center", color=GREY, wrap=True)
    return figure


def spans_decades(values: Any, decades: float = 3.0) -> bool:
    """Whether positive values range over so many decades that a logarithmic axis shows more."""
    low, high = float(values.min()), float(values.max())
    return low > 0 and high / low > 10**decades


def round_log_ticks(axis: Axis) -> None:
    """Labels 1, 2 and 5 of each decade of a logarithmic axis that has few, and nothing between."""
    low, high = axis.get_view_interval()
    if low > 0 and high / low < 10**2.5:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def cut_to_shares(ax: Axes) -> None:
    """Leaves out of the horizontal axis what no part of a whole can be, but for some error."""
    low, high = ax.get_xlim()
    ax.set_xlim(max(low, -0.25), min(high, 1.25))


def is_geometric(levels: Sequence[float]) -> bool:
    """Whether increasing levels are spaced more evenly on a logarithmic axis."""
    if len(levels) < 4 or levels[0] <= 0:
        return False
    ratio, step = levels[-1] / levels[0], levels[-1] - levels[0]
    middle = levels[len(levels) // 2]
    in_log = math.log(middle / levels[0]) / math.log(ratio)
    return ratio > 20 and abs(in_log - 0.5) < abs((middle - levels[0]) / step - 0.5)


def save(figure: Figure, path: Path, dpi: int) -> None:
    """Writes the figure under its final name at once; the suffix is the format."""
    kind = path.suffix[1:]
    escape_what_is_no_math(figure)
    with mpl.rc_context(_SAVE_STYLE), atomic_path(path) as temporary:
        figure.savefig(temporary, format=kind, dpi=dpi, metadata=_METADATA[kind])


def svg_text(figure: Figure) -> str:
    """The figure as an element of an HTML page."""
    text = io.StringIO()
    escape_what_is_no_math(figure)
    with mpl.rc_context(_SAVE_STYLE):
        figure.savefig(text, format="svg", metadata=_METADATA["svg"])
    return text.getvalue()[text.getvalue().index("<svg") :]
