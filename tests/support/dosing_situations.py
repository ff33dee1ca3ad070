"""Forty situations of dosing: the records of a subject, and what they mean, written by hand.

A linear model answers to each dose on its own, so what is there at a time is a sum over doses; in
a steady state it is one over hundreds of doses before. Nothing here knows how odeflow reads them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

STATES = ("gut", "central", "peripheral")
#: Parameters where a situation says nothing else; without `q` there is one compartment.
PARAMETERS = {
    "ka": 1.2, "cl": 4.0, "v": 30.0, "q": 0.0, "v2": 40.0, "f1": 1.0, "tlag": 0.0, "d1": 2.0,
    "r1": 20.0,
}  # fmt: skip
#: What is in the central compartment at first.
INITIAL = 3.0
#: Doses before a steady state, of which the first are long forgotten.
_PAST = 400
_TWO = {"q": 3.0}

MODEL = """
def vector_field(t, y, args):
    to, back = args.q / args.v * y.central, args.q / args.v2 * y.peripheral
    return {
        "gut": -args.ka * y.gut,
        "central": args.ka * y.gut - args.cl / args.v * y.central - to + back,
        "peripheral": to - back,
    }


def observables(t, y, args):
    return {"concentration": y.central / args.v}
"""


class Given(NamedTuple):
    """A dose that is really given: when, where, how much, over how long.

    It counts from `since` on, where a record says that it was given before, and until `until`.
    """

    time: float
    state: str
    amount: float
    duration: float = 0.0
    until: float = np.inf
    since: float = -np.inf


@dataclass(frozen=True)
class Situation:
    """Records, as keys of a data set, and the doses that they mean.

    Values are observed at `times` after what happens then, at those in `before` before it too.
    `changes` are times from which parameters have other values.
    """

    name: str
    records: Sequence[Mapping[str, float]]
    doses: Sequence[Given]
    parameters: Mapping[str, float] = field(default_factory=dict)
    changes: Sequence[tuple[float, Mapping[str, float]]] = ()
    times: Sequence[float] = (0.5, 1.0, 3.0, 7.9, 8.0, 11.0, 12.0, 17.0, 24.0, 30.0, 36.0, 47.0)
    before: Sequence[float] = ()
    initial_until: float = np.inf

    @property
    def first(self) -> float:
        """The time of its first record."""
        return min(self.times[0], *(one["TIME"] for one in self.records))

    def rows(self) -> list[dict[str, Any]]:
        """The lines of the data set in order."""
        events = [(one["TIME"], 1, {"EVID": 1, **one}) for one in self.records]
        events += [(t, 0, {"TIME": t, "EVID": 0}) for t in self.before]
        events += [(t, 2, {"TIME": t, "EVID": 0}) for t in self.times]
        events.sort(key=lambda one: one[:2])
        return [{**row, **self.at(time)} for time, _, row in events]

    def at(self, time: float) -> dict[str, float]:
        """The parameters at a time."""
        known = {**PARAMETERS, **self.parameters}
        for since, changed in self.changes:
            known |= changed if time >= since else {}
        return known

    def expected(self) -> np.ndarray:
        """The states at the observations, in the order of the lines."""
        rows = [(t, True) for t in self.before] + [(t, False) for t in self.times]
        rows.sort(key=lambda one: (one[0], not one[1]))
        start = Given(self.first, "central", INITIAL, until=self.initial_until)
        return np.array([self._state(t, before, [start, *self.doses]) for t, before in rows])

    def _state(self, t: float, before: bool, doses: Sequence[Given]) -> np.ndarray:
        def counts(one: Given) -> bool:
            begun = all(x < t or (x == t and not before) for x in (one.time, one.since))
            begun |= one is doses[0]  # the initial state
            return begun and (t < one.until or (t == one.until and before))

        alive = [one for one in doses if counts(one)]
        if self.changes:
            return sum((self._stepwise(one, t) for one in alive), np.zeros(3))
        decay, vectors, inverse = _modes(*_matrix(self.at(t)))
        total = np.zeros(3)
        for state in STATES:
            own = [one for one in alive if one.state == state]
            weights = inverse[:, STATES.index(state)]
            for one in own:
                since, left = t - one.time, t - one.time - one.duration
                if one.duration:
                    parts = _integral(decay, max(left, 0.0), since) * one.amount / one.duration
                else:
                    parts = np.exp(decay * since) * one.amount
                total += (vectors @ (parts * weights)).real
        return total

    def _stepwise(self, one: Given, t: float) -> np.ndarray:
        """What is left of a dose where parameters change on the way."""
        ends = {one.time, t, min(one.time + one.duration, t)}
        cuts = sorted({*ends, *(x for x, _ in self.changes if one.time < x < t)})
        state, unit = np.zeros(3), np.eye(3)[STATES.index(one.state)]
        if not one.duration:
            state = unit * one.amount
        for a, b in zip(cuts, cuts[1:]):
            decay, vectors, inverse = _modes(*_matrix(self.at(a)))
            state = (vectors @ (np.exp(decay * (b - a)) * (inverse @ state))).real
            if a < one.time + one.duration:
                added = _integral(decay, 0.0, b - a) * (inverse @ unit)
                state = state + (vectors @ added).real * one.amount / one.duration
        return state


def _matrix(p: Mapping[str, float]) -> tuple[float, ...]:
    return p["ka"], p["cl"] / p["v"], p["q"] / p["v"], p["q"] / p["v2"]


@lru_cache
def _modes(ka: float, ke: float, to: float, back: float) -> tuple[np.ndarray, ...]:
    matrix = np.array([[-ka, 0, 0], [ka, -ke - to, back], [0, to, -back]])
    decay, vectors = np.linalg.eig(matrix)
    return decay, vectors, np.linalg.inv(vectors)


def _integral(decay: np.ndarray, a: float, b: float) -> np.ndarray:
    """Of exp(decay s) over s from a to b."""
    with np.errstate(all="ignore"):
        parts = np.exp(decay * a) * np.expm1(decay * (b - a)) / decay
    return np.where(decay == 0, b - a, parts)


def every(time: float, interval: float, number: int, *dose: Any, until: float = np.inf) -> list:
    """A dose again and again."""
    return [Given(time + k * interval, *dose, until=until) for k in range(number)]


def past(record: float, time: float, interval: float, *dose: Any) -> list[Given]:
    """The doses before one at steady state, which is recorded and arrives at these times."""
    return [Given(time - k * interval, *dose, since=record) for k in range(1, _PAST)]


def _dose(time: float, amount: float, **more: float) -> dict[str, float]:
    return {"TIME": time, "AMT": amount, **more}


_G, _C = "gut", "central"
SITUATIONS = [
    Situation("bolus into the gut", [_dose(0, 100)], [Given(0, _G, 100)]),
    Situation("bolus into the centre", [_dose(0, 100, CMT=2)], [Given(0, _C, 100)]),
    Situation("two compartments", [_dose(0, 100, CMT=2)], [Given(0, _C, 100)], _TWO),
    Situation("two compartments by mouth", [_dose(0, 100)], [Given(0, _G, 100)], _TWO),
    Situation("bioavailability", [_dose(0, 100)], [Given(0, _G, 70)], {"f1": 0.7}),
    Situation("lag", [_dose(0, 100)], [Given(1.5, _G, 100)], {"tlag": 1.5}),
    Situation("infusion by its rate", [_dose(0, 100, CMT=2, RATE=25)], [Given(0, _C, 100, 4)]),
    Situation(
        "infusion into two compartments", [_dose(0, 100, CMT=2, RATE=10)],
        [Given(0, _C, 100, 10)], _TWO,
    ),
    Situation(
        "bioavailability keeps a rate and cuts its duration", [_dose(0, 100, RATE=20)],
        [Given(0, _G, 60, 3)], {"f1": 0.6},
    ),
    Situation(
        "modelled rate", [_dose(0, 100, CMT=2, RATE=-1)], [Given(0, _C, 100, 5)], {"r1": 20}
    ),
    Situation(
        "modelled duration", [_dose(0, 100, CMT=2, RATE=-2)], [Given(0, _C, 100, 3)], {"d1": 3}
    ),
    Situation(
        "modelled duration with bioavailability and lag", [_dose(0, 100, RATE=-2)],
        [Given(0.5, _G, 80, 3)], {"d1": 3, "f1": 0.8, "tlag": 0.5},
    ),
    Situation(
        "modelled rate with bioavailability", [_dose(0, 100, RATE=-1)],
        [Given(0, _G, 50, 2.5)], {"r1": 20, "f1": 0.5},
    ),
    Situation(
        "additional doses", [_dose(0, 100, ADDL=3, II=8)], every(0, 8, 4, _G, 100),
    ),
    Situation(
        "additional doses with lag", [_dose(0, 100, ADDL=3, II=8)], every(2, 8, 4, _G, 100),
        {"tlag": 2},
    ),
    Situation(
        "additional infusions", [_dose(0, 60, CMT=2, RATE=20, ADDL=2, II=12)],
        every(0, 12, 3, _C, 60, 3),
    ),
    Situation(
        "additional infusions longer than their interval",
        [_dose(0, 300, CMT=2, RATE=20, ADDL=2, II=12)], every(0, 12, 3, _C, 300, 15),
    ),
    Situation(
        "additional infusions, two at a time and more",
        [_dose(0, 300, CMT=2, RATE=10, ADDL=3, II=8)], every(0, 8, 4, _C, 300, 30), _TWO,
    ),
    Situation(
        "doses one by one, two at one time",
        [_dose(0, 100), _dose(0, 50, CMT=2), _dose(8, 20)],
        [Given(0, _G, 100), Given(0, _C, 50), Given(8, _G, 20)],
    ),
    Situation(
        "a dose at a sampling time, seen before and after", [_dose(0, 100), _dose(12, 100)],
        [Given(0, _G, 100), Given(12, _G, 100)], before=(12.0,),
    ),
    Situation(
        "a bolus at a sampling time", [_dose(0, 100, CMT=2), _dose(8, 40, CMT=2)],
        [Given(0, _C, 100), Given(8, _C, 40)], before=(8.0,),
    ),
    Situation(
        "a sample before the first dose, at its time", [_dose(0, 100, CMT=2)],
        [Given(0, _C, 100)], before=(0.0,),
    ),
    Situation(
        "a dose before t0", [_dose(-10, 100), _dose(0, 100)],
        [Given(-10, _G, 100), Given(0, _G, 100)],
    ),
    Situation(
        "an infusion that is under way at t0", [_dose(-3, 100, CMT=2, RATE=20)],
        [Given(-3, _C, 100, 5)], _TWO,
    ),
    Situation("a first record that is late", [_dose(5, 100)], [Given(5, _G, 100)],
              times=(6.0, 9.0, 20.0)),
    Situation(
        "a new start (EVID 3)", [_dose(0, 100), {"TIME": 10, "EVID": 3}],
        [Given(0, _G, 100, until=10), Given(10, _C, INITIAL)], initial_until=10,
    ),
    Situation(
        "a new start with a dose (EVID 4)", [_dose(0, 100), _dose(10, 50, EVID=4)],
        [Given(0, _G, 100, until=10), Given(10, _C, INITIAL), Given(10, _G, 50)], initial_until=10,
    ),
    Situation(
        "a new start ends infusions and what was to come",
        [_dose(0, 200, CMT=2, RATE=10, ADDL=4, II=8), {"TIME": 12, "EVID": 3}, _dose(17, 30)],
        [*every(0, 8, 2, _C, 200, 20, until=12), Given(12, _C, INITIAL), Given(17, _G, 30)],
        initial_until=12, before=(12.0,),
    ),
    Situation(
        "a new start forgets a dose that lags", [_dose(7, 100), {"TIME": 8, "EVID": 3}],
        [Given(8, _C, INITIAL)], {"tlag": 3}, initial_until=8,
    ),
    Situation(
        "steady state", [_dose(0, 100, SS=1, II=12)],
        [*past(0, 0, 12, _G, 100), Given(0, _G, 100)], initial_until=0,
    ),
    Situation(
        "steady state, then at the same interval", [_dose(0, 100, SS=1, II=12, ADDL=3)],
        [*past(0, 0, 12, _G, 100), *every(0, 12, 4, _G, 100)], _TWO, initial_until=0,
    ),
    Situation(
        "steady state after other doses", [_dose(0, 70), _dose(8, 100, SS=1, II=8)],
        [Given(0, _G, 70, until=8), *past(8, 8, 8, _G, 100), Given(8, _G, 100)], initial_until=8,
        before=(8.0,),
    ),
    Situation(
        "steady state on top of other doses (SS 2)", [_dose(0, 70), _dose(8, 100, SS=2, II=8)],
        [Given(0, _G, 70), *past(8, 8, 8, _G, 100),
         Given(8, _G, 100)],
        times=(8.0, 9.0, 14.0, 30.0),
    ),
    Situation(
        "steady state with lag", [_dose(0, 100, SS=1, II=12, ADDL=1)],
        [*past(0, 2.5, 12, _G, 100), *every(2.5, 12, 2, _G, 100)], {"tlag": 2.5}, initial_until=0,
    ),
    Situation(
        "steady state with a lag longer than the interval", [_dose(0, 100, SS=1, II=8)],
        [*past(0, 10, 8, _G, 100), Given(10, _G, 100)], {"tlag": 10}, initial_until=0,
    ),
    Situation(
        "steady state of infusions", [_dose(0, 60, CMT=2, RATE=20, SS=1, II=12)],
        [*past(0, 0, 12, _C, 60, 3), Given(0, _C, 60, 3)], initial_until=0,
    ),
    Situation(
        "steady state of infusions longer than their interval",
        [_dose(0, 200, CMT=2, RATE=10, SS=1, II=8)],
        [*past(0, 0, 8, _C, 200, 20), Given(0, _C, 200, 20)], _TWO, initial_until=0,
    ),
    Situation(
        "steady state of infusions with lag, modelled duration and bioavailability",
        [_dose(0, 100, RATE=-2, SS=1, II=12)],
        [*past(0, 1.5, 12, _G, 70, 14), Given(1.5, _G, 70, 14)],
        {"d1": 14, "f1": 0.7, "tlag": 1.5}, initial_until=0,
    ),
    Situation(
        "steady state of a constant infusion, which ends",
        [{"TIME": 0, "AMT": 0, "RATE": 6, "SS": 1, "CMT": 2}],
        [Given(-3000, _C, 18000, 3000, since=0)], initial_until=0,
    ),
    Situation(
        "a covariate that changes", [_dose(0, 100)], [Given(0, _G, 100)],
        changes=[(8.0, {"cl": 8.0}), (24.0, {"cl": 1.0})],
    ),
    Situation(
        "covariates that change during an infusion, with two compartments",
        [_dose(0, 200, CMT=2, RATE=10), _dose(24, 50)],
        [Given(0, _C, 200, 20), Given(24, _G, 25)], _TWO,
        changes=[(3.0, {"cl": 8.0, "v": 25.0}), (12.0, {"cl": 2.0, "f1": 0.5})],
    ),
    Situation(
        "bioavailability and lag as they are at each record", [_dose(0, 100), _dose(12, 100)],
        [Given(0, _G, 100), Given(13, _G, 50)], changes=[(12.0, {"f1": 0.5, "tlag": 1.0})],
    ),
]  # fmt: skip


def data_set(situations: Sequence[Situation] = SITUATIONS) -> str:
    """The situations as a data set, one subject each."""
    columns = ["ID", "TIME", "EVID", "AMT", "CMT", "RATE", "II", "ADDL", "SS", *PARAMETERS]
    lines = [",".join(columns)]
    for number, one in enumerate(situations, start=1):
        for row in one.rows():
            known = {"ID": number, "CMT": 1, **row}
            lines.append(",".join(str(known.get(name, 0)) for name in columns))
    return "\n".join(lines) + "\n"
