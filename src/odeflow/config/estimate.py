"""What `analyse.estimate` may ask for: data, parameters, noise, starts, profiles, draws."""

import math
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from odeflow.config.base import (
    Distinct,
    Integer,
    Natural,
    OneLaw,
    PositiveReal,
    Real,
    Strict,
    VariableName,
    increasing_pair,
)
from odeflow.files.errors import shown
from odeflow.problem.estimated import (
    POSITIVE_PRIORS,
    Estimated,
    Prior,
    Scale,
    law_within,
    on_scale,
)

Pair = tuple[Real, PositiveReal]


class PriorConfig(OneLaw):
    """The law of a prior; the value it is of is the parameter's own unless its name says else."""

    normal: Pair | None = Field(None, description="[mean, standard deviation]")
    laplace: Pair | None = Field(None, description="[location, scale]")
    lognormal: Pair | None = Field(None, description="[mu, sigma] of the natural logarithm")
    loglaplace: Pair | None = Field(None, description="[location, scale] of the natural logarithm")
    cauchy: Pair | None = Field(None, description="[location, scale]")
    chisquare: PositiveReal | None = Field(None, description="degrees of freedom")
    exponential: PositiveReal | None = Field(None, description="the scale, which is the mean")
    gamma: tuple[PositiveReal, PositiveReal] | None = Field(None, description="[shape, scale]")
    rayleigh: PositiveReal | None = Field(None, description="the scale")
    normal_on_scale: Pair | None = Field(
        None, description="[mean, standard deviation] of the parameter on its scale"
    )
    laplace_on_scale: Pair | None = Field(
        None, description="[location, scale] of the parameter on its scale"
    )

    @property
    def prior(self) -> Prior:
        """The prior as estimation has it."""
        name = self.law
        given = getattr(self, name)
        if name in POSITIVE_PRIORS:
            return POSITIVE_PRIORS[name](*(given if isinstance(given, tuple) else (given,)))
        location, spread = given
        if name == "cauchy":
            return Prior("cauchy", "value", location, spread)
        kind = "laplace" if "laplace" in name else "normal"
        of = "scale" if name.endswith("_on_scale") else "log" if name.startswith("log") else "value"
        return Prior(kind, of, location, spread)


class EstimatedConfig(Strict):
    """A parameter to estimate: of the model, a state for its initial value, or a noise."""

    bounds: Annotated[tuple[Real, Real], AfterValidator(increasing_pair)] = Field(
        description="[lowest, highest] value"
    )
    scale: Scale = Field("log10", description="the scale that it is searched on: lin, log or log10")
    prior: PriorConfig | None = Field(
        None, description="{law: its numbers}; null: uniform on the scale between the bounds"
    )

    @model_validator(mode="after")
    def _bounds_fit(self) -> "EstimatedConfig":
        if self.scale != "lin" and not self.bounds[0] > 0:
            raise ValueError(
                f"bounds: {self.bounds[0]:g} is not > 0, as scale: {self.scale} needs; raise it, "
                "or take scale: lin"
            )
        if self.prior and self.prior.law in POSITIVE_PRIORS and self.bounds[0] < 0:
            raise ValueError(
                f"bounds: {self.bounds[0]:g} is below 0, where a {self.prior.law} prior has nothing"
            )
        return self

    @property
    def law(self) -> dict[str, list[float]]:
        """The prior within the bounds, as the law of an axis of a design."""
        low, high = self.bounds
        if self.prior is None:
            return {"uniform" if self.scale == "lin" else "loguniform": [low, high]}
        prior = self.prior.prior
        log = prior.of == "log" or (prior.of == "scale" and self.scale != "lin")
        base = math.log(10) if prior.of == "scale" and self.scale == "log10" else 1.0
        return law_within(replace(prior, of="log" if log else "value"), low, high, base)

    def estimated(self, name: str) -> Estimated:
        """The parameter as estimation has it."""
        low, high = (on_scale(bound, self.scale) for bound in self.bounds)
        return Estimated(name, self.scale, low, high, prior=self.prior and self.prior.prior)


Level = PositiveReal | VariableName


