"""Goldbeter's mitotic oscillator, from SBML

Cyclin, cdc2 kinase and a protease turn the cell cycle. The model is an SBML file; the map shows
at which rates of making and breaking cyclin the kinase goes up and down.
"""

import numpy as np
import xarray as xr
from scipy.integrate import solve_ivp

LIMIT = 1e-4


def cascade(t, y, vi, vd):
    """The three equations of the paper, written again."""
    c, m, x = y
    v1, v3 = 3 * c / (0.5 + c), m
    rate = lambda speed, share: speed * share / (0.005 + share)
    return [
        vi - vd * x * c / (0.02 + c) - 0.01 * c,
        rate(v1, 1 - m) - rate(1.5, m),
        rate(v3, 1 - x) - rate(0.5, x),
    ]


def near(results):
    """The largest difference from SciPy's solution of the paper's equations, on a cycle."""
    ensemble = xr.open_dataset(results / "ensemble.nc", decode_times=False)
    one = ensemble.sel(vi=0.025, vd=0.25, method="nearest")
    start, rates = [0.01, 0.01, 0.01], (float(one.vi), float(one.vd))
    found = solve_ivp(cascade, (0, 300), start, "LSODA", t_eval=one.time.values, rtol=1e-10,
                      atol=1e-12, args=rates)  # fmt: skip
    error = max(float(np.abs(one[n].values - y).max()) for n, y in zip("CMX", found.y))
    return error, (
        f"at the paper's rates the SBML model is within {error:.1e} of the paper's equations "
        f"in SciPy, of "
        "quantities that go up to 1, from 200 to 300 min"
    )
