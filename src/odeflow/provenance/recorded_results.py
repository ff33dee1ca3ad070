"""The files of a results folder that are what its jobs wrote, told by their records.

The folder may have been moved or copied since: its records name files below `results/<experiment>`.
"""

import os
from pathlib import Path, PurePosixPath

from odeflow.files.errors import ConfigError
from odeflow.files.netcdf import DamagedFileError, damaged
from odeflow.provenance.records import content_digest, read_record


def recorded_results(results: Path) -> list[Path]:
    """Files and folders below a results folder that have records and are there, relative to it.

    Raises ConfigError where a record cannot be read, and DamagedFileError for a file that is not
    what was written, or was made of others than those that are there.
    """
    made, asked = {}, {}
    for record in sorted((results / "records").glob("*.json")):
        known = read_record(record)
        if not known:
            raise DamagedFileError(f"{record}: is not a record; delete it (rm {record}), run again")
        outputs, inputs = (_below(known[key]) for key in ("outputs", "inputs"))
        made |= outputs
        asked |= dict.fromkeys(outputs, inputs)
    there = [Path(name) for name in sorted(made) if os.path.lexists(results / name)]
    for file in there:
        _check(results, file, made[str(file)])
        for name, content in asked[str(file)].items():
            if made.get(name) != content:
                raise ConfigError(
                    f"{results / file}: was made of another {name} than is recorded now; run "
                    "again, or delete it where it is not asked for any more"
                )
    return there


def _below(files: dict[str, str]) -> dict[str, str]:
    """Digests by name below the results folder."""
    found = {}
    for file, content in files.items():
        name = PurePosixPath(*PurePosixPath(file).parts[2:])
        if name.parts and ".." not in name.parts:
            found[str(name)] = content
    return found


def _check(results: Path, file: Path, content: str) -> None:
    """Raises DamagedFileError where a file, or one in a folder, is not what was written."""
    path = results / file
    places = [results / place for place in (file, *file.parents[:-1])]
    places += path.rglob("*") if path.is_dir() else []
    for place in places:
        if place.is_symlink():
            raise DamagedFileError(f"{place}: is a link, which no job wrote; put the file there")
    if content_digest(path) != content:
        raise damaged(path, "is not what was written, it was edited or damaged since")
