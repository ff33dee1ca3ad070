"""What is solved: one `Case` a problem and choice of saved times."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np
from omegaconf import OmegaConf

from odeflow.config.model import ModelConfig
from odeflow.config.shipped import shipped_config
from odeflow.config.solver import SolverConfig
from odeflow.ensemble.build import resolved
from odeflow.importers.loading import load_model
from odeflow.problem.model import Model
from odeflow.problem.problem import Lanes, Problem


@dataclass(frozen=True)
class Case:
    """One ensemble: a model, what varies from lane to lane, tolerances, saved times.

    `varied` has the range of each parameter or (scalar) state that varies; `logarithmic` ones are
    uniform in their logarithm. `ts` None saves the end only. `size` is the number of trajectories;
    `sizes` has the smaller ones of contenders that would take minutes (a trajectory's time is
    what is compared).
    """

    name: str
    title: str
    model_name: str
    t1: float
    varied: Mapping[str, tuple[float, float]]
    size: int
    rtol: float = 1e-6
    atol: float = 1e-8
    dt0: float = 0.1
    ts: tuple[float, ...] | None = None
    stiff: bool = False
    logarithmic: bool = False
    sizes: Mapping[str, int] = field(default_factory=dict)
    states: int = 0  # of a ring
    method: str | None = None  # of odeflow's engines; None: tsit5, or rodas5p where stiff

    @property
    def absolute(self) -> float | np.ndarray:
        """The absolute tolerance in which errors are measured, of each component or of all."""
        return self.atol

    @property
    def saved(self) -> str:
        """What is saved, in words."""
        return "end" if self.ts is None else f"{len(self.ts)} times"

    @property
    def times(self) -> np.ndarray:
        """The times to save; only t1 where the end is saved."""
        return np.array([self.t1] if self.ts is None else self.ts)

    @cached_property
    def model(self) -> Model:
        """The model, with this case's end time."""
        if self.model_name == "ring":
            return ring(self.states, self.t1)
        path = shipped_config() / "model" / f"{self.model_name}.yaml"
        data: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
        return load_model(ModelConfig.model_validate(data | {"t1": self.t1}))

    def problem(self, scale: float = 1.0) -> Problem:
        """The problem for odeflow's engines, its tolerances multiplied by `scale`."""
        solver = SolverConfig(
            method=self.method or ("rodas5p" if self.stiff else "tsit5"),
            rtol=self.rtol * scale,
            atol=self.atol * scale,
            dt0=self.dt0,
            max_steps=1_000_000,
        )
        ts = None if self.ts is None else np.array(self.ts)
        names = tuple(self.model.declared.states)
        return Problem(self.model, resolved(solver, self.model), ts, names, np.dtype(np.float64))

    def lanes(self, size: int) -> Lanes:
        """Initial values and parameters; the first lanes are the same whatever the size."""
        declared = self.model.declared
        values = {}
        draws = np.random.default_rng(0).random((size, len(self.varied)))
        for draw, (name, bounds) in zip(draws.T, self.varied.items()):
            low, high = np.log(bounds) if self.logarithmic else bounds
            value = low + (high - low) * draw
            values[name] = np.exp(value) if self.logarithmic else value
        y0 = [
            np.broadcast_to(
                values.get(n, np.reshape(s.initial, (-1, 1))), (np.size(s.initial), size)
            )
            for n, s in declared.states.items()
        ]
        args = [
            np.broadcast_to(values.get(n, p.value), size) for n, p in declared.parameters.items()
        ]
        return Lanes(np.concatenate(y0), np.array(args))


def ring(states: int, t1: float) -> Model:
    """A ring of states, each inhibited by the next and fed by the one before.

    dy_i/dt = gain / (1 + y_(i+1)^2) - y_i + coupling (y_(i-1) - y_i) / (1 + y_i^2), dimensionless.
    """

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        inward, outward = jnp.roll(y.y, 1), jnp.roll(y.y, -1)
        flow = args.coupling * (inward - y.y) / (1.0 + y.y**2)
        return {"y": args.gain / (1.0 + outward**2) - y.y + flow}

    config = {
        "name": f"ring_{states}",
        "vector_field": "benchmarks.problems:ring",
        "t1": t1,
        "states": {"y": {"initial": [0.1 * (i % 7 + 1) for i in range(states)], "dims": ["i"]}},
        "parameters": {"gain": {"value": 10.0}, "coupling": {"value": 1.0}},
    }
    return Model(ModelConfig.model_validate(config).declaration(), field)


