"""Experiments to explore, in memory: without files, workflow or browser."""

import warnings
from pathlib import Path

import xarray as xr

import odeflow
from odeflow.analysis.summary import summarise
from odeflow.config.root import Config
from odeflow.ensemble.at_once import AtOnce
from odeflow.files.netcdf import write_dataset
from odeflow.report.live.stored import Stored

#: Two axes, and one that has few levels.
GRID = ("design.axes={vmax: {linspace: [8, 12, 5]}, km: {values: [4, 5, 6]}}", "saveat.ts=[0,2,5]")
#: One sample of three axes under each of three conditions.
CONDITIONS = (
    "experiment=pk_population",
    "design=sobol",
    "design.size=32",
    "design.axes={ka: {loguniform: [0.3, 3]}, v: {uniform: [30, 70]}}",
    "design.conditions={healthy: {cl: 5}, mild: {cl: 2.5}, severe: {cl: 1}}",
    "saveat.ts={linspace: [0, 48, 25]}",
    "plot.metric=null",
)
#: An array state.
ROD = (
    "~experiment",
    "model=heat_equation",
    "design=grid",
    "solver=rodas5p",
    "design.axes={diffusivity: {geomspace: [1e-5, 1e-3, 4]}}",
    "saveat.ts={linspace: [0, 3600, 13]}",
)
#: Doses whose times are axes.
DOSES = ("experiment=pk_multiple_dose", "design.size=4")


def stored(*overrides: str) -> Stored:
    """An experiment that was solved and summarised."""
    config = odeflow.compose(*overrides)
    ensemble = odeflow.run(config)
    return Stored(config, ensemble, summarise(ensemble, config.summary))


def solver(config: Config, ensemble: xr.Dataset) -> AtOnce:
    """What solves more of it."""
    known = Stored(config, ensemble, None)
    return AtOnce(config, Path(), tuple(map(known.axis_name, known.axes)))


def write_results(config: Config, zarr: bool = False) -> Path:
    """The results folder of an experiment in its study, without the workflow."""
    folder = config.study / "results" / config.name
    folder.mkdir(parents=True)
    ensemble = odeflow.run(config)
    write_dataset(summarise(ensemble, config.summary), folder / "summary.nc")
    if zarr:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Consolidated metadata")
            ensemble.to_zarr(folder / "ensemble.zarr", zarr_format=3, consolidated=True)
    else:
        write_dataset(ensemble, folder / "ensemble.nc")
    return folder
