"""Hodgkin and Huxley's f-I curve

How often the squid's giant axon fires under a steady current: not at all, and then at once 50
times a second.
"""

import numpy as np
import xarray as xr
from scipy.integrate import solve_ivp

#: Hz: one spike within the second that is counted.
LIMIT = 1.5
CURRENTS = (5, 10, 20, 40)


def axon(t, y, current):
    """The paper's equations in the modern convention, written again."""
    v, m, h, n = y
    am = 0.1 * (v + 40) / -np.expm1(-(v + 40) / 10)
    an = 0.01 * (v + 55) / -np.expm1(-(v + 55) / 10)
    ah, bh = 0.07 * np.exp(-(v + 65) / 20), 1 / (1 + np.exp(-(v + 35) / 10))
    bm, bn = 4 * np.exp(-(v + 65) / 18), 0.125 * np.exp(-(v + 65) / 80)
    flow = 120 * m**3 * h * (v - 50) + 36 * n**4 * (v + 77) + 0.3 * (v + 54.387)
    return [current - flow, am * (1 - m) - bm * m, ah * (1 - h) - bh * h, an * (1 - n) - bn * n]


def spikes(current):
    """Rises through 0 mV from 100 to 1,100 ms, by SciPy."""
    rise = lambda t, y, current: y[0]
    rise.direction = 1
    start = [-65, 0.0529, 0.5961, 0.3177]
    found = solve_ivp(
        axon, (0, 1100), start, "LSODA", rtol=1e-8, atol=1e-8, events=rise, args=(current,)
    )
    return int((found.t_events[0] > 100).sum())


def near(results):
    """The largest difference from spikes that SciPy counts, and where firing begins."""
    rate = xr.open_dataset(results / "summary.nc", decode_times=False)["rate_final"]
    error = max(abs(float(rate.sel(i_ext=current)) - spikes(current)) for current in CURRENTS)
    onset = float(rate["i_ext"][rate > 10][0])
    return error, (
        f"at {', '.join(map(str, CURRENTS))} uA/cm2 the rate is within {error:.2f} Hz of what "
        f"the paper's "
        f"equations give in SciPy; firing begins at {onset:.2f} uA/cm2"
    )
