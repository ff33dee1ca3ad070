"""Jacobians of vector fields as straight-line scalar programs, their zeros known."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from odeflow.engines.native.frontend.translate import translate_into
from odeflow.engines.native.program.builder import Builder
from odeflow.engines.native.program.program import Operand, Program, Statement
from odeflow.engines.native.program.refusal import Refused, UntranslatableError

#: A tangent as its entries by column: the columns of y, then that of t. Missing entries are zero.
Row = dict[int, Operand]

#: Operations that JAX's forward mode applies to tangents, all of them linear.
_LINEAR = frozenset({"add", "sub", "neg", "mul", "div", "select"})


class Jacobian(NamedTuple):
    """The derivatives of a vector field that are not zero whatever the inputs are.

    The outputs of `program` are those of df/dy at `entries` (row and column), row by row, those of
    df/dt at `slopes` (rows), then f where it is asked for.
    """

    program: Program
    entries: list[tuple[int, int]]
    slopes: list[int]


def translate_jacobian(
    function: Callable[..., Any],
    n_states: int,
    inputs: Sequence[str],
    dtype: Any = np.float64,
    with_value: bool = False,
    limit: int = 1_000_000,
) -> Jacobian:
    """The derivatives of a vector field `function(t, *y, *args)` of scalars.

    `inputs` names t, then the n states, then the parameters; the function returns n scalars, which
    are outputs too if `with_value`.

    The derivatives are those of JAX's forward mode, so a user's custom rule is kept. It is
    traced once, with one symbolic tangent per input. What it does to tangents is then done to rows
    of Jacobian entries, so the cost is in proportion to the entries that are not zero.

    Raises UntranslatableError as `translate` does, and where a custom rule is not linear, or is
    for reverse mode only, or where more than `limit` statements are needed.
    """
    names = list(inputs)
    tangents = [f"tangent_of_{name}" for name in names[: n_states + 1]]
    builder = Builder([*names, *tangents], dtype, limit)

    def differentiated(*values: Any) -> tuple[Any, Any]:
        points, directions = values[: len(names)], values[len(names) :]
        args = points[n_states + 1 :]

        def field(*point: Any) -> tuple[Any, ...]:
            leaves = [jnp.asarray(x).ravel() for x in jax.tree.leaves(function(*point, *args))]
            return tuple(x.astype(dtype) for x in leaves)

        return jax.jvp(field, points[: n_states + 1], directions)

    try:
        outputs = translate_into(builder, differentiated, [*names, *tangents])
    except UntranslatableError as error:
        if error.primitive == "custom_lin":  # what JAX leaves of jax.custom_vjp in forward mode
            why = "it has a derivative for reverse mode only (jax.custom_vjp); use jax.custom_jvp"
            raise UntranslatableError("custom_vjp_call", why, error.where) from None
        raise
    values, directions = outputs[:n_states], outputs[n_states:]
    if len(directions) != n_states:
        raise ValueError(f"the function has {len(values)} outputs for {n_states} states")
    columns = {tangents[0]: n_states} | {name: j for j, name in enumerate(tangents[1:])}
    rows: dict[str, Row] = {name: {column: 1.0} for name, column in columns.items()}
    try:
        for statement in builder.program(directions).statements:
            if any(name in rows for name in statement.reads()):
                rows[statement.name] = _row(builder, statement, rows)
    except Refused as refusal:
        raise UntranslatableError("jvp", str(refusal)) from None
    lines = [rows[x] if isinstance(x, str) else {} for x in directions]
    entries = [(i, j) for i, line in enumerate(lines) for j in sorted(line) if j < n_states]
    slopes = [i for i, line in enumerate(lines) if n_states in line]
    found = [lines[i][j] for i, j in entries] + [lines[i][n_states] for i in slopes]
    program = builder.program([*found, *(values if with_value else [])], names)
    return Jacobian(program, entries, slopes)


def _row(builder: Builder, statement: Statement, rows: dict[str, Row]) -> Row:
    """A statement on tangents done to each column of their rows."""
    is_row = [isinstance(x, str) and x in rows for x in statement.operands]
    condition_or_factor = {"select": is_row[0], "mul": all(is_row), "div": is_row[-1]}
    if statement.operation not in _LINEAR or condition_or_factor.get(statement.operation, False):
        raise Refused("a custom derivative rule is not linear in the tangents")
    operands = [rows[str(x)] if row else None for x, row in zip(statement.operands, is_row)]
    columns = sorted({column for row in operands if row is not None for column in row})
    result: Row = {}
    if statement.operation == "add" and all(is_row):
        one, other = (rows[str(x)] for x in statement.operands)
        result, columns = {**one, **other}, sorted(one.keys() & other.keys())
    for column in columns:
        entry = builder.apply(
            statement.operation,
            *(
                x if row is None else row.get(column, 0.0)
                for x, row in zip(statement.operands, operands)
            ),
        )
        if entry != 0:
            result[column] = entry
        else:
            result.pop(column, None)
    return result
