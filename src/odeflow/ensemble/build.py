"""A config becomes what is solved: one model, one problem, and the lanes of any of its samples.

Solving, reproducing and checking all build it here. Verification builds its own, see
`trust.verification`, so that a mistake in this one shows.
"""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float, Real

from odeflow.config.ladder import ladder
from odeflow.config.metrics import check_metric_names, reduced_summary
from odeflow.config.root import Config
from odeflow.config.saved_times import saves_times, solve_times
from odeflow.config.solver import SolverConfig
from odeflow.config.wanted import wanted_metrics
from odeflow.design import END, has_own_ends
from odeflow.engines.choice import EngineChoice, Resources, choose_engine
from odeflow.engines.shared.watch import counted_before
from odeflow.ensemble.periodic import PeriodicOrbits
from odeflow.files.errors import ConfigError
from odeflow.importers.loading import load_invariants, load_model
from odeflow.importers.metric_functions import MetricFunctions
from odeflow.importers.saved_events import saved_events, with_crossings
from odeflow.problem.attempt import Attempt
from odeflow.problem.clock import Clock
from odeflow.problem.measures import NOISE, CountedPeaks, MeasuredPart
from odeflow.problem.model import Model
from odeflow.problem.problem import Lanes, Problem, rows_below
from odeflow.problem.reductions import Reduction
from odeflow.problem.solver import Solver, Tolerances
from odeflow.problem.time_resolution import check_span
from odeflow.problem.time_text import shown_time
from odeflow.problem.transforms.algebraic import started, with_algebraic
from odeflow.problem.transforms.delays import with_history
from odeflow.problem.transforms.dose_derivatives import DoseDerivatives
from odeflow.problem.transforms.doses import jump_targets, schedule, with_doses
from odeflow.problem.transforms.drift_limit import DriftLimit, with_drift_limit
from odeflow.problem.transforms.given_doses import DosesOfModel, PlainDoses
from odeflow.problem.transforms.invariants import Drift, with_invariants
from odeflow.problem.transforms.recorded_doses import DosesOfRecords
from odeflow.problem.transforms.records import recorded, recorded_doses, with_records
from odeflow.problem.transforms.sensitivity import (
    at_start,
    sensitivity_tolerances,
    with_sensitivities,
)
from odeflow.problem.transforms.stops import comment as stop_comment
from odeflow.problem.transforms.stops import stop_guards
from odeflow.problem.transforms.switching import Switching, with_switching

#: Values of the axes by name: numbers, of categories and conditions whole ones.
Axes = Mapping[str, Real[np.ndarray, " sample"]]


@dataclass(frozen=True, eq=False)
class Built:
    """An experiment built: what an engine solves, which engine, and the attempts at it.

    `model` has the rates of infusions and the sensitivities; `switching` is the problem of it, with
    the invariants and with stops where time switches something; `limit` is None where no drift
    rejects a step.
    """

    config: Config
    model: Model
    switching: Switching
    drift: Drift
    limit: DriftLimit | None
    engine: EngineChoice

    @property
    def problem(self) -> Problem:
        """What an engine solves."""
        return self.switching.problem if self.limit is None else self.limit.problem

    @property
    def lane_bytes(self) -> int:
        """Bytes of one trajectory: what is saved of it, and its stops."""
        return self.problem.lane_bytes + self.switching.lane_bytes

    def attempts(self) -> tuple[Attempt, ...]:
        """The attempts that `runtime.retry` asks for, the first as configured."""
        bounded, model = self.switching.bounded, self.switching.model
        return tuple(
            rung.attempt(bounded(resolved(rung.solver, model))) for rung in ladder(self.config)
        )

    def lanes(self, axes: Axes, resources: Resources | None = None) -> Lanes:
        """The lanes of samples with these values of the axes.

        `resources` are for what has to be solved to know them: steady states of repeated doses.
        """
        model = self.switching.model
        lanes = make_lanes(self.config, model, axes)
        before = at_start(model, started(model, lanes))
        if self.config.records is None:
            lanes = at_start(model, scheduled(self.config, model, axes, before))
        else:
            lanes = at_start(model, self._recorded(axes, before, resources or Resources()))
        lanes = self.switching.scheduled(lanes)
        if self.limit is not None:
            lanes = self.limit.limited(lanes)
        if not self.problem.counted:
            return lanes
        args = np.concatenate([before.args, lanes.args[len(before.args) :]])
        return replace(lanes, counted=counted_before(self.problem, before.y0, args))

    def _recorded(self, axes: Axes, lanes: Lanes, resources: Resources) -> Lanes:
        """Lanes with the doses that are recorded of their subjects."""
        orbits = lambda doses, args: self._orbits(doses, args, resources)
        dosing = self.model.dosing
        assert isinstance(dosing, DosesOfRecords | DoseDerivatives)
        return recorded(dosing, orbits, axes, lanes)

    @cached_property
    def _orbits(self) -> PeriodicOrbits:
        doses = recorded_doses(self.model.dosing)
        return PeriodicOrbits(self.config, doses.model, doses.records)


