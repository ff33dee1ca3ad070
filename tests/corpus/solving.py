"""Solves cases by the native engine, one after another or in separate processes."""

import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import jax
import numpy as np

from odeflow.engines.native import engine
from odeflow.problem.problem import Lanes, Problem
from tests.corpus.case import Case
from tests.corpus.comparing import parts
from tests.corpus.row import Row, refused_row, row_of

#: How often lanes are nudged.
_NUDGES = 8


@dataclass(frozen=True)
class Found:
    """The row of a case as it is now, and the seconds from its config to its machine code.

    `at_edge` are lanes that differ from themselves where initial values and parameters are one
    rounding away, where that was asked for. `error` is what a case raised that has no row.
    """

    row: Row | None
    seconds: float
    at_edge: tuple[int, ...] = ()
    error: str = ""


def solve(case: Case, folder: Path, edges: bool = False) -> Found:
    """The row of a case, on one thread; compiled code is kept in `folder`."""
    jax.config.update("jax_enable_x64", True)
    began = time.perf_counter()
    problem, lanes = case.made()
    reason = engine.refusal(problem)
    if reason is not None:
        return Found(refused_row(problem, reason), time.perf_counter() - began)
    # the second solve is the compiled loop alone
    engine.solve(problem, lanes, threads=1, cache_dir=folder)
    compiled = time.perf_counter()
    solution = engine.solve(problem, lanes, threads=1, cache_dir=folder)
    solving = time.perf_counter() - compiled
    row, at_edge = row_of(problem, solution), np.zeros(lanes.size, bool)
    for number in range(_NUDGES if edges else 0):
        other = _nudged(problem, lanes, number)
        found = row_of(problem, engine.solve(problem, other, threads=1, cache_dir=folder))
        for name, outcome in row.outcomes.items():
            at_edge |= found.outcomes[name] != outcome
        for name, numbers in row.numbers.items():
            far = parts(numbers, found.numbers[name], row.allowed(name)) > 1
            at_edge |= far.any(axis=1)
    return Found(row, compiled - began - solving, tuple(np.flatnonzero(at_edge).tolist()))


def _nudged(problem: Problem, lanes: Lanes, seed: int) -> Lanes:
    """Lanes with each initial value and parameter unchanged or one rounding away, at random.

    Where something is given, its times and amounts are those of the parameters, which stay. So do
    derivatives, and what a model remembers.
    """
    draw, rounding = np.random.default_rng(seed), float(np.finfo(problem.dtype).eps)
    factors = lambda x: 1 + rounding * draw.integers(-1, 2, x.shape)
    model = problem.model
    others = {*model.derivatives, *model.hidden}
    own = np.array([[component.state not in others] for component in model.components])
    with np.errstate(over="ignore"):
        y0 = np.where(own, lanes.y0 * factors(lanes.y0), lanes.y0)
    args = lanes.args * factors(lanes.args) if lanes.jumps is None else lanes.args
    return replace(lanes, y0=y0, args=args)


def solve_all(
    cases: Sequence[Case], jobs: int, edges: bool = False
) -> Iterator[tuple[Case, Found]]:
    """Cases in their order, each as it is found, by `jobs` processes that keep no compiled code."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        yield from zip(cases, pool.map(partial(_solve, edges=edges), cases))


def _solve(case: Case, edges: bool) -> Found:
    """As `solve`; what it raises stops no other."""
    began = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return solve(case, Path(folder), edges)
    except Exception as error:
        text = f"{type(error).__name__}: {error}".split("\n", 1)[0]
        return Found(None, time.perf_counter() - began, error=text)
