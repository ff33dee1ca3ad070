"""The native engine's GPU target: on Numba's simulator, and as PTX. No test needs a GPU."""

import importlib.util
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.special import erf, erfc, gammaln
from numba import cuda, from_dtype, types

import odeflow
from odeflow.engines.choice import choose_engine
from odeflow.engines.native import engine as native_engine
from odeflow.engines.native.loop.arrays import Arrays
from odeflow.engines.native.loop.cuda_launch import missing_device
from odeflow.engines.native.methods import rosenbrock
from odeflow.engines.native.targets.cuda_kernel import load_cuda_kernel
from odeflow.files.errors import ConfigError
from odeflow.problem.problem import Guard, Lanes, Problem, Solution
from odeflow.problem.status import Status
from odeflow.workflow.chunks import solve_digest
from tests.support.cuda_cases import cases
from tests.support.problems import decay, make_model, make_problem
from tests.support.snakes import PROJECT

CASES = cases()
GPU = ("runtime.device=gpu",)


DEFAULT = ("stiff, saved times", "metrics")


def simulate(names: Iterable[str], folder: Path) -> dict[str, Solution]:
    """Solutions of Numba's simulator, which has to be asked for before Numba is imported."""
    subprocess.run(
        [sys.executable, "-m", "tests.support.cuda_cases", folder / "solved", folder, *names],
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"},
        cwd=PROJECT,
        check=True,
    )
    return pickle.loads((folder / "solved").read_bytes())


def assert_a_thread_does_what_a_lane_does(names: Iterable[str], folder: Path) -> set[Status]:
    """The statuses that there are."""
    outcomes = set()
    for name, found in simulate(names, folder).items():
        problem, lanes = CASES[name]
        expected = native_engine.solve(problem, lanes, threads=1, cache_dir=folder)
        # where a metric is greatest is known to the root of rounding
        close = {"rtol": 1e-9, "atol": 1e-13} if problem.dtype == np.float64 else {"rtol": 1e-5}
        for mine, other in zip(found.arrays, expected.arrays, strict=True):
            assert mine.dtype == other.dtype
            if np.issubdtype(mine.dtype, np.integer):  # the status, and the steps
                np.testing.assert_array_equal(mine, other)
            np.testing.assert_allclose(mine, other, **close)
        outcomes |= {Status(status) for status in found.status}
    return outcomes


@pytest.mark.slow
def test_a_thread_does_what_a_lane_does(tmp_path: Path):
    outcomes = assert_a_thread_does_what_a_lane_does(DEFAULT, tmp_path)
    assert outcomes == {Status.success, Status.non_finite}


@pytest.mark.slow
def test_a_thread_does_what_a_lane_does_in_other_cases(tmp_path: Path):
    outcomes = assert_a_thread_does_what_a_lane_does(CASES.keys() - DEFAULT, tmp_path)
    assert outcomes == {Status.success, Status.non_finite, Status.max_steps_reached}


def ptx(problem: Problem, lanes: Lanes, capability: tuple[int, int], folder: Path) -> str:
    """The kernel in the assembly of NVIDIA's devices."""
    module = native_engine.generated(problem, "gpu")
    arrays = Arrays(problem, lanes, module)
    typed = lambda x: types.Array(from_dtype(x.dtype), x.ndim, "C")
    values, *others = arrays.outputs[:-2]
    signature = (
        *map(typed, arrays.inputs()[:-1]),
        types.int64,
        types.UniTuple(typed(values[0]), len(values)),
        *map(typed, others),
    )
    kernel = load_cuda_kernel(module.code, folder)
    text, _ = cuda.compile_ptx(kernel.py_func, signature, cc=capability)
    return text


def missing_compiler() -> str | None:
    """Why there is no PTX."""
    try:
        cuda.compile_ptx(lambda x: None, (types.int64,), cc=(7, 0))
    except Exception as error:
        return f"no PTX without NVIDIA's compiler, `pip install numba-cuda[cu12]`: {error}"
    return None


NO_PTX = missing_compiler()
WITH_COMPILER = pytest.mark.skipif(NO_PTX is not None, reason=str(NO_PTX))


