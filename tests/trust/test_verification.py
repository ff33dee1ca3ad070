"""Verification: right results pass, broken steps do not, and what cannot be judged is said."""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.config.shipped import shipped_config
from odeflow.engines.native.methods import explicit_rk
from odeflow.importers.loading import load_model
from odeflow.trust.facts import verification_facts, worst_cases
from odeflow.trust.verification import verify
from odeflow.trust.verification.compare import Checker
from odeflow.trust.verification.course import course
from odeflow.trust.verification.numpy_functions import PointFunctions
from odeflow.trust.verification.problem import PointProblem
from odeflow.trust.verification.schedule import Change
from odeflow.trust.verification.stepping import Accuracy, NoReferenceError, OutOfTimeError, Work
from odeflow.trust.verification.suspects import suspects
from odeflow.trust.verification.tolerances import ComponentTolerances
from odeflow.workflow.specs import stage_spec
from tests.support.problems import make_model
from tests.support.snakes import PROJECT, make_study

MODELS = sorted(path.stem for path in (shipped_config() / "model").glob("*.yaml"))

#: Arrays, observables, own ends, a tolerance a state: what a model can have.
ARRAYS = """
import jax.numpy as jnp


def chain(t, y, args):
    inflow = jnp.concatenate([jnp.zeros(1), args.k * y.gut[:-1]])
    return {"gut": inflow - args.k * y.gut, "out": args.k * y.gut[-1] - 0.1 * y.out}


def observables(t, y, args):
    return {"amount": jnp.sum(y.gut) + y.out, "log_amount": jnp.log(jnp.sum(y.gut) + y.out)}
"""
ARRAYS_YAML = """
name: chain
vector_field: models.py:chain
t1: 8.0
states:
  gut: {initial: [1.0, 0.0, 0.0], dims: [compartment]}
  out: {initial: 0.0}
parameters:
  k: {value: 1.0}
observables: models.py:observables
"""


def array_study(folder: Path) -> Path:
    make_study(folder)
    (folder / "models.py").write_text(ARRAYS)
    (folder / "config/model/chain.yaml").write_text(ARRAYS_YAML)
    return folder


def run(*overrides: str, study: Path | str = ".") -> tuple[odeflow.Config, xr.Dataset]:
    config = odeflow.compose(*overrides, study=study)
    return config, odeflow.run(config)


@pytest.mark.parametrize("name", MODELS)
def test_every_shipped_model_is_evaluated_without_the_engines(name: str):
    model = load_model(odeflow.compose(f"model={name}", "~experiment").model)
    functions = PointFunctions(model)
    assert functions.evaluator == "numpy"
    t, y, args = model.example()
    y = np.asarray(model.flatten(y)) * 1.1 + 0.01
    expected = model.flat_vector_field(t, tuple(jnp.asarray(y)), args)
    found = functions.vector_field(float(t), y, np.asarray(args))
    assert isinstance(found, np.ndarray) and found.dtype == np.float64
    np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-12)
    observed = model.flat_observables(t, tuple(jnp.asarray(y)), args)
    np.testing.assert_allclose(
        functions.observables(float(t), y, np.asarray(args)),
        [float(observed[n]) for n in model.observable_names],
        rtol=1e-12,
    )


def test_what_numpy_cannot_evaluate_is_left_to_jax():
    def field(t: Any, y: Any, args: Any) -> Any:
        return {"x": jax.lax.dynamic_update_slice(jnp.zeros(2), -args.k * y.x[:1], (0,))}

    model = make_model(field, {"x": {"initial": [2.0, 1.0], "dims": ["i"]}}, 1.0, k=3.0)
    functions = PointFunctions(model)
    assert functions.evaluator == "jax"
    found = functions.vector_field(0.0, np.array([2.0, 1.0]), np.array([3.0]))
    np.testing.assert_array_equal(found, [-6.0, 0.0])


def test_the_users_module_keeps_its_jax():
    from odeflow.models import diffusion

    PointFunctions(load_model(odeflow.compose("model=heat_equation", "~experiment").model))
    assert diffusion.jnp is jnp


def _problem(field: Any, t1: float, changes: list[Change] | None = None) -> PointProblem:
    """One component from 1 at t = 0, of a field that compares nothing."""
    nothing = Change(0.0, np.zeros(1), np.empty(0), np.zeros(1))
    notes = lambda t, y, args: None
    return PointProblem(field, notes, np.ones(1), 0.0, t1, changes or [nothing])


