"""How figures look: one style, a journal's widths, a Matplotlib style sheet of the user's."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import matplotlib as mpl
import matplotlib.style

from odeflow.config.root import Config

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
    "axes.formatter.use_mathtext": True,
    "figure.constrained_layout.use": True,
}
_PER_INCH = 25.4
#: Widths of a column and of a page, in inches, while figures are drawn.
_widths: ContextVar[tuple[float, float]] = ContextVar("_widths", default=(3.4, 6.9))


def widths() -> tuple[float, float]:
    """Widths of a column and of a page, in inches: of a figure of one panel, and of several."""
    return _widths.get()


@contextmanager
def look(config: Config | None = None) -> Iterator[None]:
    """Has figures drawn in the common style, with what `plot.size` and `plot.style` ask for.

    Arguments:
        config: the experiment; None for the common style alone.
    """
    column, page = (3.4, 6.9) if config is None else config.plot.widths
    if config is not None:
        column, page = column / _PER_INCH, page / _PER_INCH
    style = None if config is None else config.plot.style
    if config is not None and style is not None and style.endswith(".mplstyle"):
        style = str(config.study / style)
    token = _widths.set((column, page))
    try:
        with mpl.rc_context(STYLE):
            if style is not None:
                matplotlib.style.use(style)
            # bounding boxes of labels are made room for, whatever the sheet says
            mpl.rcParams["figure.constrained_layout.use"] = True
            yield
    finally:
        _widths.reset(token)
