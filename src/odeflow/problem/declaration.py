"""What a model says of itself beside its functions: names in order, numbers, shapes, units.

Plain records, so that a model can be made without a config; `ModelConfig.declaration` makes them
of one. They are not checked here: the config's records are, before these are made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float

from odeflow.problem.delays import Delay, DelayPlaces, delay_places


@dataclass(frozen=True)
class Variable:
    """Units and long name of a quantity; None where it has no other than its name."""

    units: str = "1"
    long_name: str | None = None


@dataclass(frozen=True, eq=False)
class State(Variable):
    """A state: its initial value where none is given, and names of its dimensions."""

    initial: Float[np.ndarray, "*shape"] = field(kw_only=True)
    dims: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape: () for a scalar."""
        return self.initial.shape


@dataclass(frozen=True)
class Parameter(Variable):
    """A scalar parameter: its value where none is given."""

    value: float = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class ArrayParameter(Variable):
    """An array parameter: its numbers, by category the first dimension, and the axis of these."""

    values: Float[np.ndarray, "category *shape"] = field(kw_only=True)
    by: str | None = None


@dataclass(frozen=True, eq=False)
class Declaration:
    """A model's states and parameters, in the order of its records, and its time span.

    `origin` says in messages where the vector field is from, `observables_origin` the same of the
    observables, whose names, units and long names are in `observables` as far as they are known;
    `nonnegative` names the states that cannot be negative. `algebraic` are those for which the
    vector field gives a residual, `mass_matrix` stands before the derivatives of all components
    where there is one, and `free` are the states that are found at t0 (None: the algebraic ones).
    The values of `delays` and their lengths are among the parameters, behind its own.
    """

    name: str
    t0: float
    t1: float
    states: Mapping[str, State]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    observables: Mapping[str, Variable] = field(default_factory=dict)
    nonnegative: tuple[str, ...] = ()
    algebraic: tuple[str, ...] = ()
    mass_matrix: Float[np.ndarray, "n n"] | None = None
    free: tuple[str, ...] | None = None
    time_units: str = "1"
    origin: str = ""
    observables_origin: str = ""
    delays: Mapping[str, Delay] = field(default_factory=dict)

    @property
    def dims(self) -> frozenset[str]:
        """Names of the dimensions of all array states."""
        return frozenset(dim for state in self.states.values() for dim in state.dims)

    @cached_property
    def delay_places(self) -> tuple[DelayPlaces, ...]:
        """Its delays, by numbers of components and parameters."""
        shapes = {name: state.shape for name, state in self.states.items()}
        return delay_places(self.delays, shapes, list(self.parameters))

    @property
    def is_implicit(self) -> bool:
        """Whether the vector field gives something else than derivatives."""
        return bool(self.algebraic) or self.mass_matrix is not None

    @property
    def full_mass_matrix(self) -> Float[np.ndarray, "n n"]:
        """The mass matrix over the components of the state; rows of algebraic states are zero."""
        names = np.repeat(list(self.states), [state.initial.size for state in self.states.values()])
        matrix = np.eye(len(names)) if self.mass_matrix is None else self.mass_matrix
        return np.where(np.isin(names, list(self.algebraic))[:, None], 0.0, matrix)

    def with_parameters(self, added: Mapping[str, Parameter]) -> "Declaration":
        """The same with further parameters behind its own."""
        return replace(self, parameters={**self.parameters, **added})
