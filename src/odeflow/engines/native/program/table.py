"""Tables of constants that programs read at places which are known when they run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from odeflow.files.digests import texts_digest


@dataclass(frozen=True, eq=False)
class ConstantTable:
    """Numbers in memory, one after another, in the precision of the program that reads them."""

    values: np.ndarray

    @cached_property
    def name(self) -> str:
        """The same for the same numbers."""
        return f"table_{len(self.values)}_{texts_digest(self.values.tobytes())[:32]}"

    def __repr__(self) -> str:
        return self.name


def entry(table: ConstantTable, place: Any) -> Any:
    """The number at a place, a whole number of the table's range."""
    return table.values[np.asarray(place).astype(np.int64)]
