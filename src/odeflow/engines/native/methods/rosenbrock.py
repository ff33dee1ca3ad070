"""One step of a Rosenbrock method as a program, its linear algebra sparse."""

import math
from collections.abc import Mapping, Sequence
from math import comb
from typing import Any

import numpy as np

from odeflow.engines.native.methods.contradictions import Ends, contradiction
from odeflow.engines.native.methods.dense_lu import DenseLU
from odeflow.engines.native.methods.differentiated_field import (
    DifferentiatedField,
    Point,
    differentiated_field,
)
from odeflow.engines.native.methods.looped_lu import LoopedLU
from odeflow.engines.native.methods.sparse_lu import Entry, SparseLU, plan
from odeflow.engines.native.methods.stepper import Inside, Start, Stepped, Stepper
from odeflow.engines.native.program.proportions import Proportions
from odeflow.engines.native.program.refusal import UntranslatableError
from odeflow.engines.native.program.value import Value, isfinite, select, total, weighted_sum
from odeflow.engines.shared.jacobian_entries import largest_entry
from odeflow.problem.mass_matrix import MassMatrix
from odeflow.problem.methods import Method
from odeflow.problem.methods.rosenbrock_tableau import RosenbrockTableau
from odeflow.problem.model import Model

LinearAlgebra = SparseLU | LoopedLU | DenseLU

#: Most operations of a step whose linear algebra is written out, and what those of a component are
#: besides.
_MOST_WRITTEN = 12_000
_MOST_WITHOUT_TABLES = 75_000
_OTHERS = 200
#: Operations of a factorisation by size**3, from which on `DenseLU` is faster than the tables of
#: `LoopedLU`; those of a full matrix are two thirds.
_FULL = 0.3
#: Most operations of a factorisation that the tables of `LoopedLU` are for.
_MOST_OPERATIONS = 4_000_000
#: Largest state for `DenseLU`: a lane's matrix has half a megabyte, and its entries are statements.
_LARGEST_DENSE = 256


def rosenbrock(
    model: Model, method: Method, dtype: Any = np.float64, tables: bool = True
) -> Stepper:
    """A Rosenbrock method; `tables` is whether loops over tables are there to be used.

    Raises UntranslatableError from the field, and where its linear algebra is too long to be
    written out.
    """
    assert method.tableau is not None
    field = differentiated_field(model, dtype)
    mass = _Mass(model.algebraic and model.algebraic.matrix, field.related.independent)
    written = _MOST_WRITTEN if tables else _MOST_WITHOUT_TABLES
    lu = _linear_algebra(method.diffrax_name, field, method.tableau.stages, mass, written)
    return rosenbrock_stepper(method.tableau, field, lu, dtype, mass)


class _Mass:
    """The mass matrix of the independent components by their places, that of an ODE for None."""

    def __init__(self, matrix: MassMatrix | None, independent: Sequence[int]):
        place = {i: number for number, i in enumerate(independent)}
        given, coupling = (matrix.algebraic, matrix.coupling) if matrix else ((), {})
        self.algebraic = tuple(place[i] for i in given)
        self.coupling = {(place[i], place[j]): x for (i, j), x in coupling.items()}
        diagonal = {(i, i): 1.0 for i in range(len(place)) if i not in self.algebraic}
        self.entries: dict[Entry, float] = diagonal | self.coupling
        #: The entries of each row by column, the diagonal first.
        self.rows: list[dict[int, float]] = [{} for _ in place]
        for (i, j), x in self.entries.items():
            self.rows[i][j] = x


def _linear_algebra(
    method: str, field: DifferentiatedField, stages: int, mass: _Mass, written: int
) -> LinearAlgebra:
    size = len(field.related.independent)
    sparse = plan(size, field.reduced_entries | mass.coupling.keys(), mass.algebraic)
    operations = sparse.factor_operations + stages * sparse.solve_operations
    if operations + _OTHERS * size <= written:
        return sparse
    is_full = sparse.factor_operations > _FULL * size**3
    if not is_full and sparse.factor_operations <= _MOST_OPERATIONS:
        return LoopedLU(sparse)
    if size <= _LARGEST_DENSE and not mass.algebraic:
        return DenseLU(size)
    why = (
        f"the factors of its {size} x {size} Jacobian have {len(sparse.entries):,} entries, too "
        f"many to write out; as full matrices they are factored up to {_LARGEST_DENSE} states"
    )
    raise UntranslatableError(method, why)


