"""The `verify` group: whether the numbers are right, and when a run fails for it."""

from typing import Annotated, Literal

from pydantic import Field

from odeflow.config.base import Integer, Natural, PositiveReal, Real, Strict, measured_in


class VerifyConfig(Strict):
    """Some of the trajectories are solved again by an independent implementation."""

    number: Annotated[Integer, Field(ge=0)] = Field(
        32, description="trajectories that are solved again by SciPy; 0: none"
    )
    seed: Annotated[Integer, Field(ge=0)] = Field(
        0, description="seed of the choice of those that nothing makes suspect"
    )
    method: Literal["auto", "dop853", "radau"] = Field(
        "auto",
        description="SciPy's method; auto: radau for implicit methods, else dop853, and the other "
        "one where that fails",
    )
    tightening: Annotated[Real, Field(ge=1)] = Field(
        100.0,
        description="SciPy's tolerances are the solver's divided by this; then tighter once more",
    )
    max_error: PositiveReal | None = Field(
        0.01,
        description="a larger error, relative to the largest size of the variable on its "
        "trajectory, fails the run; null: none does",
    )
    max_error_ratio: PositiveReal | None = Field(
        100.0,
        description="an error of more tolerances (atol + rtol |y|) that SciPy does not have at "
        "these tolerances fails the run; null: none does",
    )
    budget: PositiveReal | None = Field(
        None,
        description="seconds that it may take; null: 5 more than the solve took",
        json_schema_extra=measured_in("s"),
    )
    max_evaluations: Natural = Field(
        200_000,
        description="evaluations of the vector field that SciPy may take per trajectory",
        json_schema_extra=measured_in("evaluations"),
    )
    max_drift: PositiveReal | None = Field(
        None, description="a larger relative drift of an invariant fails the run; null: none does"
    )
