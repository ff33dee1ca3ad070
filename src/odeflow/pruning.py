"""Removing solved chunks that nothing configured uses any more."""

import re
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TextIO

from odeflow.config.base import ConfigError
from odeflow.config.compose import compose
from odeflow.config.shipped import shipped_config
from odeflow.experiment import Experiment
from odeflow.netcdf import TEMPORARY

#: A file that is being written is younger.
_LEFTOVER_SECONDS = 24 * 3600


def used_chunks(study: Path, resolvers: Collection[str] = ()) -> set[str]:
    """Chunk files of every experiment in the study's config and the shipped one.

    Raises ConfigError naming an experiment that does not compose: pruning must not go on then,
    since its chunks cannot be told from unused ones.
    """
    names = {
        file.stem
        for folder in (shipped_config(), study / "config")
        for file in (folder / "experiment").glob("*.yaml")
    }
    used: set[str] = set()
    for name in sorted(names):
        try:
            config = compose(f"experiment={name}", study=study, resolvers=resolvers)
        except ConfigError as error:
            raise ConfigError(f"nothing pruned: experiment {name}: {error}") from None
        used |= set(Experiment(config, study).chunk_files)
    return used


def prune(folder: Path, keep: Iterable[str], out: TextIO) -> list[Path]:
    """Lists on `out`, then removes, the chunks in `folder` that are not in `keep`.

    Only files that this workflow names are touched: `<16 hex digits>/<number>[-...].nc`, the log,
    timing and measurements beside it, and what a process that was killed left half written a day
    ago or earlier.
    """
    kept = {Path(file) for file in keep}
    unused = [
        file
        for file in sorted(folder.glob("*/*.nc"))
        if file not in kept
        and re.fullmatch(r"[0-9a-f]{16}", file.parent.name)
        and re.fullmatch(r"\d{5,}[0-9a-z-]*\.nc", file.name)
    ]
    size = sum(file.stat().st_size for file in unused)
    print(f"{len(unused)} unused chunk(s), {size / 2**20:.1f} MiB", file=out)
    for file in unused:
        print(f"  {file}", file=out)
    for file in unused:
        for companion in (".nc", ".log", ".tsv", ".pilot.json"):
            file.with_suffix(companion).unlink(missing_ok=True)
    for parent in {file.parent for file in unused}:
        if not any(parent.iterdir()):
            parent.rmdir()
    _remove_leftovers(folder.parent, out)
    return unused


def _remove_leftovers(results: Path, out: TextIO) -> None:
    for file in sorted(results.rglob(f".*{TEMPORARY}")):
        if time.time() - file.stat().st_mtime > _LEFTOVER_SECONDS:
            print(f"  {file}, half written", file=out)
            file.unlink()
