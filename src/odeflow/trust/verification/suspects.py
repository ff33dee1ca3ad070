"""Which trajectories are verified, in which order: the worst suspects first, then random ones."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from odeflow.problem.status import Status
from odeflow.trust.facts import drifts

#: Of those that are verified, the part that each reason to suspect may choose.
_PART = 8
#: Variables whose extremes are looked at: each is read once.
_MOST_VARIABLES = 8


def suspects(ensemble: xr.Dataset, number: int, seed: int) -> list[int]:
    """Rows of the design to verify, in the order in which to do it: `number` of them, or all.

    Of the trajectories that ended as they should: those nearest to failing (a later attempt, most
    steps), those with most rejected steps, the largest drift of an invariant, extremes of metrics
    and end values, an eighth each; then random ones.
    """
    status = ensemble["status"].values.ravel()
    possible = np.isin(status, [Status.success, Status.stopped_by_event])
    chosen: dict[int, None] = {}
    each = max(number // _PART, 1)
    if number:
        for values in _reasons(ensemble):
            order = np.argsort(-np.where(np.isnan(values), -np.inf, values), kind="stable")
            worst = [int(i) for i in order if possible[i] and i not in chosen][:each]
            chosen |= dict.fromkeys(worst)
            if len(chosen) >= number // 2:
                break
    rest = np.setdiff1d(np.flatnonzero(possible), list(chosen))
    more = min(number - len(chosen), len(rest))
    if more > 0:
        drawn = np.random.default_rng(seed).choice(rest, more, replace=False)
        chosen |= dict.fromkeys(map(int, np.sort(drawn)))
    return list(chosen)[:number]


def _reasons(ensemble: xr.Dataset) -> Iterator[np.ndarray]:
    """Of each reason to suspect a number for each row; the largest are the most suspect."""
    flat = lambda name: ensemble[name].values.astype(float).ravel()
    steps = flat("num_steps")
    if "attempt" in ensemble:
        steps = steps + flat("attempt") * (steps.max(initial=0.0) + 1)
    yield steps
    yield flat("num_rejected_steps") / np.maximum(flat("num_steps"), 1)
    for values in drifts(ensemble).values():
        yield values
    dims = ensemble["status"].dims
    names = [n for n, v in ensemble.data_vars.items() if set(dims) <= set(v.dims)]
    metrics = [n for n in names if ensemble[n].dtype.kind == "f" and n != "time_reached"]
    for name in metrics[:_MOST_VARIABLES]:
        variable = ensemble[name]
        if "time" in variable.dims:
            variable = variable.isel(time=-1)
        rest = [dim for dim in variable.dims if dim not in dims]
        if rest:
            variable = variable.isel(dict.fromkeys(rest, 0))
        values = variable.transpose(*dims).values.ravel().astype(float)
        known = values[np.isfinite(values)]
        if known.size and known.min() < known.max():
            yield values
            yield -values
