"""Van der Pol's relaxation oscillations

The period over four decades of damping, against its limit for strong damping, (3 - 2 ln 2) mu,
and the next term, 7.014 mu^(-1/3), of Dorodnitsyn, A. A. (1947). Asymptotic solution of van der
Pol's equation. Prikladnaya Matematika i Mekhanika 11, 313-328.
"""

import numpy as np
import xarray as xr

LIMIT = 1e-4


def near(results):
    """The relative difference of the period at the strongest damping."""
    first = xr.open_dataset(results / "summary.nc", decode_times=False)["x_first_time_below"]
    last = xr.open_dataset(results / "ensemble.nc", decode_times=False)["time_reached"]
    period, mu = 2 * float(last[-1] - first[-1]), float(last["mu"][-1])
    expected = (3 - 2 * np.log(2)) * mu + 7.014 * mu ** (-1 / 3)
    error = abs(period / expected - 1)
    return error, (
        f"at mu = {mu:,.0f} the period is {period:,.3f}, and {expected:,.3f} by the two "
        f"terms: {error:.1e} apart"
    )
