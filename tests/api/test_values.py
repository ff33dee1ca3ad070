"""The values, times and steps of `jit(vmap(diffeqsolve))`, for what can be asked of both."""

from typing import Any

import diffrax
import jax
import numpy as np
import pytest

import odeflow
from tests.api.reference import (
    ANIMALS_AXES,
    PID,
    animals,
    assert_same,
    by_diffrax,
    by_odeflow,
    lotka_volterra,
    pendulum,
    robertson,
)

TS = np.linspace(0, 10, 21)


def both(*call: Any, **settings: Any) -> tuple[Any, Any]:
    return by_odeflow(*call, **settings), by_diffrax(*call, **settings)


@pytest.mark.parametrize(
    ("solver", "rtol"),
    [
        (diffrax.Tsit5(), 1e-12),
        pytest.param(diffrax.Dopri5(), 1e-12, marks=pytest.mark.slow),
        pytest.param(diffrax.Bosh3(), 1e-12, marks=pytest.mark.slow),
        # after its first steps the error estimate of order 8 is rounding, so steps differ
        (diffrax.Dopri8(), 1e-7),
    ],
    ids=lambda solver: type(solver).__name__,
)
def test_adaptive_solvers(solver: Any, rtol: float):
    y0, args = animals(7)
    ours, theirs = both(
        lotka_volterra, solver, 0.0, 10.0, None, y0, args,
        in_axes=ANIMALS_AXES, saveat=diffrax.SaveAt(ts=TS), stepsize_controller=PID,
    )  # fmt: skip
    assert (ours.engine, ours.reason) == ("native", "")
    assert_same(ours, theirs, rtol)


@pytest.mark.parametrize("solver", [diffrax.Euler(), diffrax.Dopri8()])
def test_constant_steps(solver: Any):
    y0, args = animals(3)
    ours, theirs = both(
        lotka_volterra, solver, 0.0, 10.0, 0.03, y0, args,
        in_axes=ANIMALS_AXES, saveat=diffrax.SaveAt(ts=TS),
    )  # fmt: skip
    assert ours.engine == "native"
    assert_same(ours, theirs)


def test_the_coefficients_and_limits_of_a_pid_controller():
    y0, args = animals(3)
    controller = diffrax.PIDController(
        rtol=1e-5, atol=1e-7, pcoeff=0.3, icoeff=0.4, dcoeff=0.1, dtmax=0.4, factormax=5.0,
        factormin=0.3, safety=0.8, dtmin=1e-9, force_dtmin=False,
    )  # fmt: skip
    ours, theirs = both(
        lotka_volterra, diffrax.Tsit5(), 0.0, 10.0, 0.1, y0, args,
        in_axes=ANIMALS_AXES, stepsize_controller=controller,
    )  # fmt: skip
    assert_same(ours, theirs, rtol=1e-9)  # powers of errors are rounded to some 10 digits


@pytest.mark.slow
def test_implicit_solvers_go_to_diffrax_and_say_so():
    y0 = (np.ones(2), np.zeros(2), np.zeros(2))
    call = (robertson, diffrax.Kvaerno5(), 0.0, 40.0, 1e-4, y0, np.array([0.04, 0.05]))
    ours, theirs = both(*call, stepsize_controller=PID)
    assert ours.engine == "diffrax"
    assert "kvaerno5" in ours.reason
    for one, other in zip(ours.ys, theirs.ys):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)
    with pytest.raises(ValueError, match=r"engine='native'.*kvaerno5"):
        by_odeflow(*call, stepsize_controller=PID, engine="native")


@pytest.mark.slow
def test_a_rosenbrock_method_is_native():
    y0 = (np.ones(2), np.zeros(2), np.zeros(2))
    call = (robertson, odeflow.Rodas5P(), 0.0, 40.0, 1e-4, y0, np.array([0.04, 0.05]))
    ours, theirs = both(*call, stepsize_controller=PID)
    assert ours.engine == "native"
    for one, other in zip(ours.ys, theirs.ys):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)


@pytest.mark.slow
def test_nested_pytrees_with_matrices_and_a_saved_function():
    lanes = 5
    y0 = {"motion": np.full((lanes, 1, 2), 0.3), "work": (np.zeros(lanes),)}
    args = {"force": np.stack([np.linspace(0, 1, lanes), np.full(lanes, 0.7)]), "drag": 0.1}
    axes = ({"motion": 0, "work": 0}, {"force": 1, "drag": None})

    def observed(t: Any, y: Any, args: Any) -> Any:
        return {"energy": y["motion"][0, 1] ** 2 / 2, "all": (y["motion"] * args["drag"], t)}

    for fn in (lambda t, y, args: y, observed):
        ours, theirs = both(
            pendulum, diffrax.Tsit5(), 0.5, 8.0, None, y0, args, in_axes=axes,
            saveat=diffrax.SaveAt(ts=np.linspace(0.5, 8, 4), fn=fn), stepsize_controller=PID,
        )  # fmt: skip
        assert ours.engine == "native"
        assert_same(ours, theirs)


