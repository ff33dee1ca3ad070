"""Profile likelihoods: all parameters and both directions are lanes that go on side by side.

Each point fixes one parameter a little further from the best fit and minimises over the others,
from where the last point ended and in the direction that it came from. A step that rises too far
is taken again, half as long.

Reference: Raue et al. (2009), Structural and practical identifiability analysis of partially
observed dynamical models by exploiting the profile likelihood, Bioinformatics 25, 1923-1929.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from jaxtyping import Float

from odeflow.analysis.estimation.objective import Objective
from odeflow.analysis.estimation.trust_region import Options, minimise

Vector = Float[np.ndarray, " parameter"]
#: Rise of the square root of twice the objective between points: aimed at, and at most.
_AIMED, _MOST = 0.3, 0.6
#: Points of one direction, and rounds of all.
_MOST_POINTS, _MOST_ROUNDS = 60, 200
#: A profile that rises by less than this is flat.
_FLAT = 1e-3


class Identifiability(IntEnum):
    """What a profile says of its parameter. The numbers are stored and do not change."""

    identified = 0
    no_lower_limit = 1
    no_upper_limit = 2
    no_limits = 3
    flat = 4
    not_profiled = 5


@dataclass
class Profile:
    """Points of one parameter's profile by increasing value, and the limits of its interval.

    `low` and `high` are NaN where the profile stays below the threshold up to the bound.
    """

    parameter: int
    value: list[float] = field(default_factory=list)
    objective: list[float] = field(default_factory=list)
    low: float = np.nan
    high: float = np.nan
    identifiability: Identifiability = Identifiability.not_profiled


def profiles(
    objective: Objective,
    best: Vector,
    least: float,
    errors: Vector,
    parameters: Sequence[int],
    rise: float,
    options: Options | None = None,
) -> list[Profile]:
    """The profiles of some parameters around the best fit.

    Arguments:
        objective: what is minimised.
        best: the best fit, on the scales.
        least: the objective there.
        errors: standard errors, which the first steps are made of; NaN where there is none.
        parameters: numbers of the parameters to profile.
        rise: by how much the objective rises to the end of an interval.
        options: when a minimisation ends.

    Returns:
        One profile for each.
    """
    paths = [_Path(objective, best, least, errors, i, sign) for i in parameters for sign in (-1, 1)]
    for _ in range(_MOST_ROUNDS):
        going = [path for path in paths if not path.done]
        if not going:
            break
        theta = np.array([path.proposed() for path in going])
        fixed = np.array([path.fixed for path in going])
        lower = np.broadcast_to(objective.parameters.lower, theta.shape)
        upper = np.broadcast_to(objective.parameters.upper, theta.shape)
        found = minimise(objective, theta, lower, upper, fixed, options)
        for i, path in enumerate(going):
            path.take(found.theta[i], float(found.objective[i]), least, rise)
    return [_profile(paths[k], paths[k + 1], best, least, rise) for k in range(0, len(paths), 2)]


class _Path:
    """One parameter in one direction: its points so far, and the next step."""

    def __init__(
        self, objective: Objective, best: Vector, least: float, errors: Vector, i: int, sign: int
    ):
        self.i, self.sign = i, sign
        bounds = objective.parameters.lower[i], objective.parameters.upper[i]
        self.bound = bounds[(sign + 1) // 2]
        self.points, self.objectives = [best], [least]
        known = np.isfinite(errors[i]) and 0 < errors[i] < bounds[1] - bounds[0]
        self.length = _AIMED * errors[i] if known else 0.02 * (bounds[1] - bounds[0])
        self.fixed = ~objective.searched
        self.fixed = self.fixed | (np.arange(len(best)) == i)
        if i in objective.solved:  # it is held, so it is not solved for
            raise ValueError("a parameter that is solved for has no profile of this objective")
        self.done = bool(best[i] == self.bound)

    def proposed(self) -> Vector:
        last = self.points[-1]
        to = last[self.i] + self.sign * self.length
        to = min(to, self.bound) if self.sign > 0 else max(to, self.bound)
        theta = last.copy()
        if len(self.points) > 1:  # as the others moved along the last step
            before = self.points[-2]
            theta += (last - before) * ((to - last[self.i]) / (last[self.i] - before[self.i]))
        theta[self.i] = to
        return theta

    def take(self, theta: Vector, found: float, least: float, rise: float) -> None:
        before, after = (_root(x, least) for x in (self.objectives[-1], found))
        smallest = 1e-6 * max(abs(self.bound), 1.0)
        if not np.isfinite(found) or after - before > _MOST:
            if self.length > smallest:
                self.length /= 3 if np.isfinite(found) else 4
                return
            self.done = not np.isfinite(found)
            if self.done:
                return
        self.points.append(theta)
        self.objectives.append(found)
        step = max(after - before, 1e-3)
        self.length *= float(np.clip(_AIMED / step, 0.5, 2.0))
        ended = theta[self.i] == self.bound or len(self.points) > _MOST_POINTS
        self.done = bool(ended or found - least > 1.2 * rise)

    def limit(self, least: float, rise: float) -> float:
        """Where the profile reaches the threshold; NaN where it does not.

        Between points the square root of the rise is taken for linear, as that of a parabola is.
        """
        goal = np.sqrt(2 * rise)
        roots = [_root(x, least) for x in self.objectives]
        for k in range(1, len(roots)):
            if roots[k] >= goal > roots[k - 1]:
                part = (goal - roots[k - 1]) / (roots[k] - roots[k - 1])
                before, after = self.points[k - 1][self.i], self.points[k][self.i]
                return float(before + part * (after - before))
        return np.nan


def _root(objective: float, least: float) -> float:
    return float(np.sqrt(2 * max(objective - least, 0.0)))


def _profile(down: _Path, up: _Path, best: Vector, least: float, rise: float) -> Profile:
    points = [*reversed(down.points[1:]), best, *up.points[1:]]
    objectives = [*reversed(down.objectives[1:]), least, *up.objectives[1:]]
    low, high = down.limit(least, rise), up.limit(least, rise)
    kinds = Identifiability
    kind = {
        (False, False): kinds.identified,
        (True, False): kinds.no_lower_limit,
        (False, True): kinds.no_upper_limit,
        (True, True): kinds.no_limits,
    }[bool(np.isnan(low)), bool(np.isnan(high))]
    if kind is kinds.no_limits and max(objectives) - least < _FLAT:
        kind = kinds.flat
    values = [float(point[down.i]) for point in points]
    return Profile(down.i, values, objectives, low, high, kind)
