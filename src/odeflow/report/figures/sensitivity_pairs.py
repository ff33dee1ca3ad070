"""Second order indices as bars, with their intervals: what pairs of parameters do together."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.report.figures.math_text import wrapped
from odeflow.report.figures.style import BLUE, GREY, SKY, cut_to_shares, message, panels
from odeflow.report.sensitivity_outputs import parameter_names, shown_outputs

_MOST_OUTPUTS, _MOST_PAIRS = 6, 10
_TIMES = "\N{MULTIPLICATION SIGN}"


def sensitivity_pairs(indices: xr.Dataset, config: Config) -> Figure:
    """A panel an output, a bar a pair, the strongest on top; dark where the interval is above 0."""
    shown = [
        one
        for one in shown_outputs(indices, config, _MOST_OUTPUTS)
        if "second_order" in one.indices
    ]
    if not shown:
        return message("No second order indices: they need design.second_order: true.")
    names = parameter_names(indices, config)
    i, j = np.triu_indices(len(names), 1)
    figure, axes = panels(len(shown), columns=2)
    for output, ax in zip(shown, axes):
        values = output.indices["second_order"].transpose("parameter", "parameter_2").values[i, j]
        ends = output.indices["second_order_bounds"]
        ends = ends.transpose("bound", "parameter", "parameter_2").values[:, i, j]
        order = np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")[:_MOST_PAIRS][::-1]
        errors = np.nan_to_num(np.abs(ends - values))[:, order]
        sure = ends[0, order] > 0
        ax.barh(
            np.arange(len(order)),
            np.nan_to_num(values[order]),
            0.7,
            xerr=errors if errors.any() else None,
            color=[BLUE if one else SKY for one in sure],
            ecolor=GREY,
            error_kw={"linewidth": 0.8},
        )
        ax.set_yticks(
            range(len(order)), [f"{names[i[place]]} {_TIMES} {names[j[place]]}" for place in order]
        )
        ax.axvline(0, color=GREY, linewidth=0.6)
        cut_to_shares(ax)
        low, high = ax.get_xlim()  # what is nearly nothing should look so
        ax.set_xlim(min(low, -0.02), max(high, 0.1))
        ax.set_title(wrapped(output.title[:1].upper() + output.title[1:], 44))
        ax.set_xlabel("second order")
    return figure
