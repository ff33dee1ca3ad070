"""What is made of objects that cannot change: a call with the same ones makes nothing."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import jax
import numpy as np
from jax.core import Tracer

from odeflow.api.same import Same

_MOST = 128
#: Leaves of modules that are compared by value, and numbers of an array up to which it is, too.
_VALUES = (float, int, bool, str, type(None))
_MOST_NUMBERS = 10_000

Made = TypeVar("Made")


class Remembered(Generic[Made]):
    """Results of a function by the identity of its arguments, which are kept with them.

    Equinox modules are frozen. They are the same, too, where they have the same numbers, and
    functions are where `Same` says so: they may be written where they are used. A module that holds
    an array of NumPy, whose numbers may change, or what JAX traces is looked at in each call.
    `lasts` says of a result whether it still holds.
    """

    def __init__(
        self, make: Callable[..., Made], lasts: Callable[[Made], bool] = lambda made: True
    ):
        self._make, self._lasts = make, lasts
        self._known: OrderedDict[Any, tuple[Made, tuple[Any, ...]]] = OrderedDict()

    def __call__(self, functions: tuple[Any, ...], modules: tuple[Any, ...], *words: Any) -> Made:
        """`make(*functions, *modules, *words)`, as it was at an earlier call; it has each function
        as a `Same`.
        """
        key = (*map(id, functions), *map(id, modules), *words)
        known = self._known.get(key)
        if known is not None and self._lasts(known[0]):
            return known[0]
        leaves, structure = jax.tree.flatten(modules)
        same = tuple(map(Same, functions))
        if any(isinstance(x, np.ndarray | Tracer) for x in leaves):
            return self._make(*same, *modules, *words)
        like = (*same, structure, *map(_of_leaf, leaves), *words)
        try:
            known = self._known.get(like)
        except (TypeError, ValueError):  # what cannot be compared is the same as itself only
            like, known = key, None
        if known is not None and self._lasts(known[0]):
            return known[0]
        made = self._make(*same, *modules, *words)
        if self._lasts(made):
            self._keep((key, like), (made, (functions, modules)))
        return made

    def _keep(self, keys: Iterable[Any], known: tuple[Made, tuple[Any, ...]]) -> None:
        for key in keys:
            self._known[key] = known
            if len(self._known) > _MOST:
                self._known.popitem(last=False)


def _of_leaf(leaf: Any) -> Any:
    """What stands for a leaf of a module in a key."""
    if isinstance(leaf, _VALUES):
        return type(leaf), leaf
    if isinstance(leaf, jax.Array) and leaf.size <= _MOST_NUMBERS:
        values = np.asarray(leaf)
        return values.dtype, values.shape, values.tobytes()
    return id(leaf)
