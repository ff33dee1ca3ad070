"""Why no vector has a finite objective, in words."""

from typing import Any

import numpy as np

from odeflow.analysis.estimation.objective import Objective
from odeflow.analysis.estimation.parameters import Vectors
from odeflow.problem.noise import log_density
from odeflow.problem.status import ADVICE, Status


def why_not_finite(objective: Objective, theta: Vectors) -> str:
    """Why vectors have no finite objective, and what to do, in one line.

    Arguments:
        objective: the objective.
        theta: the vectors, on the scales.

    Returns:
        What is not finite, and of how many vectors; the first that holds of a vector counts.
    """
    simulated = objective.simulated(theta)
    ending, found = simulated.ending, dict[str, np.ndarray]()
    left = np.ones(len(theta), bool)

    def count(words: str, given: Any) -> None:
        nonlocal left
        here = np.asarray(given)
        if (here & left).any():
            found[words] = found.get(words, np.zeros(len(theta), bool)) | (here & left)
            left = left & ~here

    count("nothing is at rest before a condition", ending.never_before)
    for status in (one for one in Status if one.is_failure):
        at = (ending.status == status).any(axis=1)
        count(f"a trajectory ends with {status.name} ({ADVICE[status]})", at)
    count("nothing is at rest when it was measured", ending.never_after)
    for group in objective.simulation.measurements.groups:
        values, noise = simulated.values[:, group.rows], simulated.noise[:, group.rows]
        count(f"{group.variable} is not finite", ~np.isfinite(values).all(axis=1))
        if group.transformation != "lin":
            words = f"{group.variable} is not > 0, as the logarithm of its noise needs"
            count(words, (values <= 0).any(axis=1))
        count(f"the noise of {group.variable} is not > 0", ~(noise > 0).all(axis=1))
        density = log_density(group.values, values, noise, group.transformation, group.distribution)
        count(f"the likelihood of {group.variable} is 0", ~np.isfinite(density).all(axis=1))
    count("the prior is 0", ~np.isfinite(objective.parameters.log_prior(theta)))
    ordered = sorted(found.items(), key=lambda item: -item[1].sum())
    parts = [f"at {here.sum():,} {words}" for words, here in ordered]
    return (
        f"no start has a finite objective: of {len(theta):,}, {'; '.join(parts)}. Narrow the "
        "bounds of the parameters, or change what is named"
    )
