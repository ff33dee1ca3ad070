"""References for cases with rivals, and how certain they are.

Where heyoka can: in the processor's extended precision (64 bits of significand) at a tolerance of
1e-18, `check` its difference from 1e-16. Of a bouncing ball what is known in closed form, `check`
its difference from the same in double precision. Of a large case: CVODE, its difference between two
tolerances. Else as `benchmarks.reference`. All in units of the case's tolerances.
"""

import argparse
import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contenders import cvode_contender
from benchmarks.contenders.heyoka_contender import given, in_order, system
from benchmarks.measure import scaled_error
from benchmarks.problems import find_case
from benchmarks.reference import native_solution, scipy_solution
from benchmarks.rival_cases import RivalCase


def extended_solution(case: RivalCase, count: int, tol: float) -> np.ndarray:
    """End values of the first lanes by heyoka in extended precision."""
    import heyoka as hy  # type: ignore

    real, lanes, equations = np.longdouble, case.lanes(count), system(case, hy)
    parameters = given(case, lanes.args)
    ta = hy.taylor_adaptive(
        equations, np.zeros(case.width, real), fp_type=real, tol=real(tol),
        pars=np.zeros(len(parameters), real), compact_mode=bool(case.sensitivities),
    )  # fmt: skip
    ends = []
    for y0, args in zip(lanes.y0.T, parameters.T, strict=True):
        ta.time = real(case.segments[0][0])
        ta.state[:], ta.pars[:] = y0.astype(real), args.astype(real)
        for _, end, amount in case.segments:
            ta.state[0] += real(amount)
            ta.propagate_until(real(end))
        ends.append(ta.state.astype(float))
    return in_order(case, np.array(ends), lanes.args)[:, None]


def closed_form(case: RivalCase, count: int, real: Any) -> np.ndarray:
    """Where the first lanes of the bouncing ball are at the end, in the precision of a type."""
    ends, lanes = [], case.lanes(count)
    for (height, speed), (gravity, drag, kept) in zip(lanes.y0.T, lanes.args.T, strict=True):
        left, (h, v, g, c, kept) = real(case.t1), map(real, (height, speed, gravity, drag, kept))

        def at(t, h, v, g=g, c=c):
            lost = -np.expm1(-c * t) / c
            return h + (v + g / c) * lost - g / c * t, v * np.exp(-c * t) - g * lost

        while True:
            # from beyond the fall the height is concave: Newton's iteration comes down to the root
            fall = (v + np.sqrt(v * v + 2 * g * h)) / g * real(2)
            for _ in range(40):
                above, falling = at(fall, h, v)
                fall -= above / falling
            if fall >= left:
                break
            h, v, left = real(0), -kept * at(fall, h, v)[1], left - fall
        ends.append(at(left, h, v))
    return np.array(ends, float)[:, None]


def reference(case: RivalCase, lanes: int) -> tuple[np.ndarray, float]:
    """The values, and the largest relative difference from a solution that should be the same."""
    lanes = min(lanes, case.size)
    if case.bounce is not None:
        values, other = (closed_form(case, lanes, real) for real in (np.longdouble, np.float64))
    elif case.precise and importlib.util.find_spec("heyoka"):
        values = extended_solution(case, lanes, 1e-18)
        other = extended_solution(case, min(lanes, 4), 1e-16)
    elif case.large is not None:
        solve, few = cvode_contender.build(case, lanes, 1), case.lanes(lanes)
        values, other = solve(few, 1e-6), solve(few, 1e-4)
    else:
        values = native_solution(case, lanes, 1, Path(os.environ["BENCH_CACHE"]))
        other = scipy_solution(case, min(lanes, 2), 1e-11)
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
    few = 4 if case.large is not None else 8 if case.sensitivities else 64
    values, check = reference(case, options.lanes or few)
    np.savez(options.path, values=values, check=check)


if __name__ == "__main__":
    main()
