"""Where the numbers of the lanes lie, and how many lanes are stepped at once."""

import re
from collections.abc import Iterable, Sequence

import llvmlite.binding as llvm
import numpy as np

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*) = ")


class Layout:
    """A flat buffer of rows, each with one number a lane; row x begins at the constant `ROW_x`.

    The lanes are `ways` vectors of `width` lanes. A step is a long chain of dependent operations,
    so that of a small state leaves the processor waiting: its source then works on two or three
    vectors in turns, statement by statement.
    """

    def __init__(self, width: int, ways: int, rows: Iterable[str]):
        self.width = width
        self.ways = ways
        self.rows: Sequence[str] = tuple(rows)

    @property
    def lanes(self) -> int:
        """Lanes that are stepped at once."""
        return self.width * self.ways

    @property
    def size(self) -> int:
        """Numbers in the buffer."""
        return self.lanes * len(self.rows)

    def definitions(self) -> list[str]:
        """Statements that define the constants."""
        offsets = [f"ROW_{row} = {i * self.lanes}" for i, row in enumerate(self.rows)]
        return [f"LANES = {self.lanes}", f"WIDTH = {self.width}", *offsets]

    def in_turns(self, body: Sequence[str]) -> list[str]:
        """The statements for `lane` < width, each followed by its likes for lane + width, ..."""
        assigned = {match[1] for line in body if (match := _ASSIGNMENT.match(line))}

        def shifted(line: str, way: int) -> str:
            line = re.sub(
                r"\b[A-Za-z_]\w*",
                lambda name: f"{name[0]}__{way}" if name[0] in assigned else name[0],
                line,
            )
            return line.replace(" + lane]", f" + {way * self.width} + lane]")

        return [
            line if way == 0 else shifted(line, way) for line in body for way in range(self.ways)
        ]


def load(row: str, name: str | None = None) -> str:
    """Statement that reads a row, into its own name unless another is given."""
    return f"{name or row} = rows[ROW_{row} + lane]"


def store(row: str, value: str) -> str:
    """Statement that writes a row."""
    return f"rows[ROW_{row} + lane] = {value}"


def vector_width(dtype: np.dtype) -> int:
    """Lanes of one vector register; at least 8, which shorter registers take in turns."""
    features = llvm.get_host_cpu_features()
    width = 64 if features.get("avx512f") else 32 if features.get("avx") else 16
    return max(width // dtype.itemsize, 8)


def ways(components: int) -> int:
    """Vectors that are worked on in turns, for a state of so many scalars."""
    return 3 if components <= 2 else 2 if components <= 4 else 1
