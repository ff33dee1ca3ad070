"""Failed trajectories again, with a changed solver, inside the chunk."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import jax
import numpy as np
from jaxtyping import Bool, Int, Int8

from odeflow.engines.choice import (
    Device,
    EngineChoice,
    Resources,
    Wanted,
    choose_engine,
    missing_device,
    solve,
)
from odeflow.engines.pilot import PilotMaker
from odeflow.files.errors import ConfigError
from odeflow.problem.attempt import Attempt
from odeflow.problem.delays import WITH_DELAYS
from odeflow.problem.methods import METHODS
from odeflow.problem.model import Model
from odeflow.problem.problem import Lanes, Problem, Progress, Solution
from odeflow.problem.status import has_failed


@dataclass(frozen=True)
class Retried:
    """The solution of every lane, and which attempt at it that is.

    `engines` are those of the attempts; None for an attempt that no lane needed.
    """

    solution: Solution
    attempt: Int8[np.ndarray, " lane"]
    engines: tuple[EngineChoice | None, ...]


class Retrier:
    """Solves lanes, then those that failed as each further attempt says.

    A lane keeps the attempt that succeeded; where all failed, the one that came furthest in time,
    the first of equals. What succeeded is not solved again, and an attempt that no lane has needed
    costs nothing. `chosen` is the engine of the first, `wanted` and `device` what was asked for;
    the other attempts take what can run them. `pilot` gives lanes by which the first attempt is
    chosen where there are candidates; None takes the first of these.
    """

    def __init__(
        self,
        problem: Problem,
        attempts: Sequence[Attempt],
        chosen: EngineChoice,
        wanted: Wanted,
        device: Device = "auto",
        pilot: PilotMaker | None = None,
    ):
        self._attempts = attempts
        self._pilot = pilot
        self._candidates = [i for i, attempt in enumerate(attempts) if attempt.is_candidate]
        # Made once: engines keep what they have compiled by the identity of a problem.
        first = replace(problem, solver=attempts[0].solver) if self._candidates else problem
        self._problems = [first, *(replace(problem, solver=a.solver) for a in attempts[1:])]
        self._engines = {0: chosen}
        self._order: Sequence[int] = ()
        self._device: Device = device
        self._wanted: Literal["auto", "diffrax"] = "diffrax" if wanted == "diffrax" else "auto"

    def solve(
        self,
        lanes: Lanes,
        resources: Resources,
        progress: Progress | None = None,
    ) -> Retried:
        """The best attempt at every lane."""
        if not self._order:
            self._order = self._chosen(resources)
        number = self._order[0]
        first = self._engine(number)
        assert first is not None  # as the pilot saw
        solution = solve(self._problems[number], lanes, first, resources, progress)
        model, size = self._problems[0].model.declared, lanes.size
        t1 = np.full(size, model.t1) if lanes.t1 is None else lanes.t1
        attempt = np.full(size, number, np.int8)
        engines: list[EngineChoice | None] = [None] * len(self._attempts)
        engines[number] = first
        status = solution.status.copy()  # of the last attempt at a lane, perhaps not the kept one
        for number in self._order[1:]:
            failed = np.flatnonzero(self._attempts[number].may_help(status, t1 - model.t0))
            chosen = self._engine(number) if len(failed) else None
            if chosen is None:
                continue
            engines[number] = chosen
            again = solve(
                self._problems[number],
                lanes.take(failed),
                chosen,
                resources,
                progress_after(size - len(failed), progress),
            )
            status[failed] = again.status
            better = ~has_failed(again.status) | (
                again.time_reached > solution.time_reached[failed]
            )
            _put(solution, failed, again, better)
            attempt[failed[better]] = number
        return Retried(solution, attempt, tuple(engines))

    def _chosen(self, resources: Resources) -> Sequence[int]:
        """The numbers of the attempts in their order: where there are candidates, the one chosen,
        the stiff one, and what is no candidate.
        """
        if not self._candidates:
            return range(len(self._attempts))
        first = self._candidates[0]
        most = self._attempts[self._candidates[-1]].solver.max_steps
        if self._engines[0].name == "native" and self._engines[0].device == "cpu":
            # spares others two seconds
            from odeflow.engines.method_choice import choose_method, handing_over

            pilot = self._pilot and self._pilot(resources)
            if pilot is None:
                self._problems[first] = handing_over(self._problems[first], most)
            else:
                problems = {i: self._problems[i] for i in self._candidates}
                first, problem = choose_method(problems, self._is_native, pilot, resources, most)
                self._problems[first] = problem
        others = [i for i in range(len(self._attempts)) if i not in self._candidates]
        return list(dict.fromkeys([first, self._candidates[-1], *others]))

    def _is_native(self, number: int) -> bool:
        """Whether the native engine can run an attempt."""
        from odeflow.engines.native import engine as native_engine

        problem = self._problems[number]
        can_run = _can_run(problem.model, self._attempts[number], self._attempts[0])
        return can_run and native_engine.refusal(problem) is None

    def _engine(self, number: int) -> EngineChoice | None:
        """The engine of an attempt; None where its method cannot run at all."""
        if number not in self._engines:
            problem = self._problems[number]
            if not _can_run(problem.model, self._attempts[number], self._attempts[0]):
                return None
            try:
                self._engines[number] = self._choose(problem)
            except ConfigError as error:
                warnings.warn(f"runtime.retry: an attempt is left out: {error}", stacklevel=3)
                return None
        return self._engines[number]

    def _choose(self, problem: Problem) -> EngineChoice:
        """On the device asked for, or where this machine does not have it for that engine, auto."""
        chosen = choose_engine(problem, self._wanted, self._device)
        if missing_device(chosen) is None:
            return chosen
        return choose_engine(problem, self._wanted, "auto")


def _put(
    solution: Solution,
    lanes: Int[np.ndarray, " again"],
    again: Solution,
    better: Bool[np.ndarray, " again"],
) -> None:
    """Puts what is better into the solution, in place: a chunk's values are large."""
    for array, other in zip(solution.arrays, again.arrays, strict=True):
        array[lanes[better]] = other[better]


def progress_after(before: int, progress: Progress | None) -> Progress | None:
    """Reports lanes in addition to those that were done before."""
    return None if progress is None else lambda done: progress(before + done)


def _can_run(model: Model, change: Attempt, first: Attempt) -> bool:
    """Whether the method has delays where the model does, and JAX can differentiate the vector
    field where an implicit method needs that.

    One that the first attempt did not need must not end a chunk that is solved already.
    """
    if model.declared.delays and METHODS[change.solver.method].family not in WITH_DELAYS:
        return False
    if METHODS[first.solver.method].implicit or not METHODS[change.solver.method].implicit:
        return True
    t, y, args = model.example()
    along = lambda t, y: jax.jvp(lambda t, y: model.vector_field(t, y, args), (t, y), (t, y))
    try:
        jax.jit(along).lower(t, y)  # some functions refuse only here
    except (TypeError, ValueError, NotImplementedError) as error:
        text = str(error).split("\n", 1)[0]
        warnings.warn(
            f"runtime.retry: {change.solver.method} is left out, since JAX cannot differentiate "
            f"{model.declared.origin}: {text}",
            stacklevel=3,
        )
        return False
    return True
