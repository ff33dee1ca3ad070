"""The indices of an experiment as a labelled dataset, `indices.nc`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from odeflow.analysis.outputs import Samples
from odeflow.analysis.sensitivity.block_sums import Index
from odeflow.analysis.sensitivity.methods import Analysis, SlopeReader
from odeflow.analysis.sensitivity.metric_slopes import MetricSlopes, metrics_with_slopes
from odeflow.analysis.sensitivity.outputs import OutputGroup, Reader, output_groups
from odeflow.config.root import Config
from odeflow.config.sensitivity_choice import sensitivity_methods
from odeflow.config.yaml_text import write_yaml
from odeflow.files.flags import flag_attributes
from odeflow.problem.axis_names import CONDITION, axis_attributes, axis_coordinate

#: Long names of indices, and whether they have the units of what they are of.
INDICES = {
    "first_order": ("first order Sobol index", False),
    "total_order": ("total order Sobol index", False),
    "second_order": ("second order Sobol index", False),
    "mu_star": ("mean size of elementary effects", True),
    "mu": ("mean elementary effect", True),
    "sigma": ("standard deviation of elementary effects", True),
    "pawn": ("median Kolmogorov-Smirnov distance over slices (PAWN)", False),
    "pawn_max": ("largest Kolmogorov-Smirnov distance over slices (PAWN)", False),
    "delta": ("Borgonovo's delta", False),
    "dgsm": ("mean squared derivative", None),
    "total_order_at_most": ("upper bound of the total order Sobol index", False),
}
#: Attributes of the ensemble that are not repeated.
_ENSEMBLE_ONLY = {"odeflow_config", "odeflow_model_source", "odeflow_model_data"}


def sensitivity_indices(
    config: Config, study: Path, ensemble: xr.Dataset, summary: xr.Dataset
) -> xr.Dataset:
    """Sensitivity indices of all outputs that the config asks for.

    Of each index there are `<output>_<index>` over `parameter` (for pairs `parameter_2` too) and
    the output's own dimensions, `..._bounds` over `bound`, the ends of its interval, and where
    prefixes of the design are followed `..._convergence` and `..._convergence_bounds` over
    `prefix`. `<output>_left_out` is how many blocks have no value of the output. Where an output's
    standard deviation is below ten tolerances of the solver, parts of its spread are NaN: they
    would be those of the solver's errors.

    Arguments:
        config: the experiment.
        study: the folder that a table's path is relative to.
        ensemble: its `ensemble.nc`, opened.
        summary: its `summary.nc`, opened.

    Returns:
        The dataset; shares of variance are between 0 and 1 but for their error, `mu`, `mu_star` and
        `sigma` are in the units of the output.

    Raises:
        ConfigError: an output asked for is not there.
    """
    asked = config.analyse.sensitivity
    assert asked is not None
    samples = Samples(ensemble, config.design.runs)
    found: dict[str, xr.Variable] = {}
    attributes: dict[str, Any] = {}
    prefixes: list[int] = []
    parameters: list[str] = []
    for method in sensitivity_methods(config):
        analysis = Analysis(config, study, method, samples.number)
        parameters = analysis.parameters
        prefixes = analysis.prefixes or prefixes
        attributes |= {"number_of_blocks": analysis.number_of_blocks}
        for group in output_groups(ensemble, summary, asked):
            if method == "dgsm":
                group = _with_slopes(config, ensemble, group)
            if not group.arrays:
                continue
            for name, variable in _of_group(config, ensemble, samples, analysis, group):
                found[name] = variable
    dataset = xr.Dataset(found, _coordinates(config, ensemble, found, parameters, prefixes))
    kept = {k: v for k, v in ensemble.attrs.items() if k not in _ENSEMBLE_ONLY}
    own = {
        "sensitivity_methods": " ".join(sensitivity_methods(config)),
        "design_kind": config.design.kind,
        "level": asked.level,
        "resamples": asked.resamples,
        "seed_of_resamples": str(asked.seed),
        "axes": json.dumps(parameters),
        "odeflow_analyse": write_yaml(config.slice("analyse")["analyse"]),
    }
    return dataset.assign_attrs(kept | own | attributes)


def _of_group(
    config: Config, ensemble: xr.Dataset, samples: Samples, analysis: Analysis, group: OutputGroup
) -> Iterator[tuple[str, xr.Variable]]:
    """The variables of all outputs of a group, computed part by part."""
    done = []
    for part in group.parts(analysis.most_outputs // samples.runs):
        slopes = _derivatives(config, ensemble, samples, analysis, part)
        reader = Reader(samples, part)
        indices, left_out = analysis.indices(reader, slopes)
        noise = reader.is_noise(config)
        indices = {
            name: index if name == "dgsm" else _without(index, noise)
            for name, index in indices.items()
        }
        plain = {"left_out": left_out, "standard_deviation": reader.spread.deviation}
        done += _shaped(part, samples.runs, indices, plain)
    if group.shape:  # cut along its own dimension
        done = [{key: _joined([one[key] for one in done], group.dims[0]) for key in done[0]}]
    for array, variables in zip(group.arrays, done, strict=True):
        yield from _named(str(array.name), array, variables)


def _without(index: Index, noise: np.ndarray) -> Index:
    """The index without those of outputs of which there is nothing to be said."""
    given = {key: x for key, x in index._asdict().items() if x is not None}
    return index._replace(**{key: np.where(noise, np.nan, x) for key, x in given.items()})


def _joined(pieces: list[xr.Variable], dim: str) -> xr.Variable:
    return pieces[0] if len(pieces) == 1 else xr.Variable.concat(pieces, dim)


def _shaped(
    part: OutputGroup, runs: int, indices: Mapping[str, Index], plain: Mapping[str, np.ndarray]
) -> list[dict[str, xr.Variable]]:
    """Of each array its indices by name, with the dimensions that they are over."""
    return [
        {name: _own(part, runs, place, *given) for name, given in _flat(indices, plain).items()}
        for place in range(len(part.arrays))
    ]


def _flat(
    indices: Mapping[str, Index], plain: Mapping[str, np.ndarray]
) -> dict[str, tuple[np.ndarray, tuple[str, ...]]]:
    """Values and their dimensions before that of outputs."""
    found: dict[str, tuple[np.ndarray, tuple[str, ...]]]
    found = {name: (values, ()) for name, values in plain.items()}
    for name, index in indices.items():
        dims = ("parameter", "parameter_2")[: index.value.ndim - 1]
        found[name] = (index.value, dims)
        found[f"{name}_bounds"] = (index.bounds, ("bound", *dims))
        if index.values_at is not None and index.bounds_at is not None:
            found[f"{name}_convergence"] = (index.values_at, ("prefix", *dims))
            found[f"{name}_convergence_bounds"] = (index.bounds_at, ("prefix", "bound", *dims))
    return found


def _own(
    part: OutputGroup, runs: int, place: int, values: np.ndarray, dims: tuple[str, ...]
) -> xr.Variable:
    """One array's part of values whose last axis are outputs: conditions, arrays, their values."""
    leading = values.shape[:-1]
    taken = values.reshape((*leading, runs, len(part.arrays), *part.shape))
    taken = taken.take(place, axis=len(leading) + 1)
    if runs > 1:
        return xr.Variable((*dims, CONDITION, *part.dims), taken)
    return xr.Variable((*dims, *part.dims), taken.reshape((*leading, *part.shape)))


