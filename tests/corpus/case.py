"""A case of the corpus: a problem with some of its lanes, made when it is wanted."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from odeflow.config.root import Config
from odeflow.design import number_of_samples, rows
from odeflow.ensemble.build import build
from odeflow.problem.problem import Lanes, Problem

#: Samples of an experiment's design that are solved: the first.
LANES = 32


@dataclass(frozen=True)
class Case:
    """`make` gives what is solved; it can be pickled, so that another process may call it.

    `fast` cases are solved in every run of the tests. One that `needs` a folder from outside the
    project is left out where that is not there.
    """

    name: str
    make: Callable[[], tuple[Problem, Lanes]]
    fast: bool = False
    needs: Path | None = None

    @property
    def is_there(self) -> bool:
        """Whether what it needs is there."""
        return self.needs is None or self.needs.is_dir()


def built(config: Config) -> tuple[Problem, Lanes]:
    """What an experiment solves: its problem, and the lanes of the first samples of its design."""
    size = min(LANES, number_of_samples(config.design, config.study))
    axes = rows(config.design, 0, size, config.study)
    experiment = build(config, config.study, axes)
    return experiment.problem, experiment.lanes(axes)
