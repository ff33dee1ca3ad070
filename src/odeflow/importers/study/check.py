"""Checks that span groups and need values: axes, saved times, names of variables."""

from pathlib import Path

import numpy as np

from odeflow.config.doses import DoseConfig
from odeflow.config.figure_choice import figure_kinds
from odeflow.config.functions import check_function, check_functions
from odeflow.config.ladder import ladder
from odeflow.config.levels import count
from odeflow.config.metrics import (
    check_metric_names,
    reduced_summary,
)
from odeflow.config.root import Config
from odeflow.config.saved_times import save_times
from odeflow.config.times import check_times
from odeflow.config.wanted import wanted_metrics
from odeflow.design import CONDITION, axis_names, check_axes, column_names, has_own_ends
from odeflow.files.errors import ConfigError
from odeflow.importers.estimation import check_estimation
from odeflow.importers.inputs import check_inputs
from odeflow.importers.model_data import check_precision, read_data
from odeflow.importers.sbml.config import fixed_observables
from odeflow.importers.study.algebraic import check_algebraic_use
from odeflow.importers.study.analyses import (
    check_analysis,
    check_training_outputs,
    known_names,
)
from odeflow.importers.study.delays import check_delays_use
from odeflow.importers.study.followed import check_followed
from odeflow.importers.study.method_use import check_method_use
from odeflow.importers.study.records import check_records, check_vpc
from odeflow.importers.study.saved_events import check_saved_events
from odeflow.importers.study.training_set import check_training_set
from odeflow.problem.axis_names import axis_coordinate
from odeflow.problem.derivative_names import sensitivity_names, time_derivative_names
from odeflow.problem.names import with_error_name
from odeflow.problem.time_text import shown_time

#: Times that may be saved: 8 MB per variable and trajectory.
_MOST_TIMES = 10**6


def check(config: Config, study: Path) -> None:
    """Raises ConfigError, one line, for the first mistake that the schema alone cannot see."""
    check_axes(config, study)
    _check_doses(config, study)
    check_records(config)
    _check_stop(config)
    _check_steady_states(config)
    check_algebraic_use(config, study)
    check_delays_use(config, study)
    check_method_use(config)
    _check_times(config)
    _check_variables(config, study)
    check_followed(config)
    check_saved_events(config)
    _check_bands(config, study)
    _check_intervals(config)
    check_vpc(config)
    _check_plot(config, study)
    check_analysis(config, study)
    check_functions(config.model, study)
    read_data(config.model, study)
    check_precision(config.model, study, config.runtime.precision)
    check_inputs(config, study)
    check_estimation(config, study)
    check_training_set(config, study)
    check_training_outputs(config)
    known = config.model.invariants
    if config.verify.max_drift is not None and (known is None or known.function is None):
        raise ConfigError(
            f"verify.max_drift: model {config.model.name} names no invariants; give it "
            "model.invariants, or leave this null"
        )
    if config.verify.max_drift is not None and (config.is_dosed or config.model.events):
        raise ConfigError(
            "verify.max_drift: doses and events change what is conserved, so no drift is recorded; "
            "leave this null"
        )
    if config.solver.reject_drift and config.verify.max_drift is None:
        raise ConfigError(
            "solver.reject_drift: there is no limit to keep; set verify.max_drift, or leave this "
            "false"
        )


def _check_times(config: Config) -> None:
    if config.saveat.ts is None:
        check_times(config, [])
        return
    given = config.saveat.ts
    number = len(given) if isinstance(given, list) else count(given, "saveat.ts")
    if number > _MOST_TIMES:
        raise ConfigError(
            f"saveat.ts: {number:,} times; at most {_MOST_TIMES:,} can be saved, ask for fewer"
        )
    ts = save_times(config)
    t0, t1 = config.model.t0, config.model.t1
    # linspace and friends may end one rounding error beyond t1
    outside = [t for t in ts if not t0 <= t <= t1]
    if outside:
        raise ConfigError(
            f"saveat.ts: {shown_time(outside[0], t0, t1)} is outside the model's time span "
            f"[{shown_time(t0, t1)}, {shown_time(t1, t0)}]; change saveat.ts or model.t0 and "
            "model.t1"
        )
    for a, b in zip(ts, ts[1:]):
        if not a < b:
            raise ConfigError(
                f"saveat.ts: times must increase, but {shown_time(b, a)} follows {shown_time(a, b)}"
            )
    check_times(config, ts)


def _check_steady_states(config: Config) -> None:
    """Whether what is asked for at rest can be: names, and what does not go with it."""
    design, states = config.design, config.model.states
    asked = {"design.preequilibration": bool(design.preequilibration)}
    asked["saveat.steady_state"] = config.saveat.steady_state
    for key in (key for key, is_asked in asked.items() if is_asked):
        arrays = [name for name, state in states.items() if state.shape]
        if arrays:
            raise ConfigError(f"{key}: {arrays[0]} is an array; a model of scalar states is needed")
        for other, given in (
            ("doses", config.doses),
            ("stop", config.stop),
            ("saveat.sensitivities", config.saveat.sensitivities),
        ):
            if given:
                raise ConfigError(f"{key}: not with {other}; remove one of them")
    known = [*config.model.parameters, *states]
    for condition, before in design.preequilibration.items():
        key = f"design.preequilibration.{condition}"
        known_names(f"{key}.settings", before.settings, known, "a parameter or state")
        known_names(f"{key}.reset", before.reset, states, "a state")


