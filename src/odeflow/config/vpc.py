"""Visual predictive checks: `summary.vpc`."""

from typing import Annotated

from pydantic import Field, field_validator

from odeflow.config.base import Natural, Real, Strict, measured_in

Level = Annotated[Real, Field(gt=0, lt=1)]


class VpcConfig(Strict):
    """Quantiles of what was observed, and bands of the same of simulated replicates."""

    bins: Annotated[Natural, Field(le=1000)] | list[Real] | None = Field(
        None,
        description="bins of time: their edges, or how many with as many observations each; null: "
        "each time of the data set is one",
        json_schema_extra=measured_in("`model.time_units`"),
    )
    quantiles: list[Level] = Field(
        [0.05, 0.5, 0.95], min_length=1, description="quantiles of the observations of a bin"
    )
    band: Level = Field(0.9, description="part of the replicates that is in a band")
    group: str | None = Field(
        None, description="a column of the data set whose values part the observations"
    )

    @field_validator("bins", "quantiles")
    @classmethod
    def _increasing(cls, value: object) -> object:
        if isinstance(value, list) and any(a >= b for a, b in zip(value, value[1:])):
            raise ValueError("the numbers must increase")
        return value

    @field_validator("bins")
    @classmethod
    def _makes_a_bin(cls, value: object) -> object:
        if isinstance(value, list) and len(value) < 2:
            raise ValueError("two edges are needed, or a number of bins")
        return value
