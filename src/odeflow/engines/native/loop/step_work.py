"""How much a step is to compute, in multiplications: to compare methods with one another."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from odeflow.engines.native.program.operations import OPERATIONS
from odeflow.engines.native.program.program import Program, Statement
from odeflow.engines.native.targets.loop_module import LoopModule

#: Of operations that are not as long as a multiplication: additions are part of one often enough,
#: of divisions several are under way. Of other functions it is what they cost to compile.
_LENGTHS = {
    "add": 0.5, "sub": 0.5, "sqrt": 3, "rough_log": 15, "rough_exp": 15, "load": 0, "setting": 0
}  # fmt: skip
#: Instructions that the processor keeps near it, and how much longer it takes for each beyond.
_NEAR, _FAR = 4000, 0.3
#: How much longer a loop takes over rows in memory.
_IN_MEMORY = 3


def step_work(module: LoopModule) -> float:
    """The work of the function `step` of a module, for one lane.

    Fitted to processor times of four methods on 14 problems, `python -m benchmarks.method_choice`:
    ratios of near methods within 10%, typically.
    """
    program: Any = next(one for one in module.programs if one.name == "step")
    while not isinstance(program, Program):
        program = program.program
    beyond = max(len(program.statements) - _NEAR / module.layout.ways, 0.0)
    return sum(map(_work, program.statements)) + _FAR * beyond


def _work(statement: Statement) -> float:
    if statement.operation == "call":
        name, *data = statement.operands
        return _IN_MEMORY * _CALLS[name.name](*data)
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
