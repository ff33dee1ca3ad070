"""What is solved against rivals, from loose to tight: small systems, large ones, doses, an event,
sensitivities, one trajectory alone.

A case has its own ladder of tolerances. Its errors are relative: root mean squares of
|y - reference| / (|reference| + FLOOR) over lanes, saved times and states.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks import antimony_models
from benchmarks.fields import scalar_field
from benchmarks.gray_scott import gray_scott
from benchmarks.large_problems import PROBLEMS, Large
from benchmarks.problems import Case
from odeflow.config.model import ModelConfig
from odeflow.config.solver import SolverConfig
from odeflow.problem.model import Model
from odeflow.problem.problem import Jumps, JumpTargets, Lanes, Problem
from odeflow.problem.transforms.sensitivity import with_sensitivities

#: Absolute tolerances are this part of relative ones; errors of smaller values are absolute.
FLOOR = 1e-3
RTOL = 1e-6
#: Multiples of RTOL from 1e-3 to 1e-13.
LADDER = tuple(10.0**k for k in range(3, -8, -1))
#: odeflow by its methods, and by the one that it chooses.
IMPLICIT = ("native:rodas5p", "auto")
EXPLICIT = ("native:tsit5", "native:dopri8", "native:taylor")
SMALL = ("heyoka", "numbalsoda", "cvode", "casadi", "tuned", "torchode")
ALONE = ("numbalsoda", "cvode", "casadi", "scipy", "tuned")


class Bounce(NamedTuple):
    """Where component `height` falls below zero, component `speed` becomes minus what is kept.

    `kept` is the parameter that says how much; all are numbers, as others count them.
    """

    height: int
    speed: int
    kept: int


@dataclass(frozen=True)
class RivalCase(Case):
    """A case with rivals: which contenders solve it, and how tight it becomes.

    `doses` are times at which every trajectory gets `DOSE` into its first component, `bounce` is
    the model's event. The derivatives of all states along the parameters `sensitivities` are
    solved for too. One that is `alone` is a single trajectory, called from Python as a user would.
    `precise` says that the reference is of extended precision.
    """

    natives: tuple[str, ...] = ()
    rivals: tuple[str, ...] = SMALL
    ladder: tuple[float, ...] = LADDER
    doses: tuple[float, ...] = ()
    bounce: Bounce | None = None
    sensitivities: tuple[str, ...] = ()
    alone: bool = False
    precise: bool = False
    large: Large | None = field(default=None, compare=False)

    @property
    def contenders(self) -> tuple[str, ...]:
        """The native engine with each method that suits, then the rivals."""
        return (*self.natives, *self.rivals)

    @cached_property
    def model(self) -> Model:
        """The model, with the sensitivities; of some problems one that is not shipped."""
        if self.large is not None:
            return self.large.problem("tsit5", RTOL).model
        if self.model_name == "kepler":
            return kepler(self.t1)
        if self.model_name not in antimony_models.NAMES:
            return super().model
        model = antimony_models.imported(self.model_name, self.t1)
        names = tuple(model.declared.states)
        tolerances = SolverConfig(method="tsit5").solver(names).tolerances
        return with_sensitivities(model, self.sensitivities, None, None, tolerances)

    @property
    def width(self) -> int:
        """Components that are no sensitivities: those of the field written for others."""
        return len(self.model.components) // (1 + len(self.sensitivities))

    @property
    def absolute(self) -> float | np.ndarray:
        """See `Case`; of a sensitivity over the parameter's value, as the engines have it."""
        declared = self.model.declared
        sizes = [1.0, *(declared.parameters[name].value for name in self.sensitivities)]
        return np.repeat(self.atol / np.array(sizes), self.width)

    def problem(self, scale: float = 1.0) -> Problem:
        """See `Case`; with doses."""
        problem = super().problem(scale)
        return replace(problem, jumps=JumpTargets((0,), ())) if self.doses else problem

    def lanes(self, size: int) -> Lanes:
        """See `Case`; with the schedules of doses."""
        if self.large is not None:
            return self.large.lanes(size)
        lanes = super().lanes(size)
        if not self.doses:
            return lanes
        times = np.repeat(np.array(self.doses)[:, None], size, axis=1)
        jumps = Jumps(times, np.full((len(times), 1, size), DOSE), np.empty((len(times), 0, size)))
        return replace(lanes, jumps=jumps)

    @property
    def segments(self) -> list[tuple[float, float, float]]:
        """Start, end and the amount that the first component gets at the start."""
        starts = [float(self.model.declared.t0), *self.doses]
        return [
            (start, end, DOSE if k else 0.0)
            for k, (start, end) in enumerate(zip(starts, [*self.doses, self.t1], strict=True))
        ]


DOSE = 100.0
#: The rates of the published model along which derivatives are taken, with their values there.
RATES = {
    "kruEGF": 0.0121008, "kSos": 32.344, "kRasGap": 1509.36, "kpRaf1": 185.759, "kdMek": 2.83243,
    "kpMek": 9.85367, "kdErk": 8.8912, "kpP90Rsk": 0.0213697,
}  # fmt: skip


