"""JAX functions of scalars as straight-line scalar programs."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from odeflow.engines.native.frontend.array_reductions import REDUCTIONS
from odeflow.engines.native.frontend.control import CONTROL
from odeflow.engines.native.frontend.interpreter import Interpreter, object_array
from odeflow.engines.native.frontend.linear_algebra import LINEAR_ALGEBRA
from odeflow.engines.native.frontend.lookups import LOOKUPS
from odeflow.engines.native.frontend.moves import MOVES
from odeflow.engines.native.program.builder import Builder
from odeflow.engines.native.program.program import Operand, Program
from odeflow.engines.native.program.refusal import UntranslatableError

__all__ = ["UntranslatableError", "translate", "translate_into"]

_HANDLERS = {**MOVES, **REDUCTIONS, **LINEAR_ALGEBRA, **LOOKUPS, **CONTROL}


def translate(
    function: Callable[..., Any], inputs: Sequence[str], dtype: Any = np.float64
) -> Program:
    """The program of a JAX function that takes one scalar per input.

    The function is traced with scalars of `dtype` and returns a pytree of scalars or arrays; the
    program's outputs are its leaves' elements in order, as floating-point numbers (booleans stay
    booleans). Arrays inside the function dissolve, branches become selections, loops of known
    length are unrolled.

    Raises UntranslatableError where the function uses what has no such form, a loop of more than
    1,000 iterations, or needs more statements than a `Builder` takes. Errors of the function itself
    pass.
    """
    builder = Builder(inputs, dtype)
    return builder.program(translate_into(builder, function, inputs))


def translate_into(
    builder: Builder, function: Callable[..., Any], arguments: Sequence[Operand]
) -> list[Operand]:
    """Outputs of a function of scalars, its statements added to a builder; as `translate`."""
    dtype = builder.dtype
    if dtype == np.float64 and not jax.config.read("jax_enable_x64"):
        raise RuntimeError(
            "float64 needs JAX's x64 mode: call jax.config.update('jax_enable_x64', True) first"
        )

    def flat(*values: Any) -> tuple[Any, ...]:
        leaves = [jnp.asarray(leaf) for leaf in jax.tree.leaves(function(*values))]
        return tuple(x if x.dtype == bool else x.astype(dtype) for x in leaves)

    scalar = jax.ShapeDtypeStruct((), dtype)
    closed = jax.make_jaxpr(flat)(*[scalar] * len(arguments))
    operands = [object_array([argument], ()) for argument in arguments]
    run = Interpreter(builder, _HANDLERS)
    results = run.evaluate(closed.jaxpr, closed.consts, operands)
    return [operand for result in results for operand in result.ravel().tolist()]
