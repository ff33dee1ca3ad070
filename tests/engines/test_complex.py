"""Complex numbers: in fields that the native engine translates, and as states of a study."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import odeflow
from odeflow.engines.native.frontend.translate import UntranslatableError, translate
from odeflow.engines.native.program.operations import OPERATIONS
from odeflow.files.errors import ConfigError
from odeflow.importers.loading import load_model
from odeflow.trust.verification.trajectory import Trajectories
from tests.support.snakes import make_study

ENGINES = pytest.mark.parametrize(
    "engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)]
)
FUNCTIONS = {name: operation.numpy for name, operation in OPERATIONS.items()}
POINTS = [(0.3, -1.2), (-0.7, 0.4), (-2.0, -0.5), (1e-9, 1e-3)]
ELEMENTWISE: dict[str, Callable[[Any], Any]] = {
    **{
        name: getattr(jnp, name)
        for name in ("exp", "log", "sqrt", "sin", "cos", "sinh", "cosh", "conj", "sign")
    },
    "powers": lambda z: z**3 + z**-2,
    "quotients": lambda z: 1 / z + z / (2 + 1j) + z / 4,
    "size": lambda z: jnp.abs(z) ** 2 * z,
    "angle": lambda z: jnp.angle(z) * z,
    "choice": lambda z: jnp.where(z.real > 0, z, 2 * z),
    "comparison": lambda z: jnp.where(z == z.conj(), 1j, z),
}
ARRAYS: dict[str, Callable[[Any], Any]] = {
    "matrix": lambda z: jnp.array([[0, 1], [1j, 2.0]]) @ jnp.stack([z, z * z]),
    "sum": lambda z: jnp.sum(jnp.stack([z, 1j * z, z + 1])) + jnp.prod(jnp.stack([z, 1j * z])),
    "inner product": lambda z: jnp.vdot(jnp.stack([z, z]), jnp.array([1, 1j])),
    "moves": lambda z: jnp.roll(jnp.stack([z, 2 * z, 3j * z]), 1)[jnp.array([2, 0])],
    "update": lambda z: jnp.zeros(3, complex).at[1].set(z),
    "lookup": lambda z: jnp.take(jnp.array([1j, 2.0]), jnp.where(z.real > 0, 1, 0)) * z,
}


def check(function: Callable[..., Any], *points: tuple[float, float]) -> None:
    program, compiled = translate(function, ["a", "b"]), jax.jit(function)
    for a, b in points:
        found = program.evaluate({"a": a, "b": b}, FUNCTIONS)
        expected = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(compiled(a, b))])
        np.testing.assert_allclose(np.array(found, float), expected, rtol=1e-12, atol=1e-15)


def of_parts(function: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def parts(a: Any, b: Any) -> Any:
        value = function(jax.lax.complex(a, b))
        return jnp.real(value), jnp.imag(value)

    return parts


@pytest.mark.parametrize("functions", [ELEMENTWISE, ARRAYS], ids=["elementwise", "arrays"])
def test_a_program_gives_what_jax_does(functions: dict[str, Callable[[Any], Any]]):
    parts = [of_parts(function) for function in functions.values()]
    check(lambda a, b: [both(a, b) for both in parts], *POINTS)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*ELEMENTWISE, *ARRAYS])
def test_so_do_derivatives(name: str):
    function = of_parts((ELEMENTWISE | ARRAYS)[name])
    check(lambda a, b: jax.jvp(function, (a, b), (1.0, 0.5)), *POINTS)


@pytest.mark.parametrize("name", ["tanh", "fft.fft", "linalg.inv"])
def test_what_has_no_form_is_refused_by_name(name: str):
    function: Any = jnp
    for part in name.split("."):
        function = getattr(function, part)
    with pytest.raises(UntranslatableError, match="diffrax engine can run it"):
        translate(of_parts(lambda z: function(z * jnp.eye(2))), ["a", "b"])


RABI = """
import jax.numpy as jnp

def decay(t, y, args):
    h = 0.5 * jnp.array([[-args.detuning, args.k], [args.k, args.detuning]])
    return {"psi": -1j * (h @ y.psi), "z": (1j * args.k - 0.1) * y.z}

def inverted(t, y, args):
    return {"excited": jnp.abs(y.psi[1]) ** 2, "norm": jnp.vdot(y.psi, y.psi).real}

def start(args):
    return jnp.array([1, 0j]) * jnp.exp(1j * args.phase)
