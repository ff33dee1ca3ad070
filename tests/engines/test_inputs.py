"""Inputs over time in both engines: closed forms, pulses, step counts, categories, derivatives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import odeflow
from odeflow.config.model import ModelConfig
from odeflow.engines.native.engine import generated
from odeflow.ensemble.build import build
from odeflow.files.errors import ConfigError
from odeflow.importers.loading import load_model
from odeflow.problem.status import Status
from tests.support.snakes import make_study

ENGINES = pytest.mark.parametrize(
    "engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)]
)
TIMES, VALUES = [0.0, 0.5, 1.25, 2.0], [1.0, 3.0, 2.0, 4.0]
FIELD = """
import jax.numpy as jnp

def decay(t, y, args):
    return {"y": args.u - args.k * y.y}

def observed(t, y, args):
    return {"seen": 2 * args.u, "is_high": jnp.where(args.u > 2.5, 1.0, 0.0)}
"""


def study_with(folder: Path, inputs: str, field: str = FIELD, more: str = "") -> Path:
    """A study of y' = u(t) - k y, y(0) = 3, until 2."""
    study = make_study(folder)
    (study / "models.py").write_text(field)
    model = study / "config/model/decay.yaml"
    model.write_text(
        f"{model.read_text()}observables: {{function: 'models.py:observed'}}\n"
        f"inputs:\n  u: {{{inputs}}}\n{more}"
    )
    return study


def solved(study: Path, *overrides: str) -> Any:
    return odeflow.run(odeflow.compose("experiment=decay", *overrides, study=study))


def exact(rate: float, times: Any = TIMES, values: Any = VALUES, y: float = 3.0) -> float:
    """The last y for lines between values, piece by piece in closed form."""
    for a, b, c0, c1 in zip(times, times[1:], values, values[1:]):
        slope, h = (c1 - c0) / (b - a), b - a
        start, end = (c0 - slope / rate) / rate, (c1 - slope / rate) / rate
        y = end + (y - start) * np.exp(-rate * h)
    return y


@ENGINES
def test_lines(engine: str, tmp_path: Path):
    study = study_with(tmp_path, f"time: {TIMES}, value: {VALUES}")
    data = solved(study, f"runtime.engine={engine}", "solver.rtol=1e-9", "solver.atol=1e-10")
    assert data.attrs["odeflow_engine"] == engine
    assert not data.attrs["odeflow_time_switches"]
    expected = [exact(float(rate)) for rate in data["k"]]
    np.testing.assert_allclose(data["y"].isel(time=-1), expected, rtol=1e-8)
    looked_up = np.interp(data["time"], TIMES, VALUES)
    np.testing.assert_allclose(data["seen"][0], 2 * looked_up, rtol=1e-14)
    np.testing.assert_array_equal(data["is_high"][0], looked_up > 2.5)


@ENGINES
@pytest.mark.parametrize("kind", ["previous", pytest.param("next", marks=pytest.mark.slow)])
def test_steps(engine: str, kind: str, tmp_path: Path):
    study = study_with(tmp_path, f"time: {TIMES}, value: {VALUES}, interpolation: {kind}")
    data = solved(study, f"runtime.engine={engine}", "solver.rtol=1e-9", "solver.atol=1e-10")
    levels = VALUES[:-1] if kind == "previous" else VALUES[1:]
    expected = []
    for rate in map(float, data["k"]):
        y = 3.0
        for a, b, level in zip(TIMES, TIMES[1:], levels):
            y = level / rate + (y - level / rate) * np.exp(-rate * (b - a))
        expected.append(y)
    np.testing.assert_allclose(data["y"].isel(time=-1), expected, rtol=1e-8)
    assert "stops where time is compared" in data.attrs["odeflow_time_switches"]


