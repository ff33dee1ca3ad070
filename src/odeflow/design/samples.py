"""The rows of a design: how many there are, what its axes are called, and any range of them."""

import hashlib
import math
from pathlib import Path

import numpy as np

from odeflow.config.design import DesignConfig
from odeflow.config.levels import count, expand
from odeflow.design.laws import quantile
from odeflow.design.random_effects import with_effects, with_theta
from odeflow.design.samplers import unit_points
from odeflow.design.tables import read_table
from odeflow.files.errors import ConfigError
from odeflow.problem.axis_names import CONDITION, PARAMETER_SET, REPLICATE, SUBJECT

#: Samples that a design may have: 8 GB per axis in `design.nc`.
MOST_SAMPLES = 10**9


def axis_names(design: DesignConfig, root: Path) -> list[str]:
    """The axes of a design, in order; a table's columns.

    Arguments:
        design: the group `design` of a config.
        root: the folder that a table's path is relative to.

    Returns:
        Their names: of parameters, states, what doses name, or `t1`.

    Raises:
        ConfigError: the table cannot be read.
    """
    axes = list(read_table(design, root)) if design.kind == "table" else list(design.axes)
    theta = design.theta.of if design.theta else {}
    effects = design.random_effects.of if design.random_effects else {}
    return list(dict.fromkeys([*axes, *theta, *effects]))


def column_names(design: DesignConfig, root: Path) -> list[str]:
    """The columns of `rows` in order: the axes, and what comes with conditions.

    Arguments:
        design: the group `design` of a config.
        root: the folder that a table's path is relative to.

    Returns:
        The axes' names, those of what conditions set, then `condition` and `parameter_set`.

    Raises:
        ConfigError: the table cannot be read.
    """
    numbers = [CONDITION, PARAMETER_SET] if design.conditions else []
    subject = [SUBJECT] if design.kind == "nonmem" else []
    subject += [REPLICATE] if design.theta else []
    occasions = design.records.occasion_columns if design.records else {}
    return [*subject, *axis_names(design, root), *occasions, *design.set_by_conditions, *numbers]


def number_of_samples(design: DesignConfig, root: Path) -> int:
    """Rows of the design, without making them.

    Arguments:
        design: the group `design` of a config.
        root: the folder that a table's path is relative to.

    Returns:
        Their number; 1 for a grid or zip without axes. With random effects each row is that of so
        many subjects; where there are conditions, each set of the axes' values has one row per
        condition.

    Raises:
        ConfigError: a zip of unequal axes, more than `MOST_SAMPLES`, or a table that cannot be
            read.

    Example:
        >>> from pathlib import Path
        >>> import odeflow
        >>> from odeflow.design import number_of_samples
        >>> axes = "design.axes={vmax: {values: [8, 10]}, km: {linspace: [4, 6, 3]}}"
        >>> number_of_samples(odeflow.compose(axes).design, Path())
        6
    """
    total, key, made_of = _number_of_sets(design, root)
    if design.random_effects is not None:
        total *= design.random_effects.subjects
        made_of = f"{made_of}, of {design.random_effects.subjects:,} subjects each"
    if design.theta is not None:
        total *= design.replicates
        made_of = f"{made_of}, in {design.replicates:,} replicates"
    if design.conditions:
        total *= design.runs
        made_of = f"{made_of} under {design.runs:,} conditions"
    if total > MOST_SAMPLES:
        raise ConfigError(
            f"{key}: {total:,} samples ({made_of}) are more than the {MOST_SAMPLES:,} that fit "
            "one design; ask for fewer"
        )
    return total


def _number_of_sets(design: DesignConfig, root: Path) -> tuple[int, str, str]:
    """Sets of the axes' values; the key that decides on them, and what they are made of."""
    if design.kind == "table":
        return len(next(iter(read_table(design, root).values()))), "design.path", "rows"
    if design.records is not None:
        return len(design.records.subjects), "design.nonmem", "subjects"
    if design.is_sampler:
        assert design.size is not None
        each = f", {design.block_rows} each" if design.block_rows > 1 else ""
        return design.size * design.block_rows, "design.size", f"{design.kind}{each}"
    key = "design.axes"
    lengths = {name: count(axis, f"{key}.{name}") for name, axis in design.axes.items()}
    made_of = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
    if design.kind == "grid":
        return math.prod(lengths.values()), key, made_of
    if len(set(lengths.values())) > 1:
        raise ConfigError(
            f"{key}: a zip takes its axes side by side, but their lengths differ: {made_of}; "
            "give all the same number of values, or combine them with design.kind: grid"
        )
    return next(iter(lengths.values()), 1), key, made_of


def grid_levels(design: DesignConfig) -> dict[str, np.ndarray]:
    """The levels of each axis of a grid, in order.

    Arguments:
        design: the group `design` of a config.

    Returns:
        The levels by axis, float64 (level,), in the axis' own units; empty where there is no axis.

    Raises:
        ConfigError: a level occurs twice: selecting by it would be ambiguous.
    """
    levels = {}
    for name, axis in design.axes.items():
        key = f"design.axes.{name}"
        levels[name] = expand(axis, key)
        ordered = np.sort(levels[name])
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        if twice.size:
            raise ConfigError(
                f"{key}: the level {twice[0]:g} occurs more than once in {axis.law}; "
                "a grid needs distinct levels, remove the repetition"
            )
    return levels


