"""How much a generated module asks of the compiler, and from where on it asks too much.

LLVM takes time in proportion to what it has to translate, whatever the model: some 0.5 ms for an
operation of arithmetic, 15 ms for an elementary function, which is written out (measured on one
core). So a module is counted before it is compiled.
"""

import re

from odeflow.engines.native.program.refusal import UntranslatableError

#: What one call of an elementary function is, in operations.
_CALL = 30
#: Most operations of a module that is compiled: a minute or so.
MOST_OPERATIONS = 160_000

_OPERATORS = re.compile(r"[-+*/<>&|]")
_CALLS = re.compile(
    r"\b(?:a?(?:sin|cos|tan)h?|atan2|exp2?|expm1|log(?:1p)?|pow|cbrt|erfc?|lgamma)\("
)


def operations(source: str) -> int:
    """The operations of a module's source; an elementary function is as many as `_CALL`."""
    return len(_OPERATORS.findall(source)) + _CALL * len(_CALLS.findall(source))


def check_size(source: str) -> None:
    """Raises UntranslatableError where a module would compile for minutes."""
    count = operations(source)
    if count > MOST_OPERATIONS:
        why = (
            f"its step is some {count:,} operations; more than {MOST_OPERATIONS:,} would compile "
            "for minutes"
        )
        raise UntranslatableError("a field of this length", why)
