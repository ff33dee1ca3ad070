"""Where a function of (t, y, args) changes its form: the comparisons in its jaxpr.

Each of `t >= args.start`, `jnp.floor(t)`, `jnp.interp(t, ...)`, `jnp.maximum(y.x, 0)` is a
*crossing*: a real value that decides which of several smooth pieces holds, and the levels at which
it changes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Jaxpr
from jax.extend.core import Literal as JaxprLiteral

from odeflow.problem.conditions.source_line import source_line
from odeflow.problem.knots import KNOTS_PASSED
from odeflow.problem.model import Model

#: Iterations of a loop of known length that are looked at one by one.
_MOST_ITERATIONS = 1_000


class Degree(IntEnum):
    """How a value depends on time, other things equal."""

    constant = 0
    #: constant between the places where the function changes its form
    steps = 1
    affine = 2
    #: affine between these places
    pieces = 3
    other = 4


@dataclass(frozen=True)
class Info:
    """What a value depends on: time, and which scalars of the state and of the parameters."""

    degree: Degree = Degree.constant
    y: frozenset[int] = frozenset()
    args: frozenset[int] = frozenset()

    @property
    def varies(self) -> bool:
        """Whether the value changes along a trajectory."""
        return self.degree > Degree.constant or bool(self.y)

    def joined(self, others: Sequence["Info"], degree: Degree) -> "Info":
        """What depends on this and on others."""
        every = (self, *others)
        return Info(
            degree,
            frozenset().union(*(x.y for x in every)),
            frozenset().union(*(x.args for x in every)),
        )


@dataclass(frozen=True)
class Crossing:
    """One comparison: `value`, an array, decides where it passes a level.

    `levels` are zero, integers, halves (half-integers), the elements of `table`, "steps" where the
    value is discrete and each change counts, or "unknown": what cannot be solved. `where` is the
    line of the user's function. Without a point to evaluate at, `value` and `table` are None.
    """

    info: Info
    levels: Literal["zero", "integers", "halves", "table", "steps", "unknown"]
    where: str
    value: Any = None
    table: Any = None


#: A function of a time, the state's scalars and the parameters.
PointFunction = Callable[[Any, Sequence[Any], Sequence[Any]], Any]


def crossings(
    function: PointFunction, t: Any, y: Sequence[Any], args: Sequence[Any], evaluate: bool = True
) -> list[Crossing]:
    """All comparisons of a function at a point, in the order of evaluation.

    May be called under JAX's transformations; which crossings there are, and all of them but values
    and tables, depends on the shapes of the arguments alone. Without `evaluate` those are left out,
    which costs much less.
    """
    walk = Walk(evaluate)
    _run(walk, function, t, y, args)
    return walk.found


def outputs(
    function: PointFunction, t: Any, y: Sequence[Any], args: Sequence[Any]
) -> list[tuple[Info, Any]]:
    """The leaves of a function's value at a point, and what each depends on."""
    return _run(Walk(True), function, t, y, args)


def _run(
    walk: "Walk", function: PointFunction, t: Any, y: Sequence[Any], args: Sequence[Any]
) -> list[tuple[Info, Any]]:
    size = len(y)
    flat = lambda *x: jax.tree.leaves(function(x[0], x[1 : size + 1], x[size + 1 :]))
    closed = jax.make_jaxpr(flat)(t, *y, *args)
    infos = [
        Info(Degree.affine),
        *(Info(y=frozenset([i])) for i in range(size)),
        *(Info(args=frozenset([i])) for i in range(len(args))),
    ]
    return walk.run(closed.jaxpr, closed.consts, list(zip(infos, (t, *y, *args))))


_Pair = tuple[Info, Any]
_CONSTANT = Info()


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Operations that keep what is affine so.
_LINEAR = _names(
    "add sub neg add_any convert_element_type broadcast_in_dim reshape squeeze expand_dims slice "
    "concatenate transpose copy copy_p reduce_sum cumsum rev optimization_barrier pad real split"
)
_CALLS = _names("jit closed_call core_call remat checkpoint custom_jvp_call custom_vjp_call")
#: Primitives that compare two values.
COMPARISONS = _names("lt le gt ge eq ne lt_to le_to")
#: Of affine pieces these make steps, and those affine pieces.
_MAKE_STEPS = COMPARISONS | _names("floor ceil round sign argmax argmin")
_MAKE_PIECES = _names("abs max min clamp rem select_n")
#: What may hide comparisons of what it is given.
_UNSOLVED = _names("while scan pure_callback io_callback sort top_k")


