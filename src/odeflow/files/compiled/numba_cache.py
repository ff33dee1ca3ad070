"""Numba's compiled functions in a store, in place of the files that it writes beside a module.

Numba unpickles its files as they are and dies of an empty one. Its classes do the rest: what a
compiled function is as data, and how it is loaded again.
"""

import hashlib
import os
import pickle
import sys
from collections.abc import Callable
from functools import cache
from importlib import metadata
from typing import Any

import llvmlite
import llvmlite.binding
from numba.core.caching import FunctionCache
from numba.core.serialize import dumps

from odeflow.files.compiled.store import Store, open_store

#: Settings of Numba's that say where and how many, not what is compiled.
_NOT_CODE = ("NUMBA_NUM_THREADS", "NUMBA_CACHE_DIR", "NUMBA_CACHE_LOCATOR_CLASSES")


@cache
def machine() -> str:
    """What machine code hangs on besides its source: the processor, the compilers, Python."""
    features = llvmlite.binding.get_host_cpu_features().flatten()
    versions = [f"{name} {_version(name)}" for name in ("numba", "llvmlite", "numba-cuda")]
    settings = [
        f"{name}={value}"
        for name, value in sorted(os.environ.items())
        if name.startswith("NUMBA_") and name not in _NOT_CODE
    ]
    processor = (llvmlite.binding.get_process_triple(), llvmlite.binding.get_host_cpu_name())
    return "\n".join([*processor, features, *versions, sys.version, *settings])


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "-"


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


def digest(*texts: str | bytes) -> str:
    """A digest of source texts."""
    found = hashlib.sha256()
    for text in texts:
        found.update(text.encode() if isinstance(text, str) else text)
        found.update(b"\0")
    return found.hexdigest()
