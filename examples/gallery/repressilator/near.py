"""The repressilator

Where a ring of three genes oscillates, over the ratio of the decay rates and the strength of
the promoters: the map of figure 1b. The line is the paper's own analysis of stability (box 1),
the colours are solved.
"""

import importlib.util
from pathlib import Path

import numpy as np
import xarray as xr

LIMIT = 0.05


def near(results):
    """The share of the map in which the solution and the paper's formula disagree."""
    summary = xr.open_dataset(results / "summary.nc", decode_times=False)
    spec = importlib.util.spec_from_file_location("figures", Path(__file__).with_name("figures.py"))
    figures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(figures)
    amplitude, mean = (
        summary[f"p_laci_{word}"].transpose("alpha", "beta").values
        for word in ("amplitude", "mean")
    )
    alpha, beta = np.meshgrid(summary.alpha, summary.beta, indexing="ij")
    wrong = (amplitude > 0.02 * mean) != figures.unstable(alpha, beta)
    share = float(wrong.mean())
    return share, (
        f"the formula says for {1 - share:.1%} of {wrong.size:,} pairs of parameters whether they "
        "oscillate; the others lie at the line, where oscillations die out slowly"
    )
