"""The problem of one trajectory, as the ensemble's coordinates tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float

from odeflow.config.root import Config
from odeflow.design import END, axis_coordinate, has_own_ends
from odeflow.doses import jump_targets, own_ends, schedule
from odeflow.engine import Lanes
from odeflow.flags import flag_meaning
from odeflow.methods import METHODS
from odeflow.model import Model
from odeflow.verification.reference import Stretch


class Trajectory(NamedTuple):
    """Initial state, stretches between the doses, and end; float64 numbers as the engine had them.

    `methods` are those of SciPy to try, in order.
    """

    y0: Float[np.ndarray, " component"]
    stretches: list[Stretch]
    t1: float
    methods: tuple[str, ...]

    @classmethod
    def of(cls, one: xr.Dataset, config: Config, model: Model) -> Trajectory:
        """That of an ensemble's trajectory. `config` and `model` are those that were solved."""
        axes = _axes(one, config, model)

        def value(name: str, default: Any) -> np.ndarray:
            return np.asarray(axes.get(name, default), float)

        known = model.config
        initial = [value(name, s.initial).ravel() for name, s in known.states.items()]
        args = [value(name, p.value) for name, p in known.parameters.items()]
        columns = {name: np.reshape(number, (1,)) for name, number in axes.items()}
        ends = own_ends(config, columns) if has_own_ends(config, axes) else None
        t1 = known.t1 if ends is None else float(ends[0])
        y0, args = np.concatenate(initial)[:, None], np.array(args, float).reshape(-1, 1)
        lanes = Lanes(y0, args, ends)
        lanes = schedule(config, columns, lanes, model)
        # the engine casts to its precision: that is the problem which it solves
        cast = lambda values: np.asarray(values).astype(config.runtime.precision).astype(float)
        stretches = _stretches(lanes, config, model, cast)
        return cls(cast(lanes.y0[:, 0]), stretches, t1, _methods(one, config))

    def parameters(self, ts: Float[np.ndarray, " time"]) -> Float[np.ndarray, "time parameter"]:
        """The parameters that hold at these times."""
        starts = [stretch.start for stretch in self.stretches]
        which = np.searchsorted(starts, ts, side="right") - 1
        return np.stack([stretch.args for stretch in self.stretches])[which]


def _axes(one: xr.Dataset, config: Config, model: Model) -> Mapping[str, np.ndarray]:
    """By name the numbers that a trajectory has for itself: axes, and what follows from them."""
    named = [name for dose in config.doses for _, name in dose.named()]
    known = [*model.config.states, *model.config.parameters, END, *named]
    coordinates = {name: axis_coordinate(name, model.config) for name in known}
    axes = {
        name: np.asarray(one[coordinate].values, float)
        for name, coordinate in coordinates.items()
        if coordinate in one.coords and one[coordinate].ndim == 0
    }
    computed = model.start({name: value[None] for name, value in axes.items()})
    return axes | {name: np.asarray(value, float)[..., 0] for name, value in computed.items()}


def _stretches(lanes: Lanes, config: Config, model: Model, cast: Any) -> list[Stretch]:
    args = lanes.args[:, 0]
    stretches = [Stretch(config.model.t0, np.zeros(len(lanes.y0)), cast(args))]
    targets, jumps = jump_targets(config, model), lanes.jumps
    if targets is None or jumps is None:
        return stretches
    for time, amounts, values in zip(jumps.times[:, 0], jumps.amounts, jumps.values):
        if np.isfinite(time):
            added, args = np.zeros(len(lanes.y0)), args.copy()
            added[list(targets.components)] = amounts[:, 0]
            args[list(targets.parameters)] = values[:, 0]
            stretches.append(Stretch(float(time), cast(added), cast(args)))
    return stretches


def _methods(one: xr.Dataset, config: Config) -> tuple[str, ...]:
    """SciPy's methods: first the kind that solved this trajectory, then the other."""
    solved_by = flag_meaning(one["method"]) if "method" in one else config.solver.method
    first = "Radau" if METHODS[solved_by].implicit else "DOP853"
    other = {"Radau": "DOP853", "DOP853": "Radau"}[first]
    asked = {"auto": (first, other), "dop853": ("DOP853",), "radau": ("Radau",)}
    return asked[config.verify.method]
