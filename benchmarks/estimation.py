"""Fits a PEtab problem from many starts and says what a start costs and how many find the best fit.

    python -m benchmarks.estimation problem.yaml --starts 1000
    python -m benchmarks.estimation problem.yaml --file starts.csv --rtol 1e-6 --atol 1e-8
    python -m benchmarks.estimation problem.yaml --starts 60 --candidates 80 --hops 2

The file has a column per parameter, on its scale, and others, which do not count: the starts of
another tool, to compare with what it needs from them. Compiling is not in the time of a start.
"""

import argparse
import csv
import time
from pathlib import Path

import numpy as np
import xarray as xr

import odeflow
from odeflow.analysis.estimation.estimates import make_objective, options_of
from odeflow.analysis.estimation.multistart import fit
from odeflow.analysis.estimation.objective import Objective
from odeflow.analysis.estimation.trust_region import FitStatus, Options, minimise
from odeflow.config.root import Config
from odeflow.engines.choice import Resources
from odeflow.ensemble.solve import configure_jax


def compose(problem: Path, *overrides: str) -> Config:
    """The config of an estimation of a problem."""
    return odeflow.compose(
        "~experiment", "name=estimation", f"design.petab={problem.name}", "solver=rodas5p",
        "analyse=estimate", *overrides, study=problem.parent,
    )  # fmt: skip


def starts_of(file: Path, names: list[str]) -> np.ndarray:
    """Starts of a CSV file, in the order of the parameters."""
    with file.open(newline="") as text:
        return np.array([[float(row[name]) for name in names] for row in csv.DictReader(text)])


def fitted(
    objective: Objective, given: argparse.Namespace, options: Options
) -> tuple[xr.Dataset, float]:
    """Where starts end, and processor seconds for all of them."""
    parameters, numbers = objective.parameters, range(given.starts)
    some = parameters.starts(0, range(2))
    objective.settled(some)  # compiles
    objective.slopes(some)
    before = time.process_time()
    if given.file is None:
        found = fit(objective, 0, numbers, options, candidates=given.candidates, hops=given.hops)
        return found, time.process_time() - before
    start = starts_of(given.file, parameters.names)
    every = lambda x: np.broadcast_to(x, start.shape)
    ends = minimise(
        objective, start, every(parameters.lower), every(parameters.upper),
        every(~objective.searched), options,
    )  # fmt: skip
    seconds = time.process_time() - before
    data = {
        "objective": ("start", ends.objective), "num_gradients": ("start", ends.num_gradients),
        "fit_status": ("start", ends.status),
    }  # fmt: skip
    return xr.Dataset(data), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problem", type=Path)
    parser.add_argument("--starts", type=int, default=200)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--rtol", default="1e-8")
    parser.add_argument("--atol", default="1e-10")
    parser.add_argument("--searched", action="store_true", help="no noise in closed form")
    parser.add_argument("--max-steps", default="500")
    parser.add_argument("--candidates", type=int, default=1)
    parser.add_argument("--hops", type=int, default=0)
    given = parser.parse_args()
    resources = Resources(threads=1)
    configure_jax(resources)
    closed = str(not given.searched).lower()
    config = compose(
        given.problem, f"solver.rtol={given.rtol}", f"solver.atol={given.atol}",
        f"analyse.estimate.closed_form={closed}", f"analyse.estimate.max_steps={given.max_steps}",
    )  # fmt: skip
    objective = make_objective(config, config.study, resources)
    parameters, estimate = objective.parameters, config.analyse.estimate
    assert estimate is not None
    found, seconds = fitted(objective, given, options_of(estimate))
    found, number = found.load(), found.sizes["start"]
    ends = {one.name: int((found.fit_status == one).sum()) for one in FitStatus}
    best = float(found.objective.min())
    print(f"parameters: {parameters.size}, of which {len(objective.solved)} in closed form")
    print(f"starts: {number}, {1e3 * seconds / number:.2f} ms of one core each")
    print(f"gradients of a start, median: {np.median(found.num_gradients):.0f}")
    print(f"best objective: {best:.6f}")
    print(f"within 0.1 of it: {int((found.objective < best + 0.1).sum())}")
    print("ends:", ", ".join(f"{name} {count}" for name, count in ends.items() if count))


if __name__ == "__main__":
    main()
