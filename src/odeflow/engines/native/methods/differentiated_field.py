"""A model's vector field with its derivatives, as source for linearly implicit methods."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from odeflow.engines.native.frontend.derivatives import translate_jacobian
from odeflow.engines.native.frontend.field import evaluated, field_inputs, field_program
from odeflow.engines.native.methods.domains import defined_lines, unbounded
from odeflow.engines.native.methods.sparse_lu import Entry
from odeflow.engines.native.program.proportions import Proportions, proportions
from odeflow.engines.native.program.refusal import UntranslatableError
from odeflow.problem.model import Model


def _everywhere(prefix: str, t: str, y: Sequence[str]) -> tuple[list[str], None]:
    """The condition of a field that is finite at every state."""
    del prefix, t, y
    return [], None


class DifferentiatedField(NamedTuple):
    """A vector field as source.

    `evaluate(prefix, t, y)` gives the statements that evaluate f at the time and state of these
    names, and the expressions of its components. `value`, `jacobian` and `time_derivative` are f,
    df/dy and df/dt at the start of the step, in the names that `start_lines` define; entries of
    the derivatives that are zero everywhere are left out. `unbounded` are the components of which
    some derivative may be infinite or NaN where f is finite. `related` are the components that
    change in proportion to others. `defined(prefix, t, y)` gives statements and a condition,
    whether f is finite at a time and state (None where it always is).
    """

    evaluate: Callable[[str, str, Sequence[str]], tuple[Sequence[str], Sequence[str]]]
    start_lines: Sequence[str]
    value: Sequence[str]
    jacobian: Mapping[Entry, str]
    time_derivative: Mapping[int, str]
    uses_time: bool
    related: Proportions
    unbounded: frozenset[int] = frozenset()
    defined: Callable[[str, str, Sequence[str]], tuple[Sequence[str], str | None]] = _everywhere

    @property
    def reduced_jacobian(self) -> dict[Entry, str]:
        """df_i/dy_j for the independent components, by place, the others moving with them."""
        places = {i: k for k, i in enumerate(self.related.independent)}
        terms: dict[Entry, list[str]] = {}
        for (i, j), x in self.jacobian.items():
            if i in places:
                source, factor = self.related.factors.get(j, (j, 1.0))
                text = x if source == j else f"({factor!r})*({x})"
                terms.setdefault((places[i], places[source]), []).append(text)
        return {entry: " + ".join(texts) for entry, texts in terms.items()}


def differentiated_field(model: Model, dtype: Any = np.float64) -> DifferentiatedField:
    """A model's vector field and its derivatives as source; raises UntranslatableError."""
    inputs, size = field_inputs(model), len(model.components)
    program = field_program(model, dtype)

    def field(t: Any, *point: Any) -> tuple[Any, ...]:
        return model.flat_vector_field(t, point[:size], point[size:])

    derivatives = translate_jacobian(field, size, inputs, dtype, with_value=True)
    lines, texts = evaluated(derivatives, {}, "j_")
    wild = unbounded(derivatives, inputs[: size + 1])
    nonzero = [i for i, x in enumerate(derivatives.outputs[: size * (size + 1)]) if x != 0]
    entries = {divmod(i, size): texts[i] for i in nonzero}

    def evaluate(prefix: str, t: str, y: Sequence[str]) -> tuple[list[str], list[str]]:
        return evaluated(program, dict(zip(inputs, [t, *y])), prefix)

    def defined(prefix: str, t: str, y: Sequence[str]) -> tuple[list[str], str | None]:
        return defined_lines(program, dict(zip(inputs, [t, *y])), prefix)

    return DifferentiatedField(
        evaluate=evaluate,
        start_lines=lines,
        value=texts[size * (size + 1) :],
        jacobian={(i, j): text for (i, j), text in entries.items() if i < size},
        time_derivative={j: text for (i, j), text in entries.items() if i == size},
        uses_time=any("t" in statement.reads() for statement in program.statements)
        or "t" in program.outputs,
        related=proportions(program),
        # an entry's row; those of df/dt come last
        unbounded=frozenset(i // size if i < size * size else i % size for i in nonzero if wild[i]),
        defined=defined,
    )


def unbounded_components(model: Model, dtype: Any = np.float64) -> tuple[int, ...] | None:
    """The components of which a derivative may be infinite or NaN; None where it is unknown."""
    try:
        return tuple(sorted(differentiated_field(model, dtype).unbounded))
    except UntranslatableError:
        return None
