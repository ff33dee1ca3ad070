"""The verification of an ensemble: one suspect after another, within a budget of time."""

import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.importers.loading import load_model
from odeflow.trust.verification.compare import Checker, Comparison
from odeflow.trust.verification.labels import label_verification
from odeflow.trust.verification.stepping import OutOfTimeError
from odeflow.trust.verification.suspects import suspects
from odeflow.trust.verification.verdict import verdict_of

#: Seconds beyond the time of the solve, and the part of the budget one trajectory may take.
_BEYOND, _PART = 5.0, 0.25
#: This part of the budget is kept for what explains a large error.
_TO_EXPLAIN = 0.2
#: Seconds that each may have, if there are so many.
_AT_LEAST = 1.0
_NO_TIME = "it takes more than its part of verify.budget"

#: Called with the number of trajectories that are done.
Progress = Callable[[int], None]


def verify(
    config: Config,
    study: Path | str,
    ensemble: xr.Dataset,
    solve_seconds: float | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Errors of some of an ensemble's trajectories, in terms of their scale and their tolerance.

    `verify.number` of those that ended as they should, the worst suspects first, are solved again
    by SciPy from what the ensemble says of initial values and parameters, with the vector field
    called through NumPy. Doses, stops and events are done by code of this package; sensitivities
    are differences of solutions. Every saved value is compared, and so is every metric that is
    followed between the saved times (crossings, peaks, windows); other metrics that were reduced
    while solving are not.

    It ends after `verify.budget` seconds, the last fifth of which are for the explanation of a
    large error; where that is null, 5 s longer than the solve took, `solve_seconds`, and
    where that is not known, when all are done.
    """
    jax.config.update("jax_enable_x64", True)
    budget = config.verify.budget
    if budget is None:
        budget = np.inf if solve_seconds is None else solve_seconds + _BEYOND
    start = time.monotonic()
    end = start + (1 - _TO_EXPLAIN) * budget
    model = load_model(config.model, Path(study))
    checker = Checker(config, model, Path(study), ensemble)
    chosen = suspects(ensemble, config.verify.number, config.verify.seed)
    done: list[int] = []
    results: list[Comparison] = []
    for number in chosen:
        now = time.monotonic()
        if now >= end:
            break
        deadline = min(end, now + max(_PART * budget, _AT_LEAST))
        done.append(number)
        results.append(_compared(checker, number, deadline))
        if progress is not None:
            progress(len(done))
    order = np.argsort(done, kind="stable")
    done, results = [done[i] for i in order], [results[i] for i in order]
    verdict = verdict_of(config, checker, done, results, len(chosen), budget, start + budget)
    return label_verification(
        config,
        ensemble,
        np.array(done, int),
        results,
        checker.functions.evaluator,
        verdict,
        checker.followed,
    )


def _compared(checker: Checker, number: int, deadline: float) -> Comparison:
    try:
        return checker.compare(number, deadline)
    except OutOfTimeError:
        return checker.nothing(number, _NO_TIME)
