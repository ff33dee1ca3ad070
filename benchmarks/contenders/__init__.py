"""One file per contender, each with the same few names.

- `LABEL`: its name in tables.
- `SERIAL`: it uses one core, so it is run as one process per core.
- `SIZED`: what it compiles is for one number of trajectories only.
- `build(case, size, cores)`: compiles for that many trajectories; returns a function of
  (lanes, scale), the solution in the contender's own form at tolerances multiplied by `scale`.
  Where that function has `prepare(scale)`, it is called first, outside the time.
- `values(case, solution)`: that solution as an array (lane, time, component).
- `configure(cores)`, where there is one, is called before JAX is used.
- `refuses(case)`, where there is one: why it cannot run a case, or None.
"""

import importlib
from types import ModuleType

NAMES = ("naive", "diffrax", "native", "numbalsoda", "scipy", "gradsolve", "cpp")


def load(name: str) -> ModuleType:
    """The module of a contender."""
    return importlib.import_module(f"benchmarks.contenders.{name}_contender")
