"""Figures of shipped and odd studies, made from closed forms, to be checked and to be looked at.

`python -m tests.support.gallery FOLDER` writes them all, with a page to look at.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from odeflow.analysis.summary import summarise
from odeflow.config.root import Config
from odeflow.config.saved_times import save_times
from odeflow.design import CONDITION, grid_levels, rows
from odeflow.importers.study.compose import compose
from odeflow.problem.axis_names import axis_coordinate
from odeflow.problem.status import Status
from odeflow.report import figures as plots

GRID = [
    "experiment=quickstart",
    "design.axes.vmax.linspace=[8,12,9]",
    "design.axes.km.linspace=[4,6,7]",
]
LINE = [
    "~experiment",
    "+design.axes.vmax={linspace: [8, 12, 9]}",
    "saveat.ts={linspace: [0, 120, 61]}",
]
SAMPLES = [
    "~experiment", "design=sobol", "design.size=200", "+design.axes.vmax={loguniform: [0.2, 31]}",
    "+design.axes.km={uniform: [4, 6]}", "+design.axes.substrate={loguniform: [1e-7, 1e-6]}",
    "saveat.ts={geomspace: [0.01, 120, 40]}",
]  # fmt: skip
CONDITIONS = [
    "~experiment", "design=sobol", "design.size=20", "+design.axes.vmax={uniform: [8, 12]}",
    "+design.conditions={control: {km: 4}, inhibited: {km: 20}, twice_as_much_of_it: {km: 8}}",
    "saveat.ts={linspace: [0, 20, 41]}",
]  # fmt: skip
TWO = "plot.metric=[substrate_mean, enzyme_mean]"
FOUR = "+design.axes.enzyme={uniform: [0.1, 0.3]}"
MEAN, FINE = "plot.metric=substrate_mean", "solver.atol=1e-40"
MATHS = r"$\frac{d[S]}{dt}$ of $k_{cat}$"
THIRD = "+design.axes.substrate={linspace: [5, 10, 4]}"
LONG = "a name that goes on and on, as those of databases do, until nobody reads it to its end"


class Case(NamedTuple):
    """A figure of a made-up ensemble."""

    kind: str
    overrides: list[str]
    #: Values of the first variable: of times (time) and rates (sample, 1).
    course: Callable[[np.ndarray, np.ndarray], np.ndarray] = lambda t, k: np.exp(-k * t)
    failed: float = 0.0
    words: str = "substrate concentration"
    units: str = "mmol/L"
    axis: str = ""
    shape: tuple[int, ...] = ()


CASES = {
    "grid courses": Case("time_courses", GRID),
    "grid map": Case("heat_map", [*GRID, MEAN]),
    "grid scatter": Case("metric_scatter", [*GRID, "plot.figures=[metric_scatter]"]),
    "grid lines": Case(
        "metric_scatter", [*GRID, "plot.group=km", "plot.axes=[vmax, km]", MEAN]
    ),
    "grid groups": Case("time_courses", [*GRID, "plot.group=km"]),
    "grid effort": Case("solver_effort", GRID),
    "grid status": Case("status_map", GRID, failed=0.4),
    "grid portrait": Case("phase_portrait", GRID),
    "third axis": Case(
        "heat_map", [*GRID, THIRD, "plot.metric=enzyme_mean"]
    ),
    "line scatter": Case("metric_scatter", LINE),
    "line status": Case("status_map", LINE, failed=0.4),
    "line effort": Case("solver_effort", LINE),
    "samples courses": Case("time_courses", SAMPLES),
    "samples scatter": Case("metric_scatter", SAMPLES),
    "samples map": Case("heat_map", [*SAMPLES, "plot.figures=[heat_map]"]),
    "samples status": Case("status_map", SAMPLES, failed=0.2),
    "samples effort": Case("solver_effort", SAMPLES),
    "conditions": Case("time_courses", CONDITIONS),
    "conditions scatter": Case("metric_scatter", CONDITIONS),
    "long names": Case("time_courses", GRID, words=LONG, axis=LONG),
    "long names map": Case("heat_map", [*GRID, MEAN], words=LONG, axis=LONG),
    "long names scatter": Case("metric_scatter", SAMPLES, words=LONG, axis=LONG),
    "one sample": Case("time_courses", [*SAMPLES, "design.size=1"]),
    "one sample scatter": Case("metric_scatter", [*SAMPLES, "design.size=1"]),
    "all failed": Case("time_courses", GRID, failed=1.0),
    "all failed map": Case("heat_map", GRID, failed=1.0),
    "one time": Case("time_courses", [*GRID, "saveat.ts=[60]"]),
    "constant": Case("time_courses", GRID, course=lambda t, k: np.ones_like(k * t)),
    "constant map": Case(
        "heat_map", [*GRID, MEAN], course=lambda t, k: np.ones_like(k * t)
    ),
    "sixty decades": Case(
        "time_courses", [*GRID, FINE], course=lambda t, k: 10.0 ** (t - 60) / 2 + 0 * k
    ),
    "sixty decades map": Case(
        "heat_map", [*GRID, "plot.metric=substrate_max", FINE],
        course=lambda t, k: 10.0 ** (1000 * k - 50) + 0 * t,
    ),
    "tiny": Case("time_courses", [*GRID, FINE], course=lambda t, k: 3e-30 * (1 + k * t)),
    "huge": Case("metric_scatter", SAMPLES, course=lambda t, k: 3e30 * (1 + k * t)),
    "unicode": Case("time_courses", GRID, words="Konzentration α-Ketoglutarsäure", units="µmol/L",
                    axis="Дозировка"),
    "mathematics": Case("time_courses", GRID, words=MATHS, units=r"$\mu$g"),
    "symmetric log": Case("time_courses", [*GRID, "plot.scale=symlog"],
                          course=lambda t, k: np.cos(t) * np.exp(-k * t)),
    "space and time": Case("time_courses", [*GRID, "plot.variables=[substrate]"], shape=(20,),
                           course=lambda t, k: np.exp(-k * t)),
    "groups of places": Case("time_courses", [*GRID, "plot.variables=[substrate]"], shape=(4, 6),
                             course=lambda t, k: np.exp(-k * t)),
    "plane": Case("time_courses", [*LINE, "plot.variables=[substrate]"], shape=(13, 13),
                  course=lambda t, k: np.exp(-k * t)),
    "plane at log times": Case(
        "time_courses", [*SAMPLES, "design.size=9", "plot.variables=[substrate, enzyme]"],
        shape=(13, 14),
        course=lambda t, k: np.exp(-k * t),
    ),
    "two metrics map": Case("heat_map", [*GRID, TWO]),
    "two metrics scatter": Case("metric_scatter", [*SAMPLES, FOUR, TWO]),
    "two metrics line": Case("metric_scatter", [*LINE, TWO]),
    "metrics in two units line": Case("metric_scatter", [
        *LINE, "plot.metric=[substrate_min, substrate_max, enzyme_integral]",
    ]),
    "portrait of groups": Case("phase_portrait", [*GRID, "plot.group=km"]),
    "nature": Case("metric_scatter", [*SAMPLES, "plot.size=nature"]),
    "science": Case("time_courses", [*SAMPLES, "plot.size=science"]),
    "a style": Case("time_courses", [*GRID, "plot.style=ggplot"]),
    "dust": Case("time_courses", GRID, course=lambda t, k: np.exp(-k * 10 * t)),
}  # fmt: skip


def made(case: Case, study: Path) -> tuple[xr.Dataset, xr.Dataset, Config]:
    """An ensemble of a case, its summary and its config."""
    config = compose(*case.overrides, study=study)
    ensemble = _ensemble(case, config)
    return ensemble, summarise(ensemble, config.summary), config


def _ensemble(case: Case, config: Config) -> xr.Dataset:
    t = np.array(save_times(config))
    coords: dict[str, Any] = {"time": ("time", t, {"units": "min", "long_name": "time"})}
    design = config.design
    named = {"long_name": case.axis or "rate", "units": "1/min"}
    if design.kind == "grid":
        levels = {axis_coordinate(n, config.model): v for n, v in grid_levels(design).items()}
        dims, shape = tuple(levels), tuple(map(len, levels.values()))
        coords |= {n: (n, v, named) for n, v in levels.items()}
    else:
        assert design.size is not None
        runs = max(len(design.conditions), 1)
        dims, shape = ("sample",), (design.size * runs,)
        for name, values in rows(design, 0, shape[0], Path()).items():
            coords[axis_coordinate(name, config.model)] = ("sample", values, named)
        if design.conditions:
            flags = {"flag_values": np.arange(runs), "flag_meanings": " ".join(design.conditions)}
            coords[CONDITION] = ("sample", np.tile(np.arange(runs), design.size), flags)
    rng = np.random.default_rng(1)
    k = rng.uniform(0.01, 0.1, shape)[..., None]
    status = (rng.uniform(size=shape) < case.failed) * np.int8(Status.non_finite)
    if case.failed and not (status != 0).all():  # a second kind
        status = np.where((status != 0) & (rng.uniform(size=shape) < 0.5), 1, status)
    y = case.course(t, k)
    y[status != 0] = np.nan
    other = k * t / (1 + k * t)
    other[status != 0] = np.nan
    attrs = {"units": case.units, "long_name": case.words}
    places = {1: ("cell",), 2: ("group", "cell")}.get(len(case.shape), ())
    first = (*dims, "time", *places), y
    if case.shape:
        first = first[0], _spread(y, t, case.shape)
    steps = rng.integers(10, 99, shape)
    return xr.Dataset(
        {
            "substrate": (*first, attrs),
            "enzyme": ((*dims, "time"), other, {"units": "mmol/L", "long_name": "enzyme"}),
            "status": (dims, status.astype(np.int8)),
            "num_steps": (dims, steps),
            "num_accepted_steps": (dims, steps - 5),
            "num_rejected_steps": (dims, np.full(shape, 5)),
        },
        coords,
    )


def _spread(y: np.ndarray, t: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The courses as waves over a row or a plane of places."""
    place = sum(np.meshgrid(*(np.linspace(0, 6, n) for n in shape), indexing="ij"))
    later = t.reshape(-1, *(1 for _ in shape))
    return y.reshape(*y.shape, *(1 for _ in shape)) * np.cos(place + 0.1 * later)


def drawn(name: str, study: Path) -> Figure:
    """The figure of a case."""
    case = CASES[name]
    ensemble, summary, config = made(case, study)
    return plots.draw(case.kind, ensemble, summary, config)


def main(folder: Path) -> None:
    """Writes every figure and a page of all."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for name in CASES:
        file = folder / f"{name.replace(' ', '_')}.svg"
        plots.save(drawn(name, Path("examples")), file, dpi=100)
        lines.append(f"<figure><img src='{file.name}'><figcaption>{name}</figcaption></figure>")
    (folder / "index.html").write_text("<!doctype html><meta charset=utf-8>" + "\n".join(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
