"""The section of the overview page on estimates: the best fit, intervals, what is identified."""

from collections.abc import Iterable

import numpy as np
import xarray as xr

from odeflow.files.flags import flag_meanings
from odeflow.problem.estimated import SCALES, from_scale
from odeflow.report.pages import table

_WORDS = {
    "identified": "identified: the interval has both limits",
    "no_lower_limit": "no lower limit: data allow any value down to the bound",
    "no_upper_limit": "no upper limit: data allow any value up to the bound",
    "no_limits": "not identified: data allow any value between the bounds",
    "flat": "structurally not identified: the objective does not depend on it",
    "not_profiled": "not profiled",
}


def estimates_section(estimates: xr.Dataset | None) -> Iterable[str]:
    """The lines of the page; none where nothing was estimated."""
    if estimates is None:
        return []
    status = estimates["fit_status"].values
    ends = [
        (word.replace("_", " "), f"{int((status == number).sum()):,}")
        for number, word in enumerate(flag_meanings(estimates["fit_status"]))
        if (status == number).any()
    ]
    counts = [("starts", f"{status.size:,}"), *ends]
    if "estimate" not in estimates:
        return ["<h2>Estimates</h2>", table(None, counts), "<p>No start could be fitted.</p>"]
    known = estimates.attrs
    facts = [
        ("best objective (negative log-posterior)", f"{float(known['best_objective']):.6f}"),
        ("starts within 0.1 of it", f"{int(known['starts_at_best']):,}"),
        *counts,
    ]
    header = ["parameter", "estimate", "scale", "low", "high", "what the data say"]
    if "r_hat" in estimates:
        header += ["R-hat", "effective draws"]
    level = f"{100 * float(known['level']):g} %"
    return [
        "<h2>Estimates</h2>",
        table(None, facts),
        f"<p>Limits are those of the {level} interval by the profile likelihood, else by the "
        "Fisher information.</p>",
        table(header, _rows(estimates), {1, 3, 4, 6, 7}),
    ]


def _rows(estimates: xr.Dataset) -> list[list[str]]:
    words = flag_meanings(estimates["identifiability"])
    rows = []
    for i, name in enumerate(estimates["parameter"].values):
        scale = SCALES[int(estimates["parameter_scale"].values[i])]
        kind = words[int(estimates["identifiability"].values[i])]
        by = "normal" if kind == "not_profiled" else "profile"
        limits = [float(estimates[f"{by}_{side}"].values[i]) for side in ("low", "high")]
        row = [str(name), f"{float(estimates['estimate'].values[i]):.6g}", scale]
        row += ["none" if np.isnan(x) else f"{float(from_scale(np.array(x), scale)):.6g}"
                for x in limits]  # fmt: skip
        row.append(_WORDS[kind])
        if "r_hat" in estimates:
            row += [
                f"{float(estimates['r_hat'].values[i]):.3f}",
                f"{float(estimates['effective_size'].values[i]):,.0f}",
            ]
        rows.append(row)
    return rows
