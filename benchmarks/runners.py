"""Runs one contender on one case: in this process, or as one process per core."""

import multiprocessing
import time
from typing import Any, Protocol

import numpy as np

from benchmarks import contenders
from benchmarks.problems import Case, find_case
from odeflow.problem.problem import Jumps, Lanes


class Runner(Protocol):
    """A contender with its inputs ready; `compile_seconds` is what building it took."""

    compile_seconds: float

    def resize(self, size: int) -> None:
        """Takes another number of trajectories; compiles again only where that is needed."""
        ...

    def solve(self, scale: float) -> float:
        """Solves every lane at tolerances times `scale`; returns the seconds it took."""
        ...

    def inspect(self, count: int) -> tuple[np.ndarray, int]:
        """The last solution of the first lanes, (lane, time, component); the lanes that failed."""
        ...


def make_runner(case: Case, name: str, size: int, cores: int) -> Runner:
    """The runner that suits a contender; raises what its `build` raises."""
    module = contenders.load(name)
    if module.SERIAL and cores > 1:
        return _ProcessPerCore(case, name, size, cores)
    return _InProcess(case, module, size, cores)


def _share(size: int, part: int, parts: int) -> slice:
    """The trajectories of one of several processes."""
    return slice(size * part // parts, size * (part + 1) // parts)


class _InProcess:
    def __init__(
        self, case: Case, module: Any, size: int, cores: int, part: int = 0, parts: int = 1
    ):
        self._case, self._module, self._cores = case, module, cores
        self._part, self._parts = part, parts
        start = time.perf_counter()
        self._solve = module.build(case, size, cores)
        self.compile_seconds = time.perf_counter() - start
        self._solution: Any = None
        self._lanes = self._take(size)

    def _take(self, size: int) -> Lanes:
        lanes, share = self._case.lanes(size), _share(size, self._part, self._parts)
        jumps = lanes.jumps
        if jumps is not None:
            jumps = Jumps(
                jumps.times[:, share], jumps.amounts[..., share], jumps.values[..., share]
            )
        return Lanes(lanes.y0[:, share], lanes.args[:, share], jumps=jumps)

    def resize(self, size: int) -> None:
        if self._module.SIZED:
            self._solve = self._module.build(self._case, size, self._cores)
        self._lanes = self._take(size)

    def solve(self, scale: float) -> float:
        self._solution = None  # frees its memory
        if hasattr(self._solve, "prepare"):
            self._solve.prepare(scale)
        start = time.perf_counter()
        self._solution = self._solve(self._lanes, scale)
        return time.perf_counter() - start

    def inspect(self, count: int) -> tuple[np.ndarray, int]:
        values = self._module.values(self._case, self._solution)
        return values[:count], int((~np.isfinite(values)).any(axis=(1, 2)).sum())


class _ProcessPerCore:
    """Each process solves its share; the time is until the last one is done."""

    def __init__(self, case: Case, name: str, size: int, cores: int):
        context = multiprocessing.get_context("spawn")
        self._pipes = []
        for part in range(cores):
            ours, theirs = context.Pipe()
            arguments = (theirs, case.name, name, size, part, cores)
            context.Process(target=_serve, args=arguments, daemon=True).start()
            theirs.close()  # so that the death of the process ends our waiting for it
            self._pipes.append(ours)
        self.compile_seconds = max(self._receive())

    def resize(self, size: int) -> None:
        self._ask("resize", size)

    def solve(self, scale: float) -> float:
        start = time.perf_counter()
        self._ask("solve", scale)
        return time.perf_counter() - start

    def inspect(self, count: int) -> tuple[np.ndarray, int]:
        parts = self._ask("inspect", count)
        return np.concatenate([values for values, _ in parts])[:count], sum(f for _, f in parts)

    def _ask(self, method: str, argument: Any) -> list[Any]:
        for pipe in self._pipes:
            pipe.send((method, argument))
        return self._receive()

    def _receive(self) -> list[Any]:
        answers = [pipe.recv() for pipe in self._pipes]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers


def _serve(pipe: Any, case_name: str, name: str, size: int, part: int, parts: int) -> None:
    """A process of `_ProcessPerCore`: answers until its parent ends."""
    try:
        runner = _InProcess(find_case(case_name), contenders.load(name), size, 1, part, parts)
    except Exception as error:
        pipe.send(type(error)(*map(str, error.args)))
        return
    pipe.send(runner.compile_seconds)
    while True:
        try:
            method, argument = pipe.recv()
        except EOFError:
            return
        pipe.send(getattr(runner, method)(argument))
