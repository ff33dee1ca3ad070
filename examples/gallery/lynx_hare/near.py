"""Lynx and hares

Twenty-one years of furs that the Hudson Bay Company bought, fitted by Lotka and Volterra's
equations with the priors of Carpenter's case study of Stan; bands are what prior and posterior
foretell.
"""

import xarray as xr

LIMIT = 0.05
#: Means of the case study's posterior.
PUBLISHED = {"alpha": 0.545, "beta": 0.028, "gamma": 0.803, "delta": 0.024}


def near(results):
    """The largest relative difference of a posterior's mean."""
    estimates = xr.open_dataset(results / "estimates.nc", decode_times=False)
    means = estimates["posterior"].mean(["chain", "draw"])
    found = {name: float(means.sel(parameter=name)) for name in PUBLISHED}
    error = max(abs(found[name] / value - 1) for name, value in PUBLISHED.items())
    ours, theirs = (", ".join(f"{x:.3f}" for x in row.values()) for row in (found, PUBLISHED))
    return error, (
        f"posterior means of alpha, beta, gamma and delta are {ours}; published are {theirs}"
    )
