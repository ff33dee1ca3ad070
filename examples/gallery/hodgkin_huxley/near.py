"""Hodgkin and Huxley's f-I curve

How often the squid's giant axon fires under a steady current: not at all, and then at once 50
times a second.
"""

import numpy as np
import xarray as xr
from scipy.integrate import solve_ivp

#: The largest relative difference of a frequency.
LIMIT = 1e-6


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
    """Times of rises through 0 mV from 100 to 1,100 ms, by SciPy."""
    rise = lambda t, y, current: y[0]
    rise.direction = 1
    start = [-65, 0.0529, 0.5961, 0.3177]
    found = solve_ivp(
        axon, (0, 1100), start, "DOP853", rtol=1e-10, atol=1e-10, events=rise, args=(current,)
    )
    return found.t_events[0][found.t_events[0] > 100]


def near(results):
    """The largest difference from frequencies that SciPy's events give."""
    summary = xr.open_dataset(results / "summary.nc", decode_times=False)
    number, frequency = summary["v_crossings"], summary["v_crossing_frequency"]
    found = {float(current): spikes(float(current)) for current in number["i_ext"]}
    equal = sum(int(number.sel(i_ext=current)) == len(times) for current, times in found.items())
    differences = [
        abs(float(frequency.sel(i_ext=current)) * np.diff(times).mean() - 1)
        for current, times in found.items()
        if len(times) > 1
    ]
    error = max(differences) if equal == len(found) else np.inf
    onset = float(number["i_ext"][number > 10][0])
    return error, (
        f"SciPy's events count as many spikes at {equal} of {len(found)} currents, and their "
        f"frequencies differ by {error:.1e} at most; firing begins at {onset:.2f} uA/cm2"
    )
