"""What a step knows of its polynomial by its stages, against what follows from its dense rows."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.engines.native.methods.explicit_rk import explicit_rk
from odeflow.engines.native.methods.rosenbrock import rosenbrock
from odeflow.engines.native.methods.stepper import Inside, Start
from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.operations import OPERATIONS
from odeflow.problem.methods import find_method
from tests.support.problems import make_model, michaelis_menten


def lotka_volterra(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """A prey and its predator, of which the first depends on time."""
    prey, predator = y.prey, y.predator
    return {
        "prey": prey - args.a * prey * predator * jnp.cos(t),
        "predator": prey * predator - predator,
    }


@pytest.mark.parametrize("method", ["tsit5", "dopri5", "rodas5p", "rodas3p"])
@pytest.mark.parametrize("proportional", [False, True])
def test_both_are_the_same_polynomial(method: str, proportional: bool):
    states, values = ["prey", "predator"], [1.5, 0.7]
    if proportional:
        states, values = ["substrate", "enzyme"], [10.0, 0.2]
        model = make_model(michaelis_menten, dict(zip(states, values)), 1.0, vmax=10.0, km=5.0)
    else:
        model = make_model(lotka_volterra, dict(zip(states, values)), 1.0, a=0.9)
    known = find_method(method)
    make = explicit_rk if known.family == "explicit" else rosenbrock
    stepper = make(model, known)
    b = LaneBuilder()
    given = {"t": 0.3, "t_next": 0.5, **dict(zip(["y0", "y1"], values))}
    given |= {f"p{i}": p.value for i, p in enumerate(model.declared.parameters.values())}
    parameters = [b.row(row) for row in given if row.startswith("p")]
    t, y = b.row("t"), [b.row("y0"), b.row("y1")]
    f = model.flat_vector_field(0.3, values, [given[row] for row in given if row[0] == "p"])
    given |= {row: float(f[i]) for row, i in stepper.carried.items()}
    carried = {row: b.row(row) for row in stepper.carried}
    h = b.row("t_next") - t
    start = Start(t, b.row("t_next"), h, y, lambda time: parameters, carried)
    stepped = stepper.step(start)
    assert stepped.controls is not None and stepper.controls is not None
    inside = Inside(h, y, stepped.candidate, stepped.dense)
    rows: dict[Any, float] = {}
    for kind, found in (("stages", stepped.controls()), ("rows", stepper.controls(inside))):
        for i, numbers in enumerate(found):
            for j, number in enumerate(numbers):
                b.store(f"{kind}_{i}_{j}", number)
    program = b.finished("step", "all", "One step.").program
    functions: dict[str, Any] = {name: x.numpy for name, x in OPERATIONS.items()}
    functions["load"] = lambda row: given[row.group]
    functions["store"] = lambda row, value: rows.update({row.group: float(value)})
    program.evaluate({}, functions)
    ours = np.array([x for row, x in rows.items() if row.startswith("stages")])
    others = np.array([x for row, x in rows.items() if row.startswith("rows")])
    assert ours.size == others.size >= 4
    np.testing.assert_allclose(ours, others, rtol=1e-13)
    assert np.abs(ours).max() > 0.1
