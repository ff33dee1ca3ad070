"""Robertson's reaction

Three substances over twelve decades of time: the classic of stiff problems, solved up to the
time at which the test set of Mazzia and Magherini (2008, problem ROBER) has its reference
values.
"""

import xarray as xr

LIMIT = 1e-6
#: At 10^11 s.
PUBLISHED = {"a": 0.2083340149701255e-07, "b": 0.8333360770334713e-13, "c": 0.9999999791665050}


def near(results):
    """The largest relative difference from the reference values."""
    ensemble = xr.open_dataset(results / "ensemble.nc", decode_times=False)
    end = ensemble.sel(k1=0.04).isel(time=-1)
    error = max(abs(float(end[name]) / value - 1) for name, value in PUBLISHED.items())
    return error, (
        f"at 10^11 s the three shares differ by at most {error:.1e} of their value from the "
        "reference, 2.083340149701255e-08, 8.333360770334713e-14 and 0.9999999791665050"
    )
