"""Smooth problems for tight tolerances, their fields in arithmetic that any tool's numbers have."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from benchmarks.fields import lorenz63, michaelis_menten
from benchmarks.problems import Case
from odeflow.config.model import ModelConfig
from odeflow.problem.model import Model

#: Of t, states and parameters, a sequence each.
Field = Callable[[Any, Sequence[Any], Sequence[Any]], Sequence[Any]]


@dataclass(frozen=True)
class Smooth(Case):
    """A case whose field is given: with the states' initial values and the parameters' by name."""

    vector_field: Field = michaelis_menten
    initial: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def model(self) -> Model:
        """The model, for odeflow."""

        def derivatives(t: Any, y: Any, args: Any) -> dict[str, Any]:
            slopes = self.vector_field(t, list(y), list(args))
            return dict(zip(self.initial, slopes, strict=True))

        config = {
            "name": self.name,
            "vector_field": "benchmarks.smooth:Smooth",
            "t1": self.t1,
            "states": {name: {"initial": value} for name, value in self.initial.items()},
            "parameters": {name: {"value": value} for name, value in self.parameters.items()},
        }
        return Model(ModelConfig.model_validate(config).declaration(), derivatives)


def kepler(t: Any, y: Sequence[Any], p: Sequence[Any]) -> Sequence[Any]:
    """A body around a fixed one of mass p[0]."""
    square = y[0] * y[0] + y[1] * y[1]
    pull = p[0] * square**-1.5
    return y[2], y[3], -pull * y[0], -pull * y[1]


def arenstorf(t: Any, y: Sequence[Any], p: Sequence[Any]) -> Sequence[Any]:
    """Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, (0.1)."""
    x, z, vx, vz = y
    mu, rest = p[0], 1.0 - p[0]
    far, near = x + mu, x - rest
    square = z * z
    one, two = rest * (far * far + square) ** -1.5, mu * (near * near + square) ** -1.5
    return (
        vx,
        vz,
        x + 2.0 * vz - one * far - two * near,
        z - 2.0 * vx - one * z - two * z,
    )


def ring(t: Any, y: Sequence[Any], p: Sequence[Any]) -> Sequence[Any]:
    """The ring of `benchmarks.problems`, which has the equation."""
    n = len(y)
    slopes = []
    for i, here in enumerate(y):
        before, after = y[i - 1], y[(i + 1) % n]
        flow = p[1] * (before - here) / (1.0 + here * here)
        slopes.append(p[0] / (1.0 + after * after) - here + flow)
    return slopes


SMOOTH = {
    case.name: case
    for case in (
        Smooth(
            "lorenz", "Lorenz, rho 0 to 21", "", 1.0, {"rho": (0.0, 21.0)}, 20_000,
            vector_field=lorenz63,
            initial={"x": 1.0, "y": 1.0, "z": 1.0},
            parameters={"sigma": 10.0, "rho": 28.0, "beta": 8.0 / 3.0},
        ),
        Smooth(
            "kepler", "Kepler, eccentricity 0 to 0.69", "", 10.0, {"vy": (1.0, 1.3)}, 20_000,
            vector_field=kepler,
            initial={"x": 1.0, "y": 0.0, "vx": 0.0, "vy": 1.0},
            parameters={"mass": 1.0},
        ),
        Smooth(
            "arenstorf", "Arenstorf's orbit, mu 1e-6 up and down", "", 17.065216560157962559,
            {"mu": (0.012277471 - 1e-6, 0.012277471 + 1e-6)}, 10_000,
            vector_field=arenstorf,
            initial={"x": 0.994, "y": 0.0, "vx": 0.0, "vy": -2.00158510637908252},
            parameters={"mu": 0.012277471},
        ),
        Smooth(
            "ring_6", "ring of 6 states", "", 120.0, {"gain": (5.0, 20.0), "coupling": (0.5, 2.0)},
            10_000,
            vector_field=ring,
            initial={f"y{i}": 0.1 * (i % 7 + 1) for i in range(6)},
            parameters={"gain": 10.0, "coupling": 1.0},
        ),
        Smooth(
            "seed", "seed system", "", 120.0,
            {"substrate": (6, 12), "enzyme": (0.1, 0.7), "vmax": (8, 12), "km": (4, 6)}, 20_000,
            vector_field=michaelis_menten,
            initial={"substrate": 10.0, "enzyme": 0.5},
            parameters={"vmax": 10.0, "km": 5.0},
        ),
    )
}  # fmt: skip
