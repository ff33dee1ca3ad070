"""Where the numbers of the lanes lie, and how many lanes are stepped at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

import llvmlite.binding as llvm
import numpy as np

from odeflow.engines.native.targets.lane_values import Kind


@dataclass(frozen=True)
class BufferLayout:
    """A flat buffer of rows, each with one number per lane; lanes are `ways` vectors of `width`.

    Width 0 is a number instead of a vector: one lane per way.
    `row_groups` are the numbers of further rows, by the name that they share.
    """

    real: Kind
    width: int
    ways: int
    rows: tuple[str, ...]
    settings: tuple[str, ...]
    row_groups: Mapping[str, int] = field(default_factory=dict)

    @property
    def lanes(self) -> int:
        """Lanes that are stepped at once."""
        return max(self.width, 1) * self.ways

    @property
    def size(self) -> int:
        """Numbers in the buffer."""
        return self.lanes * (len(self.rows) + sum(self.row_groups.values()))

    def place(self, row: str) -> int:
        """Where a row, or a group of rows, begins."""
        return self._places[row]

    @cached_property
    def _places(self) -> dict[str, int]:
        lengths = dict.fromkeys(self.rows, 1) | dict(self.row_groups)
        if len(lengths) < len(self.rows) + len(self.row_groups):
            twice = [row for row in lengths if [*self.rows, *self.row_groups].count(row) > 1]
            raise ValueError(f"two rows of the buffer have one name: {', '.join(twice)}")
        return dict(zip(lengths, accumulate((n * self.lanes for n in lengths.values()), initial=0)))


def vector_width(dtype: np.dtype) -> int:
    """Lanes of one vector register; at least 8, which shorter registers take in turns."""
    features = llvm.get_host_cpu_features()
    width = 64 if features.get("avx512f") else 32 if features.get("avx") else 16
    return max(width // dtype.itemsize, 8)


def ways(components: int) -> int:
    """Vectors that are worked on in turns, for a state of this many scalars."""
    return 4 if components <= 2 else 3 if components <= 6 else 2 if components <= 8 else 1