def rows(design: DesignConfig, start: int, stop: int, root: Path) -> dict[str, np.ndarray]:
    """Samples start..stop of every axis. A row is the same to the last bit in any range.

    In a grid the last axis varies fastest. Where there are conditions they vary fastest; what they
    set comes after the axes, then whole numbers: that of the condition and that of the set of the
    axes' values.

    Arguments:
        design: the group `design` of a config.
        start: number of the first sample, from 0.
        stop: number after the last one.
        root: the folder that a table's path is relative to.

    With random effects the rows of all first subjects come first, then those of the second ones;
    where typical values are drawn, all of that for the first draw, then for the second.

    Returns:
        The columns by name, in order: float64 (stop - start,), in the units of what they set.
        Empty for a grid or zip without axes.

    Raises:
        ValueError: the range is not in the design.
        ConfigError: a table is shorter than when the workflow was planned, or cannot be read.

    Example:
        >>> from pathlib import Path
        >>> import odeflow
        >>> from odeflow.design import rows
        >>> axes = "design.axes={vmax: {values: [8, 10]}, km: {linspace: [4, 6, 3]}}"
        >>> cfg = odeflow.compose(axes)
        >>> {name: column.tolist() for name, column in rows(cfg.design, 2, 5, Path()).items()}
        {'vmax': [8.0, 10.0, 10.0], 'km': [6.0, 4.0, 5.0]}
    """
    total = number_of_samples(design, root)
    if not 0 <= start <= stop <= total:
        if design.kind == "table":
            raise ConfigError(
                f"design.path: {design.path} has {total} rows, but samples {start} to {stop} are "
                "needed; it has changed since the workflow was planned, run again"
            )
        raise ValueError(f"samples {start} to {stop} are not among the {total} of the design")
    if design.conditions:
        return _under_conditions(design, start, stop, root)
    return _drawn(design, start, stop, root)


def _under_conditions(
    design: DesignConfig, start: int, stop: int, root: Path
) -> dict[str, np.ndarray]:
    """Rows start..stop, of which each set of the axes' values has one per condition."""
    sets, conditions = np.divmod(np.arange(start, stop), design.runs)
    first = start // design.runs
    drawn = _drawn(design, first, -(-stop // design.runs), root)
    columns = {name: values[sets - first] for name, values in drawn.items()}
    for name in design.set_by_conditions:
        given = [settings[name] for settings in design.conditions.values()]
        values = np.empty(len(sets))
        for number, value in enumerate(given):
            here = conditions == number
            values[here] = columns[value][here] if isinstance(value, str) else value
        columns[name] = values
    return columns | {CONDITION: conditions.astype(np.int16), PARAMETER_SET: sets}


def _drawn(design: DesignConfig, start: int, stop: int, root: Path) -> dict[str, np.ndarray]:
    """Sets start..stop of the axes' values, of which each subject has its own."""
    effects, theta = design.random_effects, design.theta
    if effects is None and theta is None:
        return _sets(design, start, stop, root)
    total, _, _ = _number_of_sets(design, root)
    subjects, sets = np.divmod(np.arange(start, stop), total)
    columns = {name: x[sets] for name, x in _sets(design, 0, total, root).items()}
    if theta is not None:
        replicates = subjects // (1 if effects is None else effects.subjects)
        columns = with_theta(theta, columns, replicates)
    # subjects of another replicate are others
    if effects is None:
        return columns
    occasions = design.records.occasions if design.records else []
    return with_effects(effects, columns, sets, subjects, occasions)


def _sets(design: DesignConfig, start: int, stop: int, root: Path) -> dict[str, np.ndarray]:
    """Sets start..stop of the axes' values."""
    match design.kind:
        case "table":
            table = read_table(design, root)
            return {name: column[start:stop].copy() for name, column in table.items()}
        case "nonmem":
            assert design.records is not None
            return {SUBJECT: np.array(design.records.subjects[start:stop], float)}
        case "grid":
            levels = grid_levels(design)
            if not levels:
                return {}
            shape = tuple(len(values) for values in levels.values())
            index = np.unravel_index(np.arange(start, stop), shape)
            return {name: levels[name][i] for name, i in zip(levels, index, strict=True)}
        case "zip":
            return {
                name: expand(axis, f"design.axes.{name}")[start:stop].copy()
                for name, axis in design.axes.items()
            }
        case _:
            points = unit_points(design, start, stop)
            return {name: quantile(design.axes[name], unit) for name, unit in points.items()}


def table_digest(design: DesignConfig, root: Path, start: int, stop: int) -> str:
    """What the rows start..stop of a table say, as a digest.

    Other rows, the file's name, format and dates do not matter.

    Arguments:
        design: the group `design` of a config.
        root: the folder that the table's path is relative to.
        start: number of the first sample, from 0.
        stop: number after the last one.

    Returns:
        16 hexadecimal digits of SHA-256 over the column names and these rows.

    Raises:
        ConfigError: as `rows`.
    """
    sha = hashlib.sha256()
    for name, column in rows(design, start, stop, root).items():
        sha.update(f"{len(name)} {name} {len(column)}".encode())
        sha.update(column.astype("<f8").tobytes())
    return sha.hexdigest()[:16]
