"""The Gray-Scott reaction in a square with closed walls, as `benchmarks.large_problems` has others.

Reference: J. E. Pearson (1993), "Complex patterns in a simple system", Science 261, 189-192.
"""

from typing import Any

import jax.numpy as jnp
import numba
import numpy as np

from benchmarks.large_problems import Large

DIFFUSION_U, DIFFUSION_V, FEED, KILL = 0.16, 0.08, 0.035, 0.065


def gray_scott(states: int) -> Large:
    """A square of that many states in all, two a place; the rate of all varies."""
    m = round((states // 2) ** 0.5)

    def spread(x: Any) -> Any:
        wide = jnp.pad(x.reshape(m, m), 1, mode="edge")
        around = wide[2:, 1:-1] + wide[:-2, 1:-1] + wide[1:-1, 2:] + wide[1:-1, :-2]
        return (around - 4.0 * wide[1:-1, 1:-1]).ravel()

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        made = y.u * y.v * y.v
        du = DIFFUSION_U * spread(y.u) - made + FEED * (1.0 - y.u)
        dv = DIFFUSION_V * spread(y.v) + made - (FEED + KILL) * y.v
        return {"u": args.rate * du, "v": args.rate * dv}

    @numba.njit
    def write(t, y, dy, p):
        for i in range(m):
            for j in range(m):
                k = 2 * (i * m + j)
                u, v = y[k], y[k + 1]
                up, down = 2 * (max(i - 1, 0) * m + j), 2 * (min(i + 1, m - 1) * m + j)
                left, right = 2 * (i * m + max(j - 1, 0)), 2 * (i * m + min(j + 1, m - 1))
                made = u * v * v
                spread_u = y[up] + y[down] + y[left] + y[right] - 4.0 * u
                spread_v = y[up + 1] + y[down + 1] + y[left + 1] + y[right + 1] - 4.0 * v
                dy[k] = p[0] * (DIFFUSION_U * spread_u - made + FEED * (1.0 - u))
                dy[k + 1] = p[0] * (DIFFUSION_V * spread_v + made - (FEED + KILL) * v)

    x = np.linspace(-1, 1, m)
    spot = np.exp(-8 * (x[:, None] ** 2 + (x - 0.2) ** 2)).ravel()
    start = {"u": 1.0 - 0.5 * spot, "v": 0.25 * spot}
    place = np.arange(states).reshape(2, m * m).T.ravel()
    return Large(start, field, 100.0, write, band=2 * m, place=place)
