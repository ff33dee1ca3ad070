"""What is not known of typical values: `design.theta`, a normal law of parameters on scales."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from odeflow.config.base import Integer, Natural, Real, Strict, VariableName, measured_in
from odeflow.config.random_effects import check_covariance
from odeflow.problem.axis_names import REPLICATE

#: The scale that a parameter is normal on: its value, its logarithm, or log(x / (1 - x)).
ThetaScale = Literal["lin", "log", "log10", "logit"]


class ThetaConfig(Strict):
    """Typical values as an estimation leaves them: their covariance, and how many are drawn."""

    of: dict[VariableName, ThetaScale] = Field(
        min_length=1,
        description="{parameter: lin, log, log10 or logit}, in the order of covariance: the scale "
        "on which it is normal; its mean is what the design or the model says of it",
    )
    covariance: list[list[Real]] = Field(
        description="covariance matrix on these scales, as of estimates.nc",
        json_schema_extra=measured_in("1"),
    )
    replicates: Natural = Field(
        200, description="draws, each for all of the design's rows; more keep the first ones"
    )
    seed: Annotated[Integer, Field(ge=0)] = Field(0, description="seed of the draws, >= 0")
    typical: dict[VariableName, Real] = Field(
        default_factory=dict, description="set by the importer: the model's values"
    )

    @model_validator(mode="after")
    def _a_covariance(self) -> "ThetaConfig":
        check_covariance("covariance", self.covariance, len(self.of), "parameters")
        if REPLICATE in self.of:
            raise ValueError(f"of: {REPLICATE} is what the dataset calls the number of a draw")
        return self
