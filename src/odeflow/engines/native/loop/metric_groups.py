"""The rows of metrics: those of scalars with the same ones lie side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from odeflow.problem.reductions import EXTREMES, Reducer


def bits(dtype: np.dtype) -> int:
    """How many bits a whole number can have of this type."""
    return np.finfo(dtype).nmant + 1


@dataclass
class MetricGroup:
    """Scalars with the same metrics: their rows lie side by side, and one loop serves them.

    `count` is how many coefficients their polynomials have, `number_of_nodes` at how many nodes
    they are searched.
    """

    number: int
    reducer: Reducer
    count: int
    number_of_nodes: int
    is_state: bool
    scalars: list[str]

    def search(self, kind: str) -> str:
        """The name of the function that searches for what is no peak."""
        return f"search{self.number}_{kind}"

    def nodes(self) -> list[list[str]]:
        """Rows of the values at each node, by scalar."""
        return self._named(f"node{k}" for k in range(self.number_of_nodes))

    def step(self) -> list[list[str]]:
        """Rows of start and length of the step: copies, for whoever sees one scalar's rows only."""
        return self._named(["start_of", "length_of"])

    def asked(self, kind: str, dtype: np.dtype) -> list[str]:
        """Rows of which scalars the last step is to be searched for something, as bits of numbers:
        a row for so many scalars as a number has bits.
        """
        number = -(-len(self.scalars) // bits(dtype))
        return [f"asks{word}_{kind}_{self.number}" for word in range(number)]

    def waiting(self, kind: str) -> list[str]:
        """Rows of whether a step waits to be searched for an extreme."""
        return [f"waits_{kind}_{name}" for name in self.scalars]

    def reached(self, kind: str) -> list[str]:
        """Rows of how far the last step may go beyond an extreme."""
        return [f"reach_{kind}_{name}" for name in self.scalars]

    def searching(self) -> list[list[str]]:
        """All rows that a search needs besides the accumulators; none where none is made."""
        kinds = [kind for kind in self.reducer.searched if kind in EXTREMES]
        peaks = [rows(kind) for kind in kinds for rows in (self.reached, self.waiting)]
        return [*self.nodes(), *self.step(), *peaks] if self.reducer.searched else []

    def kept(self) -> list[list[str]]:
        """Rows of each accumulator, by scalar. The last value of a state is the state's own row."""
        rows = self._named(f"reduced_{kind}" for kind in self.reducer.accumulators)
        for place, kind in enumerate(self.reducer.accumulators):
            if kind == "final" and self.is_state:
                rows[place] = [f"y_{name}" for name in self.scalars]
        return rows

    def _named(self, kinds: Iterable[str]) -> list[list[str]]:
        return [[f"{kind}_{name}" for name in self.scalars] for kind in kinds]
