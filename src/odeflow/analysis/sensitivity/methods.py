"""The methods by name: from the outputs of a design to indices with intervals."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from odeflow.analysis.sensitivity.block_sums import BlockEstimator, BlockSums, Index
from odeflow.analysis.sensitivity.delta import Delta
from odeflow.analysis.sensitivity.dgsm import Dgsm, is_of_logarithm, poincare_constant
from odeflow.analysis.sensitivity.fast import fast, of_half_curves
from odeflow.analysis.sensitivity.given_data import FEWEST, Estimator, given_data
from odeflow.analysis.sensitivity.morris import Morris
from odeflow.analysis.sensitivity.outputs import Reader
from odeflow.analysis.sensitivity.pawn import Pawn
from odeflow.analysis.sensitivity.rbd_fast import RbdFast
from odeflow.analysis.sensitivity.resampling import intervals
from odeflow.analysis.sensitivity.sobol import Sobol
from odeflow.config.design import DesignConfig
from odeflow.config.root import Config
from odeflow.config.sensitivity_choice import DESIGN_OF
from odeflow.design import axis_names, rows
from odeflow.design.samplers import unit_points

#: Bytes of what is worked on at once: terms of blocks, and sums of all resamples.
_AT_ONCE = 2**26
#: Blocks of a planned design below which a prefix says nothing.
_FEWEST_BLOCKS = 4


@runtime_checkable
class SlopeReader(Protocol):
    """What reads derivatives of outputs along an axis; `width` numbers for each set of values."""

    width: int

    def read(self, first: int, last: int) -> np.ndarray:
        """Those of sets first..last, (set, output)."""
        ...


class Analysis:
    """The indices of one experiment's outputs, by one of its methods.

    `parameters` are the labels that indices have: axes, or groups of them.
    """

    def __init__(self, config: Config, study: Path, method: str, number_of_sets: int):
        asked = config.analyse.sensitivity
        assert asked is not None
        self.method = method
        self._asked, self._design, self._study = asked, config.design, study
        self._sets = number_of_sets
        is_planned = method in DESIGN_OF and method != "fast"
        self.block_rows = config.design.block_rows if is_planned else 1
        self.axes = axis_names(config.design, study)
        self.parameters = list(config.design.factors) if is_planned else self.axes

    @property
    def number_of_blocks(self) -> int:
        """Blocks that means are over; points of a curve for `fast`."""
        return self._sets // (len(self.axes) if self.method == "fast" else self.block_rows)

    @property
    def prefixes(self) -> list[int]:
        """Numbers of first blocks whose indices are given too."""
        number, fewest = self.number_of_blocks, _FEWEST_BLOCKS if self.block_rows > 1 else FEWEST
        halved = [number >> times for times in range(self._asked.halvings, -1, -1)]
        kept = [size for size in dict.fromkeys(halved) if size >= fewest]
        return kept if self._asked.halvings and self.method != "fast" else []

    @property
    def most_outputs(self) -> int:
        """Outputs that should be worked on at once."""
        if self.method in ("sobol", "morris", "dgsm"):
            return _AT_ONCE // (8 * self._estimator().number_of_terms * (1 + self._asked.resamples))
        return _AT_ONCE // (8 * self._sets)

    def indices(
        self, reader: Reader, derivatives: Mapping[str, SlopeReader] | None = None
    ) -> tuple[dict[str, Index], np.ndarray]:
        """Indices by name, over (parameter, output), and the blocks left out of each output.

        Arguments:
            reader: of the outputs.
            derivatives: readers of their derivatives to an axis, for `dgsm`.
        """
        asked = self._asked
        if self.method == "fast":
            return self._of_curves(reader)
        if self.method in _GIVEN:
            y = reader.read(0, self._sets)
            found = given_data(
                _GIVEN[self.method],
                self._points(),
                y,
                self.prefixes,
                asked.resamples,
                asked.seed,
                asked.level,
                reduce_bias=self.method == "delta",
            )
            return found, np.isnan(y).sum(axis=0)
        sums = BlockSums(self._estimator(), self.prefixes, asked.resamples, asked.seed)
        width = max([reader.width, *(one.width for one in (derivatives or {}).values())])
        for first, last in self._slabs(width):
            y = reader.read(first * self.block_rows, last * self.block_rows)
            y = y.reshape(last - first, self.block_rows, -1)
            if self.method == "dgsm":
                assert derivatives is not None
                slopes = [derivatives[axis].read(first, last)[:, None] for axis in self.axes]
                y = np.concatenate([y, *slopes], axis=1)
            sums.add(y, self._where(first, last))
        return dict(sums.result(asked.level)), sums.left_out

    def _slabs(self, width: int) -> Iterator[tuple[int, int]]:
        """Ranges of blocks whose terms fit into memory."""
        terms = width * self._estimator().number_of_terms
        size = max(_AT_ONCE // (8 * (terms + 1 + self._asked.resamples)), 1)
        for first in range(0, self.number_of_blocks, size):
            yield first, min(first + size, self.number_of_blocks)

    def _estimator(self) -> BlockEstimator:
        design = self._design
        match self.method:
            case "sobol":
                return Sobol(len(self.parameters), design.second_order)
            case "morris":
                return Morris(list(design.factors.values()), design.radial)
            case _:
                keys = {name: f"design.axes.{name}" for name in self.axes}
                found = [poincare_constant(design.axes[name], keys[name]) for name in self.axes]
                return Dgsm(np.array(found))

    def _where(self, first: int, last: int) -> np.ndarray:
        """Points of blocks in the unit cube; what makes derivatives to those along laws."""
        start, stop = first * self.block_rows, last * self.block_rows
        if self.method == "sobol":  # it needs none
            return np.zeros((last - first, 1, 1))
        if self.method == "morris":
            points = np.stack(list(unit_points(self._design, start, stop).values()), axis=-1)
            return points.reshape(last - first, self.block_rows, -1)
        columns = rows(_of_sets(self._design), start, stop, self._study)
        along = [
            columns[name] if is_of_logarithm(axis) else np.ones(stop - start)
            for name, axis in self._design.axes.items()
        ]
        return np.stack(along, axis=-1)[:, None]

    def _points(self) -> np.ndarray:
        columns = rows(_of_sets(self._design), 0, self._sets, self._study)
        return np.stack([columns[name] for name in self.axes], axis=-1)

    def _of_curves(self, reader: Reader) -> tuple[dict[str, Index], np.ndarray]:
        y = reader.read(0, self._sets)
        y = y.reshape(len(self.axes), self.number_of_blocks, -1)
        asked, found = self._asked, {}
        halves = of_half_curves(y, asked.resamples, asked.seed)
        for name, values in fast(y).items():
            estimates = np.concatenate([values[None], halves[name]])
            found[name] = Index(values, intervals(estimates, asked.level))
        return found, np.isnan(y).any(axis=1).sum(axis=0)


def _of_sets(design: DesignConfig) -> DesignConfig:
    """The same sets of the axes' values, without conditions."""
    return design.model_copy(update={"conditions": {}})


_GIVEN: dict[str, Estimator] = {"rbd_fast": RbdFast, "pawn": Pawn, "delta": Delta}
