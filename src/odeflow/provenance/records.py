"""What made the files of a stage, and from what: told by digest, whatever their dates say.

A job that is done leaves `records/<rule>.json` in its results folder: a digest of its settings
(`plan`), these themselves (`asked`), and the content of the files that it read and wrote. Planning
compares the first with what is asked for now, and says by the second what has changed; each reader
of a file compares its content with what was written. Of a large file that needs no reading where
the system has not touched it since (`states`). Without JAX.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from odeflow.files.digests import ShownAsDigest, digest
from odeflow.files.errors import ConfigError

#: Bytes that are digested at a time, by one thread each.
_PART = 2**26
_THREADS = 4
#: Bytes from which on a file is told by its state. To digest so many takes longer than the system's
#: clock takes to move on, so that no change after it has the time of the one before.
_LARGE = 2**26


@dataclass(frozen=True)
class Stage:
    """A job's files, relative to the study, and a digest of what it is asked for.

    `inputs` has, for each file of another stage that it reads, the record of that stage; `asked`
    what `plan` is a digest of, as far as a person is told what of it has changed.
    """

    rule: str
    folder: str
    plan: str
    inputs: Mapping[str, str]
    outputs: tuple[str, ...]
    asked: Mapping[str, Any] = field(default_factory=dict)

    @property
    def record(self) -> str:
        """The file of its record."""
        return record_file(self.folder, self.rule)

    @property
    def mark(self) -> str:
        """The file that is made new where what is there is not what is asked for."""
        return mark_file(self.folder, self.rule)

    def as_data(self) -> dict[str, Any]:
        """Plain data, of which `Stage(**data)` makes the same."""
        files = {"inputs": dict(self.inputs), "outputs": list(self.outputs)}
        told = {"rule": self.rule, "folder": self.folder, "plan": self.plan, **files}
        return ShownAsDigest(told | {"asked": dict(self.asked)}, digest(told))


def record_file(folder: str, rule: str) -> str:
    """The file of a rule's record in a results folder."""
    return f"{folder}/records/{rule}.json"


def mark_file(folder: str, rule: str) -> str:
    """The file that makes a rule run where its files are not what is asked for."""
    return f"{folder}/records/{rule}.stale"


def read_record(path: Path) -> dict[str, Any]:
    """A record; an empty one where there is none, or none that can be read."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    fits = isinstance(record, dict) and all(
        isinstance(record.get(key), dict) for key in ("inputs", "outputs")
    )
    return record if fits else {}


def write_record(stage: Stage, inputs: Mapping[str, str], study: Path = Path()) -> None:
    """Records what a stage has read, by digest, and the files that it has just written."""
    from odeflow.files.netcdf import atomic_path  # which planning does not import

    states = {file: state for file in stage.outputs if (state := _state(study / file))}
    outputs = {file: content_digest(study / file) for file in stage.outputs}
    record = {"plan": stage.plan, "inputs": dict(inputs), "outputs": outputs}
    record |= {"asked": dict(stage.asked), "states": states}
    with atomic_path(study / stage.record) as temporary:
        temporary.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def checked_inputs(stage: Stage, study: Path = Path()) -> dict[str, str]:
    """Digests of the files that a stage reads, by name.

    Raises DamagedFileError, with the command that makes it again, for one that is not what was
    written.
    """
    from odeflow.files.netcdf import damaged

    found = {}
    for file, record in stage.inputs.items():
        known = read_record(study / record)
        written = known.get("outputs", {}).get(file)
        state = _state(study / file)
        is_untouched = state is not None and state == known.get("states", {}).get(file)
        found[file] = written if is_untouched else content_digest(study / file)
        if found[file] != written:
            raise damaged(Path(file), "is not what was written, it was edited or damaged since")
    return found


def _state(path: Path) -> list[int] | None:
    """What the system changes with each change of a large file: no program can set its `ctime`.

    None of a small file or a folder, and where the system keeps no fractions of seconds.
    """
    try:
        with path.open("rb") as file:  # on a network's disk, this looks at what there is now
            known = os.fstat(file.fileno())
    except OSError:
        return None
    if known.st_size < _LARGE or known.st_ctime_ns % 10**6 == 0:
        return None
    return [known.st_ino, known.st_size, known.st_mtime_ns, known.st_ctime_ns]


def has_files(stage: Stage, study: Path) -> bool:
    """Whether any file of a stage is there."""
    return any((study / file).exists() for file in stage.outputs)


def is_stale(stage: Stage, study: Path) -> bool:
    """Whether files of a stage are there that were not made of what is asked for now.

    A record that is missing counts as that; files that are missing do not.
    """
    if not has_files(stage, study):
        return False
    record = read_record(study / stage.record)
    if record.get("plan") != stage.plan or not {*stage.outputs} <= record["outputs"].keys():
        return True
    return any(
        record["inputs"].get(file) != read_record(study / made_by).get("outputs", {}).get(file)
        for file, made_by in stage.inputs.items()
    )


def content_digest(path: Path) -> str:
    """SHA-256 over the parts of a file, or over the names and files of a folder.

    Snakemake's own files in a folder do not count. Raises ConfigError where there is nothing.
    """
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file() and p.name[:10] != ".snakemake")
        parts = [f"{file.relative_to(path).as_posix()} {content_digest(file)}" for file in files]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
    try:
        size = path.stat().st_size
        if size <= _PART:  # threads would take longer
            digests = [_part_digest(path, 0)]
        else:
            with ThreadPoolExecutor(_THREADS) as pool:
                starts = range(0, size, _PART)
                digests = list(pool.map(lambda start: _part_digest(path, start), starts))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); run again") from None
    return hashlib.sha256(b"".join(digests)).hexdigest()


def _part_digest(path: Path, start: int) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(start)
        for buffer in _buffers(file, _PART):
            digest.update(buffer)
    return digest.digest()


def _buffers(file: Any, left: int) -> Iterator[bytes]:
    while left > 0:
        buffer = file.read(min(left, 2**20))
        if not buffer:
            return
        left -= len(buffer)
        yield buffer
