"""The times at which trajectories are saved."""

from odeflow.config.levels import expand
from odeflow.config.root import Config
from odeflow.problem.records import apart_of


def save_times(config: Config) -> list[float]:
    """The times to save, as numbers; only t1 where `saveat.ts` is null."""
    ts = config.saveat.ts
    if ts is None:
        return [config.model.t1]
    times = [float(t) for t in (ts if isinstance(ts, list) else expand(ts, "saveat.ts"))]
    # A last time that misses t1 by rounding (10**log10(t1), say) means t1.
    t0, t1 = config.model.t0, config.model.t1
    rounding = 4 * 2.0**-52
    if times and abs(times[-1] - t1) <= rounding * max(abs(t0), abs(t1)):
        times[-1] = t1
    if times and abs(times[0] - t0) <= rounding * max(abs(t0), abs(times[0])):
        times[0] = t0
    return times


def saves_times(config: Config) -> bool:
    """Whether more than the end of trajectories is saved."""
    return config.saveat.ts is not None or config.records is not None


def solve_times(config: Config) -> list[float]:
    """The times at which trajectories are read while solving: those to save, and of all records."""
    times = set(save_times(config))
    if config.records is not None:
        apart = apart_of(config.model.t0, config.model.t1)
        for subject in config.records.of:
            times.update(config.records.observed(subject, apart))
    return sorted(times)