def _check_doses(config: Config, study: Path) -> None:
    """Names in doses exist: targets in the model, quantities among its parameters and the axes."""
    if not config.doses:
        return
    model, axes = config.model, axis_names(config.design, study)
    own = [name for name in axes if name not in {*model.states, *model.parameters}]
    quantities = [*model.parameters, *own]
    if any(name not in quantities for dose in config.plain_doses for _, name in dose.named()):
        quantities += fixed_observables(model, study)
    for number, dose in enumerate(config.doses):
        key = f"doses.{number}"
        if dose.state is not None:
            known_names(f"{key}.state", [dose.state], model.states, "a state")
            _check_index(f"{key}.index", dose, model.states[dose.state].shape)
        else:
            parameters = [*model.parameters, *model.arrays]
            known_names(f"{key}.parameter", [dose.parameter or ""], parameters, "a parameter")
        for place, name in dose.dose.named():
            known_names(f"{key}.{place}", [name], quantities, "an axis or a parameter")
        for time in dose.dose.first_times:
            if isinstance(time, float | int) and time < model.t0:
                before, start = shown_time(time, model.t0), shown_time(model.t0, time)
                raise ConfigError(f"{key}: a time {before} is before model.t0, {start}")


def _check_index(key: str, dose: DoseConfig, shape: tuple[int, ...]) -> None:
    """An index names one component of the state."""
    fits = len(dose.index) == len(shape) and all(i < n for i, n in zip(dose.index, shape))
    if not fits:
        needed = " x ".join(map(str, shape))
        what = f"an array ({needed}): give a list of {len(shape)}" if shape else "a scalar"
        raise ConfigError(
            f"{key}: {dose.index} does not fit the state {dose.state}, which is {what}"
        )


def _check_stop(config: Config) -> None:
    stop = config.stop
    if stop is None:
        return
    if not (stop.above or stop.below or stop.steady_state):
        raise ConfigError("stop: no condition; give above, below or steady_state, or remove it")
    states, observables = config.model.states, config.model.observables
    if observables is not None and not observables.variables:
        return  # names are checked when the model is loaded
    known = [
        *(name for name, state in states.items() if not state.shape),
        *(observables.variables if observables else []),
    ]
    for key in ("above", "below"):
        names = getattr(stop, key)
        known_names(f"stop.{key}", names, known, "a scalar state or an observable")


def _check_variables(config: Config, study: Path) -> None:
    states = config.model.states
    observables = config.model.observables
    known = [*states, *(observables.variables if observables else [])]
    # Observables need not be declared; undeclared names are checked when the model is loaded.
    closed = observables is None or bool(observables.variables)
    for number, attempt in enumerate(ladder(config)):
        atol = attempt.solver.atol
        shorter = "solver.reject_drift" if config.solver.reject_drift else ""
        shorter = "model.nonnegative" if config.model.nonnegative else shorter
        kinked = [n for n, x in config.model.inputs.items() if not x.jumps]
        if kinked and attempt.solver.stepsize_controller == "constant":
            where = f"runtime.retry.{number - 1}" if number else "solver"
            raise ConfigError(
                f"{where}.stepsize_controller: constant steps do not end where the input "
                f"{kinked[0]} has its kinks; take pid, or interpolation: previous"
            )
        if shorter and attempt.solver.stepsize_controller == "constant":
            where = f"runtime.retry.{number - 1}" if number else "solver"
            raise ConfigError(
                f"{where}.stepsize_controller: constant steps cannot be taken again, shorter, as "
                f"{shorter} asks; take pid, or leave {shorter} out"
            )
        key = f"runtime.retry.{number - 1}.atol" if number else "solver.atol"
        if isinstance(atol, dict):
            known_names(key, atol, states, "a state")
            missing = [name for name in states if name not in atol]
            if missing:
                raise ConfigError(f"{key}: no tolerance for the state {', '.join(missing)}")
    sensitivities = config.saveat.sensitivities or []
    axes = [*config.model.parameters, *config.model.arrays, *states]
    known_names("saveat.sensitivities", sensitivities, axes, "a parameter or state")
    _check_sensitivities(config)
    derivatives = sensitivity_names(known, sensitivities, config.model.declaration())
    if not closed:
        return
    kept = config.saveat.variables
    what = "a state or observable"
    if kept is not None:
        if not kept:
            raise ConfigError("saveat.variables: an empty list keeps nothing; null keeps all")
        known_names("saveat.variables", kept, known, what)
        known, what = kept, "a saved variable"
    known = [*known, *(name for name, (variable, _) in derivatives.items() if variable in known)]
    for key, names in config.summary.named.items():
        known_names(f"summary.{key}", names, known, what)
    known_names("plot.variables", config.plot.variables or (), known, what)
    columns = axis_names(config.design, study)
    reduced = reduced_summary(config, has_own_ends(config, columns))
    in_model = [*states, *(observables.variables if observables else []), *config.model.parameters]
    coordinates = [axis_coordinate(name, config.model) for name in columns]
    for summary, taken in ((reduced, in_model), (config.summary, coordinates)):
        of = known if summary.variables is None else summary.variables
        check_metric_names(summary, of, taken)


