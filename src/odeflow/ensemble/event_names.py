"""Names and dimensions of what is kept at crossings, in a chunk and an ensemble. Without JAX."""

from collections.abc import Iterable

import xarray as xr

from odeflow.config.root import Config

#: Ends the dimension of a trajectory's crossings in a chunk; as no name of a model can.
SLOT = "-slot"


def count_name(event: str) -> str:
    """Name in the dataset of how many crossings of an event each trajectory has."""
    return f"{event}_count"


def missed_name(event: str) -> str:
    """Name in the dataset of how many further ones were not kept."""
    return f"{event}_not_kept"


def event_of(variable: xr.Variable) -> str | None:
    """The event at which a variable of a chunk was kept; None for any other variable."""
    if len(variable.dims) > 1 and str(variable.dims[1]).endswith(SLOT):
        return str(variable.dims[1]).removesuffix(SLOT)
    return None


def event_totals(config: Config, parts: Iterable[xr.Dataset]) -> dict[str, int]:
    """How many crossings of each event parts of an ensemble have together."""
    parts = list(parts)
    return {
        event: sum(int(part[count_name(event)].sum()) for part in parts)
        for event in config.saveat.events
    }


def event_dims(ensemble: xr.Dataset) -> list[str]:
    """The dimensions along which an ensemble has what was kept at events."""
    dims = {name: v.attrs.get("sample_dimension") for name, v in ensemble.data_vars.items()}
    # beside those of records of a data set
    return [str(dim) for name, dim in dims.items() if dim is not None and name == count_name(dim)]
