"""The last step of a lane, as its rows say it."""

from odeflow.engines.native.methods.stepper import Inside, Stepper
from odeflow.engines.native.program.lane_program import LaneBuilder


def last_step(b: LaneBuilder, stepper: Stepper, size: int) -> Inside:
    """That of a state of `size` components."""
    return Inside(
        h=b.row("step_length"),
        y=b.rows([f"from_y_{i}" for i in range(size)]),
        y1=b.rows([f"y_{i}" for i in range(size)]),
        dense={row: b.row(row) for row in stepper.dense},
    )


def number_of_coefficients(stepper: Stepper, size: int) -> int:
    """How many coefficients the polynomial of each component has inside of a step."""
    return len(stepper.polynomial(last_step(LaneBuilder(), stepper, size))[0])
