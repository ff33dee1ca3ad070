"""The `assemble` and `runtime` groups."""

import importlib.util
from typing import Annotated, Literal

from pydantic import Field, field_validator

from odeflow.config.base import Natural, Real, Strict, measured_in
from odeflow.config.solver import SolverChange


def needs_zarr(value: str) -> str:
    """The format; raises ValueError for one whose package is missing."""
    if value == "zarr" and importlib.util.find_spec("zarr") is None:
        raise ValueError("zarr is not installed: pip install zarr, or choose netcdf")
    return value


class AssembleConfig(Strict):
    """How the ensemble is stored."""

    format: Literal["netcdf", "zarr"] = Field(
        "netcdf", description="netcdf: one file, ensemble.nc; zarr: a folder, ensemble.zarr"
    )

    @field_validator("format")
    @classmethod
    def _installed(cls, value: str) -> str:
        return needs_zarr(value)

    @property
    def file(self) -> str:
        """The name of the file, or of the folder, that the ensemble is."""
        return "ensemble.zarr" if self.format == "zarr" else "ensemble.nc"


#: More steps; then a stiff method; then a smaller first step, with a lower limit for the others.
DEFAULT_RETRY: list[dict[str, str]] = [
    {"max_steps": "x10"},
    {"method": "rodas5p"},
    {"dt0": "x1e-9", "dtmin": "x1e-3"},
    {"method": "kvaerno5"},
    {"method": "tsit5"},
]


#: Keys of `runtime` that cannot change a number, nor how it was made.
EFFORT = ("chunk_size", "threads", "max_failed")


class RuntimeConfig(Strict):
    """How the work is done; `engine`, `device`, `precision` and `retry` can touch the numbers."""

    engine: Literal["auto", "native", "diffrax"] = Field("auto", description="batch engine")
    device: Literal["auto", "cpu", "gpu"] = Field(
        "auto",
        description="where to solve; auto: native on the CPU, diffrax where JAX's first device is",
    )
    precision: Literal["float64", "float32"] = Field("float64", description="floating point type")
    chunk_size: Natural | Literal["auto"] = Field(
        "auto",
        description="trajectories per job; auto: about a minute of work, 2 GiB at most",
        json_schema_extra=measured_in("trajectories"),
    )
    threads: Natural | Literal["auto"] = Field(
        "auto",
        description="cores of one solving job; auto: those there are, shared among chunks",
        json_schema_extra=measured_in("cores"),
    )
    retry: list[SolverChange] = Field(
        [SolverChange.model_validate(change) for change in DEFAULT_RETRY],
        max_length=20,
        description="changes to the solver, one after another, for trajectories that failed; "
        "[]: none",
    )
    max_failed: Annotated[Real, Field(ge=0, le=1)] | None = Field(
        None, description="fraction of trajectories that may fail before the run does; null: any"
    )
