"""`solver.method: auto`: what begins, what is handed over, and that no chunk decides it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.config.ladder import ladder
from odeflow.config.root import Config
from odeflow.design import rows
from odeflow.engines.choice import Resources
from odeflow.engines.method_bounds import least_steps
from odeflow.engines.method_choice import _handed_over, _Tried
from odeflow.ensemble.build import build
from odeflow.ensemble.pilot import pilot_of
from odeflow.ensemble.prepared import Prepared
from odeflow.ensemble.solve import solve_samples
from odeflow.files.flags import flag_meanings
from odeflow.problem.methods import METHODS, candidates
from odeflow.problem.status import Status

#: Van der Pol's oscillators, of which two are stiff.
MU = [*np.linspace(0.1, 2.0, 22).round(2).tolist(), 5e4, 1e5]
VAN_DER_POL = [
    "~experiment", "+name=chosen", "model=van_der_pol", "model.t1=40", "design=zip",
    f"+design.axes.mu={{values:{MU}}}", "solver=auto",
    "summary.metrics=[]",
]  # fmt: skip


def config(*overrides: str) -> Config:
    return odeflow.compose(*VAN_DER_POL, *overrides)


def solved(asked: Config, start: int = 0, stop: int = 24) -> xr.Dataset:
    return solve_samples(asked, Path(), start, stop, Resources(threads=1))


def methods(ensemble: xr.Dataset) -> list[str]:
    names = flag_meanings(ensemble.method)
    return [names[code] for code in ensemble.method.values]


@pytest.fixture(scope="module")
def ensemble() -> xr.Dataset:
    return solved(config())


def test_stiff_trajectories_are_handed_over(ensemble: xr.Dataset):
    assert (ensemble.status == Status.success).all()
    found = methods(ensemble)
    assert found[:8] == ["tsit5"] * 8
    assert found[-2:] == ["rodas5p"] * 2
    assert flag_meanings(ensemble.attempt)[:4] == [
        "0_auto_tsit5", "1_auto_dopri8", "2_auto_tsit5_again", "3_auto_rodas5p",
    ]  # fmt: skip


@pytest.mark.slow
def test_each_has_the_numbers_of_its_method(ensemble: xr.Dataset):
    for name in ("tsit5", "rodas5p"):
        here = np.array(methods(ensemble)) == name
        alone = solved(config(f"solver={name}"))
        for variable in ("x", "v"):
            np.testing.assert_array_equal(ensemble[variable][here], alone[variable][here])


@pytest.mark.parametrize("cut", [1, pytest.param(13, marks=pytest.mark.slow)])
def test_chunks_do_not_decide(ensemble: xr.Dataset, cut: int):
    parts = [solved(config(), 0, cut), solved(config(), cut, 24)]
    xr.testing.assert_identical(xr.concat(parts, "sample"), ensemble)


@pytest.mark.slow
def test_where_all_is_stiff_the_stiff_method_begins():
    ensemble = solved(config("design.axes.mu={geomspace:[1e3,1e5,4]}"), 0, 4)
    assert methods(ensemble) == ["rodas5p"] * 4
    assert (ensemble.status == Status.success).all()


@pytest.mark.parametrize("design, first", [("sobol", "dopri8"), ("latin_hypercube", "tsit5")])
def test_a_small_ensemble_stays_with_what_is_compiled_first(design: str, first: str):
    """Of a Sobol sequence there may be any number of rows."""
    axes = "design.axes={mu:{uniform:[0.1,1]}}"
    asked = odeflow.compose(
        *VAN_DER_POL[:4], f"design={design}", axes, "design.size=8", "solver=auto"
    )
    assert methods(solved(asked, 0, 2)) == [first] * 2


def test_bounds_are_below_what_methods_take():
    """Van der Pol's oscillators that are not stiff, at 1e-6; the stiff one is never tried."""
    counts = {}
    for name in ("tsit5", "dopri8"):
        counts[name] = solved(config(f"solver={name}", "design.axes.mu={linspace:[0.2,2,24]}"))
    steps = {name: one.num_steps.values for name, one in counts.items()}
    limited = np.zeros(24, bool)
    least = least_steps("dopri8", 1e-6, "tsit5", steps["tsit5"], limited)
    assert (0.4 * steps["dopri8"] < least).all() and (least < steps["dopri8"]).all()
    assert (least_steps("rodas5p", 1e-6, "tsit5", steps["tsit5"], ~limited) == 0).all()


