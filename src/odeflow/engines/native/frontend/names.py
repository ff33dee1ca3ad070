"""Names in a generated program: what the user has named is a number there.

So no name of a user's can mean something else in the program, be too long for a line of it, or make
two programs of one. A user's scalar is called by a word of the generator's, an underscore
and its label: `y_0`, `new_0`, `p_3`, `out_o1`. What generators name by themselves, such as `t_next`
or `past_error1`, never ends like that.
"""

from collections.abc import Mapping, Sequence

from odeflow.problem.model import Model

#: In which piece between a model's knots a lane is: how many of them it has passed.
PIECE = "piece"


def component_labels(model: Model) -> list[str]:
    """The label of each component of the state, in order: its number."""
    return [str(number) for number in range(len(model.components))]


def parameter_names(model: Model) -> list[str]:
    """The name of each parameter, in order: `p_<number>`.

    Behind them is `PIECE`, where a model has knots.
    """
    names = [f"p_{number}" for number in range(len(model.declared.parameters))]
    return names if model.knots is None else [*names, PIECE]


def state_label(model: Model, state: str) -> str:
    """The label of a state: its number among the states."""
    return str(list(model.declared.states).index(state))


def observable_labels(model: Model, variables: Sequence[str]) -> dict[str, str]:
    """The label of each of these variables that is not a state, by name: `o<number>`."""
    observables = [name for name in variables if name not in model.declared.states]
    return {name: f"o{number}" for number, name in enumerate(observables)}


def scalar_labels(model: Model, variable: str, observables: Mapping[str, str]) -> list[str]:
    """The labels of a variable's scalars: those of a state's components, else an observable's."""
    labels = zip(component_labels(model), model.components)
    return [label for label, c in labels if c.state == variable] or [observables[variable]]
