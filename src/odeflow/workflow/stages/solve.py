"""The stage of solving: one chunk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.ensemble.chunk_file import FOLDER, read_chunk, write_chunk
from odeflow.ensemble.known_rows import completed, known_rows
from odeflow.files.ahead import ahead
from odeflow.files.netcdf import DamagedFileError

if TYPE_CHECKING:  # JAX is imported by the stage that solves
    from odeflow.engines.choice import Resources
    from odeflow.problem.problem import Progress


def solve_chunk(
    config: Config,
    study: Path,
    start: int,
    stop: int,
    path: Path,
    resources: Resources,
    progress: Progress | None = None,
) -> int:
    """Solves samples start..stop and writes them with a digest of their content.

    The name of the folder, a digest of what decides the numbers, is recorded too: a chunk copied
    from another folder is known by it. Rows that a neighbour in the folder holds are taken from
    there.

    Arguments:
        config: the experiment.
        study: the folder that its tables and model files are relative to.
        start: number of the first sample, from 0.
        stop: number after the last one.
        path: the file to write, NetCDF.
        resources: cores, and the folder for compiled code.
        progress: called with the number of trajectories done.

    Returns:
        How many trajectories were solved and not taken from a neighbour.

    Raises:
        ConfigError: the model does not load, or the engine asked for cannot run it.
    """
    from odeflow.ensemble.solve import configure_jax, solve_slabs

    configure_jax(resources)
    whole, solved = _with_known_rows(config, study, start, stop, path, resources, progress)
    if whole is None:
        slabs = ahead(solve_slabs(config, study, start, stop, resources, progress))
    else:
        slabs = iter([whole])
    named = (slab.assign_attrs({FOLDER: path.parent.name}) for slab in slabs)
    write_chunk(named, stop - start, path)
    return solved


def _with_known_rows(
    config: Config,
    study: Path,
    start: int,
    stop: int,
    path: Path,
    resources: Resources,
    progress: Progress | None,
) -> tuple[xr.Dataset | None, int]:
    """The chunk of rows that were solved before and of the others, and how many those are.

    None where none was, so that all have to be solved.
    """
    from odeflow.design import rows
    from odeflow.ensemble.solve import solve_axes

    size = stop - start
    columns = rows(config.design, start, stop, study)
    known = known_rows(config, columns, path)
    if known is None:
        return None, size
    missing = np.setdiff1d(np.arange(size), known.places)
    print(f"{size - len(missing)} of {size} rows are in {', '.join(map(str, known.files))}: kept")
    solved = None
    if len(missing):
        wanted = {name: values[missing] for name, values in columns.items()}
        after = progress and (lambda done: progress(size - len(missing) + done))
        solved = solve_axes(config, study, wanted, 0, resources, after, at_start=False)
    whole = completed(known, solved, start, size)
    if whole is None:
        print("they were not solved as the others are now: all are solved")
        return None, size
    return whole, len(missing)


def keep_chunk(path: Path, start: int, stop: int, newer_than: Sequence[Path] = ()) -> bool:
    """Whether the chunk of samples start..stop is in place and whole: there is nothing to solve.

    Its folder's name says all that decides its numbers.

    Arguments:
        path: the file of the chunk.
        start: number of its first sample, from 0.
        stop: number after its last one.
        newer_than: where one of these files is newer than the chunk, its date is made new, since
            Snakemake wants results to be newer than what they are made of.

    Returns:
        Whether it may stay.
    """
    samples: list[int] = []
    try:
        for slab in read_chunk(path):
            if slab.attrs.get(FOLDER) != path.parent.name:
                return False
            samples += slab["sample"].values.tolist()
    except (FileNotFoundError, DamagedFileError):
        return False
    if samples != list(range(start, stop)):
        return False
    if any(file.stat().st_mtime_ns > path.stat().st_mtime_ns for file in newer_than):
        path.touch()
    print(f"{path} is there and whole: kept")
    return True
