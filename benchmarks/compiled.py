"""Vector fields compiled by Numba, for tools that call a function that writes derivatives."""

from typing import Any

import numba
import numpy as np

from benchmarks.fields import scalar_field, write_ring


def writer(case: Any) -> Any:
    """A compiled function of (t, y, dy, p), arrays, that writes the derivatives of a case."""
    large = getattr(case, "large", None)
    if large is not None:
        return large.write
    if case.model_name == "ring":
        write = numba.njit(write_ring)
        return numba.njit(lambda t, y, dy, p: write(dy, y, p))
    states, parameters = len(case.model.components), len(case.model.declared.parameters)
    field = numba.njit(scalar_field(case.model_name))
    read_y, read_p, store = _reader(states), _reader(parameters), _storer(states)
    return numba.njit(lambda t, y, dy, p: store(dy, field(t, read_y(y), read_p(p))))


def _reader(count: int) -> Any:
    """A compiled function of an array or pointer: its first `count` numbers as a tuple."""
    return numba.njit(eval(f"lambda x: ({', '.join(f'x[{i}]' for i in range(count))},)"))


def _storer(count: int) -> Any:
    """A compiled function that stores a tuple in an array or at a pointer."""
    lines = "\n".join(f"    x[{i}] = values[{i}]" for i in range(count))
    namespace: dict[str, Any] = {}
    exec(f"def store(x, values):\n{lines}", namespace)
    return numba.njit(namespace["store"])


def order(case: Any) -> np.ndarray:
    """Which component of the model is where in `writer`: bands of large problems are narrow."""
    large = getattr(case, "large", None)
    place = None if large is None else large.place
    return np.arange(len(case.model.components)) if place is None else place


def expressions(case: Any, y: Any, p: Any) -> list[Any]:
    """The derivatives of a case as expressions of symbols that have Python's operators."""
    large = getattr(case, "large", None)
    if large is None:
        return list(scalar_field(case.model_name)(0.0, y, p))
    place = order(case)
    symbols, found = np.empty(len(y), object), np.empty(len(y), object)
    symbols[:] = [y[k] for k in place]
    large.write.py_func(0.0, symbols, found, p)
    return [found[k] for k in np.argsort(place)]
