"""Random models of a seeded generator: what they are, in JAX, and solved by SciPy.

A model is a list of processes: mass action, Hill terms, losses, pulses and periods of time; with
boluses, infusions and a threshold at which it stops. Its course by SciPy is made from that list
alone, so that it shares nothing with the engines.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

END = 10.0


@dataclass(frozen=True)
class MassAction:
    """`reactants` become `product`."""

    reactants: tuple[int, ...]
    product: int
    rate: float

    def change(self, m: Any, t: Any, y: Sequence[Any], add: Callable[[int, Any], None]) -> None:
        """Adds what it changes each state by; `m` is NumPy or JAX's."""
        speed = self.rate
        for i in self.reactants:
            speed = speed * y[i]
        for i in self.reactants:
            add(i, -speed)
        add(self.product, speed)


@dataclass(frozen=True)
class Hill:
    """`target` is made as `source` lets it."""

    source: int
    target: int
    most: float
    half: float
    power: int

    def change(self, m: Any, t: Any, y: Sequence[Any], add: Callable[[int, Any], None]) -> None:
        """As `MassAction.change`."""
        ratio = (y[self.source] / self.half) ** self.power
        add(self.target, self.most * ratio / (1 + ratio))


@dataclass(frozen=True)
class Pulse:
    """`target` is fed while start <= t < start + width."""

    target: int
    start: float
    width: float
    height: float

    def change(self, m: Any, t: Any, y: Sequence[Any], add: Callable[[int, Any], None]) -> None:
        """As `MassAction.change`."""
        inside = (t >= self.start) & (t < self.start + self.width)
        add(self.target, m.where(inside, self.height, 0.0))

    def times(self) -> list[float]:
        """When it switches."""
        return [self.start, self.start + self.width]


@dataclass(frozen=True)
class Period:
    """`target` is fed in the first part of each period."""

    target: int
    period: float
    part: float
    height: float

    def change(self, m: Any, t: Any, y: Sequence[Any], add: Callable[[int, Any], None]) -> None:
        """As `MassAction.change`."""
        inside = m.mod(t, self.period) < self.part * self.period
        add(self.target, m.where(inside, self.height, 0.0))

    def times(self) -> list[float]:
        """When it switches."""
        starts = np.arange(0, END, self.period)
        return [*starts, *(starts + self.part * self.period)]


@dataclass(frozen=True)
class Dose:
    """An amount for a state: a bolus, or over `duration`."""

    state: int
    time: float
    amount: float
    duration: float = 0.0


Process = MassAction | Hill | Pulse | Period


@dataclass(frozen=True)
class RandomModel:
    """`y0` fall by `losses` of themselves; `stop` is a state and the threshold it stops above."""

    y0: tuple[float, ...]
    losses: tuple[float, ...]
    processes: tuple[Process, ...]
    doses: tuple[Dose, ...] = ()
    stop: tuple[int, float] | None = None

    def derivative(self, m: Any, t: Any, y: Sequence[Any]) -> list[Any]:
        """Of each state, without infusions."""
        total = [-loss * value for loss, value in zip(self.losses, y)]

        def add(i: int, value: Any) -> None:
            total[i] = total[i] + value

        for process in self.processes:
            process.change(m, t, y, add)
        return total

    def smaller(self) -> Iterator["RandomModel"]:
        """The models that lack one thing of it."""
        for name in ("processes", "doses"):
            items = getattr(self, name)
            for i in range(len(items)):
                yield replace(self, **{name: items[:i] + items[i + 1 :]})
        if self.stop is not None:
            yield replace(self, stop=None)


def random_model(rng: np.random.Generator, size: int) -> RandomModel:
    """One of `size` states."""
    state = lambda: int(rng.integers(size))
    number = lambda low, high: float(np.exp(rng.uniform(np.log(low), np.log(high))))
    processes: list[Process] = []
    for _ in range(int(rng.integers(1, size + 2))):
        match int(rng.integers(5)):
            case 0 | 1:
                count = int(rng.integers(1, 3))
                reactants = tuple(int(i) for i in rng.choice(size, min(count, size), replace=False))
                processes.append(MassAction(reactants, state(), number(0.05, 2)))
            case 2:
                power = int(rng.integers(1, 5))
                processes.append(Hill(state(), state(), number(0.1, 5), number(0.2, 3), power))
            case 3:
                width = number(1e-3, 2)
                processes.append(Pulse(state(), rng.uniform(0, 9), width, number(0.5, 2) / width))
            case _:
                part = float(rng.uniform(0.05, 0.9))
                processes.append(Period(state(), number(1, 5), part, number(0.2, 3)))
    doses = tuple(
        Dose(
            state(),
            float(rng.choice([0.0, 5.0, rng.uniform(0, END)])),
            number(0.2, 5),
            float(rng.choice([0.0, rng.uniform(0.05, 3)])),
        )
        for _ in range(int(rng.integers(3)))
    )
    stop = (state(), number(0.5, 6)) if rng.random() < 0.3 else None
    y0 = tuple(float(rng.choice([0.0, number(0.1, 3)])) for _ in range(size))
    losses = tuple(number(0.05, 3) for _ in range(size))
    return RandomModel(y0, losses, tuple(processes), doses, stop)


