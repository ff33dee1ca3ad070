"""What an input over time costs and how exact it is, on `examples/weather`.

    python -m benchmarks.inputs
    python -m benchmarks.inputs --repeats 9 --checked 20

Daily temperatures of two lakes, 731 values each, against a constant temperature of 20 degrees, at
which the rates are quoted: the same samples, native engine, one thread, asked in turn. Prints the
seconds to build and compile each, the processor seconds of a solve (median), their ratio (median
and range over pairs) and that of what a step takes, and the largest error of some trajectories at
the end of the time span, in tolerances, against SciPy's DOP853 at rtol 1e-12 from day to day.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from scipy.integrate import solve_ivp

import odeflow
from odeflow.design import rows
from odeflow.engines.native import engine
from odeflow.ensemble.build import build
from odeflow.problem.problem import Lanes, Problem, Solution

EXAMPLE = Path(__file__).parents[1] / "examples" / "weather"


class Prepared(NamedTuple):
    """A problem with its lanes, and the seconds until its machine code was there."""

    problem: Problem
    lanes: Lanes
    axes: Mapping[str, np.ndarray]
    seconds: float


def prepared(folder: Path, *overrides: str) -> Prepared:
    """The example with these settings, built and compiled into an empty folder."""
    config = odeflow.compose("experiment=weather", "saveat.ts=null", *overrides, study=EXAMPLE)
    axes = rows(config.design, 0, config.design.size or 1, EXAMPLE)
    begun = time.perf_counter()
    built = build(config, EXAMPLE, axes)
    lanes = built.lanes(axes)
    engine.solve(built.problem, lanes.take(np.arange(8)), threads=1, cache_dir=folder)
    return Prepared(built.problem, lanes, axes, time.perf_counter() - begun)


def timed(one: Prepared, folder: Path) -> tuple[float, Solution]:
    """Processor seconds of all samples, and what came out."""
    begun = time.process_time()
    found = engine.solve(one.problem, one.lanes, threads=1, cache_dir=folder)
    return time.process_time() - begun, found


def by_scipy(axes: Mapping[str, np.ndarray], row: int, days: float = 730) -> np.ndarray:
    """Bacteria and flagellates of one trajectory after so many days."""
    day, *lakes = np.loadtxt(EXAMPLE / "weather.csv", delimiter=",", skiprows=2).T
    celsius = lakes[int(axes["lake"][row])]
    given = (float(axes[name][row]) for name in ("growth", "grazing", "capacity"))
    growth, grazing, capacity = given

    def slopes(t: float, y: np.ndarray) -> list[float]:
        bacteria, flagellates = y
        warmth = np.interp(t, day, celsius) / 20
        eaten = warmth * grazing * bacteria * flagellates / (0.35 + bacteria)
        gained = warmth * growth * bacteria * (1 - bacteria / capacity)
        return [gained - eaten, 0.4 * eaten - 0.45 * flagellates]

    y = np.array([0.5, 0.1])
    # from day to day, so that no step has a kink inside
    for a, b in zip(day, day[day <= days][1:]):
        y = solve_ivp(slopes, (a, b), y, "DOP853", rtol=1e-12, atol=1e-14).y[:, -1]
    return y


def errors(one: Prepared, found: Solution, number: int) -> list[float]:
    """The largest error of each of some trajectories, in tolerances."""
    tolerances, states = one.problem.solver.tolerances, ("bacteria", "flagellates")
    result = []
    for row in np.linspace(0, one.lanes.size - 1, number).astype(int):
        exact = by_scipy(one.axes, row)
        ours = np.array([found.values[name][row, -1] for name in states])
        allowed = [tolerances.atol[name] for name in states] + tolerances.rtol * np.abs(exact)
        result.append(float(np.max(np.abs(ours - exact) / allowed)))
    return result


def main() -> None:
    """Prints what the module says."""
    jax.config.update("jax_enable_x64", True)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--checked", type=int, default=5, help="trajectories that SciPy solves too")
    asked = parser.parse_args()
    constant: list[Any] = ["~model.inputs", "+model.parameters.temperature={value: 20}"]
    constant += ["~design.axes.lake", "plot.group=null"]
    with tempfile.TemporaryDirectory() as folder:
        given, plain = prepared(Path(folder)), prepared(Path(folder), *constant)
        pairs = [[timed(one, Path(folder)) for one in (given, plain)] for _ in range(asked.repeats)]
    ratios = [with_[0] / without[0] for with_, without in pairs]
    for name, one, place in (("daily temperatures", given, 0), ("a constant one", plain, 1)):
        seconds = statistics.median(pair[place][0] for pair in pairs)
        steps = pairs[0][place][1].num_steps.mean()
        print(f"{name:20} compiled in {one.seconds:.2f} s, {one.lanes.size:,} samples in "
              f"{seconds:.3f} CPU s, {steps:,.0f} steps each")  # fmt: skip
    steps = [pairs[0][place][1].num_steps.sum() for place in (0, 1)]
    print(f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), "
          f"of a step {statistics.median(ratios) * steps[1] / steps[0]:.2f}")  # fmt: skip
    found = errors(given, pairs[0][0][1], asked.checked)
    print(f"errors in tolerances: largest {max(found):.2g}, median {statistics.median(found):.2g}")


if __name__ == "__main__":
    main()
