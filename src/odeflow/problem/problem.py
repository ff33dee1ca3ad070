"""What an engine is given and what it gives back; both engines share these two records."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Int8, Shaped

from odeflow.problem.model import Model
from odeflow.problem.reductions import Reduction, nodes
from odeflow.problem.solver import Solver

#: A time to save that is this many roundings from that of a stop or an event is the same time.
SAME_TIME_ULPS = 256

#: Called with the number of trajectories done so far.
Progress = Callable[[int], None]


class JumpTargets(NamedTuple):
    """What jumps change: numbers of components of the state and of parameters."""

    components: tuple[int, ...]
    parameters: tuple[int, ...]


@dataclass(frozen=True)
class Jumps:
    """What changes at given times, trajectory by trajectory: a schedule of doses and switches.

    `times` increase after t0 and are infinite where a trajectory has no more of them. At each the
    target components of the state grow by `amounts` and the target parameters become `values`,
    until the next. A jump at a trajectory's end happens, one after it does not.
    """

    times: Float[np.ndarray, "jump lane"]
    amounts: Float[np.ndarray, "jump component lane"]
    values: Float[np.ndarray, "jump parameter lane"]

    def take(self, index: Int[np.ndarray, " chosen"]) -> "Jumps":
        """Those of the lanes of these numbers, in this order."""
        return Jumps(self.times[:, index], self.amounts[..., index], self.values[..., index])


@dataclass(frozen=True, eq=False)
class Guard:
    """A condition that is watched: it fires where it becomes true.

    `condition(t, y, args)` takes records and gives a boolean, in JAX. The first time in a step at
    which it becomes true is found on the dense output, see `engines.shared.crossings`; where not
    `inside`, it is looked at after steps only, and what is true for a part of a step is not seen.
    `initial` is whether it counts as true before t0; None: as at t0, before the jumps of that time.
    One that is `after_all` holds only once all jumps and delayed events have happened. Where none
    of a problem's guards is `located`, one fires at the end of the step after which it holds.
    """

    condition: Callable[[Any, Any, Any], Any]
    initial: bool | None = None
    inside: bool = True
    after_all: bool = False
    located: bool = True


class SavedEvent(NamedTuple):
    """Crossings of a threshold by a variable, at which others are kept.

    `direction` is 1 for upwards, -1 for downwards, 0 for both. Of each trajectory the first `most`
    are kept. A jump across the threshold is none.
    """

    name: str
    crosses: str
    threshold: float
    direction: int
    variables: tuple[str, ...]
    most: int


@dataclass(frozen=True, eq=False)  # compared by identity: engines keep compiled code by it
class Problem:
    """One ODE problem for many lanes.

    `ts` are the times to save, increasing, within [model t0, model t1]; None saves the end only.
    With `own_ends` each trajectory has a t1 of its own: its values are NaN at later `ts`.
    `jumps` are what the `Lanes.jumps` change; a solver stops and starts again at each. `stops` end
    a trajectory where one of them fires. Where it is `counted`, lanes say what guards count as
    before t0. `rejected(h, t, y, args)`, in JAX on records, is whether a step of length h that ends
    there is taken again, shorter, and whether that is in vain, which ends the trajectory as
    `dt_min_reached`; constant steps do not ask it. `variables` are the states and observables to
    keep, in dataset order. `dtype` is float64 or float32. `reductions` are metrics of states and
    observables to reduce while solving, `events` crossings at which states are kept.
    """

    model: Model
    solver: Solver
    ts: Float[np.ndarray, " time"] | None
    variables: tuple[str, ...]
    dtype: np.dtype
    reductions: tuple[Reduction, ...] = ()
    own_ends: bool = False
    jumps: JumpTargets | None = None
    stops: tuple[Guard, ...] = ()
    counted: bool = False
    rejected: Callable[[Any, Any, Any, Any], tuple[Any, Any]] | None = None
    events: tuple[SavedEvent, ...] = ()

    @property
    def guards(self) -> tuple[Guard, ...]:
        """The stops, then the triggers of the model's events."""
        events = self.model.events
        return (*self.stops, *(Guard(event.trigger, event.initial) for event in events))

    @property
    def restarts(self) -> bool:
        """Whether a trajectory may stop and start again on its way."""
        return self.jumps is not None or bool(self.guards)

    @property
    def nodes(self) -> tuple[float, ...]:
        """Where in a step the metrics look, as fractions of it."""
        states = self.model.declared.states
        crosses = [r.variable for r in self.reductions if r.is_curved]
        crosses += [event.crosses for event in self.events]
        return nodes(self.solver.method, any(variable not in states for variable in crosses))

    @property
    def times(self) -> Float[np.ndarray, " time"]:
        """The times the solution has values at; only t1 where `ts` is None."""
        return np.array([self.model.declared.t1]) if self.ts is None else self.ts

    @property
    def at_stop(self) -> tuple[str, ...]:
        """Names of what the model says where a stop ends a trajectory: what is kept of it."""
        if self.model.stopping is None:
            return ()
        ends = [r.variable for r in self.reductions if r.metric == "final"]
        ends += self.variables if self.ts is None else ()
        kept = (name for name in self.model.derivatives if name in ends)
        return (*self.model.stopping.names, *kept)

    def event_width(self, event: SavedEvent) -> int:
        """Numbers that are kept at one crossing: its time, and the scalars of the variables."""
        states = self.model.declared.states
        shapes = [states[name].shape if name in states else () for name in event.variables]
        return 1 + sum(map(math.prod, shapes))

    @property
    def lane_bytes(self) -> int:
        """Bytes of one trajectory: what is saved of it, and what it starts from."""
        states = self.model.declared.states
        size = lambda name: math.prod(states[name].shape) if name in states else 1
        saved = len(self.times) * sum(map(size, self.variables))
        saved += sum(size(reduction.variable) for reduction in self.reductions)
        saved += sum(event.most * self.event_width(event) for event in self.events)
        started = len(self.model.components) + len(self.model.declared.parameters)
        return self.dtype.itemsize * saved + 8 * started