def rosenbrock_stepper(
    tableau: RosenbrockTableau,
    field: DifferentiatedField,
    lu: LinearAlgebra,
    dtype: Any = np.float64,
    mass: _Mass | None = None,
) -> Stepper:
    """The method for a field.

    The matrix M / (gamma h) - J, M the identity where none is given, is factored once, as `lu`
    plans it for the pattern of the Jacobian with M. Where derivatives of a component are not
    finite, as that of a root is at 0, or above `largest`, that component's row of J is taken for
    zero: the step is then explicit in it and of order 1, which the error estimate sees. A step that
    ends where the field is not defined is rejected; where the field contradicts the linear model,
    its error is not damped (`engines.shared.linearised`). Where a pivot vanishes the stages are not
    finite, so the error estimate is not; the candidate is then the old state, unless it was the
    field that was not finite. Where a pivot all but vanishes, the error estimate has the same
    rounding errors as the stages.

    Reference: Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed., section
    IV.7; for the unrolled sparse elimination, Sandu and Sander, Atmos. Chem. Phys. 6 (2006).
    """
    return Stepper(
        error_order=tableau.embedded_order + 1,
        step=_Step(tableau, field, lu, dtype, mass),
        polynomial=lambda inside: _polynomials(tableau, field.related, inside),
        controls=lambda inside: _controls(tableau, field.related, inside),
        dense=[f"q{r}_{i}" for r in range(len(tableau.dense)) for i in field.related.independent],
        row_groups=lu.row_groups,
        loops_over_tables=isinstance(lu, LoopedLU),
    )


class _Step:
    """A step of the method; its parts in the order in which they are computed."""

    def __init__(
        self,
        tableau: RosenbrockTableau,
        field: DifferentiatedField,
        lu: LinearAlgebra,
        dtype: Any,
        mass: _Mass | None,
    ):
        self._mass = mass or _Mass(None, field.related.independent)
        self._tableau, self._field, self._lu, self._dtype = tableau, field, lu, dtype
        self._related = field.related
        self._solved = field.related.independent  # components by their place in linear systems
        self._place = {i: place for place, i in enumerate(self._solved)}
        self._largest = largest_entry(dtype)

    def __call__(self, start: Start) -> Stepped:
        """One step."""
        tableau, field, related = self._tableau, self._field, self._related
        h, y, here = start.h, start.y, Point(start.t, start.y, start.parameters(start.t))
        derivatives = field.differentiate(here)
        jacobian, usable = self._finite_rows(derivatives.jacobian)
        inverse_h = 1.0 / h
        shift = (1 / tableau.gamma) * inverse_h
        factors = self._lu.factor(_matrix(self._mass, jacobian, shift))
        slopes = {i: h * self._bounded(i, x) for i, x in derivatives.time_derivative.items()}
        stages: list[list[Value]] = []
        changes = lambda weights: {
            i: weighted_sum(weights, [k[place] for k in stages])
            for place, i in enumerate(self._solved)
        }
        arguments: list[Sequence[Value]] = []
        values: list[Sequence[Value]] = []
        given: list[Value] = []
        for stage, (base, terms) in enumerate(tableau.increments[:-1]):
            from_y = y if base is None else arguments[base]
            arguments.append(related.advance(from_y, changes(_row(terms))) if terms else from_y)
            shared = tableau.evaluations[stage]
            if shared == 0:
                values.append(derivatives.value)
            elif shared == stage:
                time = _time(start, tableau.alpha[stage]) if field.uses_time else start.t
                values.append(field.evaluate(Point(time, arguments[stage], start.parameters(time))))
            else:
                values.append(values[shared])
            coupling = tableau.c[stage]
            right = []
            for place, i in enumerate(self._solved):
                value = values[stage][i]
                if any(x != 0 for x in coupling):
                    for column, factor in self._mass.rows[place].items():
                        past = weighted_sum(coupling, [k[column] for k in stages])
                        past = past if factor == 1 else factor * past
                        value = value + inverse_h * past
                if i in slopes and tableau.gammas[stage]:
                    value = value + tableau.gammas[stage] * slopes[i]
                right.append(value)
            given = given or right
            stages.append(self._lu.solve(factors, right))
        base, terms = tableau.increments[-1]
        end = related.advance(y if base is None else arguments[base], changes(_row(terms)))
        # Zero where the field was not finite, else finite if the linear system could be solved.
        solvable = isfinite(select(isfinite(total(given)), total(stages[0]), 0.0))
        error = related.complete(changes(tableau.error))
        ends = Ends(y, arguments[-1], end, derivatives.value, values[-1])
        rows = _by_row(derivatives.jacobian)
        for i in sorted(field.unbounded):
            row = self._usable_row(i, rows.get(i, {}), usable)
            opposed = contradiction(i, ends, row, slopes.get(i), h, self._dtype)
            error[i] = select(opposed > abs(error[i]), opposed, error[i])
        at_end = Point(start.t_next, end, start.parameters(start.t_next))
        defined = field.defined(at_end)
        if defined is not None:
            error = [select(defined, error[0], math.inf), *error[1:]]
        dense = {
            f"q{r}_{i}": change
            for r, row in enumerate(tableau.dense)
            for i, change in changes(row).items()
        }
        candidate = [select(solvable, z, x) for z, x in zip(end, y)]

        def controls() -> list[list[Value]]:
            columns = []
            for part, weights in _control_weights(len(tableau.dense)):
                inner = np.zeros(max(map(len, tableau.dense)))
                for weight, row in zip(weights, tableau.dense):
                    inner[: len(row)] += weight * np.array(row)
                bends = related.complete(changes(inner))
                ends = zip(y, candidate, bends)
                columns.append([a + (part * (b - a) + bend) for a, b, bend in ends])
            return [list(row) for row in zip(*columns)]

        return Stepped(candidate, error, {}, dense, controls=controls)

    def _bounded(self, i: int, slope: Value) -> Value:
        """The derivative by time, zero where it is not usable."""
        if i not in self._field.unbounded:
            return slope
        return select(abs(slope) < self._largest, slope, 0.0)

    def _finite_rows(
        self, full: Mapping[Entry, Value]
    ) -> tuple[dict[Entry, Value], dict[int, Value]]:
        """The Jacobian of the independents, and by row where it is usable; zero where it is not."""
        reduced = {
            entry: weighted_sum(factors, values)
            for entry, terms in self._field.reduced(full).items()
            for factors, values in [zip(*terms)]
        }
        usable: dict[int, Value] = {}
        rows = _by_row(reduced)
        for place, i in enumerate(self._solved):
            row = [(place, j) for j in rows.get(place, {})]
            if i in self._field.unbounded and row:
                usable[place] = total([abs(reduced[entry]) for entry in row]) < self._largest
                reduced |= {e: select(usable[place], reduced[e], 0.0) for e in row}
        return reduced, usable

    def _usable_row(
        self, i: int, row: Mapping[int, Value], usable: Mapping[int, Value]
    ) -> Mapping[int, Value]:
        """The entries of component i's row of the Jacobian, as `_finite_rows` leaves them."""
        source, _ = self._related.factors.get(i, (i, 1.0))
        place = self._place[source]
        if place not in usable:
            return row
        return {j: select(usable[place], x, 0.0) for j, x in row.items()}


