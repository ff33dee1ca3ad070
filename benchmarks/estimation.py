"""Fits a PEtab problem from many starts and says what a start costs and how many find the best fit.

    python -m benchmarks.estimation problem.yaml --starts 1000
    python -m benchmarks.estimation problem.yaml --file starts.csv --rtol 1e-6 --atol 1e-8

The file has a column per parameter, on its scale, and others, which do not count: the starts of
another tool, to compare with what it needs from them. Compiling is not in the time of a start.
"""

import argparse
import csv
import time
from pathlib import Path

import numpy as np

import odeflow
from odeflow.analysis.estimation.estimates import make_objective, options_of
from odeflow.analysis.estimation.objective import Objective
from odeflow.analysis.estimation.trust_region import FitStatus, Minimum, Options, minimise
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


def fitted(objective: Objective, start: np.ndarray, options: Options) -> tuple[Minimum, float]:
    """Where starts end, and processor seconds for all of them."""
    parameters = objective.parameters
    every = lambda x: np.broadcast_to(x, start.shape)
    objective.settled(start[:2])  # compiles
    objective.slopes(start[:2])
    before = time.process_time()
    found = minimise(
        objective, start, every(parameters.lower), every(parameters.upper),
        every(~objective.searched), options,
    )  # fmt: skip
    return found, time.process_time() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problem", type=Path)
    parser.add_argument("--starts", type=int, default=200)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--rtol", default="1e-8")
    parser.add_argument("--atol", default="1e-10")
    parser.add_argument("--searched", action="store_true", help="no noise in closed form")
    parser.add_argument("--max-steps", default="500")
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
    if given.file is None:
        start = parameters.starts(0, range(given.starts))
    else:
        start = starts_of(given.file, parameters.names)
    found, seconds = fitted(objective, start, options_of(estimate))
    ends = {one.name: int((found.status == one).sum()) for one in FitStatus}
    best = found.objective.min()
    print(f"parameters: {parameters.size}, of which {len(objective.solved)} in closed form")
    print(f"starts: {len(start)}, {1e3 * seconds / len(start):.2f} ms of one core each")
    print(f"gradients of a start, median: {np.median(found.num_gradients):.0f}")
    print(f"best objective: {best:.6f}")
    print(f"within 0.1 of it: {(found.objective < best + 0.1).sum()}")
    print("ends:", ", ".join(f"{name} {number}" for name, number in ends.items() if number))


if __name__ == "__main__":
    main()
