"""Steps that drift further than their part of `verify.max_drift` are taken again, shorter."""

from pathlib import Path

import numpy as np
import pytest

import odeflow
from odeflow.config.root import Config
from odeflow.engines.native import engine as native_engine
from odeflow.ensemble.build import build
from odeflow.files.errors import ConfigError
from odeflow.problem.status import Status
from odeflow.provenance.stored_study import study_files
from odeflow.workflow.chunks import solve_digest
from odeflow.workflow.specs import solve_config, stage_spec
from tests.support.snakes import make_study

MODELS = """
import jax.numpy as jnp


def field(t, y, args):
    (k, late) = args  # no more than the model's own
    k = k * jnp.where(t < late, 1.0, 1.0 + 1e-300 * y.x)
    return {"x": y.v, "v": -k * y.x}


def energy(t, y, args):
    (k, _) = args
    return {"energy": 0.5 * y.v**2 + 0.5 * k * y.x**2}


def kepler(t, y, args):
    r3 = (y.x**2 + y.y**2) ** 1.5
    return {"x": y.vx, "y": y.vy, "vx": -y.x / r3, "vy": -y.y / r3}


def conserved(t, y, args):
    radius = jnp.sqrt(y.x**2 + y.y**2)
    return {
        "energy": 0.5 * (y.vx**2 + y.vy**2) - 1 / radius,
        "momentum": y.x * y.vy - y.y * y.vx,
    }


def falling(t, y, args):
    return {"a": 0.0 * y.a - 1.0}


def itself(t, y, args):
    return {"total": y.a}
"""
YAML = {
    "oscillator": """
name: oscillator
vector_field: models.py:field
t1: 10.0
states: {x: {initial: 1.0}, v: {initial: 0.0}}
parameters: {k: {value: 1.0}, late: {value: 4.0}}
invariants: models.py:energy
""",
    "kepler": """
name: kepler
vector_field: models.py:kepler
t1: 12.566370614359172
states: {x: {initial: 0.5}, y: {initial: 0.0}, vx: {initial: 0.0}, vy: {initial: 1.7320508}}
invariants: models.py:conserved
""",
    "falling": """
name: falling
vector_field: models.py:falling
t1: 1.0
states: {a: {initial: 1.0}}
invariants: models.py:itself
""",
}
LOOSE = ("~experiment", "solver.rtol=1e-3", "solver.atol=1e-5", "runtime.retry=[]")
#: Overrides of studies that drift further than `check_limit` allows.
CASES = {
    "oscillator": ("model=oscillator", "design.axes={k:{values:[1,4,9]}}"),
    "ends": ("model=oscillator", "design.axes={k:{values:[1,4]},t1:{values:[5,10]}}"),
    "sensitivities": (
        "model=oscillator", "design.axes={k:{values:[1,4,9]}}", "saveat.sensitivities=[k]",
    ),
    "stiff method": (
        "model=oscillator", "solver=rodas5p", "solver.rtol=1e-4", "solver.atol={x:1e-6,v:1e-7}",
        "solver.dtmin=1e-9",
    ),
    "kepler": ("model=kepler", "design.axes={vy:{values:[1.6,1.7,1.8]}}"),
    "predators": (
        "model=lotka_volterra", "design.axes={alpha:{linspace:[0.8,1.4,4]}}",
        "solver.rtol=1e-4", "solver.atol=1e-6",
    ),
}  # fmt: skip


@pytest.fixture
def study(tmp_path: Path) -> Path:
    make_study(tmp_path)
    (tmp_path / "models.py").write_text(MODELS)
    for name, text in YAML.items():
        (tmp_path / f"config/model/{name}.yaml").write_text(text)
    return tmp_path


def solved(study: Path, *overrides: str):
    return odeflow.run(odeflow.compose(*LOOSE, *overrides, study=study))


def largest_drift(ds) -> float:
    return max(float(v.max()) for n, v in ds.data_vars.items() if "drift_of" in v.attrs)


def check_limit(study: Path, case: str, engine: str) -> list[np.ndarray]:
    limit = 1e-5 if case == "stiff method" else 1e-4
    asked = (*CASES[case], f"verify.max_drift={limit}", f"runtime.engine={engine}")
    free = solved(study, *asked)
    kept = solved(study, *asked, "solver.reject_drift=true")
    assert (kept.status == Status.success).all()
    assert largest_drift(kept) <= limit < largest_drift(free)
    assert (kept.num_rejected_steps > free.num_rejected_steps).any()
    return [kept.num_accepted_steps.values, kept.num_rejected_steps.values]


