"""Comparisons to a labelled dataset, `verification.nc`, with its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy
import xarray as xr

from odeflow.config.root import Config
from odeflow.flags import flag_attributes, flag_meaning
from odeflow.provenance import VERSION

if TYPE_CHECKING:
    from odeflow.verification.compare import Comparison

_METHODS = ("none", "DOP853", "Radau")


def label_verification(
    config: Config,
    ensemble: xr.Dataset,
    chosen: np.ndarray,
    results: Sequence[Comparison],
    evaluator: str,
) -> xr.Dataset:
    """The dataset over (sample, time, ...), `sample` being rows of the design.

    Of each saved variable `<variable>_error_ratio`, its error over its tolerance, and
    `<variable>_reference`; of each trajectory the largest ratio, the variable and time where it
    is, and the ratio that is judged. Attributes: the verdict and the numbers that it rests on.
    """
    names = [str(n) for n, v in ensemble.data_vars.items() if "time" in v.dims]
    dims = ensemble["status"].dims
    index = np.unravel_index(chosen, [ensemble.sizes[d] for d in dims]) if dims else ()
    data: dict[str, Any] = {}
    for name in names:
        rest = tuple(d for d in ensemble[name].dims if d not in (*dims, "time"))
        shape = (0, *(ensemble.sizes[d] for d in ("time", *rest)))
        attributes = ensemble[name].attrs
        words = attributes.get("long_name", name)
        for kind, own in (
            ("error_ratio", {"units": "1", "long_name": f"error of {words} over its tolerance"}),
            ("reference", attributes | {"long_name": f"{words} by SciPy"}),
        ):
            parts = {"error_ratio": "ratio", "reference": "reference"}[kind]
            values = [getattr(result, parts)[name] for result in results]
            stacked = np.stack(values) if values else np.empty(shape)
            data[f"{name}_{kind}"] = (("sample", "time", *rest), stacked, own)
    after = ensemble["time"].values > config.model.t0
    data |= _worst(names, results, ensemble["time"], after)
    time = ensemble["time"].variable
    coords: dict[str, Any] = {
        "sample": ("sample", chosen, {"long_name": "row of the design"}),
        "time": time,
    }
    for name, coordinate in ensemble.coords.items():
        if name not in coords and set(coordinate.dims) <= set(dims):
            picked = dict(zip(dims, index))
            values = coordinate.values[tuple(picked[d] for d in coordinate.dims)]
            coords[str(name)] = ("sample", np.atleast_1d(values), coordinate.attrs)
    dataset = xr.Dataset(data, coords)
    ratios = [np.ravel(r.ratio[n][after]) for r in results for n in names]
    return dataset.assign_attrs(_attributes(config, ensemble, dataset, ratios, results, evaluator))


def _worst(
    names: Sequence[str], results: Sequence[Comparison], time: xr.DataArray, after: np.ndarray
) -> dict[str, Any]:
    """The largest ratio of each trajectory, and where it is."""
    table = np.full((4, len(results)), np.nan)
    variable = np.full(len(results), -1, np.int16)
    for i, result in enumerate(results):
        by_time = np.stack(
            [np.where(np.isnan(r), -1.0, r).reshape(len(after), -1).max(1) for r in
             (result.ratio[name] for name in names)]
        )  # fmt: skip
        at = np.unravel_index(np.argmax(by_time), by_time.shape)
        if by_time[at] >= 0:
            variable[i] = at[0]
            judged = np.max(by_time / result.amplification)
            table[:, i] = by_time[at], time.values[at[1]], result.amplification[at[1]], judged
    units = {"units": "1"}
    methods = np.array([_METHODS.index(r.method or "none") for r in results], np.int8)
    return {
        "error_ratio": ("sample", table[0], units | {"long_name": "largest error over tolerance"}),
        "worst_variable": (
            "sample",
            variable,
            {"long_name": "variable of it", **flag_attributes(["none", *names], np.int16, -1)},
        ),
        "worst_time": (
            "sample",
            table[1],
            {"units": time.attrs.get("units", "1"), "long_name": "time of it"},
        ),
        "amplification": (
            "sample",
            table[2],
            units
            | {"long_name": "error over tolerance of SciPy itself by then, at these tolerances"},
        ),
        "judged_error_ratio": (
            "sample",
            table[3],
            units | {"long_name": "largest error over tolerance and amplification"},
        ),
        "reference_method": (
            "sample",
            methods,
            {"long_name": "SciPy's method", **flag_attributes(_METHODS, np.int8)},
        ),
        "reference_evaluations": (
            "sample",
            np.array([r.evaluations for r in results], np.int64),
            units | {"long_name": "evaluations of the vector field by SciPy"},
        ),
    }


def _attributes(
    config: Config,
    ensemble: xr.Dataset,
    dataset: xr.Dataset,
    ratios: Sequence[np.ndarray],
    results: Sequence[Comparison],
    evaluator: str,
) -> dict[str, Any]:
    values = np.concatenate([np.empty(0), *ratios])
    values = values[~np.isnan(values)]
    median, high, largest = (
        np.percentile(values, [50, 99, 100], method="higher") if values.size else [np.nan] * 3
    )
    judged = float(np.nanmax(dataset["judged_error_ratio"].values, initial=0.0))
    lost = [r.reason for r in results if r.reason]
    verdict, reason = _verdict(config, dataset, judged, len(results) - len(lost))
    return {
        "Conventions": "CF-1.11",
        "title": f"{ensemble.attrs['title']}: verification",
        "source": f"odeflow {VERSION}, SciPy {scipy.__version__}, vector field by {evaluator}",
        "number_verified": len(results) - len(lost),
        "number_without_reference": len(lost),
        "reason_without_reference": lost[0] if lost else "",
        "number_of_values": len(values),
        "error_ratio_median": float(median),
        "error_ratio_99th_percentile": float(high),
        "error_ratio_largest": float(largest),
        "judged_error_ratio_largest": judged,
        "tightening": config.verify.tightening,
        "max_error_ratio": config.verify.max_error_ratio or np.inf,
        "verdict": verdict,
        "verdict_reason": reason,
    }


def _verdict(config: Config, dataset: xr.Dataset, judged: float, verified: int) -> tuple[str, str]:
    """`passed`, `failed` or `not judged`, and one line that says why."""
    limit = config.verify.max_error_ratio
    if not verified:
        return "not judged", "no trajectory could be verified"
    if limit is None:
        return "not judged", "verify.max_error_ratio is null"
    if config.solver.stepsize_controller == "constant":
        return "not judged", "constant steps keep no tolerance"
    if judged <= limit:
        return "passed", f"no error above {limit:g} tolerances"
    worst = dataset.isel(sample=int(np.nanargmax(dataset["judged_error_ratio"].values)))
    name, time = flag_meaning(worst["worst_variable"]), float(worst["worst_time"])
    return "failed", (
        f"sample {int(worst['sample'])}: {name} at {time:g} is off by "
        f"{float(worst['error_ratio']):.3g} tolerances, verify.max_error_ratio is {limit:g}; "
        "tighten solver.rtol and solver.atol, or take another method"
    )
