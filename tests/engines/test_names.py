"""No name of a user's reaches a generated program: whatever the names, the program is the same."""

import keyword
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import odeflow
from odeflow.config.base import check_variable_name
from odeflow.config.model import ModelConfig
from odeflow.config.root import Config
from odeflow.config.solver import SolverConfig
from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native
from odeflow.engines.native.targets.layout import BufferLayout
from odeflow.ensemble.build import augmented, resolved
from odeflow.problem.model import Event, Model
from odeflow.problem.problem import Guard, JumpTargets, Lanes, Problem
from odeflow.problem.reductions import Reduction
from tests.support.marks import fast
from tests.support.problems import make_solver, model_group

METRICS = ("integral", "max", "time_of_min", "first_time_above")


class Names(NamedTuple):
    """What a user may name in the model of these tests."""

    array: str
    scalar: str
    clock: str
    rate: str
    level: str
    product: str
    total: str
    dimension: str
    model: str


PLAIN = Names("a", "b", "c", "d", "e", "f", "g", "h", "i")


class Variant(NamedTuple):
    """A problem with which every generator has something to do."""

    solver: dict[str, Any]
    saved: bool = True
    jumps: bool = False
    stops: bool = False
    events: bool = False
    sensitivities: bool = False
    reduced: bool = False
    device: native.Device = "cpu"


PID = {"pcoeff": 0.3, "icoeff": 0.4, "dcoeff": 0.1, "dtmin": 1e-9, "dtmax": 0.5}
VARIANTS = {
    "tsit5": Variant({"method": "tsit5"}),
    "tsit5 by PID, events, metrics": Variant(
        PID, saved=False, jumps=True, stops=True, events=True, reduced=True
    ),
    "rodas5p, sensitivities, jumps": Variant(
        {"method": "rodas5p"}, jumps=True, sensitivities=True, reduced=True
    ),
    "dopri8 on a GPU": Variant({"method": "dopri8"}, reduced=True, device="gpu"),
    "constant steps, events": Variant(
        {"method": "heun", "stepsize_controller": "constant", "dt0": 0.1}, events=True, stops=True
    ),
    "euler": Variant({"method": "euler", "stepsize_controller": "constant", "dt0": 0.1}),
    "rodas3p by PI, events": Variant(
        {"method": "rodas3p", "pcoeff": 0.3, "icoeff": 0.3}, events=True, stops=True, reduced=True
    ),
    "bosh3, first step given": Variant({"method": "bosh3", "dt0": 1e-3}, jumps=True),
    "dopri5 by PID, sensitivities": Variant({"method": "dopri5"} | PID, sensitivities=True),
}
QUICK = {"rodas5p, sensitivities, jumps"}


def model_of(names: Names, events: bool = False) -> Model:
    """An array and a scalar that decay, a clock that an event sets back, two observables."""

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        rate = getattr(args, names.rate)
        return {
            names.array: -rate * getattr(y, names.array) ** 2,
            names.scalar: jnp.sin(t) * getattr(args, names.level) - rate * getattr(y, names.scalar),
            names.clock: 1.0,
        }

    def observed(t: Any, y: Any, args: Any) -> dict[str, Any]:
        total = jnp.sum(getattr(y, names.array)) + getattr(y, names.scalar)
        product = getattr(y, names.scalar) * getattr(args, names.level)
        return {names.product: product, names.total: total}

    config = {
        "name": names.model,
        "vector_field": "tests:none",
        "observables": {
            "function": "tests:none",
            "variables": {names.product: {}, names.total: {}},
        },
        "t1": 2.0,
        "states": {
            names.array: {"initial": [2.0, 3.0], "dims": [names.dimension]},
            names.scalar: {"initial": 5.0},
            names.clock: {"initial": 0.0},
        },
        "parameters": {names.rate: {"value": 1.0}, names.level: {"value": 0.5}},
    }
    happens = (
        Event(
            lambda t, y, args: getattr(y, names.clock) >= 0.7,
            lambda t, y, args: {names.clock: 0.0},
            delay=lambda t, y, args: 0.1 * getattr(args, names.rate),
        ),
        Event(
            lambda t, y, args: getattr(y, names.scalar) < 1.0,
            lambda t, y, args: {names.scalar: 2.0, names.array: getattr(y, names.array) + 1.0},
            priority=lambda t, y, args: getattr(args, names.level),
            uses_trigger_values=False,
        ),
    )
    return Model(
        ModelConfig.model_validate(config).declaration(),
        field,
        observed,
        events=happens if events else (),
    )