@dataclass(frozen=True)
class Lanes:
    """Initial values and parameters of many trajectories, float64 (the engine casts).

    `jumps` are their schedules, where `Problem.jumps`.

    `t1` are their ends, after the model's t0, where `Problem.own_ends`; else None: the model's t1.
    `counted` is 1 for the guards that count as true before t0, where `Problem.counted`; else None:
    they count as `Guard.initial` says, at `y0`.
    """

    y0: Float[np.ndarray, "component lane"]
    args: Float[np.ndarray, "parameter lane"]
    t1: Float[np.ndarray, " lane"] | None = None
    jumps: Jumps | None = None
    counted: Float[np.ndarray, "guard lane"] | None = None

    @property
    def size(self) -> int:
        """Number of trajectories."""
        return self.y0.shape[1]

    def take(self, index: Int[np.ndarray, " chosen"]) -> "Lanes":
        """The lanes of these numbers, in this order."""
        t1 = None if self.t1 is None else self.t1[index]
        jumps = None if self.jumps is None else self.jumps.take(index)
        counted = None if self.counted is None else self.counted[:, index]
        return Lanes(self.y0[:, index], self.args[:, index], t1, jumps, counted)


def rows_below(parts: Sequence[Shaped[np.ndarray, "_ lane"]]) -> Float[np.ndarray, "_ lane"]:
    """Rows of many lanes, one part below another; what all lanes share is in memory once."""
    if all(part.strides[1] == 0 for part in parts):
        first = np.concatenate([part[:, :1] for part in parts]).astype(float)
        return np.broadcast_to(first, (len(first), parts[0].shape[1]))
    joined = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return joined.astype(float, copy=False)


@dataclass(frozen=True)
class Solution:
    """Trajectories by variable, and what became of each.

    `values[name]` has shape (lane, time, *shape of the state), NaN from where a lane failed.
    A value at the time of a jump or an event is that right after all of them, and one at the time
    of a stop is kept; both hold for times that are the same but for rounding. `time_reached` is
    the trajectory's t1 for a success, the time of the stop for one that was stopped, else the end
    of the last accepted step.
    `reduced[name]` are the problem's reductions by their names, shape (lane, *shape of the state),
    NaN where a lane failed. `events[name]` are what is kept at the crossings of each saved event,
    shape (lane, most, time and scalars), NaN where there was none, and `event_counts[name]` how
    many there were, also beyond those that are kept. `time_derivatives` are those of `time_reached`
    by name, where a model has sensitivities and stops; where one ended a trajectory, the
    sensitivities at its end are total derivatives. Both are NaN where there is none.
    """

    values: dict[str, Float[np.ndarray, "lane time ..."]]
    status: Int8[np.ndarray, " lane"]
    num_steps: Int[np.ndarray, " lane"]
    num_accepted_steps: Int[np.ndarray, " lane"]
    num_rejected_steps: Int[np.ndarray, " lane"]
    time_reached: Float[np.ndarray, " lane"]
    reduced: dict[str, Float[np.ndarray, "lane ..."]] = field(default_factory=dict)
    time_derivatives: dict[str, Float[np.ndarray, " lane"]] = field(default_factory=dict)
    events: dict[str, Float[np.ndarray, "lane most number"]] = field(default_factory=dict)
    event_counts: dict[str, Int[np.ndarray, " lane"]] = field(default_factory=dict)

    @property
    def arrays(self) -> list[np.ndarray]:
        """All arrays, lanes first; in the same order for solutions of similar problems."""
        outcomes = (
            self.status,
            self.num_steps,
            self.num_accepted_steps,
            self.num_rejected_steps,
            self.time_reached,
        )
        further = (self.reduced, self.time_derivatives, self.events, self.event_counts)
        return [
            *self.values.values(),
            *outcomes,
            *(array for arrays in further for array in arrays.values()),
        ]
