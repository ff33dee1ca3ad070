"""The root of the config: one field per group, and the checks that span groups."""

import re
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, PrivateAttr, field_validator

from odeflow.config.about import About
from odeflow.config.analyse import AnalyseConfig
from odeflow.config.base import Strict
from odeflow.config.design import DesignConfig
from odeflow.config.doses import DoseConfig, StopConfig
from odeflow.config.model import ModelConfig
from odeflow.config.outputs import AssembleConfig, RuntimeConfig
from odeflow.config.plot import PlotConfig
from odeflow.config.solver import SaveAtConfig, SolverConfig
from odeflow.config.summary import SummaryConfig
from odeflow.config.verify import VerifyConfig
from odeflow.problem.doses import Dose
from odeflow.problem.records import Records


class Config(Strict):
    """A whole experiment, validated."""

    model_config = ConfigDict(defer_build=False)

    name: str = Field(description="the experiment's name and its folder under results/")
    about: About = Field(
        default_factory=lambda: About.model_validate({}),
        description="whose it is, under which license; the study's `study.yaml` by default",
    )
    model: ModelConfig
    design: DesignConfig
    doses: list[DoseConfig] = Field(
        default_factory=list, description="doses and switches, see DoseConfig"
    )
    stop: StopConfig | None = Field(None, description="conditions that end a trajectory")
    solver: SolverConfig = Field(default_factory=lambda: SolverConfig.model_validate({}))
    saveat: SaveAtConfig = Field(default_factory=lambda: SaveAtConfig.model_validate({}))
    assemble: AssembleConfig = Field(default_factory=lambda: AssembleConfig.model_validate({}))
    summary: SummaryConfig = Field(default_factory=lambda: SummaryConfig.model_validate({}))
    runtime: RuntimeConfig = Field(default_factory=lambda: RuntimeConfig.model_validate({}))
    plot: PlotConfig = Field(default_factory=lambda: PlotConfig.model_validate({}))
    analyse: AnalyseConfig = Field(default_factory=lambda: AnalyseConfig.model_validate({}))
    verify: VerifyConfig = Field(default_factory=lambda: VerifyConfig.model_validate({}))

    _study: Path = PrivateAttr(default=Path())

    @property
    def study(self) -> Path:
        """The folder it was composed for; its model files and tables are relative to it."""
        return self._study

    @property
    def is_verified(self) -> bool:
        """Whether trajectories are solved again by SciPy."""
        return self.verify.number > 0

    @property
    def plain_doses(self) -> tuple[Dose, ...]:
        """The doses as engines have them, and what tells the model when the last one was."""
        doses = [dose.dose for dose in self.doses]
        if (name := self.model.time_after_dose) is not None:
            doses += [dose.telling(name) for dose in doses if dose.state is not None]
        return tuple(doses)

    @cached_property
    def records(self) -> Records | None:
        """The records of a nonmem design as engines have them."""
        given = self.design.records
        told = self.model.time_after_dose
        return None if given is None else given.records(self.model.compartments, told)

    @property
    def is_dosed(self) -> bool:
        """Whether anything is given to trajectories at times."""
        return bool(self.doses) or self.design.records is not None

    def with_one_method(self) -> "Config":
        """The same config, which has a method where `auto` chooses none: one for what is stiff.

        Only such a method solves algebraic equations, and estimation solves all trajectories alike.
        """
        algebraic = self.model.algebraic or self.model.mass_matrix is not None
        if not self.solver.is_chosen or not (algebraic or self.analyse.estimate is not None):
            return self
        solver = self.solver.model_copy(update={"method": self.solver.candidates[-1]})
        return self.model_copy(update={"solver": solver})

    def in_study(self, study: Path) -> "Config":
        """The same config for the files of another folder."""
        self_there = self.model_copy()
        self_there._study = study
        return self_there

    @field_validator("name")
    @classmethod
    def _folder_name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", value):
            raise ValueError(f"{value!r} is not a usable name: letters, digits, '_' and '-'")
        if value in {"chunks", "cache", "compare"}:
            raise ValueError(f"results/{value} is a folder of the workflow's; choose another name")
        return value

    def slice(self, *groups: str) -> dict[str, Any]:
        """The named groups as plain data (dicts, lists, numbers, strings), in a fixed order.

        With the solver go what else decides its steps: the limit of `solver.reject_drift`, which
        otherwise judges trajectories and changes none.
        """
        data = self.model_dump(mode="json", include=set(groups))
        if "solver" in groups and "verify" not in groups and self.solver.reject_drift:
            data["verify"] = {"max_drift": self.verify.max_drift}
        return data
