"""What became of simulated vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int8

from odeflow.problem.status import has_failed


@dataclass(frozen=True)
class Ending:
    """The status of each trajectory, and the vectors of which something is never at rest."""

    status: Int8[np.ndarray, "vector condition"]
    never_before: Bool[np.ndarray, " vector"]
    never_after: Bool[np.ndarray, " vector"]

    @property
    def failed(self) -> Bool[np.ndarray, " vector"]:
        """The vectors that have no values."""
        return has_failed(self.status).any(axis=1) | self.never_before | self.never_after

    def __or__(self, other: Ending) -> Ending:
        """That of two solves of the same vectors."""
        status = np.where(has_failed(self.status), self.status, other.status)
        return Ending(
            status, self.never_before | other.never_before, self.never_after | other.never_after
        )
