"""The retry ladder: the solvers that `runtime.retry` makes of the one asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from odeflow.config.root import Config
from odeflow.config.solver import SolverChange, SolverConfig
from odeflow.files.errors import ConfigError
from odeflow.problem.attempt import Attempt
from odeflow.problem.methods import AUTO
from odeflow.problem.solver import SAFE_RTOL, Solver

#: Steps are counted in 64 bits.
_MOST_STEPS = 2**62
#: Steps after which an explicit method hands a trajectory over, where no pilot says more.
FEW_STEPS = 10_000
_EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23}


@dataclass(frozen=True)
class Rung:
    """One attempt at a trajectory: its solver, what that changes of the attempt before, a name.

    Rung 0 is the solver as configured, rung k the k-th change of `runtime.retry`, on top of those
    before it; where the method is chosen, the candidates are before these. The rest is as `Attempt`
    says.
    """

    solver: SolverConfig
    changed: frozenset[str] = frozenset()
    name: str = "0_as_configured"
    replaced: str | None = None
    tightened: bool = False
    is_candidate: bool = False

    def attempt(self, solver: Solver) -> Attempt:
        """The attempt with the rung's solver, resolved for the states of a problem."""
        return Attempt(
            solver, self.changed, self.name, self.replaced, self.tightened, self.is_candidate
        )


def ladder(config: Config) -> tuple[Rung, ...]:
    """The rungs, in order; the first is the solver as configured.

    Where there are any more and tolerances are so loose that a trajectory may be suspect, the last
    is that solver at `SAFE_RTOL`, `atol` in proportion.

    Raises ConfigError, one line, for a change that makes a solver there cannot be.
    """
    rungs = _candidates(config.solver) if config.solver.is_chosen else [Rung(config.solver)]
    first = len(rungs)
    for number, change in enumerate(config.runtime.retry):
        before = rungs[-1].solver.model_dump()
        after = dict(before)
        for key in sorted(change.model_fields_set, key=lambda key: key == "dt0"):
            after[key] = _changed(getattr(change, key), key, after, config)
        try:
            if after["method"] == AUTO:
                raise ConfigError(f"runtime.retry.{number}.method: auto is for solver.method alone")
            solver = SolverConfig.model_validate(after)
        except ValidationError as error:
            raise ConfigError(f"runtime.retry.{number}{_first(error)}") from None
        changed = frozenset(k for k, v in solver.model_dump().items() if v != before[k])
        replaced = before["method"] if "method" in changed else None
        rungs.append(Rung(solver, changed, f"{number + first}_{_words(change)}", replaced))
    if len(rungs) > 1 and config.solver.rtol > SAFE_RTOL:
        name = f"{len(rungs)}_suspect_rtol_{SAFE_RTOL:g}"
        changed = frozenset({"rtol", "atol", "max_steps"})
        rungs.append(Rung(_tightened(rungs[first - 1].solver), changed, name, tightened=True))
    return tuple(rungs)


def _candidates(solver: SolverConfig) -> list[Rung]:
    """The methods that `auto` chooses among, of which the stiff one is last.

    Explicit ones have so many steps at first. What no candidate solves is the first one's again,
    with all its steps.
    """
    *others, stiff = (solver.model_copy(update={"method": x}) for x in solver.candidates)
    few = {"max_steps": min(solver.max_steps, FEW_STEPS)}
    changed = frozenset({"method", "max_steps"})
    rungs = [
        Rung(one.model_copy(update=few), name=f"{i}_auto_{one.method}", is_candidate=True)
        for i, one in enumerate(others)
    ]
    again, number = others[0], len(others)
    rungs.append(Rung(again, changed, f"{number}_auto_{again.method}_again", stiff.method))
    name = f"{number + 1}_auto_{stiff.method}"
    return [*rungs, Rung(stiff, changed, name, again.method, is_candidate=True)]


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
    if key in ("max_steps", "delay_steps"):
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
