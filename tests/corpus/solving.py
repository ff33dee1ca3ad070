"""Solves cases by the native engine, in processes that keep no compiled code."""

import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import jax

from odeflow.engines.native import engine
from tests.corpus.case import Case
from tests.corpus.row import Row, refused_row, row_of


@dataclass(frozen=True)
class Found:
    """The row of a case as it is now, and the seconds from its config to its machine code.

    `error` is what it raised, where it has no row.
    """

    row: Row | None
    seconds: float
    error: str = ""


def solve(case: Case, folder: Path | None = None) -> Found:
    """The row of a case, on one thread; compiled code is kept in `folder`, or not at all."""
    jax.config.update("jax_enable_x64", True)
    if folder is None:
        with tempfile.TemporaryDirectory() as name:
            return solve(case, Path(name))
    began = time.perf_counter()
    problem, lanes = case.make()
    reason = engine.refusal(problem)
    if reason is not None:
        return Found(refused_row(problem, reason), time.perf_counter() - began)
    # the second solve is the compiled loop alone
    engine.solve(problem, lanes, threads=1, cache_dir=folder)
    compiled = time.perf_counter()
    solution = engine.solve(problem, lanes, threads=1, cache_dir=folder)
    solving = time.perf_counter() - compiled
    return Found(row_of(problem, solution), compiled - began - solving)


def solve_all(cases: Sequence[Case], jobs: int) -> Iterator[tuple[Case, Found]]:
    """Cases in their order, each as it is found, by `jobs` processes."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        yield from zip(cases, pool.map(_solve, cases))


def _solve(case: Case) -> Found:
    """As `solve`; what it raises stops no other."""
    began = time.perf_counter()
    try:
        return solve(case)
    except Exception as error:
        text = f"{type(error).__name__}: {error}".split("\n", 1)[0]
        return Found(None, time.perf_counter() - began, text)
