"""One step of a Rosenbrock method as straight-line source, its linear algebra sparse."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from odeflow.engines.native.frontend.names import component_labels
from odeflow.engines.native.methods.controller import total
from odeflow.engines.native.methods.dense_lu import DenseLU
from odeflow.engines.native.methods.differentiated_field import (
    DifferentiatedField,
    differentiated_field,
)
from odeflow.engines.native.methods.linearised_lines import Ends, contradiction_lines
from odeflow.engines.native.methods.looped_lu import LoopedLU
from odeflow.engines.native.methods.sparse_lu import Entry, SparseLU, plan
from odeflow.engines.native.methods.stepper import StepSource
from odeflow.engines.native.program.refusal import UntranslatableError
from odeflow.engines.shared.jacobian_entries import largest_entry
from odeflow.problem.methods import Method
from odeflow.problem.methods.rosenbrock_tableau import RosenbrockTableau
from odeflow.problem.model import Model

LinearAlgebra = SparseLU | LoopedLU | DenseLU

#: Most operations of a step's linear algebra that are written out: the sparse Jacobian of some 80
#: species. `LoopedLU` then takes half the time to compile (100 species: 19 s for 40 s) and is from
#: a quarter (65 species) to a tenth (100) slower.
_MOST_WRITTEN = 60_000
#: Most operations that the tables of `LoopedLU` are for: a full Jacobian of some 60 states.
_MOST_OPERATIONS = 250_000
#: Largest state for the loops of `DenseLU`: the entries of the Jacobian are written out all the
#: same.
_LARGEST_DENSE = 128


def rosenbrock(model: Model, method: Method, dtype: Any = np.float64) -> StepSource:
    """One step of a Rosenbrock method.

    Raises UntranslatableError from the field, and where its linear algebra is too long to be
    written out.
    """
    assert method.tableau is not None
    tableau = method.tableau
    field = differentiated_field(model, dtype)
    lu = _linear_algebra(method.diffrax_name, field, tableau.stages)
    labels = component_labels(model)
    return rosenbrock_source(tableau, labels, field, lu, dtype)


def _linear_algebra(method: str, field: DifferentiatedField, stages: int) -> LinearAlgebra:
    size = len(field.related.independent)
    sparse = plan(size, field.reduced_jacobian)
    operations = sparse.factor_operations + stages * sparse.solve_operations
    if operations <= _MOST_OPERATIONS:
        return sparse if operations <= _MOST_WRITTEN else LoopedLU(sparse)
    if size <= _LARGEST_DENSE:
        return DenseLU(size)
    why = (
        f"the factors of its {size} x {size} Jacobian have {len(sparse.entries):,} entries, too "
        f"many to write out; as full matrices they are factored up to {_LARGEST_DENSE} states"
    )
    raise UntranslatableError(method, why)


def rosenbrock_source(
    tableau: RosenbrockTableau,
    components: Sequence[str],
    field: DifferentiatedField,
    lu: LinearAlgebra,
    dtype: Any = np.float64,
) -> StepSource:
    """One step of the method for a field, for the lane loop.

    The matrix I / (gamma h) - J is factored once, as `lu` plans it for the pattern of the Jacobian
    with its diagonal. Where derivatives of a component are not finite, as that of a root is at 0,
    or above `largest`, that component's row of J is taken for zero: the step is then explicit in it
    and of order 1, which the error estimate sees. A step that ends where the field is not defined
    is rejected; where the field contradicts the linear model, its error is not damped
    (`engines.shared.linearised`). Where a pivot vanishes the stages are not finite, so the error
    estimate is not; the candidate is then the old state, unless it was the field that was not
    finite. Where a pivot all but vanishes, the error estimate has the same rounding errors as the
    stages.

    Reference: Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed., section
    IV.7; for the unrolled sparse elimination, Sandu and Sander, Atmos. Chem. Phys. 6 (2006).
    """
    y, related = [f"y_{name}" for name in components], field.related
    largest = largest_entry(dtype)
    solved = dict(enumerate(related.independent))  # components by their place in the linear systems
    changes = lambda terms: {i: _sum("", _products(terms, k)) for k, i in solved.items()}
    wild = [k for k, i in solved.items() if i in field.unbounded]
    made_finite, jacobian = _finite_rows(field.reduced_jacobian, wild, largest)
    lines = [
        *field.start_lines,
        *made_finite,
        "inverse_h = 1.0/h",
        f"shift = {1 / tableau.gamma!r}*inverse_h",
        *lu.factor_lines(_matrix(len(solved), jacobian), "m"),
    ]
    for i, x in field.time_derivative.items():
        x = f"select(abs({x}) < {largest!r}, {x}, 0.0)" if i in field.unbounded else x
        lines.append(f"slope{i} = h*({x})")
    arguments: list[list[str]] = []
    values: list[Sequence[str]] = []
    for stage, (base, terms) in enumerate(tableau.increments[:-1]):
        start = y if base is None else arguments[base]
        argument = [f"u{stage}_{i}" for i in range(len(y))] if terms else start
        if terms:
            lines += related.advance(
                start, changes(terms), argument.__getitem__, f"change{stage}_{{}}".format
            )
        arguments.append(argument)
        shared = tableau.evaluations[stage]
        if shared == 0:
            value = field.value
        elif shared == stage:
            time = _time(tableau.alpha[stage], f"time{stage}") if field.uses_time else ["t"]
            lines += time[1:]
            evaluation, value = field.evaluate(f"f{stage}_", time[0], argument)
            lines += evaluation
        else:
            value = values[shared]
        values.append(value)
        right = [
            _right(tableau, stage, k, value[i], f"slope{i}" if i in field.time_derivative else "")
            for k, i in solved.items()
        ]
        if stage == 0:
            lines += [f"r{k} = {x}" for k, x in enumerate(right)]
            right = [f"r{k}" for k in solved]
        lines += lu.solve_lines(right, "m", f"k{stage}_")
    base, terms = tableau.increments[-1]
    start = y if base is None else arguments[base]
    lines += related.advance(start, changes(terms), "z{}".format, "change_{}".format)
    # Zero where the field was not finite, else finite if the linear system could be solved.
    lines += [
        f"solved = {total([f'k0_{k}' for k in solved])}",
        f"given = {total([f'r{k}' for k in solved])}",
        "solved = select(isfinite(given), solved, 0.0)",
        "solvable = isfinite(solved)",
    ]
    candidate = [f"select(solvable, z{i}, {y[i]})" for i in range(len(y))]
    error = related.complete(changes(dict(enumerate(tableau.error))))
    end = [f"z{i}" for i in range(len(y))]
    ends = Ends(y, arguments[-1], end, field.value, values[-1])
    for i in sorted(field.unbounded):
        row = _usable_row(field, i, solved)
        lines += contradiction_lines(i, ends, row, i in field.time_derivative, dtype)
        lines.append(f"damped{i} = {error[i]}")
        error[i] = f"select(contradiction{i} > abs(damped{i}), contradiction{i}, damped{i})"
    domain, defined = field.defined("d_", "t_next", [f"z{i}" for i in range(len(y))])
    if defined is not None:
        lines += [*domain, f"defined = {defined}"]
        error = [f"select(defined, {error[0]}, INFINITY)", *error[1:]]
    return StepSource(
        error_order=tableau.embedded_order + 1,
        lines=lines,
        candidate=candidate,
        error=error,
        polynomial=related.polynomials(
            [_polynomial(tableau, name) for name in components],
            components,
            [f"q{r}" for r in range(len(tableau.dense))],
        ),
        dense={
            f"q{r}_{components[i]}": change
            for r, row in enumerate(tableau.dense)
            for i, change in changes(dict(enumerate(row))).items()
        },
        blocks=lu.blocks,
        constants=lu.constants,
    )


def _finite_rows(
    jacobian: Mapping[Entry, str], rows: Sequence[int], largest: float
) -> tuple[list[str], dict[Entry, str]]:
    """The statements and entries of a Jacobian of which those rows are zero where not usable."""
    lines, entries = [], dict(jacobian)
    for k in rows:
        names = {j: f"e{k}_{j}" for i, j in jacobian if i == k}
        if not names:
            continue
        lines += [f"{name} = {jacobian[k, j]}" for j, name in names.items()]
        sizes = total([f"abs({name})" for name in names.values()])
        lines.append(f"usable{k} = ({sizes}) < {largest!r}")
        entries |= {(k, j): f"select(usable{k}, {name}, 0.0)" for j, name in names.items()}
    return lines, entries


def _usable_row(field: DifferentiatedField, i: int, solved: Mapping[int, int]) -> dict[int, str]:
    """The entries of component i's row of the Jacobian, as `_finite_rows` leaves them."""
    source, _ = field.related.factors.get(i, (i, 1.0))
    k = next(k for k, independent in solved.items() if independent == source)
    wild = source in field.unbounded and any(row == k for row, _ in field.reduced_jacobian)
    entries = {j: x for (row, j), x in field.jacobian.items() if row == i}
    return {j: f"select(usable{k}, {x}, 0.0)" if wild else x for j, x in entries.items()}


