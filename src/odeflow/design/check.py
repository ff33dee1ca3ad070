"""Whether a design fits its model: what the schema of the design alone cannot see."""

import difflib
from collections.abc import Iterable
from pathlib import Path

from odeflow.config.levels import expand
from odeflow.config.root import Config
from odeflow.design.ends import END, has_own_ends
from odeflow.design.fast import FEWEST_POINTS
from odeflow.design.laws import ENDLESS, check_law
from odeflow.design.samples import (
    CONDITION,
    PARAMETER_SET,
    REPLICATE,
    axis_names,
    grid_levels,
    number_of_samples,
    rows,
)
from odeflow.design.tables import read_table
from odeflow.files.errors import ConfigError
from odeflow.problem.axis_names import axis_coordinate


def check_axes(config: Config, root: Path) -> None:
    """Refuses a design that its model cannot have.

    Each axis is a parameter, a scalar state or named by a dose, its name in the dataset is free,
    and its values are ones that float64 holds; a grid's levels are distinct.

    Arguments:
        config: the experiment.
        root: the folder that a table's path is relative to.

    Raises:
        ConfigError: the first axis that does not fit, in one line.
    """
    design = config.design
    names = axis_names(design, root)
    for key in ("random_effects", "theta"):
        if getattr(design, key) is not None:
            _check_effects(config, key, getattr(design, key).of, root)
    _check_occasions(config)
    _check_categories(config, names)
    for name in names:
        key = f"design.axes.{name}"
        if name in config.model.categories:
            continue
        if design.kind == "table":
            key = f"design.path: {design.path}: column {name!r}"
        _check_name(config, name, key)
        if name == END and has_own_ends(config, names):
            _check_ends(config, key, root)
    for name in design.set_by_conditions:
        if name != END:
            _check_name(config, name, f"design.conditions: {name}")
        elif has_own_ends(config, [END]):
            raise ConfigError(f"design.conditions: {END} cannot differ between conditions")
    if design.conditions:
        _check_free(config, "design.conditions", (CONDITION, PARAMETER_SET))
    if design.theta is not None:
        _check_free(config, "design.theta", (REPLICATE,))
    number_of_samples(design, root)
    if design.kind == "grid":
        grid_levels(design)
    for name, axis in design.axes.items():
        key = f"design.axes.{name}"
        if design.kind == "zip":
            expand(axis, key)
        elif design.is_sampler:
            check_law(axis, key)
            if design.kind == "morris" and not design.radial and axis.law in ENDLESS:
                raise ConfigError(
                    f"{key}: {axis.law} has no ends, where the levels of a morris design begin and "
                    f"end; use trunc{axis.law}, or design.radial: true"
                )
    if design.kind == "fast" and (design.size or 0) < FEWEST_POINTS:
        raise ConfigError(
            f"design.size: {design.size} points of a curve are too few to tell axes apart by their "
            f"frequencies; at least {FEWEST_POINTS} are needed"
        )


def _check_effects(config: Config, group: str, of: Iterable[str], root: Path) -> None:
    """Raises ConfigError where what differs at random is no parameter, or has no typical value."""
    for name in of:
        key = f"design.{group}.of.{name}"
        if name not in config.model.parameters:
            known = ", ".join(config.model.parameters) or "none"
            raise ConfigError(
                f"{key}: not a parameter of model {config.model.name}; known: {known}"
            )
        if name in config.design.set_by_conditions:
            raise ConfigError(f"{key}: conditions set it too; keep one of them")
    effects, theta = config.design.random_effects, config.design.theta
    one_of_each = config.design.model_copy(
        update={
            "random_effects": effects and effects.model_copy(update={"subjects": 1}),
            "theta": theta and theta.model_copy(update={"replicates": 1}),
        }
    )
    rows(one_of_each, 0, number_of_samples(one_of_each, root), root)


