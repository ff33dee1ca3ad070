"""Records of subjects as jumps of lanes, and the model that has them.

Where a subject starts over, what the jump adds is all that is there after it: the model itself
makes its state zero before (`Jumping.leave`), at the time that a parameter holds. That is the time
of the next new start, so that jumps in between, of whatever kind, change nothing about it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from odeflow.problem.clock import Clock
from odeflow.problem.declaration import Parameter
from odeflow.problem.model import Jumping, Model
from odeflow.problem.problem import Jumps, Lanes
from odeflow.problem.records import Records
from odeflow.problem.transforms.dose_changes import Axes
from odeflow.problem.transforms.dose_derivatives import DoseDerivatives
from odeflow.problem.transforms.doses import begun, with_rates
from odeflow.problem.transforms.recorded_doses import DosesOfRecords, Orbits, component_of


def with_records(model: Model, records: Records, clock: Clock) -> Model:
    """The model with rates of infusions and the time of the next new start as last parameters."""
    rated = with_rates(model, [component_of(model.declared, s) for s in records.infused])
    name, size = "next_start", len(rated.declared.parameters)
    while name in {*rated.declared.parameters, *rated.declared.states, *rated.observable_names}:
        name += "_"

    def own(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda t, y, args: function(t, y, rated.Args(*args[:size]))

    def leave(t: Any, y: Any, args: Any) -> Any:
        return jax.tree.map(lambda x: jnp.where(t >= args[size], jnp.zeros_like(x), x), y)

    whole = replace(
        rated,
        declared=rated.declared.with_parameters({name: Parameter(value=np.inf)}),
        function=own(rated.vector_field),
        observables_function=rated.observables_function and own(rated.observables),
        jumping=Jumping(leave, lambda t, y, args: y),
    )
    return replace(whole, dosing=DosesOfRecords(records, clock, whole))


def recorded(
    dosing: DosesOfRecords | DoseDerivatives, orbits: Orbits, axes: Axes, lanes: Lanes
) -> Lanes:
    """Lanes of a model with the jumps of their subjects; those at t0 are done.

    `dosing` is that of the model of `with_records`, or of that with sensitivities, `orbits` finds
    steady states. Raises ConfigError as `timeline` does.
    """
    doses = replace(recorded_doses(dosing), orbits=orbits)
    dosing = doses if isinstance(dosing, DosesOfRecords) else replace(dosing, doses=doses)
    jumps = dosing.jumps(axes, lanes)
    needed = int(np.isfinite(jumps.times).any(axis=1).sum())
    jumps = Jumps(jumps.times[:needed], jumps.amounts[:needed], jumps.values[:needed])
    return begun(doses.begin(axes, lanes), dosing.targets, jumps)


def recorded_doses(dosing: Any) -> DosesOfRecords:
    """The doses of a data set, of a model with or without sensitivities."""
    doses = dosing.doses if isinstance(dosing, DoseDerivatives) else dosing
    assert isinstance(doses, DosesOfRecords)
    return doses
