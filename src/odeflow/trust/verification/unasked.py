"""A time that nothing can be made of: what runs with it has no use for the time."""

from typing import Any

#: What may be done with a number, or to find out about it.
_OPERATORS = [
    "__abs__",
    "__add__",
    "__and__",
    "__array__",
    "__array_ufunc__",
    "__bool__",
    "__ceil__",
    "__complex__",
    "__divmod__",
    "__eq__",
    "__float__",
    "__floor__",
    "__floordiv__",
    "__format__",
    "__ge__",
    "__gt__",
    "__hash__",
    "__index__",
    "__int__",
    "__invert__",
    "__iter__",
    "__le__",
    "__len__",
    "__lt__",
    "__matmul__",
    "__mod__",
    "__mul__",
    "__ne__",
    "__neg__",
    "__or__",
    "__pos__",
    "__pow__",
    "__radd__",
    "__rand__",
    "__rdivmod__",
    "__repr__",
    "__rfloordiv__",
    "__rmatmul__",
    "__rmod__",
    "__rmul__",
    "__ror__",
    "__round__",
    "__rpow__",
    "__rsub__",
    "__rtruediv__",
    "__rxor__",
    "__str__",
    "__sub__",
    "__truediv__",
    "__trunc__",
    "__xor__",
]


class _AskedError(Exception):
    """A vector field read the time."""


class Unasked:
    """A time that nothing can be made of, so that a function that runs with it has no use for it.

    A field written for JAX has no branches that values decide, so one call shows all of it.
    """

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise _AskedError

    def __getattr__(self, name: str) -> Any:
        raise _AskedError


for _name in _OPERATORS:
    setattr(Unasked, _name, Unasked._refuse)
