"""How much a program asks of the compiler, and from where on it asks too much.

LLVM takes time in proportion to what it has to translate, whatever the model: some 0.5 ms for an
operation of arithmetic, 15 ms for an elementary function, which is written out (measured on one
core). So programs are counted before they are compiled.
"""

from odeflow.engines.native.program.refusal import UntranslatableError

#: Most operations that are compiled: a minute or so.
MOST_OPERATIONS = 160_000


def check_size(cost: int) -> None:
    """Raises UntranslatableError where programs of this cost would compile for minutes."""
    if cost > MOST_OPERATIONS:
        why = (
            f"its step is some {cost:,} operations; more than {MOST_OPERATIONS:,} would compile "
            "for minutes"
        )
        raise UntranslatableError("a field of this length", why)