class Walk:
    """Evaluates a jaxpr, and takes down its comparisons on the way.

    Each value is a pair: what is known of it, and what it is; None where nothing is evaluated.
    """

    def __init__(self, evaluate: bool) -> None:
        self._evaluate = evaluate
        self.found: list[Crossing] = []
        #: the line of the innermost call, for equations of which JAX kept none
        self._line = ""

    def run(self, jaxpr: Jaxpr, consts: Sequence[Any], arguments: Sequence[_Pair]) -> list[_Pair]:
        """The outputs of a jaxpr, and what each depends on."""
        known: dict[Any, _Pair] = dict(zip(jaxpr.invars, arguments))
        known.update((v, (_CONSTANT, c)) for v, c in zip(jaxpr.constvars, consts))

        def read(variable: Any) -> _Pair:
            if isinstance(variable, JaxprLiteral):
                return _CONSTANT, np.asarray(variable.val, dtype_of(variable))
            return known[variable]

        for equation in jaxpr.eqns:
            operands = [read(variable) for variable in equation.invars]
            known.update(zip(equation.outvars, self._equation(equation, operands)))
        return [read(variable) for variable in jaxpr.outvars]

    def _equation(self, equation: Any, operands: list[_Pair]) -> list[_Pair]:
        name, params = equation.primitive.name, equation.params
        infos = [info for info, _ in operands]
        varies = any(info.varies for info in infos)
        if varies and name == "jit" and params["name"] == "searchsorted":
            (table_info, table), (_, value) = operands[:2]
            if not table_info.varies:
                # the value passes the elements of the sorted array that it is looked for in
                self._add(equation, operands, "table", lambda: value, table=table)
                info = _CONSTANT.joined(infos, _degree("floor", infos))
                return [(info, found) for _, found in self._opaque(equation, operands)]
        if name == "jit" and params["name"] == KNOTS_PASSED:
            info = _CONSTANT.joined(infos, _degree("floor", infos))
            return [(info, found) for _, found in self._opaque(equation, operands)]
        inner = params.get("jaxpr", params.get("call_jaxpr", params.get("fun_jaxpr")))
        if varies and name in _CALLS:
            jaxpr, consts = (inner.jaxpr, inner.consts) if hasattr(inner, "consts") else (inner, [])
            return self._called(equation, jaxpr, consts, operands)
        if varies and name == "cond":
            return self._branches(equation, operands)
        if varies and name == "scan" and is_unrolled(equation):
            return self._scan(equation, operands)
        if varies:
            self._compared(equation, operands)
        return self._opaque(equation, operands)

    def _called(
        self, equation: Any, jaxpr: Jaxpr, consts: Sequence[Any], operands: list[_Pair]
    ) -> list[_Pair]:
        outer = self._line
        self._line = source_line(equation.source_info) or outer
        results = self.run(jaxpr, consts, operands)
        self._line = outer
        return results

    def _opaque(self, equation: Any, operands: list[_Pair]) -> list[_Pair]:
        infos = [info for info, _ in operands]
        info = _CONSTANT.joined(infos, _degree(equation.primitive.name, infos))
        if not self._evaluate:
            return [(info, None)] * len(equation.outvars)
        params = equation.primitive.get_bind_params(equation.params)
        values = equation.primitive.bind(*(value for _, value in operands), **params)
        return [(info, x) for x in (values if equation.primitive.multiple_results else [values])]

    def _add(
        self,
        equation: Any,
        operands: list[_Pair],
        levels: Any,
        value: Callable[[], Any],
        made_by: str = "sub",
        table: Any = None,
    ) -> None:
        infos = [info for info, _ in operands]
        info = _CONSTANT.joined(infos, _degree(made_by, infos))
        if info.y or info.degree > Degree.steps:
            where = source_line(equation.source_info) or self._line
            given = (value(), table) if self._evaluate else (None, None)
            self.found.append(Crossing(info, levels, where, *given))

    def _compared(self, equation: Any, operands: list[_Pair]) -> None:
        name, x = equation.primitive.name, [value for _, value in operands]
        add = lambda levels, value, by="sub": self._add(equation, operands, levels, value, by)
        is_real = equation.invars and dtype_of(equation.invars[0]).kind == "f"
        if name in _UNSOLVED:
            add("unknown", lambda: jnp.zeros(()))
        elif name in ("argmax", "argmin"):
            add("steps", lambda: self._opaque(equation, operands)[0][1].astype(float))
        elif not is_real:
            return
        elif name in COMPARISONS or name in ("max", "min"):
            add("zero", lambda: x[0] - x[1])
        elif name in ("sign", "abs"):
            add("zero", lambda: x[0])
        elif name == "clamp":
            add("zero", lambda: x[1] - x[0])
            add("zero", lambda: x[1] - x[2])
        elif name in ("floor", "ceil") or _makes_integers(equation):
            add("integers", lambda: x[0])
        elif name == "round":
            add("halves", lambda: x[0])
        elif name == "rem":
            add("integers", lambda: x[0] / x[1], "div")

    def _branches(self, equation: Any, operands: list[_Pair]) -> list[_Pair]:
        for branch in equation.params["branches"]:
            self.run(branch.jaxpr, branch.consts, operands[1:])
        return self._opaque(equation, operands)

    def _scan(self, equation: Any, operands: list[_Pair]) -> list[_Pair]:
        params = equation.params
        first, last = params["num_consts"], params["num_consts"] + params["num_carry"]
        consts, carry, rows = operands[:first], operands[first:last], operands[last:]
        order = range(params["length"])
        outputs: list[list[_Pair]] = []
        for i in reversed(order) if params["reverse"] else order:
            here = [(info, value[i] if self._evaluate else None) for info, value in rows]
            body = params["jaxpr"]
            result = self.run(body.jaxpr, body.consts, [*consts, *carry, *here])
            carry = result[: len(carry)]
            outputs.append(result[len(carry) :])
        if params["reverse"]:
            outputs.reverse()
        stacked = []
        for column in zip(*outputs):
            infos = [info for info, _ in column]
            joined = _CONSTANT.joined(infos, Degree(max(x.degree for x in infos)))
            values = jnp.stack([value for _, value in column]) if self._evaluate else None
            stacked.append((joined, values))
        return [*carry, *stacked]


