"""The stages: paths and a config in, files out. None of them knows of Snakemake."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from odeflow.assemble import assemble_to_file
from odeflow.chunk_file import read_chunk, write_chunk
from odeflow.config.root import Config
from odeflow.design import axis_coordinate, design_to_file
from odeflow.failures import check_failed_fraction, write_failures
from odeflow.netcdf import DamagedFileError, atomic_path
from odeflow.overview import overview_page
from odeflow.summary import summarise_to_file

if TYPE_CHECKING:  # JAX is imported by the stage that solves
    from odeflow.engine import Progress, Resources


def write_design(config: Config, study: Path, path: Path) -> None:
    """Writes the design: dimension `sample`, one variable an axis, with units."""
    design_to_file(config, study, path)


def solve_chunk(
    config: Config,
    study: Path,
    start: int,
    stop: int,
    path: Path,
    resources: Resources,
    progress: Progress | None = None,
) -> None:
    """Solves samples start..stop and writes them with a digest of their content."""
    from odeflow.solve import configure_jax, solve_slabs

    configure_jax(resources)
    slabs = solve_slabs(config, study, start, stop, resources, progress)
    write_chunk(slabs, stop - start, path)


def assemble(config: Config, design: Path, chunks: Sequence[Path], path: Path) -> None:
    """Puts the chunks together to one labelled ensemble, holding one slab of samples in memory.

    Raises DamagedFileError naming a chunk that is damaged or is not of this design.
    """
    with open_ensemble(design) as rows:

        def verified() -> Iterator[xr.Dataset]:
            for file in chunks:
                for slab in read_chunk(file):
                    _check_rows(config, rows, slab, file)
                    yield slab

        assemble_to_file(config, rows.sizes["sample"], verified(), path)


def _check_rows(config: Config, design: xr.Dataset, slab: xr.Dataset, file: Path) -> None:
    start = int(slab["sample"][0])
    here = design.isel(sample=slice(start, start + slab.sizes["sample"]))
    for name in json.loads(design.attrs["axes"]):
        coordinate = axis_coordinate(name, config.model)
        if not np.array_equal(here[coordinate].values, slab[coordinate].values):
            raise DamagedFileError(
                f"{file}: its samples are not rows {start} and on of the design; "
                "delete the file and run again"
            )


def summarise(config: Config, ensemble: Path, path: Path) -> None:
    """Writes metrics of every trajectory and quantiles over the ensemble."""
    with open_ensemble(ensemble) as dataset:
        summarise_to_file(dataset, config.summary, path)


def plot(config: Config, ensemble: Path, summary: Path, files: Sequence[Path]) -> None:
    """Draws the figures; a file's name is its kind, its suffix the format."""
    from odeflow import plots

    with open_ensemble(ensemble) as solved, open_ensemble(summary) as metrics:
        drawn: dict[str, Any] = {}
        for file in files:
            if file.stem not in drawn:
                drawn[file.stem] = plots.draw(file.stem, solved, metrics, config)
            plots.save(drawn[file.stem], file, dpi=config.plot.dpi)


def diagnose(config: Config, ensemble: Path, path: Path) -> None:
    """Writes the table of failed trajectories, a diagnosis each."""
    with (
        open_ensemble(ensemble) as dataset,
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        write_failures(config, dataset, file)


def overview(config: Config, ensemble: Path, failures: Path, path: Path) -> None:
    """Writes the page of outcomes, failures, config and versions."""
    with (
        open_ensemble(ensemble) as dataset,
        failures.open(encoding="utf-8", newline="") as file,
        atomic_path(path) as temporary,
    ):
        page = overview_page(config, dataset, csv.DictReader(file))
        temporary.write_text(page, encoding="utf-8")


def check_failures(config: Config, ensemble: Path, failures: Path, path: Path) -> None:
    """Writes how many trajectories failed; raises ConfigError where `runtime.max_failed` forbids.

    `failures` is the table that lists them.
    """
    with open_ensemble(ensemble) as dataset, atomic_path(path) as temporary:
        line = check_failed_fraction(config, dataset, str(failures))
        temporary.write_text(line + "\n", encoding="utf-8")


@contextmanager
def open_ensemble(path: Path) -> Iterator[xr.Dataset]:
    """A result file, read lazily; times stay numbers, whatever their units say."""
    with xr.open_dataset(path, engine="netcdf4", decode_times=False) as dataset:
        yield dataset
