"""Links in `results` that lead elsewhere: logs and results would be written through them."""

import os
from collections.abc import Iterator
from pathlib import Path

from odeflow.files.errors import ConfigError


def check_links(results: Path) -> None:
    """Raises ConfigError for a link in a results folder that leads out of it.

    The folder itself may be a link, to a larger disk. A store of Zarr is written whole and renamed,
    so that what is in it is not looked at.
    """
    inside = results.resolve()
    for link in _links(results):
        if not link.resolve().is_relative_to(inside):
            raise ConfigError(
                f"{results.name}/{link.relative_to(results)}: a link to {link.readlink()}, outside "
                f"of {results.name}/: nothing is written through it; remove it, or make "
                f"{results.name} itself the link"
            )


def _links(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError:  # none there, or none that we may read: writing says why
        return
    for entry in entries:
        if entry.is_symlink():
            yield Path(entry.path)
        elif entry.is_dir() and not entry.name.endswith(".zarr"):
            yield from _links(Path(entry.path))
