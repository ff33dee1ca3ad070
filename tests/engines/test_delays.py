"""Delays: closed forms, an independent method of steps by SciPy, and what verification says."""

from collections.abc import Callable
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import odeflow
from odeflow.files.errors import ConfigError
from odeflow.problem.status import Status
from odeflow.trust.verification import verify
from tests.support.snakes import make_study

LINEAR = """
def decay(t, y, args):
    return {"y": -args.k * args.before}
"""
MACKEY_GLASS = """
def decay(t, y, args):
    return {"y": 0.2 * args.before / (1 + args.before**10) - 0.1 * y.y}
"""
HUTCHINSON = """
def decay(t, y, args):
    return {"y": args.k * y.y * (1 - args.before)}
"""


def solved(
    folder: Path,
    field: str,
    delay: str,
    *overrides: str,
    axes: str = "{k: {values: [1.0]}}",
    ts: str = "{linspace: [0, 5, 51]}",
    t1: float = 5.0,
    states: str = "y: {initial: 1.0}",
    more: str = "",
) -> tuple[odeflow.Config, Any]:
    """The results of a study with one delay, `before`, and a parameter `tau` of 1."""
    study = make_study(folder)
    (study / "models.py").write_text(field)
    (study / "config/model/decay.yaml").write_text(
        f"name: decay\nvector_field: models.py:decay\nt1: {t1}\nstates: {{{states}}}\n"
        f"parameters: {{k: {{value: 1.0}}, tau: {{value: 1.0}}}}\n"
        f"delays: {{before: {{{delay}}}}}\n{more}"
    )
    settings = [f"design.axes={axes}", f"saveat.ts={ts}", *overrides]
    config = odeflow.compose("experiment=decay", "~design.axes.k", *settings, study=study)
    return config, odeflow.run(config)


TIGHT = ("solver.rtol=1e-10", "solver.atol=1e-12")


