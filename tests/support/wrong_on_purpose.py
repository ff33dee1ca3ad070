"""Ensembles that are wrong on purpose, and the verdict on each: rows of `docs/reliability.md`."""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import xarray as xr

import odeflow
from odeflow.engines.native.methods import explicit_rk
from tests.support.snakes import make_study

FIELD = """
import jax.numpy as jnp


def given(t, y, args):
    on = (t >= args.begin) & (t < args.begin + 0.5)
    inflow = jnp.where(on, args.rate, 0.0)
    return {"gut": inflow - args.k * y.gut, "blood": args.k * y.gut - args.out * y.blood}
"""
YAML = """
name: given
vector_field: models.py:given
t1: 10
states:
  gut: {initial: 1.0}
  blood: {initial: 0.0}
parameters:
  k: {value: 2.0}
  out: {value: 0.5}
  begin: {value: 6.0}
  rate: {value: 4.0}
"""
EVENTS = """
name: events
t1: 6
antimony: |
  x' = -k*x; x = 3; k = 4
  z' = 5*(y - z); z = 0; y = 1
  below = 1; added = 1.5; when = 2; first = 2; second = 1
  E1: at (x < below): x = x + added
  E2: at (time >= when), priority = first: y = y + 1
  E3: at (time >= when), priority = second: y = 3*y
"""


def wrong_study(folder: Path) -> Path:
    """A study with both models."""
    make_study(folder)
    (folder / "models.py").write_text(FIELD)
    (folder / "config/model/given.yaml").write_text(YAML)
    (folder / "config/model/events.yaml").write_text(EVENTS)
    return folder


_GIVEN = [
    "~experiment", "model=given", "saveat.ts={linspace:[0,10,41]}",
    "design.axes={gut:{values:[1,2]}}", "doses=[{state: gut, amount: 2, time: 3}]",
]  # fmt: skip
_EVENTS = ["~experiment", "model=events", "saveat.ts={linspace:[0,6,25]}", "solver=tsit5"]


def _coefficient(size: float) -> Callable[[], AbstractContextManager[Any]]:
    """Tsit5 of the native engine with one coefficient of its last stage changed by that."""
    original = explicit_rk._runge_kutta

    def broken(field: Any, tableau: Any, *rest: Any) -> Any:
        rows = [np.array(row) for row in tableau.a_lower]
        rows[-1][2] += size
        changed = copy.copy(tableau)  # `replace` would find that the row's sum is not c
        object.__setattr__(changed, "a_lower", tuple(rows))
        return original(field, changed, *rest)

    return lambda: patch.object(explicit_rk, "_runge_kutta", broken)


def _late(ensemble: xr.Dataset) -> xr.Dataset:
    """Each value at the time after its own."""
    moved = {}
    for name in ("gut", "blood"):
        values = ensemble[name].values
        moved[name] = (ensemble[name].dims, np.concatenate([values[:, :1], values[:, :-1]], axis=1))
    return ensemble.assign(moved)


class Wrong(NamedTuple):
    """What is wrong by how much; what is solved instead of what; and the verdict on it."""

    what: str
    size: str
    verdict: str
    right: list[str] = _GIVEN
    instead: tuple[str, ...] = ()
    within: Callable[[], AbstractContextManager[Any]] = nullcontext
    change: Callable[[xr.Dataset], xr.Dataset] = lambda ensemble: ensemble

    def solved(self, study: Path) -> tuple[odeflow.Config, xr.Dataset]:
        """The config that is right, and the ensemble that is not."""
        native = "runtime.engine=native"
        config = odeflow.compose(*self.right, native, study=study)
        wrong = odeflow.compose(*self.right, native, *self.instead, study=study)
        with self.within():
            return config, self.change(odeflow.run(wrong))


def _value(**parameters: float) -> tuple[str, ...]:
    return tuple(f"model.parameters.{name}.value={value!r}" for name, value in parameters.items())


def _dose(amount: float) -> tuple[str, ...]:
    return (f"doses=[{{state: gut, amount: {amount!r}, time: 3}}]",)


WRONG = [
    Wrong("nothing", "", "passed"),
    Wrong("a coefficient of Tsit5's tableau", "1e-3", "failed", within=_coefficient(1e-3)),
    Wrong("a coefficient of Tsit5's tableau", "1e-4", "failed", within=_coefficient(1e-4)),
    Wrong("a coefficient of Tsit5's tableau", "1e-5", "passed", within=_coefficient(1e-5)),
    Wrong("a coefficient of Tsit5's tableau", "1e-7", "passed", within=_coefficient(1e-7)),
    Wrong("two parameters swapped", "2 and 0.5", "failed", instead=_value(k=0.5, out=2.0)),
    Wrong("a dose too small", "1%", "failed", instead=_dose(1.98)),
    Wrong("a dose too small", "0.1%", "failed", instead=_dose(1.998)),
    Wrong("a dose too small", "0.001%", "passed", instead=_dose(1.99998)),
    Wrong("saved times off by one", "0.25", "failed", change=_late),
    Wrong("a pulse left out", "0.5 of 10", "failed", instead=_value(rate=0.0)),
    Wrong("a pulse too late", "1e-3", "failed", instead=_value(begin=6.001)),
    Wrong("a pulse too late", "1e-5", "passed", instead=_value(begin=6.00001)),
    Wrong("nothing, with events", "", "passed", _EVENTS),
    Wrong("a trigger of a time late", "1e-3", "failed", _EVENTS, _value(when=2.001)),
    Wrong("a trigger of a time late", "1e-5", "passed", _EVENTS, _value(when=2.00001)),
    Wrong("a trigger of a state late", "1e-3", "failed", _EVENTS, _value(below=0.996008)),
    Wrong("an assignment off", "1e-3", "failed", _EVENTS, _value(added=1.5015)),
    Wrong("an assignment off", "1e-5", "failed", _EVENTS, _value(added=1.500015)),
    Wrong("an assignment off", "1e-6", "passed", _EVENTS, _value(added=1.5000015)),
    Wrong("an event left out", "", "failed", _EVENTS, _value(below=-1.0)),
    Wrong("two events swapped in priority", "", "failed", _EVENTS, _value(first=1, second=2)),
]
