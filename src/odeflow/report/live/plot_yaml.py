"""The YAML that makes what is seen a plot of the experiment: an option of the `plot` group."""

from typing import Any

from odeflow.config.plot import PlotConfig
from odeflow.config.yaml_text import write_yaml
from odeflow.report.live.selection import Selection
from odeflow.report.live.stored import Stored

#: The file is called so, and the option is.
OPTION = "explored"


def plot_yaml(stored: Stored, selection: Selection) -> str:
    """The content of `config/plot/explored.yaml`, with the command that draws it.

    Arguments:
        stored: the experiment.
        selection: what is seen.

    Returns:
        Text of a YAML file that begins with what to do with it. What a plot cannot have, such as a
        slice, is said there.
    """
    name = stored.config.name
    comments = [
        f"A plot of the experiment {name}, as it was seen in `odeflow explore`.",
        f"Save it as config/plot/{OPTION}.yaml of the study, then:",
        f"  odeflow run experiment={name} plot={OPTION}",
    ]
    if words := selection.in_words():
        comments.append(f"A plot shows all trajectories; what was seen was a part: {words}.")
    if selection.places and selection.view == "courses":
        comments.append("Of an array state a plot shows one trajectory over all of its places.")
    if selection.view == "metric" and len(selection.axes) == 1 and stored.dims != ("sample",):
        comments.append("It has a panel for each axis.") if len(stored.axes) > 1 else None
    settings = _settings(stored, selection)
    PlotConfig.model_validate(settings)
    return "".join(f"# {line}\n" for line in comments) + write_yaml(settings)


def _settings(stored: Stored, selection: Selection) -> dict[str, Any]:
    """What differs from the defaults."""
    settings: dict[str, Any] = {}
    names = list(selection.variables)
    match selection.view:
        case "courses":
            settings |= {"figures": ["time_courses"], "variables": names}
        case "phase":
            settings |= {"figures": ["phase_portrait"], "variables": names[:2]}
        case "space":
            settings |= {"figures": ["time_courses"], "variables": names[:1]}
        case "metric":
            kind = "heat_map" if len(selection.axes) > 1 else "metric_scatter"
            axes = [stored.axis_name(axis) for axis in selection.axes]
            settings |= {"figures": [kind], "metric": selection.metric, "axes": axes}
            if kind == "metric_scatter":
                settings.pop("axes")
    if selection.group is not None and selection.view in ("courses", "metric"):
        settings["group"] = stored.axis_name(selection.group)
    if selection.view in ("courses", "space"):
        settings["log_time"] = selection.log_time
    if selection.log_values is not None and selection.view != "space":
        settings["scale"] = "log" if selection.log_values else "linear"
    return settings
