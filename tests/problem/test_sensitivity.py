"""Forward sensitivities against closed forms, finite differences and exact identities."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

import odeflow
from odeflow.analysis.summary import summarise
from odeflow.config.root import Config
from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native_engine
from odeflow.engines.native.frontend.field import field_program
from odeflow.engines.native.methods.differentiated_field import differentiated_field
from odeflow.ensemble.build import augmented, make_lanes, make_problem
from odeflow.files.errors import ConfigError
from odeflow.importers.loading import load_model
from odeflow.importers.study.compose import compose
from odeflow.models import diffusion, kinetics
from odeflow.problem.derivative_names import quotient_units
from odeflow.problem.model import Model
from odeflow.problem.status import Status
from odeflow.report.selection import shown_variables
from odeflow.workflow.chunks import chunk_size, solve_digest
from tests.support.marks import fast
from tests.support.problems import decay, make_model, model_group

ENGINES = pytest.mark.parametrize("engine", ["native", "diffrax"])
TIGHT = {"rtol": 1e-10, "atol": 1e-12}
TS = [0.0, 0.3, 1.0, 2.0]


def experiment(model: Model, axes: list[str], ts: Any = TS, **solver: Any) -> tuple[Config, Model]:
    """The augmented config and model, for a model without a file."""
    data = {
        "name": "test",
        "model": model_group(model),
        "design": {"kind": "grid", "axes": {}},
        "saveat": {"ts": None if ts is None else list(ts), "sensitivities": axes},
        "solver": TIGHT | solver,
    }
    config = Config.model_validate(data)
    return config, augmented(config, model)


def solve(
    engine: str,
    experiment: tuple[Config, Model],
    at: Mapping[str, np.ndarray],
    tmp_path: Path,
) -> dict[str, np.ndarray]:
    """Values (lane, time, ...) of all variables at these parameters and initial values."""
    config, model = experiment
    problem, lanes = make_problem(config, model), make_lanes(config, model, at)
    if engine == "native":
        assert native_engine.refusal(problem) is None
        solution = native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path)
    else:
        solution = diffrax_engine.solve(problem, lanes)
    assert (solution.status == Status.success).all()
    return solution.values


@ENGINES
def test_decay(engine: str, tmp_path: Path):
    model = make_model(decay, {"y": 2.0}, 2.0, k=1.0)
    k, y0 = np.array([0.1, 1.0, 3.0]), np.array([1.0, 2.0, 5.0])
    values = solve(engine, experiment(model, ["k", "y"]), {"k": k, "y": y0}, tmp_path)
    assert list(values) == ["y", "d_y_d_k", "d_y_d_initial_y"]
    t, k, y0 = np.array(TS), k[:, None], y0[:, None]
    np.testing.assert_allclose(values["y"], y0 * np.exp(-k * t), rtol=0, atol=1e-8)
    np.testing.assert_allclose(values["d_y_d_k"], -t * y0 * np.exp(-k * t), rtol=0, atol=1e-8)
    np.testing.assert_allclose(values["d_y_d_initial_y"], np.exp(-k * t), rtol=0, atol=1e-8)


def test_logistic_growth_with_its_observable(tmp_path: Path):
    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        return {"n": args.r * y.n * (1 - y.n / args.capacity)}

    def observables(t: Any, y: Any, args: Any) -> dict[str, Any]:
        return {"room": args.capacity - y.n, "filled": t * y.n / args.capacity}

    def exact(point: dict[str, Any]) -> dict[str, Any]:
        r, capacity, t = point["r"], point["capacity"], jnp.array(TS)
        n = capacity / (1 + (capacity / point["n"] - 1) * jnp.exp(-r * t))
        return {"n": n, "room": capacity - n, "filled": t * n / capacity}

    plain = make_model(field, {"n": 0.1}, 2.0, r=2.0, capacity=3.0)
    model = replace(plain, observables_function=observables)
    axes = ["r", "capacity", "n"]
    at = {"r": np.array([2.0, 4.0]), "capacity": np.array([3.0, 1.0]), "n": np.array([0.1, 0.7])}
    values = solve("native", experiment(model, axes), at, tmp_path)
    assert [name for name in values if not name.startswith("d_")] == ["n", "room", "filled"]
    for lane in range(2):
        point = {name: jnp.asarray(x[lane]) for name, x in at.items()}
        for variable, by_axis in jax.jacfwd(exact)(point).items():
            for axis, expected in by_axis.items():
                name = f"d_{variable}_d_{'initial_n' if axis == 'n' else axis}"
                np.testing.assert_allclose(values[name][lane], expected, rtol=0, atol=1e-8)


def test_an_array_state(tmp_path: Path):
    size, t1 = 4, 0.05
    initial = np.sin(np.pi * np.arange(1, size + 1) / (size + 1))
    plain = make_model(
        diffusion.heat_equation,
        {"u": {"initial": initial.tolist(), "dims": ["x"], "units": "K"}},
        t1,
        diffusivity=1.0,
        length=1.0,
    )
    model = replace(plain, observables_function=diffusion.heat_equation_observables)
    ts = [0.0, 0.02, t1]
    asked = experiment(model, ["diffusivity", "u"], ts)
    state = asked[1].declared.states["d_u_d_diffusivity"]
    assert (state.dims, state.shape, state.units) == (("x",), (size,), "K")
    values = solve("native", asked, {"diffusivity": np.array([0.5, 1.0])}, tmp_path)
    matrix = (size + 1) ** 2 * (np.eye(size, k=1) + np.eye(size, k=-1) - 2 * np.eye(size))
    for lane, diffusivity in enumerate([0.5, 1.0]):
        for i, t in enumerate(ts):
            flow = expm(diffusivity * t * matrix)
            along = t * matrix @ flow @ initial
            got = {name: x[lane, i] for name, x in values.items()}
            np.testing.assert_allclose(got["d_u_d_diffusivity"], along, atol=1e-8)
            np.testing.assert_allclose(got["d_u_d_initial_u"], flow.sum(1), atol=1e-8)
            total = along.sum() / (size + 1)
            np.testing.assert_allclose(got["d_total_heat_d_diffusivity"], total, atol=1e-8)


def shipped(name: str, axes: list[str], **solver: Any) -> tuple[Config, Model]:
    settings = [f"solver.{key}={value}" for key, value in (TIGHT | solver).items()]
    asked = f"saveat.sensitivities=[{','.join(axes)}]"
    config = compose(f"experiment={name}", *settings, asked)
    return config, augmented(config, load_model(config.model))


@pytest.mark.parametrize("engine", fast({"native"}, ["native", "diffrax"]))
def test_finite_differences(engine: str, tmp_path: Path):
    nominal = {"km": 5.0, "substrate": 10.0}
    # the lane of the nominal values, then those of central differences
    steps = np.array([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]]) * 1e-4
    at = {name: x * (1 + steps[:, i]) for i, (name, x) in enumerate(nominal.items())}
    values = solve(engine, shipped("quickstart", list(nominal)), at, tmp_path)
    for variable in ("substrate", "enzyme", "reaction_rate"):
        for i, (axis, x) in enumerate([("km", 5.0), ("initial_substrate", 10.0)]):
            expected = (values[variable][1 + i] - values[variable][3 + i]) / (2e-4 * x)
            difference = values[f"d_{variable}_d_{axis}"][0] - expected
            assert np.abs(difference).max() < 1e-6 * np.abs(expected).max()


@pytest.mark.slow
@ENGINES
def test_robertson(engine: str, tmp_path: Path):
    rates = {"k1": 0.04, "k2": 3e7, "k3": 1e4}
    model = make_model(kinetics.robertson, {"a": 1.0, "b": 0.0, "c": 0.0}, 1e5, **rates)
    solver = {"rtol": 1e-10, "atol": 1e-14, "dt0": 1e-6, "method": "rodas5p"}
    augmented = experiment(model, list(rates), [1e-3, 1.0, 1e2, 1e5], **solver)
    # the lane of the nominal values, then those of central differences
    steps = np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)]) * 1e-3
    at = {rate: x * (1 + steps[:, i]) for i, (rate, x) in enumerate(rates.items())}
    values = solve(engine, augmented, at, tmp_path)
    for i, (rate, x) in enumerate(rates.items()):
        for name in "abc":
            expected = (values[name][1 + i] - values[name][4 + i]) / (2e-3 * x)
            got, rounding = values[f"d_{name}_d_{rate}"][0], 1e-15 / (2e-3 * x)
            np.testing.assert_allclose(got, expected, rtol=1e-4, atol=rounding)
        # a + b + c is 1
        total = sum(values[f"d_{name}_d_{rate}"] for name in "abc")
        assert np.abs(total).max() < 1e-12 * np.abs(values[f"d_c_d_{rate}"]).max()


def test_the_jacobian_is_block_triangular():
    model = make_model(kinetics.robertson, {"a": 1.0, "b": 0.0, "c": 0.0}, 1.0, k1=1, k2=2, k3=3)
    _, augmented = experiment(model, ["k1", "k2", "b"])
    own = differentiated_field(model).entries
    blocks: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for i, j in differentiated_field(augmented).entries:
        blocks.setdefault((i // 3, j // 3), set()).add((i % 3, j % 3))
    # along the diagonal the Jacobian of the model itself; its derivatives in the first column
    assert set(blocks) == {(0, 0), (1, 1), (2, 2), (3, 3), (1, 0), (2, 0), (3, 0)}
    assert all(blocks[i, i] == set(own) for i in range(4))


def test_the_field_is_computed_once_for_all_axes():
    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        return {"y": args.a * jnp.exp(-y.y * args.b)}

    model = make_model(field, {"y": 1.0}, 1.0, a=1.0, b=2.0)
    _, augmented = experiment(model, ["a", "b", "y"])
    operations = [statement.operation for statement in field_program(augmented).statements]
    assert operations.count("exp") == 1


def test_absolute_tolerances_are_those_of_cvodes():
    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        return {"x": args.k * y.u.sum(), "u": -args.zero * y.u}

    states = {"x": 0.5, "u": {"initial": [1.0, -4.0], "dims": ["cell"]}}
    model = make_model(field, states, 1.0, k=-20.0, zero=0.0)
    asked = experiment(model, ["k", "zero", "u"], atol={"x": 1e-6, "u": 1e-3})
    solver = make_problem(*asked).solver
    assert solver.tolerances.atol == {
        "x": 1e-6, "u": 1e-3, "d_x_d_k": 1e-6 / 20, "d_u_d_k": 1e-3 / 20, "d_x_d_zero": 1e-6,
        "d_u_d_zero": 1e-3, "d_x_d_initial_u": 1e-6 / 4, "d_u_d_initial_u": 1e-3 / 4,
    }  # fmt: skip
    assert solver.root_finder_atol == 1e-6


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        ("mmol/L", "1/min", "(mmol/L)/(1/min)"), ("mg", "h", "mg/h"), ("mg", "1", "mg"),
        ("1", "h", "1/h"), ("1", "1/h", "1/(1/h)"), ("", "", "1"), ("K", "K", "1"),
        ("m2", "%", "(m2)/%"), ("K m", "µs", "(K m)/µs"),
    ],
)  # fmt: skip
def test_units(above: str, below: str, expected: str):
    assert quotient_units(above, below) == expected


SMALL = ["design.axes.vmax.linspace=[8,12,3]", "design.axes.km.linspace=[4,6,2]"]


def test_a_whole_experiment(tmp_path: Path):
    overrides = [*SMALL, "saveat.sensitivities=[vmax,enzyme]"]
    kept = "saveat.variables=[substrate,reaction_rate]"
    config = compose("experiment=quickstart", *overrides, kept, study=tmp_path)
    ds = odeflow.run(config)
    derivatives = [
        f"d_{variable}_d_{axis}"
        for variable in ("substrate", "reaction_rate")
        for axis in ("vmax", "initial_enzyme")
    ]
    expected = {"substrate", "reaction_rate", *derivatives}
    assert {name for name, x in ds.items() if "time" in x.dims} == expected
    assert ds.d_substrate_d_vmax.dims == ("vmax", "km", "time")
    assert ds.d_substrate_d_vmax.attrs == {
        "units": "(mmol/L)/(1/min)",
        "long_name": "derivative of substrate concentration with respect to "
        "maximal rate per enzyme",
        "derivative_of": "substrate",
    }
    assert "initial enzyme concentration" in ds.d_reaction_rate_d_initial_enzyme.long_name
    # the neighbouring columns of the grid, 2 apart: a difference, not the derivative
    slope = ds.substrate.differentiate("vmax").sel(vmax=10)
    np.testing.assert_allclose(ds.d_substrate_d_vmax.sel(vmax=10), slope, atol=0.15)
    # summaries and figures are of the trajectories, unless others are named
    summary = summarise(ds, config.summary)
    assert "substrate_final" in summary and not any(str(n).startswith("d_") for n in summary)
    assert shown_variables(ds, config) == ["substrate", "reaction_rate"]
    named = ["summary.variables=[d_substrate_d_vmax]", "plot.variables=[d_substrate_d_vmax]"]
    named += ["summary.first_time_below={}", "plot.metric=null"]
    config = compose("experiment=quickstart", *overrides, *named, study=tmp_path)
    assert "d_substrate_d_vmax_final" in summarise(ds, config.summary)
    assert shown_variables(ds, config) == ["d_substrate_d_vmax"]


def test_chunks_follow_them(tmp_path: Path):
    plain, one, two = (
        compose(f"saveat.sensitivities={axes}", study=tmp_path)
        for axes in ("null", "[vmax]", "[vmax,km]")
    )
    assert len({solve_digest(config, tmp_path) for config in (plain, one, two)}) == 3
    assert chunk_size(plain) > chunk_size(two)


def test_without_them_nothing_changes(tmp_path: Path):
    config = compose("experiment=quickstart", "saveat.sensitivities=[]", study=tmp_path)
    model = load_model(config.model)
    assert augmented(config, model) is model


MISTAKES = {
    "unknown": (["saveat.sensitivities=[vmx]"], ["saveat.sensitivities", "did you mean vmax?"]),
    "an observable": (["saveat.sensitivities=[reaction_rate]"], ["a parameter or state", "km"]),
    "twice": (["saveat.sensitivities=[km,km]"], ["saveat.sensitivities", "km is named twice"]),
    "a name of the model's": (
        ["saveat.sensitivities=[km]", "+model.parameters.d_enzyme_d_km={value: 1}"],
        ["d_enzyme_d_km", "michaelis_menten has that name", "rename"],
    ),
    "one name for two": (
        [
            "saveat.sensitivities=[km,d_x_d_km]",
            "+model.states.enzyme_d_d_x={initial: 1}",
            "+model.states.enzyme_d={initial: 1}",
            "+model.parameters.x_d_km={value: 1}",
            "+model.parameters.d_x_d_km={value: 1}",
        ],
        ["d_enzyme_d_d_x_d_km", "two of them"],
    ),
    "not kept": (
        [
            "saveat.sensitivities=[km]",
            "saveat.variables=[enzyme]",
            "summary.first_time_below={}",
            "summary.variables=[d_substrate_d_km]",
        ],
        ["summary.variables", "d_substrate_d_km", "a saved variable", "d_enzyme_d_km"],
    ),
}


@pytest.mark.parametrize("overrides, words", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(overrides: list[str], words: list[str], tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        compose(*overrides, study=tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def refused(function: Callable[..., Any], observables: Any = None) -> str:
    model = make_model(function, {"y": 1.0}, 1.0, k=1.0)
    if observables is not None:
        model = replace(model, observables_function=observables)
    with pytest.raises(ConfigError) as caught:
        experiment(model, ["k"])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_name_that_an_undeclared_observable_has():
    assert "that name" in refused(decay, lambda t, y, args: {"d_y_d_k": y.y, "z": y.y})


def test_a_field_without_forward_mode():
    @jax.custom_vjp
    def rate(x: Any) -> Any:
        return x

    rate.defvjp(lambda x: (x, None), lambda _, g: (g,))
    message = refused(lambda t, y, args: {"y": args.k * rate(y.y)})
    assert "saveat.sensitivities" in message and "custom_vjp" in message


def test_an_infinite_sensitivity_ends_its_trajectory(tmp_path: Path):
    model = make_model(lambda t, y, args: {"y": jnp.sqrt(y.y)}, {"y": 1.0}, 2.0)
    config, with_derivatives = experiment(model, ["y"])
    lanes = make_lanes(config, with_derivatives, {"y": np.array([0.0, 1.0])})
    problem = make_problem(config, with_derivatives)
    solution = native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path)
    assert list(solution.status) == [Status.non_finite, Status.success]
    # y = (1 + t/2)^2 from sqrt(y0) = 1
    np.testing.assert_allclose(
        solution.values["d_y_d_initial_y"][1], 1 + np.array(TS) / 2, rtol=1e-7
    )
