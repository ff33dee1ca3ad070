"""The numbers that a condition compares: where they change sign is where it may change."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Literal
from jaxtyping import Array, Float

_COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
#: Calls whose inner program is looked into. One inside of a loop or a branch is not.
_CALLS = (
    "jit", "pjit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "remat",
    "remat2", "checkpoint",
)  # fmt: skip


def compared(
    function: Callable[..., Any], moving: Sequence[Any], fixed: Sequence[Any]
) -> tuple[Float[Array, " comparison"], Float[Array, " comparison"]]:
    """Both sides of each comparison of numbers that `function(*moving, *fixed)` makes.

    Only those that depend on a value in `moving` count; an array's elements count one by one.
    """
    leaves, structure = jax.tree.flatten((tuple(moving), tuple(fixed)))
    number = len(jax.tree.leaves(tuple(moving)))

    def flat(*values: Any) -> Any:
        moving, fixed = jax.tree.unflatten(structure, values)
        return function(*moving, *fixed)

    closed = jax.make_jaxpr(flat)(*leaves)
    pairs: list[tuple[Any, Any]] = []
    moves = [i < number for i in range(len(leaves))]
    _evaluate(closed.jaxpr, closed.consts, leaves, moves, pairs)
    if not pairs:
        return jnp.zeros(0), jnp.zeros(0)
    left, right = zip(*pairs)
    return jnp.concatenate(left), jnp.concatenate(right)


def _evaluate(
    jaxpr: Any, consts: Sequence[Any], values: Sequence[Any], moves: Sequence[bool], pairs: list
) -> tuple[list[Any], list[bool]]:
    """The outputs and whether each moves; what is compared on the way is added to `pairs`."""
    known = dict(zip(jaxpr.constvars, consts)) | dict(zip(jaxpr.invars, values))
    moving = {variable for variable, moves_ in zip(jaxpr.invars, moves) if moves_}
    read = lambda x: x.val if isinstance(x, Literal) else known[x]
    is_moving = lambda x: not isinstance(x, Literal) and x in moving
    for equation in jaxpr.eqns:
        operands = [read(x) for x in equation.invars]
        flags = [is_moving(x) for x in equation.invars]
        name = equation.primitive.name
        if name in _CALLS:
            params = equation.params
            inner = params["jaxpr"] if "jaxpr" in params else params["call_jaxpr"]
            program, consts = getattr(inner, "jaxpr", inner), getattr(inner, "consts", ())
            results, outs = _evaluate(program, consts, operands, flags, pairs)
        else:
            params: Any = equation.primitive.get_bind_params(equation.params)
            # JAX up to 0.7 gives the functions of a primitive beside its parameters
            functions, params = params if isinstance(params, tuple) else ((), params)
            results = equation.primitive.bind(*functions, *operands, **params)
            results = results if equation.primitive.multiple_results else [results]
            outs = [any(flags)] * len(results)
            if name in _COMPARISONS and any(flags):
                _add(pairs, *operands, is_same=equation.invars[0] is equation.invars[1])
        known |= dict(zip(equation.outvars, results))
        moving |= {variable for variable, moves_ in zip(equation.outvars, outs) if moves_}
    return [read(x) for x in jaxpr.outvars], [is_moving(x) for x in jaxpr.outvars]


def _add(pairs: list[tuple[Any, Any]], left: Any, right: Any, is_same: bool) -> None:
    left, right = jnp.asarray(left), jnp.asarray(right)
    # x != x asks for a number that is none
    if not is_same and jnp.issubdtype(left.dtype, jnp.floating):
        pairs.append((jnp.ravel(left), jnp.ravel(right)))
