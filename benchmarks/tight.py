"""Tight tolerances: `solver: auto` against heyoka at equal measured errors.

    .venv-bench/bin/python -m benchmarks.tight
    .venv-bench/bin/python -m benchmarks.tight --only ring_6 --repeats 9

heyoka (F. Biscani and D. Izzo, 2021, https://doi.org/10.1093/mnras/stab1032) integrates eight lanes
of a vector at a time, compiled for them, as its documentation advises; odeflow chooses its method
by a pilot. Each is asked at tolerances from 1e-7 to 1e-16, the two in turn at each, on one thread.
The error is the root mean square over lanes and states of what the end is off by, relative to each
state's largest size there or at the start, against heyoka in 80 bits. Prints, at errors of 1e-9,
1e-11 and 1e-13 or the least that both reach, the processor time of a trajectory of each, by
interpolation between logarithms, odeflow's as a ratio to heyoka's, and what `auto` took at the
tolerance whose error is nearest.
"""

import argparse
import contextlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import heyoka
import jax
import numpy as np

from benchmarks.method_choice import Auto
from benchmarks.smooth import SMOOTH, Smooth
from odeflow.files.errors import ConfigError
from odeflow.problem.problem import Lanes, Solution

ERRORS = (1e-9, 1e-11, 1e-13)
TOLERANCES = tuple(10.0**-n for n in np.arange(7.0, 16.5, 0.5))
_LANES = 8
#: Lanes whose error is measured.
_MEASURED = 32


def system(case: Smooth) -> list[tuple[heyoka.expression, heyoka.expression]]:
    """A case's equations for heyoka."""
    states = heyoka.make_vars(*case.initial)
    parameters = [heyoka.par[i] for i in range(len(case.parameters))]
    return list(zip(states, case.vector_field(heyoka.time, states, parameters), strict=True))


def by_heyoka(case: Smooth, tolerance: float) -> Callable[[Lanes], np.ndarray]:
    """Solves lanes, eight at a time: (state, lane) at the end."""
    states, parameters = len(case.initial), len(case.parameters)
    integrator = heyoka.taylor_adaptive_batch(
        system(case), np.ones((states, _LANES)), pars=np.ones((parameters, _LANES)), tol=tolerance
    )

    def solve(lanes: Lanes) -> np.ndarray:
        ends = np.empty((states, lanes.size))
        for first in range(0, lanes.size, _LANES):
            here = slice(first, first + _LANES)
            integrator.set_time(0.0)
            integrator.state[:] = lanes.y0[:, here]
            integrator.pars[:] = lanes.args[:, here]
            integrator.propagate_until(case.t1)
            ends[:, here] = integrator.state
        return ends

    return solve


def reference(case: Smooth, lanes: Lanes) -> np.ndarray:
    """The ends of lanes in 80 bits: (state, lane)."""
    wide = np.longdouble
    integrator = heyoka.taylor_adaptive(
        system(case),
        np.ones(len(case.initial), wide),
        pars=np.ones(len(case.parameters), wide),
        fp_type=wide,
    )
    ends = np.empty((len(case.initial), lanes.size), wide)
    for lane in range(lanes.size):
        integrator.time = wide(0)
        integrator.state[:] = lanes.y0[:, lane]
        integrator.pars[:] = lanes.args[:, lane]
        integrator.propagate_until(wide(case.t1))
        ends[:, lane] = integrator.state
    return ends


@dataclass
class Curve:
    """Errors and times at tolerances, and by what they were made."""

    errors: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)

    def at(self, error: float) -> tuple[float, str]:
        """The time at an error, along what nothing faster is better than, and the method there."""
        front: list[int] = []
        for i in np.argsort(self.seconds):
            if not front or self.errors[i] < self.errors[front[-1]]:
                front.append(i)
        front.reverse()
        errors, seconds = (np.log(np.array(x)[front]) for x in (self.errors, self.seconds))
        nearest = front[int(np.abs(errors - np.log(error)).argmin())]
        return float(np.exp(np.interp(np.log(error), errors, seconds))), self.methods[nearest]


def curves(case: Smooth, size: int, repeats: int) -> tuple[Curve, Curve]:
    """Of odeflow and of heyoka."""
    lanes, few = case.lanes(size), case.lanes(_MEASURED)
    exact = reference(case, few)
    scale = np.maximum(np.abs(exact), np.abs(few.y0)).max(axis=1, keepdims=True)
    ours, theirs = Curve(), Curve()
    for tolerance in TOLERANCES:
        pair: list[tuple[Curve, Callable[[Lanes], np.ndarray]]] = []
        with contextlib.suppress(ConfigError):  # tolerances that float64 cannot have
            auto = Auto(replace(case, atol=case.rtol), tolerance)
            pair.append((ours, lambda x, auto=auto: ends_of(case, auto.solve(x))))
            ours.methods.append(auto.by.partition(" ")[0])
        pair.append((theirs, by_heyoka(case, tolerance)))
        theirs.methods.append("")
        for curve, solve in pair:
            off = ((solve(few) - exact) / scale).astype(float)
            curve.errors.append(float(np.sqrt(np.mean(off**2))))
            curve.seconds.append(np.inf)
        for _ in range(repeats):
            for curve, solve in pair:
                start = time.process_time()
                solve(lanes)
                taken = time.process_time() - start
                curve.seconds[-1] = min(curve.seconds[-1], taken)
    return ours, theirs


def ends_of(case: Smooth, solution: Solution) -> np.ndarray:
    """What odeflow found: (state, lane) at the end."""
    return np.array([solution.values[name][:, -1] for name in case.initial])


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", default=list(SMOOTH))
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    for name in options.only:
        case = SMOOTH[name]
        size = case.size // 10
        ours, theirs = curves(case, size, options.repeats)
        reached = max(min(ours.errors), min(theirs.errors))
        for error in sorted({max(error, reached) for error in ERRORS}, reverse=True):
            (mine, method), (other, _) = ours.at(error), theirs.at(error)
            each = f"{mine / size * 1e6:8.2f}{other / size * 1e6:8.2f}{mine / other:8.2f}"
            sys.stdout.write(f"{name:12}{error:9.1e}{each}  {method}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