def _solved(field: Any, method: str, most: int = 10_000, rtol: float = 1e-10) -> Any:
    ts = np.array([0.0, 1.0, 5.0])
    return course(_problem(field, 5.0), ts, Accuracy(method, rtol, np.array([1e-12])), Work(most))


@pytest.mark.parametrize("method", ["DOP853", "Radau", "LSODA"])
def test_a_course_is_right_and_gives_up_in_words(method: str):
    found = _solved(lambda t, y, args: -y, method)
    np.testing.assert_allclose(found.ys[:, 0], np.exp([0.0, -1.0, -5.0]), rtol=1e-8)
    assert found.method == method and not found.stopped
    with pytest.raises(NoReferenceError, match=method):
        _solved(lambda t, y, args: y**2, method, rtol=1e-6)


@pytest.mark.parametrize("method", ["Radau", "LSODA"])
def test_a_course_tells_early_times_from_the_start_however_late_it_ends(method: str):
    """A rounding of the last time, 1e12, is later than the first ones."""
    ts = np.geomspace(1e-6, 1e12, 19)
    field = lambda t, y, args: -1e3 * y
    found = course(
        _problem(field, 1e12), ts, Accuracy(method, 1e-9, np.array([1e-14])), Work(10**5)
    )
    np.testing.assert_allclose(found.ys[:, 0], np.exp(-1e3 * ts), rtol=1e-6, atol=1e-12)
    assert found.ys[0, 0] < 1.0


def test_a_course_has_a_limit_of_evaluations():
    stiff = lambda t, y, args: -1e6 * (y - np.cos(t))
    assert _solved(stiff, "Radau", 20_000, 1e-8).evaluations < 20_000
    with pytest.raises(NoReferenceError, match=r"needs more than 5,000 evaluations"):
        _solved(stiff, "DOP853", 5_000, 1e-8)


def test_a_course_stops_and_starts_at_changes():
    """dy/dt = -k y, 1 more at t = 1, k from 1 to 2 at t = 2; at a change the value after it."""
    field = lambda t, y, args: -args[0] * y
    given = [(0.0, 0.0, 1.0), (1.0, 1.0, 1.0), (2.0, 0.0, 2.0), (9.0, 5.0, 5.0)]
    changes = [Change(t, np.array([add]), np.array([k]), np.zeros(1)) for t, add, k in given]
    ts = np.array([0.0, 0.5, 1.0, 2.0, 2.0 + np.log(2)])
    accuracy = Accuracy("DOP853", 1e-10, np.array([1e-12]))
    found = course(_problem(field, 3.0, changes), ts, accuracy, Work(10_000))
    once = np.exp(-1.0) + 1.0
    expected = [1.0, np.exp(-0.5), once, once * np.exp(-1.0), once * np.exp(-1.0) / 4]
    np.testing.assert_allclose(found.ys[:, 0], expected, rtol=1e-8)


def test_doses_are_verified(tmp_path: Path):
    """Boluses, an infusion and a switch, sizes and times from axes."""
    bolus = "{state: gut, amount: given, times: [0, 6], every: 12, count: 2}"
    infusion = "{state: central, amount: 50, duration: 2.5, time: begin}"
    config, ensemble = run(
        "~experiment", "model=pk_one_compartment", "saveat.ts={linspace:[0,24,25]}",
        f"doses=[{bolus},{infusion},{{parameter: cl, value: 8, time: 10}}]",
        "design.axes={given:{values:[50,100]},begin:{values:[3,3.3]},v:{values:[40,60]}}",
        study=tmp_path,
    )  # fmt: skip
    found = verify(config, tmp_path, ensemble)
    assert found.attrs["verdict"] == "passed", found.attrs["verdict_reason"]
    assert found.attrs["number_verified"] == 8 and float(found.error_ratio.max()) < 100
    wrong = ensemble.assign(gut=ensemble.gut.where(ensemble.time != 6.0, ensemble.gut - 50.0))
    assert verify(config, tmp_path, wrong).attrs["verdict"] == "failed"


def test_the_stage_is_given_all_that_decides_a_trajectory(tmp_path: Path):
    config = odeflow.compose("experiment=pk_multiple_dose", study=tmp_path)
    given = stage_spec(config, tmp_path, "verify")["config"]
    assert len(given["doses"]) == len(config.doses) == 2
    assert {"model", "design", "solver", "saveat", "runtime"} <= given.keys()


