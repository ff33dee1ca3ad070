"""What is made of objects that cannot change: a call with the same ones makes nothing."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import jax
import numpy as np
from jax.core import Tracer

_MOST = 64

Made = TypeVar("Made")


class Remembered(Generic[Made]):
    """Results of a function by the identity of Equinox modules, which are kept with them.

    Modules are frozen. One that holds an array of NumPy, whose numbers may change, or what JAX
    traces is looked at in each call. `lasts` says of a result whether it still holds.
    """

    def __init__(
        self, make: Callable[..., Made], lasts: Callable[[Made], bool] = lambda made: True
    ):
        self._make, self._lasts = make, lasts
        self._known: OrderedDict[Any, tuple[Made, tuple[Any, ...]]] = OrderedDict()

    def __call__(self, modules: tuple[Any, ...], *words: Any) -> Made:
        """`make(*modules, *words)`, as it was at an earlier call."""
        key = (*map(id, modules), *words)
        known = self._known.get(key)
        if known is not None and self._lasts(known[0]):
            return known[0]
        made = self._make(*modules, *words)
        changing = any(isinstance(x, np.ndarray | Tracer) for x in jax.tree.leaves(modules))
        if not changing and self._lasts(made):
            self._known[key] = made, modules
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return made
