"""A model's vector field with its derivatives, for linearly implicit methods."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from odeflow.engines.native.frontend.derivatives import translate_jacobian
from odeflow.engines.native.frontend.field import field_at, field_inputs, field_program, flat_field
from odeflow.engines.native.methods.domains import defined_at, unbounded
from odeflow.engines.native.methods.sparse_lu import Entry
from odeflow.engines.native.program.proportions import Proportions, proportions
from odeflow.engines.native.program.refusal import UntranslatableError
from odeflow.engines.native.program.value import Value
from odeflow.problem.model import Model


class Derivatives(NamedTuple):
    """f, df/dy and df/dt at a point; entries that are zero everywhere are left out."""

    value: Sequence[Value]
    jacobian: Mapping[Entry, Value]
    time_derivative: Mapping[int, Value]


class Point(NamedTuple):
    """A time and a state, and the parameters, behind which are the slopes of delayed states."""

    t: Value
    y: Sequence[Value]
    parameters: Sequence[Value]


def _everywhere(point: Point) -> None:
    """Where a field is finite that is so at every state."""
    del point


class DifferentiatedField(NamedTuple):
    """A vector field with its derivatives.

    `evaluate` gives f at a point, and `differentiate` its derivatives too. `entries` are those of
    df/dy that are not zero everywhere. `unbounded` are the components of which some derivative may
    be infinite or NaN where f is finite. `related` are the components that change in proportion to
    others. `defined` says whether f is finite at a point (None where it always is).
    """

    evaluate: Callable[[Point], Sequence[Value]]
    differentiate: Callable[[Point], Derivatives]
    entries: frozenset[Entry]
    uses_time: bool
    related: Proportions
    unbounded: frozenset[int] = frozenset()
    defined: Callable[[Point], Value | None] = _everywhere

    def reduced(self, jacobian: Mapping[Entry, Any]) -> dict[Entry, list[tuple[float, Any]]]:
        """df_i/dy_j for the independent components, by place, the others moving with them.

        Each is a sum of factors times entries.
        """
        places = {i: k for k, i in enumerate(self.related.independent)}
        terms: dict[Entry, list[tuple[float, Any]]] = {}
        for (i, j), x in jacobian.items():
            if i in places:
                source, factor = self.related.factors.get(j, (j, 1.0))
                terms.setdefault((places[i], places[source]), []).append((factor, x))
        return terms

    @property
    def reduced_entries(self) -> frozenset[Entry]:
        """The places of `reduced`."""
        return frozenset(self.reduced(dict.fromkeys(sorted(self.entries))))


def differentiated_field(model: Model, dtype: Any = np.float64) -> DifferentiatedField:
    """A model's vector field and its derivatives; raises UntranslatableError.

    A row that is not a derivative is in no proportion to others, and is never left out.
    """
    inputs, size = field_inputs(model), len(model.components)
    residuals = frozenset(i for i, is_rate in enumerate(model.explicit) if not is_rate)
    program = field_program(model, dtype)
    total = partial(translate_jacobian, n_states=size, dtype=dtype, with_value=True)
    delays = model.declared.delay_places
    if delays:
        slopes = [f"slope_{place}" for delay in delays for place in delay.values]
        found = total(_moving_field(model, len(slopes)), inputs=[*inputs, *slopes])
    else:
        found = total(flat_field(model), inputs=inputs)
    wild = unbounded(found.program, inputs[: size + 1])
    rows = [*(i for i, _ in found.entries), *found.slopes]

    def differentiate(point: Point) -> Derivatives:
        values = field_at(found.program, *point)
        return Derivatives(
            value=values[len(rows) :],
            jacobian=dict(zip(found.entries, values)),
            time_derivative=dict(zip(found.slopes, values[len(found.entries) :])),
        )

    return DifferentiatedField(
        evaluate=lambda point: field_at(program, *point),
        differentiate=differentiate,
        entries=frozenset(found.entries),
        uses_time=bool(delays)
        or any("t" in statement.reads() for statement in program.statements)
        or "t" in program.outputs,
        related=proportions(program, residuals),
        unbounded=frozenset(i for i, is_wild in zip(rows, wild) if is_wild) - residuals,
        defined=lambda point: defined_at(program, *point),
    )


@jax.custom_jvp
def _moving(value: Any, slope: Any, t: Any) -> Any:
    """A value that changes with time by a slope."""
    del slope, t
    return value


@_moving.defjvp
def _moving_jvp(primals: Any, tangents: Any) -> Any:
    value, slope, _ = primals
    return value, tangents[0] + slope * tangents[2]


def _moving_field(model: Model, number: int) -> Callable[..., tuple[Any, ...]]:
    """The vector field of a model whose delayed states change with time by slopes behind all."""
    field, first = flat_field(model), 1 + len(model.components)
    places = [first + place for delay in model.declared.delay_places for place in delay.values]

    def moved(t: Any, *numbers: Any) -> tuple[Any, ...]:
        point, slopes = [t, *numbers[:-number]], numbers[-number:]
        for place, slope in zip(places, slopes):
            point[place] = _moving(point[place], slope, t)
        return field(*point)

    return moved


def unbounded_components(model: Model, dtype: Any = np.float64) -> tuple[int, ...] | None:
    """The components of which a derivative may be infinite or NaN; None where it is unknown."""
    try:
        return tuple(sorted(differentiated_field(model, dtype).unbounded))
    except UntranslatableError:
        return None