def problem_of(names: Names, variant: Variant) -> Problem:
    model = model_of(names, variant.events)
    atol = {names.array: 1e-8, names.scalar: 1e-9, names.clock: 1e-7}
    solver = SolverConfig.model_validate({"atol": atol} | variant.solver)
    if variant.sensitivities:
        asked = {"sensitivities": [names.rate, names.scalar], "ts": [1.0]}
        group = {"model": model_group(model), "solver": solver.model_dump()}
        config = Config.model_validate(
            group | {"name": "names", "design": {"kind": "grid"}, "saveat": asked}
        )
        model = augmented(config, model)
    variables = [*model.declared.states, *model.observable_names]
    thresholds = {"first_time_above": 4.0}
    return Problem(
        model=model,
        solver=resolved(solver, model),
        ts=np.array([0.5, 2.0]) if variant.saved else None,
        variables=tuple(variables),
        dtype=np.dtype("float64"),
        reductions=tuple(
            Reduction(variable, metric, thresholds.get(metric))
            for variable in variables
            for metric in METRICS
            if variant.reduced
        ),
        jumps=JumpTargets((1, 2), (0,)) if variant.jumps else None,
        stops=(Guard(lambda t, y, args: getattr(y, names.scalar) > 9.0),) if variant.stops else (),
    )


def source_of(names: Names, variant: Variant) -> str:
    problem = problem_of(names, variant)
    return native.generated(problem, variant.device).code.text


@cache
def plain_source(kind: str) -> str:
    return source_of(PLAIN, VARIANTS[kind])


def usable(name: str) -> bool:
    """Whether a model may have the name, in this spelling."""
    try:
        return check_variable_name(name) == name
    except ValueError:
        return False


@cache
def taken_names() -> list[str]:
    """What already means something: every kind of identifier in generated programs, and others."""
    words = {word for kind in VARIANTS for word in re.findall(r"[^\W\d]\w*", plain_source(kind))}
    kinds = {re.sub(r"\d+", "0", word): word for word in sorted(words)}
    others = {
        *dir(tuple),
        *keyword.softkwlist,
        "x" * 100,
        "d_a_d_b",
        "infusion_a",
        "\N{GREEK SMALL LETTER MU}",
    }
    others |= {
        "\N{GREEK SMALL LETTER MU}",
        "x_0",
        "x_0_0",
        "self",
        "cls",
        "name",
        "values",
        "dims",
        "x",
        "y",
        "past_error2",
    }
    return sorted(filter(usable, {*kinds.values(), *others}))


def slots(names: Sequence[str], step: int) -> Iterator[Names]:
    """Names of the model, each next one `step` further on in a circle."""
    size = len(Names._fields)
    for start in range(0, len(names), step):
        yield Names(*(names[(start + i) % len(names)] for i in range(size)))


@pytest.mark.parametrize("kind", fast(QUICK, list(VARIANTS)[:3]))
def test_the_program_is_the_same_whatever_the_names(kind: str):
    # the spread of a prime gives each variant other names in each slot
    for names in list(slots(taken_names(), 167)):
        assert source_of(names, VARIANTS[kind]) == plain_source(kind), names


@pytest.mark.slow
@pytest.mark.parametrize("kind", VARIANTS)
def test_every_name_in_every_place(kind: str):
    # each variant takes its share of the names: which slot is which is the same for all
    offset = list(VARIANTS).index(kind)
    for names in list(slots(taken_names(), 1))[offset :: len(VARIANTS)]:
        assert source_of(names, VARIANTS[kind]) == plain_source(kind), names


WORDS = st.from_regex(r"[^\W\d_]\w{0,30}", fullmatch=True).filter(usable)


NINE = st.lists(WORDS, min_size=9, max_size=9, unique=True)


@settings(max_examples=8)
@given(names=NINE)
def test_random_names(names: list[str]):
    assert source_of(Names(*names), VARIANTS["tsit5"]) == plain_source("tsit5")


@pytest.mark.slow
@settings(max_examples=200)
@given(names=NINE, kind=st.sampled_from(list(VARIANTS)))
def test_more_random_names(names: list[str], kind: str):
    assert source_of(Names(*names), VARIANTS[kind]) == plain_source(kind)


def test_the_program_has_short_lines_for_long_names():
    long = Names(*(f"{letter * 99}{letter}" for letter in "abcdefghi"))
    assert source_of(long, VARIANTS["tsit5"]) == plain_source("tsit5")
    assert "a" * 99 not in plain_source("tsit5")


def decays(names: Sequence[str], rates: Sequence[float]) -> Model:
    """X' = -r x for each state, the rates being parameters of the second half of the names."""
    size = len(rates)
    config = {
        "name": "decays",
        "vector_field": "tests:none",
        "t1": 1.0,
        "states": {name: {"initial": 1.0 + i} for i, name in enumerate(names[:size])},
        "parameters": {name: {"value": rate} for name, rate in zip(names[size:], rates)},
    }
    field = lambda t, y, args: {
        name: -getattr(args, rate) * getattr(y, name)
        for name, rate in zip(names[:size], names[size:])
    }
    return Model(ModelConfig.model_validate(config).declaration(), field)


