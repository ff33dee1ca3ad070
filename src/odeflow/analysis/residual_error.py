"""What would be measured of simulated values: with a residual error, drawn from a seed."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from jaxtyping import Float

from odeflow.config.summary import ResidualErrorConfig
from odeflow.design.streams import open_unit, stream
from odeflow.problem.names import at_record_name, with_error_name


def with_residual_error(
    values: Float[np.ndarray, "sample time *shape"],
    error: ResidualErrorConfig,
    variable: str,
    start: int,
) -> Float[np.ndarray, "sample time *shape"]:
    """Values with a normal error, independent of each other.

    The error of a value depends on the seed, the variable, its sample and its time alone, so that
    more samples keep those of the first.

    Arguments:
        values: the simulated ones of consecutive samples.
        error: how large it is: its variance is additive^2 + (proportional value)^2.
        variable: what they are of.
        start: number of the first sample.

    Returns:
        The values with their errors, NaN where a value is.
    """
    from scipy.special import ndtri

    places = int(np.prod(values.shape[1:]))
    words = stream(
        f"residual error {variable} {error.seed}", start * places, (start + len(values)) * places
    )
    normal = ndtri(open_unit(words)).reshape(values.shape)
    deviation = np.hypot(error.additive, error.proportional * values)
    return np.asarray(values + deviation * normal, float)


def errors_at_records(
    ensemble: xr.Dataset, errors: Mapping[str, ResidualErrorConfig]
) -> dict[str, xr.Variable]:
    """What would be measured at the records of a data set, where the ensemble has one.

    Arguments:
        ensemble: the trajectories.
        errors: by variable, the error.

    Returns:
        By name `<variable>_at_record_with_error(record)`.
    """
    found = {}
    for name, error in errors.items():
        simulated = ensemble.get(at_record_name(name))
        if simulated is not None:
            values = simulated.values.astype(float)[:, None]
            measured = with_residual_error(values, error, str(simulated.name), 0)[:, 0]
            attributes = measured_array(simulated).attrs
            found[with_error_name(str(simulated.name))] = xr.Variable(
                simulated.dims, measured, attributes
            )
    return found


def measured_array(simulated: xr.DataArray) -> xr.DataArray:
    """A variable that is to be measured, as it is called then; its values are the simulated ones.

    Arguments:
        simulated: the variable.

    Returns:
        The same with another `long_name`.
    """
    words = simulated.attrs.get("long_name", simulated.name)
    return simulated.assign_attrs(long_name=f"{words} with residual error")
