"""Numba's compiled functions in a store, in place of the files that it writes beside a module.

Numba unpickles its files as they are and dies of an empty one. Its classes do the rest: what a
compiled function is as data, and how it is loaded again.
"""

import pickle
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from numba.core.caching import FunctionCache
from numba.core.serialize import dumps

from odeflow.files.compiled.machine import machine
from odeflow.files.compiled.store import Store, open_store


def keep(dispatcher: Any, source: str, store: Callable[[], Store] = open_store) -> Any:
    """Keeps what a jitted function is compiled to; `source` is a digest of all of its source.

    The store is asked for when the function is compiled. Functions of Numba's simulator for CUDA
    are not compiled, and returned as they are.
    """
    if hasattr(dispatcher, "_cache"):
        dispatcher._cache = _cache_for(dispatcher)(dispatcher.py_func, source, store)
    return dispatcher


def _cache_for(dispatcher: Any) -> type:
    """Numba's cache class for the target of a function, with a store for its files."""
    base = getattr(sys.modules[type(dispatcher).__module__], "CUDACache", FunctionCache)
    return _stored(base)


@cache
def _stored(base: type[FunctionCache]) -> type:
    class Stored(base):  # type: ignore[valid-type, misc]
        def __init__(self, function: Any, source: str, store: Callable[[], Store]):
            self._name, self._py_func, self._cache_path = repr(function), function, ""
            self._impl = object.__new__(self._impl_class)
            self._impl._locator = _NoFile(function)
            self._impl._lineno = function.__code__.co_firstlineno
            self._cache_file = _Entries(f"{function.__qualname__} {source}", store)
            self.enable()

        def load_overload(self, sig: Any, target_context: Any) -> Any:
            try:
                return super().load_overload(sig, target_context)
            except Exception as error:  # whole, but not what this Numba takes
                self._cache_file.refuse(error)
                return None

    return Stored


class _Entries:
    """What Numba's cache takes for its index and data files: one entry for each signature."""

    def __init__(self, name: str, store: Callable[[], Store]):
        self._name, self._store, self._last = name, store, ""

    def load(self, key: Any) -> Any:
        self._last = self._key(key)
        content = self._store().get(self._last)
        return None if content is None else pickle.loads(content)

    def save(self, key: Any, data: Any) -> None:
        self._store().put(self._key(key), dumps(data))

    def refuse(self, error: Exception) -> None:
        """The entry that was loaded last is of no use."""
        self._store().discard(self._last, f"does not load ({type(error).__name__})")

    def flush(self) -> None:
        """Entries go by their age."""

    def _key(self, key: Any) -> str:
        return f"{self._name}\n{key!r}\n{machine()}"


class _NoFile:
    """What Numba's cache asks of the place of its files."""

    def __init__(self, function: Any):
        self._py_file = function.__code__.co_filename

    def ensure_cache_path(self) -> None:
        """The store has seen to that."""