def test_the_worst_suspects_come_first_and_the_rest_is_drawn():
    status = np.zeros((10, 20), np.int8)
    status[3] = odeflow.Status.max_steps_reached
    steps = np.arange(200).reshape(10, 20)
    rejected = np.where(np.arange(200) == 17, 16, 0).reshape(10, 20)
    ends = np.zeros((10, 20, 2))
    ends[5, 5] = 7.0
    dims = ("a", "b")
    data = {"status": (dims, status), "num_steps": (dims, steps)}
    data |= {"num_rejected_steps": (dims, rejected), "y": ((*dims, "time"), ends)}
    ensemble = xr.Dataset(data, {"time": [0.0, 1.0]})
    chosen = suspects(ensemble, 32, 0)
    assert len(set(chosen)) == 32 and not set(chosen) & set(range(60, 80))
    assert chosen[:5] == [199, 198, 197, 196, 17] and 105 in chosen[:16]
    assert chosen == suspects(ensemble, 32, 0)
    other = suspects(ensemble, 32, 1)
    assert chosen[:8] == other[:8] and set(chosen) != set(other)
    assert len(suspects(ensemble, 500, 0)) == 180


def test_tolerances_of_observables_follow_those_of_the_states():
    def field(t: Any, y: Any, args: Any) -> Any:
        return {"a": -y.a, "b": -y.b}

    model = make_model(field, {"a": 1.0, "b": 1.0}, 1.0)
    solver = odeflow.compose("solver.rtol=1e-6", "solver.atol=1e-9").solver
    asked = solver.tolerances(["a", "b"])
    tolerances = ComponentTolerances(asked, model, np.dtype(float))
    y = np.array([3.0, 5.0])
    np.testing.assert_allclose(tolerances.of_state(y), [3e-6 + 1e-9, 5e-6 + 1e-9])
    found, least = tolerances.of_observables(lambda y: np.array([y[0] - y[1], 1e3 * y[0]]), y)
    np.testing.assert_allclose(least, [2e-9, 1e-6], rtol=1e-6)
    np.testing.assert_allclose(found, [8e-6 + 2e-6, 3e-3 + 3e-3], rtol=1e-2)
    assert ComponentTolerances(asked, model, np.dtype("float32")).rtol > 1e-6


def test_ratios_are_those_of_the_exact_solution(tmp_path: Path):
    config, ensemble = run("experiment=decay", study=make_study(tmp_path))
    found = verify(config, tmp_path, ensemble)
    exact = 3.0 * np.exp(-found.k * found.time)
    tolerance = 1e-8 + 1e-6 * exact
    expected = np.abs(ensemble.y.values - exact.transpose("sample", "time").values) / tolerance
    # the reference has errors of its own, of a hundredth of the tolerance
    np.testing.assert_allclose(found.y_error_ratio, expected.transpose("sample", "time"), atol=0.1)
    np.testing.assert_allclose(found.y_reference, exact.transpose("sample", "time"), rtol=1e-7)
    assert found.attrs["verdict"] == "passed"
    assert found.attrs["number_verified"] == 4 and found.attrs["number_of_values"] == 16
    assert found.attrs["error_ratio_99th_percentile"] <= float(found.error_ratio.max())
    assert found.y_reference.attrs["units"] == "mg"
    rows, header = worst_cases(found, 2)
    assert len(rows) == 2 and header[-1] == "k" and rows[0][1:3] == ["passed", "y"]
    assert dict(verification_facts(found))["verdict"].startswith("passed")


def test_arrays_observables_own_ends_and_sensitivities_are_verified(tmp_path: Path):
    config, ensemble = run(
        "~experiment", "model=chain", "design=random", "design.size=6", "saveat.ts=[0,1,2,4,8]",
        "design.axes={k:{uniform:[0.5,2]},t1:{uniform:[1.5,8]},out:{uniform:[0,1]}}",
        "solver.atol={gut:1e-8,out:1e-6}", "saveat.sensitivities=[k]", study=array_study(tmp_path),
    )  # fmt: skip
    found = verify(config, tmp_path, ensemble)
    assert found.attrs["verdict"] == "passed", found.attrs["verdict_reason"]
    assert found.gut_error_ratio.dims == ("sample", "time", "compartment")
    for name in ("out", "amount", "log_amount", "d_gut_d_k", "d_amount_d_k"):
        ratio = found[f"{name}_error_ratio"]
        np.testing.assert_array_equal(np.isnan(ratio), np.isnan(ensemble[name]))
        assert 0 < float(ratio.max()) < 1000, name
    assert np.isnan(found.out_error_ratio).any()


