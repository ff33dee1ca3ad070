"""What is estimated and measured in words: long names and units, of the model's config."""

import json

import numpy as np
import xarray as xr

from odeflow.config.model import ModelConfig


def parameter_units(model: ModelConfig, names: list[str]) -> xr.Variable:
    """Units of each parameter's value, over `parameter`; 1 for those of the noise."""
    known = {**model.states, **model.parameters}
    units = [known[name].units if name in known else "1" for name in names]
    attributes = {"long_name": "units of the parameter"}
    return xr.Variable("parameter", np.array(units, dtype=object), attributes)


def measured_labels(model: ModelConfig, names: list[str]) -> dict[str, str]:
    """Attributes: long names and units of variables, a JSON list each, in the order of `names`."""
    known = {**model.states, **(model.observables.variables if model.observables else {})}
    words = [(known[n].long_name or n, known[n].units) if n in known else (n, "1") for n in names]
    long_names, units = zip(*words)
    return {"long_names": json.dumps(long_names), "units_of_each": json.dumps(units)}
