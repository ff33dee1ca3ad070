"""The `design` group: which parameters and initial values vary, and by which law."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from odeflow.config.axis import CATEGORIES, LEVEL_LAWS, RANDOM_LAWS, Axis
from odeflow.config.base import (
    ChoiceName,
    Distinct,
    Integer,
    Natural,
    Strict,
    VariableName,
    measured_in,
)
from odeflow.config.conditions import (
    PreequilibrationConfig,
    Settings,
    check_preequilibration,
)
from odeflow.config.nonmem import NonmemConfig, RecordsConfig
from odeflow.config.random_effects import RandomEffectsConfig
from odeflow.config.theta import ThetaConfig

#: Designs that a sensitivity analysis has of its own: their rows belong together in blocks.
PLANNED = ("saltelli", "morris", "fast")
SAMPLERS = ("random", "sobol", "halton", "latin_hypercube", *PLANNED)
#: Keys that not every kind of design has, and the kinds that do.
KINDS_WITH: dict[str, tuple[str, ...]] = {
    "axes": ("grid", "zip", *SAMPLERS),
    "size": SAMPLERS,
    "path": ("table",),
    "second_order": ("saltelli",),
    "levels": ("morris",),
    "radial": ("morris",),
    "groups": ("saltelli", "morris"),
    "nonmem": ("nonmem",),
    "random_effects": ("table", "zip", "nonmem"),
    "theta": ("table", "zip", "nonmem"),
}
#: Designs whose first n samples do not depend on how many follow.
SEQUENTIAL = ("random", "sobol", "halton", "table", "saltelli", "morris")


DesignKind = Literal[
    "grid",
    "zip",
    "random",
    "sobol",
    "halton",
    "latin_hypercube",
    "table",
    "nonmem",
    "saltelli",
    "morris",
    "fast",
]


class DesignConfig(Strict):
    """The design: one row (sample) per trajectory, one column per axis."""

    kind: DesignKind = Field(description="how the axes are combined")
    axes: dict[VariableName, Axis] = Field(
        default_factory=dict,
        description="what varies: parameters, and states (their initial values)",
    )
    size: Natural | None = Field(
        None,
        description="number of samples (samplers only); saltelli: of base points, morris: of "
        "trajectories, fast: of points of each axis' curve",
        json_schema_extra=measured_in("samples"),
    )
    seed: Annotated[Integer, Field(ge=0)] = Field(0, description="seed of the samplers, >= 0")
    second_order: bool = Field(
        False, description="saltelli only: rows for the indices of pairs, nearly twice as many"
    )
    levels: Natural = Field(4, description="morris only: levels of an axis, an even number")
    radial: bool = Field(
        False, description="morris only: steps from one point each, not along trajectories"
    )
    groups: dict[VariableName, Annotated[list[VariableName], Distinct]] = Field(
        default_factory=dict,
        description="saltelli and morris: {name: [axes]} that vary as one; others are alone",
    )
    path: str | None = Field(
        None, description="table only: a .csv, .parquet or .nc file, its columns are the axes"
    )
    conditions: dict[ChoiceName, Settings] = Field(
        default_factory=dict,
        description="{name: {parameter or state: a number or an axis}}: every sample is solved "
        "under each of them; not for a grid",
    )
    preequilibration: dict[ChoiceName, PreequilibrationConfig] = Field(
        default_factory=dict,
        description="{condition: {settings, reset}}: trajectories under the condition start in the "
        "steady state of these settings",
    )
    petab: str | None = Field(
        None,
        description="the YAML file of a PEtab problem: model, axes, conditions, observables and "
        "measurements are its own",
    )
    nominal: bool = Field(
        False, description="petab only: its nominal parameters alone, in place of samples"
    )
    nonmem: NonmemConfig | None = Field(
        None, description="a data set of NONMEM's layout: its doses and times of each subject"
    )
    records: RecordsConfig | None = Field(
        None, description="set by the importer: what stands in the data set"
    )
    random_effects: RandomEffectsConfig | None = Field(
        None, description="subjects that differ at random, for each row of a table, zip or nonmem"
    )

    theta: ThetaConfig | None = Field(
        None,
        description="typical values that are not known: draws of them, for a table, zip or nonmem",
    )

    @property
    def replicates(self) -> int:
        """Draws of the typical values; 1 where they are known."""
        return 1 if self.theta is None else self.theta.replicates

    @property
    def is_sampler(self) -> bool:
        """Whether the axes are distributions."""
        return self.kind in SAMPLERS

    @property
    def factors(self) -> dict[str, list[int]]:
        """What varies as one, by name: groups, and the axes that are in none; places of axes."""
        places = {name: place for place, name in enumerate(self.axes)}
        found = {name: [places[one] for one in axes] for name, axes in self.groups.items()}
        grouped = {one for axes in self.groups.values() for one in axes}
        return found | {name: [place] for name, place in places.items() if name not in grouped}

    @property
    def block_rows(self) -> int:
        """Sets of the axes' values for each of `size`."""
        match self.kind:
            case "saltelli":
                return (2 if self.second_order else 1) * len(self.factors) + 2
            case "morris":
                return len(self.factors) + 1
            case "fast":
                return len(self.axes)
            case _:
                return 1

    @property
    def choices(self) -> dict[str, list[str]]:
        """The categories of each axis that has some; the axis' values are their numbers."""
        return {name: axis.names for name, axis in self.axes.items() if axis.names is not None}

    @property
    def runs(self) -> int:
        """Trajectories of each set of the axes' values: one per condition."""
        return max(len(self.conditions), 1)

    @property
    def set_by_conditions(self) -> list[str]:
        """The parameters and states that conditions set."""
        return list(dict.fromkeys(name for one in self.conditions.values() for name in one))

    @model_validator(mode="after")
    def _conditions_fit(self) -> "DesignConfig":
        if self.conditions and self.kind == "grid":
            raise ValueError("design.conditions: not for a grid design; use zip")
        if self.nominal and self.petab is None:
            raise ValueError("design.nominal: only with design.petab")
        for condition, settings in self.conditions.items():
            for name in self.set_by_conditions:
                key = f"design.conditions.{condition}.{name}"
                value = settings.get(name)
                if value is None:
                    raise ValueError(f"{key}: needed, since another condition sets {name}")
                if isinstance(value, str) and value not in self.axes:
                    raise ValueError(
                        f"{key}: {value!r} is not an axis; axes: {', '.join(self.axes) or 'none'}"
                    )
                if name in self.axes:
                    raise ValueError(f"{key}: {name} is an axis too; keep one of them")
        return self

    @model_validator(mode="after")
    def _preequilibration_fits(self) -> "DesignConfig":
        check_preequilibration(self.preequilibration, self.conditions, self.axes)
        return self

    @model_validator(mode="after")
    def _planned(self) -> "DesignConfig":
        for key in ("second_order", "levels", "radial", "groups"):
            kinds = KINDS_WITH[key]
            is_set = getattr(self, key) != type(self).model_fields[key].get_default(
                call_default_factory=True
            )
            if is_set and self.kind not in kinds:
                raise ValueError(f"design.{key}: only for {' and '.join(kinds)} designs; remove it")
        if self.levels % 2:
            raise ValueError(f"design.levels: an even number is needed (got {self.levels})")
        if self.radial and self.groups:
            raise ValueError("design.groups: not with design.radial; remove one of them")
        seen: set[str] = set()
        for group, axes in self.groups.items():
            key = f"design.groups.{group}"
            for name in axes:
                if name not in self.axes:
                    known = ", ".join(self.axes) or "none"
                    raise ValueError(f"{key}: {name!r} is not an axis; axes: {known}")
                if name in seen:
                    raise ValueError(f"{key}: {name} is in another group too; keep one of them")
                seen.add(name)
            if not axes:
                raise ValueError(f"{key}: a group needs at least one axis")
            if group in self.axes and axes != [group]:
                raise ValueError(f"{key}: an axis has that name; choose another one")
        return self

    @model_validator(mode="before")
    @classmethod
    def _file_alone(cls, data: Any) -> Any:
        file = data.get("nonmem") if isinstance(data, dict) else None
        return {**data, "nonmem": {"file": file}} if isinstance(file, str) else data

    @model_validator(mode="after")
    def _keys_fit_kind(self) -> "DesignConfig":
        if (self.kind == "nonmem") != (self.records is not None):
            raise ValueError("design.nonmem: a nonmem design, and no other, needs its data set")
        if self.kind == "nonmem" and self.axes:
            raise ValueError(f"design.axes: not with nonmem, remove {', '.join(self.axes)}")
        for key in ("random_effects", "theta"):
            if getattr(self, key) and self.kind not in KINDS_WITH[key]:
                raise ValueError(f"design.{key}: for table, zip and nonmem, not {self.kind}")
        if self.kind == "table":
            if self.path is None:
                raise ValueError("design.path: a table design needs the file of the table")
            if self.axes:
                raise ValueError(
                    "design.axes: a table's columns are the axes, remove " + ", ".join(self.axes)
                )
            if self.size is not None:
                raise ValueError("design.size: the table's rows are the size, remove it")
            return self
        if self.path is not None:
            raise ValueError("design.path: only for design.kind: table")
        if self.is_sampler and self.size is None:
            raise ValueError(f"design.size: a {self.kind} design needs the number of samples")
        if not self.is_sampler and self.size is not None:
            raise ValueError(f"design.size: the axes set the size of a {self.kind} design")
        if self.is_sampler and not self.axes:
            raise ValueError(f"design.axes: a {self.kind} design needs at least one axis")
        allowed = (*(RANDOM_LAWS if self.is_sampler else LEVEL_LAWS), CATEGORIES)
        if self.kind in ("morris", "fast"):  # whose axes have an order
            allowed = RANDOM_LAWS
        for name, axis in self.axes.items():
            if axis.law not in allowed:
                raise ValueError(
                    f"design.axes.{name}: {axis.law} is not a law of {self.kind} designs; "
                    f"allowed: {', '.join(allowed)}"
                )
        return self
