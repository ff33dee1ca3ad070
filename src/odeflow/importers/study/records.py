"""Whether the records of a nonmem design fit the model, and what else is asked for."""

from odeflow.config.root import Config
from odeflow.config.validate import nearest
from odeflow.files.errors import ConfigError
from odeflow.problem.axis_names import SUBJECT
from odeflow.problem.names import at_record_name, record_name, vpc_name
from odeflow.problem.records import MODELLED_DURATION, MODELLED_RATE, apart_of
from odeflow.problem.transforms.timelines import timeline


def check_records(config: Config) -> None:
    """Raises ConfigError, one line, for the first mistake of `design.nonmem` and of
    `model.compartments`.
    """
    _check_compartments(config)
    if config.records is None:
        return
    analyse = config.analyse
    for key, given in (
        ("doses", config.doses),
        ("stop", config.stop),
        ("saveat.steady_state", config.saveat.steady_state),
        ("design.preequilibration", config.design.preequilibration),
        ("model.events", config.model.events),
        ("model.algebraic", config.model.algebraic),
        ("model.mass_matrix", config.model.mass_matrix),
        ("solver.reject_drift", config.solver.reject_drift),
        ("analyse.sensitivity", analyse.sensitivity),
        ("analyse.simulate_for_inference", analyse.simulate_for_inference),
        ("runtime.precision: float32", config.runtime.precision == "float32"),
    ):
        if given:
            raise ConfigError(f"design.nonmem: not with {key}; remove one of them")
    computed = config.model.initial_functions
    if computed and config.records.covariates:
        raise ConfigError(
            f"model.states.{next(iter(computed))}.initial: not computed where design.nonmem has "
            "covariates, which change later; give a number, or a bolus as a first record"
        )
    _check_states(config)
    _check_names(config)
    _check_quantities(config)


def check_vpc(config: Config) -> None:
    """Raises ConfigError, one line, where a visual predictive check has nothing to compare."""
    given, design = config.design.records, config.design
    for name, one in config.summary.vpc.items():
        key = f"summary.vpc.{name}"
        if given is None or name not in given.observed:
            raise ConfigError(
                f"{key}: nothing was observed of it; name it in design.nonmem.observed"
            )
        if design.theta is None:
            raise ConfigError(
                f"{key}: needs replicates: design.theta, with a covariance of zeros where typical "
                "values are known"
            )
        if design.conditions:
            raise ConfigError(f"{key}: not with design.conditions; remove them")
        model = config.model
        observables = model.observables.variables if model.observables else {}
        for part in ("observed", "simulated", "time", "number"):
            if vpc_name(name, part) in {*model.states, *model.parameters, *observables}:
                raise ConfigError(
                    f"{key}: the summary needs the name {vpc_name(name, part)}, which model "
                    f"{model.name} has for something else; rename that in the model"
                )
        if one.group is not None and one.group not in given.carried:
            known = ", ".join(given.carried) or "none"
            raise ConfigError(f"{key}.group: no column {one.group!r} is carried; known: {known}")


def _check_compartments(config: Config) -> None:
    """Compartments are states, and what they name are parameters."""
    model = config.model
    for state, one in model.compartments.items():
        key = f"model.compartments.{state}"
        if state not in model.states:
            raise ConfigError(f"{key}: not a state{nearest(state, model.states)}")
        for name in sorted(one.named()):
            if name not in model.parameters:
                raise ConfigError(
                    f"{key}: {name!r} is not a parameter{nearest(name, model.parameters)}"
                )


def _check_states(config: Config) -> None:
    """Doses go into scalar states; what is modelled of them is said."""
    assert config.records is not None
    model = config.model
    effects, theta = config.design.random_effects, config.design.theta
    along = [*(config.saveat.sensitivities or ())]
    assert config.design.records is not None
    for name in config.records.covariates:
        if name in along:
            raise ConfigError(
                f"saveat.sensitivities: records or occasions set {name}; leave it out"
            )
    for name in config.design.records.covariates:
        if name not in model.parameters:
            raise ConfigError(
                f"design.nonmem.covariates.{name}: not a parameter of model {model.name}"
                f"{nearest(name, model.parameters)}"
            )
        drawn = [*(effects.of if effects else ()), *(theta.of if theta else ())]
        if name in [*config.design.set_by_conditions, *drawn]:
            raise ConfigError(
                f"design.nonmem.covariates.{name}: conditions, random effects or theta set it too; "
                "keep one of them"
            )
    for subject, records in config.records.of.items():
        for one in records:
            if one.state not in model.states or model.states[one.state].shape:
                raise ConfigError(
                    f"design.nonmem: ID {subject:g} gets a dose into {one.state}, which is no "
                    "scalar state"
                )
            for rate, key in ((MODELLED_RATE, "rate"), (MODELLED_DURATION, "duration")):
                way = model.compartments.get(one.state)
                if one.gives and one.rate == rate and (way is None or getattr(way, key) is None):
                    raise ConfigError(
                        f"model.compartments.{one.state}.{key}: needed, since ID {subject:g} has "
                        f"RATE {rate:g} at time {one.time:g}"
                    )


def _check_quantities(config: Config) -> None:
    """Lags, durations and the like are ones that doses can have, as far as the model's values say;
    subjects that differ at random are looked at when they are solved.
    """
    assert config.records is not None
    numbers = {name: one.value for name, one in config.model.parameters.items()}
    numbers |= {name: numbers[of] for name, of in config.records.named.items()}
    t0, t1 = config.model.t0, config.model.t1
    for subject in config.records.of:
        timeline(config.records, subject, numbers, t0, apart_of(t0, t1))


def _check_names(config: Config) -> None:
    """Names that the dataset needs are free."""
    model, given = config.model, config.design.records
    assert given is not None
    observables = model.observables.variables if model.observables else {}
    variables = [*model.states, *observables]
    taken = {*variables, *model.parameters, *(d for s in model.states.values() for d in s.dims)}
    needed = [SUBJECT, "row_size", "record", record_name("time")]
    needed.append(record_name("observed"))
    needed += [*map(record_name, given.carried), *map(at_record_name, variables)]
    for name in needed:
        if name in taken:
            raise ConfigError(
                f"design.nonmem: the dataset needs the name {name}, which model {model.name} has "
                "for something else; rename that in the model"
            )
    named = model.observables is None or bool(observables)  # else known when the model is loaded
    for name in dict.fromkeys(name for name in given.observed if name is not None):
        if named and name not in variables:
            raise ConfigError(
                f"design.nonmem.observed: {name!r} is not a state or observable"
                f"{nearest(name, variables)}"
            )
    for name in given.carried:
        own = [one for one in given.carried if record_name(one) == record_name(name)]
        if len(own) > 1 or record_name(name) in map(record_name, ("time", "observed")):
            raise ConfigError(
                f"design.nonmem: columns {', '.join(own)} would both be {record_name(name)} in the "
                "dataset; rename one of them"
            )
