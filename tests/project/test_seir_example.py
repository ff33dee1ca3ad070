"""The example with ages and places: `examples/seir`, solved by SciPy too."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import solve_ivp

from tests.support.snakes import PROJECT

EXAMPLE = PROJECT / "examples/seir"


def read(file: str, name: str) -> np.ndarray:
    """A table of the example."""
    with xr.open_dataset(EXAMPLE / file) as dataset:
        return dataset[name].values


def slopes(t: float, flat: np.ndarray, axes: dict[str, float], tables: tuple) -> np.ndarray:
    """The equations by sums over every pair of groups, as one would write them on paper."""
    s, e, i, r = flat.reshape(4, 4, 6)
    contacts, share = tables
    stay = axes["mobility"] * share + (1 - axes["mobility"]) * np.eye(6)
    present = lambda people: np.einsum("ap,pq->aq", people, stay)
    prevalence = present(i) / present(s + e + i + r)
    beta = axes["beta"] * (1 + axes["season"] * np.cos(2 * np.pi * t / 365))
    new = s * beta * np.einsum("ab,bq,pq->ap", contacts, prevalence, stay)
    changes = [-new, new - 0.25 * e, 0.25 * e - axes["gamma"] * i, axes["gamma"] * i]
    return np.concatenate([change.ravel() for change in changes])


@pytest.mark.slow
def test_the_epidemics_are_those_of_scipy(tmp_path: Path):
    study = tmp_path / "seir"
    shutil.copytree(EXAMPLE, study, ignore=shutil.ignore_patterns("results", ".snakemake"))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "odeflow", "run", "experiment=seir"),
            *("design.size=8", "solver.rtol=1e-8", "solver.atol=1e-6", "verify=skip"),
        ],
        cwd=study, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert (study / "results/seir/overview.html").exists()
    with xr.open_dataset(study / "results/seir/ensemble.nc", decode_times=False) as ensemble:
        assert ensemble["susceptible"].dims == ("sample", "time", "age", "place")
        one = ensemble.isel(sample=5).load()
    axes = {name: float(one[name]) for name in ("beta", "gamma", "mobility", "season")}
    start = np.zeros((4, 4, 6))
    start[0], start[1, 1, 0] = 1000.0, 5.0
    tables = read("contacts.nc", "matrix"), read("travel.nc", "share")
    found = solve_ivp(lambda t, y: slopes(t, y, axes, tables), (0, 365), start.ravel(), "DOP853",
                      t_eval=one["time"].values, rtol=1e-8, atol=1e-6)  # fmt: skip
    names = ("susceptible", "exposed", "infectious", "recovered")
    for name, theirs in zip(names, found.y.reshape(4, 4, 6, -1)):
        np.testing.assert_allclose(one[name].values, np.moveaxis(theirs, -1, 0), atol=0.01)
