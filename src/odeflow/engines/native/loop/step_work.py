"""How much a step is to compute, in multiplications: to compare methods with one another."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from odeflow.engines.native.program.lane_program import LaneProgram
from odeflow.engines.native.program.operations import OPERATIONS
from odeflow.engines.native.program.program import Program, Statement
from odeflow.engines.native.targets.loop_module import LoopModule

#: Of operations that are not as long as a multiplication; of a function it is what it costs to
#: compile.
_LENGTHS = {"div": 4, "sqrt": 5, "load": 0, "setting": 0}
#: Instructions that the processor keeps near it, roughly; it waits for those beyond.
_NEAR = 6000


def step_work(module: LoopModule) -> float:
    """The work of the function `step` of a module, for one lane."""
    program: Any = next(one for one in module.programs if one.name == "step")
    is_straight = isinstance(program, LaneProgram)
    while not isinstance(program, Program):
        program = program.program
    code = len(program.statements) * module.layout.ways if is_straight else 0
    return sum(map(_work, program.statements)) * max(code / _NEAR, 1.0)


def _work(statement: Statement) -> int:
    if statement.operation == "call":
        name, *data = statement.operands
        return _CALLS[name.name](*data)
    known = OPERATIONS.get(statement.operation)
    return _LENGTHS.get(statement.operation, known.cost if known else 1)


def _sparse_factor(order: Sequence[int], columns: Sequence[Sequence[int]]) -> int:
    """A quotient by each pivot above an entry of a row, and the products that reduce the row."""
    after = {i: len(row) - row.index(i) for i, row in zip(order, columns)}
    return sum(after[k] for i, row in zip(order, columns) for k in row[: row.index(i)])


#: By the names of loops over rows.
_CALLS: Mapping[str, Callable[..., int]] = {
    "lu_factor": lambda n: n**3 // 3,
    "lu_solve": lambda n: n**2,
    "sparse_factor": _sparse_factor,
    "sparse_solve": lambda order, columns: sum(map(len, columns)),
}
