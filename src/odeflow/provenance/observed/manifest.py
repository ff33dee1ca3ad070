"""The list of what a model reads, kept beside the results and compared with what is there now."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odeflow.files.digests import canonical_json, digest
from odeflow.files.errors import ConfigError
from odeflow.files.shipped import source_folder
from odeflow.files.source_code import PACKAGE
from odeflow.files.whole_file import replaced_when_whole
from odeflow.provenance.observed.things import Thing, path_name, present
from odeflow.provenance.versions import NUMERICAL_PACKAGES, versions

if TYPE_CHECKING:
    from odeflow.config.model import ModelConfig

#: Folders of a study that hold no files of a model.
_LEFT_OUT = {"results", "config", "__pycache__"}
#: Where manifests are, relative to the study.
FOLDER = Path("results") / "manifests"
#: Seconds after which a model that is still being imported and traced is given up.
_PATIENCE = 600.0

#: What was seen in this process and is not written yet, by the file it belongs to.
_unkept: dict[Path, Manifest] = {}
#: Manifests that hold in this job though other files lie in folders that were listed.
_held: set[Path] = set()
#: Kinds of things that are not looked at.
_trusted: list[str] = []
#: Those of a job. A batch system sets variables of its own, and a run puts files beside the data.
_OF_JOBS = ("environment", "listing", "existence")


@dataclass(frozen=True)
class Manifest:
    """What a model reads.

    `imported` are the first names of all modules that it imports. `notes` are one line each, on
    what it reads that cannot be held; `refused` is why it cannot be solved, if so. `program` is
    the digest of what JAX makes of it.
    """

    things: tuple[Thing, ...] = ()
    imported: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refused: str | None = None
    program: str = ""

    def is_current(self, study: Path, trusted: Sequence[str] = ()) -> bool:
        """Whether all that was read is what it was; kinds that are trusted are not looked at."""
        return all(
            thing.kind in trusted
            or present(thing.kind, thing.name, study, self.imported) == thing.value
            for thing in self.things
        )

    def is_same(self, other: Manifest) -> bool:
        """Whether the same files were read and made the same program, whatever lies beside them."""
        files, others = (
            {thing for thing in one.things if thing.kind == "file"} for one in (self, other)
        )
        return files == others and self.program == other.program


def observed(model: ModelConfig, study: Path) -> Manifest:
    """What the functions of a model read, as it is now.

    An empty manifest for models that ship or are imported, which read nothing else. Where what
    was read has changed since, or there is no manifest, the model is imported and traced in a
    process of its own: other data may lead to other files. Raises ConfigError where that showed
    that the model differs each time.
    """
    references = [name for name in model.functions if not name.startswith("odeflow.")]
    if not references:
        return Manifest()
    path = study.absolute() / FOLDER / f"{_key(model)}.json"
    found = _unkept.get(path) or _read(path)
    if found is None or not found.is_current(study, _trusted if path in _held else _trusted[:1]):
        now, is_traced = _observe(model, study)
        holds = bool(_trusted) and found is not None and found.is_current(study, _trusted)
        if found is not None and holds and (now.is_same(found) or not is_traced):
            _held.add(path)
        else:
            found = now
        if is_traced:  # else it is seen again next time, whatever was wrong with it
            _unkept[path] = found
    if found.refused:
        raise ConfigError(found.refused)
    return found


def reading_digest(model: ModelConfig, study: Path) -> list[str]:
    """A digest of all that the functions of a model read; none where they read nothing."""
    things = observed(model, study).things
    return [digest(sorted(things))] if things else []


def keep_manifests() -> None:
    """Writes the manifests that were made in this process, once nothing speaks against a run."""
    while _unkept:
        path, made = _unkept.popitem()
        _write(made, path)


def trust_surroundings(trusted: bool) -> None:
    """Whether what surrounds a model's files is taken for what the manifest says: so in jobs.

    Those are variables of the environment, and which files there are. Where others came into a
    folder that was listed, a job looks whether the model reads the same files and is the same.
    """
    _held.clear()
    _trusted[:] = _OF_JOBS if trusted else ()


def _key(model: ModelConfig) -> str:
    """What decides which files a model reads, besides what is in them; no values of numbers."""
    observables = model.observables and list(model.observables.variables)
    data = {name: file.model_dump(mode="json") for name, file in model.files.items()}
    inputs = {name: [*one.categories, one.interpolation] for name, one in model.inputs.items()}
    arrays = {name: [*one.categories, *one.shape] for name, one in model.arrays.items()}
    states = {name: state.shape for name, state in model.states.items()}
    parts = [model.functions, states, list(model.parameters), observables, data, inputs, arrays]
    parts.append(model.time_after_dose)
    files = [model.sbml, model.antimony]
    return digest(parts, files, versions(NUMERICAL_PACKAGES), sys.version, _own_code())


@cache
def _own_code() -> str:
    own = sorted((PACKAGE / "provenance" / "observed").glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in own)).hexdigest()


def _observe(model: ModelConfig, study: Path) -> tuple[Manifest, bool]:
    """What a new process sees the model read, and whether JAX could trace all of it."""
    with tempfile.TemporaryDirectory(prefix="odeflow-") as folder:
        told = Path(folder) / "told.json"
        asked = canonical_json({"model": model.model_dump(mode="json"), "told": str(told)})
        given = os.environ.get("PYTHONPATH", "")
        paths = filter(None, [str(source_folder() or ""), given])
        errors = Path(folder) / "errors.txt"
        # no pipes but for what is asked: a program that the model leaves running would hold them
        with errors.open("wb") as said:
            try:
                done = subprocess.run(
                    [
                        sys.executable,
                        "-P",
                        "-m",
                        "odeflow.provenance.observed",
                        given,
                    ],
                    input=asked.encode(),
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    cwd=study,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                    check=False,
                    timeout=_PATIENCE,
                )
                ended = f"the process ended with {done.returncode}"
            except subprocess.TimeoutExpired:
                ended = f"the process took more than {_PATIENCE:g} s"
        try:
            seen = json.loads(told.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            lines = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            why = f"{ended}: {lines[-1] if lines else 'no message'}"
            note = f"what the model reads could not be seen ({why}): all files of the study count"
            every = [Thing("file", name, present("file", name, study)) for name in _files(study)]
            return Manifest(tuple(every), notes=(note,)), False
    imported = tuple(seen["imported"])
    things = [
        Thing(kind, name, present(kind, name, study, imported)) for kind, name in seen["things"]
    ]
    notes = tuple(seen["notes"])
    found = Manifest(tuple(things), imported, notes, seen["refused"], seen["program"])
    return found, bool(found.program)


def _files(study: Path) -> list[str]:
    """Names of all files of a study but results and config."""
    found: list[str] = []
    for folder, names, files in os.walk(study):
        names[:] = [n for n in names if n not in _LEFT_OUT and not n.startswith(".")]
        found += [path_name(Path(folder, file), study) for file in files]
    return sorted(found)


def _read(path: Path) -> Manifest | None:
    """The manifest of a file; None where there is none, or it is not what was written."""
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        manifest = data["manifest"]
        if data["sha256"] != _sum(manifest):
            return None
        return Manifest(
            tuple(Thing(*thing) for thing in manifest["things"]),
            tuple(manifest["imported"]),
            tuple(manifest["notes"]),
            manifest["refused"],
            manifest["program"],
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write(manifest: Manifest, path: Path) -> None:
    """Writes it at once or, where nothing can be written, not at all: it is made again then."""
    data = json.loads(json.dumps(asdict(manifest) | {"things": list(manifest.things)}))
    text = json.dumps({"manifest": data, "sha256": _sum(data)}, indent=1) + "\n"
    with suppress(OSError), replaced_when_whole(path) as whole:
        whole.write_text(text, encoding="utf-8")


def _sum(data: Any) -> str:
    return hashlib.sha256(canonical_json(data).encode()).hexdigest()
