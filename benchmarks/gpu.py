"""The native engine on a GPU: the ensemble of a published comparison, one JSON line.

    python -m benchmarks.gpu

Lorenz with rho from 0 to 21, float32, adaptive Tsit5, end values. The time is that of the kernel,
the smallest of several, without compiling and without arrays on their way, as in

Utkarsh et al., Comput. Methods Appl. Mech. Engrg. 419, 116591 (2024).
"""

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.problems import find_case
from odeflow.engines.native.engine import generated
from odeflow.engines.native.loop.arrays import Arrays
from odeflow.engines.native.loop.cuda_launch import Launch, missing_device
from odeflow.engines.native.targets.cuda_kernel import load_cuda_kernel
from odeflow.problem.problem import Lanes
from odeflow.problem.status import has_failed

SIZE = 2**23
#: Milliseconds of that comparison for so many trajectories, on a V100.
PUBLISHED = {"DiffEqGPU": 69.5, "Diffrax": 2611.0}
_REPEATS = 10


def measure(size: int, cache: Path) -> dict[str, Any]:
    """Milliseconds of the kernel; the reason where there is no GPU."""
    missing = missing_device()
    if missing is not None:
        return {"reason": f"no GPU: unmeasured ({missing})"}
    from numba import cuda

    case = find_case("lorenz")
    problem = replace(case.problem(), dtype=np.dtype(np.float32))
    first = case.lanes(1)
    args = np.repeat(first.args, size, axis=1)
    args[list(case.model.declared.parameters).index("rho")] = np.linspace(*case.varied["rho"], size)
    module = generated(problem, "gpu")
    arrays = Arrays(problem, Lanes(np.repeat(first.y0, size, axis=1), args), module)
    launch = Launch(arrays, load_cuda_kernel(module.code, cache))
    launch.run()  # compiles
    times = []
    for _ in range(_REPEATS):
        start, end = cuda.event(), cuda.event()
        start.record()
        launch.start()
        end.record()
        end.synchronize()
        times.append(float(start.elapsed_time(end)))
    solution = arrays.solution(arrays.outputs)
    return {
        "milliseconds": min(times),
        "size": size,
        "device": getattr(cuda.current_context().device, "name", "Numba's simulator"),
        "failed": int(has_failed(solution.status).sum()),
        "mean_steps": float(solution.num_steps.mean()),
    }


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=SIZE, help="trajectories")
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(parser.parse_args().size, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
