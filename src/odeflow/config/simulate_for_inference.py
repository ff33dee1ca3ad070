"""What `analyse.simulate_for_inference` may ask for: outputs, noise, further parameters, shards."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from odeflow.config.axis import RANDOM_LAWS, Axis
from odeflow.config.base import (
    Distinct,
    Integer,
    Natural,
    OneLaw,
    PositiveReal,
    Strict,
    VariableName,
    measured_in,
)
from odeflow.config.outputs import needs_zarr
from odeflow.problem.noise import NoiseModel

Level = PositiveReal | VariableName
#: Rows of a shard are a multiple of this: what is stored, compressed and checked on its own.
SHARD_UNIT = 1024


class NoiseConfig(OneLaw):
    """The law of the noise of one output: how far from the simulated value a measured one is."""

    normal: Level | None = Field(None, description="standard deviation, in the output's units")
    laplace: Level | None = Field(None, description="scale, in the output's units")
    lognormal: Level | None = Field(
        None, description="standard deviation of the natural logarithm, about a relative error"
    )
    loglaplace: Level | None = Field(None, description="scale of the natural logarithm")

    @property
    def level(self) -> float | str:
        """How large the noise is, or the name of the parameter that says so."""
        return getattr(self, self.law)

    @property
    def model(self) -> NoiseModel:
        """Transformation and distribution."""
        log = self.law.startswith("log")
        return NoiseModel("log" if log else "lin", "laplace" if "laplace" in self.law else "normal")


def _as_law(value: Any) -> Any:
    """A number or a name alone is the standard deviation of normal noise."""
    return {"normal": value} if isinstance(value, int | float | str) else value


class SimulateForInferenceConfig(Strict):
    """Parameters, simulated outputs and noise: a training set for simulation-based inference."""

    metrics: Annotated[list[str], Distinct] | None = Field(
        None, description="summary variables, <variable>_<metric>; null: all, []: none"
    )
    variables: Annotated[list[VariableName], Distinct] | None = Field(
        default_factory=list,
        description="states and observables whose values at all saved times are outputs; null: "
        "all, []: none",
    )
    noise: dict[str, Annotated[NoiseConfig, BeforeValidator(_as_law)]] = Field(
        default_factory=dict,
        description="{output: {normal, laplace, lognormal or loglaplace: a number or a "
        "parameter}}; a number alone is normal's; an output that is not named has none",
    )
    parameters: dict[VariableName, Axis] = Field(
        default_factory=dict,
        description="{name: law} of parameters that noise alone reads, drawn beside the design's",
    )
    seed: Annotated[Integer, Field(ge=0)] = Field(
        0, description="seed of the noise, and of the parameters that noise alone reads"
    )
    format: Literal["netcdf", "zarr"] = Field(
        "netcdf",
        description="netcdf: a folder, training, of files 00000.nc, ...; zarr: a store, "
        "training.zarr",
    )
    shard_size: Annotated[Natural, Field(multiple_of=SHARD_UNIT)] | Literal["auto"] = Field(
        "auto",
        description="rows of a file, or of a shard of the store, a multiple of 1024; auto: those "
        "of 64 MiB of outputs",
        json_schema_extra=measured_in("rows"),
    )

    @field_validator("format")
    @classmethod
    def _installed(cls, value: str) -> str:
        return needs_zarr(value)

    @property
    def folder(self) -> str:
        """The name of the folder that the training set is."""
        return "training.zarr" if self.format == "zarr" else "training"

    @model_validator(mode="after")
    def _laws_are_random(self) -> "SimulateForInferenceConfig":
        for name, axis in self.parameters.items():
            if axis.law not in RANDOM_LAWS:
                raise ValueError(
                    f"parameters.{name}: {axis.law} is no distribution; allowed: "
                    + ", ".join(RANDOM_LAWS)
                )
        return self
