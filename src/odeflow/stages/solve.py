"""The stage of solving: one chunk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from odeflow.ahead import ahead
from odeflow.chunk_file import FOLDER, read_chunk, write_chunk
from odeflow.config.root import Config
from odeflow.netcdf import DamagedFileError

if TYPE_CHECKING:  # JAX is imported by the stage that solves
    from odeflow.engine import Progress, Resources


def solve_chunk(
    config: Config,
    study: Path,
    start: int,
    stop: int,
    path: Path,
    resources: Resources,
    progress: Progress | None = None,
) -> None:
    """Solves samples start..stop and writes them with a digest of their content.

    The name of the folder, a digest of what decides the numbers, is recorded too: a chunk copied
    from another folder is known by it.
    """
    from odeflow.solve import configure_jax, solve_slabs

    configure_jax(resources)
    slabs = ahead(solve_slabs(config, study, start, stop, resources, progress))
    named = (slab.assign_attrs({FOLDER: path.parent.name}) for slab in slabs)
    write_chunk(named, stop - start, path)


def keep_chunk(path: Path, start: int, stop: int, newer_than: Sequence[Path] = ()) -> bool:
    """Whether the chunk of samples start..stop is in place and whole: there is nothing to solve.

    Its folder's name says all that decides its numbers. Where a file in `newer_than` is newer, its
    date is made new, since Snakemake wants results to be newer than what they are made of.
    """
    samples: list[int] = []
    try:
        for slab in read_chunk(path):
            if slab.attrs.get(FOLDER) != path.parent.name:
                return False
            samples += slab["sample"].values.tolist()
    except (FileNotFoundError, DamagedFileError):
        return False
    if samples != list(range(start, stop)):
        return False
    if any(file.stat().st_mtime_ns > path.stat().st_mtime_ns for file in newer_than):
        path.touch()
    print(f"{path} is there and whole: kept")
    return True