@ENGINES
@pytest.mark.parametrize("method", [pytest.param("tsit5", marks=pytest.mark.slow), "rodas5p"])
def test_a_cubic(engine: str, method: str, tmp_path: Path):
    study = study_with(tmp_path, f"time: {TIMES}, value: {VALUES}, interpolation: cubic")
    overrides = [f"runtime.engine={engine}", "solver.rtol=1e-9", "solver.atol=1e-10"]
    data = solved(study, *overrides, f"solver={method}")
    from scipy.integrate import quad
    from scipy.interpolate import PchipInterpolator

    course = PchipInterpolator(TIMES, VALUES)
    for rate, found in zip(map(float, data["k"]), data["y"].values):
        given = lambda s, rate=rate: np.exp(-rate * (2 - s)) * course(s)
        parts = [quad(given, a, b, epsabs=1e-13)[0] for a, b in zip(TIMES, TIMES[1:])]
        assert found[-1] == pytest.approx(3 * np.exp(-rate * 2) + sum(parts), rel=2e-8)


@ENGINES
def test_a_narrow_pulse_in_flat_data_is_not_passed_over(engine: str, tmp_path: Path):
    times = [0.0, 1.0, 1.0001, 1.0002, 2.0]
    study = study_with(tmp_path, f"time: {times}, value: [0, 0, 10000, 0, 0]")
    data = solved(study, f"runtime.engine={engine}", "saveat.ts=null")
    expected = [exact(float(rate), times, [0, 0, 1e4, 0, 0]) for rate in data["k"]]
    np.testing.assert_allclose(data["y"].isel(time=-1), expected, rtol=1e-5)
    assert data["num_steps"].max() < 60


def test_a_knot_costs_no_more_than_the_step_that_ends_there(tmp_path: Path):
    times = np.linspace(0, 2, 201)
    values = np.sin(7 * times).round(6)
    study = study_with(tmp_path, f"time: {times.tolist()}, value: {values.tolist()}")
    data = solved(study, "saveat.ts=null", "solver.rtol=1e-5")
    # 200 pieces; the first steps are short, and where they grow two share what is left
    assert data["num_steps"].max() <= 215
    assert data["num_rejected_steps"].max() <= 2
    expected = [exact(float(rate), times, values) for rate in data["k"]]
    np.testing.assert_allclose(data["y"].isel(time=-1), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["cubic"])
def test_many_knots_make_no_longer_program(kind: str, tmp_path: Path):
    def cost(number: int) -> tuple[int, int]:
        times = np.linspace(0, 2, number)
        group = {
            "name": "decay", "vector_field": "models.py:decay", "t1": 2.0,
            "states": {"y": {"initial": 3.0}}, "parameters": {"k": {"value": 1.0}},
            "inputs": {
                "u": {"time": times.tolist(), "value": np.cos(9 * times).tolist(),
                      "interpolation": kind},
            },
        }  # fmt: skip
        config = odeflow.compose("experiment=decay", study=study)
        config = config.model_copy(update={"model": ModelConfig.model_validate(group)})
        module = generated(build(config, study, ["k"]).problem)
        return module.code.cost, len(module.code.layout.rows)

    study = study_with(tmp_path, f"time: {TIMES}, value: {VALUES}")
    assert cost(100_000) == cost(20)


@ENGINES
def test_a_course_for_each_category(engine: str, tmp_path: Path):
    other = [0.5 * x for x in VALUES]
    courses = f"{{north: {VALUES}, south: {other}}}"
    study = study_with(tmp_path, f"time: {TIMES}, value: {courses}, by: site")
    axes = "design.axes={k: {values: [0.5, 2]}, site: {names: [south, north]}}"
    data = solved(study, f"runtime.engine={engine}", axes, "solver.rtol=1e-9")
    assert data["y"].dims[:2] == ("k", "site")
    assert data["site"].attrs["flag_meanings"] == "south north"
    for i, rate in enumerate((0.5, 2.0)):
        for j, values in enumerate((other, VALUES)):
            found = float(data["y"][i, j, -1])
            assert found == pytest.approx(exact(rate, values=values), rel=1e-7)
            seen = np.interp(data["time"], TIMES, values)
            np.testing.assert_allclose(data["seen"][i, j], 2 * seen, rtol=1e-14)