@pytest.mark.parametrize(
    "names",
    [
        ("t_last", "t_next", "past_error1", "past_error2", "at_dtmin", "h"),
        pytest.param(("y_0", "p_0", "new_t", "out_0", "k1_0", "rows"), marks=pytest.mark.slow),
    ],
)
def test_values_of_states_with_the_names_of_the_loop(names: tuple[str, ...], tmp_path: Path):
    model = decays(names, (1.0, 2.0, 0.5))
    solver = make_solver(names[:3], **PID, rtol=1e-9, atol=1e-11)
    problem = Problem(model, solver, np.array([0.5, 1.0]), names[:3], np.dtype("float64"))
    lanes = Lanes(np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [2.0], [0.5]]))
    found = native.solve(problem, lanes, threads=1, cache_dir=tmp_path)
    for name, start, rate in zip(names, (1.0, 2.0, 3.0), (1.0, 2.0, 0.5)):
        expected = start * np.exp(-rate * np.array([0.5, 1.0]))
        np.testing.assert_allclose(found.values[name][0], expected, rtol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["tsit5", "rodas5p"])
def test_diffrax_has_no_trouble_with_names(method: str):
    names = ("count", "index", "t_next", "self", "cls", "t1")
    model = decays(names, (1.0, 2.0, 0.5))
    atol = {name: 1e-11 * (1 + place) for place, name in enumerate(names[:3])}
    solver = make_solver(names[:3], method=method, rtol=1e-9, atol=atol)
    problem = Problem(model, solver, np.array([0.5, 1.0]), names[:3], np.dtype("float64"))
    lanes = Lanes(np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [2.0], [0.5]]))
    found = diffrax_engine.solve(problem, lanes)
    expected = 2.0 * np.exp(-2.0 * np.array([0.5, 1.0]))
    np.testing.assert_allclose(found.values["index"][0], expected, rtol=1e-7)


def test_doses_into_an_array_beside_a_scalar_named_like_its_element(tmp_path: Path):
    files = {
        "models.py": "def pair(t, y, args):\n    return {'x': 0 * y.x, 'x_0': 0.0 * t}\n",
        "config/model/pair.yaml": "name: pair\nvector_field: models.py:pair\nt1: 4\n"
        "states: {x: {initial: [1, 2], dims: [cell]}, x_0: {initial: 5}}\n",
        "config/experiment/pair.yaml": "# @package _global_\n"
        "defaults: [override /model: pair]\nname: pair\nsaveat: {ts: [0, 4]}\n"
        "doses:\n"
        "- {state: x_0, amount: 10, time: 1}\n"
        "- {state: x, index: [0], amount: 20, time: 2}\n"
        "- {state: x_0, amount: 100, duration: 1, time: 1}\n"
        "- {state: x, index: [0], amount: 200, duration: 1, time: 2}\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    ends = odeflow.run(odeflow.compose("experiment=pair", study=tmp_path)).isel(time=-1)
    np.testing.assert_allclose(ends["x"].values.ravel(), [221.0, 2.0], rtol=1e-7)
    np.testing.assert_allclose(ends["x_0"].values.ravel(), [115.0], rtol=1e-7)


def test_an_array_beside_a_scalar_named_like_its_element(tmp_path: Path):
    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        return {"x": -args.x_1 * y.x, "x_0": jnp.ones(())}

    config = ModelConfig.model_validate(
        {
            "name": "pair",
            "vector_field": "tests:none",
            "t1": 1.0,
            "states": {"x": {"initial": [1.0, 3.0], "dims": ["cell"]}, "x_0": {"initial": 4.0}},
            "parameters": {"x_1": {"value": 2.0}},
        }
    )
    solver = make_solver(["x", "x_0"], rtol=1e-9)
    times = np.array([0.0, 1.0])
    problem = Problem(
        Model(config.declaration(), field), solver, times, ("x", "x_0"), np.dtype("float64")
    )
    lanes = Lanes(np.array([[1.0], [3.0], [4.0]]), np.array([[2.0]]))
    found = native.solve(problem, lanes, threads=1, cache_dir=tmp_path)
    decayed = np.exp(-2.0 * times)[:, None] * [1.0, 3.0]
    np.testing.assert_allclose(found.values["x"][0], decayed, rtol=1e-7)
    np.testing.assert_allclose(found.values["x_0"][0], [4.0, 5.0], rtol=1e-9)


def test_rows_of_one_name_are_refused():
    with pytest.raises(ValueError, match="one name: y_0"):
        BufferLayout("float64", 8, 1, ("t", "y_0", "y_0"), ()).place("t")
