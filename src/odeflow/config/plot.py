"""The `plot` group: which figures are drawn, and how."""

import importlib.util
import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator

from odeflow.config.base import Distinct, Integer, Strict, VariableName, measured_in

FigureKind = Literal[
    "time_courses",
    "heat_map",
    "metric_scatter",
    "phase_portrait",
    "vpc",
    "event_times",
    "event_section",
    "solver_effort",
    "status_map",
    "verification",
    "measurements",
    "sensitivity_indices",
    "sensitivity_over_time",
    "sensitivity_pairs",
    "morris_plane",
    "sensitivity_convergence",
    "waterfall",
    "estimates",
    "best_fit",
    "profiles",
    "posterior",
    "predictive",
    "training_set",
]
ScaleKind = Literal["auto", "linear", "log", "symlog"]

#: Millimetres of a column and of a page's width, as journals have them.
WIDTHS = {
    "default": (86.0, 175.0),
    "aps": (86.0, 178.0),
    "cell": (85.0, 174.0),
    "elsevier": (90.0, 190.0),
    "nature": (89.0, 183.0),
    "plos": (132.0, 190.0),
    "science": (57.0, 184.0),
}
_FUNCTION = re.compile(r"[A-Za-z0-9_./-]+\.py:(?P<name>[A-Za-z][A-Za-z0-9_]*)")


class PlotConfig(Strict):
    """Which figures are drawn and how."""

    figures: Annotated[list[FigureKind | str], Distinct] | Literal["auto"] = Field(
        "auto",
        description="figure kinds, and the user's own, `file.py:function`; auto: those that fit "
        "the design",
    )
    formats: Annotated[list[Literal["svg", "png", "pdf"]], Distinct] = Field(
        ["svg", "png"], min_length=1, description="file formats of each figure"
    )
    dpi: Annotated[Integer, Field(ge=30, le=1200)] = Field(
        150, description="resolution of PNG", json_schema_extra=measured_in("dots per inch")
    )
    variables: Annotated[list[VariableName], Distinct] | None = Field(
        None, description="states and observables to show; null: the first few"
    )
    metric: str | Annotated[list[str], Distinct, Field(min_length=1)] | None = Field(
        None,
        description="summary variable of heat map and scatter, <variable>_<metric>, or a list of "
        "such",
    )
    axes: Annotated[list[VariableName], Distinct] | None = Field(
        None, description="the two axes of heat map and status map; null: the first two"
    )
    group: VariableName | None = Field(
        None,
        description="an axis of a few levels, or `condition`: a colour each; null: conditions, "
        "where there are several",
    )
    trajectories: Annotated[Integer, Field(ge=0)] = Field(
        20, description="single trajectories drawn in time courses and phase portraits"
    )
    log_time: bool | None = Field(
        None, description="logarithmic time axis; null: where the saved times are log-spaced"
    )
    scale: ScaleKind | dict[VariableName, ScaleKind] = Field(
        "auto",
        description="axes of values, or {variable: scale}; auto: log over three decades above the "
        "tolerance",
    )
    size: Literal["default", "aps", "cell", "elsevier", "nature", "plos", "science"] = Field(
        "default", description="a journal's widths of a column and of a page"
    )
    style: str | None = Field(
        None, description="a Matplotlib style: a name, or a file.mplstyle of the study"
    )

    @field_validator("figures")
    @classmethod
    def _known(cls, value: Any) -> Any:
        known, names = get_args(FigureKind), []
        for figure in value if value != "auto" else ():
            own = _FUNCTION.fullmatch(figure)
            if figure not in known and own is None:
                raise ValueError(
                    f"{figure!r} is neither file.py:function nor one of: {', '.join(known)}"
                )
            names.append(own["name"] if own else figure)
            if own and own["name"] in known:
                raise ValueError(f"{figure}: {own['name']} is taken; rename it")
        if len({*names}) < len(names):
            raise ValueError("two functions of one name; rename one of them")
        return value

    @field_validator("style")
    @classmethod
    def _named(cls, value: str | None) -> str | None:
        if value is None or value.endswith(".mplstyle") or value in (known := shipped_styles()):
            return value
        names = ", ".join(name for name in known if not name.startswith("_"))
        raise ValueError(f"{value!r} is neither a file.mplstyle nor one of: {names}")

    def scale_of(self, variable: str) -> ScaleKind:
        """The scale asked for of a variable's values."""
        if isinstance(self.scale, dict):
            return self.scale.get(variable, "auto")
        return self.scale

    @property
    def metrics(self) -> list[str]:
        """The metrics asked for, none where the first that fits is to be taken."""
        return [self.metric] if isinstance(self.metric, str) else self.metric or []

    @property
    def functions(self) -> dict[str, str]:
        """The user's own figures: a function by the name of its figure."""
        asked = self.figures if self.figures != "auto" else ()
        return {x.rsplit(":", 1)[1]: x for x in asked if ":" in x}

    @property
    def widths(self) -> tuple[float, float]:
        """Of a column and of a page, in millimetres."""
        return WIDTHS[self.size]


def shipped_styles() -> list[str]:
    """Names of the styles that Matplotlib ships, found without importing it."""
    found = importlib.util.find_spec("matplotlib")
    folders = [] if found is None else found.submodule_search_locations or []
    return sorted(
        file.stem
        for folder in folders
        for file in Path(folder, "mpl-data/stylelib").glob("*.mplstyle")
    )
