"""The trajectories that failed: a table with one diagnosis each, in bounded memory."""

import csv
from collections.abc import Iterator
from io import TextIOBase
from typing import Any

import numpy as np
import xarray as xr

from odeflow.config.ladder import ladder
from odeflow.config.root import Config
from odeflow.config.small_states import start_sizes
from odeflow.design import END, has_own_ends
from odeflow.ensemble.labels import design_axes
from odeflow.files.slabs import hyperslabs
from odeflow.problem.status import Status, has_failed
from odeflow.trust.diagnosis import FailedTrajectory, diagnose

#: Trajectories in memory at a time.
_SLAB = 2**16
_OUTCOMES = ("status", "attempt", "time_reached", "num_steps", "num_rejected_steps")
#: Columns after `sample` and the axes.
COLUMNS = ("status", "attempt", "method", "time_reached", "num_steps", "reject_ratio")


def failures(config: Config, ensemble: xr.Dataset) -> Iterator[dict[str, Any]]:
    """A row for each trajectory that failed, in the order of the design.

    `sample` is the row of the design; then the axes by their coordinates, `COLUMNS` of the attempt
    that is kept, the `cause` in a few words and one line of `advice`.
    """
    attempts = ladder(config)
    tried = frozenset(attempt.solver.method for attempt in attempts)
    axes = design_axes(ensemble)
    own_ends = has_own_ends(config, axes)
    for sample, one in _failed(ensemble, axes):
        attempt = attempts[one["attempt"]]
        outcome = FailedTrajectory(
            Status(one["status"]),
            config.model.t0,
            one[END] if own_ends else config.model.t1,
            one["time_reached"],
            one["num_steps"],
            one["num_rejected_steps"],
            attempt.solver,
            tried,
            start_sizes(config, one),
        )
        diagnosis = diagnose(outcome)
        yield {
            "sample": sample,
            **{name: one[name] for name in axes},
            "status": outcome.status.name,
            "attempt": one["attempt"],
            "method": attempt.solver.method,
            "time_reached": outcome.time_reached,
            "num_steps": outcome.num_steps,
            "reject_ratio": round(outcome.reject_ratio, 6),
            "cause": diagnosis.cause,
            "advice": diagnosis.advice,
        }


def _failed(ensemble: xr.Dataset, axes: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Sample number, outcomes and axis values of what failed."""
    status = ensemble["status"]
    for start in range(0, status.size, _SLAB):
        stop = min(start + _SLAB, status.size)
        for index, first, _ in hyperslabs(start, stop, status.shape):
            slab = ensemble[[*_OUTCOMES]].isel(dict(zip(status.dims, index)))
            failed = np.flatnonzero(has_failed(slab["status"].values))
            if not len(failed):
                continue
            columns = {name: slab[name].values.ravel()[failed].tolist() for name in _OUTCOMES}
            for name in axes:
                values = slab[name].broadcast_like(slab["status"]).transpose(*status.dims)
                columns[name] = values.values.ravel()[failed].tolist()
            for sample, *row in zip((first + failed).tolist(), *columns.values()):
                yield sample, dict(zip(columns, row))


def write_failures(config: Config, ensemble: xr.Dataset, file: TextIOBase) -> None:
    """Writes the failures as CSV; the header alone where there are none."""
    columns = ["sample", *design_axes(ensemble), *COLUMNS, "cause", "advice"]
    table = csv.DictWriter(file, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(failures(config, ensemble))


def failed_fraction(config: Config, ensemble: xr.Dataset, table: str) -> str | None:
    """One line where more trajectories failed than `runtime.max_failed` allows.

    `table` is the file that lists them.
    """
    allowed = config.runtime.max_failed
    status = ensemble["status"].values
    failed = int(has_failed(status).sum())
    if allowed is None or failed <= allowed * status.size:
        return None
    return (
        f"{failed:,} of {status.size:,} trajectories failed ({failed / status.size:.3g}), more "
        f"than runtime.max_failed {allowed:g}; {table} says why and what to do"
    )
