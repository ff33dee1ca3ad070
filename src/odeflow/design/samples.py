"""The rows of a design: how many there are, what its axes are called, and any range of them."""

import hashlib
import math
from pathlib import Path

import numpy as np

from odeflow.config.base import ConfigError
from odeflow.config.design import DesignConfig
from odeflow.design.laws import quantile
from odeflow.design.levels import count, expand
from odeflow.design.samplers import unit_points
from odeflow.design.tables import read_table

#: Samples that a design may have: 8 GB an axis in `design.nc`.
MOST_SAMPLES = 10**9


def axis_names(design: DesignConfig, root: Path) -> list[str]:
    """The axes in order; a table's columns. `root` is the folder that a table's path is from.

    Raises ConfigError for a table that cannot be read, as all functions that take `root`.
    """
    return list(read_table(design, root)) if design.kind == "table" else list(design.axes)


def number_of_samples(design: DesignConfig, root: Path) -> int:
    """Rows of the design, without making them. A grid or zip without axes has one.

    Raises ConfigError for a zip of unequal axes and for more than `MOST_SAMPLES`.
    """
    if design.kind == "table":
        return len(next(iter(read_table(design, root).values())))
    if design.is_sampler:
        assert design.size is not None
        total, key, made_of = design.size, "design.size", design.kind
    else:
        key = "design.axes"
        lengths = {name: count(axis, f"{key}.{name}") for name, axis in design.axes.items()}
        made_of = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        if design.kind == "grid":
            total = math.prod(lengths.values())
        elif len(set(lengths.values())) > 1:
            raise ConfigError(
                f"{key}: a zip takes its axes side by side, but their lengths differ: {made_of}; "
                "give all the same number of values, or combine them with design.kind: grid"
            )
        else:
            total = next(iter(lengths.values()), 1)
    if total > MOST_SAMPLES:
        raise ConfigError(
            f"{key}: {total:,} samples ({made_of}) are more than the {MOST_SAMPLES:,} that fit "
            "one design; ask for fewer"
        )
    return total


def grid_levels(design: DesignConfig) -> dict[str, np.ndarray]:
    """The levels of each axis of a grid, in order. Empty where it has none.

    Raises ConfigError for a level that occurs twice: selecting by it would be ambiguous.
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
    """Samples start..stop of every axis, in order: float64, each of shape (stop - start,).

    A row is the same to the last bit whatever range it is asked for in. In a grid the last axis
    varies fastest. Empty for a grid or zip without axes.

    Raises ValueError for a range that is not in the design, ConfigError where a table is shorter.
    """
    total = number_of_samples(design, root)
    if not 0 <= start <= stop <= total:
        if design.kind == "table":
            raise ConfigError(
                f"design.path: {design.path} has {total} rows, but samples {start} to {stop} are "
                "needed; it has changed since the workflow was planned, run again"
            )
        raise ValueError(f"samples {start} to {stop} are not among the {total} of the design")
    match design.kind:
        case "table":
            table = read_table(design, root)
            return {name: column[start:stop].copy() for name, column in table.items()}
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
    """16 hexadecimal digits of SHA-256 over the column names and the rows start..stop of a table.

    Other rows, the file's name, format and dates do not matter.
    """
    sha = hashlib.sha256()
    for name, column in rows(design, start, stop, root).items():
        sha.update(f"{len(name)} {name} {len(column)}".encode())
        sha.update(column.astype("<f8").tobytes())
    return sha.hexdigest()[:16]
