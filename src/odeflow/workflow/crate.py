"""A finished experiment as a Workflow Run RO-Crate: its files, and how they were made, in JSON-LD.

After RO-Crate 1.1 and the profiles Process Run, Workflow Run (0.5) and Workflow RO-Crate (1.0),
Leo and others, PLOS ONE 19 (2024) e0309210.
"""

import json
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from odeflow.config.about import About
from odeflow.files.digests import file_digest
from odeflow.files.errors import ConfigError
from odeflow.provenance.recorded_results import recorded_results
from odeflow.provenance.versions import VERSION
from odeflow.trust.reproduce import CRATE, Reproduction, reproduce
from odeflow.workflow.chunks import RESULTS

_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
_WORKFLOW = "workflow/Snakefile"
_LEFT_OUT = {"logs"}
_TYPES = {".nc": "application/x-netcdf", ".html": "text/html", ".csv": "text/csv"}
_TYPES |= {".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png"}
_TYPES |= {".pdf": "application/pdf", ".py": "text/x-python", ".yaml": "text/yaml"}


def write_crate(results: Path, folder: Path, snakefile: Path) -> list[Path]:
    """Writes a crate of `results/<experiment>` into a new folder and returns its files.

    In it are the results that are what was written, by their records, a study that makes them
    again, and the Snakefile. Raises ConfigError, and writes nothing, where the folder is there
    already or among results, where there is no ensemble or no record of it, and where a file is
    not what was written or was made of others than are there.
    """
    ensemble = next((p for p in map(results.joinpath, _ENSEMBLES) if p.exists()), None)
    if ensemble is None:
        raise ConfigError(f"{results}: no ensemble.nc; name the folder of an experiment's results")
    if folder.exists():
        raise ConfigError(f"{folder}: is there already; name a new folder")
    if folder.resolve().is_relative_to(_all_results(results)):
        raise ConfigError(f"{folder}: is among results; name a new folder outside of them")
    recorded = recorded_results(results)
    if ensemble.relative_to(results) not in recorded:
        raise ConfigError(
            f"{results}: has no record of {ensemble.name}, by which to tell whether it is what was "
            "written; run the experiment again"
        )
    found = reproduce(ensemble)
    study = [file.relative_to(folder) for file in found.write(folder / "study")]
    made = []
    for file in recorded:
        path, target = results / file, folder / file
        if file.parts[0] in _LEFT_OUT:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, ignore=shutil.ignore_patterns(".snakemake*"))
        else:
            shutil.copy2(path, target)
        files = sorted(target.rglob("*")) if target.is_dir() else [target]
        made += [one.relative_to(folder) for one in files if one.is_file()]
    (folder / "workflow").mkdir()
    shutil.copy2(snakefile, folder / _WORKFLOW)
    finished = datetime.fromtimestamp(ensemble.stat().st_mtime, UTC).isoformat(timespec="seconds")
    graph = crate_graph(found, folder, study, made, finished)
    record = {"@context": _CONTEXT, "@graph": graph}
    (folder / CRATE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return [folder / file for file in (CRATE, _WORKFLOW, *study, *made)]


def _all_results(results: Path) -> Path:
    """The folder of all results of the study; of this experiment alone where it was moved."""
    place = results.resolve()
    return place.parent if place.parent.name == RESULTS.name else place


_ENSEMBLES = ("ensemble.nc", "ensemble.zarr")
#: RO-Crate's own terms, and those of its extension for runs of workflows.
_CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
]


def crate_graph(
    found: Reproduction, folder: Path, study: Iterable[Path], made: Iterable[Path], finished: str
) -> list[dict[str, Any]]:
    """The entities of a crate in a folder: what is in it, who made it, and the run."""
    config, about = found.config, found.config.about
    inputs, outputs = ([_file(folder, file) for file in files] for files in (study, made))
    people = _people(about)
    title = f"{config.model.title or config.model.name}: {config.name}"
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": title,
        "description": about.summary or f"Results of the experiment {config.name} by odeflow",
        "datePublished": finished,
        "license": about.license or "none given",
        "conformsTo": _ids(_PROFILES),
        "mainEntity": {"@id": _WORKFLOW},
        "hasPart": _ids([_WORKFLOW, *(one["@id"] for one in (*inputs, *outputs))]),
        "mentions": [{"@id": "#run"}],
        **({"author": _ids(one["@id"] for one in people)} if people else {}),
        **({"keywords": ", ".join(about.keywords)} if about.keywords else {}),
    }
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"Run of {config.name}",
        "instrument": {"@id": _WORKFLOW},
        "object": _ids(one["@id"] for one in inputs),
        "result": _ids(one["@id"] for one in outputs),
        "endTime": finished,
        **({"agent": {"@id": people[0]["@id"]}} if people else {}),
    }
    return [
        {
            "@id": CRATE,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": _ids(
                [
                    "https://w3id.org/ro/crate/1.1",
                    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
                ]
            ),
        },
        root,
        {
            "@id": _WORKFLOW,
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": f"odeflow {VERSION}",
            "version": VERSION,
            "programmingLanguage": {"@id": "#snakemake"},
        },
        {
            "@id": "#snakemake",
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "url": "https://snakemake.readthedocs.io",
        },
        *({"@id": i, "@type": "CreativeWork", "name": n} for i, n in _PROFILES.items()),
        run,
        *people,
        *inputs,
        *outputs,
    ]


def _file(folder: Path, file: Path) -> dict[str, Any]:
    """A file of the crate, with its size and digest."""
    path = folder / file
    kind = _TYPES.get(file.suffix)
    return {
        "@id": file.as_posix(),
        "@type": "File",
        "name": file.name,
        "contentSize": str(path.stat().st_size),
        "sha256": file_digest(path),
        **({"encodingFormat": kind} if kind else {}),
    }


def _people(about: About) -> list[dict[str, Any]]:
    return [
        {
            "@id": one.url or f"#person-{number}",
            "@type": "Person",
            "name": one.name,
            **({"email": one.email} if one.email else {}),
            **({"affiliation": one.institution} if one.institution else {}),
        }
        for number, one in enumerate(about.creator, start=1)
    ]


def _ids(names: Iterable[str] | Mapping[str, str]) -> list[dict[str, str]]:
    return [{"@id": name} for name in names]
