"""What goes wrong in a user's function of `(t, y, args)`, as one line that says what to write."""

import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
from jax.core import Tracer

from odeflow.config.validate import nearest
from odeflow.files.errors import ConfigError

_TIMES = {"t", "time"}
#: What JAX raises where the value of a traced number is needed.
_CONCRETE = (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError)
_INTEGER_WORDS = (
    "Only integer scalar arrays can be converted",
    "interpreted as an integer",
    "concrete values of integer type",
)


def check_signature(
    key: str,
    reference: str,
    function: Callable[..., Any],
    wanted: tuple[str, ...] = ("t", "y", "args"),
) -> None:
    """Raises ConfigError where a function cannot be called with what is wanted, or swaps t and y.

    A function of `(y, t, args)`, which SciPy's `odeint` takes, would be given each for the other.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # compiled
        return
    names = list(signature.parameters)
    shown = f"{key}: {reference} has the arguments ({', '.join(names)})"
    try:
        signature.bind(*wanted)
    except TypeError:
        number = {1: "one", 3: "three"}[len(wanted)]
        called = f"({', '.join(wanted)})"
        raise ConfigError(f"{shown}; it is called with {number}, {called}") from None
    if len(wanted) > 1 and len(names) > 1 and names[1] in _TIMES and names[0] not in _TIMES:
        raise ConfigError(f"{shown}; write them in the order (t, y, args)")


@contextmanager
def user_errors(
    key: str,
    reference: str,
    function: Callable[..., Any],
    given: tuple[str, ...] = ("t", "y", "args"),
) -> Iterator[None]:
    """What the user's function raises while JAX traces it becomes a ConfigError of one line."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        where = f"{key}: {reference}{_line(error, function)}"
        raise ConfigError(f"{where} {_advice(error, given)}") from error


def _line(error: Exception, function: Callable[..., Any]) -> str:
    """The last line of the function's own file that the error passed through."""
    code = getattr(function, "__code__", None)
    file = code.co_filename if code else None
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    return f", line {lines[-1]}," if lines else ""


def _advice(error: Exception, given: tuple[str, ...]) -> str:
    if isinstance(error, AttributeError) and isinstance(error.obj, Tracer):
        return (
            f"reads .{error.name} of a number: the arguments are ({', '.join(given)}), in this "
            "order, and states and parameters are plain numbers or arrays"
        )
    fields = getattr(getattr(error, "obj", None), "_fields", None)
    if isinstance(error, AttributeError) and fields is not None:
        return f"reads .{error.name}, which is not there{nearest(str(error.name), fields)}"
    if isinstance(error, TypeError) and "indices must be integers or slices, not str" in str(error):
        return 'reads a name in brackets: write args.k and y.x, not args["k"] and y["x"]'
    if _wants_a_whole_number(error):
        return (
            "uses a value that differs between trajectories as a whole number (in range, a shape, "
            "the index of a list): write the number itself, or index an array of jax.numpy by "
            "value.astype(int)"
        )
    if isinstance(error, _CONCRETE):
        return (
            f"uses the value of a traced number ({type(error).__name__}): JAX cannot branch on "
            "it; write jnp.where(condition, a, b) instead of `if`, and jax.numpy functions instead "
            "of math or numpy"
        )
    return f"raised {type(error).__name__}: {str(error).split(chr(10), 1)[0]}"


def _wants_a_whole_number(error: Exception) -> bool:
    """Whether Python or JAX needs an integer that is known while tracing."""
    if isinstance(error, jax.errors.TracerIntegerConversionError):
        return True
    text = str(error)
    if isinstance(error, TypeError) and not isinstance(error, _CONCRETE):
        return any(words in text for words in _INTEGER_WORDS)
    return isinstance(error, _CONCRETE) and "`int` function" in text
