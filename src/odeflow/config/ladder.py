"""The retry ladder: the solvers that `runtime.retry` makes of the one asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import ValidationError

from odeflow.config.root import Config
from odeflow.config.solver import SolverChange, SolverConfig
from odeflow.files.errors import ConfigError
from odeflow.problem.methods import METHODS
from odeflow.problem.solver import SAFE_RTOL
from odeflow.problem.status import Status, has_failed

#: Steps are counted in 64 bits.
_MOST_STEPS = 2**62
_EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23}


@dataclass(frozen=True)
class Attempt:
    """One attempt at a trajectory: its solver, what that changes of the attempt before, a name.

    Attempt 0 is the solver as configured, attempt k the k-th change of `runtime.retry`, on top of
    those before it. `name` is a word of CF's `flag_meanings`, `replaced` the method of the attempt
    before. `tightened` is the one after all changes, for lanes that are suspect.
    """

    solver: SolverConfig
    changed: frozenset[str] = frozenset()
    name: str = "0_as_configured"
    replaced: str | None = None
    tightened: bool = False

    def may_help(
        self, status: Int[np.ndarray, " lane"], duration: Float[np.ndarray, " lane"]
    ) -> Bool[np.ndarray, " lane"]:
        """Which lanes to solve: those that failed, unless it is plain that they fail again.

        `status` is how a lane's last attempt ended, `duration` the time from t0 to its end. More
        steps alone help those that ran out of them; `dtmin` alone those that did not; constant
        steps those that they can bring to the end. An explicit method in place of an implicit one
        is for a field whose derivatives are of no use, not for one that took too many steps; a
        root find in place of a linear solve for a linear solve that failed.
        """
        suspect = status == Status.suspect
        if self.tightened:
            return suspect
        failed = has_failed(status) & ~suspect
        ran_out = status == Status.max_steps_reached
        if not self.changed:
            failed[:] = False
        elif self.changed == {"max_steps"}:
            failed &= ran_out
        elif self.changed == {"dtmin"}:
            failed &= ~ran_out
        if self.replaced is not None:
            before, after = METHODS[self.replaced], METHODS[self.solver.method]
            if before.implicit and not after.implicit:
                failed &= ~ran_out
            elif before.linearly_implicit and after.implicit and not after.linearly_implicit:
                failed &= status == Status.nonlinear_solve_failed
        if self.solver.stepsize_controller == "constant" and self.solver.dt0 is not None:
            failed &= duration <= (self.solver.max_steps + 1) * self.solver.dt0
        return failed


def ladder(config: Config) -> tuple[Attempt, ...]:
    """The attempts, in order; the first is the solver as configured.

    Where there are any more and tolerances are so loose that a trajectory may be suspect, the last
    is that solver at `SAFE_RTOL`, `atol` in proportion.

    Raises ConfigError, one line, for a change that makes a solver there cannot be.
    """
    attempts = [Attempt(config.solver)]
    for number, change in enumerate(config.runtime.retry):
        before = attempts[-1].solver.model_dump()
        after = dict(before)
        for key in sorted(change.model_fields_set, key=lambda key: key == "dt0"):
            after[key] = _changed(getattr(change, key), key, after, config)
        try:
            solver = SolverConfig.model_validate(after)
        except ValidationError as error:
            raise ConfigError(f"runtime.retry.{number}{_first(error)}") from None
        changed = frozenset(k for k, v in solver.model_dump().items() if v != before[k])
        replaced = before["method"] if "method" in changed else None
        attempts.append(Attempt(solver, changed, f"{number + 1}_{_words(change)}", replaced))
    if len(attempts) > 1 and config.solver.rtol > SAFE_RTOL:
        name = f"{len(attempts)}_suspect_rtol_{SAFE_RTOL:g}"
        changed = frozenset({"rtol", "atol", "max_steps"})
        attempts.append(Attempt(_tightened(config.solver), changed, name, tightened=True))
    return tuple(attempts)


def _tightened(solver: SolverConfig) -> SolverConfig:
    """The solver at `SAFE_RTOL`, `atol` in proportion, with ten times the steps."""
    factor = SAFE_RTOL / solver.rtol
    atol = solver.atol
    atol = {k: factor * x for k, x in atol.items()} if isinstance(atol, dict) else factor * atol
    steps = min(10 * solver.max_steps, _MOST_STEPS)
    return solver.model_copy(update={"rtol": SAFE_RTOL, "atol": atol, "max_steps": steps})


def _changed(value: Any, key: str, before: Mapping[str, Any], config: Config) -> Any:
    """The value of a key after a change; `xN` multiplies, and of null gives null.

    The exception is `dt0`, where null left the choice to the controller: there it is that
    fraction of the time span. A multiplied `dt0` stays above `dtmin` and what t0 can resolve.
    """
    if not (isinstance(value, str) and re.match(r"x[\d.]", value)):
        return value
    factor, old = float(value[1:]), before[key]
    t0, t1 = config.model.t0, config.model.t1
    if key == "dt0":
        smallest = 4 * _EPSILON[config.runtime.precision] * abs(t0)
        return max(factor * (t1 - t0 if old is None else old), smallest, before["dtmin"] or 0.0)
    if key == "max_steps":
        return min(round(factor * old), _MOST_STEPS)
    if isinstance(old, Mapping):
        return {name: factor * number for name, number in old.items()}
    return None if old is None else factor * old


def _words(change: SolverChange) -> str:
    """A change as one word of letters, digits and `_-.+@`, which is what CF allows."""
    given = change.model_dump().items()
    words = (f"{key}_{'null' if value is None else value}" for key, value in given)
    return re.sub(r"[^\w.+@-]+", "_", "_".join(words)).strip("_")


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    key = "".join(f".{part}" for part in first["loc"][:1])
    text = first["msg"].removeprefix("Value error, ")
    return f"{key}: {text}" + (f" (got {first['input']!r})" if key else "")
