"""Functions as keys: when two of them are sure to do the same."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from types import CellType, CodeType, FunctionType
from typing import Any

#: What is compared by its value: it cannot change.
_VALUES = (int, float, complex, str, bytes, bool, type(None))
#: Functions that are looked into; further ones are the same as themselves only.
_MOST = 100


class Same:
    """A function as a key.

    Two functions are the same if they are one object, or the same method of one object; or if they
    have the same code, and what they close over, their defaults and the globals that they read are
    the same objects or numbers. So a lambda may be written where it is used, and a global number
    may change; a function among these, or of the same module, is looked into as well. What cannot
    be hashed, as modules with arrays, is a key too.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self._kept: list[Any] = []  # so that no other object gets the identity of one of these
        self._looked_into: dict[int, int] = {}
        self._key = self._of(function)

    def _of(self, value: Any) -> Any:
        if isinstance(value, _VALUES):
            return type(value), repr(value)
        self._kept.append(value)
        if type(value) is FunctionType:
            return self._of_function(value)
        if type(value) is partial:
            return partial, self._all([value.func, value.args, *value.keywords.items()])
        if type(value) is tuple:
            return tuple, self._all(value)
        owner, function = getattr(value, "__self__", None), getattr(value, "__func__", None)
        if owner is not None and function is not None:
            self._kept.append(owner)
            return id(owner), self._of(function)
        return id(value)

    def _of_function(self, function: FunctionType) -> Any:
        known = self._looked_into
        if id(function) in known:
            return "again", known[id(function)]
        if len(known) >= _MOST:
            return id(function)
        known[id(function)] = len(known)
        defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).items()]
        cells = function.__closure__ or ()
        contents = [x.cell_contents for x in cells if x != CellType()]  # some have none yet
        namespace = function.__globals__
        read = [(name, namespace[name]) for name in _names(function.__code__) if name in namespace]
        found = [(name, self._global(value, namespace)) for name, value in read]
        parts = self._all(defaults), self._all(contents), tuple(found)
        return function.__code__, id(namespace), *parts

    def _global(self, value: Any, namespace: dict[str, Any]) -> Any:
        """As `_of`; a function that is imported from elsewhere is not looked into."""
        if type(value) is FunctionType and value.__globals__ is not namespace:
            self._kept.append(value)
            return id(value)
        return self._of(value)

    def _all(self, values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(map(self._of, values))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=4096)
def _names(code: CodeType) -> tuple[str, ...]:
    """Names that a function, or one that is written inside of it, may read as globals."""
    inner = [_names(x) for x in code.co_consts if isinstance(x, CodeType)]
    return tuple(sorted({*code.co_names, *(name for names in inner for name in names)}))