@pytest.mark.slow
def test_samplers_draw_categories_equally_often(tmp_path: Path):
    courses = f"{{a: {VALUES}, b: {VALUES}, c: {VALUES}}}"
    study = study_with(tmp_path, f"time: {TIMES}, value: {courses}, by: site")
    axes = "design.axes={k: {uniform: [0.5, 2]}, site: {names: [a, b, c]}}"
    data = solved(study, "design=sobol", "design.size=96", axes)
    np.testing.assert_array_equal(np.bincount(data["site"].values), [32, 32, 32])


@ENGINES
@pytest.mark.slow
def test_derivatives_along_a_parameter(engine: str, tmp_path: Path):
    study = study_with(tmp_path, f"time: {TIMES}, value: {VALUES}")
    data = solved(
        study, f"runtime.engine={engine}", "saveat.sensitivities=[k, y]", "solver.rtol=1e-9",
        "solver.atol=1e-10",
    )  # fmt: skip
    for rate, along_k, along_y in zip(
        map(float, data["k"]), data["d_y_d_k"].values, data["d_y_d_initial_y"].values
    ):
        step = 1e-5
        expected = (exact(rate + step) - exact(rate - step)) / (2 * step)
        assert along_k[-1] == pytest.approx(expected, rel=1e-6)
        assert along_y[-1] == pytest.approx(np.exp(-2 * rate), rel=1e-7)


@ENGINES
@pytest.mark.slow
def test_doses_and_stops_beside_it(engine: str, tmp_path: Path):
    """A dose between two times and at one of them, and the end where y passes a threshold."""
    study = study_with(tmp_path, f"time: {TIMES}, value: {VALUES}")
    doses = "doses=[{state: y, amount: 1.5, time: 0.5}, {state: y, amount: 0.25, time: 0.8}]"
    overrides = [f"runtime.engine={engine}", doses, "solver.rtol=1e-9", "solver.atol=1e-10"]
    data = solved(study, *overrides)
    at = np.interp([0.8, 1.25, 2.0], TIMES, VALUES)
    for rate, found in zip(map(float, data["k"]), data["y"].values):
        y = exact(rate, TIMES[:2], VALUES[:2]) + 1.5
        y = exact(rate, [0.5, 0.8], [VALUES[1], at[0]], y) + 0.25
        y = exact(rate, [0.8, 1.25, 2.0], at, y)
        assert found[-1] == pytest.approx(y, rel=1e-8)
    stop = "stop={above: {y: 3.1}}"
    stopped = solved(study, overrides[0], *overrides[2:], stop, "saveat.ts=null")
    fired = stopped["status"] == Status.stopped_by_event
    assert fired.any()
    np.testing.assert_allclose(stopped["y"].where(fired, drop=True), 3.1, rtol=1e-8)


@pytest.mark.slow
def test_single_precision(tmp_path: Path):
    study = study_with(tmp_path, f"time: {TIMES}, value: {VALUES}")
    data = solved(study, "runtime.precision=float32", "solver.rtol=1e-5", "solver.atol=1e-6")
    expected = [exact(float(rate)) for rate in data["k"]]
    np.testing.assert_allclose(data["y"].isel(time=-1), expected, rtol=1e-4)