def ring_case(states: int, size: int, **changes: Any) -> Case:
    """A ring of that many states to t = 120."""
    return Case(
        f"ring_{states}",
        f"ring of {states} states",
        "ring",
        t1=120.0,
        varied={"gain": (5.0, 20.0), "coupling": (0.5, 2.0)},
        size=size,
        states=states,
        **changes,
    )


def _around(model: str, names: str, factor: float) -> dict[str, tuple[float, float]]:
    """Ranges of parameters around the model's values, `factor` up and down."""
    path = shipped_config() / "model" / f"{model}.yaml"
    parameters: Any = OmegaConf.to_container(OmegaConf.load(path))["parameters"]  # type: ignore
    value = {name: parameters[name]["value"] for name in names.split()}
    return {name: (v / factor, v * factor) for name, v in value.items()}


def _cases() -> list[Case]:
    seed = Case(
        "seed",
        "seed system",
        "michaelis_menten",
        t1=120.0,
        varied={"substrate": (6, 12), "enzyme": (0.1, 0.7), "vmax": (8, 12), "km": (4, 6)},
        size=100_000,
    )
    robertson = Case(
        "robertson",
        "Robertson",
        "robertson",
        t1=1e5,
        varied=_around("robertson", "k1 k2 k3", float(np.exp(0.5))),
        size=10_000,
        atol=1e-10,
        dt0=1e-4,
        stiff=True,
        logarithmic=True,
        sizes={"naive": 2000, "diffrax": 2000, "scipy": 100, "gradsolve": 2000},
    )
    stiff: dict[str, Any] = {"size": 10_000, "atol": 1e-10, "dt0": 1e-6, "stiff": True}
    stiff["logarithmic"] = True
    few = {"naive": 500, "diffrax": 500, "scipy": 60, "gradsolve": 1000}
    photolysis = "k1 k4 k5 k7 k16 k17 k21 k22"
    return [
        seed,
        replace(seed, name="seed_times", ts=tuple(np.linspace(0, 120, 121))),
        ring_case(6, 50_000),
        ring_case(24, 20_000),
        Case(
            "lorenz",
            "Lorenz, rho 0 to 21",
            "lorenz63",
            t1=1.0,
            varied={"rho": (0.0, 21.0)},
            size=100_000,
            rtol=1e-8,
            dt0=0.001,
        ),
        Case(
            "hodgkin_huxley",
            "Hodgkin-Huxley",
            "hodgkin_huxley",
            t1=100.0,
            varied={"i_ext": (0.0, 20.0), "g_na": (100.0, 140.0), "g_k": (30.0, 42.0)},
            size=10_000,
            dt0=0.01,
            ts=tuple(np.linspace(0, 100, 101)),
        ),
        robertson,
        replace(robertson, name="robertson_times", ts=tuple(np.geomspace(1e-5, 1e5, 61))),
        Case(
            "hires", "HIRES", "hires", t1=321.8122, sizes=few,
            varied=_around("hires", "k1 k3 k_plus o_ks", float(np.exp(0.2))), **stiff,
        ),
        Case(
            "pollution", "20-species chemistry (POLLU)", "pollution", t1=60.0, sizes=few,
            varied=_around("pollution", photolysis, float(np.exp(0.2))), **stiff,
        ),
    ]  # fmt: skip


CASES = {case.name: case for case in _cases()}


def find_case(name: str) -> Case:
    """The case called `name`; `ring_N` for any N. Those with rivals are not imported before."""
    if name not in CASES and name.startswith("ring_"):
        return ring_case(int(name.removeprefix("ring_")), 20_000)
    if name not in CASES:
        from benchmarks.rival_cases import RIVALS  # compiles with Numba

        return RIVALS[name]()
    return CASES[name]