class CombinedNoise(Strict):
    """A standard deviation in proportion to the value, another beside it, or both."""

    proportional: Level | None = Field(
        None, description="as a part of the value: a number, or an estimated parameter"
    )
    additive: Level | None = Field(
        None, description="beside that: a number in units of the variable, or a parameter"
    )

    @model_validator(mode="after")
    def _is_a_noise(self) -> "CombinedNoise":
        if self.proportional is None and self.additive is None:
            raise ValueError("a noise needs proportional, additive or both")
        return self


def _as_additive(value: Any) -> Any:
    """A number or a name alone is a standard deviation that is the same everywhere."""
    return {"additive": value} if isinstance(value, int | float | str) else value


#: What the config may say of the noise of a variable.
Noise = Annotated[
    CombinedNoise,
    BeforeValidator(_as_additive, json_schema_input_type=Level | CombinedNoise),
]


class PosteriorConfig(Strict):
    """Draws from the posterior by ensembles of walkers (Goodman and Weare)."""

    draws: Natural = Field(1000, description="draws of each walker that are kept")
    warmup: Annotated[Integer, Field(ge=0)] = Field(
        500, description="draws of each walker before, which are not kept"
    )
    thin: Natural = Field(1, description="every so many draws one is kept")
    ensembles: Annotated[Integer, Field(ge=2)] = Field(
        4, description="ensembles that know nothing of one another, from which R-hat is"
    )
    walkers: Annotated[Integer, Field(ge=4)] | Literal["auto"] = Field(
        "auto", description="walkers of an ensemble, an even number; auto: 4 a parameter"
    )

    @field_validator("walkers")
    @classmethod
    def _even(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value % 2:
            raise ValueError("an even number is needed: the halves move in turn")
        return value


class EstimateConfig(Strict):
    """Parameters from measurements: many starts, intervals, profiles, draws from the posterior."""

    data: str | None = Field(
        None,
        description="a .csv file of the study, or beside an experiment that ships: columns time, "
        "variable, value, and sd and condition where there are such; null: those of design.petab, "
        "or DV of design.nonmem",
    )
    parameters: dict[VariableName, EstimatedConfig] = Field(
        default_factory=dict,
        description="{name: {bounds, scale, prior}} of what is estimated; with design.petab those "
        "of its table, and what is given here is put over them",
    )
    noise: dict[VariableName, Noise] = Field(
        default_factory=dict,
        description="{variable: standard deviation, or the name of an estimated parameter} where "
        "the data has no sd; {proportional, additive} of these: its variance is additive^2 + "
        "(proportional value)^2",
    )
    starts: Natural = Field(100, description="starts, uniform on the scales between the bounds")
    seed: Annotated[Integer, Field(ge=0)] = Field(0, description="seed of starts and draws")
    candidates: Natural = Field(
        1, description="points drawn for each start, which begins at the best of them"
    )
    hops: Annotated[Integer, Field(ge=0)] = Field(
        0, description="how often a start goes on from near where it ended; the best end counts"
    )
    starts_per_job: Natural = Field(
        250, description="starts that a job makes; more starts keep the jobs that are done"
    )
    max_steps: Natural = Field(500, description="trial steps that a start may take")
    closed_form: bool = Field(
        True,
        description="solve for noise parameters that stand alone, and for scaling factors and "
        "offsets of observables, in closed form",
    )
    level: Annotated[Real, Field(gt=0, lt=1)] = Field(
        0.95, description="level of the confidence intervals"
    )
    profiles: Annotated[list[VariableName], Distinct] | Literal["all"] = Field(
        "all", description="parameters whose profile likelihoods are computed"
    )
    posterior: PosteriorConfig | None = Field(
        None, description="draws from the posterior; null: none"
    )

    @property
    def noise_names(self) -> list[str]:
        """The parameters that noise reads."""
        levels = (x for one in self.noise.values() for x in (one.proportional, one.additive))
        return list(dict.fromkeys(level for level in levels if isinstance(level, str)))

    @field_validator("data")
    @classmethod
    def _within_study(cls, value: str | None) -> str | None:
        if value is None:
            return None
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts or "\\" in value:
            raise ValueError(f"{shown(value)} is outside of the study; copy the file into it")
        if path.suffix.lower() != ".csv":
            raise ValueError(f"{shown(value)} is not a .csv file")
        return path.as_posix()
