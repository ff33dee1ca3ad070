"""A case of the corpus: a problem with some of its lanes, made when it is wanted."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from odeflow.config.root import Config
from odeflow.design import number_of_samples, rows
from odeflow.ensemble.build import build
from odeflow.problem.problem import Lanes, Problem

#: Samples of an experiment's design that are solved: the first.
LANES = 24


@dataclass(frozen=True)
class Case:
    """`make` gives a problem and its lanes; it can be pickled, so that another process may call it.

    `fast` cases are solved in every run of the tests. One that `needs` a folder from outside the
    project is left out where that is not there. `at_edge` are numbers of lanes that are left out,
    since a rounding decides about one of their steps.
    """

    name: str
    make: Callable[[], tuple[Problem, Lanes]]
    fast: bool = False
    needs: Path | None = None
    at_edge: tuple[int, ...] = ()

    @property
    def is_there(self) -> bool:
        """Whether what it needs is there."""
        return self.needs is None or self.needs.is_dir()

    def made(self) -> tuple[Problem, Lanes]:
        """The problem, and the lanes that are solved of it."""
        problem, lanes = self.make()
        return problem, lanes.take(np.delete(np.arange(lanes.size), self.at_edge))


def built(config: Config) -> tuple[Problem, Lanes]:
    """What an experiment solves: its problem, and the lanes of the first samples of its design."""
    size = min(LANES, number_of_samples(config.design, config.study))
    axes = rows(config.design, 0, size, config.study)
    experiment = build(config, config.study, axes)
    return experiment.problem, experiment.lanes(axes)
