"""Solves cases by the native engine, one after another or in processes of their own."""

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
from odeflow.problem.problem import Lanes
from tests.corpus.case import Case
from tests.corpus.row import Row, refused_row, row_of

#: How often lanes are nudged.
_NUDGES = 8


@dataclass(frozen=True)
class Found:
    """The row of a case as it is now, and the seconds from its config to its machine code.

    `at_edge` are lanes with other statuses or step counts where initial values and parameters are
    one rounding away, where that was asked for. `error` is what a case raised that has no row.
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
        other = _nudged(lanes, problem.dtype, number)
        found = row_of(problem, engine.solve(problem, other, threads=1, cache_dir=folder))
        for name, outcome in row.outcomes.items():
            at_edge |= found.outcomes[name] != outcome
    return Found(row, compiled - began - solving, tuple(np.flatnonzero(at_edge).tolist()))


def _nudged(lanes: Lanes, dtype: np.dtype, seed: int) -> Lanes:
    """Lanes with each initial value and parameter unchanged or one rounding away, at random."""
    draw, rounding = np.random.default_rng(seed), float(np.finfo(dtype).eps)
    moved = lambda x: x * (1 + rounding * draw.integers(-1, 2, x.shape))
    return replace(lanes, y0=moved(lanes.y0), args=moved(lanes.args))


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