def _named(
    output: str, array: xr.DataArray, variables: Mapping[str, xr.Variable]
) -> Iterator[tuple[str, xr.Variable]]:
    """The variables of one output with their names in the dataset and their attributes."""
    words = str(array.attrs.get("long_name", output))
    for name, variable in variables.items():
        if name == "left_out":
            attributes: dict[str, Any] = {
                "long_name": f"blocks of samples left out, for want of a value of {words}",
                "units": "1",
            }
        elif name == "standard_deviation":
            attributes = {
                "long_name": f"standard deviation of {words} over all samples",
                "units": array.attrs.get("units", "1"),
            }
        else:
            index = next(i for i in sorted(INDICES, key=len, reverse=True) if name.startswith(i))
            text, has_units = INDICES[index]
            what = {
                "": f"{text} of {words}",
                "_bounds": f"ends of the interval of the {text} of {words}",
                "_convergence": f"{text} of {words}, from the first blocks",
                "_convergence_bounds": f"ends of intervals of the {text} of {words}",
            }[name.removeprefix(index)]
            attributes = {"long_name": what, "index": index, "index_of": output}
            if has_units is not None:
                attributes["units"] = array.attrs.get("units", "1") if has_units else "1"
            others = [f"{output}_{name}{end}" for end in ("_bounds",) if name + end in variables]
            if others:
                attributes["ancillary_variables"] = " ".join(others)
        yield f"{output}_{name}", xr.Variable(variable.dims, variable.values, attributes)


