"""`solver: auto` beside each method that it might have taken, at the same tolerances.

    python -m benchmarks.method_choice
    python -m benchmarks.method_choice --only lorenz ring_6 --rtol 1e-4 1e-6 --repeats 9

Each method solves the same lanes on one thread, in turn, and so does `auto`, whose pilot was made
before, with what it hands over. Prints, one line per problem and tolerance, the processor time of a
trajectory by each, in microseconds, the least of the repeats, that of `auto` as a ratio to the best
of them, and how many trajectories it solved by which. What takes four times the least is asked for
a twentieth of the lanes.
"""

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.problems import Case, find_case
from benchmarks.smooth import SMOOTH
from odeflow.config.ladder import FEW_STEPS
from odeflow.config.model import ModelConfig
from odeflow.engines.attempts import Retrier
from odeflow.engines.choice import EngineChoice, Resources
from odeflow.engines.native import engine
from odeflow.engines.pilot import Pilot
from odeflow.problem.attempt import Attempt
from odeflow.problem.methods import candidates
from odeflow.problem.model import Model
from odeflow.problem.problem import Lanes, Problem, Solution
from odeflow.problem.status import has_failed

NAMES = ("tsit5", "dopri8", "taylor", "rodas5p")
TOLERANCES = (1e-3, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12)
#: With the lanes that take about a tenth of a second.
CASES = {
    "seed": 20_000,
    "lorenz": 20_000,
    "kepler": 10_000,
    "arenstorf": 2000,
    "ring_6": 5000,
    "ring_24": 1000,
    "hodgkin_huxley": 500,
    "robertson": 5000,
    "hires": 2000,
    "pollution": 1000,
    "van_der_pol_1": 5000,
    "van_der_pol_30": 1000,
    "van_der_pol_1000": 1000,
    "heat_64": 256,
}


@dataclass(frozen=True)
class Heat(Case):
    """Heat in a rod whose ends are held at 0, by differences at so many places, 1 / states wide."""

    @cached_property
    def model(self) -> Model:
        """The model."""

        def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
            del t
            u = jnp.concatenate([jnp.zeros(1), y.u, jnp.zeros(1)])
            return {"u": args.diffusivity * (self.states + 1.0) ** 2 * jnp.diff(u, 2)}

        places = np.arange(1, self.states + 1) / (self.states + 1)
        shape = np.sin(np.pi * places) + np.sin(3 * np.pi * places)
        config = {
            "name": self.name,
            "vector_field": "benchmarks.method_choice:Heat",
            "t1": self.t1,
            "states": {"u": {"initial": shape.tolist(), "dims": ["x"]}},
            "parameters": {"diffusivity": {"value": 1.0}},
        }
        return Model(ModelConfig.model_validate(config).declaration(), field)


def case_of(name: str) -> Case:
    """A case by name; also `van_der_pol_M` of mu up to M, `heat_N` of N states."""
    if name in SMOOTH:
        return SMOOTH[name]
    if name.startswith("van_der_pol"):
        mu = float(name.rpartition("_")[2])
        return Case(name, name, "van_der_pol", 20.0, {"mu": (mu / 3, mu)}, 1000, dt0=1e-4)
    if name.startswith("heat"):
        states = int(name.rpartition("_")[2])
        varied = {"diffusivity": (0.5, 2.0)}
        return Heat(name, name, "heat", 0.1, varied, 256, dt0=1e-5, states=states)
    return find_case(name)


def problem_of(case: Case, method: str, rtol: float) -> Problem:
    """The problem at a tolerance, by a method; its absolute one in the case's proportion."""
    return replace(case, method=method).problem(rtol / case.rtol)


class Auto:
    """A problem whose method is chosen, the pilot made, as `odeflow.run` does."""

    def __init__(self, case: Case, rtol: float):
        *explicit, stiff = (problem_of(case, x, rtol) for x in candidates(rtol))
        few = [replace(p.solver, max_steps=FEW_STEPS) for p in explicit]
        again = Attempt(explicit[0].solver, frozenset({"max_steps"}), replaced=stiff.solver.method)
        self._attempts = [
            *(Attempt(one, name=one.method, is_candidate=True) for one in few),
            again,
            Attempt(stiff.solver, name=stiff.solver.method, is_candidate=True),
        ]
        places = np.linspace(0, 999, 8).astype(int)  # those of a design that is a whole
        pilot = Pilot(case.lanes(1000).take(places), math.inf)
        self._retrier = Retrier(
            explicit[0], self._attempts, EngineChoice("native"), "native", "cpu", lambda _: pilot
        )
        self.solve(pilot.lanes)

    def solve(self, lanes: Lanes) -> Solution:
        """What the chosen method makes of the lanes, and those after it."""
        self._last = self._retrier.solve(lanes, Resources(threads=1))
        return self._last.solution

    @property
    def by(self) -> str:
        """How many lanes it has solved by which method, the most first."""
        counts = Counter(self._attempts[i].solver.method for i in self._last.attempt)
        return " ".join(f"{name} {count}" for name, count in counts.most_common())


def solver_of(case: Case, method: str, rtol: float) -> Callable[[Lanes], Solution]:
    """Solves lanes by one method, on one thread."""
    problem = problem_of(case, method, rtol)
    return lambda lanes: engine.solve(problem, lanes, threads=1)


def seconds_of(
    solvers: dict[str, Callable[[Lanes], Solution]], lanes: Lanes, repeats: int
) -> dict[str, float]:
    """The least processor time of each, asked in turn; infinite where 1% of the lanes fail."""
    few = lanes.take(np.arange(max(lanes.size // 20, 8)))
    least: dict[str, float] = {}
    for name, solve in solvers.items():
        solve(few.take(np.arange(8)))  # compiles
        start = time.process_time()
        failed = has_failed(solve(few).status).mean() > 0.01
        taken = (time.process_time() - start) * lanes.size / few.size
        least[name] = np.inf if failed else taken
    near = [name for name, x in least.items() if x < 4 * min(least.values())]
    least |= dict.fromkeys(near, np.inf)
    for _ in range(repeats):
        for name in near:
            start = time.process_time()
            solvers[name](lanes)
            least[name] = min(least[name], time.process_time() - start)
    return least


def line(name: str, size: int, rtol: float, repeats: int) -> str:
    """One row of the table."""
    case = case_of(name)
    auto = Auto(case, rtol)
    names = [x for x in NAMES if engine.refusal(problem_of(case, x, rtol)) is None]
    solvers = {x: solver_of(case, x, rtol) for x in names}
    found = seconds_of({**solvers, "auto": auto.solve}, case.lanes(size), repeats)
    best = min(names, key=lambda x: found[x])
    times = "".join(f"{found.get(x, np.nan) / size * 1e6:10.2f}" for x in (*NAMES, "auto"))
    return f"{name:18}{rtol:8.0e}{times}{found['auto'] / found[best]:8.2f}  {best:8} {auto.by}"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", default=list(CASES))
    parser.add_argument("--rtol", nargs="+", type=float, default=TOLERANCES)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    titles = "".join(f"{x:>10}" for x in (*NAMES, "auto"))
    sys.stdout.write(f"{'problem':18}{'rtol':>8}{titles}{'ratio':>8}  best     auto took\n")
    for name in options.only:
        for rtol in options.rtol:
            size = CASES.get(name, 1000)
            sys.stdout.write(line(name, size, rtol, options.repeats) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
