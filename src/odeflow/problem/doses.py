"""What is given to a trajectory on its way, and what may end it, as plain records."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from odeflow.problem.formulas import formula_names

#: A number, the name of an axis, a parameter or a computed quantity that has it, or a formula of
#: such names.
Quantity = float | str
_QUANTITIES = ("amount", "duration", "rate", "value", "time", "every")


@dataclass(frozen=True)
class Dose:
    """A bolus or an infusion into a component of a state, or a parameter's new value.

    `amount` is what the component of `state` with this `index` receives, at once or, with a
    `duration` or a `rate`, at a constant rate; or `parameter` has `value` from then on, without one
    that time itself, unless `amount` is 0. It happens at `time` or at `times`, and `count` times at
    intervals of `every` from each of them on.
    """

    state: str | None = None
    index: tuple[int, ...] = ()
    amount: Quantity | None = None
    duration: Quantity | None = None
    rate: Quantity | None = None
    parameter: str | None = None
    value: Quantity | None = None
    time: Quantity | None = None
    times: tuple[Quantity, ...] | None = None
    every: Quantity | None = None
    count: int = 1

    @property
    def first_times(self) -> tuple[Quantity, ...]:
        """When it happens, repetitions left out."""
        return self.times if self.times is not None else (self.time or 0.0,)

    def telling(self, parameter: str) -> "Dose":
        """A switch that sets a parameter to each time at which this dose begins."""
        return replace(self, state=None, index=(), duration=None, rate=None, parameter=parameter)

    @property
    def is_infusion(self) -> bool:
        """Whether it takes a while."""
        return self.duration is not None or self.rate is not None

    def quantity(self, key: str) -> Quantity | None:
        """What stands at a key of `named`."""
        first, _, place = key.partition(".")
        return (self.times or ())[int(place)] if place else getattr(self, first)

    def named(self) -> Iterator[tuple[str, str]]:
        """Keys and the names that their values read; a time is `times.<number>` of several."""
        given = {key: getattr(self, key) for key in _QUANTITIES}
        given |= {f"times.{number}": time for number, time in enumerate(self.times or ())}
        for key, value in given.items():
            for name in sorted(formula_names(value)) if isinstance(value, str) else ():
                yield key, name


@dataclass(frozen=True)
class SteadyState:
    """Tolerances of the derivative at which a trajectory counts as steady; None: the solver's."""

    rtol: float | None = None
    atol: float | None = None


@dataclass(frozen=True)
class Stop:
    """Conditions that end a trajectory: thresholds by variable, and being steady."""

    above: Mapping[str, float] = field(default_factory=dict)
    below: Mapping[str, float] = field(default_factory=dict)
    steady_state: SteadyState | None = None
