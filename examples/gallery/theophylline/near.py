"""Theophylline in one subject

Ten concentrations in the blood after one dose, fitted by a compartment with absorption: bands
are what the prior and the posterior foretell. The data are of subject 1 of the NONMEM Users
Guide.
"""

from pathlib import Path

import numpy as np
import xarray as xr
from scipy.optimize import curve_fit

LIMIT = 1e-3


def bateman(t, ka, cl, v):
    """The closed solution for a dose of 320 mg."""
    ke = cl / v
    return 320 * ka / (v * (ka - ke)) * (np.exp(-ke * t) - np.exp(-ka * t))


def near(results):
    """The largest relative difference from SciPy's least squares of the closed solution."""
    rows = Path(__file__).with_name("theophylline.csv").read_text().splitlines()[3:]
    t, y = np.array([[float(x) for x in (row.split(",")[0], row.split(",")[2])] for row in rows]).T
    expected, _ = curve_fit(bateman, t, y, (1.8, 1.4, 29))
    found = xr.open_dataset(results / "estimates.nc", decode_times=False)["estimate"]
    pairs = [(float(found.sel(parameter=n)), x) for n, x in zip(("ka", "cl", "v"), expected)]
    error = max(abs(ours / theirs - 1) for ours, theirs in pairs)
    values = "ka {:.3f} per hour, clearance {:.3f} L/h, volume {:.2f} L".format(
        *(x for x, _ in pairs)
    )
    return error, (
        f"{values}: within {error:.1e} of SciPy's least squares with the closed solution"
    )
