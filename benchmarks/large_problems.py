"""Large systems: each for JAX, and for tools that call a compiled function at a time and a state.

`field(t, y, args)` is the model's; `write(t, y, dy, p)` and `write_jacobian(t, y, dy, values, p)`
are compiled by Numba and write into arrays: the derivatives, and the entries of `pattern`. States
of two kinds lie side by side in `write`, which keeps a band narrow; `place` has the model's order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numba
import numpy as np
from scipy import sparse

from odeflow.config.model import ModelConfig
from odeflow.config.solver import SolverConfig
from odeflow.problem.model import Model
from odeflow.problem.problem import Lanes, Problem

#: Absolute tolerances by relative ones, as radicals are few, and the least, above rounding errors.
ATOL, LEAST = 1e-3, 1e-12


@dataclass(frozen=True)
class Large:
    """One problem; its parameter `rate`, around 1, varies from lane to lane."""

    states: dict[str, np.ndarray]
    field: Callable[..., Any]
    t1: float
    write: Callable[..., Any]
    write_jacobian: Callable[..., Any] | None = None
    pattern: sparse.csc_matrix | None = None
    band: int = 0
    place: np.ndarray | None = None

    @property
    def start(self) -> np.ndarray:
        """The initial state as the model has it."""
        return np.concatenate(list(self.states.values()))

    def problem(self, method: str, rtol: float) -> Problem:
        """For odeflow's engines: end values."""
        states = {name: {"initial": x.tolist(), "dims": ["i"]} for name, x in self.states.items()}
        config = ModelConfig.model_validate(
            {
                "name": "large",
                "vector_field": "benchmarks.large_problems:none",
                "t1": self.t1,
                "states": states,
                "parameters": {"rate": {"value": 1.0}},
            }
        )
        settings = SolverConfig(
            method=method, rtol=rtol, atol=max(rtol * ATOL, LEAST), dt0=None, max_steps=1_000_000
        )
        names = tuple(self.states)
        model = Model(config.declaration(), self.field)
        return Problem(model, settings.solver(names), None, names, np.dtype(np.float64))

    def lanes(self, size: int) -> Lanes:
        """The same first ones whatever the size."""
        rates = np.random.default_rng(0).uniform(0.8, 1.25, size)
        return Lanes(np.repeat(self.start[:, None], size, axis=1), rates[None])


def brusselator(states: int) -> Large:
    """Two substances along a line; Hairer and Wanner II, section IV.10."""
    n = states // 2
    scale = (n + 1) ** 2 / 50

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        end = jnp.ones(1)
        u = jnp.concatenate([end, y.u, end])
        v = jnp.concatenate([3 * end, y.v, 3 * end])
        made, rate = y.u**2 * y.v, args.rate * scale
        du = 1 + made - 4 * y.u + rate * (u[2:] - 2 * y.u + u[:-2])
        return {"u": du, "v": 3 * y.u - made + rate * (v[2:] - 2 * y.v + v[:-2])}

    @numba.njit
    def write(t, y, dy, p):
        rate = p[0] * scale
        for i in range(n):
            u, v = y[2 * i], y[2 * i + 1]
            left, lower = (y[2 * i - 2], y[2 * i - 1]) if i > 0 else (1.0, 3.0)
            right, upper = (y[2 * i + 2], y[2 * i + 3]) if i < n - 1 else (1.0, 3.0)
            made = u * u * v
            dy[2 * i] = 1 + made - 4 * u + rate * (left - 2 * u + right)
            dy[2 * i + 1] = 3 * u - made + rate * (lower - 2 * v + upper)

    x = np.arange(1, n + 1) / (n + 1)
    states_ = {"u": 1 + np.sin(2 * np.pi * x), "v": np.full(n, 3.0)}
    place = np.arange(states).reshape(2, n).T.ravel()
    return Large(states_, field, 10.0, write, band=2, place=place)


def heat(n: int) -> Large:
    """A rod whose ends are cold."""
    scale = (n + 1.0) ** 2

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        u = jnp.concatenate([jnp.zeros(1), y.u, jnp.zeros(1)])
        return {"u": args.rate * scale * (u[2:] - 2 * y.u + u[:-2])}

    @numba.njit
    def write(t, y, dy, p):
        rate = p[0] * scale
        for i in range(n):
            left = y[i - 1] if i > 0 else 0.0
            right = y[i + 1] if i < n - 1 else 0.0
            dy[i] = rate * (left - 2 * y[i] + right)

    x = np.arange(1, n + 1) / (n + 1)
    return Large({"u": np.exp(-100 * (x - 0.4) ** 2)}, field, 0.1, write, band=1)