def _with_slopes(config: Config, ensemble: xr.Dataset, group: OutputGroup) -> OutputGroup:
    """The outputs of a group that have derivatives: variables over time, and some metrics."""
    if "time" in group.dims:
        return group
    known = metrics_with_slopes(ensemble, config.summary)
    return OutputGroup(tuple(array for array in group.arrays if array.name in known))


def _derivatives(
    config: Config, ensemble: xr.Dataset, samples: Samples, analysis: Analysis, part: OutputGroup
) -> dict[str, SlopeReader] | None:
    """Readers of the derivatives of a part's outputs to each axis; none where not needed."""
    if analysis.method != "dgsm":
        return None
    coordinates = {axis: axis_coordinate(axis, config.model) for axis in analysis.axes}
    if "time" in part.dims:
        (array,) = part.arrays
        slopes = {
            axis: ensemble[f"d_{array.name}_d_{one}"].transpose("sample", ...)
            for axis, one in coordinates.items()
        }
        return {
            axis: Reader(samples, OutputGroup((one.sel(time=array["time"]),)))
            for axis, one in slopes.items()
        }
    known = metrics_with_slopes(ensemble, config.summary)
    metrics = [known[str(array.name)] for array in part.arrays]
    return {
        axis: MetricSlopes(
            samples, ensemble, metrics, {m.variable: f"d_{m.variable}_d_{one}" for m in metrics}
        )
        for axis, one in coordinates.items()
    }


def _coordinates(
    config: Config,
    ensemble: xr.Dataset,
    found: Mapping[str, xr.Variable],
    parameters: list[str],
    prefixes: list[int],
) -> dict[str, xr.Variable]:
    """Coordinates of all dimensions, those of the ensemble among them."""
    dims = {str(dim) for variable in found.values() for dim in variable.dims}
    names = np.array(parameters, dtype=object)
    words, units = zip(*(_described(config, name) for name in parameters))
    result = {
        "parameter": xr.Variable("parameter", names, {"long_name": "parameter"}),
        "parameter_long_name": xr.Variable("parameter", np.array(words, dtype=object)),
        "parameter_units": xr.Variable("parameter", np.array(units, dtype=object)),
        "bound": xr.Variable(
            "bound",
            np.array(["lower", "upper"], dtype=object),
            {"long_name": "end of the interval"},
        ),
    }
    if "parameter_2" in dims:
        other = {"long_name": "second parameter of a pair"}
        result["parameter_2"] = xr.Variable("parameter_2", names, other)
    if "prefix" in dims:
        attributes = {
            "long_name": "blocks from the first, which the indices are from",
            "units": "1",
        }
        result["prefix"] = xr.Variable("prefix", np.array(prefixes, np.int64), attributes)
    if CONDITION in dims:
        conditions = list(config.design.conditions)
        attributes = {"long_name": "condition", **flag_attributes(conditions, np.int16)}
        numbers = np.arange(len(conditions), dtype=np.int16)
        result[CONDITION] = xr.Variable(CONDITION, numbers, attributes)
    for name, coordinate in ensemble.coords.items():
        if set(map(str, coordinate.dims)) <= dims and name not in result:
            result[str(name)] = coordinate.variable
    return result


def _described(config: Config, name: str) -> tuple[str, str]:
    """Long name and units of an axis; the axes of a group."""
    group = config.design.groups.get(name)
    if group is not None:
        return ", ".join(group), "1"
    choices = config.design.choices
    declared = config.model.declaration()
    attributes = axis_attributes(name, declared, config.plain_doses, choices=choices)
    return str(attributes["long_name"]), str(attributes["units"])
