"""What `ensemble_solve` returns: a pytree with the caller's own structure in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from diffrax import RESULTS
from jaxtyping import Array, Float, Int8

from odeflow.problem.status import ADVICE, Status, has_failed

if TYPE_CHECKING:
    import xarray as xr

#: Diffrax's name of each status.
_RESULTS = {
    Status.success: RESULTS.successful,
    Status.max_steps_reached: RESULTS.max_steps_reached,
    Status.dt_min_reached: RESULTS.dt_min_reached,
    Status.non_finite: RESULTS.internal_error,
    Status.nonlinear_solve_failed: RESULTS.nonlinear_divergence,
    Status.stopped_by_event: RESULTS.event_occurred,
    Status.events_failed: RESULTS.internal_error,
    Status.suspect: RESULTS.internal_error,
    Status.history_full: RESULTS.internal_error,
}


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False, repr=False)  # made faster than an Equinox module
class EnsembleSolution:
    """Trajectories, lanes first: NumPy arrays, or JAX arrays inside of its transformations.

    `ts` are the times of `ys`, `(lane, time)`, and `ys` has the structure of `y0`, or what
    `SaveAt(fn=...)` gives, with `(lane, time, ...)` in front. Where a trajectory ended before a
    time, `ys` are NaN there. `stats` counts steps as Diffrax does, `status` is an
    `odeflow.Status`, `time_reached` where each ended. Where all trajectories share everything
    there is one, without the axis `lane`. `engine` is `native` or `diffrax`, and `reason` says why
    where it is not the native one.
    """

    ts: Float[Array | np.ndarray, "..."]
    ys: Any
    stats: dict[str, Any]
    status: Int8[Array | np.ndarray, "..."]
    time_reached: Float[Array | np.ndarray, "..."]
    event_mask: Any
    engine: str = field(metadata={"static": True})
    reason: str = field(metadata={"static": True})

    def __repr__(self) -> str:
        return eqx.tree_pformat(self)

    @property
    def result(self) -> Any:
        """What became of each trajectory, as `diffrax.RESULTS`.

        `status` says more: what is not a number, and what is suspect, has no name there.
        """
        table = np.array([int(np.asarray(_RESULTS[status]._value)) for status in Status], np.int32)
        known = table[self.status] if isinstance(self.status, np.ndarray) else None
        value = jnp.asarray(table)[self.status] if known is None else known
        item: Any = type(RESULTS.successful)
        return item(value, RESULTS)

    def to_xarray(
        self,
        *,
        coords: Mapping[str, Any] | None = None,
        units: Mapping[str, str] | None = None,
        long_names: Mapping[str, str] | None = None,
        time_units: str = "1",
    ) -> "xr.Dataset":
        """The trajectories as a labelled dataset over `sample` and `time`.

        A leaf of `ys` is a variable: `y` where it is the only one, else it is named by its place,
        `a_b` for `ys["a"]["b"]`, with `y_` in front of numbers.

        Arguments:
            coords: what differs between samples, such as parameters: name to values `(sample,)`.
            units: units by variable or coordinate.
            long_names: descriptions by variable or coordinate.
            time_units: units of time.

        Returns:
            A dataset with the values, `status` with CF flags, and the counts of steps.

        Raises:
            ValueError: a name is not that of a variable, or two leaves have the same.
        """
        from odeflow.api.labels import dataset

        return dataset(
            self.ts,
            self.ys,
            {"status": self.status, "time_reached": self.time_reached, **self.stats},
            self.engine,
            self.reason,
            coords=coords or {},
            units=units or {},
            long_names=long_names or {},
            time_units=time_units,
        )


def failure(status: np.ndarray) -> str | None:
    """What to say where trajectories failed, in one line; None where none has."""
    if not np.count_nonzero(status):  # all of them reached t1
        return None
    failed = np.flatnonzero(has_failed(status))
    if not failed.size:
        return None
    first = int(failed[0])
    name = Status(int(np.ravel(status)[first]))
    return (
        f"{failed.size} of {status.size} trajectories failed, the first of them number {first}: "
        f"{name.name}, {ADVICE[name]}; throw=False returns what there is, with `status`"
    )