def _degree(name: str, infos: Sequence[Info]) -> Degree:
    """How the result of an operation depends on time."""
    degrees = [info.degree for info in infos]
    most = max(degrees, default=Degree.constant)
    if most <= Degree.steps or most == Degree.other:
        return most
    if name in _MAKE_STEPS:
        return Degree.steps
    if name in _MAKE_PIECES:
        return Degree.pieces if name != "rem" or degrees[1] <= Degree.steps else Degree.other
    varying = [degree for degree in degrees if degree > Degree.steps]
    is_product = name in ("mul", "dot_general") and len(varying) == 1
    is_quotient = name == "div" and degrees[1] <= Degree.steps
    if name in _LINEAR or is_product or is_quotient:
        return Degree.pieces if Degree.steps in degrees else most
    return Degree.other


def dtype_of(variable: Any) -> np.dtype:
    """Type of a variable of a jaxpr; void for a random key, whose type NumPy does not have."""
    dtype = variable.aval.dtype
    return dtype if isinstance(dtype, np.dtype) else np.dtype(np.void)


def is_unrolled(equation: Any) -> bool:
    """Whether a loop of known length is looked at iteration by iteration."""
    return equation.params["length"] <= _MOST_ITERATIONS


def _makes_integers(equation: Any) -> bool:
    is_conversion = equation.primitive.name == "convert_element_type"
    return is_conversion and np.dtype(equation.params["new_dtype"]).kind in "iu"


def held_components(model: Model) -> frozenset[int]:
    """Numbers of the components whose derivative is zero whatever t, y and args."""
    with jax.ensure_compile_time_eval():  # numbers, also while something else is traced
        t, y, args = model.example()
        found = outputs(model.flat_vector_field, t, model.flatten(y), list(args))
    return frozenset(
        number
        for number, (info, value) in enumerate(found)
        if not (info.varies or info.args) and not np.any(np.asarray(value))
    )
