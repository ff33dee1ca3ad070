"""Records of doses and observations, subject by subject, as data sets of pharmacometrics have them.

References:
    Beal, Sheiner, Boeckmann, Bauer (eds., 1989-2018), NONMEM users guides, part VI (PREDPP).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np

from odeflow.problem.doses import Quantity

#: What EVID says: an observation, a dose, something else, a new start, a new start with a dose.
OBSERVATION, DOSE, OTHER, RESET, RESET_AND_DOSE = range(5)
#: RATE of an infusion whose rate, or whose duration, is a quantity of the compartment.
MODELLED_RATE, MODELLED_DURATION = -1.0, -2.0
#: Roundings of the span by which records at one time are set apart where their order counts: more
#: than those within which engines take two times for one.
_APART = 4096


@dataclass(frozen=True)
class Compartment:
    """What becomes of a dose on its way into a state.

    The part of it that arrives, how much later it does, and, for infusions that are so recorded,
    how long they take or how fast they are.
    """

    bioavailability: Quantity = 1.0
    lag: Quantity = 0.0
    duration: Quantity | None = None
    rate: Quantity | None = None


class Record(NamedTuple):
    """One line of a data set: `state` is that of its compartment, `covariates` are parameters.

    `own` are further ones, by the name of a number that each trajectory has for itself.
    """

    time: float
    event: int
    state: str
    amount: float
    rate: float
    interval: float
    additional: int
    steady: int
    covariates: Mapping[str, float]
    own: Mapping[str, str] = MappingProxyType({})

    def with_numbers(self, numbers: Mapping[str, float]) -> "Record":
        """The same with its own numbers among the covariates."""
        if not self.own:
            return self
        values = {name: numbers[of] for name, of in self.own.items()}
        return self._replace(covariates={**self.covariates, **values})

    @property
    def observes(self) -> bool:
        """Whether what is there at its time is kept."""
        return self.event in (OBSERVATION, OTHER)

    @property
    def starts_over(self) -> bool:
        """Whether nothing that was before counts."""
        return self.event in (RESET, RESET_AND_DOSE)

    @property
    def gives(self) -> bool:
        """Whether it is a dose."""
        return self.event in (DOSE, RESET_AND_DOSE)


@dataclass(frozen=True)
class Records:
    """The records of all subjects, by their numbers, and what is known of compartments.

    A covariate has the value of a record until the next one (`previous`), or that of the next one
    since the record before (`next`). The parameter `last_dose`, if any, is the time of the last
    dose.
    """

    of: Mapping[float, Sequence[Record]]
    compartments: Mapping[str, Compartment] = field(default_factory=dict)
    interpolation: Literal["previous", "next"] = "previous"
    last_dose: str | None = None

    @cached_property
    def infused(self) -> list[str]:
        """The states that some record infuses into."""
        given = (one for own in self.of.values() for one in own if one.gives and one.rate)
        return list(dict.fromkeys(one.state for one in given))

    @cached_property
    def named(self) -> dict[str, str]:
        """Names of numbers that trajectories have for themselves, and the parameter of each."""
        records = (one for own in self.of.values() for one in own)
        return {number: name for one in records for name, number in one.own.items()}

    @property
    def covariates(self) -> list[str]:
        """The parameters that records set."""
        first = next(iter(self.of.values()))[0]
        return [*first.covariates, *first.own]

    def observed(self, subject: float, apart: float) -> list[float]:
        """The times of a subject's records of which values are kept, in order."""
        records = self.of[subject]
        return [now for one, now in zip(records, moments(records, apart)) if one.observes]


def moments(records: Sequence[Record], apart: float) -> list[float]:
    """When each record happens: at its time, or a little later, by multiples of `apart`.

    It does where it changes something that another one at that time has seen before it.
    """
    result: list[float] = []
    later, seen = 0, False
    for number, one in enumerate(records):
        if not number or one.time != records[number - 1].time:
            later, seen = 0, False
        if seen and not one.observes:
            later, seen = later + 1, False
        seen |= one.observes
        result.append(one.time + later * apart)
    return result


def apart_of(t0: float, t1: float) -> float:
    """By how much records at one time are set apart, for times within this span."""
    return _APART * float(np.finfo(float).eps) * max(abs(t0), abs(t1))
