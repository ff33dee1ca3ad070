"""How to cite an experiment, and the commands to go on with."""

from typing import NamedTuple

import xarray as xr

from odeflow.config.root import Config


class Command(NamedTuple):
    """Something to type, and what it is for."""

    words: str
    command: str


def citations(config: Config, ensemble: xr.Dataset) -> list[str]:
    """What a paper that uses the results names: the study, the model, the software."""
    about = config.about
    found = []
    if about.creator:
        names = "; ".join(one.name for one in about.creator)
        license_ = f" License: {about.license}." if about.license else ""
        found.append(f"The study: {names}. {ensemble.attrs['title']}.{license_}")
    found.append(f"The model: {config.model.references or 'no reference is given'}")
    version = ensemble.attrs["odeflow_version"]
    found.append(
        f"The software: odeflow {version} (CITATION.cff of its repository), by method "
        f"{config.solver.method}; its reference is in docs/methods.md"
    )
    return found


def commands(config: Config) -> list[Command]:
    """The next commands, in the study's folder; the experiment's file is taken to have its name."""
    name = config.name
    folder = f"results/{name}"
    tighter = f"{config.solver.rtol / 100:g}"
    ask = f"snakemake --cores all --config experiment={name}"
    # a file of NetCDF is opened by its path, a store of Zarr by another function
    opened = "open_zarr" if config.assemble.format == "zarr" else "open_dataset"
    file = f"{folder}/{config.assemble.file}"
    return [
        Command(
            "Look at the numbers, in Python:",
            f"import xarray as xr\nds = xr.{opened}({file!r})\n"
            f"summary = xr.open_dataset('{folder}/summary.nc')",
        ),
        Command(
            "Change something and run it again; only what depends on it is made again:",
            f"{ask} solver__rtol={tighter}",
        ),
        Command("Set two experiments side by side:", f"{ask},OTHER compare={name},OTHER"),
        Command(
            "Say how the numbers were made, and whether they come out the same here:",
            f"odeflow reproduce {file} --check",
        ),
        Command("Put all of it into one file to hand on:", f"odeflow crate {folder} {name}_crate"),
        Command(
            "Make one report of all figures and pages:",
            f"snakemake --report report.html --config experiment={name}",
        ),
    ]
