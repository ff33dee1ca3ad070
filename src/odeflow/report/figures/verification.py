"""How far saved values are from an independent solution, in units of their tolerance."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from odeflow.report.figures.style import BLACK, BLUE, GREY, VERMILION, message, panels
from odeflow.trust.facts import worst_cases

_MOST_WORST = 10
#: Ratios below this are shown as this: they are zero, or rounding.
_SMALLEST = 1e-6


def verification(dataset: xr.Dataset) -> Figure:
    """Histogram of all ratios; the trajectories with the largest ones, by name."""
    ratios = [v.values.ravel() for n, v in dataset.items() if str(n).endswith("_error_ratio")
              and "time" in v.dims]  # fmt: skip
    values = np.concatenate([np.empty(0), *ratios])
    values = values[~np.isnan(values)]
    if not values.size:
        return message("No trajectory could be verified")
    known = dataset.attrs
    figure, (left, right) = panels(2)
    largest = values[np.isfinite(values)].max(initial=2.0)
    shown = np.clip(values, _SMALLEST, largest)
    bins = np.geomspace(_SMALLEST, largest * 1.5, 50)
    left.hist(shown, bins, color=BLUE)
    left.set(xscale="log", xlabel="Error over tolerance", ylabel="Saved values")
    marks = [
        (1.0, BLACK, "-", "tolerance"),
        (known["error_ratio_99th_percentile"], BLUE, "--", "99th percentile"),
        (known["max_error_ratio"], VERMILION, "-", "limit"),
    ]
    for at, colour, style, name in marks:
        if np.isfinite(at) and at > 0:
            left.axvline(at, color=colour, linestyle=style, linewidth=0.9, label=f"{name} {at:.3g}")
    left.margins(y=0.35)
    left.legend(loc="upper left", borderaxespad=0.0)
    rows, _ = worst_cases(dataset, _MOST_WORST)
    heights = [max(float(row[5]), _SMALLEST) for row in rows][::-1]
    names = [f"{row[0]}: {row[2]}, t = {row[3]}" for row in rows][::-1]
    right.barh(range(len(rows)), heights, color=GREY, height=0.7)
    right.set(xscale="log", xlabel="Largest error over tolerance", yticks=range(len(rows)))
    right.set_yticklabels(names)
    right.axvline(1.0, color=BLACK, linewidth=0.9)
    return figure
