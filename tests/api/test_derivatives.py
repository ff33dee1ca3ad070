"""Derivatives against Diffrax's own, by forward and reverse mode, in `jit` and under `vmap`."""

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import odeflow
from tests.api.reference import ANIMALS_AXES, animals, by_diffrax, by_odeflow, lotka_volterra

TIGHT = diffrax.PIDController(rtol=1e-8, atol=1e-8)
TS = np.linspace(0, 8, 9)


def loss(solve: Any, **settings: Any) -> Any:
    """A loss of initial values and parameters, by one of the two."""
    known: dict[str, Any] = {"in_axes": ANIMALS_AXES, "saveat": diffrax.SaveAt(ts=TS)}
    known |= {"stepsize_controller": TIGHT} | settings

    def of(y0: Any, args: Any) -> Any:
        sol = solve(lotka_volterra, diffrax.Tsit5(), 0.0, 8.0, None, y0, args, **known)
        return sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(sol.ys))

    return of


def assert_close(ours: Any, theirs: Any, rtol: float = 1e-9) -> None:
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    for one, other in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs)):
        np.testing.assert_allclose(one, other, rtol=rtol)


def numbers() -> tuple[Any, Any]:
    return jax.tree.map(jnp.asarray, animals(3))


def test_a_closed_form_in_all_modes():
    """Y' = -k y + c: derivatives of y(1) in y(0), k and c."""

    def end(y0: Any, args: Any) -> Any:
        field = lambda t, y, args: -args["k"] * y + args["c"]
        sol = by_odeflow(
            field, diffrax.Tsit5(), 0.0, 1.0, None, y0, args, stepsize_controller=TIGHT
        )
        return sol.ys[:, 0]

    def exact(y0: Any, args: Any) -> Any:
        fall = jnp.exp(-args["k"])
        return y0 * fall + args["c"] / args["k"] * (1 - fall)

    point = jnp.array([1.0, 2.0]), {"k": jnp.array([0.5, 1.5]), "c": jnp.array([0.0, 1.0])}
    for mode in (jax.jacrev, jax.jacfwd, lambda f, argnums: jax.jit(jax.jacrev(f, argnums))):
        ours, theirs = (mode(f, argnums=(0, 1))(*point) for f in (end, exact))
        assert jax.tree.structure(ours) == jax.tree.structure(theirs)
        for one, other in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs)):
            np.testing.assert_allclose(one, other, atol=1e-7)
    only = jax.jvp(lambda y0: end(y0, point[1]), point[:1], (jnp.ones(2),))[1]
    np.testing.assert_allclose(only, jnp.exp(-point[1]["k"]), rtol=1e-7)


@pytest.mark.slow
def test_reverse_mode():
    ours = jax.value_and_grad(loss(by_odeflow), argnums=(0, 1))(*numbers())
    theirs = jax.value_and_grad(loss(by_diffrax), argnums=(0, 1))(*numbers())
    assert_close(ours, theirs)


@pytest.mark.slow
def test_reverse_mode_in_jit_of_what_is_shared():
    y0, args = numbers()

    def gradient(solve: Any) -> Any:
        return jax.jit(jax.grad(lambda b: loss(solve)(y0, (args[0], b, *args[2:]))))(args[1])

    assert_close(gradient(by_odeflow), gradient(by_diffrax))


def test_forward_mode():
    y0, args = numbers()
    tangents = jax.tree.map(lambda x: jnp.cos(x), (y0, args))
    ours = jax.jvp(loss(by_odeflow), (y0, args), tangents)
    forward = loss(by_diffrax, adjoint=diffrax.ForwardMode())
    assert_close(ours, jax.jvp(forward, (y0, args), tangents))


@pytest.mark.slow
def test_derivatives_of_a_saved_function():
    saveat = diffrax.SaveAt(ts=TS, fn=lambda t, y, args: {"all": t * y, "one": args[2] * y[0] ** 2})
    ours, theirs = (
        jax.grad(loss(solve, saveat=saveat), argnums=1)(*numbers())
        for solve in (by_odeflow, by_diffrax)
    )
    assert_close(ours, theirs)


