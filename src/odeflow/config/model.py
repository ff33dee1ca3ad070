"""The `model` group: states, parameters, and where the vector field is."""

from typing import Annotated, Any

import numpy as np
from pydantic import Field, field_validator, model_validator

from odeflow.config.algebraic import check_algebraic, mass_matrix, sizes_of
from odeflow.config.arrays import ArrayConfig, Coordinate, check_coords, divided
from odeflow.config.base import (
    Distinct,
    FunctionReference,
    Real,
    Strict,
    VariableName,
    measured_in,
)
from odeflow.config.categories import categories, check_given
from odeflow.config.compartments import CompartmentConfig
from odeflow.config.complex_states import with_parts
from odeflow.config.data import DataFile
from odeflow.config.dates import Time, reference_date
from odeflow.config.delays import DelayConfig, check_delays, delay_parameters
from odeflow.config.imported import ChangeConfig, EditConfig
from odeflow.config.inputs import InputConfig
from odeflow.config.observables import Observables
from odeflow.config.states import StateConfig
from odeflow.config.text import Text
from odeflow.problem.declaration import ArrayParameter, Declaration, Parameter, State, Variable
from odeflow.problem.names import drift_name
from odeflow.problem.time_text import shown_time


class ParameterConfig(Strict):
    """One scalar parameter of the vector field."""

    value: Real = Field(
        description="value where no axis varies it",
        json_schema_extra=measured_in("its own `units`"),
    )
    units: Text = Field("1", description="units, as printed on axes")
    long_name: Text | None = Field(None, description="what it is, in words; default: its name")
    added: bool = Field(
        False, description="sbml, antimony: the file does not have it; formulas and conditions do"
    )