def test_a_design_that_goes_on_has_the_pilot_that_it_had():
    few, many = (
        odeflow.compose(
            "~experiment", "+name=chosen", "model=van_der_pol", "design=sobol",
            "+design.axes.mu={loguniform:[0.1,1e4]}", f"design.size={size}", "solver=auto",
        )
        for size in (4, 64)
    )  # fmt: skip
    same: Any = lambda axes, resources: axes
    built = [build(one, Path(), ["mu"]) for one in (few, many)]
    pilots = [pilot_of(one, Path(), same)(Resources(1)) for one in built]
    first, second = (pilot.lanes.args for pilot in pilots if pilot is not None)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(second[0], rows(many.design, 0, 8, Path())["mu"])
    assert [pilot.trajectories for pilot in pilots if pilot is not None] == [np.inf, np.inf]


@pytest.mark.parametrize("rtol", [1e-3, 1e-6, 1e-9, 1e-12])
def test_the_ladder_has_the_candidates_and_then_what_is_asked_for(rtol: float):
    rungs = ladder(config(f"solver.rtol={rtol}", "runtime.retry=[{method:kvaerno5}]"))
    assert tuple(r.solver.method for r in rungs if r.is_candidate) == candidates(rtol)
    *others, stiff = candidates(rtol)
    assert METHODS[stiff].implicit
    assert not any(METHODS[name].implicit for name in others)
    assert rungs[len(others) + 2].solver.method == "kvaerno5"
    assert rungs[len(others)].solver.max_steps == 100_000


def tried(steps: list[float], failed: list[bool], work: float) -> _Tried:
    return _Tried(np.array(steps), np.array(failed), np.array(failed), work)


def test_steps_that_are_given_are_those_of_the_least_work():
    """Two lanes end soon, one takes long: it is handed over, for 20 and 2 times 100."""
    explicit = tried([10.0, 20.0, 900.0], [False, False, True], 1.0)
    stiff = tried([30.0, 30.0, 30.0], [False] * 3, 5.0)
    assert _handed_over(explicit, stiff) == (10.0 + 20.0 + 20.0 + 150.0, 20)
    assert _handed_over(explicit, None) == (930.0, 900)
    hopeless = tried([50.0], [True], 1.0)
    assert _handed_over(hopeless, tried([3.0], [False], 2.0)) == (56.0, 0)


@pytest.mark.slow
def test_a_pilot_starts_where_trajectories_do(tmp_path: Path):
    """At rest before, A' = k - d A begins at k / 4."""
    (tmp_path / "model.ant").write_text("A = 1; k = 2; d = 4; A' = k - d*A")
    asked = odeflow.compose(
        "~experiment", "name=rest", "~model", "+model.antimony=model.ant", "+model.t1=2",
        "solver=auto", "design=zip", "design.axes={k: {values: [2, 6]}}",
        "+design.conditions={main: {d: 1}}", "+saveat.steady_state=true",
        "+design.preequilibration={main: {settings: {d: 4}}}", study=tmp_path,
    )  # fmt: skip
    prepared = Prepared(asked, tmp_path, ["k"])
    pilot = pilot_of(prepared.built, tmp_path, prepared.started)(Resources(1))
    assert pilot is not None
    np.testing.assert_allclose(pilot.lanes.y0[0], [0.5, 1.5])
    found = solve_samples(asked, tmp_path, 0, 2, Resources(threads=1))
    assert methods(found) == ["tsit5"] * 2
    t, k = asked.model.t1, np.array([2.0, 6.0])
    np.testing.assert_allclose(found["A"][:, -1], k - 0.75 * k * np.exp(-t), rtol=1e-5)
    np.testing.assert_allclose(found["A_steady"], k, rtol=1e-6)


@pytest.mark.parametrize(
    "more",
    [
        ["experiment=estimate"],
        ["+model.algebraic=[v]", "~experiment", "model=van_der_pol", "+name=equation"],
    ],
)
def test_where_nothing_is_chosen_the_method_is_for_what_is_stiff(more: list[str]):
    asked = odeflow.compose(*more, "solver=auto")
    assert asked.solver.method == "rodas5p"
    assert not ladder(asked)[0].is_candidate


@pytest.mark.slow
def test_diffrax_begins_with_the_explicit_method():
    ensemble = solved(config("runtime.engine=diffrax"), 0, 2)
    assert methods(ensemble) == ["tsit5"] * 2
