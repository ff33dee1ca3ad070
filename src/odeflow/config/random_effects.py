"""How subjects differ at random: `design.random_effects`."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from odeflow.config.base import Integer, Natural, Real, Strict, VariableName, measured_in


class BoxCox(Strict):
    """A parameter times exp of the Box-Cox transform of exp(eta): a skewed log-normal law."""

    boxcox: Real = Field(description="the shape; 0 is log-normal")


#: How a random effect eta changes a parameter of typical value x: x exp(eta), x + eta, or on the
#: scale of log(x / (1 - x)).
Effect = Literal["exp", "add", "logit"] | BoxCox


class OccasionConfig(Strict):
    """Normal effects that a subject draws anew in each occasion, beside its own."""

    of: dict[VariableName, Effect] = Field(
        min_length=1, description="{parameter: exp, add, logit, or {boxcox: shape}}"
    )
    omega: list[list[Real]] = Field(
        description="covariance matrix of the effects of an occasion",
        json_schema_extra=measured_in("1"),
    )
    by: str = Field(description="the column of the data set that numbers the occasions")

    @model_validator(mode="after")
    def _a_covariance(self) -> "OccasionConfig":
        check_covariance("omega", self.omega, len(self.of), "effects")
        return self


class RandomEffectsConfig(Strict):
    """Normal random effects of parameters, correlated, and how many subjects have them drawn."""

    of: dict[VariableName, Effect] = Field(
        min_length=1,
        description="{parameter: exp, add, logit, or {boxcox: shape}}, in the order of omega; what "
        "the design or the model says of it is its typical value",
    )
    omega: list[list[Real]] = Field(
        description="covariance matrix of the effects", json_schema_extra=measured_in("1")
    )
    subjects: Natural = Field(
        1, description="of each row of the design; more of them keep the first ones"
    )
    occasion: OccasionConfig | None = Field(
        None, description="{of, omega, by}: effects of each occasion of a data set; null: none"
    )
    seed: Annotated[Integer, Field(ge=0)] = Field(0, description="seed of the effects, >= 0")
    typical: dict[VariableName, Real] = Field(
        default_factory=dict, description="set by the importer: the model's values"
    )

    @model_validator(mode="after")
    def _a_covariance(self) -> "RandomEffectsConfig":
        check_covariance("omega", self.omega, len(self.of), "effects")
        return self


def check_covariance(key: str, rows: list[list[float]], size: int, what: str) -> None:
    """Raises ValueError where rows are no covariance matrix of so many."""
    if [len(row) for row in rows] != [size] * size:
        raise ValueError(f"{key}: {size} {what} need a matrix of {size} rows and columns")
    matrix = np.array(rows)
    if (matrix != matrix.T).any():
        raise ValueError(f"{key}: a covariance matrix is symmetric")
    if np.linalg.eigvalsh(matrix).min() < -1e-12 * max(float(np.abs(matrix).max()), 1e-300):
        raise ValueError(f"{key}: a covariance matrix has no negative eigenvalue")
