"""Large systems on the native engine, against closed forms, SciPy and the other engine."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.linalg

from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native_engine
from odeflow.engines.native.loop.arrays import Arrays
from odeflow.engines.native.targets import sparse_elimination
from odeflow.engines.native.targets.kernel import forget_kernels
from odeflow.problem.problem import Lanes, Problem, rows_below
from odeflow.problem.reductions import Reduction
from odeflow.problem.status import Status
from tests.support.problems import make_model, make_problem

pytestmark = pytest.mark.usefixtures("loops")
RATES = np.linspace(0.5, 1.5, 9)


@pytest.fixture
def loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is for large systems is done for those that compile fast, too."""
    monkeypatch.setattr("odeflow.engines.native.loop.lanes._LONG", 0)
    monkeypatch.setattr("odeflow.engines.native.methods.rosenbrock._MOST_WRITTEN", 0)


def problem(
    field: Callable[..., Any], start: np.ndarray, t1: float, ts: Any = None, **settings: Any
) -> tuple[Problem, Lanes]:
    """A field of one array, its rate varied over nine lanes."""
    states = {"x": {"initial": start.tolist(), "dims": ["cell"]}}
    settings = {"rtol": 1e-8, "atol": 1e-10, "dt0": None} | settings
    made = make_problem(make_model(field, states, t1, rate=1.0), ts, **settings)
    return made, Lanes(np.repeat(start[:, None], len(RATES), axis=1), RATES[None])


def solve(made: tuple[Problem, Lanes], folder: Path) -> np.ndarray:
    """The values by lane, time and component."""
    solution = native_engine.solve(*made, threads=1, cache_dir=folder)
    assert (solution.status == Status.success).all()
    module = native_engine.generated(made[0])
    assert module.code.cost < 4000
    return solution.values["x"]


@pytest.mark.parametrize("method", ["tsit5", "rodas5p"])
def test_heat_in_a_rod(method: str, tmp_path: Path):
    """The modes of the differences decay, each by its own rate."""
    n, t1 = 40, 0.02
    ts = [0.0, 0.3 * t1, t1]
    modes = {1: 1.0, 7: 0.5, 20: 0.2}
    x = np.arange(1, n + 1) / (n + 1)

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        u = jnp.concatenate([jnp.zeros(1), y.x, jnp.zeros(1)])
        return {"x": args.rate * (n + 1) ** 2 * (u[2:] - 2 * y.x + u[:-2])}

    start = np.sum([c * np.sin(np.pi * k * x) for k, c in modes.items()], axis=0)
    found = solve(problem(field, start, t1, ts, method=method), tmp_path)
    shapes = np.array([np.sin(np.pi * k * x) for k in modes])
    decays = [4 * (n + 1) ** 2 * np.sin(np.pi * k / (2 * n + 2)) ** 2 for k in modes]
    for time, t in enumerate(ts):
        sizes = np.array(list(modes.values())) * np.exp(-t * np.outer(RATES, decays))
        np.testing.assert_allclose(found[:, time], sizes @ shapes, atol=3e-7)


def network(n: int) -> tuple[Callable[..., Any], np.ndarray]:
    """Conversions of species into one another, and the matrix of their rates."""
    rng = np.random.default_rng(3)
    source = np.concatenate([np.arange(n), rng.integers(0, n, n)])
    target = np.concatenate([(np.arange(n) + 1) % n, np.clip(source[n:] + 3, 0, n - 1)])
    rates = 10.0 ** rng.uniform(-3, 3, 2 * n)
    matrix = np.zeros((n, n))
    np.add.at(matrix, (source, source), -rates)
    np.add.at(matrix, (target, source), rates)

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        flow = args.rate * rates * y.x[source]
        return {"x": jnp.zeros(n).at[source].add(-flow).at[target].add(flow)}

    return field, matrix


def full(n: int) -> tuple[Callable[..., Any], np.ndarray]:
    """A full matrix with eigenvalues from -100 to 0 or so."""
    rng = np.random.default_rng(4)
    matrix = rng.normal(size=(n, n)) / np.sqrt(n) - np.diag(np.geomspace(1, 100, n))
    return lambda t, y, args: {"x": args.rate * (matrix @ y.x)}, matrix


@pytest.mark.parametrize(
    ("make", "n", "method"),
    [
        (network, 30, "rodas5p"),
        (full, 19, "rodas5p"),
        (full, 24, "dopri8"),
        pytest.param(network, 300, "rodas5p", marks=pytest.mark.slow),
        pytest.param(full, 70, "rodas5p", marks=pytest.mark.slow),
    ],
)
def test_linear_systems(make: Any, n: int, method: str, tmp_path: Path):
    """Sparse and full, against the exponential of the matrix."""
    field, matrix = make(n)
    start = np.random.default_rng(5).random(n)
    found = solve(problem(field, start, 1.0, method=method), tmp_path)[:, 0]
    exact = [scipy.linalg.expm(rate * matrix) @ start for rate in RATES]
    np.testing.assert_allclose(found, exact, rtol=1e-6, atol=1e-7)


