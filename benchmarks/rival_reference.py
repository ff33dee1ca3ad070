"""References for cases with rivals, and how certain they are.

Where a case is not stiff: heyoka in the processor's extended precision (64 bits of significand) at
a tolerance of 1e-18, `check` its difference from 1e-16. A large one: CVODE, its difference between
two tolerances. Else as `benchmarks.reference`. All in units of the case's tolerances.
"""

import argparse
import importlib.util
import os
from pathlib import Path

import numpy as np

from benchmarks.contenders import cvode_contender
from benchmarks.contenders.heyoka_contender import system
from benchmarks.measure import scaled_error
from benchmarks.problems import find_case
from benchmarks.reference import native_solution, scipy_solution
from benchmarks.rival_cases import RivalCase


def extended_solution(case: RivalCase, count: int, tol: float) -> np.ndarray:
    """End values of the first lanes by heyoka in extended precision."""
    import heyoka as hy  # type: ignore

    real, lanes, equations = np.longdouble, case.lanes(count), system(case, hy)
    ta = hy.taylor_adaptive(
        equations, np.zeros(len(equations), real), fp_type=real, tol=real(tol),
        pars=np.zeros(len(lanes.args), real),
    )  # fmt: skip
    ends = []
    for y0, args in zip(lanes.y0.T, lanes.args.T, strict=True):
        ta.time = real(case.segments[0][0])
        ta.state[:], ta.pars[:] = y0.astype(real), args.astype(real)
        for _, end, amount in case.segments:
            ta.state[0] += real(amount)
            ta.propagate_until(real(end))
        ends.append(ta.state.astype(float))
    return np.array(ends)[:, None]


def reference(case: RivalCase, lanes: int) -> tuple[np.ndarray, float]:
    """The values, and the largest relative difference from a solution that should be the same."""
    if case.precise and importlib.util.find_spec("heyoka"):
        values = extended_solution(case, lanes, 1e-18)
        other = extended_solution(case, 4, 1e-16)
    elif case.large is not None:
        solve, few = cvode_contender.build(case, lanes, 1), case.lanes(lanes)
        values, other = solve(few, 1e-6), solve(few, 1e-4)
    else:
        values = native_solution(case, lanes, 1, Path(os.environ["BENCH_CACHE"]))
        other = scipy_solution(case, 2, 1e-11)
    if not np.isfinite(values).all():
        raise RuntimeError(f"{case.name}: a lane of the reference failed")
    return values, scaled_error(case, other, values)[0] * case.rtol


def main() -> None:
    """Writes `values` and `check` to an npz file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case")
    parser.add_argument("path", type=Path)
    parser.add_argument("--lanes", type=int)
    options = parser.parse_args()
    case = find_case(options.case)
    assert isinstance(case, RivalCase)
    values, check = reference(case, options.lanes or (4 if case.large is not None else 64))
    np.savez(options.path, values=values, check=check)


if __name__ == "__main__":
    main()
