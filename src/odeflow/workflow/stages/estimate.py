"""The stage that makes estimates of all starts: the best fit, intervals, profiles, draws."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from odeflow.analysis.estimation.estimates import estimates, make_objective
from odeflow.config.root import Config
from odeflow.ensemble.labels import data_attributes, global_attributes
from odeflow.ensemble.solve import configure_jax
from odeflow.files.digests import canonical_json
from odeflow.files.netcdf import damaged, read_dataset, write_dataset
from odeflow.importers.estimation import data_digest
from odeflow.importers.model_data import data_digests
from odeflow.provenance.sources import FITTING, all_sources, source_digest
from odeflow.provenance.versions import VERSION
from odeflow.workflow.stages.fit import FOLDER

if TYPE_CHECKING:
    from odeflow.engines.choice import Resources


def estimate(
    config: Config, study: Path, starts: Sequence[Path], path: Path, resources: Resources
) -> None:
    """Gathers the starts and writes what they say together.

    Arguments:
        config: the experiment, with `analyse.estimate`.
        study: the folder that its files are relative to.
        starts: files of `fit_starts`, which together have all starts, in order.
        path: the file to write, NetCDF.
        resources: cores, and the folder for compiled code.

    Raises:
        DamagedFileError: a file of starts is not what was written.
        ConfigError: the model does not load.
    """
    configure_jax(resources)
    parts: list[xr.Dataset] = []
    for file in starts:
        part = read_dataset(file)
        if part.attrs.pop(FOLDER, None) != file.parent.name:
            raise damaged(file, "its starts are of other settings or versions")
        parts.append(part)
    whole = xr.concat(parts, "start", data_vars="minimal") if parts[1:] else parts[0]
    asked = config.analyse.estimate
    assert asked is not None
    objective = make_objective(config, study, resources)
    found = estimates(objective, whole, asked)
    sources, engine = canonical_json(all_sources(config.model, study)), objective.simulation.engine
    about = global_attributes(config, engine.name, engine.reason, sources, "", ["analyse"])
    about |= {
        "title": f"{config.model.title or config.model.name}: estimates of {config.name}",
        "history": f"fitted by odeflow {VERSION}",
        "odeflow_source_digest": source_digest(FITTING),
        "odeflow_data_digest": data_digest(config, study),
    }
    if config.model.files:
        digests = canonical_json(data_digests(config.model, study))
        about |= data_attributes(config.model, study, digests)
    write_dataset(found.assign_attrs(about), path)