def chemistry(n: int) -> Large:
    """Chains of species that a few radicals oxidise step by step, as above cities.

    Each of the species reacts with one of eight radicals to the next of its chain and another
    radical, and decays; radicals react with one another. Rates span six decades.
    """
    radicals, rng = 8, np.random.default_rng(7)
    first, second, product, other, speed = [], [], [], [], []

    def add(a: int, b: int, c: int, d: int, rate: float) -> None:
        for column, x in zip((first, second, product, other, speed), (a, b, c, d, rate)):
            column.append(x)

    for i in range(radicals, n):
        following = i + 1 if (i - radicals) % 10 < 9 and i + 1 < n else int(rng.integers(radicals))
        hub, made = rng.integers(radicals, size=2)
        add(i, int(hub), following, int(made), 10 ** rng.uniform(-2, 4))
        add(i, n, following, n, 10 ** rng.uniform(-2, 2))
    for a in range(radicals):
        for b in range(a):
            c, d = rng.integers(radicals, n, size=2)
            add(a, b, int(c), int(d), 10 ** rng.uniform(0, 4))
    one, two, three, four = (np.array(x) for x in (first, second, product, other))
    rates = np.array(speed)

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        x = jnp.concatenate([y.c, jnp.ones(1)])
        flow = args.rate * rates * x[one] * x[two]
        change = jnp.zeros(n + 1).at[one].add(-flow).at[two].add(-flow)
        return {"c": change.at[three].add(flow).at[four].add(flow)[:n]}

    @numba.njit
    def write(t, y, dy, p):
        dy[:] = 0.0
        for r in range(rates.size):
            a, b, c, d = one[r], two[r], three[r], four[r]
            flow = p[0] * rates[r] * y[a] * (y[b] if b < n else 1.0)
            dy[a] -= flow
            dy[c] += flow
            if b < n:
                dy[b] -= flow
            if d < n:
                dy[d] += flow

    reactions = list(zip(first, second, product, other))
    entries = [(i, j) for row in reactions for i in row for j in row[:2] if i < n and j < n]
    entries += [(i, i) for i in range(n)]
    pattern = sparse.csc_matrix((np.ones(len(entries)), np.transpose(entries)), shape=(n, n))
    pattern.sort_indices()
    known = {
        (int(i), j): k
        for j in range(n)
        for k, i in enumerate(pattern.indices[pattern.indptr[j] : pattern.indptr[j + 1]],
                              pattern.indptr[j])
    }  # fmt: skip
    at = np.array([[known.get((i, j), -1) for i in row for j in row[:2]] for row in reactions])

    @numba.njit
    def write_jacobian(t, y, dy, values, p):
        values[:] = 0.0
        for r in range(rates.size):
            a, b = one[r], two[r]
            speed = p[0] * rates[r]
            by_a, by_b = speed * (y[b] if b < n else 1.0), speed * y[a]
            for k in range(4):
                sign = -1.0 if k < 2 else 1.0
                if at[r, 2 * k] >= 0:
                    values[at[r, 2 * k]] += sign * by_a
                if at[r, 2 * k + 1] >= 0:
                    values[at[r, 2 * k + 1]] += sign * by_b

    start = np.where(np.arange(n) < radicals, 1e-3, 10 ** rng.uniform(-3, 0, n))
    return Large({"c": start}, field, 1.0, write, write_jacobian, pattern)


def dense(n: int) -> Large:
    """Neurons of which each feels all others: y' = -s y + tanh(W y), s from 1 to 1,000."""
    rng = np.random.default_rng(4)
    weights, decays = rng.normal(size=(n, n)) / np.sqrt(n), np.geomspace(1, 1000, n)

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        return {"v": args.rate * (jnp.tanh(weights @ y.v) - decays * y.v)}

    @numba.njit(fastmath=True)
    def write(t, y, dy, p):
        for i in range(n):
            total = 0.0
            for j in range(n):
                total += weights[i, j] * y[j]
            dy[i] = p[0] * (np.tanh(total) - decays[i] * y[i])

    @numba.njit(fastmath=True)
    def write_jacobian(t, y, dy, values, p):
        for i in range(n):
            slope = p[0] * (1 - (dy[i] / p[0] + decays[i] * y[i]) ** 2)
            for j in range(n):
                values[i, j] = slope * weights[i, j]
            values[i, i] -= p[0] * decays[i]

    return Large({"v": rng.random(n)}, field, 5.0, write, write_jacobian)


PROBLEMS: dict[str, Callable[[], Large]] = {
    **{f"brusselator_{n}": lambda n=n: brusselator(n) for n in (32, 128, 512, 1024, 4096)},
    "heat_256": lambda: heat(256),
    **{f"chemistry_{n}": lambda n=n: chemistry(n) for n in (256, 1000)},
    **{f"dense_{n}": lambda n=n: dense(n) for n in (64, 128)},
}
