"""The section of the overview page on estimates: the best fit, intervals, what is identified."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import xarray as xr

from odeflow.files.flags import flag_meanings
from odeflow.problem.estimated import SCALES, from_scale
from odeflow.report.pages import heading, paragraph, table
from odeflow.report.units import printed_units

_WORDS = {
    "identified": "identified: the interval has both limits",
    "no_lower_limit": "no lower limit: data allow any value down to the bound",
    "no_upper_limit": "no upper limit: data allow any value up to the bound",
    "no_limits": "not identified: data allow any value between the bounds",
    "flat": "structurally not identified: the objective does not depend on it",
    "not_profiled": "not profiled",
}


_MOST_NAMED = 6


def estimates_summary(estimates: xr.Dataset | None) -> Iterable[str]:
    """The sentence that the page begins with; none where nothing was estimated."""
    if estimates is None:
        return []
    number = estimates.sizes["start"]
    if "estimate" not in estimates:
        return [f"None of {number:,} starts could be fitted."]
    parts = [_in_words(row) for row in _limits(estimates)]
    more = len(parts) - _MOST_NAMED
    text = ", ".join(parts[:_MOST_NAMED]) + (f", and {more} more" if more > 0 else "")
    same = int(estimates.attrs["starts_at_best"])
    text += f": the best fit of {number:,} starts, {same:,} of which end within 0.1 of it."
    return [text]


def _in_words(row: _Limits) -> str:
    """Value, limits and units: 1.59 (1.23 to 1.97) L/h."""
    low, high = (f"{x:.3g}" for x in (row.low, row.high))
    units = "" if row.units in ("", "1") else f"\N{NO-BREAK SPACE}{printed_units(row.units)}"
    match math.isnan(row.low), math.isnan(row.high):
        case False, False:
            limits = f"{low} to {high}"
        case False, True:
            limits = f"above {low}"
        case True, False:
            limits = f"below {high}"
        case _:
            limits = "no limits"
    return f"{row.name} is {row.value:.3g} ({limits}){units}"


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
        why = str(estimates.attrs["comment"])
        why = why[0].upper() + why[1:]
        return [heading("Estimates"), table(None, counts), paragraph(f"{why}.")]
    known = estimates.attrs
    facts = [
        ("best objective (negative log-posterior)", f"{float(known['best_objective']):.6f}"),
        ("starts within 0.1 of it", f"{int(known['starts_at_best']):,}"),
        *counts,
        *_foretold(estimates),
    ]
    header = ["parameter", "estimate", "units", "scale", "low", "high", "what the data say"]
    if "r_hat" in estimates:
        header += ["R-hat", "effective draws"]
    level = f"{100 * float(known['level']):g}%"
    return [
        heading("Estimates"),
        table(None, facts),
        paragraph(
            f"Limits are those of the {level} interval by the profile likelihood, else by the "
            "Fisher information."
        ),
        table(header, _rows(estimates), {1, 4, 5, 7, 8}),
    ]


def _foretold(estimates: xr.Dataset) -> list[tuple[str, str]]:
    """How many of the measurements are where prior and posterior foretell them."""
    rows = []
    for kind in ("prior", "posterior"):
        name = f"{kind}_predictive_quantiles"
        if name in estimates and int(estimates[name].attrs["draws"]):
            levels = estimates["predictive_quantile"].values
            share = 100 * float(estimates[name].attrs["share_within"])
            part = f"{100 * (levels[-1] - levels[0]):g}% of the {kind} predictive"
            rows.append((f"measurements within {part}", f"{share:.0f}%"))
    return rows


class _Limits(NamedTuple):
    """A parameter's best fit and the ends of its interval, NaN where it has none."""

    name: str
    value: float
    units: str
    scale: str
    low: float
    high: float
    kind: str


def _limits(estimates: xr.Dataset) -> list[_Limits]:
    words, found = flag_meanings(estimates["identifiability"]), []
    for i, name in enumerate(estimates["parameter"].values):
        one = estimates.isel(parameter=i)
        scale, kind = SCALES[int(one["parameter_scale"])], words[int(one["identifiability"])]
        by = "normal" if kind == "not_profiled" else "profile"
        low, high = (
            float(from_scale(one[f"{by}_{side}"].values, scale)) for side in ("low", "high")
        )
        units = str(one["parameter_units"].values)
        found.append(_Limits(str(name), float(one["estimate"]), units, scale, low, high, kind))
    return found


def _rows(estimates: xr.Dataset) -> list[list[str]]:
    rows = []
    for i, one in enumerate(_limits(estimates)):
        limits = ["none" if np.isnan(x) else f"{x:.6g}" for x in (one.low, one.high)]
        row = [one.name, f"{one.value:.6g}", one.units, one.scale, *limits, _WORDS[one.kind]]
        if "r_hat" in estimates:
            row += [
                f"{float(estimates['r_hat'].values[i]):.3f}",
                f"{float(estimates['effective_size'].values[i]):,.0f}",
            ]
        rows.append(row)
    return rows