@pytest.mark.slow
def test_a_limit_is_kept_and_was_not_before(study: Path):
    check_limit(study, "predators", "native")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_both_engines_keep_it_in_the_same_steps(case: str, study: Path):
    native, diffrax = (check_limit(study, case, e) for e in ("native", "diffrax"))
    np.testing.assert_array_equal(native, diffrax)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_it_is_kept_in_single_precision(engine: str, study: Path):
    case = (*CASES["oscillator"], f"runtime.engine={engine}", "runtime.precision=float32")
    kept = solved(study, *case, "verify.max_drift=1e-3", "solver.reject_drift=true")
    assert (kept.status == Status.success).all() and largest_drift(kept) <= 1e-3


@pytest.mark.parametrize("engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)])
def test_what_cannot_keep_it_ends(engine: str, study: Path):
    """No step keeps what is not conserved: a(t) = 1 - t, where 0.01 t is allowed."""
    asked = ("model=falling", f"runtime.engine={engine}", "verify.max_drift=0.01")
    found = solved(study, *asked, "solver.reject_drift=true")
    assert int(found.status) == Status.dt_min_reached
    assert float(found.time_reached) < 1e-10 and int(found.num_steps) < 100
    assert np.isnan(found.a.values).all()
    assert int(solved(study, *asked).status) == Status.success


def test_nothing_is_emitted_where_it_is_not_asked_for(study: Path):
    case = (*LOOSE, *CASES["oscillator"], "verify.max_drift=1e-4", "runtime.engine=native")
    costs = []
    for more in ([], ["solver.reject_drift=true"]):
        config = odeflow.compose(*case, *more, study=study)
        costs.append(native_engine.generated(build(config, study, ["k"]).problem).code.cost)
    assert costs[0] < costs[1]


def test_it_decides_the_numbers_and_so_does_its_limit(study: Path):
    def digest(limit: float, *more: str) -> str:
        overrides = (*LOOSE, "model=oscillator", f"verify.max_drift={limit}", *more)
        return solve_digest(odeflow.compose(*overrides, study=study), study)

    asked = "solver.reject_drift=true"
    assert digest(1e-4) == digest(1e-5)
    assert len({digest(1e-4), digest(1e-4, asked), digest(1e-5, asked)}) == 3


def test_the_dataset_says_the_limit(study: Path):
    asked = ("model=falling", "verify.max_drift=0.01")
    assert "max_drift" not in solved(study, *asked).attrs["odeflow_config"]
    told = solved(study, *asked, "solver.reject_drift=true").attrs["odeflow_config"]
    assert "reject_drift: true" in told and "max_drift: 0.01" in told


def test_what_solves_a_chunk_is_told_the_limit(study: Path):
    """A stage is given the groups that it needs, and `verify` is another stage's."""
    asked = ("model=oscillator", "verify.max_drift=1e-4", "verify.seed=3")
    free, kept = (
        odeflow.compose(*LOOSE, *asked, *more, study=study)
        for more in ([], ["solver.reject_drift=true"])
    )
    assert "verify" not in solve_config(free)
    told = Config.model_validate(solve_config(kept))
    assert told.verify.max_drift == 1e-4 and told.verify.seed == 0
    assert Config.model_validate(stage_spec(kept, study, "assemble")["config"]).verify.max_drift
    written = study_files(kept, {}, None)[f"config/experiment/{kept.name}.yaml"]
    assert "max_drift: 0.0001" in written


REJECT = "solver.reject_drift=true"
MISTAKES = {
    ("model=lotka_volterra", REJECT): "solver.reject_drift: there is no limit to keep; set verify",
    ("model=van_der_pol", REJECT, "verify.max_drift=1e-6"): "names no invariants",
    ("model=lotka_volterra", REJECT, "verify.max_drift=1e-6", "solver=euler", "solver.dt0=0.1"): (
        "solver.stepsize_controller: constant steps cannot be taken again, shorter, as "
        "solver.reject_drift asks"
    ),
    (
        "model=lotka_volterra", REJECT, "verify.max_drift=1e-6",
        "runtime.retry=[{stepsize_controller:constant,dt0:0.1}]",
    ): "runtime.retry.0.stepsize_controller: constant steps",
    (
        "model=lotka_volterra", REJECT, "verify.max_drift=1e-6",
        "doses=[{state:prey,amount:1,time:1}]",
    ): "doses and events change what is conserved",
}  # fmt: skip


@pytest.mark.parametrize("overrides, message", MISTAKES.items())
def test_a_mistake_is_one_line(overrides: tuple[str, ...], message: str):
    with pytest.raises(ConfigError) as caught:
        odeflow.compose("~experiment", *overrides)
    assert message in str(caught.value) and "\n" not in str(caught.value)