def test_sparse_factors_by_loops(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """As in larger systems, where they are not written out."""
    monkeypatch.setattr("odeflow.engines.native.targets.sparse_elimination._SHORT", 0)
    test_linear_systems(network, 30, "rodas5p", tmp_path)


def test_written_out_factors_in_parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A function for some rows, one after another: what is computed is the same."""
    asked = problem(network(12)[0], np.random.default_rng(5).random(12), 0.1, method="rodas5p")
    whole = solve(asked, tmp_path)
    monkeypatch.setattr("odeflow.engines.native.targets.sparse_elimination._PART", 8)
    sparse_elimination._elimination.cache_clear()
    forget_kernels()
    np.testing.assert_array_equal(solve(asked, tmp_path / "parts"), whole)


def brusselator(n: int) -> Callable[..., Any]:
    """Two substances in n / 2 cells; Hairer and Wanner II, section IV.10."""
    cells = n // 2

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        u, v = y.x[:cells], y.x[cells:]
        padded = jnp.concatenate([jnp.ones(1), u, jnp.ones(1)])
        other = jnp.concatenate([jnp.full(1, 3.0), v, jnp.full(1, 3.0)])
        rate, made = args.rate * (cells + 1) ** 2 / 50, u**2 * v
        du = 1 + made - 4 * u + rate * (padded[2:] - 2 * u + padded[:-2])
        dv = 3 * u - made + rate * (other[2:] - 2 * v + other[:-2])
        return {"x": jnp.concatenate([du, dv])}

    return field


@pytest.mark.slow
def test_the_brusselator_by_both_engines_and_scipy(tmp_path: Path):
    n = 100
    x = np.arange(1, n // 2 + 1) / (n // 2 + 1)
    start = np.concatenate([1 + np.sin(2 * np.pi * x), np.full(n // 2, 3.0)])
    made = problem(brusselator(n), start, 2.0, method="rodas5p")
    found = solve(made, tmp_path)[:, 0]
    other = diffrax_engine.solve(*problem(brusselator(n), start, 2.0, method="kvaerno5"))
    np.testing.assert_allclose(found, other.values["x"][:, 0], atol=1e-6)
    model = made[0].model
    for lane in (0, 8):
        rate = (float(RATES[lane]),)
        flow = lambda t, y, rate=rate: np.asarray(
            model.function(t, model.State(jnp.asarray(y)), model.Args(*rate))["x"]
        )
        settings = {"method": "LSODA", "rtol": 1e-9, "atol": 1e-11}
        solved = scipy.integrate.solve_ivp(flow, (0.0, 2.0), start, **settings)
        np.testing.assert_allclose(found[lane], solved.y[:, -1], atol=1e-6)


def test_many_lanes_of_a_large_state_share_what_they_start_from(monkeypatch, tmp_path: Path):
    """Memory: a copy is of a batch, and a batch of large states is small; bits are the same."""
    n, size = 64, 100
    start = np.random.default_rng(6).random(n)
    field, _ = network(n)
    made, _ = problem(field, start, 0.1, method="tsit5")
    y0 = rows_below([np.broadcast_to(start[:, None], (n, size))])
    lanes = Lanes(y0, np.linspace(0.5, 1.5, size)[None])
    assert y0.strides == (8, 0)
    whole = native_engine.solve(made, lanes, threads=1, cache_dir=tmp_path)
    monkeypatch.setattr(native_engine, "_FEWEST", 8)
    monkeypatch.setattr(native_engine, "_LARGE_STATE", 1)
    arrays = Arrays(made, lanes, native_engine.generated(made))
    assert [x.shape[1] for x in arrays.inputs(8, 20)[:2]] == [12, 12]
    parts = native_engine.solve(made, lanes, threads=2, cache_dir=tmp_path)
    np.testing.assert_array_equal(whole.values["x"], parts.values["x"])


def test_batches_of_large_states_hold_few_numbers():
    """Of what 100,000 trajectories start from, each thread has a few MB at a time."""
    sizes = {n: native_engine.batch_size(100_000, n, 2) for n in (1, 16, 64, 1000, 10_000)}
    assert sizes[1] == sizes[16] == 4096
    assert all(n * size <= 400_000 for n, size in sizes.items())


def test_bytes_of_a_trajectory():
    """Two times, two metrics and the start of a state of 5 numbers, and one parameter."""
    asked = problem(lambda t, y, args: {"x": -args.rate * y.x}, np.ones(5), 1.0, [0.5, 1.0])[0]
    metrics = (Reduction("x", "max"), Reduction("x", "mean"))
    assert replace(asked, reductions=metrics).lane_bytes == 8 * (2 * 5 + 2 * 5 + 5 + 1)
