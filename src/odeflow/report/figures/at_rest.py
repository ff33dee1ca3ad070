"""Where what was measured at rest is drawn: right of all times, under a word that says so."""

import numpy as np
from matplotlib.axes import Axes

from odeflow.report.figures.style import GREY

#: How far to the right, as a part of the span of the times.
_PART = 0.08


def placed(times: np.ndarray) -> np.ndarray:
    """Times as they are drawn: infinite ones a little after the last."""
    finite = times[np.isfinite(times)]
    if len(finite) == len(times):
        return times
    last = finite.max(initial=0.0)
    span = last - finite.min(initial=last) or 1.0
    return np.where(np.isfinite(times), times, last + _PART * span)


def mark_rest(ax: Axes, times: np.ndarray) -> None:
    """Marks the place of infinite times, if there are any."""
    if np.isfinite(times).all():
        return
    at = placed(times).max()
    ax.axvline(at, color=GREY, linewidth=0.5, linestyle=":", zorder=0)
    ax.annotate(
        "at rest", (at, 1.0), xycoords=("data", "axes fraction"), ha="right", va="bottom",
        color=GREY, fontsize="x-small",
    )  # fmt: skip