def _check_occasions(config: Config) -> None:
    """Raises ConfigError where occasions have no records, or what differs is no parameter."""
    effects, given = config.design.random_effects, config.design.records
    if effects is None or effects.occasion is None:
        return
    key = "design.random_effects.occasion"
    if given is None:
        raise ConfigError(f"{key}: only with design.nonmem, whose records are of occasions")
    for name in effects.occasion.of:
        if name not in config.model.parameters:
            known = ", ".join(config.model.parameters) or "none"
            raise ConfigError(f"{key}.of.{name}: not a parameter; known: {known}")
        if name in given.covariates or name in config.design.set_by_conditions:
            raise ConfigError(f"{key}.of.{name}: covariates or conditions set it; keep one of them")
    _check_free(config, key, given.occasion_columns)


def _check_categories(config: Config, names: list[str]) -> None:
    """Raises ConfigError where inputs do not get the categories that they have courses for."""
    choices, known = config.design.choices, config.model.categories
    for axis, categories in known.items():
        example = f"design.axes.{axis}: {{names: [{', '.join(categories)}]}}"
        if axis not in names:
            raise ConfigError(
                f"model.inputs: {axis} chooses among courses, but is no axis; {example}"
            )
        if axis not in choices:
            raise ConfigError(f"design: the axis {axis} needs names, not numbers; {example}")
    for axis, chosen in choices.items():
        key = f"design.axes.{axis}.names"
        if axis not in known:
            raise ConfigError(
                f"{key}: names choose among courses of model.inputs, and no input is given by "
                f"{axis}; give `values`, or an input `by: {axis}`"
            )
        for name in chosen:
            if name not in known[axis]:
                raise ConfigError(
                    f"{key}: no input has a course for {name!r}; known: {', '.join(known[axis])}"
                )


def _check_free(config: Config, key: str, names: Iterable[str]) -> None:
    """Raises ConfigError where the model has a name that the dataset needs."""
    model = config.model
    observables = model.observables.variables if model.observables else {}
    for name in names:
        if name in {*model.states, *model.parameters, *observables}:
            raise ConfigError(
                f"{key}: the dataset needs the name {name}, which model {model.name} "
                "has for something else; rename that in the model"
            )


def _check_ends(config: Config, key: str, root: Path) -> None:
    """Raises ConfigError where a trajectory would end before it starts."""
    design, t0 = config.design, config.model.t0
    if design.kind == "table":
        first = float(read_table(design, root)[END].min())
    else:
        axis = design.axes[END]
        low = {"uniform": 0, "loguniform": 0, "truncnormal": 2, "trunclaplace": 2}
        low |= {"trunccauchy": 2, "truncgamma": 2, "truncrayleigh": 1}
        if not design.is_sampler:
            first = float(expand(axis, key).min())
        elif axis.law in low:
            first = getattr(axis, axis.law)[low[axis.law]]
        else:
            return  # unbounded: checked a sample at a time
    if not first > t0:
        raise ConfigError(f"{key}: {first:g} is not after model.t0, {t0:g}")


def _check_name(config: Config, name: str, key: str) -> None:
    model = config.model
    scalars = [state for state, record in model.states.items() if record.shape == ()]
    if name in model.states and name not in scalars:
        shape = " x ".join(str(length) for length in model.states[name].shape)
        raise ConfigError(
            f"{key}: the state {name} is an array ({shape}), and an axis sets one number; vary a "
            "parameter or a scalar state instead"
        )
    dosed = {named for dose in config.plain_doses for _, named in dose.named()}
    parameters = [*model.parameters, *model.arrays]
    if name not in (*scalars, *parameters, *dosed, END):
        near = difflib.get_close_matches(name, [*parameters, *scalars, *dosed], n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(
            f"{key}: neither a parameter nor a state of model {model.name}, nor named by a dose; "
            f"{hint}"
            f"parameters: {', '.join(parameters) or 'none'}, "
            f"states: {', '.join(scalars) or 'none that is a scalar'}; {END} is a trajectory's end"
        )
    coordinate = axis_coordinate(name, model)
    observables = model.observables.variables if model.observables else {}
    dims = [dim for state in model.states.values() for dim in state.dims]
    taken = {*model.states, *model.parameters, *observables, *dims}
    if name in (*scalars, *parameters):
        taken -= {name}
    if coordinate in taken:
        raise ConfigError(
            f"{key}: the dataset calls this axis {coordinate}, a name that model {model.name} "
            "has for something else; rename that in the model"
        )