def _matrix(size: int, jacobian: Mapping[Entry, str]) -> dict[Entry, str]:
    """The entries of shift I - J."""
    matrix = {(i, j): f"-({x})" for (i, j), x in jacobian.items()}
    for i in range(size):
        matrix[i, i] = f"shift - ({jacobian[i, i]})" if (i, i) in jacobian else "shift"
    return matrix


def _time(alpha: float, name: str) -> list[str]:
    """The name of the time of a stage, then the statements that define it."""
    if alpha == 0:
        return ["t"]
    if alpha == 1:
        return ["t_next"]
    return [name, f"{name} = t + {alpha!r}*h"]


def _right(tableau: RosenbrockTableau, stage: int, k: int, value: str, slope: str) -> str:
    """Place k of the right-hand side of a stage; `slope` is "" where the field has none."""
    terms = [value]
    if coupling := _products(dict(enumerate(tableau.c[stage])), k):
        terms.append(f"inverse_h*({_sum('', coupling)})")
    if slope and tableau.gammas[stage]:
        terms.append(f"({tableau.gammas[stage]!r})*{slope}")
    return " + ".join(terms)


def _products(coefficients: Mapping[int, float], i: int) -> list[str]:
    """The terms coefficient * k of component i, over coefficients that are not zero."""
    return [
        f"k{j}_{i}" if x == 1 else f"({x!r})*k{j}_{i}" for j, x in coefficients.items() if x != 0
    ]


def _sum(start: str, terms: Sequence[str]) -> str:
    return " + ".join([start, *terms] if start else terms)


def _polynomial(tableau: RosenbrockTableau, name: str) -> list[str]:
    """Coefficients of the state inside of the step, see `RosenbrockTableau`.

    They are those of y + theta (y1 - y) + theta (1 - theta) (q0 + theta q1 + ...).
    """
    qs = [f"q{r}_{name}" for r in range(len(tableau.dense))]
    inner = [f"{q} - {before}" for before, q in zip(qs, qs[1:])]
    return [f"y_{name}", f"(y1_{name} - y_{name}) + {qs[0]}", *inner, f"-{qs[-1]}"]