class ModelConfig(Strict):
    """A model: its vector field, its states and parameters in order, its time span."""

    name: VariableName = Field(description="the model's name")
    title: Text | None = Field(None, description="one line for figures and the dataset")
    references: Text | None = Field(None, description="literature reference")
    vector_field: FunctionReference | None = Field(
        None, description="module:function, or file.py:function of the study; (t, y, args)"
    )
    sbml: str | None = Field(None, description="an SBML file, in place of a vector field")
    antimony: str | None = Field(
        None, description="an Antimony file, or its text, in place of a vector field"
    )
    omex: str | None = Field(
        None, description="a COMBINE archive: a task of its SED-ML file is the experiment"
    )
    sedml: str | None = Field(
        None, description="a SED-ML file, of the study or of the archive: as `omex`"
    )
    task: str | None = Field(
        None, description="omex, sedml: the id of the task; null: the only one there is"
    )
    algorithm: str | None = Field(
        None, description="set by the importer: the KiSAO id that SED-ML names for the task"
    )
    edits: list[EditConfig] = Field(
        default_factory=list,
        description="set by the importer: what SED-ML changes in the SBML file",
    )
    reaction_rates: bool = Field(
        False, description="sbml, antimony: the rates of reactions are observables too"
    )
    computed: dict[VariableName, list[str]] | None = Field(
        None,
        description="set by the importer: states and parameters that the file computes at t0, and "
        "what each depends on; an axis over one of them comes before",
    )
    events: list[str] = Field(
        default_factory=list, description="set by the importer: the names of the file's events"
    )
    changes: list[ChangeConfig] = Field(
        default_factory=list,
        description="set by the importer: what the experiments of a PEtab problem change beside "
        "what their conditions set",
    )
    t0: Time = Field(
        0.0,
        description="start of the time span",
        json_schema_extra=measured_in("`model.time_units`"),
    )
    t1: Time = Field(
        description="end of the time span", json_schema_extra=measured_in("`model.time_units`")
    )
    time_units: Text = Field(
        "1",
        description="units of time; `days since 2026-03-01` (hours, minutes, seconds): times may "
        "be dates, and are in the dataset",
    )
    states: dict[VariableName, StateConfig] = Field(
        min_length=1, description="states; their order is the order of the state record"
    )
    complex_states: list[VariableName] = Field(
        default_factory=list,
        description="not for you to set: states that were given as `dtype: complex`",
    )
    parameters: dict[VariableName, ParameterConfig] = Field(
        default_factory=dict, description="parameters, in the order of the args record"
    )
    arrays: dict[VariableName, ArrayConfig] = Field(
        default_factory=dict,
        description="array parameters; written among `parameters`, with `dims` and a list or a "
        "`file` for a value, args.name is the array, times the axis of that name",
    )
    coords: dict[VariableName, Coordinate] = Field(
        default_factory=dict,
        description="{dimension: [names or numbers of its places]}, which become coordinates of "
        "the dataset; {values, units, long_name}",
    )
    data: dict[VariableName, DataFile] = Field(
        default_factory=dict,
        description="files of numbers that the functions read: {name: {file, columns}} is "
        "args.name.column, or args.name for a file with one array",
    )
    inputs: dict[VariableName, InputConfig] = Field(
        default_factory=dict,
        description="quantities with a given course over time: args.name is the value at t; sbml, "
        "antimony: in place of the parameter of that name",
    )
    time_after_dose: VariableName | None = Field(
        None, description="a name: args.<name> is the time since the last dose; else as `inputs`"
    )
    delays: dict[VariableName, DelayConfig] = Field(
        default_factory=dict,
        description="{name: {of: state, by: while}}: args.name is the state as it was a while "
        "before",
    )
    nonnegative: Annotated[list[VariableName], Distinct] = Field(
        default_factory=list,
        description="states that cannot be negative: a step that makes one so by more than its "
        "`solver.atol` is taken again, shorter",
    )
    algebraic: Annotated[list[VariableName], Distinct] = Field(
        default_factory=list,
        description="states for which the vector field returns a residual that is zero at all "
        "times, in place of a derivative",
    )
    mass_matrix: list[list[Real]] | dict[VariableName, dict[VariableName, Real]] | None = Field(
        None,
        description="the constant M of M y' = f, singular or not: all its rows, or {state: {state: "
        "number}} for those that are not the identity's",
    )
    free: Annotated[list[VariableName], Distinct] | None = Field(
        None,
        description="states whose values at t0 are found, from `initial`, so that the algebraic "
        "equations hold, the others being held; null: the algebraic ones",
    )
    compartments: dict[VariableName, CompartmentConfig] = Field(
        default_factory=dict,
        description="{state: {bioavailability, lag, duration, rate}}: what becomes of the doses of "
        "design.nonmem on their way there",
    )
    observables: Observables | None = Field(None, description="optional observables")
    invariants: Observables | None = Field(
        None, description="optional conserved quantities, whose drift is recorded"
    )

    @property
    def functions(self) -> list[str]:
        """References to all of the user's functions."""
        records = (self.observables, self.invariants)
        others = [record.function for record in records if record is not None]
        others += self.initial_functions.values()
        return [reference for reference in (self.vector_field, *others) if reference is not None]

    @property
    def initial_functions(self) -> dict[str, str]:
        """References to the functions that compute initial values, by state."""
        return {name: one.computed_by for name, one in self.states.items() if one.computed_by}

    @property
    def files(self) -> dict[str, DataFile]:
        """The files of numbers that the functions are given, by the key that names each."""
        found = {f"data.{name}": file for name, file in self.data.items()}
        tables = {f"inputs.{name}": given.table for name, given in self.inputs.items()}
        return found | {key: table for key, table in tables.items() if table is not None}

    @property
    def plain_arrays(self) -> dict[str, ArrayParameter]:
        """The array parameters as engines have them, categories in the order of `categories`."""
        return {
            name: one.array([] if one.by is None else self.categories[one.by])
            for name, one in self.arrays.items()
        }

    @property
    def categories(self) -> dict[str, list[str]]:
        """The categories of inputs and array parameters, by the axis that chooses one."""
        return categories({**self.inputs, **self.arrays})

    @model_validator(mode="before")
    @classmethod
    def _divided(cls, value: Any) -> Any:
        return with_parts(divided(value))

    @field_validator("time_units")
    @classmethod
    def _known_to_cf(cls, value: str) -> str:
        reference_date(value)
        return value

    @field_validator("observables", "invariants", mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        return {"function": value} if isinstance(value, str) else value

    def declaration(self) -> Declaration:
        """What engines know of the model beside its functions."""
        observables = self.observables
        named = observables.variables if observables else {}
        states = {
            name: State(s.units, s.long_name, initial=s.initial_values, dims=tuple(s.dims))
            for name, s in self.states.items()
        }
        parameters = {
            name: Parameter(p.units, p.long_name, value=p.value)
            for name, p in self.parameters.items()
        }
        # behind the user's numbers: factors of arrays, numbers of categories, time of the last dose
        for name, one in self.arrays.items():
            parameters[name] = Parameter(long_name=f"factor of {one.long_name or name}", value=1.0)
        parameters |= {axis: Parameter(value=0.0) for axis in self.categories}
        if self.time_after_dose is not None:
            parameters[self.time_after_dose] = Parameter(value=self.t0)
        parameters |= delay_parameters(self.delays, states)
        return Declaration(
            self.name,
            self.t0,
            self.t1,
            states,
            parameters,
            {name: Variable(v.units, v.long_name) for name, v in named.items()},
            tuple(self.nonnegative),
            tuple(self.algebraic),
            mass_matrix(sizes_of(self.states), self.mass_matrix),
            None if self.free is None else tuple(self.free),
            self.time_units,
            self.origin,
            (observables and observables.function) or self.origin,
            {name: delay.delay for name, delay in self.delays.items()},
        )

    @property
    def is_imported(self) -> bool:
        """Whether its equations are those of an SBML or Antimony model."""
        return self.vector_field is None

    @property
    def origin(self) -> str:
        """What its equations are from, for messages."""
        if self.vector_field is not None:
            return self.vector_field
        return self.sbml or "the Antimony model"

    @model_validator(mode="after")
    def _one_origin(self) -> "ModelConfig":
        given = [key for key in ("vector_field", "sbml", "antimony") if getattr(self, key)]
        if len(given) != 1:
            raise ValueError(
                "one of vector_field, sbml and antimony is needed"
                + (f", not {' and '.join(given)}" if given else "")
            )
        if (self.omex or self.sedml or self.task or self.edits) and self.sbml is None:
            raise ValueError("omex, sedml, task and edits are for a model in SBML")
        if not self.is_imported and self.observables and self.observables.function is None:
            raise ValueError("observables.function: needed beside vector_field")
        if not self.is_imported and (
            self.computed is not None or self.events or self.changes or self.reaction_rates
        ):
            raise ValueError(
                "computed, events, changes and reaction_rates are for sbml and antimony"
            )
        if self.invariants and self.invariants.formulas:
            raise ValueError("invariants.formulas: formulas are for observables only")
        if self.is_imported and (self.mass_matrix is not None or self.free is not None):
            raise ValueError("mass_matrix and free are for a vector_field of your own")
        if self.is_imported and self.complex_states:
            raise ValueError(f"states: {self.complex_states[0]}: dtype: those of a file are real")
        if self.is_imported and self.initial_functions:
            raise ValueError(
                f"states: {next(iter(self.initial_functions))}: initial: a file's initial values "
                "are numbers, or computed by it"
            )
        if self.is_imported and self.arrays:
            raise ValueError(f"parameters: {next(iter(self.arrays))}: those of a file are numbers")
        if self.is_imported and self.data:
            raise ValueError("data: an imported model has all its numbers in its file")
        added = [name for name, record in self.parameters.items() if record.added]
        if not self.is_imported and (added or (self.observables and self.observables.formulas)):
            raise ValueError("formulas and added parameters are for sbml and antimony")
        if self.is_imported and self.observables and self.observables.function:
            raise ValueError(
                "observables.function: the observables of an imported model are its "
                "assignment rules and observables.formulas"
            )
        return self

    @model_validator(mode="after")
    def _consistent(self) -> "ModelConfig":
        if not self.t1 > self.t0:
            t0, t1 = shown_time(self.t0, self.t1), shown_time(self.t1, self.t0)
            raise ValueError(f"t1 ({t1}) must be greater than t0 ({t0})")
        names = [*self.states, *self.complex_states, *self.parameters]
        names += [] if self.time_after_dose is None else [self.time_after_dose]
        if self.observables is not None:
            names += self.observables.variables
        names += {dim for state in self.states.values() for dim in state.dims}
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"{', '.join(twice)}: a name can be only one of state, parameter, observable, "
                "dimension and time_after_dose"
            )
        for name in self.data:
            if name in {*self.parameters, self.time_after_dose}:
                raise ValueError(f"data: {name!r} is a parameter already; rename one of them")
        check_given({"arrays": self.arrays, "inputs": self.inputs}, {*names, *self.data})
        every = {*names, *self.data, *self.arrays, *self.inputs, *self.categories}
        check_delays(self.delays, self.states, self.parameters, every)
        check_coords(self.coords, {**self.states, **self.arrays})
        for name in self.nonnegative:
            if name not in self.states:
                known = ", ".join(self.states)
                raise ValueError(f"nonnegative: {name!r} is not a state; known: {known}")
            if np.min(self.states[name].initial_values) < 0:
                raise ValueError(f"nonnegative: the initial value of {name} is negative")
        check_algebraic(sizes_of(self.states), self.algebraic, self.mass_matrix, self.free)
        for name in self.invariants.variables if self.invariants else ():
            if drift_name(name) in names:
                raise ValueError(
                    f"invariants: the dataset calls the drift of {name!r} {drift_name(name)}, as "
                    "something in the model is; rename one of them"
                )
        return self
