"""What is known of a method."""

from dataclasses import dataclass
from typing import Literal

from odeflow.problem.methods.rosenbrock_tableau import RosenbrockTableau

#: `explicit` are Runge-Kutta methods with one of Diffrax's tableaus, which the native engine has
#: too, `esdirk` implicit ones with root finds, `rosenbrock` those with linear solves, natively too,
#: `taylor` series that only the native engine has.
Family = Literal["explicit", "esdirk", "rosenbrock", "taylor", "other"]


@dataclass(frozen=True)
class Method:
    """A one-step method.

    `name` is a config's, `diffrax_name` that of its class, Diffrax's or ours. `order` is the order
    of convergence of the solution that is propagated. `adaptive` is whether it estimates its
    errors, `implicit` whether it needs the derivatives of the field, `sees_end` whether a step
    evaluates the field at its end. `degree` is that of a polynomial which tells what is inside of a
    step. `reach` is the least |z| to the left at which it is not stable any more, of those whose
    last two stages are at the end of a step. `tableau` has the coefficients where they are not
    Diffrax's. `summary` and `advice`, when to take it, are for people; `citation` is its paper.
    """

    name: str
    diffrax_name: str
    order: int
    family: Family
    summary: str
    advice: str
    citation: str
    adaptive: bool = True
    sees_end: bool = True
    degree: int = 4
    reach: float | None = None
    tableau: RosenbrockTableau | None = None

    @property
    def implicit(self) -> bool:
        """Whether stages are solved for, by root finds or linear solves."""
        return self.family in ("esdirk", "rosenbrock")

    @property
    def native(self) -> bool:
        """Whether the native engine has it."""
        return self.family in ("explicit", "rosenbrock", "taylor")

    @property
    def in_diffrax(self) -> bool:
        """Whether Diffrax's engine has it."""
        return self.family != "taylor"

    @property
    def linearly_implicit(self) -> bool:
        """Whether it solves linear systems where other implicit methods find roots."""
        return self.family == "rosenbrock"
