"""The `analyse` group: what is asked of a solved ensemble besides its summary."""

from typing import Annotated, Literal

from pydantic import Field

from odeflow.config.base import Distinct, Integer, Real, Strict, VariableName
from odeflow.config.estimate import EstimateConfig
from odeflow.config.simulate_for_inference import SimulateForInferenceConfig

SensitivityMethod = Literal["sobol", "morris", "fast", "rbd_fast", "pawn", "delta", "dgsm"]


class SensitivityConfig(Strict):
    """Which parameters the spread of metrics and of variables over time comes from."""

    methods: Annotated[list[SensitivityMethod], Distinct] | Literal["auto"] = Field(
        "auto",
        description="indices; auto: those that the design is made for, else rbd_fast and pawn",
    )
    variables: Annotated[list[VariableName], Distinct] | None = Field(
        None, description="states and observables to analyse over time; null: all, []: none"
    )
    metrics: Annotated[list[str], Distinct] | None = Field(
        None, description="summary variables, <variable>_<metric>; null: all, []: none"
    )
    resamples: Annotated[Integer, Field(ge=0, le=10_000)] = Field(
        100, description="bootstrap resamples for the intervals; 0: no intervals"
    )
    level: Annotated[Real, Field(gt=0, lt=1)] = Field(
        0.95, description="part of such intervals that are to hold the true index"
    )
    seed: Annotated[Integer, Field(ge=0)] = Field(0, description="seed of the resamples")
    halvings: Annotated[Integer, Field(ge=0, le=20)] = Field(
        4, description="how often the design is halved to see whether indices have converged"
    )


class AnalyseConfig(Strict):
    """What is computed from the ensemble and its summary, each in a file of its own."""

    sensitivity: SensitivityConfig | None = Field(
        None, description="global sensitivity analysis, indices.nc; null: none"
    )
    estimate: EstimateConfig | None = Field(
        None, description="estimate parameters from measurements, estimates.nc; null: none"
    )
    simulate_for_inference: SimulateForInferenceConfig | None = Field(
        None, description="a training set of parameters and noisy outputs, training/; null: none"
    )