def by_scipy(model: RandomModel, ts: np.ndarray) -> tuple[np.ndarray, float]:
    """States (time, state) at `ts`, NaN after a stop, and the time that was reached."""
    switches = [p.times() for p in model.processes if isinstance(p, Pulse | Period)]
    doses = [[d.time, d.time + d.duration] for d in model.doses]
    inner = sorted({float(x) for times in (*switches, *doses) for x in times if 0 < x < END})
    edges = [0.0, *inner, END]
    y, result = np.array(model.y0), np.full((len(ts), len(model.y0)), np.nan)
    # a dose at the start may stop at once: what counts is the state before it
    was_above = model.stop is not None and y[model.stop[0]] > model.stop[1]
    for start, end in zip(edges, edges[1:]):
        y = _given(model, y, start)
        result[ts == start] = y
        if model.stop is not None and not was_above and y[model.stop[0]] > model.stop[1]:
            return result, start
        middle = 0.5 * (start + end)
        rates = np.zeros(len(y))
        for dose in model.doses:
            if dose.duration and dose.time <= middle < dose.time + dose.duration:
                rates[dose.state] += dose.amount / dose.duration
        near = 1e-13 * END
        field = lambda t, y, a=start + near, b=end - near, r=rates: (
            np.array(model.derivative(np, np.clip(t, a, b), y)) + r
        )
        events = None
        if model.stop is not None:
            events = lambda t, y: y[model.stop[0]] - model.stop[1]  # type: ignore[index]
            events.terminal, events.direction = True, 1  # type: ignore[attr-defined]
        solved = solve_ivp(
            field, (start, end), y, "DOP853", rtol=1e-12, atol=1e-14, dense_output=True,
            events=events, max_step=(end - start) / 20,
        )  # fmt: skip
        assert solved.success, solved.message
        inside = (ts > start) & (ts <= solved.t[-1])
        if inside.any():
            result[inside] = solved.sol(ts[inside]).T
        y = solved.y[:, -1]
        if solved.status == 1:
            return result, float(solved.t[-1])
        was_above = model.stop is not None and y[model.stop[0]] > model.stop[1]
    y = _given(model, y, END)
    result[ts == END] = y
    return result, END


def _given(model: RandomModel, y: np.ndarray, t: float) -> np.ndarray:
    """The state after the boluses at a time."""
    y = y.copy()
    for dose in model.doses:
        if dose.time == t and not dose.duration:
            y[dose.state] += dose.amount
    return y


class Family:
    """Models of one size as one model of JAX, so that they are compiled together.

    The parameter `which` tells them apart.
    """

    def __init__(self, models: Sequence[RandomModel]):
        self.models = models
        self.size = len(models[0].y0)

    def field(self, t: Any, y: Any, args: Any) -> dict[str, Any]:
        """The vector field, a dict by state."""
        every = [model.derivative(jnp, t, list(y)) for model in self.models]
        return {f"y{i}": self._chosen(args, [one[i] for one in every]) for i in range(self.size)}

    def observables(self, t: Any, y: Any, args: Any) -> dict[str, Any]:
        """How far the state that stops is above its threshold."""
        beyond = [y[m.stop[0]] - m.stop[1] if m.stop else -1.0 + 0 * t for m in self.models]
        return {"beyond": self._chosen(args, beyond)}

    def _chosen(self, args: Any, values: Sequence[Any]) -> Any:
        result = values[0]
        for number, value in enumerate(values[1:], start=1):
            result = jnp.where(args.which == number, value, result)
        return result

    def study(self) -> dict[str, Any]:
        """The model, the design and the doses as config: `doses` slots a state."""
        columns: dict[str, list[float]] = {"which": [float(i) for i in range(len(self.models))]}
        for i in range(self.size):
            columns[f"y{i}"] = [model.y0[i] for model in self.models]
        doses = []
        most = max((len(model.doses) for model in self.models), default=0)
        for slot in range(most):
            for i in range(self.size):
                for kind in ("bolus", "infusion"):
                    given = [self._slot(model, slot, i, kind) for model in self.models]
                    if not any(dose.amount for dose in given):
                        continue
                    name = f"{kind}{slot}_{i}"
                    columns[f"{name}_amount"] = [dose.amount for dose in given]
                    columns[f"{name}_time"] = [dose.time for dose in given]
                    entry = {"state": f"y{i}", "amount": f"{name}_amount", "time": f"{name}_time"}
                    if kind == "infusion":
                        columns[f"{name}_duration"] = [dose.duration for dose in given]
                        entry["duration"] = f"{name}_duration"
                    doses.append(entry)
        return {
            "model": {
                "name": "family",
                "t1": END,
                "vector_field": "models.py:field",
                "observables": "models.py:observables",
                "states": {f"y{i}": {"initial": 0.0} for i in range(self.size)},
                "parameters": {"which": {"value": 0.0}},
            },
            "design": {"kind": "zip", "axes": {k: {"values": v} for k, v in columns.items()}},
            "doses": doses,
            "stop": {"above": {"beyond": 0.0}} if any(m.stop for m in self.models) else None,
        }

    @staticmethod
    def _slot(model: RandomModel, slot: int, state: int, kind: str) -> Dose:
        none = Dose(state, 0.0, 0.0, 1.0)
        if slot >= len(model.doses):
            return none
        dose = model.doses[slot]
        fits = dose.state == state and bool(dose.duration) == (kind == "infusion")
        return dose if fits else none
