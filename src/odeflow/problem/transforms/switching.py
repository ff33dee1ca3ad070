"""Times at which a model's functions change their form, as stops of the engines.

A step that began before such a time must not see what comes after it, not even in its last stage,
nor one that begins there what came before. So the functions are given a time that is clipped to
the stretch between two switching times: its ends are two further parameters of the model, which
jump as doses let parameters jump.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from odeflow.files.errors import ConfigError
from odeflow.problem.conditions.switch_times import Switches, TooManySwitchesError
from odeflow.problem.declaration import Parameter
from odeflow.problem.model import Jumping, Model
from odeflow.problem.pieces import MOST_SWITCHES
from odeflow.problem.problem import Jumps, JumpTargets, Lanes, Problem
from odeflow.problem.solver import Solver
from odeflow.problem.transforms.pauses import with_pauses

#: The ends of a stretch, as parameters of the model.
FROM, UNTIL = "stretch_from", "stretch_until"
#: How far the clipped times stay away from a switching time, in units in the last place of the
#: largest time: what comes out of a comparison there does not depend on how it is rounded.
_MARGIN_ULPS = 8
#: The longest step where switching times cannot be known, as a part of the time span.
_PART_OF_SPAN = 1e-3


class Switching(NamedTuple):
    """A problem whose trajectories stop where time switches something, and what is known of that.

    `model` is the one without the ends of stretches among its parameters. `switches` is None where
    there is nothing to stop for. `comment` says in one line where time is compared, for the
    dataset; "" where it is not.
    """

    problem: Problem
    model: Model
    switches: Switches | None = None
    comment: str = ""

    def scheduled(self, lanes: Lanes) -> Lanes:
        """Lanes with the stops among their jumps, and the ends of their first stretch.

        Raises ConfigError where a trajectory would have too many.
        """
        if self.switches is None:
            return lanes
        return _with_stops(self.problem, self.switches, lanes)

    def bounded(self, solver: Solver) -> Solver:
        """The solver, with a longest step where switching times cannot be known."""
        if self.switches is None or not self.switches.unknown:
            return solver
        model = self.problem.model.declared
        return bounded(solver, model.t1 - model.t0)

    @property
    def lane_bytes(self) -> int:
        """Bytes of a trajectory's stops, about."""
        if self.switches is None:
            return 0
        model = self.problem.model.declared
        given = [p.value for p in model.parameters.values()][: self.switches.parameters]
        args = np.array(given).reshape(-1, 1)
        return 64 * len(_times(self.switches, model.t0, model.t1, args))


def bounded(solver: Solver, span: float) -> Solver:
    """The solver with steps of at most a thousandth of the time span."""
    if not solver.is_adaptive:
        return solver
    longest = _PART_OF_SPAN * span
    dtmax = longest if solver.dtmax is None else min(longest, solver.dtmax)
    return replace(solver, dtmax=dtmax)


def with_switching(problem: Problem) -> Switching:
    """Looks for comparisons of time in all functions of a problem, and lets the engines stop there.

    Raises ConfigError where a parameter has the name of a stretch's end.
    """
    model, paused = with_pauses(problem.model)
    problem = replace(problem, model=model) if paused else problem
    parameters = list(model.declared.parameters)
    knots = np.empty(0) if model.knots is None else model.knots.times
    switches = Switches(_functions(problem), len(model.components), len(parameters), knots)
    places = lambda lines: ", ".join(line or model.declared.origin for line in lines)
    lines = list(dict.fromkeys([*switches.lines, *paused]))
    lines = list(filter(None, lines)) or lines
    comment = f"stops where time is compared: {places(lines)}" if lines else ""
    if not switches:
        return Switching(problem, model, None, comment)
    taken = {FROM, UNTIL} & {*model.declared.states, *parameters, *model.observable_names}
    if taken:
        raise ConfigError(
            f"model {model.declared.name}: {' and '.join(sorted(taken))} is a name that odeflow "
            "needs where a model compares time; rename it"
        )
    targets = problem.jumps or JumpTargets((), ())
    added = (len(parameters), len(parameters) + 1)
    clipped = _clipped(model)
    changed = replace(
        problem,
        model=clipped,
        jumps=targets._replace(parameters=(*targets.parameters, *added)),
        stops=tuple(
            replace(guard, condition=_cut(model, guard.condition)) for guard in problem.stops
        ),
    )
    if switches.unknown:
        comment += (
            f"; steps of at most {_PART_OF_SPAN:g} of the time span, since the times at which "
            f"these change cannot be found: {places(switches.unknown)}"
        )
    found = Switching(changed, model, switches, comment)
    return found._replace(problem=replace(changed, solver=found.bounded(problem.solver)))


