"""NumPy arrays that behave as JAX's do, and that note what a function compares.

A vector field written for JAX runs in NumPy once `jnp` means `numpy` in it, but for three things:
an index past the end (JAX takes the last entry), integers (division by zero, numbers too large) and
`x *= k`, which is a new array in JAX and changes the old one in NumPy. `JaxLikeArray` does all
three as JAX does. Since no function that JAX can trace branches on a number, a function makes the
same comparisons in the same order wherever it is called: with `noting` they come out beside its
result, as margins that change sign where a comparison changes.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np

_COMPARISONS = {
    np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal,
    np.maximum, np.minimum, np.fmax, np.fmin,
}  # fmt: skip
#: Where the argument passes an integer the value jumps (or, of `remainder`, the quotient does).
_WHOLE = {np.floor, np.ceil, np.trunc}
_QUOTIENT = {np.remainder, np.fmod, np.floor_divide, np.divmod}
_DIVISIONS = {np.remainder, np.fmod, np.floor_divide, np.divmod}


@dataclass
class Notes:
    """What a call has compared: margins that change sign, and arguments that pass an integer.

    `is_careful` says whether it did something that plain NumPy does otherwise than JAX.
    """

    margins: list[np.ndarray] = field(default_factory=list)
    wholes: list[np.ndarray] = field(default_factory=list)
    is_careful: bool = False


_notes: Notes | None = None


@contextmanager
def noting() -> Iterator[Notes]:
    """Notes what is done with values meanwhile."""
    global _notes
    before, _notes = _notes, Notes()
    try:
        yield _notes
    finally:
        _notes = before


def _careful() -> None:
    if _notes is not None:
        _notes.is_careful = True


def _is_real(*values: Any) -> bool:
    return any(np.asarray(value).dtype.kind == "f" for value in values)


def _note(function: Any, inputs: list[Any]) -> None:
    if _notes is None or not _is_real(*inputs):
        return
    with np.errstate(all="ignore"):
        if function in _COMPARISONS:
            _notes.margins.append(np.subtract(*inputs, dtype=float))
        elif function in _WHOLE:
            _notes.wholes.append(np.asarray(inputs[0], float))
        elif function is np.rint:
            _notes.wholes.append(np.asarray(inputs[0], float) + 0.5)
        elif function in _QUOTIENT:
            _notes.wholes.append(np.true_divide(*inputs, dtype=float))
        elif function in (np.absolute, np.fabs, np.sign, np.heaviside):
            _notes.margins.append(np.asarray(inputs[0], float))


def _note_call(function: Any, args: Any) -> None:
    """The same for functions that are not ufuncs."""
    if _notes is None:
        return
    if function is np.interp:
        _notes.margins.append(np.subtract.outer(np.asarray(args[1], float), args[0]))
    elif function in (np.searchsorted, np.digitize):
        first, second = args[:2] if function is np.searchsorted else args[1::-1]
        _notes.margins.append(np.subtract.outer(np.asarray(first, float), second))
    elif function is np.clip:
        for limit in args[1:3]:
            if limit is not None:
                _notes.margins.append(np.subtract(args[0], limit, dtype=float))
    elif function in (np.round, np.around):
        _notes.wholes.append(np.asarray(args[0], float) + 0.5)


def value(result: Any) -> Any:
    """A NumPy result as `JaxLikeArray`; what is not a number stays as it is."""
    if isinstance(result, JaxLikeArray):
        return result
    if isinstance(result, np.ndarray | np.generic):
        return np.asarray(result).view(JaxLikeArray)
    if isinstance(result, tuple):
        return tuple(map(value, result))
    return [value(x) for x in result] if isinstance(result, list) else result


def plain(argument: Any) -> Any:
    """The argument with NumPy's own arrays where it has values."""
    if isinstance(argument, JaxLikeArray):
        return argument.view(np.ndarray)
    if isinstance(argument, list | tuple) and not hasattr(argument, "_fields"):
        return type(argument)(plain(x) for x in argument)
    return argument


