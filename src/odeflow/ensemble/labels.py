"""What a dataset says of itself and of its variables: attributes, outcomes, dimensions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from odeflow.config.model import ModelConfig
from odeflow.config.outputs import EFFORT
from odeflow.config.root import Config
from odeflow.config.yaml_text import write_yaml
from odeflow.ensemble.event_names import count_name, event_dims
from odeflow.ensemble.ragged import rows_of
from odeflow.files.digests import canonical_json, text_digest
from odeflow.files.errors import ConfigError
from odeflow.importers.model_data import data_bytes, stored
from odeflow.problem.status import Status
from odeflow.provenance.sources import SOLVING, source_digest
from odeflow.provenance.versions import VERSION, numerical_packages, versions

#: Variables besides states and observables, one value per trajectory, of the attempt that is kept.
OUTCOMES: dict[str, dict[str, Any]] = {
    "status": {
        "long_name": "outcome of the trajectory",
        "flag_values": np.array([int(s) for s in Status], np.int8),
        "flag_meanings": " ".join(s.name for s in Status),
    },
    "num_steps": {"long_name": "attempted solver steps", "units": "1"},
    "num_accepted_steps": {"long_name": "accepted solver steps", "units": "1"},
    "num_rejected_steps": {"long_name": "rejected solver steps", "units": "1"},
    "time_reached": {"long_name": "end of the trajectory, or of its last accepted step"},
}
ENGINES = ("native", "diffrax")
#: Dimension of the records of all samples, in their order, and how many each sample has.
RECORD, ROW_SIZE = "record", "row_size"


def design_dims(ensemble: xr.Dataset) -> tuple[str, ...]:
    """Dimensions of the design: a grid's axes, or `sample`."""
    return tuple(map(str, ensemble["status"].dims))


def design_axes(ensemble: xr.Dataset) -> list[str]:
    """Coordinates that are axes of the design, in order."""
    if design_dims(ensemble) != ("sample",):
        return list(design_dims(ensemble))
    return [str(c) for c, v in ensemble.coords.items() if v.dims == ("sample",) and c != "sample"]


def global_attributes(
    config: Config,
    engine: str,
    engine_reason: str,
    model_source: str,
    time_switches: str,
    more: Sequence[str] = (),
) -> dict[str, str]:
    """Attributes of a dataset: what it is, how it was made, by which versions and model files.

    No dates, paths or host names: the same config and versions give the same bytes on the same kind
    of processor. What cannot change the numbers (chunk size, threads, figures) is left out for the
    same reason. Engine and method are those of the first attempt; the variables of these names have
    each trajectory's. `more` are further groups of the config to record.
    """
    model = config.model
    groups = ("about", "model", "design", "doses", "stop", "solver", "saveat", "summary", "runtime")
    place = " on a GPU" if config.runtime.device == "gpu" else ""
    recorded = config.slice("name", *groups, *more)
    for key in EFFORT:
        recorded["runtime"].pop(key)
    return {
        "Conventions": "CF-1.11",
        "title": f"{model.title or model.name}: {config.name}",
        "history": f"solved, assembled and labelled by odeflow {VERSION}",
        "source": f"odeflow {VERSION}, engine {engine}{place}, method {config.solver.method}",
        "references": model.references or "",
        **config.about.attributes(),
        "odeflow_engine": engine,
        "odeflow_engine_reason": engine_reason,
        "odeflow_time_switches": time_switches,
        "odeflow_version": VERSION,
        "odeflow_versions": canonical_json(
            versions(numerical_packages(model, config.runtime.device))
        ),
        "odeflow_source_digest": source_digest(SOLVING),
        "odeflow_model_source": model_source,
        "odeflow_model_sha256": text_digest(model_source),
        "odeflow_config": _yaml(json.dumps(recorded)),
    }


@lru_cache(maxsize=16)
def _yaml(data: str) -> str:
    """The YAML of data in JSON: writing it takes longer than solving a few trajectories."""
    return write_yaml(json.loads(data))


def data_attributes(model: ModelConfig, study: Path, digests: str) -> dict[str, str]:
    """The files of `model.data` as attributes, and their digest.

    `digests` are those of the files that were solved with; raises ConfigError where a file is
    different by now.
    """
    contents = data_bytes(model, study)
    for name, digest in json.loads(digests).items():
        if name not in contents or hashlib.sha256(contents[name]).hexdigest() != digest:
            raise ConfigError(f"model.data: {name} was changed during the run; run again")
    text = canonical_json(stored(contents))
    return {"odeflow_model_data": text, "odeflow_model_data_sha256": text_digest(text)}


def trajectory(ensemble: xr.Dataset, row: int) -> xr.Dataset:
    """One row of the design of an ensemble, in memory, whatever the design: over time only.

    Of what was kept at records and events it has what is of this row.
    """
    dims = ensemble["status"].dims
    shape = tuple(ensemble.sizes[dim] for dim in dims)
    place = map(int, np.unravel_index(row, shape)) if dims else ()
    counted = {event: count_name(event) for event in event_dims(ensemble)}
    counted |= {RECORD: ROW_SIZE} if ROW_SIZE in ensemble else {}
    own = {dim: rows_of(ensemble[name].values.ravel(), row) for dim, name in counted.items()}
    return ensemble.isel(dict(zip(dims, place)) | own).load()