def test_end_values_in_single_precision_are_verified(tmp_path: Path):
    config, ensemble = run(
        "experiment=decay", "saveat.ts=null", "runtime.precision=float32",
        study=make_study(tmp_path),
    )  # fmt: skip
    found = verify(config, tmp_path, ensemble)
    assert found.attrs["verdict"] == "passed" and found.attrs["number_of_values"] == 4
    assert dict(found.sizes) == {"sample": 4, "time": 1}


@pytest.mark.slow
def test_chaos_is_not_taken_for_an_error(tmp_path: Path):
    """Lorenz's butterfly: an error of one tolerance grows by e to the 0.9 t. At first it is small;
    later the numbers are not what they should be, and it is the tolerances that make them so.
    """
    overrides = ["~experiment", "model=lorenz63", "model.t1=25", "saveat.ts=[5,15,25]"]
    config, ensemble = run(
        *overrides, "design.axes={rho:{values:[28,30]}}", study=tmp_path
    )  # fmt: skip
    found = verify(config, tmp_path, ensemble)
    assert float(found.error_ratio.max()) > 1000 and float(found.amplification.max()) > 1000
    assert found.attrs["verdict"] == "tolerances too loose"
    assert "tighten solver.rtol" in found.attrs["verdict_reason"]
    early = config.model_copy(
        update={"verify": config.verify.model_copy(update={"max_error": None})}
    )
    assert verify(early, tmp_path, ensemble).attrs["verdict"] == "passed"


def test_verification_keeps_its_budget_and_says_how_far_it_came(tmp_path: Path):
    config, ensemble = run("experiment=decay", study=make_study(tmp_path))
    found = verify(config, tmp_path, ensemble, solve_seconds=-5.0)  # none at all
    assert found.attrs["verdict"] == "not judged" and found.sizes["sample"] == 0
    assert (
        "0 of 4 trajectories were reached in 0 s (verify.budget)" in found.attrs["verdict_reason"]
    )
    assert dict(verification_facts(found))["solved again"].startswith("0 of 4 trajectories")
    done: list[int] = []
    verify(config, tmp_path, ensemble, 10.0, done.append)
    assert done == [1, 2, 3, 4]


def test_a_trajectory_that_takes_too_long_is_left(tmp_path: Path):
    config, ensemble = run("experiment=decay", study=make_study(tmp_path))
    checker = Checker(config, load_model(config.model, tmp_path), tmp_path, ensemble)
    with pytest.raises(OutOfTimeError):
        checker.compare(0, deadline=0.0)


SWITCHED = """
import jax.numpy as jnp


def switched(t, y, args):
    rate = jnp.where(t < args.when, 3.0, 1.0)
    return {"x": rate, "y": jnp.where(y.y < args.level, 3.0, 1.0)}
"""
SWITCHED_YAML = """
name: switched
vector_field: models.py:switched
t1: 5
states: {x: {initial: 0}, y: {initial: 0}}
parameters: {when: {value: 2}, level: {value: 4}}
"""


@pytest.mark.slow
def test_sensitivities_are_checked_by_differences(tmp_path: Path):
    """Let x = 3 t up to `when`, y = 3 t up to `level`, then as t: derivatives by hand."""
    study = make_study(tmp_path)
    (study / "models.py").write_text(SWITCHED)
    (study / "config/model/switched.yaml").write_text(SWITCHED_YAML)
    config, ensemble = run(
        "~experiment", "model=switched", "saveat.ts=[1,5]", "saveat.sensitivities=[when,level]",
        study=study,
    )  # fmt: skip
    found = verify(config, study, ensemble)
    np.testing.assert_allclose(found.d_x_d_when_reference[0], [0.0, 2.0], atol=1e-6)
    np.testing.assert_allclose(found.d_y_d_level_reference[0], [0.0, 2 / 3], atol=1e-6)
    right, half = ("time", np.array([0.0, 2.0])), ("time", np.array([0.0, 1.0]))
    level = "time", np.array([0.0, 2 / 3])
    mended = ensemble.assign(d_x_d_when=right, d_y_d_level=level)
    assert verify(config, study, mended).attrs["verdict"] == "passed"
    wrong = mended.assign(d_x_d_when=half)
    assert verify(config, study, wrong).attrs["verdict"] == "failed"