class JaxLikeArray(np.ndarray):
    """An array that is never changed, with JAX's meaning of indices, integers and `x *= k`."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        given = [plain(x) for x in inputs]
        kwargs = {k: plain(v) for k, v in kwargs.items() if k != "out"}  # `x += v`: a new array
        if method == "__call__":
            _note(ufunc, given)
            if ufunc in _DIVISIONS and not _is_real(*given) and not np.all(given[1]):
                _careful()
                return value(np.asarray(getattr(jnp, ufunc.__name__)(*given)))
        try:
            return value(getattr(ufunc, method)(*given, **kwargs))
        except ValueError:  # integers to negative powers
            _careful()
            return value(np.asarray(getattr(jnp, ufunc.__name__)(*given)))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        given, named = plain(tuple(args)), {k: plain(v) for k, v in kwargs.items()}
        _note_call(func, given)
        return value(func(*given, **named))

    def __getitem__(self, index: Any) -> Any:
        if not _is_static(index):
            _careful()
        return value(plain(self)[_clamped(index, self.shape)])

    def astype(self, dtype: Any, *rest: Any, **kwargs: Any) -> Any:
        """As of another type; real numbers to integers as JAX does it: cut, NaN as 0."""
        kind = np.dtype(dtype).kind
        if self.dtype.kind != "f" or kind not in "iu":
            return value(plain(self).astype(dtype))
        _careful()
        if _notes is not None:
            _notes.wholes.append(np.asarray(self, float))
        limits = np.iinfo(np.dtype(dtype))
        largest = np.nextafter(float(limits.max) + 1.0, 0.0)
        cut = np.clip(np.nan_to_num(plain(self), nan=0.0), limits.min, largest)
        return value(cut.astype(dtype))

    def _out_of_place(name: str) -> Any:  # type: ignore[misc]
        def operate(self: Any, other: Any) -> Any:
            _careful()
            return getattr(self, name)(other)

        return operate

    for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor"):
        locals()[f"__i{_name}__"] = _out_of_place(f"__{_name}__")
    del _name

    def __setitem__(self, index: Any, new: Any) -> None:
        raise TypeError("JAX's arrays cannot be changed")

    @property
    def at(self) -> _At:
        """JAX's `x.at[index].set(...)` and its kin."""
        return _At(self)


class _At:
    def __init__(self, array: JaxLikeArray):
        self._array = array

    def __getitem__(self, index: Any) -> Any:
        _careful()
        return types.SimpleNamespace(
            **{
                name: lambda new, function=function: self._changed(index, function, new)
                for name, function in _UPDATES.items()
            },
            get=lambda: self._array[index],
        )

    def _changed(self, index: Any, function: Callable[..., None] | None, new: Any) -> JaxLikeArray:
        result = plain(self._array).copy()
        place, new = _inside(plain(index), result.shape), plain(new)
        if function is None:
            result[place] = new
        else:
            function(result, place, new)
        return value(result)


_UPDATES: dict[str, Callable[..., None] | None] = {
    "set": None,
    "add": np.add.at,
    "subtract": np.subtract.at,
    "multiply": np.multiply.at,
    "mul": np.multiply.at,
    "divide": np.true_divide.at,
    "min": np.minimum.at,
    "max": np.maximum.at,
}


def _is_static(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(x is None or x is Ellipsis or isinstance(x, int | slice) for x in parts)


def _along(index: Any, shape: tuple[int, ...]) -> Iterator[tuple[Any, int]]:
    """The parts of an index, and the length of the dimension that each is for."""
    parts = list(index) if isinstance(index, tuple) else [index]
    taken = sum(x is not None and x is not Ellipsis for x in parts)
    axis = 0
    for part in parts:
        if part is Ellipsis:
            axis += len(shape) - taken
            yield part, 0
        elif part is None:
            yield part, 0
        else:
            yield part, shape[axis] if axis < len(shape) else 0
            axis += 1


def _clamped(index: Any, shape: tuple[int, ...]) -> Any:
    """An index whose integers are within the array: the nearest entry, or one from the end."""
    result = []
    for part, size in _along(index, shape):
        part = plain(part)
        whole = np.asarray(part) if isinstance(part, int | np.integer | np.ndarray | list) else None
        if whole is not None and whole.dtype.kind in "iu" and size:
            part = np.clip(np.where(whole < 0, whole + size, whole), 0, size - 1)
        result.append(part)
    return tuple(result) if isinstance(index, tuple) else result[0]


def _inside(index: Any, shape: tuple[int, ...]) -> Any:
    """An index for an update; raises where one is outside, which JAX leaves out."""
    for part, size in _along(index, shape):
        whole = np.asarray(part) if isinstance(part, int | np.integer | np.ndarray) else None
        if whole is not None and whole.dtype.kind in "iu" and size:
            outside = (whole >= size) | (whole < -size)
            if np.any(outside):
                raise TypeError("an update outside of the array")
    return index


class NumPy:
    """`numpy` whose functions give values, in the place of `jax.numpy`."""

    def __init__(self, module: Any = np):
        self._module = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        if isinstance(found, types.ModuleType):
            found = NumPy(found)
        elif callable(found) and not isinstance(found, type):
            found = giving_values(found)
        setattr(self, name, found)
        return found


def giving_values(function: Callable[..., Any]) -> Callable[..., Any]:
    """A NumPy function whose results are values."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return value(function(*args, **kwargs))

    return call
