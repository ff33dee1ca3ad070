"""What an estimation is of: parameters and measurements, of PEtab or the study's own."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from odeflow.config.root import Config
from odeflow.config.validate import nearest
from odeflow.files.digests import digest
from odeflow.files.errors import ConfigError
from odeflow.importers.measured import read_measured
from odeflow.importers.nonmem.measurements import read_recorded
from odeflow.importers.petab.likelihood_data import Measurements
from odeflow.importers.petab.of_study import measurements_digest
from odeflow.problem.estimated import Estimated

_KEY = "analyse.estimate"


def read_problem(config: Config, study: Path) -> tuple[list[Estimated], Measurements]:
    """The estimated parameters, in order, and the measurements.

    Arguments:
        config: the experiment, with `analyse.estimate`.
        study: the folder that its files are relative to.

    Returns:
        Both.

    Raises:
        ConfigError: a file is not what is needed, or names what is not there.
    """
    estimate = config.analyse.estimate
    assert estimate is not None
    own = {name: one.estimated(name) for name, one in estimate.parameters.items()}
    if config.design.petab is None:
        nominal = {name: one.value for name, one in config.model.parameters.items()}
        found = [replace(one, nominal=nominal.get(name)) for name, one in own.items()]
        return found, _read_own(config, study)
    from odeflow.importers.petab.data import read_measurements  # which imports libsbml
    from odeflow.importers.petab.estimated import read_estimated

    table = read_estimated(config, study)
    for name in own:
        if name not in [one.name for one in table]:
            raise ConfigError(
                f"{_KEY}.parameters.{name}: {config.design.petab} does not estimate it"
                f"{nearest(name, [one.name for one in table])}"
            )
    found = [replace(own.get(one.name, one), nominal=one.nominal) for one in table]
    return found, read_measurements(config, study)


def _read_own(config: Config, study: Path) -> Measurements:
    """Measurements of a file of the study, or of the data set that its design is."""
    return read_measured(config, study) if config.records is None else read_recorded(config)


def _check_at_rest(config: Config, measurements: Measurements) -> None:
    """What is measured at rest follows from the start, whatever is estimated."""
    for group in measurements.groups:
        if not np.isinf(group.times).any():
            continue
        condition = measurements.conditions[group.condition]
        settings = config.design.conditions.get(condition, {})
        for one in config.model.changes:
            if one.time is not None and settings.get(one.by) == one.number:
                raise ConfigError(
                    f"{_KEY}: {group.variable} is measured at time inf under {condition}, which "
                    f"changes {', '.join(one.formulas)} at {one.time:g}, and derivatives leave "
                    "that out; give a late time in place of inf"
                )


def data_digest(config: Config, study: Path) -> str:
    """Digest of the data that parameters are estimated from, whatever its files are called."""
    estimate = config.analyse.estimate
    assert estimate is not None
    if config.design.petab is not None:
        return str(measurements_digest(config, study))
    data = _read_own(config, study)
    columns = [
        [group.variable, group.condition, group.times.tolist(), group.values.tolist()]
        for group in data.groups
    ]
    noise = [
        [*group.columns, *(np.ravel(x).tolist() for x in group.constants.values())]
        for group in data.groups
    ]
    return digest(columns, noise, list(data.conditions))


def check_estimation(config: Config, study: Path) -> None:
    """Raises ConfigError, one line, where an estimation asked for cannot be done."""
    estimate = config.analyse.estimate
    if estimate is None:
        return
    own = "design.petab" if config.design.petab is not None else ""
    own = "design.nonmem" if config.records is not None else own
    if estimate.data is None and not own:
        raise ConfigError(
            f"{_KEY}.data: needed without design.petab or design.nonmem; name a .csv file"
        )
    if estimate.data is not None and own:
        raise ConfigError(f"{_KEY}.data: {own} has measurements of its own; remove one")
    if config.records is not None and config.design.conditions:
        raise ConfigError(
            f"{_KEY}: nothing says under which of design.conditions DV of design.nonmem was "
            "measured; remove the conditions"
        )
    for axis in config.model.categories:
        raise ConfigError(
            f"{_KEY}: nothing says which of the categories of {axis} a measurement is of; give the "
            "model a single course or array"
        )
    if config.stop is not None:
        raise ConfigError(f"{_KEY}: stop ends trajectories before what is measured; remove stop")
    if config.runtime.precision != "float64":
        raise ConfigError(f"{_KEY}: derivatives need runtime.precision=float64")
    parameters, measurements = read_problem(config, study)
    if not parameters:
        raise ConfigError(f"{_KEY}.parameters: nothing to estimate; name a parameter with bounds")
    _check_names(config, [one.name for one in parameters])
    _check_at_rest(config, measurements)
    known = [one.name for one in parameters]
    for name in estimate.profiles if estimate.profiles != "all" else ():
        if name not in known:
            raise ConfigError(f"{_KEY}.profiles: {name!r} is not estimated{nearest(name, known)}")
    walkers = estimate.posterior.walkers if estimate.posterior else "auto"
    if walkers != "auto" and walkers < 2 * len(known):
        raise ConfigError(
            f"{_KEY}.posterior.walkers: {walkers} for {len(known)} parameters; at least "
            f"{2 * len(known)} are needed"
        )
    read = {name for group in measurements.groups for name in group.columns}
    for name in sorted(read - {*known}):
        if name not in [*config.design.axes, *config.design.set_by_conditions]:
            raise ConfigError(
                f"{_KEY}.noise: {name!r} is not estimated; give it bounds in {_KEY}.parameters"
                f"{nearest(name, known)}"
            )


def _check_names(config: Config, names: list[str]) -> None:
    """Each is a quantity of the model, or one that noise reads."""
    estimate, model = config.analyse.estimate, config.model
    assert estimate is not None
    known = [*model.parameters, *model.states, *estimate.noise_names]
    covariates = config.design.records.covariates if config.design.records else ()
    for name in names if config.design.petab is None else ():
        key = f"{_KEY}.parameters.{name}"
        if name not in known:
            raise ConfigError(
                f"{key}: not a parameter or state, and no noise{nearest(name, known)}"
            )
        if name in model.states and model.states[name].shape:
            raise ConfigError(f"{key}: an array state; a scalar is needed")
        if name in covariates:
            raise ConfigError(f"{key}: a covariate of design.nonmem; estimate what depends on it")
        if name in config.design.set_by_conditions:
            raise ConfigError(f"{key}: design.conditions set it; estimate what they set it to")
