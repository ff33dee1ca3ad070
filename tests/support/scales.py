"""A chain whose states are of any size, solved at the default tolerances: rows of the table of
`docs/reliability.md`.
"""

from pathlib import Path

import numpy as np
import xarray as xr

import odeflow
from tests.support.snakes import make_study

EXPONENTS = (-20, -16, -12, -9, -8, -7, -6, -5, -4, -2, 0, 4, 8, 12, 16, 20)

_FIELD = """
def chain(t, y, args):
    return {"a": -args.k * y.a, "b": args.k * y.a - args.m * y.b}
"""
_YAML = """
name: chain
vector_field: chain.py:chain
t1: 8
states:
  a: {initial: 1.0}
  b: {initial: 0.0}
parameters:
  k: {value: 1.0}
  m: {value: 0.5}
"""


def scaled_ensemble(exponent: int, study: Path) -> tuple[odeflow.Config, xr.Dataset]:
    """The config and the one trajectory that starts at (10 to the exponent, 0)."""
    if not (study / "chain.py").exists():
        make_study(study)
        (study / "chain.py").write_text(_FIELD)
        (study / "config/model/chain.yaml").write_text(_YAML)
    config = odeflow.compose(
        "~experiment", "model=chain", "saveat.ts={linspace:[0,8,17]}", "runtime.engine=native",
        f"design.axes={{a:{{values:[1e{exponent}]}}}}", study=study,
    )  # fmt: skip
    return config, odeflow.run(config)


def exact(exponent: int, t: np.ndarray) -> dict[str, np.ndarray]:
    """The closed form: a = s exp(-t), b = 2 s (exp(-t/2) - exp(-t))."""
    s = 10.0**exponent
    return {"a": s * np.exp(-t), "b": 2 * s * (np.exp(-t / 2) - np.exp(-t))}


def error_over_scale(exponent: int, ensemble: xr.Dataset) -> float:
    """The largest error against the closed form, relative to the scale of its variable."""
    values = exact(exponent, ensemble["time"].values)
    return max(
        float(np.abs(ensemble[name].values[0] - course).max() / np.abs(course).max())
        for name, course in values.items()
    )
