"""The stages: paths and a config in, files out. None of them knows of Snakemake."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from odeflow.assemble import assemble_to_file
from odeflow.chunk_file import read_chunk, write_chunk
from odeflow.config.root import Config
from odeflow.design import axis_coordinate, axis_names, design_to_file
from odeflow.failures import write_failures
from odeflow.netcdf import (
    DamagedFileError,
    atomic_path,
    damaged,
    lazily_readable,
    read_dataset,
    write_dataset,
)
from odeflow.overview import overview_page
from odeflow.summary import summarise_to_file
from odeflow.trust import complaints, verification_facts
from odeflow.zarr_store import open_store

if TYPE_CHECKING:  # JAX is imported by the stage that solves
    from odeflow.engine import Progress, Resources
    from odeflow.likelihood import Measurements


#: The attribute of a chunk that names the folder it was solved for.
_FOLDER = "solve_digest"


def write_design(config: Config, study: Path, path: Path) -> None:
    """Writes the design: dimension `sample`, one variable an axis, with units."""
    design_to_file(config, study, path)


def check_model(config: Config, study: Path, path: Path) -> None:
    """Loads and traces the model as solving does, and writes what it is made of, as text.

    A mistake in it is found here once, and not by every chunk. Raises ConfigError.
    """
    from odeflow.engine import Resources
    from odeflow.solve import configure_jax, load_problem

    configure_jax(Resources())
    solved, problem, _, chosen = load_problem(config, study, axis_names(config.design, study))
    facts = {
        "model": solved.model.name,
        "equations": solved.model.origin,
        "states": ", ".join(component.name for component in problem.model.components),
        "parameters": ", ".join(solved.model.parameters),
        "observables": ", ".join(problem.model.observable_names),
        "engine": " ".join(filter(None, [chosen.name, chosen.reason and f"({chosen.reason})"])),
    }
    with atomic_path(path) as temporary:
        temporary.write_text("".join(f"{key}: {value}\n" for key, value in facts.items()))


def solve_chunk(
    config: Config,
    study: Path,
    start: int,
    stop: int,
    path: Path,
    resources: Resources,
    progress: Progress | None = None,
) -> None:
    """Solves samples start..stop and writes them with a digest of their content.

    The name of the folder, a digest of what decides the numbers, is recorded too: a chunk copied
    from another folder is known by it.
    """
    from odeflow.solve import configure_jax, solve_slabs

    configure_jax(resources)
    slabs = solve_slabs(config, study, start, stop, resources, progress)
    named = (slab.assign_attrs({_FOLDER: path.parent.name}) for slab in slabs)
    write_chunk(named, stop - start, path)


def keep_chunk(path: Path, start: int, stop: int, newer_than: Sequence[Path] = ()) -> bool:
    """Whether the chunk of samples start..stop is in place and whole: there is nothing to solve.

    Its folder's name says all that decides its numbers. Where a file in `newer_than` is newer, its
    date is made new, since Snakemake wants results to be newer than what they are made of.
    """
    samples: list[int] = []
    try:
        for slab in read_chunk(path):
            if slab.attrs.get(_FOLDER) != path.parent.name:
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
    if slab.attrs.get(_FOLDER) != file.parent.name:
        made = slab.attrs.get(_FOLDER, "an earlier version")
        raise damaged(file, f"solved with other settings or versions (those of {made})")
    here = design.isel(sample=slice(start, start + slab.sizes["sample"]))
    names = [axis_coordinate(name, config.model) for name in json.loads(design.attrs["axes"])]
    if not all(np.array_equal(here[n].values, slab[n].values) for n in ["sample", *names]):
        raise damaged(file, f"its samples are not rows {start} and on of the design")


def summarise(config: Config, study: Path, ensemble: Path, path: Path) -> None:
    """Writes metrics of every trajectory, quantiles and the likelihood of measurements."""
    with open_ensemble(ensemble) as dataset:
        summarise_to_file(dataset, config.summary, path, measurements_of(config, study))


def measurements_of(config: Config, study: Path) -> Measurements | None:
    """The measurements that the trajectories are compared with, if there are any."""
    if config.design.petab is None:
        return None
    from odeflow.petab.data import read_measurements  # which imports libsbml

    return read_measurements(config, study)


def verify(config: Config, study: Path, ensemble: Path, path: Path) -> None:
    """Solves a random part of the trajectories again and writes their errors, with the verdict."""
    from odeflow.verification import verify as verification_dataset

    with open_ensemble(ensemble) as dataset:
        verification = verification_dataset(config, study, dataset)
    write_dataset(verification, path)
    facts = verification_facts(verification)
    print("\n".join(f"{name}: {value}" for name, value in facts))


def plot(
    config: Config,
    ensemble: Path,
    summary: Path,
    files: Sequence[Path],
    verification: Path | None = None,
) -> None:
    """Draws the figures; a file's name is its kind, its suffix the format."""
    from odeflow import plots

    with open_ensemble(ensemble) as solved, open_ensemble(summary) as metrics:
        drawn: dict[str, Any] = {}
        for file in files:
            if file.stem == "verification" and verification is not None:
                drawn.setdefault(file.stem, plots.draw_verification(read_dataset(verification)))
            elif file.stem not in drawn:
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


def overview(
    config: Config,
    ensemble: Path,
    failures: Path,
    path: Path,
    verdict: Path,
    verification: Path | None = None,
) -> None:
    """Writes the page of outcomes, failures, config and versions, and the verdict on the run."""
    verified = None if verification is None else read_dataset(verification)
    with (
        open_ensemble(ensemble) as dataset,
        failures.open(encoding="utf-8", newline="") as file,
    ):
        page = overview_page(config, dataset, csv.DictReader(file), verified)
        speaking_against = complaints(config, dataset, verified, str(failures))
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    with atomic_path(verdict) as temporary:
        temporary.write_text(json.dumps({"complaints": speaking_against}, indent=1) + "\n")


def compare(
    configs: Sequence[Config], ensembles: Sequence[Path], summaries: Sequence[Path], path: Path
) -> None:
    """Writes the page that compares experiments; the first is what the others are compared with."""
    from odeflow.comparison import comparison_page
    from odeflow.differences import Solved

    with ExitStack() as stack, atomic_path(path) as temporary:
        opened = [
            [stack.enter_context(open_ensemble(file)) for file in files]
            for files in zip(ensembles, summaries)
        ]
        solved = [Solved(config, *files) for config, files in zip(configs, opened)]
        temporary.write_text(comparison_page(solved), encoding="utf-8")


@contextmanager
def open_ensemble(path: Path) -> Iterator[xr.Dataset]:
    """A result file or store, read lazily; times stay numbers, whatever their units say.

    Raises DamagedFileError naming the file where it cannot be read, in the block too.
    """
    if path.suffix == ".zarr":
        with open_store(path) as dataset:
            yield dataset
        return
    with (
        lazily_readable(path),
        xr.open_dataset(path, engine="netcdf4", decode_times=False) as dataset,
    ):
        yield dataset
