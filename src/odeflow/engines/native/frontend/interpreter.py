"""Evaluates a jaxpr on arrays of scalar operands, so that only arithmetic on scalars is left.

A value of the jaxpr is a NumPy array of its shape: of its own dtype where all of it is constant,
else an object array of operands.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Jaxpr, JaxprEqn, Literal
from jaxtyping import Key

from odeflow.engines.native.frontend.complex_numbers import (
    COMPLEX,
    REAL_ONLY,
    ComplexOperand,
    complex_operation,
)
from odeflow.engines.native.frontend.elementwise import ELEMENTWISE, scalar_operation
from odeflow.engines.native.frontend.integers import integer_operation
from odeflow.engines.native.program.builder import Builder
from odeflow.engines.native.program.program import Operand
from odeflow.engines.native.program.refusal import Refused, UntranslatableError
from odeflow.problem.conditions.comparisons import dtype_of
from odeflow.problem.conditions.source_line import source_line

# A random key is a constant that NumPy cannot hold. It is handed on to JAX's own primitives, so
# handlers are written, and read by pyright, for arrays.
if TYPE_CHECKING:
    Value = np.ndarray
else:
    Value = np.ndarray | Key[jax.Array, "..."]
Values = list[Value]
Handler = Callable[["Interpreter", JaxprEqn, Values], Sequence[Value]]

_BOOLEAN = np.dtype(bool)


class Interpreter:
    """Evaluates equations into a builder. `handlers` are what to do for each primitive."""

    def __init__(self, builder: Builder, handlers: Mapping[str, Handler]) -> None:
        self.builder = builder
        self._handlers = handlers

    def evaluate(self, jaxpr: Jaxpr, consts: Sequence[Any], arguments: Values) -> Values:
        """The outputs of a jaxpr; raises UntranslatableError that names the primitive."""
        values: dict[Any, Value] = dict(zip(jaxpr.invars, arguments))
        values.update(zip(jaxpr.constvars, map(_constant, consts)))

        def read(variable: Any) -> Value:
            if isinstance(variable, Literal):
                return np.asarray(variable.val, dtype_of(variable))
            return values[variable]

        for equation in jaxpr.eqns:
            operands = [read(variable) for variable in equation.invars]
            values.update(zip(equation.outvars, self._equation(equation, operands)))
        return [read(variable) for variable in jaxpr.outvars]

    def _equation(self, equation: JaxprEqn, operands: Values) -> Values:
        name = equation.primitive.name
        try:
            results = self._results(equation, operands)
            dtypes = [dtype_of(variable) for variable in equation.outvars]
            results = [_settled(x, dtype) for x, dtype in zip(results, dtypes)]
            for result, dtype in zip(results, dtypes):
                self._check_precision(result, dtype)
        except Refused as refusal:
            line = source_line(equation.source_info)
            raise UntranslatableError(name, str(refusal), line) from None
        except UntranslatableError as error:
            # JAX traces its own functions once and keeps the first caller's line in them.
            line = source_line(equation.source_info)
            if name == "jit" and line:
                raise UntranslatableError(error.primitive, error.why, line) from None
            raise
        return results

    def _results(self, equation: JaxprEqn, operands: Values) -> Sequence[Value]:
        name = equation.primitive.name
        if name in ELEMENTWISE or name in COMPLEX:
            return [self._elementwise_equation(equation, operands)]
        handler = self._handlers.get(name)
        if handler is not None:
            kinds = {dtype_of(variable).kind for variable in equation.invars}
            if name in REAL_ONLY and "c" in kinds and any(map(is_traced, operands)):
                raise Refused("complex numbers")
            return handler(self, equation, operands)
        if any(is_traced(x) for x in operands):
            raise Refused("it has no form as arithmetic on scalars here")
        return by_jax(equation, operands)

    def _elementwise_equation(self, equation: JaxprEqn, operands: Values) -> np.ndarray:
        dtypes = [dtype_of(variable) for variable in equation.invars]
        out = dtype_of(equation.outvars[0])
        foreign = any(d.kind not in "biu" and d != self.builder.dtype for d in (*dtypes, out))
        if foreign and not any(is_traced(x) for x in operands):
            return by_jax(equation, operands)[0]
        return self.elementwise(equation.primitive.name, operands, dtypes, out, equation.params)

    def elementwise(
        self,
        primitive: str,
        arrays: Sequence[np.ndarray],
        dtypes: Sequence[np.dtype],
        out: np.dtype,
        params: Mapping[str, Any] | None = None,
    ) -> np.ndarray:
        """An elementwise primitive on arrays of one shape, or scalars beside them."""
        shape = np.broadcast_shapes(*(x.shape for x in arrays))
        columns = [np.broadcast_to(x, shape).ravel().tolist() for x in arrays]
        kinds, settings = tuple(dtypes), params or {}
        results: list[Operand] = [
            self.scalar(primitive, operands, kinds, out, settings) for operands in zip(*columns)
        ]
        return object_array(results, shape)

    def scalar(
        self,
        primitive: str,
        operands: tuple[Operand, ...],
        dtypes: tuple[np.dtype, ...],
        out: np.dtype,
        params: Mapping[str, Any] = MappingProxyType({}),
    ) -> Operand:
        """An elementwise primitive on scalars."""
        b = self.builder
        if out.kind == "c" or any(dtype.kind == "c" for dtype in dtypes):
            return complex_operation(b, primitive, operands, out, params)  # type: ignore[return-value]
        if primitive == "convert_element_type" and dtypes[0].kind == "f" and out.kind in "fb":
            if out.kind == "b":
                return b.apply("ne", operands[0], 0.0)
            value = operands[0]
            return value if isinstance(value, str) else float(out.type(value))
        if primitive == "pow" and dtypes[1].kind in "iu" and dtypes[0].kind == "f":
            real = self.scalar("convert_element_type", operands[1:], dtypes[1:], out, {})
            return b.apply("pow", operands[0], real)
        is_integer = out.kind in "iu" or any(dtype.kind in "iu" for dtype in dtypes)
        if is_integer or (primitive == "convert_element_type" and dtypes[0].kind == "b"):
            return integer_operation(b, primitive, operands, dtypes, out, params)
        return scalar_operation(b, primitive, operands, dtypes[-1], params)

    def select(
        self, condition: Operand, x: np.ndarray, y: np.ndarray, dtype: np.dtype
    ) -> np.ndarray:
        """Elements of `x` where the condition holds, else of `y`."""
        which = object_array([condition], ())
        return self.elementwise("select_n", (which, y, x), (_BOOLEAN, dtype, dtype), dtype)

    def _check_precision(self, result: Value, dtype: np.dtype) -> None:
        if dtype.kind in "biu" or not is_traced(result):
            return
        if np.finfo(dtype).dtype != self.builder.dtype:
            raise Refused(f"it computes in {dtype} in a model that runs in {self.builder.dtype}")


def shape_of(variable: Any) -> tuple[int, ...]:
    """Shape of a variable of a jaxpr."""
    return variable.aval.shape


def is_traced(array: Value) -> bool:
    """Whether an element is not constant, in a settled array."""
    return array.dtype == object


def object_array(operands: Sequence[Operand], shape: tuple[int, ...]) -> np.ndarray:
    """Operands in C order as an array."""
    result = np.empty(len(operands), object)
    result[:] = operands
    return result.reshape(shape)


def by_jax(equation: JaxprEqn, operands: Values) -> Values:
    """An equation on constants, computed by JAX itself."""
    results = equation.primitive.bind(*map(jnp.asarray, operands), **equation.params)
    return [_constant(x) for x in (results if equation.primitive.multiple_results else [results])]


def unless_constant(handler: Handler) -> Handler:
    """A handler for what JAX computes itself where all operands are constants."""

    def handle(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
        if any(is_traced(x) for x in operands):
            return list(handler(run, equation, operands))
        return by_jax(equation, operands)

    return handle


def _constant(value: Any) -> Value:
    """A constant as a NumPy array; a random key, which NumPy cannot hold, as JAX's."""
    return value if jnp.issubdtype(value.dtype, jax.dtypes.extended) else np.asarray(value)


def _settled(array: Value, dtype: np.dtype) -> Value:
    """An array without names in its own dtype."""
    if array.dtype != object or any(isinstance(x, str | ComplexOperand) for x in array.flat):
        return array
    return np.array(array.tolist(), dtype).reshape(array.shape)
