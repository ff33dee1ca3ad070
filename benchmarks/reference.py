"""Reference solutions of a case's first lanes, far tighter than what is measured.

They are the native engine's, at tolerances a million times smaller (down to rtol 1e-13), and are
checked against SciPy's DOP853 or Radau on a few lanes: the difference, in units of the case's
tolerance, is part of the report.
"""

import argparse
import os
from pathlib import Path

import jax
import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.contenders.native_contender import values
from benchmarks.contenders.scipy_contender import python_field
from benchmarks.measure import scaled_error
from benchmarks.problems import Case, find_case
from odeflow.engines.native import engine
from odeflow.problem.status import Status


def scipy_solution(case: Case, count: int, rtol: float) -> np.ndarray:
    """The first lanes by SciPy's DOP853, or Radau where stiff: (lane, time, component)."""
    lanes, field, config = case.lanes(count), python_field(case), case.model.declared
    return np.array(
        [
            solve_ivp(
                field, (config.t0, config.t1), y0, "Radau" if case.stiff else "DOP853",
                case.times, args=(p.tolist(),), rtol=rtol, atol=case.atol * rtol / case.rtol,
            ).y.T
            for y0, p in zip(lanes.y0.T, lanes.args.T)
        ]
    )  # fmt: skip


def native_solution(case: Case, count: int, threads: int, cache: Path) -> np.ndarray:
    """The first lanes by the native engine at a far tighter tolerance; raises if one fails."""
    jax.config.update("jax_enable_x64", True)
    scale = max(1e-6, 1e-13 / case.rtol)
    solution = engine.solve(
        case.problem(scale), case.lanes(count), threads=threads, cache_dir=cache
    )
    if (solution.status != Status.success).any():
        raise RuntimeError(f"{case.name}: a lane of the reference failed")
    return values(case, solution)


def main() -> None:
    """Writes `values` and `check`, the largest difference to SciPy, to an npz file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case")
    parser.add_argument("path", type=Path)
    parser.add_argument("--lanes", type=int, default=256)
    parser.add_argument("--checked", type=int, default=2)
    parser.add_argument("--cores", type=int, default=1)
    options = parser.parse_args()
    case = find_case(options.case)
    tight = native_solution(case, options.lanes, options.cores, Path(os.environ["BENCH_CACHE"]))
    exact = scipy_solution(case, options.checked, 1e-11)
    _, check = scaled_error(case, tight[: options.checked], exact)
    np.savez(options.path, values=tight, check=check)


if __name__ == "__main__":
    main()