def assembled(text: str, capability: str, folder: Path) -> str | None:
    """What NVIDIA's assembler says of registers; None where it is not installed."""
    found = importlib.util.find_spec("nvidia")
    places = list(found.submodule_search_locations or ()) if found else []
    programs = [path for place in places for path in Path(place).glob("*/bin/ptxas")]
    if not programs:
        return None
    (folder / "kernel.ptx").write_text(text)
    command = [programs[0], "-v", f"-arch={capability}", "kernel.ptx"]
    return subprocess.run(command, cwd=folder, check=True, text=True, stderr=subprocess.PIPE).stderr


@WITH_COMPILER
@pytest.mark.parametrize("capability", [(7, 0), (9, 0)], ids=str)
@pytest.mark.parametrize("name", CASES)
def test_kernels_compile_for_a_device(name: str, capability: tuple[int, int], tmp_path: Path):
    text = ptx(*CASES[name], capability, tmp_path)
    device = "sm_{}{}".format(*capability)
    assert f".target {device}" in text
    assert re.search(r"\bfma\.rn\.f(32|64)", text)
    said = assembled(text, device, tmp_path)
    assert said is None or "0 bytes spill stores" in said


@WITH_COMPILER
def test_a_small_state_is_in_registers_and_float32_stays_float32(tmp_path: Path):
    text = ptx(*CASES["float32"], (9, 0), tmp_path)
    assert ".local" not in text
    assert ".f64" not in text


def every_function(t: Any, y: Any, args: Any) -> dict[str, Any]:
    x, z = y.y, args.k
    one = [jnp.sin, jnp.cos, jnp.tan, jnp.arcsin, jnp.arccos, jnp.arctan, jnp.sinh, jnp.cosh,
           jnp.tanh, jnp.arcsinh, jnp.arccosh, jnp.arctanh, jnp.exp, jnp.exp2, jnp.expm1, jnp.log,
           jnp.log1p, jnp.sqrt, jnp.cbrt, jnp.floor, jnp.ceil, jnp.trunc, jnp.rint, jnp.abs,
           erf, erfc, gammaln]  # fmt: skip
    two = [jnp.arctan2, jnp.fmod, jnp.power, jnp.maximum]
    return {"y": sum(f(x) for f in one) + sum(f(x, z) for f in two) - x}


@WITH_COMPILER
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_function_is_one_of_libdevice(dtype: str, tmp_path: Path):
    model = make_model(every_function, {"y": 0.5}, 1.0, k=2.0)
    problem = make_problem(model, dtype=dtype)
    assert native_engine.refusal(problem, "gpu") is None
    ptx(problem, Lanes(np.full((1, 2), 0.5), np.full((1, 2), 2.0)), (9, 0), tmp_path)


@WITH_COMPILER
def test_loops_over_a_full_matrix_compile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(rosenbrock, "_MOST_WITHOUT_TABLES", 0)
    problem, lanes = CASES["stiff, saved times"]
    problem = replace(problem)  # not the one whose module is there
    assert "call(lu_factor, 4)" in native_engine.generated(problem, "gpu").code.text
    ptx(problem, lanes, (9, 0), tmp_path)


def test_auto_stays_on_the_processor():
    problem, _ = CASES["end values"]
    assert choose_engine(problem, "auto").device == "cpu"
    assert choose_engine(problem, "auto", "gpu") == ("native", "", "gpu")


def test_what_stops_on_the_way_is_refused():
    problem = make_problem(make_model(decay, {"y": 1.0}, 1.0, k=1.0))
    problem = replace(problem, stops=(Guard(lambda t, y, args: y.y < 0.5),))
    with pytest.raises(ConfigError, match=r"doses, stops and events.*use runtime.engine=auto"):
        choose_engine(problem, "native", "gpu")
    assert choose_engine(problem, "auto", "gpu").name == "diffrax"


@pytest.mark.skipif(missing_device() is None, reason="there is a GPU")
@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_without_a_gpu_one_line_says_what_to_do(engine: str):
    config = odeflow.compose("experiment=quickstart", f"runtime.engine={engine}", *GPU)
    with pytest.raises(ConfigError, match=r"^runtime.device: gpu, but .* runtime.device=cpu.*\)$"):
        odeflow.run(config)


def test_chunks_of_two_devices_are_not_mixed():
    digests = {
        solve_digest(odeflow.compose("experiment=quickstart", *overrides), Path())
        for overrides in ((), ("runtime.device=cpu",), GPU)
    }
    assert len(digests) == 3