def _by_row(entries: Mapping[Entry, Value]) -> dict[int, dict[int, Value]]:
    """The entries of each row by column."""
    rows: dict[int, dict[int, Value]] = {}
    for (i, j), x in entries.items():
        rows.setdefault(i, {})[j] = x
    return rows


def _matrix(mass: _Mass, jacobian: Mapping[Entry, Value], shift: Value) -> dict[Entry, Value]:
    """The entries of shift M - J."""
    matrix = {entry: -x for entry, x in jacobian.items()}
    for entry, factor in mass.entries.items():
        shifted = shift if factor == 1 else factor * shift
        matrix[entry] = shifted - jacobian[entry] if entry in jacobian else shifted
    return matrix


def _time(start: Start, alpha: float) -> Value:
    """The time of a stage."""
    if alpha == 0:
        return start.t
    return start.t_next if alpha == 1 else start.t + alpha * start.h


def _row(coefficients: Mapping[int, float]) -> list[float]:
    """Coefficients by stage, with zeros where there is none."""
    return [coefficients.get(j, 0.0) for j in range(max(coefficients) + 1)]


def _polynomials(
    tableau: RosenbrockTableau, related: Proportions, inside: Inside
) -> list[list[Value]]:
    """Coefficients of the state inside of the step, see `RosenbrockTableau`.

    They are those of y + theta (y1 - y) + theta (1 - theta) (q0 + theta q1 + ...).
    """
    result, names = [], [f"q{r}" for r in range(len(tableau.dense))]
    for i, (y, y1) in enumerate(zip(inside.y, inside.y1)):
        qs = list(related.rows(i, names, inside.dense).values())
        inner = [q - before for before, q in zip(qs, qs[1:])]
        result.append([y, (y1 - y) + qs[0], *inner, -qs[-1]])
    return result


def _controls(
    tableau: RosenbrockTableau, related: Proportions, inside: Inside
) -> list[list[Value]]:
    """Coefficients of the same in Bernstein's basis, but for both ends."""
    result, names = [], [f"q{r}" for r in range(len(tableau.dense))]
    for i, (y, y1) in enumerate(zip(inside.y, inside.y1)):
        qs, change = list(related.rows(i, names, inside.dense).values()), y1 - y
        inner = [
            y + (part * change + weighted_sum(weights, qs))
            for part, weights in _control_weights(len(names))
        ]
        result.append(inner)
    return result


def _control_weights(number: int) -> list[tuple[float, list[float]]]:
    """For each inner coefficient in Bernstein's basis the part of the change over the step in it,
    and the weights of q0, q1, ..., of which there are so many.
    """
    most, result = number - 1, []
    for j in range(number):
        share = comb(most, j) / comb(most + 2, j + 1)
        weights = [share * comb(j, r) / comb(most, r) for r in range(j + 1)]
        result.append(((j + 1) / (most + 2), weights))
    return result
