"""A trajectory on its own is that of the ensemble, bit for bit, and that of `ensemble_solve`."""

from pathlib import Path
from typing import Any, NamedTuple

import diffrax
import jax.numpy as jnp
import numpy as np
import pytest

import odeflow
from odeflow.design import CONDITION, PARAMETER_SET, rows
from odeflow.ensemble.at_once import AtOnce
from odeflow.ensemble.labels import trajectory
from odeflow.files.errors import ConfigError
from odeflow.models.enzyme import michaelis_menten
from tests.support.explored import CONDITIONS, DOSES, GRID, ROD, solver, stored


@pytest.mark.parametrize(
    "overrides",
    [
        GRID,
        CONDITIONS,
        pytest.param(ROD, marks=pytest.mark.slow),
        pytest.param(DOSES, marks=pytest.mark.slow),
    ],
    ids=["grid", "conditions", "array state", "doses"],
)
def test_a_row_of_the_design_comes_out_bit_for_bit(overrides: tuple[str, ...]):
    known = stored(*overrides)
    config = known.config
    solve = solver(config, known.ensemble)
    for row in (0, known.total - 1):
        columns = rows(config.design, row, row + 1, Path())
        values = {name: float(x[0]) for name, x in columns.items()}
        condition = None
        if config.design.conditions:
            condition = list(config.design.conditions)[int(values[CONDITION])]
        of_sets = {CONDITION, PARAMETER_SET, *config.design.set_by_conditions}
        given = {name: x for name, x in values.items() if name not in of_sets}
        found = solve(given, condition)
        there = trajectory(known.ensemble, row)
        assert found.status == int(there["status"]) and solve.engine.name == "native"
        assert found.num_steps == int(there["num_steps"])
        for name, course in found.values.items():
            assert course.tobytes() == there[name].values.tobytes()
        for name, value in found.metrics.items():
            assert value == there[name].values


class Record(NamedTuple):
    """State or parameters, as the model names them."""

    substrate: Any = None
    enzyme: Any = None
    vmax: Any = None
    km: Any = None


def test_other_values_are_those_of_ensemble_solve():
    """What a slider gives, by the other door: Diffrax's own objects, no config."""
    known = stored(*GRID)
    found = solver(known.config, known.ensemble)({"vmax": 9.3, "km": 4.7, "substrate": 12.0})
    given = known.config.solver

    def field(t, y, args):
        slopes = michaelis_menten(t, Record(substrate=y[0], enzyme=y[1]), args)
        return jnp.stack([slopes["substrate"], slopes["enzyme"]])

    solved = odeflow.ensemble_solve(
        diffrax.ODETerm(field), diffrax.Tsit5(), known.config.model.t0, known.config.model.t1,
        given.dt0, np.array([12.0, float(known.config.model.states["enzyme"].initial)]),
        Record(vmax=9.3, km=4.7, substrate=0.0, enzyme=0.0), in_axes=None,
        saveat=diffrax.SaveAt(ts=np.array([0.0, 2.0, 5.0])),
        stepsize_controller=diffrax.PIDController(rtol=given.rtol, atol=given.atol),
    )  # fmt: skip
    assert found.num_steps == solved.stats["num_steps"]
    np.testing.assert_allclose(found.values["substrate"], solved.ys[:, 0], rtol=1e-12)


def test_a_value_that_cannot_be_is_one_line():
    known = stored("model.nonnegative=[substrate]", *GRID)
    with pytest.raises(ConfigError, match="nonnegative: an initial value of substrate is -1"):
        solver(known.config, known.ensemble)({"vmax": 9.0, "km": 5.0, "substrate": -1.0})


def test_the_engine_says_why_it_is_not_the_native_one():
    config = odeflow.compose(*GRID, "runtime.engine=diffrax")
    solve = AtOnce(config, Path(), ("vmax", "km"))
    assert solve.engine.name == "diffrax" and "runtime.engine is diffrax" in solve.engine.reason
