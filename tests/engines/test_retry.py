"""The retry ladder: only what failed is solved again, and a rung gives what its solver gives."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.config.ladder import Attempt, ladder
from odeflow.config.root import Config
from odeflow.engines.attempts import Retried, Retrier
from odeflow.engines.choice import Resources, choose_engine
from odeflow.ensemble.solve import solve_samples
from odeflow.files.flags import flag_meanings
from odeflow.problem.problem import Lanes
from odeflow.problem.status import Status
from tests.support.problems import make_model, make_problem, make_solver

#: Van der Pol oscillators: the first few need few steps, the others more, the last a stiff method.
VAN_DER_POL = [
    "~experiment", "+name=ladder", "model=van_der_pol", "model.t1=40", "design=zip",
    "+design.axes.mu={geomspace:[0.1,1e5,24]}", "solver=tsit5", "solver.max_steps=400",
]  # fmt: skip


def van_der_pol(*overrides: str) -> Config:
    return odeflow.compose(*VAN_DER_POL, *overrides)


def solved(config: Config, start: int = 0, stop: int = 24, threads: int = 2) -> xr.Dataset:
    return solve_samples(config, Path(), start, stop, Resources(threads=threads))


def assert_same_bits(a: xr.Dataset, b: xr.Dataset) -> None:
    xr.testing.assert_identical(a, b)  # NaN equals NaN; attributes too
    for name in a.variables:
        assert a[name].values.tobytes() == b[name].values.tobytes(), name


@pytest.fixture(scope="module")
def ensemble() -> xr.Dataset:
    return solved(van_der_pol())


def test_all_succeed_and_attempt_says_which_rung(ensemble: xr.Dataset):
    assert (ensemble.status == Status.success).all()
    assert (ensemble.time_reached == 40).all()
    assert set(np.unique(ensemble.attempt)) == {0, 1, 2}
    assert (np.diff(ensemble.attempt) >= 0).all()  # the larger mu, the further down the ladder
    assert flag_meanings(ensemble.attempt) == [
        "0_as_configured", "1_max_steps_x10", "2_method_rodas5p", "3_dt0_x1e-9_dtmin_x1e-3",
        "4_method_kvaerno5", "5_method_tsit5",
    ]  # fmt: skip
    assert flag_meanings(ensemble.method) == ["tsit5", "rodas5p", "kvaerno5"]
    np.testing.assert_array_equal(ensemble.method, ensemble.attempt == 2)
    assert (ensemble.num_steps.where(ensemble.attempt == 1, 4000) > 400).all()
    for name in ("attempt", "method", "engine"):
        flags = ensemble[name].attrs
        assert len(flags["flag_values"]) == len(flags["flag_meanings"].split())


def test_what_succeeded_does_not_change_by_a_bit(ensemble: xr.Dataset):
    alone = solved(van_der_pol("runtime.retry=[]"))
    succeeded = np.flatnonzero(alone.status == Status.success)
    assert 0 < len(succeeded) < 24
    for name in set(alone.variables) - {"time"}:
        kept, other = (ds[name].values[succeeded] for ds in (ensemble, alone))
        assert kept.tobytes() == other.tobytes(), name
    failed = alone.isel(sample=alone.status != Status.success)
    assert (failed.attempt == 0).all() and failed.x.isnull().all()


@pytest.mark.parametrize("engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)])
def test_a_retried_lane_does_not_depend_on_its_neighbours(engine: str):
    config = van_der_pol(f"runtime.engine={engine}", "model.t1=20")
    whole = solved(config)
    assert set(np.unique(whole.attempt)) == {0, 1, 2}
    for start, stop, threads in ((0, 24, 1), (13, 24, 2), (22, 23, 1)):
        part = solved(config, start, stop, threads)
        assert_same_bits(part, whole.isel(sample=slice(start, stop)))


VARIANTS = {
    "saved times": ["saveat.ts={linspace:[0,40,5]}"],
    "metrics reduced while solving": ["summary.metrics=[max,mean,time_of_max]"],
    "sensitivities": ["saveat.sensitivities=[mu,x]", "model.t1=10"],
    "own ends": ["+design.axes.t1={linspace:[20,40,24]}"],
    "float32": ["runtime.precision=float32", "solver.rtol=1e-4", "solver.atol=1e-5"],
}
#: Rodas5P compiles for a while there.
DIFFRAX = ["runtime.engine=diffrax", "solver.max_steps=200", "model.t1=10"]


@pytest.mark.parametrize(
    "overrides",
    [*VARIANTS.values(), pytest.param(DIFFRAX, marks=pytest.mark.slow)],
    ids=[*VARIANTS, "diffrax"],
)
def test_a_rung_gives_what_its_solver_gives(overrides: list[str]):
    config = van_der_pol(*overrides)
    found = solved(config)
    assert (found.status == Status.success).all()
    assert set(np.unique(found.attempt)) == {0, 1, 2}
    for number, attempt in enumerate(ladder(config)[:3]):
        itself = config.model_copy(
            update={
                "solver": attempt.solver,
                "runtime": config.runtime.model_copy(update={"retry": []}),
            }
        )
        here = np.flatnonzero(found.attempt == number)
        start, stop = int(here.min()), int(here.max()) + 1
        assert stop - start == len(here)
        alone = solved(itself, start, stop)
        for name in set(map(str, found.variables)) - {"attempt", "method", "time"}:
            assert found[name].values[here].tobytes() == alone[name].values.tobytes(), name


@pytest.mark.slow
def test_each_rung_takes_the_engine_that_can_run_it():
    config = odeflow.compose(
        "~experiment", "+name=engines", "model.t1=10", "design=zip", "solver.rtol=1e-4",
        "+design.axes.vmax={linspace:[8,12,5]}", "+design.axes.km={linspace:[6,4,5]}",
        "summary.metrics=[final]", "runtime.engine=native", "solver.max_steps=30",
        "runtime.retry=[{method:kvaerno3,max_steps:1000}]",
    )  # fmt: skip
    found = solved(config, 0, 5)
    assert (found.status == Status.success).all()
    assert set(np.unique(found.attempt)) == {0, 1}
    assert flag_meanings(found.engine) == ["native", "diffrax"]
    np.testing.assert_array_equal(found.engine, found.attempt)
    assert (found.attrs["engine"], found.attrs["engine_reason"]) == ("native", "")


def retried(model: Any, y0: list[float], *changes: dict[str, Any], **solver: Any) -> Retried:
    problem = make_problem(model, **solver)
    attempts = [Attempt(make_solver(model.declared.states, **solver))]
    for number, change in enumerate(changes):
        changed = replace(attempts[-1].solver, **change)
        attempts.append(Attempt(changed, frozenset(change), f"{number + 1}"))
    lanes = Lanes(np.array([y0]), np.zeros((0, len(y0))))
    chosen = choose_engine(problem, "native")
    return Retrier(problem, attempts, chosen, "native").solve(lanes, Resources(threads=1))


def test_where_all_fail_the_attempt_that_came_furthest_is_kept():
    # y' = y^2 has a pole at t = 1 / y0; y' = 0 from y0 = 0
    model = make_model(lambda t, y, args: {"y": y.y**2}, {"y": 1.0}, 2.0)
    result = retried(
        model, [1.0, 0.25, 0.0], {"max_steps": 20}, {"max_steps": 10}, max_steps=5, rtol=1e-9
    )
    np.testing.assert_array_equal(result.attempt, [1, 1, 0])
    solution = result.solution
    np.testing.assert_array_equal(solution.status[[0, 2]], [1, 0])
    assert solution.num_steps[0] == 20 and 0.5 < solution.time_reached[0] < 1
    assert np.isnan(solution.values["y"][0])


def test_of_attempts_that_came_equally_far_the_first_is_kept():
    model = make_model(lambda t, y, args: {"y": -1.0 / y.y}, {"y": 1.0}, 1.0)
    result = retried(model, [0.0, 2.0], {"method": "dopri5"}, {"method": "rodas5p"})
    np.testing.assert_array_equal(result.attempt, [0, 0])
    np.testing.assert_array_equal(result.solution.status, [Status.non_finite, Status.success])
    assert [engine is None for engine in result.engines] == [False, False, False]


def test_an_attempt_that_none_needs_is_not_made():
    model = make_model(lambda t, y, args: {"y": -y.y}, {"y": 1.0}, 1.0)
    # an engine is not even chosen for the others
    result = retried(model, [1.0, 2.0], {"max_steps": 20}, {"method": "rodas5p"})
    assert result.engines[0] is not None and result.engines[1:] == (None, None)


def test_a_method_that_cannot_differentiate_the_field_is_left_out():
    @jax.custom_vjp
    def square(x: Any) -> Any:
        return x**2

    square.defvjp(lambda x: (x**2, x), lambda x, g: (2 * x * g,))
    model = make_model(lambda t, y, args: {"y": square(y.y)}, {"y": 1.0}, 2.0)
    with pytest.warns(UserWarning, match="rodas5p is left out, since JAX cannot differentiate"):
        result = retried(model, [1.0, 0.1], {"method": "rodas5p"}, {"method": "dopri5"})
    np.testing.assert_array_equal(result.solution.status != Status.success, [True, False])
    assert result.engines[1] is None and result.engines[2] is not None


def mask(attempt: Attempt, *status: Status, duration: float = 1.0) -> list[bool]:
    return attempt.may_help(np.array(status), np.full(len(status), duration)).tolist()


def test_a_rung_passes_over_what_it_cannot_help():
    solver = make_solver(["y"])
    every = (Status.success, Status.max_steps_reached, Status.dt_min_reached, Status.non_finite)
    for changed, helps in (
        (set(), [False, False, False, False]),
        ({"max_steps"}, [False, True, False, False]),
        ({"dtmin"}, [False, False, True, True]),
        ({"dtmin", "max_steps"}, [False, True, True, True]),
        ({"method"}, [False, True, True, True]),
    ):
        assert mask(Attempt(solver, frozenset(changed)), *every) == helps, changed


def test_constant_steps_that_cannot_reach_the_end_are_not_taken():
    constant = {"stepsize_controller": "constant", "dt0": 0.1, "max_steps": 10}
    solver = make_solver(["y"], method="euler", **constant)
    attempt = Attempt(solver, frozenset({"method"}))
    assert mask(attempt, Status.non_finite, duration=1.0) == [True]
    assert mask(attempt, Status.non_finite, duration=2.0) == [False]


@pytest.mark.slow
def test_ten_thousand_oscillators_all_succeed_and_none_without_retries():
    config = odeflow.compose("experiment=van_der_pol")
    assert config.design.size == 10_000 and config.solver.max_steps == 10_000
    alone = odeflow.run(
        config.model_copy(update={"runtime": config.runtime.model_copy(update={"retry": []})})
    )
    assert (alone.status == Status.max_steps_reached).all()
    ensemble = odeflow.run(config)
    assert (ensemble.status == Status.success).all()
    by_attempt = [int((ensemble.attempt == number).sum()) for number in range(4)]
    assert by_attempt[0] == by_attempt[3] == 0  # none as configured, none needs the last rung
    # more steps reach the end up to a mu that grows with the steps; a stiff method beyond it
    assert 4000 < by_attempt[1] < 5000
    stiff = ensemble.mu.where(ensemble.attempt == 2)
    assert float(stiff.min()) > 30 and float(ensemble.mu.where(ensemble.attempt == 1).max()) < 100
