"""The method of a problem and its step size control, resolved for its states."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

#: Relative tolerance down to which a step's error estimate may be small by chance: what is
#: `suspect` at a looser one is solved again at this.
SAFE_RTOL = 1e-5


@dataclass(frozen=True)
class Tolerances:
    """What an error of a step is measured in: atol + rtol |y|, with an `atol` for each state.

    Array states have one for all of their components.
    """

    rtol: float
    atol: Mapping[str, float]

    @property
    def uniform(self) -> float | None:
        """The absolute tolerance of all states, where they have one; else None."""
        values = {*self.atol.values()}
        return values.pop() if len(values) == 1 else None

    def of(self, variable: str) -> float:
        """The absolute tolerance of a state; of an observable the largest there is."""
        return self.atol[variable] if variable in self.atol else max(self.atol.values())

    @property
    def least(self) -> float:
        """The smallest absolute tolerance."""
        return min(self.atol.values())


@dataclass(frozen=True)
class Solver:
    """The method and its step size control. Names are Diffrax's; None stands for its own choice.

    `root_finder_rtol` and `root_finder_atol` are those of implicit methods, `delay_steps` the steps
    that are kept for delays. `stiff_steps` are those at the limit of stability after which a
    trajectory has had its steps; None looks at none.
    """

    method: str
    tolerances: Tolerances
    stepsize_controller: Literal["pid", "constant"]
    dt0: float | None
    dtmin: float | None
    dtmax: float | None
    max_steps: int
    pcoeff: float
    icoeff: float
    dcoeff: float
    factormin: float
    factormax: float
    safety: float
    root_finder_rtol: float | None
    root_finder_atol: float | None
    delay_steps: int
    stiff_steps: int | None = None

    @property
    def is_adaptive(self) -> bool:
        """Whether the lengths of steps follow from their errors."""
        return self.stepsize_controller == "pid"

    @property
    def root_finder_tolerances(self) -> tuple[float, float]:
        """`(rtol, atol)` of the root finds of implicit methods; by default those of steps."""
        rtol = self.root_finder_rtol or self.tolerances.rtol
        return rtol, self.root_finder_atol or self.tolerances.least
