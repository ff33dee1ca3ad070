"""The registry of methods, and what reads it."""

import diffrax
import pytest
from omegaconf import OmegaConf

import odeflow
from odeflow.config.solver import SolverConfig
from odeflow.engines.diffrax import rosenbrock
from odeflow.engines.native import engine as native_engine
from odeflow.problem.methods import METHODS, Method
from odeflow.problem.methods.taylor import taylor_order
from tests.support.methods_page import PAGE, page
from tests.support.problems import decay, make_model, make_problem
from tests.support.snakes import PROJECT

FOLDER = PROJECT / "config" / "solver"
EACH = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


@EACH
def test_a_file_of_the_group_holds_only_what_differs(method: Method):
    path = FOLDER / f"{method.name}.yaml"
    needed = {} if method.adaptive else {"stepsize_controller": "constant", "dt0": 0.01}
    assert OmegaConf.load(path) == {"method": method.name, **needed}
    comment = path.read_text(encoding="utf-8").splitlines()[0]
    assert comment.lower() == f"# {method.summary} (order {method.order}): {method.advice}.".lower()


@EACH
def test_the_rest_is_the_schemas(method: Method):
    composed = odeflow.compose("~experiment", f"solver={method.name}").solver
    asked = {"method": method.name, **dict(OmegaConf.load(FOLDER / f"{method.name}.yaml"))}
    assert composed == SolverConfig.model_validate(asked)


def test_each_file_is_a_method():
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {*METHODS, "auto", "base"}
    assert OmegaConf.load(FOLDER / "base.yaml") == {}


def test_the_order_of_taylor_series_is_that_at_the_default_tolerance():
    assert taylor_order(SolverConfig().rtol) == METHODS["taylor"].order


@pytest.mark.parametrize("name", [name for name, one in METHODS.items() if one.in_diffrax])
def test_order_and_errors_are_those_of_the_class(name: str):
    method = METHODS[name]
    cls = getattr(diffrax, method.diffrax_name, None) or getattr(rosenbrock, method.diffrax_name)
    term = diffrax.ODETerm(lambda t, y, args: -y)
    assert cls().order(term) == method.order
    assert issubclass(cls, diffrax.AbstractAdaptiveSolver) or not method.adaptive
    is_implicit = issubclass(cls, diffrax.AbstractImplicitSolver | rosenbrock.AbstractRosenbrock)
    assert is_implicit == method.implicit


@EACH
def test_the_native_engine_has_what_the_page_says(method: Method):
    model = make_model(decay, {"y": 1.0}, 1.0, k=1.0)
    problem = make_problem(model, [1.0], **dict(OmegaConf.load(FOLDER / f"{method.name}.yaml")))
    taken = native_engine.refusal(problem) is None
    assert taken == method.native


def test_the_page_is_what_the_registry_says():
    assert PAGE.read_text(encoding="utf-8") == page()
