"""The stage that fits some starts of an estimation."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.files.netcdf import DamagedFileError, read_dataset, write_dataset

if TYPE_CHECKING:  # JAX is imported by those who fit
    from odeflow.engines.choice import Resources

#: The attribute that names the folder that starts were made for.
FOLDER = "fit_digest"


def fit_starts(
    config: Config,
    study: Path,
    first: int,
    last: int,
    path: Path,
    resources: Resources,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Fits starts first..last and writes where each began and ended.

    Starts that another file of the folder has are taken from there, the same to the bit.

    Arguments:
        config: the experiment, with `analyse.estimate`.
        study: the folder that its files are relative to.
        first: number of the first start, from 0.
        last: number after the last one.
        path: the file to write, NetCDF.
        resources: cores, and the folder for compiled code.
        progress: called with the number of starts that have ended.

    Returns:
        How many starts were fitted, and not taken from another file.

    Raises:
        ConfigError: the model does not load, or derivatives along a parameter are not known.
    """
    known = _known(path, range(first, last))
    there = set() if known is None else {int(x) for x in known["start"].values}
    missing = [number for number in range(first, last) if number not in there]
    parts = [] if known is None else [known]
    if missing:
        from odeflow.analysis.estimation.estimates import fit_numbers, make_objective
        from odeflow.ensemble.solve import configure_jax

        configure_jax(resources)
        estimate = config.analyse.estimate
        assert estimate is not None
        objective = make_objective(config, study, resources)
        parts.append(fit_numbers(objective, missing, estimate, progress))
    whole = parts[0] if len(parts) == 1 else xr.concat(parts, "start", data_vars="minimal")
    whole = whole.sortby("start").assign_attrs({FOLDER: path.parent.name})
    write_dataset(whole, path)
    return len(missing)


def keep_starts(path: Path, first: int, last: int) -> bool:
    """Whether the file of starts first..last is in place and whole: there is nothing to do.

    Arguments:
        path: the file.
        first: number of its first start.
        last: number after its last one.

    Returns:
        Whether it may stay.
    """
    found = _read(path)
    if found is None or not np.array_equal(found["start"].values, np.arange(first, last)):
        return False
    print(f"{path} is there and whole: kept")
    return True


def _known(path: Path, wanted: range) -> xr.Dataset | None:
    """Starts among those wanted that other files of the folder have; None where none has."""
    rows: list[xr.Dataset] = []
    have: set[int] = set()
    for file in sorted(path.parent.glob("*.nc")):
        name = re.fullmatch(r"(\d+)-(\d+)\.nc", file.name)
        if name is None or int(name[1]) >= wanted.stop or int(name[2]) <= wanted.start:
            continue
        found = _read(file)
        if found is None:
            continue
        numbers = [int(x) for x in found["start"].values]
        places = [i for i, x in enumerate(numbers) if x in wanted and x not in have]
        if places:
            rows.append(found.isel(start=places))
            have |= {numbers[i] for i in places}
            print(f"{len(places)} starts are in {file}: kept")
    return xr.concat(rows, "start", data_vars="minimal") if rows else None


def _read(path: Path) -> xr.Dataset | None:
    """The starts of a file; None where it is not whole, or not of its folder."""
    try:
        found = read_dataset(path)
    except (FileNotFoundError, DamagedFileError):
        return None
    return found if found.attrs.get(FOLDER) == path.parent.name else None
