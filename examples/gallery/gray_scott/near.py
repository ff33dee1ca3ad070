"""Gray and Scott's patterns

Pearson's map: spots, stripes, waves and nothing at all, by how fast a dish is fed and how fast
its catalyst decays. Blue is a dish without V.
"""

import numpy as np
import xarray as xr

#: Relative.
LIMIT = 0.05
PLACES = ((2, 3), (2, 4), (3, 5), (5, 4))


def euler(feed, kill, steps):
    """The mean of V by Pearson's own scheme: forward Euler in steps of 1, on the same mesh."""
    row, column = np.meshgrid(np.arange(48), np.arange(48), indexing="ij")
    square = (abs(row - 23.5) < 6) & (abs(column - 23.5) < 6)
    seed = np.where(square, 1 + 0.01 * np.sin(row * column), 0.0)
    u, v = 1 - 0.5 * seed, 0.25 * seed
    for _ in range(steps):
        turned = u * v**2
        spread = [
            sum(np.roll(a, step, axis) for step in (-1, 1) for axis in (0, 1)) - 4 * a
            for a in (u, v)
        ]
        u = u + 2e-5 * (256 / 2.5) ** 2 * spread[0] - turned + feed * (1 - u)
        v = v + 1e-5 * (256 / 2.5) ** 2 * spread[1] + turned - (feed + kill) * v
    return float(v.mean())


def near(results):
    """The largest relative difference of the mean of V from what Pearson's scheme gives."""
    mean = xr.open_dataset(results / "summary.nc", decode_times=False)["covered_final"]
    errors = []
    for f, k in PLACES:
        one = mean.isel(feed=f, kill=k)
        theirs = euler(float(one.feed), float(one.kill), 6000)
        errors.append(abs(float(one) / theirs - 1))
    error = max(errors)
    return error, (
        f"at {len(PLACES)} places of the map the mean of V is within {error:.1%} of what "
        f"Pearson's own scheme "
        "gives, forward Euler in steps of 1"
    )
