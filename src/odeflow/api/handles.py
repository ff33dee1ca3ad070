"""What is kept of a structure from call to call: its problem, its engine and its programs."""

from collections import OrderedDict
from functools import cached_property, lru_cache
from threading import Lock
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from odeflow.api.jax_state import in_float64
from odeflow.api.layout import PytreeLayout
from odeflow.api.numbers import Numbers
from odeflow.api.problems import make_problem, output_layout, saved_values, with_numbers
from odeflow.api.structure import Structure
from odeflow.engines.choice import EngineChoice, Resources, choose_engine, solve
from odeflow.engines.native.program.refusal import UntranslatableError
from odeflow.problem.problem import Lanes, Problem, Progress, Solution

#: Structures that are kept, and for each sets of numbers.
_MOST_STRUCTURES, _MOST_NUMBERS = 64, 16
#: What a solution says of each lane, in order.
OUTCOMES = ("status", "num_steps", "num_accepted_steps", "num_rejected_steps", "time_reached")


class SolvedLanes(NamedTuple):
    """Trajectories as an engine left them: `values` (lane, time, output), and what became of each.

    `derivatives` (lane, time, output, column) are those along directions, where asked for.
    """

    values: Float[np.ndarray, "lane time output"]
    solution: Solution
    derivatives: Float[np.ndarray, "lane time output column"] | None = None


class Problems:
    """The problems of one structure, with or without derivatives along a direction."""

    def __init__(self, structure: Structure, along: bool = False):
        self._structure, self._along = structure, along
        self._first = make_problem(structure, _placeholder(structure), along)
        self._known: OrderedDict[Numbers, Problem] = OrderedDict()
        self._lock = Lock()

    @cached_property
    def choice(self) -> EngineChoice:
        """The engine of all of them: what it is does not depend on numbers."""
        wanted = "diffrax" if self._structure.wanted == "diffrax" else "auto"
        choice = choose_engine(self._first, wanted)
        return (
            choice._replace(reason="engine='diffrax' was asked for")
            if wanted == "diffrax"
            else choice
        )

    def problem(self, numbers: Numbers) -> Problem:
        """The problem with these numbers."""
        with self._lock:
            known = self._known.pop(numbers, None)
            if known is None:
                known = with_numbers(self._first, self._structure, numbers, self._along)
                if self.choice.name == "native":
                    from odeflow.engines.native.engine import renumber

                    renumber(known, self._first)
            self._known[numbers] = known  # the last that was used is the last to go
            if len(self._known) > _MOST_NUMBERS:
                self._known.popitem(last=False)
        return known

    def solve(
        self, problem: Problem, lanes: Lanes, resources: Resources, progress: Progress | None
    ) -> Solution:
        """Solves every lane of one of these problems."""
        if lanes.size == 0:
            return _nothing(problem)
        return solve(problem, lanes, self.choice, resources, progress)


class Handle:
    """One structure: its outputs, its engine, and its problems.

    Built outside of any trace, in float64; solving by the native engine needs no JAX.
    """

    def __init__(self, structure: Structure):
        self.structure = structure
        self.outputs: PytreeLayout = output_layout(structure)
        self._plain = Problems(structure)
        self.choice = self._plain.choice

    @cached_property
    def _derived(self) -> Problems:
        return Problems(self.structure, along=True)

    def refusal(self) -> UntranslatableError | None:
        """What the native engine cannot run, None where it can."""
        from odeflow.engines.native.engine import generated

        with in_float64(), jax.ensure_compile_time_eval():
            try:
                generated(self._plain.problem(_placeholder(self.structure)))
            except UntranslatableError as error:
                return error
        return None

    def prepare_derivatives(self) -> str | None:
        """Makes what derivatives need; why the native engine cannot solve for them, or None."""
        with in_float64(), jax.ensure_compile_time_eval():
            choice = self._derived.choice
        return None if choice.name == "native" else choice.reason

    def problem(self, numbers: Numbers) -> Problem:
        """What is solved with these numbers."""
        return self._plain.problem(numbers)

    def solve(
        self,
        problem: Problem,
        rows: tuple[np.ndarray, np.ndarray],
        resources: Resources,
        progress: Progress | None = None,
    ) -> SolvedLanes:
        """Solves the lanes of these rows of components and of args."""
        solution = self._plain.solve(problem, Lanes(*rows), resources, progress)
        return SolvedLanes(saved_values(self.structure, solution.values), solution)

    def solve_derivatives(
        self,
        numbers: Numbers,
        rows: tuple[np.ndarray, np.ndarray],
        columns: Float[np.ndarray, "number column"],
        resources: Resources,
    ) -> SolvedLanes:
        """As `solve`, with the derivatives along each column, which is a direction of y0 and args.

        Each direction of each trajectory is a lane of its own.
        """
        (size, lanes), count = rows[0].shape, columns.shape[1]
        repeated = [np.repeat(part, count, axis=1) for part in rows]
        along = np.tile(columns, (1, lanes))
        given = Lanes(
            np.concatenate([repeated[0], along[:size]]),
            np.concatenate([repeated[1], along[size:]]),
        )
        solution = self._derived.solve(self._derived.problem(numbers), given, resources, None)
        own = slice(None, None, count)
        values = saved_values(self.structure, solution.values)[own]
        found = saved_values(self.structure, solution.values, along=True)
        found = found.reshape(lanes, count, *found.shape[1:])
        first = Solution({}, *(getattr(solution, name)[own] for name in OUTCOMES))
        return SolvedLanes(values, first, np.moveaxis(found, 1, -1))


@lru_cache(maxsize=_MOST_STRUCTURES)
def _kept(structure: Structure) -> Handle:
    with in_float64(), jax.ensure_compile_time_eval():
        return Handle(structure)


def handle_of(structure: Structure) -> Handle:
    """The handle of a structure, made where there is none yet."""
    return _kept(structure)


def _placeholder(structure: Structure) -> Numbers:
    """Numbers as good as any others: those of a call come with it."""
    known = {"root_finder_rtol": 1e-6, "root_finder_atol": 1e-6, "factormin": 0.2, "safety": 0.9}
    known |= {"factormax": 10.0, "dtmin": 1e-9, "dtmax": 1.0, "dt0": 0.01, "max_steps": 4096}
    known |= {"rtol": 1e-4 if structure.loose else 1e-8, "atol": 1e-8}
    ts = None if structure.ends_only else (0.0, 1.0)
    return Numbers(0.0, 1.0, ts, tuple((name, known[name]) for name in structure.given))


def _nothing(problem: Problem) -> Solution:
    """The solution of no trajectories."""
    states = problem.model.declared.states
    shape = lambda name: states[name].shape if name in states else ()
    values = {x: np.empty((0, len(problem.times), *shape(x))) for x in problem.variables}
    none = np.empty(0, int)
    return Solution(values, none.astype(np.int8), none, none, none, none.astype(float))