"""
STATES = """{psi: {initial: [[1, 0], [0, 0]], dims: [level], dtype: complex, units: '1'},
  z: {initial: "1+2j", dtype: complex, long_name: amplitude}}"""


def study_with(folder: Path, states: str = STATES) -> Path:
    study = make_study(folder)
    (study / "models.py").write_text(RABI)
    (study / "config/model/decay.yaml").write_text(
        f"name: decay\nvector_field: models.py:decay\nobservables: models.py:inverted\nt1: 2.0\n"
        f"states: {states}\nparameters:\n  k: {{value: 2}}\n  detuning: {{value: 0.5}}\n"
        "  phase: {value: 0}\n"
    )
    return study


def composed(study: Path, *overrides: str) -> Any:
    tolerances = ["solver.rtol=1e-10", "solver.atol=1e-12", "saveat.ts={linspace: [0, 2, 9]}"]
    axes = "design.axes={k: {values: [1, 3]}, phase: {values: [0, 0.5]}}"
    return odeflow.compose("experiment=decay", axes, *tolerances, *overrides, study=study)


@ENGINES
def test_two_levels_flop_as_rabi_says(engine: str, tmp_path: Path):
    start = "psi: {initial: {function: models.py:start, shape: [2]}"
    study = study_with(tmp_path, STATES.replace("psi: {initial: [[1, 0], [0, 0]]", start))
    config = composed(study, f"runtime.engine={engine}")
    found = odeflow.run(config)
    assert found.attrs["odeflow_engine"] == engine
    assert {"psi_real", "psi_imag", "z_real", "z_imag"} <= {*found.data_vars}
    assert found["z_imag"].attrs["long_name"] == "imaginary part of amplitude"
    k = found["k"].values[:, None, None]
    t = found["time"].values
    frequency = np.sqrt(k**2 + 0.5**2)
    flopped = (k / frequency) ** 2 * np.sin(0.5 * frequency * t) ** 2
    np.testing.assert_allclose(found["excited"], np.broadcast_to(flopped, (2, 2, 9)), atol=1e-9)
    np.testing.assert_allclose(found["norm"], 1, rtol=1e-9)
    psi = found["psi_real"] + 1j * found["psi_imag"]
    phase = np.exp(1j * found["phase"].values)[None, :, None]
    lower = np.cos(0.5 * frequency * t) + 0.5j / frequency * np.sin(0.5 * frequency * t)
    np.testing.assert_allclose(psi.sel(level=0), lower * phase, atol=1e-8)
    z = (1 + 2j) * np.exp((1j * k - 0.1) * t)
    both = found["z_real"] + 1j * found["z_imag"]
    np.testing.assert_allclose(both, np.broadcast_to(z, (2, 2, 9)), atol=1e-8)
    trajectories = Trajectories(config, load_model(config.model, study), study)
    assert trajectories.functions.evaluator == "numpy"
    problem = trajectories.problem(found.isel(k=1, phase=1))
    start = [np.cos(0.5), 0, np.sin(0.5), 0, 1, 2]
    np.testing.assert_allclose(problem.y0, start, rtol=1e-15)
    h = 0.5 * np.array([[-0.5, 3], [3, 0.5]])
    expected = -1j * h @ np.array([np.exp(0.5j), 0])
    args = np.array([3.0, 0.5, 0.5])
    slope = trajectories.functions.vector_field(0.0, problem.y0, args)
    np.testing.assert_allclose(slope[:2] + 1j * slope[2:4], expected, rtol=1e-14)


@pytest.mark.slow
def test_an_implicit_method_differentiates_the_pairs(tmp_path: Path):
    found = odeflow.run(
        composed(study_with(tmp_path), "solver=rodas5p", "saveat.sensitivities=[k]")
    )
    frequency = np.sqrt(9.25)
    flopped = 9 / 9.25 * np.sin(0.5 * frequency * found["time"].values) ** 2
    np.testing.assert_allclose(found["excited"].isel(k=1, phase=0), flopped, atol=1e-8)
    z = (1 + 2j) * np.exp((3j - 0.1) * found["time"].values) * 1j * found["time"].values
    slope = (found["d_z_real_d_k"] + 1j * found["d_z_imag_d_k"]).isel(k=1, phase=0)
    np.testing.assert_allclose(slope, z, atol=1e-7)


@pytest.mark.parametrize(
    "initial", ["[[1, 2], [3, 0]]", "['1+2i', 3]", "start.npy", "{value: '1+2j', shape: [2]}"]
)
def test_ways_to_write_an_initial_value(initial: str, tmp_path: Path):
    states = f"{{psi: {{initial: {initial}, dims: [level], dtype: complex}}}}"
    study = study_with(tmp_path, states)
    np.save(study / "start.npy", np.array([1 + 2j, 3]))
    model = composed(study).model
    imag = [2.0, 2.0] if "value" in initial else [2.0, 0.0]
    assert model.complex_states == ["psi"]
    assert model.states["psi_imag"].initial == imag


def test_a_name_of_a_part_is_taken(tmp_path: Path):
    states = "{z: {initial: 1, dtype: complex}, z_real: {initial: 1}}"
    with pytest.raises(ConfigError, match="states: z_real is a part of the complex z; rename one"):
        composed(study_with(tmp_path, states))
    with pytest.raises(ConfigError, match="no complex number"):
        composed(study_with(tmp_path, "{z: {initial: 1+x, dtype: complex}}"))
