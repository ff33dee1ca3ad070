"""Removing solved chunks that nothing configured uses any more."""

import re
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from odeflow.config.shipped import shipped_config
from odeflow.files.errors import ConfigError
from odeflow.files.whole_file import TEMPORARY
from odeflow.importers.study.compose import compose
from odeflow.workflow.chunks import RESULTS
from odeflow.workflow.experiment import Experiment
from odeflow.workflow.leases import LEASES, HeldLease, leased

#: A file that is being written is younger.
_LEFTOVER_SECONDS = 24 * 3600


def used_chunks(study: Path, resolvers: Collection[str] = ()) -> set[str]:
    """Chunk and start files of every experiment in the study's config and the shipped one.

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
        used |= set(Experiment(config, study).kept_files)
    return used


def prune(study: Path, keep: Iterable[str], out: TextIO) -> list[Path]:
    """Lists on `out`, then removes, the study's chunks that neither `keep` has nor a run uses.

    Runs that plan meanwhile wait until the process ends. Only files that this workflow names are
    touched: `<16 hex digits>/<number>[-...].nc`, of chunks and of the starts of an estimation, the
    log, timing and measurements beside it, and what a process that was killed left half written a
    day ago or earlier. Raises ConfigError where it cannot be told what runs need.
    """
    HeldLease(study, prunes=True)
    needed = leased(study)
    if needed is None:
        raise ConfigError(
            f"nothing pruned: a file in {LEASES} cannot be read, so that it is not known which "
            "chunks a run needs; prune again when no run is going on, or after a quarter of an hour"
        )
    folder = study / RESULTS / "chunks"
    starts = (study / RESULTS).glob("*/starts/*/*.nc")
    kept = {study / file for file in keep}
    unused = [
        file
        for file in (*sorted(folder.glob("*/*.nc")), *sorted(starts))
        if file not in kept
        and re.fullmatch(r"[0-9a-f]{16}", file.parent.name)
        and re.fullmatch(r"\d{5,}[0-9a-z-]*\.nc", file.name)
    ]
    busy = [file for file in unused if str(file.relative_to(study)) in needed]
    unused = [file for file in unused if file not in busy]
    size = sum(file.stat().st_size for file in unused)
    print(f"{len(unused)} unused chunk(s), {size / 2**20:.1f} MiB", file=out)
    for file in unused:
        print(f"  {file.relative_to(study)}", file=out)
    for file in busy:
        print(f"  {file.relative_to(study)}, kept: a run is using it", file=out)
    for file in unused:
        for companion in (".nc", ".log", ".tsv", ".pilot.json"):
            file.with_suffix(companion).unlink(missing_ok=True)
    at_work = {(study / file).parent for file in needed}
    for parent in {file.parent for file in unused} - at_work:
        if not any(parent.iterdir()):
            parent.rmdir()
    _remove_leftovers(study / RESULTS, out)
    return unused


def _remove_leftovers(results: Path, out: TextIO) -> None:
    for file in sorted(results.rglob(f".*{TEMPORARY}")):
        with suppress(FileNotFoundError):  # done meanwhile
            if time.time() - file.stat().st_mtime > _LEFTOVER_SECONDS:
                print(f"  {file}, half written", file=out)
                file.unlink()
