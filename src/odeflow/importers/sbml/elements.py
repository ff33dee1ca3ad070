"""The lists of libsbml's elements."""

from collections.abc import Iterator
from typing import Any


def children(parent: Any, kind: str) -> Iterator[Any]:
    """The elements of one of libsbml's lists, such as the model's `Species`."""
    count = getattr(parent, f"getNum{kind}" + ("" if kind == "Species" else "s"))()
    return (getattr(parent, f"get{kind}")(i) for i in range(count))