def kepler(t1: float) -> Model:
    """A planet around the sun, from the point where its velocity is across."""
    names, function = ("x", "y", "vx", "vy"), scalar_field("kepler")

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        return dict(zip(names, function(t, tuple(y), tuple(args)), strict=True))

    config = {
        "name": "kepler",
        "vector_field": "benchmarks.rival_cases:kepler",
        "t1": t1,
        "states": {n: {"initial": x} for n, x in zip(names, (1.0, 0.0, 0.0, 1.0), strict=True)},
        "parameters": {"mass": {"value": 1.0}},
    }
    return Model(ModelConfig.model_validate(config).declaration(), field)


def _small(
    name: str, title: str, model: str, t1: float, varied: dict[str, Any], unit: float = 1.0,
    **more: Any,
) -> RivalCase:  # fmt: skip
    natives = IMPLICIT if more.get("stiff") else (*EXPLICIT, *IMPLICIT)
    more = {"dt0": 1e-4, "natives": natives} | more
    return RivalCase(name, title, model, t1, varied, 20_000, RTOL, RTOL * FLOOR * unit, **more)


def _alone(name: str, title: str, model: str, t1: float, methods: Sequence[str], **more: Any):
    natives = tuple(f"call:{method}" for method in methods)
    rivals = ALONE if more.get("stiff") else ("heyoka", *ALONE)
    return RivalCase(
        f"one_{name}", f"one trajectory, {title}", model, t1, {}, 1, RTOL, RTOL * FLOOR,
        natives=natives, rivals=rivals, alone=True, **more,
    )  # fmt: skip


def _van_der_pol(mu: float, t1: float) -> RivalCase:
    stiff = mu >= 100
    return _small(
        f"van_der_pol_{mu:g}", f"van der Pol, mu = {mu:g}", "van_der_pol", t1,
        {"x": (1.5, 2.5), "mu": (0.9 * mu, 1.1 * mu)}, stiff=stiff, dt0=1e-6, precise=not stiff,
    )  # fmt: skip


def _large(name: str) -> RivalCase:
    kind, states = name.rsplit("_", 1)
    stiff = kind != "gray_scott"
    large = PROBLEMS[name]() if stiff else gray_scott(int(states))
    tight = 5 if int(states) < 1000 else 3
    return RivalCase(
        name, f"{_TITLES[kind]}, {int(states):,} states", name, large.t1, {"rate": (0.8, 1.25)},
        64, RTOL, RTOL * FLOOR, 1e-6, stiff=stiff, large=large, ladder=LADDER[2 : 2 + tight],
        natives=("native:rodas5p",) if stiff else ("native:tsit5",),
        rivals=("cvode", "numbalsoda") if int(states) < 100 else ("cvode",),
    )  # fmt: skip


_TITLES = {"brusselator": "Brusselator", "chemistry": "chemistry", "dense": "dense network",
           "heat": "heat", "gray_scott": "Gray-Scott"}  # fmt: skip
#: What is solved by implicit methods begins at 1e-5, so that it is compiled only once.
LARGE = (
    *(f"brusselator_{n}" for n in (32, 128, 512, 4096)), "heat_256", "gray_scott_512",
    "chemistry_256", "chemistry_1000", "dense_128",
)  # fmt: skip


def _cases() -> dict[str, Callable[[], RivalCase]]:
    small = [
        _small(
            "kepler", "Kepler", "kepler", 20.0, {"vy": (0.8, 1.2)}, precise=True,
        ),
        _small(
            "arenstorf", "Arenstorf", "arenstorf", 17.0652, {"vy": (-2.0021, -2.0011)},
            precise=True, dt0=1e-5,
        ),
        _van_der_pol(1, 20.0),
        _van_der_pol(10, 20.0),
        _van_der_pol(100, 200.0),
        _van_der_pol(1000, 2000.0),
        _small(
            "doses", "10 doses, one compartment", "pk_one_compartment", 240.0,
            {"ka": (0.5, 2.0), "cl": (3.0, 8.0)}, precise=True,
            doses=tuple(24.0 * k for k in range(10) if k),
            rivals=("heyoka", "cvode", "casadi", "tuned"),
        ),
        _small(
            "ball", "bouncing ball, an event", "ball", 10.0,
            {"height": (5.0, 10.0), "drag": (0.05, 0.3)}, precise=True, bounce=Bounce(0, 1, 2),
            natives=("native:tsit5", "native:dopri8", *IMPLICIT),
            rivals=("heyoka", "cvode", "roadrunner", "scipy", "tuned"),
        ),
        _small(
            "brown2004", "EGF and NGF signalling, 28 states, 8 sensitivities", "brown2004", 60.0,
            {name: (value / 1.2, value * 1.2) for name, value in RATES.items()}, precise=True,
            sensitivities=tuple(RATES), unit=1e5, stiff=True,
            natives=("native:tsit5", "native:rodas5p"),
            rivals=("amici", "roadrunner", "heyoka"), ladder=LADDER[:9],
        ),
        _alone("seed", "seed system", "michaelis_menten", 120.0, ("tsit5", "rodas5p"),
               precise=True, dt0=0.1),
        _alone("robertson", "Robertson to t = 1e6", "robertson", 1e6, ("rodas5p",), stiff=True,
               dt0=1e-4),
    ]  # fmt: skip
    found: dict[str, Callable[[], RivalCase]] = {c.name: lambda c=c: c for c in small}
    found |= {name: partial(_large, name) for name in LARGE}
    return found


#: Makers of cases by name: large ones are compiled.
RIVALS = _cases()
