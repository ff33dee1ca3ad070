"""Comparisons to a labelled dataset, `verification.nc`, with its verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy
import xarray as xr

from odeflow.config.root import Config
from odeflow.files.flags import flag_attributes
from odeflow.provenance.versions import VERSION
from odeflow.trust.verification.compare import Comparison
from odeflow.trust.verification.judgement import Outcome, is_of_end
from odeflow.trust.verification.verdict import Verdict

_METHODS = ("none", "DOP853", "LSODA", "Radau")
#: What is stored of each saved variable: words, and how it is read from a comparison.
_KINDS: dict[str, tuple[str, Callable[[Comparison, str], np.ndarray]]] = {
    "relative_error": (
        "error of {} over the largest size that it has on the trajectory",
        lambda one, name: one.errors[name].relative,
    ),
    "error_ratio": (
        "error of {} over its tolerance",
        lambda one, name: one.errors[name].ratio,
    ),
    "reference": ("{} by SciPy", lambda one, name: one.reference[name]),
    "reference_uncertainty": (
        "by how much two references of {} differ",
        lambda one, name: one.errors[name].uncertainty,
    ),
}
_HAVE_UNITS = ("reference", "reference_uncertainty")


def label_verification(
    config: Config,
    ensemble: xr.Dataset,
    chosen: np.ndarray,
    results: Sequence[Comparison],
    evaluator: str,
    verdict: Verdict,
    metrics: Sequence[str] = (),
) -> xr.Dataset:
    """The dataset over (sample, time, ...), `sample` being rows of the design.

    Of each saved variable its error relative to its scale and over its tolerance, the reference
    and how uncertain that is; of each trajectory its outcome, the largest errors, and the variable
    and time where they are. `metrics` are names of those that are compared. Attributes: the
    verdict and the numbers that it rests on.
    """
    names = [str(n) for n, v in ensemble.data_vars.items() if "time" in v.dims]
    dims = ensemble["status"].dims
    index = np.unravel_index(chosen, [ensemble.sizes[d] for d in dims]) if dims else ()
    data: dict[str, Any] = {}
    for name in names:
        rest = tuple(d for d in ensemble[name].dims if d not in (*dims, "time"))
        shape = (0, *(ensemble.sizes[d] for d in ("time", *rest)))
        attributes = ensemble[name].attrs
        for kind, (words, read) in _KINDS.items():
            stacked = np.stack([read(one, name) for one in results]) if results else np.empty(shape)
            own = {"long_name": words.format(attributes.get("long_name", name))}
            own["units"] = attributes.get("units", "1") if kind in _HAVE_UNITS else "1"
            data[f"{name}_{kind}"] = (("sample", "time", *rest), stacked, own)
    of_end = [str(n) for n in ensemble.data_vars if is_of_end(str(n))]
    for name in (name for name in metrics if set(dims) <= {*ensemble[name].dims}):
        rest = tuple(d for d in ensemble[name].dims if d not in dims)
        shape = (0, *(ensemble.sizes[d] for d in rest))
        for kind, (words, read) in _KINDS.items():
            values = [read(one, name)[0] for one in results]
            known = ensemble[name].attrs
            own = {"long_name": words.format(known.get("long_name", name))}
            own["units"] = known.get("units", "1") if kind in _HAVE_UNITS else "1"
            stacked = np.stack(values) if results else np.empty(shape)
            data[f"{name}_{kind}"] = (("sample", *rest), stacked, own)
    data |= _worst(names, [*of_end, *metrics], results, ensemble["time"])
    coords: dict[str, Any] = {
        "sample": ("sample", chosen, {"long_name": "row of the design"}),
        "time": ensemble["time"].variable,
    }
    for name, coordinate in ensemble.coords.items():
        if name not in coords and set(coordinate.dims) <= set(dims):
            picked = dict(zip(dims, index))
            values = coordinate.values[tuple(picked[d] for d in coordinate.dims)]
            filled = np.broadcast_to(values, (len(chosen),))
            own = str(name)
            while own in data:  # an axis may be called as one of our results is
                own += "_"
            coords[own] = ("sample", filled, coordinate.attrs)
    dataset = xr.Dataset(data, coords)
    after = ensemble["time"].values > config.model.t0
    ratios = [np.ravel(r.errors[n].ratio[after]) for r in results for n in names]
    return dataset.assign_attrs(_attributes(config, ensemble, dataset, ratios, evaluator, verdict))


def _worst(
    over_time: Sequence[str],
    whole: Sequence[str],
    results: Sequence[Comparison],
    time: xr.DataArray,
) -> dict:
    """The outcome of each trajectory, its largest errors, and where they are.

    `whole` are names of what a trajectory has one number of.
    """
    names = [*over_time, *whole]
    worst = [one.judged.worst for one in results]
    variable = [names.index(one.variable) if one.variable else -1 for one in worst]
    times = [one.at for one in worst]
    ratio = [_largest(one, names) for one in results]
    amplification = [float(one.amplification.max(initial=1.0)) for one in results]
    methods = np.array([_METHODS.index(one.method or "none") for one in results], np.int8)
    units = {"units": "1"}
    return {
        "outcome": (
            "sample",
            np.array([int(one.judged.outcome) for one in results], np.int8),
            {
                "long_name": "outcome of the verification",
                **flag_attributes([kind.name for kind in Outcome], np.int8),
            },
        ),
        "relative_error": (
            "sample",
            np.array([one.relative for one in worst], float),
            units | {"long_name": "largest error over the scale of its variable"},
        ),
        "error_ratio": (
            "sample",
            np.array(ratio, float),
            units | {"long_name": "largest error over tolerance"},
        ),
        "worst_variable": (
            "sample",
            np.array(variable, np.int16),
            {
                "long_name": "variable of the largest error over its scale",
                **flag_attributes(["none", *names], np.int16, -1),
            },
        ),
        "worst_time": (
            "sample",
            np.array(times, float),
            {"units": time.attrs.get("units", "1"), "long_name": "time of it"},
        ),
        "amplification": (
            "sample",
            np.array(amplification, float),
            units
            | {"long_name": "error over tolerance of SciPy itself at the solver's tolerances"},
        ),
        "reference_method": (
            "sample",
            methods,
            {"long_name": "SciPy's method", **flag_attributes(_METHODS, np.int8)},
        ),
        "reference_evaluations": (
            "sample",
            np.array([one.evaluations for one in results], np.int64),
            units | {"long_name": "evaluations of the vector field by SciPy"},
        ),
    }


def _largest(one: Comparison, names: Sequence[str]) -> float:
    ratios = [one.errors[name].ratio.ravel() for name in names if name in one.errors]
    values = np.concatenate([np.empty(0), *ratios])
    values = values[~np.isnan(values)]
    return float(values.max()) if values.size else np.nan


def _attributes(
    config: Config,
    ensemble: xr.Dataset,
    dataset: xr.Dataset,
    ratios: Sequence[np.ndarray],
    evaluator: str,
    verdict: Verdict,
) -> dict[str, Any]:
    values = np.concatenate([np.empty(0), *ratios])
    values = values[~np.isnan(values)]
    median, high, largest = (
        np.percentile(values, [50, 99, 100], method="higher") if values.size else [np.nan] * 3
    )
    relative = dataset["relative_error"].values
    known = relative[~np.isnan(relative)]
    return {
        "Conventions": "CF-1.11",
        "title": f"{ensemble.attrs['title']}: verification",
        "source": f"odeflow {VERSION}, SciPy {scipy.__version__}, vector field by {evaluator}",
        "number_asked": verdict.asked,
        "number_reached": verdict.reached,
        "number_verified": verdict.judged,
        "number_of_values": len(values),
        "relative_error_largest": float(known.max()) if known.size else np.nan,
        "error_ratio_median": float(median),
        "error_ratio_99th_percentile": float(high),
        "error_ratio_largest": float(largest),
        "tightening": config.verify.tightening,
        "max_error": config.verify.max_error or np.inf,
        "max_error_ratio": config.verify.max_error_ratio or np.inf,
        "verdict": verdict.outcome.words,
        "verdict_reason": verdict.reason,
    }
