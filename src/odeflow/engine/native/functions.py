"""How a program's operations are written in a lane loop: without branches, in vectors."""

from collections.abc import Mapping

#: Functions of `vector_math`, by the operation's name: they compute in float64.
_VECTOR_MATH = {
    "cbrt": "cbrt",
    "exp": "exp",
    "exp2": "exp2",
    "expm1": "expm1",
    "log": "log",
    "log1p": "log1p",
    "pow": "power",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "atan": "atan",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
}

#: Overrides of `program.FUNCTIONS`.
LANE_FUNCTIONS: Mapping[str, str] = {
    "select": "select({0}, {1}, {2})",
    "floor": "floor({0})",
    "ceil": "ceil({0})",
    "trunc": "trunc({0})",
    "round_even": "rint({0})",
    "sqrt": "sqrt({0})",
    **{
        operation: f"{name}({{0}}, {{1}})" if operation == "pow" else f"{name}({{0}})"
        for operation, name in _VECTOR_MATH.items()
    },
}

#: Names of functions whose result is a float64 whatever they are given.
IN_DOUBLE = frozenset(_VECTOR_MATH.values())