def linear(ts: np.ndarray, tau: float, k: float = 1.0) -> np.ndarray:
    """Y' = -k y(t - tau), 1 before: a polynomial of degree n on the n-th interval."""
    terms = range(int(ts[-1] // tau) + 2)
    return sum((-k) ** n * np.maximum(ts - (n - 1) * tau, 0.0) ** n / factorial(n) for n in terms)  # type: ignore[return-value]


@pytest.mark.parametrize(
    "method",
    ["tsit5", *(pytest.param(x, marks=pytest.mark.slow) for x in ("rodas5p", "dopri5", "dopri8"))],
)
def test_polynomials_over_an_axis_of_delays(method: str, tmp_path: Path):
    _, data = solved(
        tmp_path, LINEAR, "of: y, by: tau", f"solver={method}", *TIGHT,
        axes="{tau: {values: [0.35, 1.0, 1.7]}}",
    )  # fmt: skip
    assert data.attrs["odeflow_engine"] == "native"
    for tau, values in zip(data["tau"].values, data["y"].values):
        np.testing.assert_allclose(values, linear(data["time"].values, tau), rtol=0, atol=1e-8)


def test_a_step_ends_at_every_breaking_point(tmp_path: Path):
    """Up to where a method of order 5 sees a jump of a derivative: no step is taken twice."""
    _, data = solved(tmp_path, LINEAR, "of: y, by: tau", *TIGHT)
    assert int(data["num_rejected_steps"].sum()) <= 3


def method_of_steps(
    field: Callable[[float, float, float], float], tau: float, history: float, y0: float, t1: float
) -> Callable[[float], float]:
    """By SciPy, interval by interval, each with the dense output of the one before."""
    pieces: list[Any] = [lambda t: [history]]
    y = y0
    for n in range(int(np.ceil(t1 / tau))):
        past = pieces[-1]
        result = solve_ivp(
            lambda t, y, past=past: [field(t, y[0], past(t - tau)[0])],
            (n * tau, (n + 1) * tau), [y], "DOP853", rtol=1e-12, atol=1e-14, dense_output=True,
        )  # fmt: skip
        pieces.append(result.sol)
        y = result.y[0, -1]
    return lambda t: float(pieces[min(int(t // tau) + 1, len(pieces) - 1)](t)[0])


@pytest.mark.parametrize(
    ("field", "function", "tau", "t1", "method"),
    [
        (MACKEY_GLASS, lambda t, y, z: 0.2 * z / (1 + z**10) - 0.1 * y, 17.0, 100.0, "tsit5"),
        pytest.param(
            HUTCHINSON, lambda t, y, z: 1.4 * y * (1 - z), 1.3, 20.0, "rodas5p",
            marks=pytest.mark.slow,
        ),
    ],
)  # fmt: skip
def test_against_a_method_of_steps(
    field: str, function: Any, tau: float, t1: float, method: str, tmp_path: Path
):
    config, data = solved(
        tmp_path, field, "of: y, by: tau, history: 1.2", f"solver={method}", *TIGHT,
        axes=f"{{tau: {{values: [{tau}]}}, k: {{values: [1.4]}}}}",
        ts=f"{{linspace: [0, {t1}, 41]}}", t1=t1,
    )  # fmt: skip
    reference = method_of_steps(function, tau, 1.2, 1.0, t1)
    expected = [reference(t) for t in data["time"].values]
    np.testing.assert_allclose(data["y"].values.ravel(), expected, rtol=2e-8)
    assert verify(config, tmp_path, data).attrs["verdict"] == "passed"


ARRAYS = """
import jax.numpy as jnp

def decay(t, y, args):
    return {"z": jnp.zeros(()), "y": -args.k * args.before[::-1]}

def observed(t, y, args):
    return {"seen": args.before[0]}
"""


@pytest.mark.slow
def test_arrays_doses_and_observables(tmp_path: Path):
    """Two coupled components; what is added at 1.5 is seen a delay later."""
    config, data = solved(
        tmp_path, ARRAYS, "of: y, by: 0.5 + tau / 2, history: 3",
        "doses=[{state: y, index: [0], amount: 2, time: 1.5}]", *TIGHT,
        states="z: {initial: 0.0}, y: {initial: [1.0, 2.0], dims: [place]}",
        more="observables: models.py:observed\n",
    )  # fmt: skip
    ts = data["time"].values
    early = ts < 1
    np.testing.assert_allclose(data["y"].values[0, early, 0], 1 - 3 * ts[early], atol=1e-9)
    np.testing.assert_allclose(data["seen"].values[0, early], 3.0)
    at = {t: int(np.abs(ts - t).argmin()) for t in (1.5, 2.4, 2.6)}
    # 1 - 3 t until 1, then y0' = -(2 - 3 (t - 1))
    expected = -2 - (2 * 0.5 - 1.5 * 0.5**2) + 2
    np.testing.assert_allclose(data["y"].values[0, at[1.5], 0], expected, atol=1e-8)
    for t in (2.4, 2.6):
        before = data["y"].values[0, int(np.abs(ts - (t - 1)).argmin()), 0]
        np.testing.assert_allclose(data["seen"].values[0, at[t]], before, atol=1e-8)
    assert verify(config, tmp_path, data).attrs["verdict"] == "passed"


@pytest.mark.slow
def test_a_history_that_is_too_long_has_a_status(tmp_path: Path):
    _, data = solved(
        tmp_path, MACKEY_GLASS, "of: y, by: tau, history: 0.5", *TIGHT, "solver.delay_steps=8",
        "runtime.retry=[]", axes="{tau: {values: [17.0]}}", t1=60.0, ts="[0, 60]",
    )  # fmt: skip
    assert data["status"].values.tolist() == [Status.history_full]
    assert 17 <= float(data["time_reached"][0]) < 60
    assert np.isnan(data["y"].values[0, -1])


def test_a_stop_may_not_read_what_was(tmp_path: Path):
    field = LINEAR + "\ndef observed(t, y, args):\n    return {'seen': args.before}\n"
    with pytest.raises(ConfigError, match="neither a stop nor the trigger of an event"):
        solved(
            tmp_path, field, "of: y, by: tau", "+stop={below: {seen: 0.2}}",
            more="observables: models.py:observed\n",
        )  # fmt: skip


@pytest.mark.slow
def test_lanes_do_not_depend_on_neighbours(tmp_path: Path):
    many = "{tau: {values: [" + ", ".join(f"{0.3 + 0.1 * i:.1f}" for i in range(40)) + "]}}"
    _, together = solved(tmp_path / "a", LINEAR, "of: y, by: tau", axes=many)
    _, alone = solved(tmp_path / "b", LINEAR, "of: y, by: tau", axes="{tau: {values: [1.7]}}")
    there = together["y"].sel(tau=1.7, method="nearest").values
    np.testing.assert_array_equal(alone["y"].values[0], there)


@pytest.mark.slow
def test_metrics_and_events_of_what_was(tmp_path: Path):
    """Verified: two delays, doses and an infusion, crossings of an observable that jumps."""
    field = """
def decay(t, y, args):
    return {
        "y": 0.8 * y.y * (1 - args.before / 2) - 0.5 * y.y * args.other,
        "p": 0.25 * args.before * y.p - 0.3 * y.p,
    }

def observed(t, y, args):
    return {"w": args.before + args.other * y.y}
"""
    config, data = solved(
        tmp_path, field, "of: y, by: tau, history: k / 2}, other: {of: p, by: 2 + tau / 2",
        "doses=[{state: y, amount: 0.7, times: [3, 9.25]}, "
        "{state: p, amount: 0.4, duration: 1.0, time: 12}]",
        "saveat.events={high: {crossing: w, threshold: 2.0}}",
        "summary.crossings={w: {threshold: 2.0}}", *TIGHT,
        states="y: {initial: 1.2}, p: {initial: 0.5}", axes="{tau: {values: [0.3, 1.15, 2.0]}}",
        t1=25.0, ts="{linspace: [0, 25, 51]}", more="observables: models.py:observed\n",
    )  # fmt: skip
    assert verify(config, tmp_path, data).attrs["verdict"] == "passed"
