"""One file a contender, each with the same few names.

`LABEL` is its name in tables. `SERIAL` says that it uses one core, so that it is run as one process
a core. `build(case, size, cores)` compiles whatever can be compiled ahead for that many
trajectories and returns a function of (lanes, scale): the solution, tolerances multiplied by
`scale`, in the contender's own form; `values(case, solution)` makes of that an array
(lane, time, component). `configure(cores)`, where there is one, is called before JAX is used.
`build` raises `NotApplicableError` with a reason for a case it cannot run.
"""

import importlib
from types import ModuleType

NAMES = ("naive", "diffrax", "native", "numbalsoda", "scipy", "gradsolve", "cpp")


class NotApplicableError(Exception):
    """The contender cannot run this case; the message says why."""


def load(name: str) -> ModuleType:
    """The module of a contender."""
    return importlib.import_module(f"benchmarks.contenders.{name}_contender")