def test_the_steps_are_those_without_derivatives():
    """So that a derivative is that of the numbers that are returned."""
    y0, args = numbers()
    settings: dict[str, Any] = {"in_axes": ANIMALS_AXES, "stepsize_controller": TIGHT}
    solve = lambda y0: by_odeflow(
        lotka_volterra, diffrax.Tsit5(), 0.0, 8.0, None, y0, args, **settings
    )
    plain = solve(y0)
    (values, _), counts = jax.vjp(
        lambda y0: ((s := solve(y0)).ys, s.stats["num_steps"]), y0
    )[0], plain.stats["num_steps"]  # fmt: skip
    np.testing.assert_allclose(values, plain.ys, rtol=1e-12)
    kept = jax.jvp(lambda y0: solve(y0).stats["num_steps"] * 1.0, (y0,), (y0,))[0]
    np.testing.assert_array_equal(kept, counts)


def test_vmap_folds_into_the_lanes():
    def one(y0: Any, rate: Any) -> Any:
        args = (rate, 1.0, 0.9, jnp.asarray([0.8, 1.0]))
        return by_odeflow(
            lotka_volterra, diffrax.Tsit5(), 0.0, 8.0, None, y0, args,
            in_axes=(None, (None, None, None, 0)), stepsize_controller=TIGHT,
        ).ys  # fmt: skip

    rates, y0 = jnp.linspace(0.8, 1.2, 4), jnp.asarray([1.0, 0.5])
    together = jax.vmap(one, in_axes=(None, 0))(y0, rates)
    assert together.shape == (4, 2, 1, 2)
    single = np.stack([one(y0, rate) for rate in rates])
    np.testing.assert_array_equal(together, single)
    gradient = jax.jit(jax.vmap(jax.grad(lambda r: one(y0, r).sum())))(rates)
    alone = [jax.grad(lambda r: one(y0, r).sum())(rate) for rate in rates]
    np.testing.assert_allclose(gradient, alone, rtol=1e-12)


@pytest.mark.slow
def test_times_may_be_traced():
    y0, args = animals(3)

    @jax.jit
    def end(t1: Any) -> Any:
        saveat = diffrax.SaveAt(ts=jnp.linspace(0, t1, 3))
        return by_odeflow(
            lotka_volterra, diffrax.Tsit5(), 0.0, t1, 0.1, y0, args,
            in_axes=ANIMALS_AXES, saveat=saveat, stepsize_controller=TIGHT,
        )  # fmt: skip

    for t1 in (2.0, 3.0):
        theirs = by_diffrax(
            lotka_volterra, diffrax.Tsit5(), 0.0, t1, 0.1, y0, args, in_axes=ANIMALS_AXES,
            saveat=diffrax.SaveAt(ts=np.linspace(0, t1, 3)), stepsize_controller=TIGHT,
        )  # fmt: skip
        ours = end(t1)
        assert (ours.engine, ours.ys.shape) == ("native", (3, 3, 2))
        np.testing.assert_allclose(ours.ys, theirs.ys, rtol=1e-12)
        np.testing.assert_allclose(ours.ts, theirs.ts, rtol=1e-15)


@pytest.mark.slow
def test_what_is_not_native_is_inlined_with_derivatives_of_diffrax():
    def solve(solver: Any) -> Any:
        known = {"in_axes": ANIMALS_AXES, "stepsize_controller": TIGHT}
        return lambda y0, args: solver(
            lotka_volterra, diffrax.Kvaerno5(), 0.0, 1.0, 0.1, y0, args, **known
        ).ys.sum()

    y0, args = numbers()
    ours, theirs = (
        jax.jit(jax.grad(solve(one), argnums=1))(y0, args) for one in (by_odeflow, by_diffrax)
    )
    assert_close(ours, theirs, 1e-12)