@pytest.mark.parametrize(
    "saveat",
    [
        diffrax.SaveAt(t1=True),
        diffrax.SaveAt(t0=True, t1=True),
        diffrax.SaveAt(t0=True, ts=TS, t1=True),
        diffrax.SaveAt(ts=np.array([0.0, 1.0, 1.0, 2.5])),
    ],
    ids=["t1", "ends", "all", "twice"],
)
def test_which_times_are_saved(saveat: Any):
    y0, args = animals(3)
    ours, theirs = both(
        lotka_volterra, diffrax.Tsit5(), 0.0, 10.0, None, y0, args,
        in_axes=ANIMALS_AXES, saveat=saveat, stepsize_controller=PID,
    )  # fmt: skip
    assert_same(ours, theirs)


@pytest.mark.parametrize(
    ("axes", "y_shape", "a_shape"),
    [(0, (4, 2), (4, 4)), ((1, 0), (2, 4), (4, 4)), ((-1, None), (2, 4), (4,)),
     ((None, -1), (2,), (4, 4)), (None, (2,), (4,))],
)  # fmt: skip
def test_in_axes_as_in_vmap(axes: Any, y_shape: Any, a_shape: Any):
    draw = np.random.default_rng(1)
    y0, args = draw.uniform(0.5, 2, y_shape), draw.uniform(0.8, 1.2, a_shape)
    ours, theirs = both(
        lotka_volterra, diffrax.Tsit5(), 0.0, 5.0, None, y0, args,
        in_axes=axes, stepsize_controller=PID,
    )  # fmt: skip
    assert_same(ours, theirs)


def test_a_list_for_args_and_arrays_of_jax():
    y0, args = animals(3)
    leaves = [jax.numpy.asarray(x) for x in args]
    ours, theirs = both(
        lotka_volterra, diffrax.Tsit5(), 0.0, 5.0, None, jax.numpy.asarray(y0), leaves,
        in_axes=(0, [0, None, None, 0]), stepsize_controller=PID,
    )  # fmt: skip
    assert_same(ours, theirs)


def test_integers_stay_integers_for_the_field():
    def chosen(t: Any, y: Any, args: Any) -> Any:
        rates, which = args
        return -rates[which] * y

    rates = np.array([0.5, 1.0, 2.0])
    ours, theirs = both(
        chosen, diffrax.Tsit5(), 0.0, 1.0, None, np.ones(3), (rates, np.array([2, 0, 1])),
        in_axes=(0, (None, 0)), stepsize_controller=PID,
    )  # fmt: skip
    assert_same(ours, theirs)
    np.testing.assert_allclose(ours.ys[:, 0], np.exp(-rates[[2, 0, 1]]), rtol=1e-5)


@pytest.mark.slow
def test_numbers_may_change_from_call_to_call():
    """Times, tolerances and lengths: one structure, so that nothing of the first call is left."""
    y0, args = animals(3)
    first = {"t1": 10.0, "dt0": 0.1, "rtol": 1e-6, "max_steps": 4096, "ts": TS}
    changes = [{}, {"t1": 7.0, "ts": [1, 2]}, {"rtol": 1e-8, "dt0": 0.01, "max_steps": 500}, {}]
    for change in changes:
        now = first | change
        ours, theirs = both(
            lotka_volterra, diffrax.Tsit5(), 0.0, now["t1"], now["dt0"], y0, args,
            in_axes=ANIMALS_AXES, saveat=diffrax.SaveAt(ts=np.asarray(now["ts"], float)),
            max_steps=now["max_steps"],
            stepsize_controller=diffrax.PIDController(rtol=now["rtol"], atol=1e-8),
        )  # fmt: skip
        assert_same(ours, theirs)


def test_another_function_of_the_same_name_is_another_field():
    def field(rate: float) -> Any:
        return lambda t, y, args: -rate * y

    ends = [
        by_odeflow(field(rate), diffrax.Tsit5(), 0.0, 1.0, None, np.ones(2),
                   stepsize_controller=PID).ys[0, 0]
        for rate in (1.0, 2.0)
    ]  # fmt: skip
    np.testing.assert_allclose(ends, np.exp([-1.0, -2.0]), rtol=1e-5)


@pytest.mark.parametrize("lanes", [1, 300])
def test_a_trajectory_does_not_depend_on_its_neighbours(lanes: int):
    y0, args = animals(300)
    call = lambda n: by_odeflow(
        lotka_volterra, diffrax.Tsit5(), 0.0, 10.0, None, y0[:n],
        (args[0][:n], 1.0, 0.9, args[3][:n]), in_axes=ANIMALS_AXES,
        saveat=diffrax.SaveAt(ts=TS), stepsize_controller=PID, threads=2,
    )  # fmt: skip
    np.testing.assert_array_equal(call(lanes).ys, call(300).ys[:lanes])


def test_single_precision():
    y0, args = animals(3)
    ours = by_odeflow(
        lotka_volterra, diffrax.Tsit5(), 0.0, 10.0, None, y0, args, in_axes=ANIMALS_AXES,
        stepsize_controller=diffrax.PIDController(rtol=1e-4, atol=1e-5), precision="float32",
    )  # fmt: skip
    assert ours.ys.dtype == np.float32
    exact = by_odeflow(
        lotka_volterra, diffrax.Tsit5(), 0.0, 10.0, None, y0, args, in_axes=ANIMALS_AXES,
        stepsize_controller=diffrax.PIDController(rtol=1e-9, atol=1e-9),
    )  # fmt: skip
    np.testing.assert_allclose(ours.ys, exact.ys, rtol=0.01)
