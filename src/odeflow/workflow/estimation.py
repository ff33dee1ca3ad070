"""The starts of an estimation as jobs: what decides their numbers, and their files. Without JAX.

The folder is named by a digest of all that decides the numbers of a start, so what is there is
never stale; a file is named by the numbers of its starts, so more starts keep those that are done.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odeflow.config.root import Config
from odeflow.files.digests import digest
from odeflow.importers.estimation import data_digest
from odeflow.provenance.sources import FITTING
from odeflow.workflow.chunks import RESULTS, solve_sources, sources_in_order

#: Keys of `analyse.estimate` that say what is made of the starts, and how many there are.
_AFTERWARDS = ("starts", "starts_per_job", "level", "profiles", "posterior")
_NUMERICAL = ("engine", "device", "precision")


@dataclass(frozen=True)
class StartChunk:
    """Starts first..last, and their file, relative to the study."""

    first: int
    last: int
    file: str


def fit_config(config: Config) -> dict[str, Any]:
    """The part of a config that decides the numbers of a start, as plain data.

    Arguments:
        config: the experiment, with `analyse.estimate`.

    Returns:
        A config without what cannot change them: how many samples a design has, what else is
        saved, how the starts are shared among jobs.
    """
    data = config.slice("model", "design", "doses", "solver", "runtime", "analyse")
    if data["design"]["size"] is not None:
        data["design"]["size"] = 1
    data["design"] |= {
        "seed": 0,
        "random_effects": None,
        "theta": None,
    }  # subjects are fitted as one
    data["runtime"] = {key: data["runtime"][key] for key in _NUMERICAL}
    data["solver"]["reject_drift"] = False
    data.pop("verify", None)
    estimate = data["analyse"]["estimate"]
    data["analyse"] = {
        "estimate": {key: x for key, x in estimate.items() if key not in _AFTERWARDS}
    }
    return {"name": "starts", **data}


def fit_digest(config: Config, study: Path) -> str:
    """Digest of all that decides the numbers of a start: config, data, source, versions.

    Arguments:
        config: the experiment, with `analyse.estimate`.
        study: the folder that its files are relative to.

    Returns:
        The name of the folder of its starts.
    """
    data = fit_config(config)
    # what they say is in the other keys and the digest of the data
    data["design"] |= {"petab": None, "nonmem": None}
    if data["design"]["records"] is not None:
        data["design"]["records"] |= {"carried": None, "meanings": None, "observed": None}
        data["design"]["records"] |= {"occasion": None, "by_occasion": None}
    data["analyse"]["estimate"].pop("data")
    made_by = solve_sources(config, study, FITTING)
    measured = data_digest(config, study)
    return digest(data, measured, made_by["packages"], sources_in_order(made_by))


def start_chunks(config: Config, study: Path) -> list[StartChunk]:
    """The jobs that make the starts, in order.

    Arguments:
        config: the experiment.
        study: the folder that its files are relative to.

    Returns:
        Ranges of starts with their files; none where nothing is estimated.
    """
    estimate = config.analyse.estimate
    if estimate is None:
        return []
    folder = RESULTS / config.name / "starts" / fit_digest(config, study)
    chunks = []
    for first in range(0, estimate.starts, estimate.starts_per_job):
        last = min(first + estimate.starts_per_job, estimate.starts)
        chunks.append(StartChunk(first, last, f"{folder}/{first:06d}-{last:06d}.nc"))
    return chunks
