"""An event of a model as functions of flat NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

#: A function of (t, y, args), flat arrays.
Function = Callable[[float, np.ndarray, np.ndarray], Any]


@dataclass(frozen=True, eq=False)
class EventFunctions:
    """An event of a model as functions of (t, y, args).

    `margins` change sign where the trigger may change, at integers its `wholes`. `values` is what
    it assigns, and `placed(t, y, args, values)` the new state. `delay` and `priority` are None
    where the event has none. `asks_if_equal` is whether the trigger compares what moves for being
    equal, which holds at no number that stands for a time.
    """

    name: str
    trigger: Function
    notes: Function
    values: Function
    placed: Callable[[float, np.ndarray, np.ndarray, Any], np.ndarray]
    delay: Function | None
    priority: Function | None
    uses_trigger_values: bool
    persistent: bool
    initially_true: bool
    asks_if_equal: bool = False
