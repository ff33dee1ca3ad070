"""The numbers that a condition compares: where they change sign is where it may change."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.core import Literal
from jaxtyping import Array, Float

from odeflow.problem.conditions.comparisons import dtype_of

#: What a number goes through that then changes in steps; so does all that is not a real number.
_ROUNDED = ("floor", "ceil", "round", "sign")
_COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
#: Calls whose inner program is looked into. One inside of a loop or a branch is not.
_CALLS = (
    "jit", "pjit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "remat",
    "remat2", "checkpoint",
)  # fmt: skip


#: How a number moves: not at all, from one value to another, or smoothly.
_FIXED, _STEPS, _SMOOTH = 0, 1, 2


def compared(
    function: Callable[..., Any],
    moving: Sequence[Any],
    fixed: Sequence[Any],
    still: Sequence[bool] | None = None,
) -> tuple[Float[Array, " comparison"], Float[Array, " comparison"]]:
    """Both sides of each comparison of numbers that `function(*moving, *fixed)` makes.

    Only those that depend on a value in `moving` count; an array's elements count one by one.
    `still` says which arrays in there do not move after all.
    """
    pairs = _Pairs()
    _walk(function, moving, fixed, pairs, still)
    if not pairs.found:
        return jnp.zeros(0), jnp.zeros(0)
    left, right = zip(*pairs.found)
    return jnp.concatenate(left), jnp.concatenate(right)


class Kind(NamedTuple):
    """What is compared: how many numbers, whether they are smooth, unlike `floor(x)`, which changes
    in steps, and whether the comparison asks if they are equal.
    """

    number: int
    smooth: bool
    equal: bool


def kinds(
    function: Callable[..., Any],
    moving: Sequence[Any],
    fixed: Sequence[Any],
    still: Sequence[bool] | None = None,
) -> list[Kind]:
    """The kinds of what `compared` gives."""
    pairs = _Pairs()
    jax.eval_shape(lambda *x: _walk(function, x, fixed, pairs, still), *moving)
    return pairs.kinds


def where_equal(
    function: Callable[..., Any],
    moving: Sequence[Any],
    fixed: Sequence[Any],
    still: Sequence[bool] | None,
    met: Any,
) -> Any:
    """What a function gives where the sides of comparisons are equal, as `met` says of each.

    On its way from one side to the other a number is the same as another at one time, which no
    number that stands for a time need be.
    """
    return _walk(function, moving, fixed, _Pairs(met=met), still)


def just_after(
    condition: Callable[..., Any],
    moving: Sequence[Any],
    rates: Sequence[Any],
    fixed: Sequence[Any],
) -> Any:
    """Whether a condition of `(*moving, *fixed)` holds right after, where what moves has these
    rates: both sides of a comparison that are equal go apart as their rates say.
    """

    def sides(*moving: Any) -> list[tuple[Any, Any]]:
        pairs = _Pairs()
        _walk(condition, moving, fixed, pairs)
        return pairs.found

    _, apart = jax.jvp(sides, tuple(moving), tuple(rates))
    return _walk(condition, moving, fixed, _Pairs([left - right for left, right in apart]))


class _Pairs:
    """Both sides of each comparison, in order.

    Where `apart` is given, equal sides differ by it; where `met` is, it says of all numbers in turn
    which are equal.
    """

    def __init__(self, apart: list[Any] | None = None, met: Any = None) -> None:
        self.found: list[tuple[Any, Any]] = []
        self.kinds: list[Kind] = []
        self._apart, self._met, self._place = apart, met, 0

    def add(self, name: str, left: Any, right: Any, outcome: Any, smooth: bool) -> Any:
        """Takes a comparison down, and gives its outcome."""
        left, right = jnp.broadcast_arrays(left, right)
        self.kinds.append(Kind(left.size, smooth, smooth and name in ("eq", "ne")))
        self.found.append((jnp.ravel(left), jnp.ravel(right)))
        if self._met is not None:
            place = slice(self._place, self._place + left.size)
            self._place += left.size
            met = self._met[place].reshape(left.shape)
            return {"eq": outcome | met, "ne": outcome & ~met}.get(name, outcome)
        if self._apart is None:
            return outcome
        apart = self._apart[len(self.found) - 1].reshape(left.shape)
        after = getattr(jax.lax, name)(apart, jnp.zeros_like(apart))
        return jnp.where(left == right, after, outcome)


def _walk(
    function: Callable[..., Any],
    moving: Sequence[Any],
    fixed: Sequence[Any],
    pairs: _Pairs,
    still: Sequence[bool] | None = None,
) -> Any:
    leaves, structure = jax.tree.flatten((tuple(moving), tuple(fixed)))
    number = len(jax.tree.leaves(tuple(moving)))

    def flat(*values: Any) -> Any:
        moving, fixed = jax.tree.unflatten(structure, values)
        return function(*moving, *fixed)

    closed, shape = jax.make_jaxpr(flat, return_shape=True)(*leaves)
    moves = [_FIXED if rests else _SMOOTH for rests in still or [False] * number]
    moves += [_FIXED] * (len(leaves) - number)
    results, _ = _evaluate(closed.jaxpr, closed.consts, leaves, moves, pairs)
    return jax.tree.unflatten(jax.tree.structure(shape), results)


def _evaluate(
    jaxpr: Any,
    consts: Sequence[Any],
    values: Sequence[Any],
    moves: Sequence[int],
    pairs: _Pairs,
) -> tuple[list[Any], list[int]]:
    """The outputs and how each moves; what is compared on the way is added to `pairs`."""
    known = dict(zip(jaxpr.constvars, consts)) | dict(zip(jaxpr.invars, values))
    moving = dict(zip(jaxpr.invars, moves))
    read = lambda x: x.val if isinstance(x, Literal) else known[x]
    motion = lambda x: _FIXED if isinstance(x, Literal) else moving.get(x, _FIXED)
    for equation in jaxpr.eqns:
        operands = [read(x) for x in equation.invars]
        flags = [motion(x) for x in equation.invars]
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
            most = max(flags, default=_FIXED)
            outs = [min(most, _most(name, variable)) for variable in equation.outvars]
            # x != x asks whether a number is NaN
            is_pair = name in _COMPARISONS and equation.invars[0] is not equation.invars[1]
            if is_pair and any(flags) and dtype_of(equation.invars[0]).kind == "f":
                smooth = max(flags) == _SMOOTH
                results = [pairs.add(name, operands[0], operands[1], results[0], smooth)]
        known |= dict(zip(equation.outvars, results))
        moving |= dict(zip(equation.outvars, outs))
    return [read(x) for x in jaxpr.outvars], [motion(x) for x in jaxpr.outvars]


def _most(name: str, variable: Any) -> int:
    """How an equation's result moves at most."""
    return _STEPS if name in _ROUNDED or dtype_of(variable).kind != "f" else _SMOOTH