def _check_intervals(config: Config) -> None:
    """Dosing intervals begin and end at saved times, and what is found of them has free names."""
    states, ts = config.model.states, np.array(save_times(config))
    for name, one in config.summary.nca.items():
        key = f"summary.nca.{name}"
        if name in states and states[name].shape:
            raise ConfigError(f"{key}: {name} is an array; a scalar variable is needed")
        for time in (end for start in one.times for end in (start, start + one.tau)):
            if np.abs(ts - time).min() > 1e-9 * max(abs(time), np.abs(ts).max()):
                shown = shown_time(time, config.model.t0)
                raise ConfigError(f"{key}: {shown} is no saved time; add it to saveat.ts")


def _check_bands(config: Config, study: Path) -> None:
    """Groups are of the design; what would be measured is saved, and its names are free."""
    model, asked = config.model, config.summary.residual_error
    if config.summary.group is not None:
        columns = column_names(config.design, study)
        known_names("summary.group", [config.summary.group], columns, "a column of the design")
        if config.design.kind == "grid":
            raise ConfigError("summary.group: not for a grid, which has a dimension for each axis")
    observables = model.observables.variables if model.observables else {}
    for name in asked:
        if config.saveat.ts is None:
            raise ConfigError(f"summary.residual_error.{name}: no times are saved; set saveat.ts")
        made = with_error_name(name)
        if made in {*model.states, *model.parameters, *observables}:
            raise ConfigError(
                f"summary.residual_error.{name}: the dataset calls what is measured {made}, a name "
                "that the model has for something else; rename that in the model"
            )


def _check_plot(config: Config, study: Path) -> None:
    kinds, plot = figure_kinds(config), config.plot
    for reference in plot.functions.values():
        check_function("plot.figures", reference, study)
    for reference in config.summary.functions:
        check_function("summary.functions", reference, study)
    if config.summary.functions and config.saveat.ts is None:
        raise ConfigError(
            "summary.functions: no times are saved, of which they would be given; set saveat.ts"
        )
    sheet = plot.style if plot.style and plot.style.endswith(".mplstyle") else None
    if sheet is not None and not (study / sheet).is_file():
        raise ConfigError(f"plot.style: no file {sheet!r} in the study's folder")
    axes = axis_names(config.design, study)
    if plot.group is not None and plot.group != CONDITION:
        known_names("plot.group", [plot.group], axes, "an axis of the design")
    known_names("plot.axes", plot.axes or (), axes, "an axis of the design")
    if plot.axes is not None and len(plot.axes) < 2 and {"heat_map", "status_map"} & {*kinds}:
        raise ConfigError(f"plot.axes: a map needs two axes, not {len(plot.axes)}; null takes them")
    states, observables = config.model.states, config.model.observables
    if observables is not None and not observables.variables:
        return  # their names are known when the model is loaded
    named = config.summary.variables or config.saveat.variables
    named = named or [*states, *(observables.variables if observables else ())]
    scalars = [name for name in named if name not in states or not states[name].shape]
    metrics = [f"{name}_{m}" for name in scalars for m in wanted_metrics(config.summary, name)]
    metrics += config.summary.function_units
    if config.design.petab is not None:
        metrics += ["log_likelihood", *(f"{name}_log_likelihood" for name in named)]
    if plot.metrics:
        known_names("plot.metric", plot.metrics, metrics, "a metric of the summary")
    elif not metrics and {"heat_map", "metric_scatter"} & {*kinds} and plot.figures != "auto":
        raise ConfigError("plot.figures: heat_map and metric_scatter need a metric of the summary")


def _check_sensitivities(config: Config) -> None:
    """What an axis decides on at t0 would be held constant, and the derivatives be wrong."""
    if config.stop is not None:
        time_derivative_names(config.saveat.sensitivities or [], config.model.declaration())
    for condition, settings in config.design.conditions.items():
        for name, value in settings.items():
            if value in (config.saveat.sensitivities or []):
                raise ConfigError(
                    f"saveat.sensitivities: {value} sets {name} under the condition {condition}, "
                    "and derivatives leave that out; take it out"
                )
    for name, depends_on in (config.model.computed or {}).items():
        for axis in config.saveat.sensitivities or []:
            if axis in depends_on:
                raise ConfigError(
                    f"saveat.sensitivities: {axis} decides on the start of {name} in "
                    f"{config.model.origin}, and derivatives leave that out; make it an axis of "
                    "the design instead"
                )
