"""A trajectory that was solved on its own, as a record that those who draw it know too."""

from typing import NamedTuple

import numpy as np

from odeflow.problem.status import Status


class OneTrajectory(NamedTuple):
    """One trajectory, solved: values by variable, time first, and what became of it."""

    times: np.ndarray
    values: dict[str, np.ndarray]
    status: Status
    time_reached: float
    num_steps: int
    #: The metrics that are reduced while solving, by name.
    metrics: dict[str, np.ndarray]
    #: What solved it; not the first method where that failed.
    method: str
