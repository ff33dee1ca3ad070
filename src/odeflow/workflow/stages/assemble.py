"""The stage that makes one dataset of the solved chunks."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.design import rows
from odeflow.ensemble.assemble import assemble_to_file
from odeflow.ensemble.chunk_file import FOLDER, read_chunk, stored_totals
from odeflow.files.netcdf import damaged, lazily_readable
from odeflow.files.opening import open_ensemble
from odeflow.problem.axis_names import axis_coordinate


def assemble(config: Config, study: Path, design: Path, chunks: Sequence[Path], path: Path) -> None:
    """Puts the chunks together to one labelled ensemble, holding one slab of samples in memory.

    Arguments:
        config: the experiment.
        study: the folder that its tables and model files are relative to.
        design: `design.nc`, as `write_design` makes it.
        chunks: files of `solve_chunk`, which together have all samples, in order.
        path: the file to write, NetCDF, or Zarr where it ends so.

    Raises:
        DamagedFileError: a chunk is damaged, or does not fit the design: names the one of the two
            that is not what the config asks for.
    """
    with open_ensemble(design) as rows_there:

        def verified() -> Iterator[xr.Dataset]:
            start, source = 0, None
            for file in chunks:
                for slab in read_chunk(file):
                    with lazily_readable(design):
                        _check_rows(config, study, rows_there, slab, start, design, file)
                    start += slab.sizes["sample"]
                    known = slab.attrs["model_source"], slab.attrs["model_data"]
                    source = source or known
                    if known != source:
                        raise damaged(file, "the model's file was changed during the run")
                    yield slab

        totals = stored_totals(config.saveat.events, chunks)
        number = rows_there.sizes["sample"]
        assemble_to_file(config.in_study(study), number, verified(), path, totals)


def _check_rows(
    config: Config,
    study: Path,
    rows_there: xr.Dataset,
    slab: xr.Dataset,
    start: int,
    design: Path,
    file: Path,
) -> None:
    """Raises DamagedFileError where a slab is not of its folder, or not of rows `start` and on."""
    if slab.attrs.get(FOLDER) != file.parent.name:
        made = slab.attrs.get(FOLDER, "an earlier version")
        raise damaged(file, f"solved with other settings or versions (those of {made})")
    stop = start + slab.sizes["sample"]
    here = rows_there.isel(sample=slice(start, stop))
    columns = json.loads(rows_there.attrs["axes"])
    # what is at rest before its condition starts from something else than the design says
    at_rest = config.model.states if config.design.preequilibration else ()
    names = {name: axis_coordinate(name, config.model) for name in columns if name not in at_rest}
    if all(_same(here, slab, name) for name in ["sample", *names.values()]):
        return
    if np.array_equal(slab["sample"].values, np.arange(start, stop)):
        asked = rows(config.design, start, stop, study)
        if asked.keys() == {*columns} and all(
            np.array_equal(slab[name].values, asked[axis]) for axis, name in names.items()
        ):
            raise damaged(design, f"its rows from {start} on are not those that are asked for")
    raise damaged(file, f"its samples are not rows {start} and on of the design")


def _same(one: xr.Dataset, other: xr.Dataset, name: str) -> bool:
    return name in other.variables and np.array_equal(one[name].values, other[name].values)
