"""What a figure is of, in words: its caption, and the slice of the experiment it shows. Cheap."""

import ast
from functools import cache
from pathlib import Path

from odeflow.config.root import Config
from odeflow.config.wanted import wanted_metrics
from odeflow.design import axis_names, number_of_samples
from odeflow.files.shipped import shipped

#: In the metadata of a figure that is a line of text: it is none to look at.
MESSAGE = "odeflow:message"
_OF_METRIC = ("heat_map", "metric_scatter")
_OF_AXES = ("heat_map", "status_map", "solver_effort")
_MOST_NAMED = 6


def figure_caption(config: Config, kind: str) -> str:
    """The caption of a figure: what that kind shows, and of what it is here.

    Arguments:
        config: the experiment, in its study.
        kind: the figure's name.
    """
    reference = config.plot.functions.get(kind)
    words = _words(kind) if reference is None else _docstring(reference, config.study)
    return " ".join(filter(None, [words, figure_slice(config, kind)]))


def figure_slice(config: Config, kind: str) -> str:
    """The metric, the slice of the design, the number of trajectories and the conditions.

    Arguments:
        config: the experiment, in its study.
        kind: the figure's name.
    """
    design = config.design
    parts = []
    if kind in _OF_METRIC and (metrics := _metrics(config)):
        parts.append(f"Metric{'s' if metrics[1:] else ''}: {', '.join(metrics)}.")
    axes = axis_names(design, config.study)
    shown = config.plot.axes or axes
    hidden = [axis for axis in axes if axis not in shown[:2]]
    if design.kind == "grid" and kind in _OF_AXES and len(axes) > 2:
        parts.append(f"Over {' and '.join(shown[:2])}; further axes: {_some(hidden)}.")
    number = number_of_samples(design, config.study)
    parts.append(f"n = {number:,} trajector{'y' if number == 1 else 'ies'}, {design.kind} design.")
    if design.conditions:
        parts.append(f"Conditions: {_some(list(design.conditions))}.")
    return " ".join(parts)


def _metrics(config: Config) -> list[str]:
    """The metrics that are drawn: the config's, else the one that `selection` takes."""
    if config.plot.metrics:
        return config.plot.metrics
    if config.design.petab is not None:
        return ["log_likelihood"]
    states, observables = config.model.states, config.model.observables
    named = config.summary.variables or config.saveat.variables
    named = named or [*states, *(observables.variables if observables else ())]
    scalars = [name for name in named if name not in states or not states[name].shape]
    found = [(name, m) for name in scalars for m in wanted_metrics(config.summary, name)]
    found = [one for one in found if one[1] == "integral"] or found
    return [f"{name}_{metric}" for name, metric in found[:1]]


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _docstring(reference: str, study: Path) -> str:
    """The first paragraph of what the user's function says of itself; it is not imported."""
    file, _, name = reference.rpartition(":")
    try:
        body = ast.parse((study / file).read_text(encoding="utf-8")).body
    except (OSError, SyntaxError, ValueError):
        return ""  # drawing says what is wrong
    found = [x for x in body if isinstance(x, ast.FunctionDef) and x.name == name]
    text = (ast.get_docstring(found[0]) or "") if found else ""
    return " ".join(text.partition("\n\n")[0].split())


@cache
def _words(kind: str) -> str:
    """The caption that ships for a kind, of which the Snakemake report makes use too."""
    file = shipped() / "workflow" / "report" / f"{kind}.rst"
    if not file.is_file():
        return ""  # the user's own figure
    return file.read_text(encoding="utf-8").partition("{{")[0].strip()
