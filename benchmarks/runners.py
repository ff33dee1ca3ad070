"""Runs one contender on one case: in this process, or as one process a core."""

import multiprocessing
import time
from typing import Any, Protocol

import numpy as np

from benchmarks import contenders
from benchmarks.problems import Case, find_case
from odeflow.engine.problem import Lanes


class Runner(Protocol):
    """A contender with its inputs ready; `compile_seconds` is what building it took."""

    compile_seconds: float

    def solve(self, scale: float) -> float:
        """Solves every lane at tolerances times `scale`; returns the seconds it took."""
        ...

    def inspect(self, count: int) -> tuple[np.ndarray, int]:
        """The last solution of the first lanes, (lane, time, component); the lanes that failed."""
        ...


def make_runner(case: Case, name: str, size: int, cores: int) -> Runner:
    """The runner that suits a contender; raises what its `build` raises."""
    module = contenders.load(name)
    if module.SERIAL:
        return _ProcessPerCore(case, name, size, cores)
    return _InProcess(case, module, case.lanes(size), cores)


class _InProcess:
    def __init__(self, case: Case, module: Any, lanes: Lanes, cores: int):
        self._case, self._module, self._lanes = case, module, lanes
        start = time.perf_counter()
        self._solve = module.build(case, lanes.size, cores)
        self.compile_seconds = time.perf_counter() - start
        self._solution: Any = None

    def solve(self, scale: float) -> float:
        self._solution = None  # frees its memory
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
        bounds = np.linspace(0, size, min(cores, size) + 1).astype(int)
        self._pipes = []
        for first, last in zip(bounds[:-1], bounds[1:]):
            ours, theirs = context.Pipe()
            arguments = (theirs, case.name, name, size, int(first), int(last))
            context.Process(target=_serve, args=arguments, daemon=True).start()
            self._pipes.append(ours)
        self.compile_seconds = max(self._receive())

    def solve(self, scale: float) -> float:
        start = time.perf_counter()
        self._ask(("solve", scale))
        return time.perf_counter() - start

    def inspect(self, count: int) -> tuple[np.ndarray, int]:
        parts = self._ask(("inspect", count))
        return np.concatenate([values for values, _ in parts])[:count], sum(f for _, f in parts)

    def _ask(self, message: Any) -> list[Any]:
        for pipe in self._pipes:
            pipe.send(message)
        return self._receive()

    def _receive(self) -> list[Any]:
        answers = [pipe.recv() for pipe in self._pipes]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers


def _serve(pipe: Any, case_name: str, name: str, size: int, first: int, last: int) -> None:
    """A process of `_ProcessPerCore`: answers until its parent ends."""
    try:
        case = find_case(case_name)
        lanes = case.lanes(size)
        share = Lanes(lanes.y0[:, first:last], lanes.args[:, first:last])
        runner = _InProcess(case, contenders.load(name), share, 1)
    except Exception as error:
        pipe.send(type(error)(*map(str, error.args)))
        return
    pipe.send(runner.compile_seconds)
    while True:
        try:
            what, value = pipe.recv()
        except EOFError:
            return
        pipe.send(runner.solve(value) if what == "solve" else runner.inspect(value))
