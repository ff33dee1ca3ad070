"""What has no counterpart is refused by its name, and what does not fit says where."""

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optimistix
import pytest

import odeflow
from tests.api.reference import PID, by_odeflow

FIELD = diffrax.ODETerm(lambda t, y, args: -y)
PATH = diffrax.VirtualBrownianTree(0.0, 1.0, 0.1, (), jax.random.key(0))
CONDITION = lambda t, y, args, **_: y > 2
NOISE = diffrax.ControlTerm(lambda t, y, args: y, PATH)


def solve(terms: Any = FIELD, solver: Any = None, **changed: Any) -> Any:
    settings: dict[str, Any] = {"t0": 0.0, "t1": 1.0, "dt0": 0.1, "y0": np.ones(2)} | changed
    return odeflow.ensemble_solve(terms, solver or diffrax.Tsit5(), **settings)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"terms": NOISE}, r"diffrax\.ControlTerm"),
        ({"terms": diffrax.MultiTerm(FIELD, NOISE)}, r"diffrax\.MultiTerm"),
        ({"solver": diffrax.KenCarp4()}, "KenCarp4"),
        ({"solver": diffrax.SemiImplicitEuler()}, "SemiImplicitEuler"),
        (
            {"solver": diffrax.Kvaerno3(root_finder=optimistix.Newton(1e-3, 1e-3))},
            r"Kvaerno3\(root_finder=Newton",
        ),
        ({"saveat": diffrax.SaveAt(dense=True)}, r"SaveAt\(dense=True\)"),
        ({"saveat": diffrax.SaveAt(steps=True)}, r"SaveAt\(steps=\.\.\.\)"),
        ({"saveat": diffrax.SaveAt(t1=True, solver_state=True)}, r"SaveAt\(solver_state=True\)"),
        (
            {"saveat": diffrax.SaveAt(subs=[diffrax.SubSaveAt(t1=True)])},
            r"SaveAt\(subs=\.\.\.\) with several",
        ),
        ({"adjoint": diffrax.RecursiveCheckpointAdjoint()}, "adjoint="),
        ({"adjoint": diffrax.BacksolveAdjoint()}, "adjoint="),
        ({"progress_meter": diffrax.TextProgressMeter()}, "progress_meter="),
        ({"solver_state": 1}, "solver_state="),
        (
            {"stepsize_controller": diffrax.ClipStepSizeController(PID, jump_ts=[0.5])},
            "ClipStepSizeController",
        ),
        ({"stepsize_controller": diffrax.StepTo(ts=[0.0, 1.0])}, "StepTo"),
        (
            {"stepsize_controller": diffrax.PIDController(1e-3, 1e-6, norm=optimistix.max_norm)},
            r"PIDController\(norm=\.\.\.\)",
        ),
        (
            {"stepsize_controller": diffrax.PIDController(1e-3, 1e-6, dtmin=1e-3)},
            r"PIDController\(dtmin=\.\.\., force_dtmin=True\)",
        ),
        (
            {"stepsize_controller": diffrax.PIDController(1e-3, 1e-6, error_order=3)},
            r"PIDController\(error_order=\.\.\.\)",
        ),
        (
            {"event": diffrax.Event([CONDITION, CONDITION])},
            r"Event\(cond_fn=\.\.\.\) with 2 conditions",
        ),
    ],
)  # fmt: skip
def test_what_has_no_counterpart(changed: Any, named: str):
    with pytest.raises(NotImplementedError, match=f"no counterpart of .*{named}"):
        solve(**changed)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"terms": lambda t, y, args: -y}, TypeError, r"wrap the function, as in diffrax\.ODETerm"),
        ({"savat": 1}, TypeError, "unexpected argument 'savat'"),
        ({"engine": "gpu"}, ValueError, "engine: 'gpu'; it is one of auto, native, diffrax"),
        ({"precision": "float16"}, ValueError, "precision: 'float16'"),
        ({"t1": 0.0}, ValueError, r"t1: 0 is not above t0=0"),
        ({"t1": -1.0}, ValueError, "to go back in time, solve for s = -t"),
        ({"t1": np.inf}, ValueError, "t1: inf; a finite time is needed"),
        ({"t0": np.nan}, ValueError, "t0: nan; a finite time is needed"),
        ({"t1": np.ones(2)}, TypeError, "t1: one number for all trajectories is needed"),
        ({"t0": 1e20, "t1": 1e20 + 1e5}, ValueError, "t1: .*no room for steps"),
        ({"dt0": -0.1}, ValueError, "dt0: -0.1; a step above 0 is needed"),
        ({"dt0": None}, ValueError, "dt0: diffrax.ConstantStepSize needs the length"),
        ({"max_steps": 0}, ValueError, "max_steps: 0 steps; at least 1"),
        (
            {"solver": diffrax.Euler(), "stepsize_controller": PID},
            ValueError,
            "Euler has no error estimate",
        ),
        ({"saveat": diffrax.SaveAt(ts=np.array([0.5, 1.5]))}, ValueError, "1.5 is outside of the"),
        ({"saveat": diffrax.SaveAt(ts=np.array([0.5, 0.2]))}, ValueError, "0.2 follows 0.5"),
        ({"saveat": diffrax.SaveAt(ts=np.array([np.nan]))}, ValueError, "a time is not a number"),
        ({"y0": {}}, ValueError, "y0 has no leaves"),
        ({"y0": np.ones((2, 0))}, ValueError, "y0 has no components"),
        ({"y0": {"a": "one"}}, TypeError, r"y0\['a'\] is of type"),
        ({"y0": np.ones(2) * 1j}, TypeError, "y0 is complex"),
        ({"args": {"k": np.ones(3)}}, ValueError, r"args\['k'\] has 3 .* axis 0, y0 has 2"),
        ({"args": 1.0}, ValueError, "args has shape .* no axis 0; write None"),
        ({"args": (1.0, 2.0), "in_axes": (0, (None,))}, ValueError, "not a prefix of the tree of"),
        ({"in_axes": (0, 0, 0)}, ValueError, "a pair for y0 and args"),
        ({"in_axes": "first"}, ValueError, "'first'; an integer or None is needed"),
        (
            {"terms": diffrax.ODETerm(lambda t, y, args: (y, y))},
            ValueError,
            "the vector field returned .*one derivative for each leaf",
        ),
        ({"terms": diffrax.ODETerm(lambda t, y, args: 1j * y)}, TypeError, "returned complex128"),
        (
            {"saveat": diffrax.SaveAt(t1=True, fn=lambda t, y, args: {})},
            ValueError,
            "gives nothing to save",
        ),
        (
            {"stepsize_controller": diffrax.PIDController(rtol=0.0, atol=1e-6)},
            ValueError,
            "PIDController.rtol: 0; it has to be above 0",
        ),
        (
            {"event": diffrax.Event(lambda t, y, args, **_: jnp.stack([y, y]))},
            TypeError,
            "it has to return one boolean or floating-point number",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit(changed: Any, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        solve(**changed)


def test_numbers_of_the_controller_cannot_be_traced():
    def end(rtol: Any) -> Any:
        controller = diffrax.PIDController(rtol=rtol, atol=1e-6)
        return solve(stepsize_controller=controller).ys

    with pytest.raises(TypeError, match=r"PIDController\.rtol is traced by JAX"):
        jax.jit(end)(1e-3)


def test_an_error_of_the_field_passes():
    def field(t: Any, y: Any, args: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        by_odeflow(field, diffrax.Tsit5(), 0.0, 1.0, 0.1, np.ones(2))