def _functions(problem: Problem) -> tuple[Callable[..., Any], ...]:
    """What is looked at: field, guards, and the observables that are reduced while solving."""
    model = problem.model

    def scalars(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda t, y, args: function(t, model.unflatten(y), model.Args(*args))

    functions = [scalars(model.vector_field)]
    functions += [scalars(guard.condition) for guard in problem.guards]
    reduced = {r.variable for r in problem.reductions} - set(model.declared.states)
    reduced |= {event.crosses for event in problem.events} - set(model.declared.states)
    if reduced:
        functions.append(scalars(model.observer(sorted(reduced))))
    return tuple(functions)


def _clipped(model: Model) -> Model:
    """The model whose functions see times of the stretch only."""
    ends = {name: Parameter(value=0.0) for name in (FROM, UNTIL)}

    def within(t: Any, args: Any) -> Any:
        low, high = args[-2:]
        # the derivative with respect to time is that of what is inside
        return t + jax.lax.stop_gradient(jnp.minimum(jnp.maximum(t, low), high) - t)

    def clipped(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda t, y, args: function(within(t, args), y, model.Args(*args[:-2]))

    return replace(
        model,
        declared=model.declared.with_parameters(ends),
        function=clipped(model.function),
        observables_function=model.observables_function and clipped(model.observables_function),
        events=tuple(event.each(lambda f: _cut(model, f)) for event in model.events),
        jumping=model.jumping and Jumping(*(_late(model, f) for f in model.jumping)),
        stopping=model.stopping
        and model.stopping._replace(values=_cut(model, model.stopping.values)),
        algebraic=model.algebraic and model.algebraic.each(lambda f: _cut(model, f)),
    )


def _cut(model: Model, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of (t, y, args, ...) that is given the model's own parameters only."""
    return lambda t, y, args, *more: function(t, y, model.Args(*args[:-2]), *more)


def _late(model: Model, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a jump, at which what is compared with its time has come out already."""
    largest = max(abs(model.declared.t0), abs(model.declared.t1))
    own = _cut(model, function)

    def late(t: Any, y: Any, args: Any) -> Any:
        margin = _MARGIN_ULPS * jnp.finfo(jnp.result_type(t)).eps * largest
        return own(t + margin, y, args)

    return late


def _times(switches: Switches, t0: float, t1: float, args: np.ndarray) -> np.ndarray:
    try:
        return switches.times(t0, t1, args)
    except TooManySwitchesError as error:
        raise ConfigError(
            f"model.vector_field: {error} compares time so often that a trajectory would stop more "
            f"than {MOST_SWITCHES:,} times from model.t0 to t1; make model.t1 smaller, or write it "
            "with a smooth function such as jnp.sin"
        ) from None


def _with_stops(problem: Problem, switches: Switches, lanes: Lanes) -> Lanes:
    """Lanes with a jump at each of their switching times; the last targets are the stretch's."""
    assert problem.jumps is not None
    model, size = problem.model.declared, lanes.size
    t0 = model.t0
    t1 = np.full(size, model.t1) if lanes.t1 is None else lanes.t1
    margin = _MARGIN_ULPS * float(np.finfo(problem.dtype).eps) * np.maximum(abs(t0), np.abs(t1))
    own = problem.jumps.parameters[:-2]
    level = lanes.args[list(own)]
    jumps = lanes.jumps
    if jumps is None:
        none = np.empty((0, 0, size))
        jumps = Jumps(np.empty((0, size)), none, none)
    stops = _all_stops(switches, lanes.args, own, jumps, (t0, float(t1.max())))
    at_start = (stops <= t0 + margin).any(axis=0)
    # what lies at t0 has happened; one that a rounding parts from another is the same
    stops = np.where((stops > t0 + margin) & (stops <= t1 + margin), np.minimum(stops, t1), np.inf)
    stops = np.sort(stops, axis=0)
    near = np.zeros(stops.shape, bool)
    with np.errstate(invalid="ignore"):
        near[1:] = stops[1:] - stops[:-1] <= 2 * margin
    stops[near] = np.inf

    times, amounts, values, is_stop = _merged(stops, jumps, level, margin)
    first = np.where(at_start, t0 + margin, -np.inf)
    since = np.concatenate([first[None], np.where(is_stop, times + margin, -np.inf)])
    since = np.maximum.accumulate(since, axis=0)
    ahead = np.where(is_stop, times - margin, np.inf)
    until = np.minimum.accumulate(ahead[::-1], axis=0)[::-1]
    until = np.concatenate([until, np.full((1, size), np.inf)])
    # a stretch shorter than what is kept away from its ends is seen at its middle
    with np.errstate(invalid="ignore"):  # where nothing switches both ends are infinite
        middle = 0.5 * (since + until)
    narrow = since > until
    since, until = np.where(narrow, middle, since), np.where(narrow, middle, until)
    finite = np.finfo(problem.dtype).max
    since, until = np.clip(since, -finite, finite), np.clip(until, -finite, finite)
    ends = np.stack([since, until], axis=1)
    return replace(
        lanes,
        args=np.concatenate([lanes.args, ends[0]]),
        jumps=Jumps(times, amounts, np.concatenate([values, ends[1:]], axis=1)),
    )


def _all_stops(
    switches: Switches,
    args: Float[np.ndarray, "parameter lane"],
    own: tuple[int, ...],
    jumps: Jumps,
    span: tuple[float, float],
) -> Float[np.ndarray, "stop lane"]:
    """Switching times of each lane, each with the parameters that hold then."""
    if not set(own) & switches.parameters_used:
        return _times(switches, *span, args)
    starts = np.concatenate([np.full((1, args.shape[1]), -np.inf), jumps.times])
    ends = np.concatenate([jumps.times, np.full((1, args.shape[1]), np.inf)])
    parts, here = [], args.copy()
    for number, (start, end) in enumerate(zip(starts, ends)):
        if number:
            here[list(own)] = jumps.values[number - 1]
        if (start < np.inf).any():
            found = _times(switches, *span, here)
            # what holds because a parameter jumps changes at the jump
            parts.append(np.where((found >= start) & (found < end), found, np.inf))
    return np.concatenate([*parts, jumps.times])


def _merged(
    stops: np.ndarray, jumps: Jumps, level: np.ndarray, margin: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Jumps at the times of both, in order, and which of them are stops.

    A stop changes nothing; one beside a jump is that jump. `level` are the values of the jumps'
    parameters at first.
    """
    count = len(stops)
    times = np.concatenate([jumps.times, stops])
    is_stop = np.concatenate([np.zeros(jumps.times.shape, bool), np.isfinite(stops)])
    amounts = np.pad(jumps.amounts, ((0, count), (0, 0), (0, 0)))
    values = np.pad(jumps.values, ((0, count), (0, 0), (0, 0)), constant_values=np.nan)

    def ordered() -> tuple[np.ndarray, ...]:
        order = np.argsort(times, axis=0, kind="stable")
        take = lambda x: np.take_along_axis(x, order if x.ndim == 2 else order[:, None], axis=0)
        return take(times), take(amounts), take(values), take(is_stop)

    times, amounts, values, is_stop = ordered()
    with np.errstate(invalid="ignore"):
        beside = (times[1:] - times[:-1] <= margin) & (is_stop[1:] != is_stop[:-1])
    first, later = beside & is_stop[:-1], beside & is_stop[1:]
    gone = np.zeros(times.shape, bool)
    gone[:-1] |= first
    gone[1:] |= later
    is_stop[1:] |= first
    is_stop[:-1] |= later
    times[gone], is_stop[gone] = np.inf, False
    times, amounts, values, is_stop = ordered()
    for number in range(len(times)):
        level = np.where(np.isnan(values[number]), level, values[number])
        values[number] = level
    kept = np.isfinite(times).any(axis=1)
    return times[kept], amounts[kept], values[kept], is_stop[kept]