def build(config: Config, study: Path, axes: Iterable[str]) -> Built:
    """An experiment with these axes.

    Raises ConfigError where the model does not load or the engine asked for cannot run it.
    """
    model = load_model(config.model, study)
    # doses and events change what is conserved
    changed = config.is_dosed or config.model.events
    drift = Drift(None if changed else load_invariants(config.model, study))
    whole = build_augmented(config, augmented(config, model), axes, drift)
    if config.summary.functions:
        _try_functions(config, study, whole)
    return whole


def _try_functions(config: Config, study: Path, built: Built) -> None:
    """Raises ConfigError where a function of `summary.functions` does not do."""
    problem, states = built.problem, built.model.declared.states
    others = {*problem.model.derivatives, *built.drift.names}
    shapes = {
        name: states[name].shape if name in states else ()
        for name in problem.variables
        if name not in others
    }
    MetricFunctions(config.summary, study, shapes, list(config.model.parameters), problem.times)


def build_augmented(
    config: Config, model: Model, axes: Iterable[str], drift: Drift | None = None
) -> Built:
    """As `build`, of an `augmented` model; without a drift no invariant is looked at."""
    drift = drift or Drift(None)
    observed = with_crossings(with_invariants(model, drift), config.saveat.events)
    problem = make_problem(config, observed, has_own_ends(config, axes), drift.names)
    switching = with_switching(problem)
    unwatched = stop_comment(config.stop and config.stop.stop, model)
    if unwatched:
        warnings.warn(unwatched, stacklevel=2)
        comments = [text for text in (switching.comment, unwatched) if text]
        switching = switching._replace(comment="; ".join(comments))
    limit, problem = None, switching.problem
    if config.solver.reject_drift:
        assert config.verify.max_drift is not None  # as `importers.study.check` sees to
        limit = with_drift_limit(problem, drift, config.verify.max_drift)
        problem = limit.problem
    chosen = choose_engine(problem, config.runtime.engine, config.runtime.device)
    return Built(config, model, switching, drift, limit, chosen)


def augmented(config: Config, model: Model) -> Model:
    """A model with its mass matrix, the rates of a config's infusions, the sensitivities asked for.

    Raises ConfigError as `with_algebraic` and `with_sensitivities` do.
    """
    plain, clock = config.plain_doses, clock_of(config)
    doses: DosesOfModel | None = None
    model = with_doses(with_algebraic(model, tolerances_of(config, model)), plain)
    if config.records is not None:
        model = with_records(model, config.records, clock)
        doses = recorded_doses(model.dosing)
    elif plain:
        doses = PlainDoses(plain, clock, model)
    axes = config.saveat.sensitivities or []
    stop = config.stop and config.stop.stop
    return with_sensitivities(model, axes, doses, stop, tolerances_of(config, model))


def make_problem(
    config: Config, model: Model, own_ends: bool = False, drifting: tuple[str, ...] = ()
) -> Problem:
    """The problem of an `augmented` model; raises ConfigError for a variable that does not exist.

    `drifting` are the model's invariants, which are evaluated whatever variables are saved.
    """
    known = [name for name in model.variables() if name not in {*drifting, *model.hidden}]
    asked = config.saveat.variables
    own = [name for name in known if name not in model.derivatives]
    for name in asked or ():
        if name not in own:
            raise ConfigError(
                f"saveat.variables: {name!r} is not a state or observable; known: {', '.join(own)}"
            )
    kept = known if asked is None else [*asked, *_derivatives_of(model, asked)]
    variables = tuple(name for name in known if name in kept)
    ts = np.array(solve_times(config)) if saves_times(config) else None
    stops = stop_guards(config.stop and config.stop.stop, model, tolerances_of(config, model))
    return Problem(
        model=model,
        solver=resolved(config.solver, model),
        ts=ts,
        variables=variables + drifting,
        dtype=np.dtype(config.runtime.precision),
        reductions=_reductions(config, model, variables, own_ends),
        own_ends=own_ends,
        jumps=jump_targets(model, config.plain_doses),
        stops=stops,
        counted=config.is_dosed and bool(stops or model.events),
        events=saved_events(model, config.saveat.events, config.model.states),
    )


def _derivatives_of(model: Model, variables: Iterable[str]) -> list[str]:
    return [name for name, (of, _) in model.derivatives.items() if of in variables]