@pytest.mark.slow
def test_derivatives_at_a_stop_are_checked_by_differences(tmp_path: Path):
    """Decay from 3 is 0.4 at log(7.5) / k; what touches its threshold is not judged."""
    study = make_study(tmp_path)
    config, ensemble = run(
        "experiment=decay", "saveat.ts=null", "saveat.sensitivities=[k]", "stop.below={y:0.4}",
        "solver.rtol=1e-8", "solver.atol=1e-10", study=study,
    )  # fmt: skip
    found = verify(config, study, ensemble)
    assert found.attrs["verdict"] == "passed", found.attrs["verdict_reason"]
    k = ensemble.k.values
    time = np.where(ensemble.status == odeflow.Status.stopped_by_event, -np.log(7.5) / k**2, 0.0)
    np.testing.assert_allclose(ensemble.d_time_reached_d_k, time, rtol=1e-5)
    wrong = ensemble.assign(d_time_reached_d_k=1.05 * ensemble.d_time_reached_d_k)
    found = verify(config, study, wrong)
    assert found.attrs["verdict"] == "failed"
    assert "d_time_reached_d_k" in found.attrs["verdict_reason"]
    nothing = ensemble.assign(d_time_reached_d_k=np.nan * ensemble.d_time_reached_d_k)
    found = verify(config, study, nothing)
    assert "there is no derivative at this stop" in found.attrs["verdict_reason"]


def test_constant_steps_are_not_judged(tmp_path: Path):
    config, ensemble = run(
        "experiment=decay", "solver=euler", "solver.dt0=0.5", study=make_study(tmp_path)
    )
    found = verify(config, tmp_path, ensemble)
    assert found.attrs["verdict"] == "not judged" and found.attrs["error_ratio_largest"] > 1000


def test_without_a_reference_the_verdict_says_so(tmp_path: Path):
    config, ensemble = run(
        "experiment=decay", "verify.max_evaluations=5", study=make_study(tmp_path)
    )
    found = verify(config, tmp_path, ensemble)
    assert found.attrs["verdict"] == "not judged" and found.attrs["number_verified"] == 0
    assert "4 trajectories (DOP853: it needs more than 5 ev" in found.attrs["verdict_reason"]


def test_a_wrong_coefficient_of_the_native_engine_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """One coefficient of Tsit5 is off by a percent."""
    original = explicit_rk._runge_kutta

    def broken(field: Any, tableau: Any, *rest: Any) -> Any:
        rows = [np.array(row) for row in tableau.a_lower]
        rows[-1][2] *= 1.01
        changed = copy.copy(tableau)  # `replace` would find that the row's sum is not c
        object.__setattr__(changed, "a_lower", tuple(rows))
        return original(field, changed, *rest)

    monkeypatch.setattr(explicit_rk, "_runge_kutta", broken)
    config, ensemble = run("experiment=decay", "runtime.engine=native", study=make_study(tmp_path))
    found = verify(config, tmp_path, ensemble)
    assert (ensemble.status == odeflow.Status.success).all()
    assert found.attrs["verdict"] == "failed"
    assert found.attrs["verdict_reason"].startswith("largest error 0.00")


#: Goes before the statement of a stage.
STAGE = "            before, arguments = arguments, related.advance(y, changed(row))"
BROKEN = """            if len(stages) == 6:
                row = np.where(np.arange(len(row)) == 2, 1.01 * row, row)
"""


@pytest.mark.slow
def test_a_broken_step_fails_the_run_after_all_is_written(tmp_path: Path):
    """A checkout whose Tsit5 has one wrong coefficient, run by Snakemake as anyone would."""
    checkout = tmp_path / "checkout"
    for name in ("src", "workflow", "config"):
        shutil.copytree(PROJECT / name, checkout / name, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(PROJECT / "Snakefile", checkout / "Snakefile")
    file = checkout / "src/odeflow/engines/native/methods/explicit_rk.py"
    text = file.read_text()
    assert text.count(STAGE) == 1
    file.write_text(text.replace(STAGE, BROKEN + STAGE))
    study = make_study(tmp_path / "study")
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "-s", str(checkout / "Snakefile"), "--directory",
         str(study), "--cores", "2", "--config", "experiment=decay"],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=study, check=False,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )  # fmt: skip
    assert done.returncode == 1, done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("odeflow: ")]
    assert len(lines) == 1 and "decay: all results are written, but verification failed" in lines[0]
    results = study / "results/decay"
    made = {path.name for path in results.iterdir()}
    assert {"ensemble.nc", "summary.nc", "verification.nc", "overview.html"} <= made
    assert (results / "figures/verification.png").is_file()
    assert not (results / "logs/passed").exists()
    assert "failed: largest error" in (results / "overview.html").read_text()
    # what speaks against the results does so again
    assert json.loads((results / "verdict.json").read_text())["complaints"]
