"""The drift of invariants: against what the stored states say, wherever it is computed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import odeflow
from odeflow.analysis.summary import summarise
from odeflow.config.shipped import shipped_config
from odeflow.files.errors import ConfigError
from odeflow.importers.loading import load_invariants
from odeflow.problem.transforms.invariants import Drift, relative_drift
from odeflow.trust.facts import complaints, drift_rows
from tests.support.problems import make_model
from tests.support.snakes import make_study, snakemake

OSCILLATOR = """
def field(t, y, args):
    return {"x": y.v, "v": -args.k * y.x}


def energy(t, y, args):
    return {"energy": 0.5 * y.v**2 + 0.5 * args.k * y.x**2, "none": 0.0 * sum(y)}
"""
OSCILLATOR_YAML = """
name: oscillator
vector_field: models.py:field
t1: 10.0
states: {x: {initial: 1.0}, v: {initial: 0.0}}
parameters: {k: {value: 1.0}}
invariants: models.py:energy
"""
AXES = "design.axes={k:{values:[1,4,9]}}"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    make_study(tmp_path)
    (tmp_path / "models.py").write_text(OSCILLATOR)
    (tmp_path / "config/model/oscillator.yaml").write_text(OSCILLATOR_YAML)
    return tmp_path


def energy_drift(ds: Any) -> np.ndarray:
    energy = 0.5 * ds.v**2 + 0.5 * ds.k * ds.x**2
    start = 0.5 * ds.k
    # the terms it is made of: |dI/dx x| = k x^2 is twice the energy
    return (np.abs(energy - start).max("time") / ds.k).values


@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_the_drift_is_that_of_the_stored_states(engine: str, study: Path):
    config = odeflow.compose(
        "~experiment", "model=oscillator", AXES, "saveat.ts={linspace:[0,10,21]}",
        f"runtime.engine={engine}", "saveat.sensitivities=[k]", study=study,
    )  # fmt: skip
    ds = odeflow.run(config)
    assert ds.energy_drift.dims == ("k",)
    assert ds.energy_drift.attrs["units"] == "1"
    np.testing.assert_allclose(ds.energy_drift, energy_drift(ds), rtol=1e-6)
    assert (ds.energy_drift > 0).all()
    np.testing.assert_array_equal(ds.none_drift, 0.0)
    assert "energy" not in ds and "energy" not in summarise(ds, config.summary)


def test_states_need_not_be_saved_and_the_summary_has_it(study: Path):
    options = ["~experiment", "model=oscillator", AXES, "saveat.ts={linspace:[0,10,21]}"]
    whole = odeflow.run(odeflow.compose(*options, study=study))
    config = odeflow.compose(*options, "saveat.variables=[x]", study=study)
    ds = odeflow.run(config)
    assert "v" not in ds
    np.testing.assert_array_equal(ds.energy_drift, whole.energy_drift)
    summary = summarise(ds, config.summary)
    np.testing.assert_array_equal(summary.energy_drift, ds.energy_drift)
    assert drift_rows(ds)[0][0] == "energy"


def test_without_saved_times_the_drift_is_that_of_the_end(study: Path):
    config = odeflow.compose("~experiment", "model=oscillator", AXES, study=study)
    ds = odeflow.run(config)
    np.testing.assert_allclose(ds.energy_drift, energy_drift(ds), rtol=1e-6)
    assert not [name for name in ds.data_vars if str(name).startswith("energy_drift_")]


def test_the_scale_is_the_size_of_the_terms():
    model = make_model(lambda t, y, args: {"a": y.a, "b": y.b}, {"a": 1.0, "b": 1.0}, 1.0)
    sums = type(model)(model.declared, model.function, lambda t, y, args: {"total": y.a + y.b})
    y0 = np.array([[2.0, 1.0, 0.0], [-2.0, 3.0, 0.0]])
    start, scale = Drift(sums).at_start(y0, np.empty((0, 3)))
    np.testing.assert_allclose(start["total"], [0.0, 4.0, 0.0])
    np.testing.assert_allclose(scale["total"], [4.0, 4.0, 1.0])


def test_the_drift_of_a_failed_trajectory_is_that_until_it_failed():
    values = np.array([[1.0, 1.5, np.nan], [np.nan] * 3, [2.0, 2.0, 2.0], [1.0, np.inf, 1.0]])
    found = relative_drift(values, np.array([1.0, 1.0, 2.0, 1.0]), np.array([2.0, 1.0, 1.0, 1.0]))
    np.testing.assert_array_equal(found, [0.25, np.nan, 0.0, np.inf])


def test_a_drift_above_the_limit_speaks_against_the_run(study: Path):
    config = odeflow.compose(
        "~experiment", "model=oscillator", AXES, "verify.max_drift=1e-9", study=study
    )
    (line,) = complaints(config, odeflow.run(config), None, "failures.csv")
    assert line.startswith("invariant energy: sample ") and "verify.max_drift 1e-09" in line
    loose = odeflow.compose(
        "~experiment", "model=oscillator", AXES, "verify.max_drift=1", study=study
    )
    assert complaints(loose, odeflow.run(loose), None, "failures.csv") == []


@pytest.mark.slow
def test_a_drift_above_the_limit_fails_the_run_where_verification_is_skipped(study: Path):
    overrides = f"~experiment model=oscillator name=drifting {AXES} verify.max_drift=1e-9"
    done = snakemake(
        study, "--config", f"overrides=verify=skip {overrides}", config="", check=False
    )  # fmt: skip
    assert done.returncode == 1
    assert "drifting: all results are written, but invariant energy: sample" in done.stdout
    results = study / "results/drifting"
    page = (results / "overview.html").read_text()
    assert "<h2>Invariants</h2>" in page and "energy" in page and "Not verified" in page
    assert not (results / "verification.nc").exists()
    assert not list((results / "figures").glob("verification.*"))
    assert not (results / "logs/passed").exists()


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("model.invariants=models.py:missing", "model.invariants: models.py has no function"),
        ("model.invariants=models.py:field", "model.invariants: models.py:field: 'x' is already"),
        ("+model.parameters.energy_drift={value:0}", "drift of 'energy' energy_drift"),
    ],
)
def test_a_mistake_names_the_key(override: str, words: str, study: Path):
    with pytest.raises(ConfigError, match=words):
        odeflow.run(odeflow.compose("~experiment", "model=oscillator", override, study=study))


def test_a_limit_without_invariants_is_refused():
    with pytest.raises(ConfigError, match=r"verify\.max_drift: model van_der_pol names no"):
        odeflow.compose("~experiment", "model=van_der_pol", "verify.max_drift=1e-6")


@pytest.mark.parametrize(
    "name", [p.stem for p in (shipped_config() / "model").glob("*.yaml")
             if "invariants:" in p.read_text()],
)  # fmt: skip
def test_what_shipped_models_call_invariant_is(name: str):
    """The derivative along the vector field, dI/dy f, is zero at any state."""
    import jax

    model = load_invariants(odeflow.compose(f"model={name}", "~experiment").model)
    assert model is not None
    t, y, args = model.example()
    y = jax.tree.map(lambda leaf: 1.1 * leaf + 0.013, y)
    value, along = jax.jvp(
        lambda y: model.observables(t, y, args), (y,), (model.vector_field(t, y, args),)
    )
    for invariant, change in along.items():
        gradient = jax.grad(lambda y, n=invariant: model.observables(t, y, args)[n])(y)
        terms = jax.tree.map(lambda a, b: abs(a * b), gradient, model.vector_field(t, y, args))
        assert abs(change) <= 1e-13 * max(sum(terms), 1e-30), (invariant, value)
