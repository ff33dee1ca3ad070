"""What a config says of algebraic equations and of the mass matrix, checked."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from odeflow.config.states import StateConfig
from odeflow.problem.declaration import Declaration
from odeflow.problem.mass_matrix import rows_of

#: A mass matrix as it is written: all rows, or by state those that are not the identity's.
MassRows = list[list[float]] | Mapping[str, Mapping[str, float]]


def sizes_of(states: Mapping[str, StateConfig]) -> dict[str, int]:
    """How many components each state has."""
    return {name: math.prod(state.shape) for name, state in states.items()}


def check_algebraic(
    states: Mapping[str, int],
    algebraic: Sequence[str],
    matrix: MassRows | None,
    free: Sequence[str] | None,
) -> None:
    """Raises ValueError for the first mistake; `states` are the numbers of their components."""
    for key, names in (("algebraic", algebraic), ("free", free or ())):
        for name in names:
            if name not in states:
                raise ValueError(f"{key}: {name!r} is not a state; known: {', '.join(states)}")
    if not algebraic and matrix is None:
        if free is not None:
            raise ValueError("free: there are no algebraic equations; name some in algebraic")
        return
    full = mass_matrix(states, matrix)
    components = [name for name, size in states.items() for _ in range(size)]
    if full is None:
        full = np.eye(len(components))
    for name, row in zip(components, full):
        if matrix is not None and name in algebraic and row.any() and _is_given(matrix, name):
            raise ValueError(
                f"mass_matrix: {name} is algebraic, so its row is zero; take one of them out"
            )
    zero = np.isin(components, list(algebraic))[:, None]
    rows = rows_of(np.where(zero, 0.0, full))
    if not rows.differential:
        raise ValueError("algebraic: all equations are; at least one state needs a derivative")
    size = sum(states[name] for name in free or ())
    number = len(rows.constraints)
    if free is not None and size != number:
        raise ValueError(
            f"free: {size} component(s) for {number} algebraic equation(s); as many as these are "
            "found at t0"
        )


def without_derivative(declared: Declaration) -> list[str]:
    """States whose rows of the vector field are not just their derivatives."""
    rows = rows_of(declared.full_mass_matrix)
    if not rows.constraints:
        return []
    coupled = {i for i, _ in rows.coupling}
    sizes = [state.initial.size for state in declared.states.values()]
    names = np.repeat(list(declared.states), sizes)
    found = [x for i, x in enumerate(names) if i in coupled or i not in rows.differential]
    return [str(name) for name in dict.fromkeys(found)]


def _is_given(matrix: MassRows, name: str) -> bool:
    return not isinstance(matrix, Mapping) or name in matrix


def mass_matrix(
    states: Mapping[str, int], given: MassRows | None
) -> Float[np.ndarray, "n n"] | None:
    """The matrix over all components; raises ValueError where it does not fit the states."""
    if given is None:
        return None
    size = sum(states.values())
    if not isinstance(given, Mapping):
        widths = {len(row) for row in given}
        if len(given) != size or widths != {size}:
            found = f"{len(given)} x {', '.join(map(str, sorted(widths)))}"
            raise ValueError(
                f"mass_matrix: {found} numbers for {size} components of the state; {size} rows of "
                f"{size} are needed"
            )
        return np.array(given, float)
    names = list(states)
    arrays = [name for name, number in states.items() if number != 1]
    if arrays:
        raise ValueError(f"mass_matrix: {arrays[0]} is an array; give all rows, as a list of lists")
    matrix = np.eye(size)
    for name, row in given.items():
        for known in (name, *row):
            if known not in states:
                raise ValueError(
                    f"mass_matrix: {known!r} is not a state; known: {', '.join(names)}"
                )
        matrix[names.index(name)] = [row.get(column, 0.0) for column in names]
    return matrix
