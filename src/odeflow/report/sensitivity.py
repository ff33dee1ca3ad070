"""What the page says of sensitivity indices: sentences first, then tables."""

from collections.abc import Iterable

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.report.pages import heading, paragraph, table
from odeflow.report.sensitivity_outputs import (
    DRAWN,
    AnalysedOutput,
    by_any,
    by_size,
    outputs,
    parameter_names,
    shown_outputs,
)

_MOST_SENTENCES, _MOST_NAMED, _MOST_ROWS, _MOST_OF_ONE = 4, 3, 60, 5
#: A part of the variance below which a parameter is not named.
_WORTH_NAMING = 0.01


def sentences(indices: xr.Dataset, config: Config) -> list[str]:
    """What matters most for each of the first outputs, in words."""
    names, told = parameter_names(indices, config), []
    for output in shown_outputs(indices, config, _MOST_ROWS):
        values = output.indices[output.leading or ""].values
        # as the mean and the integral over the same time, which depend on the same
        if not any(np.allclose(values, other, equal_nan=True) for _, other in told):
            told.append((output, values))
    return [_sentence(output, names) for output, _ in told[:_MOST_SENTENCES]]


def _sentence(output: AnalysedOutput, names: list[str]) -> str:
    index = output.leading
    order = by_size(output)
    if not output.is_sure:
        return (
            f"The sample is too small to say what {_the(output)} depends on: ask for a larger one."
        )
    if index in ("first_order", "total_order_at_most"):
        return _of_variance(output, names, order, index)
    what = {
        "mu_star": f"moves {{}} most: by {{}}{_units(output)} per whole range",
        "delta": "shifts the distribution of {} most: delta {}",
        "pawn": "shifts the distribution of {} most: a distance of {}",
    }[index or ""]
    first, *others = order
    main = f"{names[first]} {what.format(_the(output), _number(output, index, first))}"
    then = [f"{names[i]} {_number(output, index, i)}" for i in others[: _MOST_NAMED - 1]]
    return f"{main}{'; then ' + ', '.join(then) if then else ''}."


def _of_variance(output: AnalysedOutput, names: list[str], order: list[int], index: str) -> str:
    values = output.indices[index].values
    first, *others = order
    verb = "explains" if index == "first_order" else "explains at most"
    parts = [
        f"{names[first]} {verb} {_percent(output, index, first)} of the variance of {_the(output)}"
    ]
    named = [i for i in others if values[i] >= _WORTH_NAMING][: _MOST_NAMED - 1]
    parts += [f"{names[i]} {_percent(output, index, i)}" for i in named]
    text = ", ".join(parts)
    if index == "first_order" and "total_order" in output.indices:
        together = min(1 - np.nansum(values), 1.0)
        if together >= _WORTH_NAMING:
            text += (
                f"; what acts only together {100 * together:.0f}%{_strongest_pair(output, names)}"
            )
    return f"{text}."


def _strongest_pair(output: AnalysedOutput, names: list[str]) -> str:
    """The pair that explains most together, where second order indices are known."""
    if "second_order" not in output.indices:
        return ""
    values = np.nan_to_num(np.triu(output.indices["second_order"].values, 1), nan=-np.inf)
    i, j = np.unravel_index(int(np.argmax(values)), values.shape)
    low, high = 100 * output.indices["second_order_bounds"].transpose("bound", ...).values[:, i, j]
    if values[i, j] < _WORTH_NAMING or not low > 0:
        return ""
    share = f"{100 * values[i, j]:.0f}% ({low:.0f} to {high:.0f})"
    return f", of which {names[i]} and {names[j]} {share}"


def _the(output: AnalysedOutput) -> str:
    return f"the {output.title}"


def _percent(output: AnalysedOutput, index: str | None, place: int) -> str:
    """Percent with the ends of its interval: 71% (68 to 74)."""
    value = 100 * float(output.indices[index].values[place])
    low, high = 100 * _ends(output, index, place)
    interval = f" ({_rounded(low, 0)} to {_rounded(high, 0)})" if np.isfinite(low) else ""
    return f"{_rounded(value, 0)}%{interval}"


def _rounded(value: float, digits: int) -> str:
    """With so many digits behind the point, and no sign of a zero."""
    return f"{round(value, digits) + 0.0:.{digits}f}"


def _number(output: AnalysedOutput, index: str | None, place: int) -> str:
    value = float(output.indices[index].values[place])
    low, high = _ends(output, index, place)
    has_units = index in ("mu_star", "sigma")
    text = (lambda x: f"{x:.3g}") if has_units else (lambda x: _rounded(x, 2))
    return text(value) + (f" ({text(low)} to {text(high)})" if np.isfinite(low) else "")


def _ends(output: AnalysedOutput, index: str | None, place: int) -> np.ndarray:
    return output.indices[f"{index}_bounds"].transpose("bound", ...).values[:, place]


def _units(output: AnalysedOutput) -> str:
    return "" if output.units in ("", "1") else f" {output.units}"


def sensitivity_section(indices: xr.Dataset | None, config: Config) -> Iterable[str]:
    """Indices of metrics with their intervals, and how many blocks they are from."""
    if indices is None:
        return []
    found = outputs(indices, over_time=False) or shown_outputs(indices, config, _MOST_ROWS)
    silent = [output.title for output in found if not _is_known(output)]
    found = [output for output in found if _is_known(output)]
    names = parameter_names(indices, config)
    number = int(indices.attrs["number_of_blocks"])
    header = ["of", "parameter", *(_heading(index) for index in _columns(found)), "left out"]
    rows = [
        [
            output.title,
            names[place],
            *(
                _number(output, index, place) if index in output.indices else ""
                for index in _columns(found)
            ),
            f"{int(output.indices['left_out']):,}",
        ]
        for output in found
        for place in by_any(output)[:_MOST_OF_ONE]
    ]
    level = 100 * float(indices.attrs["level"])
    facts = [
        ("methods", str(indices.attrs["sensitivity_methods"])),
        ("design", f"{indices.attrs['design_kind']}, {number:,} blocks"),
        ("intervals", f"{level:g}%, by {int(indices.attrs['resamples'])} resamples of blocks"),
        ("left out", "blocks in which a trajectory has no value of the output"),
        *(
            [
                (
                    "without indices",
                    f"{', '.join(silent)}: they do not vary by more than the solver's error",
                )
            ]
            if silent
            else []
        ),
    ]
    cut = paragraph("The parameters that matter most, of the first results; all are in indices.nc.")
    return [
        heading("Sensitivity"),
        table(None, facts, name="the analysis"),
        *([cut] if len(rows) > _MOST_ROWS or len(names) > _MOST_OF_ONE else []),
        table(header, rows[:_MOST_ROWS], set(range(2, len(header)))),
    ]


def _is_known(output: AnalysedOutput) -> bool:
    return bool(np.isfinite(output.indices[output.leading or ""].values).any())


def _columns(found: list[AnalysedOutput]) -> list[str]:
    return [
        index for index in (*DRAWN, "sigma") if any(index in output.indices for output in found)
    ]


def _heading(index: str) -> str:
    return {"sigma": "\N{GREEK SMALL LETTER SIGMA}"}.get(index) or DRAWN[index]
