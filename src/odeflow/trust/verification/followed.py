"""What is followed through a course, metrics and saved events, found again from SciPy's steps."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.config.solver import SavedEventConfig
from odeflow.config.wanted import wanted_metrics
from odeflow.ensemble.event_names import count_name
from odeflow.problem.measures import MeasuredPart
from odeflow.problem.model import Model
from odeflow.problem.solver import Tolerances
from odeflow.trust.verification.course_line import CourseLine, Piece, measured_in

_SIGNS = {"up": (1,), "down": (-1,), "both": (1, -1)}
#: What a formula of `saveat.events` may call, by NumPy.
_FUNCTIONS = {
    name: getattr(np, name)
    for name in ("abs", "exp", "log", "log2", "log10", "sqrt", "sin", "cos", "tan", "sinh",
                 "cosh", "tanh", "arcsin", "arccos", "arctan")
} | {"min": min, "max": max}  # fmt: skip

Observables = Callable[[float, np.ndarray, np.ndarray], Any]


class FollowedMetric(NamedTuple):
    """A metric that is found again: its name, its variable, what it is."""

    name: str
    variable: str
    part: MeasuredPart


class FoundAgain(NamedTuple):
    """What is followed, of a course: values, their scale and tolerance, and whether all of it is
    below an absolute tolerance.
    """

    value: np.ndarray
    scale: np.ndarray
    tolerance: np.ndarray
    below: np.ndarray


class FollowedVariables:
    """The numbers that metrics and events are found from, beside one another: the state's
    components, observables, and what crosses where that is a formula.

    `function` gives them as one array; it is None where nothing is followed.
    """

    def __init__(self, config: Config, model: Model, observables: Observables):
        states, seen = model.declared.states, model.observable_names
        self.metrics = [
            FollowedMetric(f"{variable}_{ending}", variable, wanted.part)
            for variable in (*states, *seen)
            for ending, wanted in wanted_metrics(config.summary, variable).items()
            if wanted.part is not None
        ]
        self.events = config.saveat.events
        owners = [component.state for component in model.components] + [*seen]
        self._places = {
            name: [place for place, owner in enumerate(owners) if owner == name]
            for name in (*states, *seen)
        }
        self._crossing = {name: len(owners) + i for i, name in enumerate(self.events)}
        self._shapes = {name: state.shape for name, state in states.items()}
        self._kept = {
            name: list(states) if event.variables is None else event.variables
            for name, event in self.events.items()
        }
        observed = list(seen)
        formulas = [compile(e.crossing.strip(), "<formula>", "eval") for e in self.events.values()]
        needs_observed = {one.variable for one in self.metrics} & {*observed}
        needs_observed |= {x for names in self._kept.values() for x in names} & {*observed}
        needs_observed |= {x for code in formulas for x in code.co_names} & {*observed}

        def function(t: float, y: np.ndarray, args: np.ndarray) -> np.ndarray:
            others = np.full(len(observed), np.nan)
            if needs_observed:
                others = np.asarray(observables(t, y, args), float)
            known = {
                "t": t,
                **dict(zip(model.declared.parameters, args)),
                **dict(zip(seen, others)),
            }
            known |= {n: y[p[0]] for n, p in self._places.items() if n in states and len(p) == 1}
            crossing = [eval(code, {"__builtins__": {}}, _FUNCTIONS | known) for code in formulas]
            return np.concatenate([y, others, np.array(crossing, float)])

        self.function = function if self.metrics or self.events else None

    @property
    def names(self) -> list[str]:
        """What is found again, by its names in the dataset."""
        found = [one.name for one in self.metrics]
        for event, kept in self._kept.items():
            found += [count_name(event), f"{event}_time", *(f"{event}_{name}" for name in kept)]
        return found

    def found_again(
        self,
        pieces: Sequence[Piece],
        one: xr.Dataset,
        tolerances: Tolerances,
        rtol: float,
        span: float,
    ) -> dict[str, FoundAgain]:
        """Each by its name, from the pieces of a course; of events as many as `one`, the
        trajectory's dataset, has.

        `tolerances` are the solver's, `rtol` what its relative one is judged as, `span` is that of
        the time.
        """
        lines: dict[int, CourseLine] = {}

        def line(place: int) -> CourseLine:
            if place not in lines:
                lines[place] = CourseLine(pieces, place)
            return lines[place]

        found = {}
        for name, variable, part in self.metrics:
            atol, own = tolerances.of(variable), [line(p) for p in self._places[variable]]
            values = np.array([x.measured(part, (atol, tolerances.rtol)) for x in own])
            largest = np.array([x.largest for x in own])
            scale, width = measured_in(part.output, values, largest, atol, rtol, span)
            shape = self._shapes.get(variable, ())
            arrays = (values, scale, width, largest <= atol)
            found[name] = FoundAgain(*(x.reshape(shape) for x in arrays))
        for event, asked in self.events.items():
            crossing = line(self._crossing[event])
            found |= self._event(event, asked, crossing, line, one, tolerances, rtol, span)
        return found

    def _event(
        self,
        event: str,
        asked: SavedEventConfig,
        crossing: CourseLine,
        line: Callable[[int], CourseLine],
        one: xr.Dataset,
        tolerances: Tolerances,
        rtol: float,
        span: float,
    ) -> Mapping[str, FoundAgain]:
        ways = _SIGNS[asked.direction]
        times = [t for t, way in crossing.crossings(asked.threshold, jumps=False) if way in ways]
        kept, no = min(len(times), asked.most), np.array(False)
        found = {
            count_name(event): FoundAgain(np.array(float(kept)), np.array(1.0), np.array(1e-3), no)
        }
        size = one.sizes[event]
        number = min(size, kept)
        here = np.full(size, np.nan)
        here[:number] = times[:number]
        spread = np.full(size, span)
        found[f"{event}_time"] = FoundAgain(here, spread, rtol * spread, np.zeros(size, bool))
        for name in self._kept[event]:
            own, atol = [line(place) for place in self._places[name]], tolerances.of(name)
            largest = np.array([x.largest for x in own])
            values = np.full((size, len(own)), np.nan)
            for row, time in enumerate(times[:number]):
                values[row] = [x.at(time) for x in own]
            shape = (size, *self._shapes.get(name, ()))
            arrays = (values, largest, atol + rtol * largest, largest <= atol)
            arrays = (np.broadcast_to(x, values.shape).reshape(shape) for x in arrays)
            found[f"{event}_{name}"] = FoundAgain(*arrays)
        return found
