"""Rows of a design that another chunk of the folder holds: of a longer table, or a reordered one.

The folder's name says all that decides the numbers but the rows, and a trajectory does not depend
on its neighbours, bit for bit. So a row with the same values of all columns has been solved.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.ensemble.chunk_file import FOLDER, read_chunk
from odeflow.files.netcdf import DamagedFileError
from odeflow.problem.axis_names import axis_coordinate

#: Bytes of one chunk that are kept in memory to look for rows; larger ones are solved as a whole.
_MOST_BYTES = 2**29
#: Chunks that are looked at, the latest first.
_MOST_CHUNKS = 8


@dataclass(frozen=True)
class KnownRows:
    """Solved rows: those wanted, by their place, and the dataset that has them, in that order."""

    places: np.ndarray
    solved: xr.Dataset
    files: tuple[Path, ...]


def known_rows(config: Config, columns: Mapping[str, np.ndarray], path: Path) -> KnownRows | None:
    """What neighbours of a chunk's file hold of the rows with these columns; None without any.

    Neighbours have the same number: shorter or longer chunks, other rows of a table.
    """
    number = path.name[:5]
    others = [file for file in path.parent.glob(f"{number}*.nc") if file != path]
    if not others or not columns:
        return None
    names = {name: axis_coordinate(name, config.model) for name in columns}
    wanted = _keys(list(columns.values()))
    missing = set(range(len(wanted)))
    found: list[tuple[Path, xr.Dataset, list[int], list[int]]] = []
    for file in sorted(others, key=_date, reverse=True)[:_MOST_CHUNKS]:
        chunk = _whole(file)
        if chunk is None or not all(name in chunk.variables for name in names.values()):
            continue
        if found and not _alike(chunk, found[0][1]):
            continue
        at = {key: i for i, key in enumerate(_keys([chunk[n].values for n in names.values()]))}
        places = sorted(place for place in missing if wanted[place] in at)
        if places:
            found.append((file, chunk, places, [at[wanted[place]] for place in places]))
            missing -= set(places)
        if not missing:
            break
    if not found:
        return None
    places = np.concatenate([places for _, _, places, _ in found])
    parts = [chunk.isel(sample=rows) for _, chunk, _, rows in found]
    order = np.argsort(places)
    solved = joined(parts).isel(sample=order)
    return KnownRows(places[order], solved, tuple(file for file, *_ in found))


def completed(
    known: KnownRows, solved: xr.Dataset | None, start: int, size: int
) -> xr.Dataset | None:
    """All rows of a chunk in order: the known ones, and those that were missing, solved.

    None where the two are not alike, so that they cannot be one chunk.
    """
    whole, order = known.solved, known.places
    if solved is not None:
        if not _alike(solved, known.solved):
            return None
        missing = np.setdiff1d(np.arange(size), known.places)
        whole, order = joined([known.solved, solved]), np.concatenate([known.places, missing])
    whole = whole.isel(sample=np.argsort(order))
    numbered = whole["sample"].variable.copy(data=np.arange(start, start + size))
    # in its place, unlike `assign_coords`: the order of variables is in the bytes of results
    coords = {
        name: numbered if name == "sample" else one.variable for name, one in whole.coords.items()
    }
    data = {name: one.variable for name, one in whole.data_vars.items()}
    return xr.Dataset(data, coords, whole.attrs)


def joined(parts: list[xr.Dataset]) -> xr.Dataset:
    """Datasets that are alike, one after another along `sample`; attributes of the first."""
    first = parts[0]

    def together(name: object, variable: xr.Variable) -> xr.Variable:
        if "sample" not in variable.dims:
            return variable
        values = np.concatenate([np.asarray(part[name].values) for part in parts])
        return xr.Variable(variable.dims, values, variable.attrs)

    data = {name: together(name, one.variable) for name, one in first.data_vars.items()}
    coords = {name: together(name, one.variable) for name, one in first.coords.items()}
    return xr.Dataset(data, coords, first.attrs)


def _keys(columns: list[np.ndarray]) -> list[bytes]:
    """What tells the rows of columns apart, to the last bit."""
    table = np.stack([np.asarray(column, np.float64) for column in columns], axis=1)
    return [row.tobytes() for row in table]


def _date(file: Path) -> int:
    with suppress(FileNotFoundError):  # another run prunes
        return file.stat().st_mtime_ns
    return 0


def _whole(file: Path) -> xr.Dataset | None:
    """A chunk in memory; None where it is damaged, too large, or not of its folder."""
    with suppress(FileNotFoundError, DamagedFileError):
        if file.stat().st_size > _MOST_BYTES:
            return None
        slabs = list(read_chunk(file))
        if all(slab.attrs.get(FOLDER) == file.parent.name for slab in slabs):
            return joined(slabs)
    return None


def _alike(one: xr.Dataset, other: xr.Dataset) -> bool:
    """Whether two datasets differ in the values along `sample` at most."""
    if {**one.attrs, FOLDER: ""} != {**other.attrs, FOLDER: ""}:
        return False
    return list(_kinds(one)) == list(_kinds(other))


def _kinds(dataset: xr.Dataset) -> Iterator[tuple[object, ...]]:
    for name, variable in dataset.variables.items():
        fixed = () if "sample" in variable.dims else (variable.values.tolist(),)
        attributes = {key: np.asarray(value).tolist() for key, value in variable.attrs.items()}
        yield name, variable.dims, variable.shape[1:], str(variable.dtype), attributes, fixed
