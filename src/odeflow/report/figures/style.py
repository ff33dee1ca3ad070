"""The common look: sizes, colours that colour-blind readers tell apart, labels, saving."""

import io
import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import matplotlib as mpl
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odeflow.files.netcdf import atomic_path
from odeflow.report.captions import MESSAGE
from odeflow.report.figures.look import widths
from odeflow.report.figures.math_text import escape_what_is_no_math, wrapped
from odeflow.report.units import with_units

#: Okabe and Ito (2008), Color Universal Design.
BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE, BLACK, YELLOW = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#F0E442",
)  # fmt: skip
GREY = "#7f7f7f"

#: Fixed, so that the same figure is the same bytes.
_SAVE_STYLE: Any = {"svg.hashsalt": "odeflow", "svg.fonttype": "none", "pdf.fonttype": 42}
_METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}

_NO_LAYOUT: Any = {"figure.autolayout": False, "figure.constrained_layout.use": False}
_DESCRIBED = ("svg", "png")

#: Inches: the height of one row of panels, and how it grows where there is one row only.
_ROW, _ONE_ROW = 2.1, 2.5
#: Of a label.
_MOST_LINES = 4
#: Colour and kind of line of the first group, the second and so on: also told apart in grey.
LINES = (
    (BLUE, "-"), (VERMILION, "--"), (GREEN, "-."), (PURPLE, ":"), (ORANGE, (0, (5, 1, 1, 1, 1, 1))),
    (SKY, (0, (8, 2))), (BLACK, (0, (1, 2))),
)  # fmt: skip


def panels(
    count: int, columns: int = 3, square: bool = False, share_x: bool = False
) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels in rows of at most `columns`, and its axes in order.

    One panel is as wide as a column, several are as wide as a page.
    """
    column, page = widths()
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    width = min(page, column * columns)
    height = rows * (width / columns * 0.85 if square else _ONE_ROW if rows == 1 else _ROW)
    figure = Figure(figsize=(width, height))
    grid = figure.subplots(rows, columns, squeeze=False, sharex=share_x).ravel()
    for unused in grid[count:]:
        unused.remove()
    return figure, list(grid[:count])


def label(array: xr.DataArray, width: int = 30) -> str:
    """Axis label of a variable: its long name and units, on as many lines as a panel needs."""
    text = with_units(array)
    if "long_name" in array.attrs:  # a name of the user's stays as it is
        text = text[:1].upper() + text[1:]
    return shortened(wrapped(text, width))


def shortened(text: str) -> str:
    """The first lines of a label and its last, which has the units; more would fill the panel."""
    lines = text.split("\n")
    if len(lines) <= _MOST_LINES:
        return text
    return "\n".join([*lines[: _MOST_LINES - 2], "\N{HORIZONTAL ELLIPSIS}", lines[-1]])


def message(text: str) -> Figure:
    """A figure that says why there is nothing to draw; a page leaves it out."""
    figure = Figure(figsize=(3.4, 1.2), label=MESSAGE)
    figure.text(0.5, 0.5, text, ha="center", va="center", color=GREY, wrap=True)
    return figure


def cut_to_shares(ax: Axes) -> None:
    """Leaves out of the horizontal axis what no part of a whole can be, but for some error."""
    low, high = ax.get_xlim()
    ax.set_xlim(max(low, -0.25), min(high, 1.25))


def lay_out(figure: Figure, dpi: int) -> None:
    """Gives the parts of a figure their places for good, the same in all formats.

    Matplotlib would look for them again for each, which takes half as long as the drawing.
    """
    escape_what_is_no_math(figure)
    if (engine := figure.get_layout_engine()) is not None:
        figure.set_dpi(dpi)
        if figure.axes:
            with suppress(ValueError):  # as Matplotlib does: there is no room for all of it
                engine.execute(figure)
        with mpl.rc_context(_NO_LAYOUT):
            figure.set_layout_engine(None)  # "none" would stand for one, and be drawn for


def save(figure: Figure, path: Path, dpi: int) -> None:
    """Writes the figure under its final name at once; the suffix is the format."""
    kind = path.suffix[1:]
    metadata = dict(_METADATA[kind])
    if figure.get_label() == MESSAGE and kind in _DESCRIBED:
        metadata["Description"] = MESSAGE
    escape_what_is_no_math(figure)
    with mpl.rc_context(_SAVE_STYLE), atomic_path(path) as temporary:
        figure.savefig(temporary, format=kind, dpi=dpi, metadata=metadata)


def image_bytes(figure: Figure, kind: str, dpi: int) -> bytes:
    """The figure as the content of a file, `svg`, `png` or `pdf`."""
    content = io.BytesIO()
    escape_what_is_no_math(figure)
    with mpl.rc_context(_SAVE_STYLE):
        figure.savefig(content, format=kind, dpi=dpi, metadata=_METADATA[kind])
    return content.getvalue()


def svg_text(figure: Figure) -> str:
    """The figure as an element of an HTML page."""
    text = image_bytes(figure, "svg", 72).decode()
    return text[text.index("<svg") :]
