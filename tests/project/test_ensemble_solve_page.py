"""The code of docs/ensemble_solve.md runs as printed, and gives what the page says."""

import re
import subprocess
import sys

import pytest

from tests.support.snakes import PROJECT

PAGE = (PROJECT / "docs/ensemble_solve.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
#: What is claimed beside the code.
CLAIMS = """
assert sol.ys["substrate"].shape == (1000, 121) and isinstance(sol.ys["substrate"], np.ndarray)
for name in ("substrate", "enzyme"):
    np.testing.assert_allclose(sol.ys[name], reference.ys[name], rtol=1e-12, atol=1e-12)
np.testing.assert_array_equal(sol.stats["num_steps"], reference.stats["num_steps"])
assert slopes.shape == (16,) and abs(jax.grad(loss)(8.0)) < 1e-4 < abs(slope)
assert ds.substrate.units == "mmol/L" and dict(ds.sizes) == {"sample": 1000, "time": 121}
assert "while" in str(odeflow.explain(rounded, 1.0))
"""


@pytest.mark.slow
def test_the_code_runs_as_printed():
    assert len(BLOCKS) == 6
    code = "\n".join([*BLOCKS, CLAIMS])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=False, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert "no counterpart of SaveAt(dense=True)" in done.stdout


def test_what_it_says_is_refused_is_refused():
    """The names of the page are those that the code knows."""
    from odeflow.api.refusal import UNSUPPORTED

    refused = PAGE.split("## What is refused")[1]
    assert {name for name in UNSUPPORTED if f"`{name}`" not in refused} == set()


def test_the_solvers_that_it_names_are_native_or_not():
    import diffrax

    import odeflow

    row = next(line for line in PAGE.splitlines() if line.startswith("| `solver`"))
    native, other = row.split("by Diffrax")[0].rsplit("natively", 1)
    for text, expected in ((native, True), (other, False)):
        for name in re.findall(r"`(?:odeflow\.)?(\w+)(?:\(\))?`", text):
            if name != "solver":
                solver = getattr(odeflow, name, None) or getattr(diffrax, name)
                field = lambda t, y, args: -y
                assert bool(odeflow.explain(field, 1.0, solver=solver())) == expected, name


def test_the_line_of_the_guide_replaces_the_other_two():
    part = (PROJECT / "docs/guide/from_diffrax.md").read_text()
    before, now = re.findall(r"```python\n(.*?)```", part, re.DOTALL)
    given = """
import diffrax, jax, numpy as np, odeflow
jax.config.update("jax_enable_x64", True)
term, solver, t0, t1, dt0 = diffrax.ODETerm(lambda t, y, k: -k * y), diffrax.Tsit5(), 0.0, 1.0, None
y0, args = np.ones(3), np.arange(3.0)
settings = {"stepsize_controller": diffrax.PIDController(rtol=1e-6, atol=1e-8)}
"""
    same = "np.testing.assert_allclose(sol.ys, theirs.ys, rtol=1e-12)\n"
    code = f"{given}{before}theirs = sol\n{now}{same}assert sol.engine == 'native'\n"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
