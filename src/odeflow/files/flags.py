"""CF flags: variables of numbers that stand for words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # planning needs the attributes, and no xarray
    import xarray as xr
    from numpy.typing import DTypeLike


def flag_attributes(meanings: Sequence[str], dtype: DTypeLike, first: int = 0) -> dict[str, Any]:
    """Attributes of a variable whose numbers, counted from `first`, stand for these words."""
    return {
        "flag_values": np.arange(first, first + len(meanings), dtype=dtype),
        "flag_meanings": " ".join(meanings),
    }


def flag_meanings(flags: xr.DataArray) -> list[str]:
    """The words of a flag variable, in the order of its numbers."""
    return flags.attrs["flag_meanings"].split(" ")


def flag_meaning(flag: xr.DataArray) -> str:
    """The word that one number of a flag variable stands for."""
    numbers = np.atleast_1d(flag.attrs["flag_values"]).tolist()  # a file's single one is a scalar
    return flag_meanings(flag)[numbers.index(int(flag))]
