"""Every shipped experiment: all succeed, right against SciPy, the same by both engines."""

from pathlib import Path
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import odeflow
from odeflow.config.shipped import shipped_config
from odeflow.importers.loading import load_model
from odeflow.problem.axis_names import axis_coordinate
from tests.support.marks import fast

#: `test_doses` has the one with doses, against its closed form; `engines/test_algebraic` that with
#: algebraic equations, against its published end.
ELSEWHERE = {"pk_multiple_dose", "chemical_akzo_nobel"}
EXPERIMENTS = sorted(
    path.stem
    for path in (shipped_config() / "experiment").glob("*.yaml")
    if path.stem not in ELSEWHERE
)
#: Fewer samples than ship, the same laws.
SMALLER = {
    "quickstart": ["design.axes.vmax.linspace=[8,12,3]", "design.axes.km.linspace=[4,6,3]"],
    "robertson": ["design.size=16"],
    "lorenz": ["design.axes.rho.linspace=[0,21,12]"],
    "repressilator": ["design.size=16"],
    "pk_population": ["design.size=16"],
    "sensitivity": ["design.size=8"],
    "inference": ["design.size=16"],
    "seed_million": ["design.size=16"],
    "van_der_pol": ["design.size=16", "model.t1=2"],
    "goldbeter1991": ["design.axes.vi.linspace=[0.025,0.05,2]", "design.axes.vd={values:[0.25]}"],
}


STIFF = {"robertson", "van_der_pol", "goldbeter1991"}
#: Compile for a while; CI runs them with `make test-slow`.
SLOW = {"robertson", "repressilator", "lorenz", "van_der_pol", "goldbeter1991"}
#: Steep fronts turn an error in time into a larger one in value: here 2,110 of the tolerance at
#: rtol 1e-8, where the references of two methods agree to 1e-9 and rtol 1e-11 comes within 3e-8.
FACTOR = {"goldbeter1991": 4000}


@pytest.mark.parametrize(
    "name",
    fast({*EXPERIMENTS} - SLOW, EXPERIMENTS),
)
def test_an_experiment_is_right(name: str, tmp_path: Path):
    config = odeflow.compose(f"experiment={name}", *SMALLER.get(name, []), study=tmp_path)
    ensemble = odeflow.run(config)
    assert (ensemble.status == odeflow.Status.success).all()
    if config.design.kind == "grid":
        ensemble = ensemble.stack(sample=ensemble.status.dims)
    model = load_model(config.model)
    field = jax.jit(model.flat_vector_field)
    states = list(config.model.states)
    for number in range(0, ensemble.sizes["sample"], 5):
        one = ensemble.isel(sample=number)
        at = {axis: float(one[axis_coordinate(axis, config.model)]) for axis in config.design.axes}
        y0 = [at.get(s, config.model.states[s].initial) for s in states]
        args = [at.get(p, v.value) for p, v in config.model.parameters.items()]
        atol = config.solver.atol
        assert isinstance(atol, float)
        exact = solve_ivp(
            lambda t, y, args=args: np.asarray(field(t, tuple(y), args)),
            (config.model.t0, config.model.t1), y0, "Radau" if name in STIFF else "DOP853",
            one.time.values, rtol=1e-11, atol=atol * 1e-5,
        ).y  # fmt: skip
        found = np.stack([one[s].values for s in states])
        # A local tolerance bounds the global error up to a modest factor on these problems.
        rtol = FACTOR.get(name, 200) * config.solver.rtol
        np.testing.assert_allclose(found, exact, rtol=rtol, atol=100 * atol)


@pytest.mark.slow
def test_seed_zip_equals_vmap_of_diffeqsolve(tmp_path: Path):
    """The sweep this project began with, as its users wrote it by hand."""
    ensemble = odeflow.run(odeflow.compose("experiment=seed_zip", "runtime.engine=diffrax"))

    def odes(t: Any, y: Any, p: Any) -> Any:
        vmax, km = p
        d_y0 = -y[1] * vmax * y[0] / (km + y[0])
        return jnp.array([d_y0, -0.09 * d_y0])

    def solve(y0: Any, p: Any) -> Any:
        return diffrax.diffeqsolve(
            diffrax.ODETerm(odes), diffrax.Tsit5(), 0.0, 120.0, 0.1, y0, p,
            saveat=diffrax.SaveAt(ts=jnp.linspace(0, 120, 121)), max_steps=100_000, throw=False,
            stepsize_controller=diffrax.PIDController(rtol=1e-6, atol=1e-8),
        ).ys  # fmt: skip

    y0 = jnp.stack([jnp.linspace(6, 12, 7), jnp.linspace(0.1, 0.7, 7)], axis=1)
    p = jnp.stack([jnp.linspace(8, 12, 7), jnp.linspace(4, 6, 7)], axis=1)
    ys = jax.jit(jax.vmap(solve))(y0, p)
    assert ys is not None
    np.testing.assert_allclose(ensemble.substrate, ys[..., 0], rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(ensemble.enzyme, ys[..., 1], rtol=1e-9)


@pytest.mark.parametrize(
    "name", fast({"quickstart"}, ["quickstart", "seed_zip", "lorenz", "pk_population"])
)
def test_both_engines_take_the_same_steps(name: str, tmp_path: Path):
    overrides = [f"experiment={name}", *SMALLER.get(name, [])]
    native, reference = (
        odeflow.run(odeflow.compose(*overrides, f"runtime.engine={engine}", study=tmp_path))
        for engine in ("native", "diffrax")
    )
    solver = odeflow.compose(*overrides, study=tmp_path).solver
    assert native.attrs["odeflow_engine"] == "native"
    same = (native.num_steps == reference.num_steps) & (
        native.num_accepted_steps == reference.num_accepted_steps
    )
    assert same.mean() >= 0.99
    assert isinstance(solver.atol, float)
    for variable in odeflow.compose(*overrides, study=tmp_path).model.states:
        tolerance = solver.atol + solver.rtol * np.abs(reference[variable])
        difference = np.abs(native[variable] - reference[variable]) / tolerance
        assert float(difference.where(same).max()) < 1e-3, variable
