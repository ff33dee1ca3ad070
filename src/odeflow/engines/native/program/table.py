"""Tables of constants that programs read at places which are known when they run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from odeflow.files.digests import texts_digest


@dataclass(frozen=True, eq=False)
class ConstantTable:
    """Numbers in memory, one after another. Its text is a digest of them."""

    values: np.ndarray

    @cached_property
    def _text(self) -> str:
        return f"table({len(self.values)}, {texts_digest(self.values.tobytes())[:32]})"

    def __repr__(self) -> str:
        return self._text


def entry(table: ConstantTable, place: Any) -> Any:
    """The number at a place, a whole number of the table's range."""
    return table.values[np.asarray(place).astype(np.int64)]