@pytest.mark.slow
def test_a_condition_on_an_input_is_stopped_for_wherever_it_changes(tmp_path: Path):
    """Of a course that is above its threshold ten times, for a hundredth of a piece each."""
    times = np.arange(0, 2.0001, 0.1)
    values = np.where(np.arange(21) % 2, 1.001, 0.0)
    field = """
import jax.numpy as jnp

def decay(t, y, args):
    return {"y": jnp.where(args.u > 1.0, 1000.0, 0.0) + 0 * y.y}
"""
    study = make_study(tmp_path)
    (study / "models.py").write_text(field)
    model = study / "config/model/decay.yaml"
    inputs = f"inputs:\n  u: {{time: {times.tolist()}, value: {values.tolist()}}}\n"
    model.write_text(model.read_text() + inputs)
    data = solved(study, "saveat.ts=null", "design.axes.k={values: [1]}")
    above = 10 * 2 * 0.1 * (0.001 / 1.001)
    assert float(data["y"].squeeze()) == pytest.approx(3 + 1000 * above, rel=1e-6)


@pytest.mark.slow
def test_bits_do_not_depend_on_neighbours(tmp_path: Path):
    courses = f"{{a: {VALUES}, b: {VALUES[::-1]}}}"
    study = study_with(tmp_path, f"time: {TIMES}, value: {courses}, by: site")
    axes = "design.axes={k: {linspace: [0.1, 9, 30]}, site: {names: [a, b]}}"
    together = solved(study, axes)
    for k in (3, 17):
        rate = float(together["k"][k])
        alone = solved(study, f"design.axes={{k: {{values: [{rate!r}]}}, site: {{names: [b]}}}}")
        assert together["y"][k, 1].values.tobytes() == alone["y"][0, 0].values.tobytes()


def test_another_model_reads_them_by_name(tmp_path: Path):
    study = study_with(tmp_path, f"time: {TIMES}, value: {VALUES}")
    model = load_model(odeflow.compose("experiment=decay", study=study).model, study)
    t, y, args = model.example()
    assert model.knots is not None
    assert float(model.vector_field(t + 0.25, y, args).y) == pytest.approx(2.0 - 3.0)


@pytest.mark.slow
def test_derivatives_across_jumps_and_along_a_dose_in_time(tmp_path: Path):
    """Levels between times, and a dose whose time moves over lines."""
    study = study_with(tmp_path, f"time: {TIMES}, value: {VALUES}, interpolation: previous")
    overrides = ["solver.rtol=1e-9", "solver.atol=1e-10", "saveat.ts=null"]
    found = solved(study, "saveat.sensitivities=[k]", *overrides)

    def after(rate: float) -> float:
        y = 3.0
        for a, b, level in zip(TIMES, TIMES[1:], VALUES):
            y = level / rate + (y - level / rate) * np.exp(-rate * (b - a))
        return y

    for rate, slope in zip(map(float, found["k"]), found["d_y_d_k"].values):
        expected = (after(rate + 1e-5) - after(rate - 1e-5)) / 2e-5
        assert float(slope.item()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
def test_ends_of_their_own_have_to_be_covered(tmp_path: Path):
    study = study_with(tmp_path, f"time: {TIMES}, value: {VALUES}")
    axes = "design.axes={k: {values: [1]}, t1: {values: [1, 2.5]}}"
    with pytest.raises(ConfigError, match=r"0 to 2, do not cover the time span \[0, 2.5\]"):
        solved(study, axes)
    found = solved(study, axes.replace("2.5", "1.25"), "solver.rtol=1e-9", "saveat.ts=null")
    expected = exact(1.0, TIMES[:3], VALUES[:3])
    assert float(found["y"].values[0, 1].item()) == pytest.approx(expected, rel=1e-7)


def test_too_many_jumps_are_one_line(tmp_path: Path):
    times = np.linspace(0, 2, 10_050)
    study = study_with(tmp_path, "file: u.csv, time: hour, value: u, interpolation: previous")
    rows = "".join(f"{t:.17g},{i % 2}\n" for i, t in enumerate(times))
    (study / "u.csv").write_text(f"hour,u\n{rows}")
    with pytest.raises(ConfigError, match=r"it jumps 10,048 times from 0 to 2, .* at most 10,000"):
        solved(study)
