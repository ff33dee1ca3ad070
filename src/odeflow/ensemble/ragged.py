"""Contiguous ragged arrays: what a sample has follows what the one before has (CF 1.11, 9.3.3).

In chunks it is padded to the most that any sample may have.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from odeflow.files.slabs import Target

Counts = Int[np.ndarray, " sample"]


def rows_of(counts: Counts, sample: int) -> slice:
    """Where in a ragged array what one sample has is."""
    first = int(counts[:sample].sum())
    return slice(first, first + int(counts[sample]))


class RaggedRows:
    """Puts what consecutive samples have one after another into targets.

    `counted_by` is, for each of these by name, the variable of how much every sample has.
    """

    def __init__(self, targets: Mapping[str, Target], counted_by: Mapping[str, str]):
        self._targets, self._counted_by = targets, counted_by
        self._done = dict.fromkeys(counted_by.values(), 0)

    def append(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes up padded arrays of the next samples."""
        for name, count in self._counted_by.items():
            padded, first = arrays[name], self._done[count]
            own = padded[np.arange(padded.shape[1]) < arrays[count][:, None]]
            if len(own):
                self._targets[name][first : first + len(own)] = own
        for count in self._done:
            self._done[count] += int(arrays[count].sum())
