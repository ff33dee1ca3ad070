"""What `runtime.retry` makes of a solver."""

import pytest

from odeflow.config.ladder import ladder
from odeflow.config.outputs import RuntimeConfig
from odeflow.config.validate import validate
from odeflow.files.errors import ConfigError
from odeflow.importers.study.compose import compose
from odeflow.workflow.chunks import solve_slice


def test_each_rung_is_on_top_of_the_one_before():
    config = compose("solver.dt0=0.5", "solver.dtmin=1e-6")
    solvers = [attempt.solver for attempt in ladder(config)]
    assert [s.max_steps for s in solvers] == [100_000, *5 * [1_000_000]]
    assert [s.method for s in solvers] == [
        "tsit5", "tsit5", "rodas5p", "rodas5p", "kvaerno5", "tsit5",
    ]  # fmt: skip
    assert [s.dtmin for s in solvers] == [*3 * [1e-6], *3 * [1e-9]]
    assert solvers[2].dt0 == 0.5 and solvers[3].dt0 == 1e-9  # not below dtmin
    assert all(s.rtol == config.solver.rtol for s in solvers)


def test_the_default_ladder_fits_every_controller_and_method():
    for overrides in (["solver=euler", "solver.dt0=0.1"], ["solver=rodas5p"], ["solver=kvaerno3"]):
        attempts = ladder(compose(*overrides))
        assert len(attempts) == 6
    assert ladder(compose("solver=rodas5p"))[2].changed == frozenset()


def test_factors_multiply_and_null_stays_null():
    change = "{rtol:x10,atol:x.5,dtmin:x2,dt0:x1e-3}"
    (_, rung) = ladder(compose("solver.dt0=null", f"runtime.retry=[{change}]"))
    assert rung.solver.rtol == pytest.approx(1e-5) and rung.solver.atol == 5e-9
    assert rung.solver.dtmin is None
    assert rung.solver.dt0 == pytest.approx(0.12)  # of the span of 120 min
    assert rung.changed == {"rtol", "atol", "dt0"}
    per_state = "solver.atol={substrate:1e-8,enzyme:1e-10}"
    (_, rung) = ladder(compose(per_state, "runtime.retry=[{atol:x10}]"))
    assert rung.solver.atol == pytest.approx({"substrate": 1e-7, "enzyme": 1e-9})


def test_a_first_step_stays_above_what_t0_can_resolve():
    overrides = ["model.t0=100", "saveat.ts=[110]", "runtime.precision=float32"]
    (_, rung) = ladder(compose(*overrides, "runtime.retry=[{dt0:x1e-9}]"))
    assert rung.solver.dt0 == 4 * 2.0**-23 * 100


def test_null_is_a_value_and_no_key_is_none():
    (_, rung) = ladder(compose("solver.dt0=0.5", "runtime.retry=[{dt0:null,max_steps:7}]"))
    assert rung.solver.dt0 is None and rung.solver.max_steps == 7
    assert rung.name == "1_dt0_null_max_steps_7"


def test_the_config_survives_its_own_file():
    config = compose("runtime.retry=[{dt0:null},{max_steps:x2.5}]")
    data = config.slice("name", "model", "design", "runtime")
    assert data["runtime"]["retry"] == [{"dt0": None}, {"max_steps": "x2.5"}]
    assert validate(data).runtime == config.runtime


def test_the_shipped_default_is_the_schema_s():
    assert compose().runtime == RuntimeConfig.model_validate({})


def test_the_ladder_is_part_of_what_decides_the_numbers():
    assert solve_slice(compose(), ()) != solve_slice(compose("runtime.retry=[]"), ())
    assert solve_slice(compose(), ()) == solve_slice(compose("runtime.max_failed=0.1"), ())


MISTAKES = {
    "{methd:tsit5}": "runtime.retry.0.methd: no such key; did you mean method?",
    "{method:tsit6}": "runtime.retry.0.method: no method 'tsit6'; did you mean tsit5?",
    "{max_steps:10x}": "runtime.retry.0.max_steps: expected a number, or a factor such as x10",
    "{max_steps:x0}": "runtime.retry.0.max_steps: expected a whole number >= 1",
    "{rtol:-1}": "runtime.retry.0.rtol: expected a number > 0",
    "{}": "runtime.retry.0: it changes nothing",
    "{max_steps:x2},{dtmin:3,dtmax:1}": "runtime.retry.1: solver.dtmin: 3 is greater than dtmax 1",
    "{method:euler}": "runtime.retry.0: solver.stepsize_controller: euler has no error estimate",
    "{atol:{substrate:1e-8}}": "runtime.retry.0.atol: no tolerance for the state enzyme",
    "{atol:{substrat:1e-8}}": "runtime.retry.0.atol: 'substrat' is not a state",
    "rodas5p": "runtime.retry.0: ",
}


@pytest.mark.parametrize("changes, message", MISTAKES.items())
def test_a_mistake_is_one_line_that_names_the_rung(changes: str, message: str):
    with pytest.raises(ConfigError) as caught:
        compose(f"runtime.retry=[{changes}]")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fraction", ["-0.1", "1.5", "half", "true"])
def test_max_failed_is_a_fraction(fraction: str):
    with pytest.raises(ConfigError, match=r"runtime\.max_failed"):
        compose(f"runtime.max_failed={fraction}")
