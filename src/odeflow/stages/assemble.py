"""The stage that makes one dataset of the solved chunks."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from odeflow.assemble import assemble_to_file
from odeflow.chunk_file import FOLDER, read_chunk
from odeflow.config.root import Config
from odeflow.design import axis_coordinate
from odeflow.ensemble_file import open_ensemble
from odeflow.netcdf import damaged, lazily_readable


def assemble(config: Config, design: Path, chunks: Sequence[Path], path: Path) -> None:
    """Puts the chunks together to one labelled ensemble, holding one slab of samples in memory.

    Raises DamagedFileError naming a chunk that is damaged or is not of this design.
    """
    with open_ensemble(design) as rows:

        def verified() -> Iterator[xr.Dataset]:
            start, source = 0, None
            for file in chunks:
                for slab in read_chunk(file):
                    with lazily_readable(design):
                        _check_rows(config, rows, slab, start, file)
                    start += slab.sizes["sample"]
                    source = source or slab.attrs["model_source"]
                    if slab.attrs["model_source"] != source:
                        raise damaged(file, "the model's file was changed during the run")
                    yield slab

        assemble_to_file(config, rows.sizes["sample"], verified(), path)


def _check_rows(
    config: Config, design: xr.Dataset, slab: xr.Dataset, start: int, file: Path
) -> None:
    """Raises DamagedFileError where a slab is not of its folder, or not of rows `start` and on."""
    if slab.attrs.get(FOLDER) != file.parent.name:
        made = slab.attrs.get(FOLDER, "an earlier version")
        raise damaged(file, f"solved with other settings or versions (those of {made})")
    here = design.isel(sample=slice(start, start + slab.sizes["sample"]))
    names = [axis_coordinate(name, config.model) for name in json.loads(design.attrs["axes"])]
    if not all(np.array_equal(here[n].values, slab[n].values) for n in ["sample", *names]):
        raise damaged(file, f"its samples are not rows {start} and on of the design")
