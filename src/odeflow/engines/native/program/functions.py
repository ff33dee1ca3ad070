"""How a program's operations are written in the code of a lane: without branches."""

from collections.abc import Mapping

_BY_NAME = """
floor ceil trunc sqrt cbrt exp exp2 expm1 log log1p sin cos tan asin acos atan
sinh cosh tanh asinh acosh atanh erf erfc lgamma
"""

#: Overrides of `program.FUNCTIONS`.
LANE_FUNCTIONS: Mapping[str, str] = {
    "not": "~{0}",
    "select": "select({0}, {1}, {2})",
    "round_even": "rint({0})",
    "pow": "power({0}, {1})",
    "rem": "fmod({0}, {1})",
    "atan2": "atan2({0}, {1})",
} | {name: f"{name}({{0}})" for name in _BY_NAME.split()}
