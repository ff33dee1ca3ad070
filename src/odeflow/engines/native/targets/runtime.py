"""What writes each operation of a program for the vectors of a CPU."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from odeflow.engines.native.program.operations import OPERATIONS
from odeflow.engines.native.targets import primitives, vector_math
from odeflow.engines.native.targets.dense_elimination import lu_factor, lu_solve
from odeflow.engines.native.targets.ring_search import ring_search
from odeflow.engines.native.targets.sparse_elimination import sparse_factor, sparse_solve

_PLACES = (operator, primitives, vector_math)


def _written(name: str) -> Callable[..., Any]:
    """The function of this name, which takes values of lanes."""
    return next(getattr(place, name) for place in _PLACES if hasattr(place, name))


#: By operation, and the calls of programs of lanes.
LANE_CODE: Mapping[str, Callable[..., Any]] = {
    **{name: _written(operation.lanes) for name, operation in OPERATIONS.items()},
    "mask": primitives.mask,
    "ring_search": ring_search,
    "lu_factor": lu_factor,
    "lu_solve": lu_solve,
    "sparse_factor": sparse_factor,
    "sparse_solve": sparse_solve,
}
