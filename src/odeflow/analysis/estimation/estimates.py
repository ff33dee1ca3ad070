"""From ended starts to `estimates.nc`: the best fit, intervals, profiles and draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from odeflow.analysis.estimation.convergence import effective_size, r_hat
from odeflow.analysis.estimation.labels import measured_labels, parameter_units
from odeflow.analysis.estimation.multistart import fit
from odeflow.analysis.estimation.not_finite import why_not_finite
from odeflow.analysis.estimation.objective import Objective
from odeflow.analysis.estimation.parameters import Parameters
from odeflow.analysis.estimation.posterior import posterior
from odeflow.analysis.estimation.predictive import predictive
from odeflow.analysis.estimation.profiles import Identifiability, Profile, profiles
from odeflow.analysis.estimation.simulation import Simulation
from odeflow.analysis.estimation.trust_region import Options
from odeflow.analysis.estimation.uncertainty import curvature, normal_interval, threshold
from odeflow.config.estimate import EstimateConfig
from odeflow.config.root import Config
from odeflow.engines.choice import Resources
from odeflow.files.flags import flag_attributes
from odeflow.importers.estimation import read_problem
from odeflow.problem.estimated import SCALES
from odeflow.problem.noise import TRANSFORMATIONS

#: Objectives that differ by less are of one optimum.
_SAME = 0.1


def make_objective(config: Config, study: Path, resources: Resources) -> Objective:
    """The objective that a config asks for.

    Arguments:
        config: the experiment, with `analyse.estimate`.
        study: the folder that its files are relative to.
        resources: cores, and the folder for compiled code.

    Returns:
        The negative log-posterior.

    Raises:
        ConfigError: the model does not load, or derivatives along a parameter are not known.
    """
    assert config.analyse.estimate is not None
    estimated, measurements = read_problem(config, study)
    simulation = Simulation(config, study, Parameters(estimated), measurements, resources)
    return Objective(simulation, config.analyse.estimate.closed_form)


def options_of(estimate: EstimateConfig) -> Options:
    """When a start ends, as a config says."""
    return Options(max_iterations=estimate.max_steps)


def fit_numbers(
    objective: Objective,
    numbers: Sequence[int],
    estimate: EstimateConfig,
    progress: Callable[[int], None] | None = None,
) -> xr.Dataset:
    """Some starts, fitted as a config says.

    Arguments:
        objective: what they minimise.
        numbers: of the starts, from 0.
        estimate: what is asked for.
        progress: called with the number of starts that have ended.

    Returns:
        As `multistart.fit`.
    """
    return fit(
        objective, estimate.seed, numbers, options_of(estimate), progress,
        candidates=estimate.candidates, hops=estimate.hops,
    )  # fmt: skip


def estimates(objective: Objective, starts: xr.Dataset, estimate: EstimateConfig) -> xr.Dataset:
    """What all starts together say.

    Arguments:
        objective: what they have minimised.
        starts: all starts, as `multistart.fit` returns them, in order.
        estimate: what is asked for.

    Returns:
        The starts with their rank; over `parameter` the best fit with errors, limits and
        identifiability; `fisher_information`, `covariance`; over `measurement` data, values by
        the best fit, noise and residuals; `profile_value` and `profile_objective`; with
        `posterior` the draws over (chain, draw, parameter); quantiles of what prior and posterior
        foretell of each measurement.
    """
    parameters, found = objective.parameters, _ranked(starts)
    if not np.isfinite(found["objective"].values).any():
        attributes = {"comment": why_not_finite(objective, starts["start_point"].values)}
        return found.assign(_described(parameters)).assign_attrs(attributes)
    row = int(found["rank"].values.argmin())
    best, least = found["end_point"].values[row], float(found["objective"].values[row])
    whole = Objective(objective.simulation, closed_form=False)
    fisher = whole.slopes(best[None]).fisher[0]
    free = (best > parameters.lower) & (best < parameters.upper)
    known = curvature(fisher, free)
    chosen = estimate.profiles
    numbers = [i for i, name in enumerate(parameters.names) if chosen == "all" or name in chosen]
    rise = threshold(estimate.level)
    lines = profiles(whole, best, least, known.standard_error, numbers, rise, options_of(estimate))
    reach = normal_interval(
        best, known.standard_error, parameters.lower, parameters.upper, estimate.level
    )
    found = found.assign(_described(parameters))
    model = objective.simulation.config.model
    found = found.assign_coords(parameter_units=parameter_units(model, parameters.names))
    found = found.assign(_best(parameters, best, known.standard_error, reach))
    both = ("parameter", "other_parameter")
    found = found.assign(
        fisher_information=_variable(both, fisher, "Fisher information at the best fit"),
        covariance=_variable(both, known.covariance, "covariance by the Fisher information"),
        eigenvalue=_variable("mode", known.eigenvalues, "eigenvalues of the Fisher information"),
    )
    found = found.assign_coords(other_parameter=("other_parameter", np.array(parameters.names)))
    found = found.assign(_profiled(parameters.size, lines))
    found = found.assign(_fitted(objective, best))
    measured = objective.simulation.measurements.variables
    found["measured_variable"].attrs |= measured_labels(model, measured)
    found = found.assign_attrs(_facts(found, least, estimate.level))
    if estimate.posterior is not None:
        found = found.merge(
            posterior(whole, best, known.covariance, estimate.posterior, estimate.seed)
        )
        found = found.assign(_convergence(found["posterior"].values))
    drawn = found["posterior"].values.reshape(-1, parameters.size) if "posterior" in found else None
    return found.merge(predictive(whole, estimate.seed, drawn))


def _ranked(starts: xr.Dataset) -> xr.Dataset:
    order = np.argsort(starts["objective"].values, kind="stable")
    rank = np.empty(len(order), int)
    rank[order] = np.arange(len(order))
    return starts.assign(rank=_variable("start", rank, "place of the start, the best one is 0"))


def _described(parameters: Parameters) -> dict[str, xr.Variable]:
    scales = np.array([SCALES.index(one.scale) for one in parameters.all], np.int8)
    attributes = {"long_name": "scale of the parameter", **flag_attributes(SCALES, np.int8)}
    return {
        "parameter_scale": xr.Variable("parameter", scales, attributes),
        "lower_bound": _variable("parameter", parameters.lower, "lower bound on the scale"),
        "upper_bound": _variable("parameter", parameters.upper, "upper bound on the scale"),
    }


def _best(
    parameters: Parameters, best: np.ndarray, errors: np.ndarray, reach: tuple[Any, Any]
) -> dict[str, xr.Variable]:
    dim = "parameter"
    return {
        "estimate": _variable(dim, parameters.values(best[None])[0], "value of the best fit"),
        "best_point": _variable(dim, best, "best fit on the scale"),
        "standard_error": _variable(dim, errors, "standard error on the scale"),
        "normal_low": _variable(dim, reach[0], "lower limit by the standard error"),
        "normal_high": _variable(dim, reach[1], "upper limit by the standard error"),
    }


def _profiled(size: int, lines: list[Profile]) -> dict[str, xr.Variable]:
    most = max((len(one.value) for one in lines), default=0)
    values, objectives = (np.full((size, most), np.nan) for _ in range(2))
    low, high = np.full(size, np.nan), np.full(size, np.nan)
    kinds = np.full(size, Identifiability.not_profiled, np.int8)
    for one in lines:
        i, number = one.parameter, len(one.value)
        values[i, :number], objectives[i, :number] = one.value, one.objective
        low[i], high[i], kinds[i] = one.low, one.high, one.identifiability
    words = flag_attributes([one.name for one in Identifiability], np.int8)
    both = ("parameter", "profile_point")
    return {
        "profile_value": _variable(both, values, "value on the scale that is held"),
        "profile_objective": _variable(both, objectives, "least objective with it"),
        "profile_low": _variable("parameter", low, "lower limit by the profile"),
        "profile_high": _variable("parameter", high, "upper limit by the profile"),
        "identifiability": xr.Variable(
            "parameter", kinds, {"long_name": "what the profile says of the parameter", **words}
        ),
    }


def _fitted(objective: Objective, best: np.ndarray) -> dict[str, xr.Variable]:
    """Data, values by the best fit, noise, and residuals in units of the noise."""
    data = objective.simulation.measurements
    simulated = objective.simulated(best[None])
    columns = {key: np.full(data.number, np.nan) for key in ("value", "time")}
    flags = {key: np.zeros(data.number, np.int16) for key in ("variable", "condition", "scale")}
    for group in data.groups:
        columns["value"][group.rows], columns["time"][group.rows] = group.values, group.times
        flags["variable"][group.rows] = data.variables.index(group.variable)
        flags["condition"][group.rows] = group.condition
        flags["scale"][group.rows] = TRANSFORMATIONS.index(group.transformation)
    dim, conditions = "measurement", [name or "all" for name in data.conditions] or ["all"]
    words = {"variable": data.variables, "condition": conditions, "scale": TRANSFORMATIONS}
    names = {"variable": "variable", "condition": "condition", "scale": "transformation"}
    model = objective.simulation.config.model
    time = {"long_name": "time", "units": model.time_units}
    return {
        "measured_value": _variable(dim, columns["value"], "measured value"),
        "measured_time": xr.Variable(dim, columns["time"], time),
        "fitted_value": _variable(dim, simulated.values[0], "value by the best fit"),
        "fitted_noise": _variable(dim, simulated.noise[0], "noise by the best fit"),
        "residual": _variable(
            dim, objective.residuals(simulated)[0], "measured less fitted value, over the noise"
        ),
        **{
            f"measured_{names[key]}": xr.Variable(
                dim, flags[key], {"long_name": names[key], **flag_attributes(words[key], np.int16)}
            )
            for key in flags
        },
    }


def _facts(found: xr.Dataset, least: float, level: float) -> dict[str, Any]:
    objectives = found["objective"].values
    return {
        "best_objective": least,
        "starts_at_best": int((objectives < least + _SAME).sum()),
        "level": level,
    }


def _convergence(draws: np.ndarray) -> dict[str, xr.Variable]:
    chains = np.moveaxis(draws, -1, 0)
    return {
        "r_hat": _variable("parameter", np.array([r_hat(x) for x in chains]), "R-hat of the draws"),
        "effective_size": _variable(
            "parameter", np.array([effective_size(x) for x in chains]), "effective number of draws"
        ),
    }


def _variable(dims: Any, values: np.ndarray, long_name: str) -> xr.Variable:
    return xr.Variable(dims, values, {"long_name": long_name, "units": "1"})
