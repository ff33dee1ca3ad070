"""Calls, conditionals and loops, which a straight-line program inlines, selects and unrolls."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from jax.extend.core import JaxprEqn

from odeflow.engines.native.frontend.integers import choose
from odeflow.engines.native.frontend.interpreter import (
    Handler,
    Interpreter,
    Values,
    dtype_of,
    object_array,
    shape_of,
)
from odeflow.engines.native.frontend.names import PIECE
from odeflow.engines.native.program.refusal import Refused
from odeflow.problem.knots import KNOTS_PASSED

#: A loop with more iterations is not unrolled.
MOST_ITERATIONS = 1000


def _inline(run: Interpreter, jaxpr: Any, operands: Values) -> Values:
    """The outputs of a jaxpr, closed or not."""
    inner = getattr(jaxpr, "jaxpr", jaxpr)
    return run.evaluate(inner, getattr(jaxpr, "consts", ()), operands)


def _call(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    params = equation.params
    # the lane loop knows in which piece a step is
    if params.get("name") == KNOTS_PASSED and PIECE in run.builder.inputs:
        return [object_array([PIECE], ())]
    return _inline(run, params["jaxpr"] if "jaxpr" in params else params["call_jaxpr"], operands)


def _cond(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    """Every branch is evaluated, and the index selects among their results."""
    index, *arguments = operands
    branches = equation.params["branches"]
    dtypes = [dtype_of(variable) for variable in equation.outvars]
    return choose(
        run.builder,
        (index.item(),),
        ((0, len(branches) - 1),),
        cache(lambda i: _inline(run, branches[i], arguments)),
        lambda condition, one, other: [
            run.select(condition, x, y, dtype) for x, y, dtype in zip(one, other, dtypes)
        ],
    )


def _scan(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    params = equation.params
    length, constants = params["length"], params["num_consts"]
    carries = params["num_carry"]
    if length > MOST_ITERATIONS:
        raise Refused(f"a loop of {length:,} iterations; up to {MOST_ITERATIONS:,} are unrolled")
    fixed, carry = operands[:constants], operands[constants : constants + carries]
    sequences = operands[constants + carries :]
    collected: list[Values] = [[] for _ in equation.outvars[carries:]]
    steps = range(length)
    for i in reversed(steps) if params["reverse"] else steps:
        arguments = [*fixed, *carry, *(x[i, ...] for x in sequences)]
        results = _inline(run, params["jaxpr"], arguments)
        carry = results[:carries]
        for items, item in zip(collected, results[carries:]):
            items.append(item)
    stacked = []
    for items, variable in zip(collected, equation.outvars[carries:]):
        ordered = items[::-1] if params["reverse"] else items
        empty = object_array([], shape_of(variable)) if not length else None
        stacked.append(np.stack(ordered) if empty is None else empty)
    return [*carry, *stacked]


def _while(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    """Unrolls where the number of iterations is known when the program is generated."""
    params = equation.params
    tests, bodies = params["cond_nconsts"], params["body_nconsts"]
    test_constants, body_constants = operands[:tests], operands[tests : tests + bodies]
    carry = operands[tests + bodies :]
    for _ in range(MOST_ITERATIONS + 1):
        (goes_on,) = _inline(run, params["cond_jaxpr"], [*test_constants, *carry])
        if isinstance(goes_on.item(), str):
            raise Refused("how often the loop runs depends on the state, time or parameters")
        if not goes_on.item():
            return carry
        carry = _inline(run, params["body_jaxpr"], [*body_constants, *carry])
    raise Refused(f"a loop of more than {MOST_ITERATIONS:,} iterations is not unrolled")


CONTROL: Mapping[str, Handler] = {
    **dict.fromkeys(
        ("jit", "pjit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call"), _call
    ),
    **dict.fromkeys(("remat", "remat2", "checkpoint"), _call),
    "cond": _cond,
    "scan": _scan,
    "while": _while,
}