def test_a_field_that_closes_over_a_traced_value_goes_to_diffrax():
    y0, _ = numbers()

    def end(rate: Any, engine: str = "auto") -> Any:
        term = diffrax.ODETerm(lambda t, y, args: -rate * y)
        return odeflow.ensemble_solve(
            term, diffrax.Tsit5(), 0.0, 1.0, None, y0, stepsize_controller=TIGHT, engine=engine
        )

    sol = jax.jit(end)(2.0)
    assert sol.engine == "diffrax"
    assert "closes over" in sol.reason
    np.testing.assert_allclose(sol.ys[:, 0], y0 * np.exp(-2), rtol=1e-6)
    with pytest.raises(ValueError, match="closes over a value that JAX traces"):
        jax.jit(lambda rate: end(rate, "native").ys)(2.0)


def test_what_has_no_derivative_says_so():
    y0, args = numbers()
    of = lambda **settings: jax.grad(loss(by_odeflow, **settings))
    event = diffrax.Event(lambda t, y, args, **_: y[0] > 1.5)
    with pytest.raises(NotImplementedError, match="no derivatives through an event"):
        of(event=event)(y0, args)
    with pytest.raises(NotImplementedError, match="first derivatives only"):
        jax.jacfwd(jax.jacfwd(loss(by_odeflow)))(y0, args)
    end = lambda t1: by_odeflow(
        lotka_volterra, diffrax.Tsit5(), 0.0, t1, 0.1, y0, args,
        in_axes=ANIMALS_AXES, stepsize_controller=TIGHT,
    ).ys.sum()  # fmt: skip
    with pytest.raises(NotImplementedError, match="with respect to t0, t1"):
        jax.grad(end)(2.0)


def test_a_failure_in_jit_raises_where_it_is_asked_for():
    y0, args = numbers()
    solve = lambda y0, throw: by_odeflow(
        lotka_volterra, diffrax.Tsit5(), 0.0, 8.0, None, y0, args, in_axes=ANIMALS_AXES,
        stepsize_controller=TIGHT, max_steps=5, throw=throw,
    )  # fmt: skip
    sol = jax.jit(lambda y0: solve(y0, False))(y0)
    assert (np.asarray(sol.status) == odeflow.Status.max_steps_reached).all()
    with pytest.raises(Exception, match="a trajectory failed"):
        jax.block_until_ready(jax.jit(lambda y0: solve(y0, True).ys)(y0))


def test_what_is_known_while_jax_traces_is_solved_all_the_same():
    """Nothing in it is traced, but a JAX program cannot be run there."""

    @jax.jit
    def plus(x: Any) -> Any:
        known = {"stepsize_controller": TIGHT}
        for solver in (diffrax.Tsit5(), diffrax.Kvaerno3()):
            sol = by_odeflow(lambda t, y, args: -y, solver, 0.0, 1.0, 0.1, np.ones(2), **known)
            x = x + sol.ys[:, 0]
        return x

    np.testing.assert_allclose(plus(np.zeros(2)), 2 * np.exp(-1), rtol=1e-6)


@pytest.mark.slow
def test_nothing_traced_is_kept():
    event = diffrax.Event(lambda t, y, args, **_: y[0] > 1.5)
    with jax.checking_leaks():  # Equinox's errors of `throw` are taken for a leak
        for known in ({}, {"event": event}):

            @jax.jit
            def end(y0: Any, t1: Any, known: Any = known) -> Any:
                saveat = diffrax.SaveAt(ts=jnp.linspace(0, t1, 3))
                return by_odeflow(
                    lotka_volterra, diffrax.Tsit5(), 0.0, t1, 0.1, y0, animals(3)[1],
                    in_axes=ANIMALS_AXES, saveat=saveat, stepsize_controller=TIGHT, throw=False,
                    **known,
                ).ys  # fmt: skip

            assert end(animals(3)[0], 2.0).shape == (3, 3, 2)


@pytest.mark.slow
def test_derivatives_in_single_precision():
    y0, args = numbers()
    loose = diffrax.PIDController(rtol=1e-4, atol=1e-5)
    single = loss(by_odeflow, precision="float32", stepsize_controller=loose)
    ours, exact = jax.grad(single)(y0, args), jax.grad(loss(by_odeflow))(y0, args)
    np.testing.assert_allclose(ours, exact, rtol=0.01, atol=0.01)
