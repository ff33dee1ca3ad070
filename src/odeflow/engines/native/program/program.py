"""Straight-line scalar programs and their Python source."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

#: A name, or a constant known when the program is generated.
Operand = str | float | bool | int

#: Source text of every operation that a program may hold, operands by position. A generator for
#: another target overrides entries. There are no numbers in it, so that the `literal` hook of
#: `Program.lines` decides on the precision of all of them. The text runs in Numba with
#: `error_model="numpy"` under a namespace with `math` and `np`.
FUNCTIONS: Mapping[str, str] = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "neg": "-{0}",
    "lt": "{0} < {1}",
    "le": "{0} <= {1}",
    "eq": "{0} == {1}",
    "ne": "{0} != {1}",
    "and": "{0} & {1}",
    "or": "{0} | {1}",
    "xor": "{0} != {1}",
    "not": "not {0}",
    "select": "({1} if {0} else {2})",
    "abs": "abs({0})",
    "floor": "np.floor({0})",
    "ceil": "np.ceil({0})",
    "trunc": "np.trunc({0})",
    "round_even": "np.rint({0})",
    "rem": "np.fmod({0}, {1})",
    "sqrt": "math.sqrt({0})",
    "cbrt": "np.cbrt({0})",
    "exp": "math.exp({0})",
    "exp2": "math.exp2({0})",
    "expm1": "math.expm1({0})",
    "log": "math.log({0})",
    "log1p": "math.log1p({0})",
    "pow": "math.pow({0}, {1})",
    "sin": "math.sin({0})",
    "cos": "math.cos({0})",
    "tan": "math.tan({0})",
    "asin": "math.asin({0})",
    "acos": "math.acos({0})",
    "atan": "math.atan({0})",
    "atan2": "math.atan2({0}, {1})",
    "sinh": "math.sinh({0})",
    "cosh": "math.cosh({0})",
    "tanh": "math.tanh({0})",
    "asinh": "math.asinh({0})",
    "acosh": "math.acosh({0})",
    "atanh": "math.atanh({0})",
    "erf": "math.erf({0})",
    "erfc": "math.erfc({0})",
    "lgamma": "math.lgamma({0})",
}


@dataclass(frozen=True)
class Statement:
    """`name = operation(*operands)`."""

    name: str
    operation: str
    operands: tuple[Operand, ...]

    def reads(self) -> Iterator[str]:
        """The names among the operands."""
        return (operand for operand in self.operands if isinstance(operand, str))


@dataclass(frozen=True)
class Program:
    """Statements in order, each of which reads inputs and earlier statements only."""

    inputs: tuple[str, ...]
    statements: tuple[Statement, ...]
    outputs: tuple[Operand, ...]

    def lines(
        self,
        rename: Mapping[str, Operand] | None = None,
        prefix: str = "",
        functions: Mapping[str, str] | None = None,
        literal: Callable[[Operand], str] | None = None,
    ) -> tuple[list[str], list[str]]:
        """Python source: one line a statement, and the expressions of the outputs.

        Inputs are renamed by `rename` to other names or to constants; all other names get the
        prefix. `functions` overrides entries of `FUNCTIONS`, `literal` writes constants
        (`literal_text` unless given).
        """
        templates = {**FUNCTIONS, **(functions or {})}
        write = literal or literal_text
        names: dict[str, Operand] = {name: name for name in self.inputs}
        names.update(rename or {})
        names.update({s.name: prefix + s.name for s in self.statements})

        def text(operand: Operand) -> str:
            value = names[operand] if isinstance(operand, str) else operand
            return value if isinstance(value, str) else write(value)

        source = [
            f"{names[s.name]} = {templates[s.operation].format(*map(text, s.operands))}"
            for s in self.statements
        ]
        return source, [text(output) for output in self.outputs]


def literal_text(value: Operand) -> str:
    """Python source of a constant, to the last bit."""
    if isinstance(value, float) and not math.isfinite(value):
        return "math.nan" if math.isnan(value) else "math.inf" if value > 0 else "-math.inf"
    return repr(value)