def _reductions(
    config: Config, model: Model, variables: tuple[str, ...], own_ends: bool
) -> tuple[Reduction, ...]:
    """The metrics to reduce while solving."""
    summary, tolerances = reduced_summary(config, own_ends), tolerances_of(config, model)
    asked = {name for names in summary.named.values() for name in names}
    named = [name for name in variables if name in asked or name not in model.derivatives]
    if summary.variables is not None:
        named = summary.variables
    for key, names in summary.named.items():
        for name in names:
            if name not in variables:
                raise ConfigError(
                    f"summary.{key}: {name!r} is not a saved variable; "
                    f"known: {', '.join(variables)}"
                )
    check_metric_names(summary, named, [*model.variables(), *model.declared.parameters])
    return tuple(
        Reduction(name, metric, wanted.threshold, _resolved(wanted.part, name, tolerances))
        for name in variables
        if name in named
        for metric, wanted in wanted_metrics(summary, name).items()
    )


def _resolved(part: MeasuredPart | None, name: str, tolerances: Tolerances) -> MeasuredPart | None:
    """A part of a measure of a variable; peaks without a prominence stand out from the errors."""
    if part is None or not isinstance(part.measure, CountedPeaks):
        return part
    if part.measure.prominence is not None:
        return part
    least, relative = NOISE * tolerances.of(name), NOISE * tolerances.rtol
    peaks = replace(part.measure, prominence=least, relative=relative)
    return MeasuredPart(peaks, part.output)


def make_lanes(config: Config, model: Model, axes: Axes) -> Lanes:
    """Initial values and parameters of every sample: those of the axes, computed or declared.

    Raises ConfigError for a negative state that cannot be, an end that is not after t0, and a delay
    that is not positive.
    """
    size = len(next(iter(axes.values()))) if axes else 1
    axes = {**axes, **_categories(config, axes)}
    axes, declared, y0 = {**axes, **model.start(axes)}, model.declared, []
    for name, state in declared.states.items():
        values = np.asarray(axes.get(name, state.initial))
        if name in declared.nonnegative and values.size and values.min() < 0:
            raise ConfigError(
                f"model.nonnegative: an initial value of {name} is {values.min():g}; raise it, or "
                f"take {name} out of the list"
            )
        column = values.reshape(-1, size if name in axes else 1)
        y0.append(np.broadcast_to(column, (column.shape[0], size)))
    args = [
        np.broadcast_to(np.asarray(axes.get(name, parameter.value), float), (size,))
        for name, parameter in declared.parameters.items()
    ]
    t1 = own_ends(config, axes) if has_own_ends(config, axes) else None
    lanes = Lanes(rows_below(y0), np.array(args).reshape(len(args), size), t1)
    return with_history(model, lanes)


def _categories(config: Config, axes: Axes) -> Axes:
    """The axes over categories, these numbered as the model does it."""
    found = {}
    for axis, known in config.model.categories.items():
        if axis in axes:
            numbers = np.array([known.index(name) for name in config.design.choices[axis]], float)
            found[axis] = numbers[np.asarray(axes[axis], int)]
    return found


def own_ends(config: Config, axes: Axes) -> Float[np.ndarray, " sample"]:
    """The end of each trajectory, the axis `t1`; a saved time, where it is that but for rounding.

    Raises ConfigError for an end that is not after t0.
    """
    t1, t0 = np.asarray(axes[END], float), config.model.t0
    if not (t1 > t0).all():
        end, start = shown_time(t1.min(), t0), shown_time(t0, t1.min())
        raise ConfigError(f"design.axes.t1: {end} is not after model.t0, {start}")
    check_span("design.axes.t1", t0, float(t1.min()), np.dtype(config.runtime.precision))
    return np.asarray(clock_of(config).moved_to_saved(t1))


def scheduled(config: Config, model: Model, axes: Axes, lanes: Lanes) -> Lanes:
    """Lanes of an `augmented` model with the jumps of a config's doses; those at t0 are done."""
    return schedule(model, config.plain_doses, clock_of(config), axes, lanes)


def clock_of(config: Config) -> Clock:
    """The span of a config, its saved times, and which times are the same."""
    saved = np.array(solve_times(config) if saves_times(config) else [], float)
    return Clock(config.model.t0, config.model.t1, np.dtype(config.runtime.precision), saved)


def tolerances_of(config: Config, model: Model) -> Tolerances:
    """A config's tolerances for the states of a model that are its own."""
    others = {*model.derivatives, *model.hidden}
    return config.solver.tolerances(name for name in model.declared.states if name not in others)


def resolved(solver: SolverConfig, model: Model) -> Solver:
    """A config's solver for the problem of a model, which may have states beside its own."""
    others = {*model.derivatives, *model.hidden}
    own = [name for name in model.declared.states if name not in others]
    return sensitivity_tolerances(solver.solver(own), model)
