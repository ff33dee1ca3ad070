"""What a public function takes, gives back and raises is in its docstring, and its examples run."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import odeflow
import odeflow.design
from odeflow.problem.status import Status
from odeflow.trust.reproduce import Reproduction
from odeflow.workflow import stages

STAGES = [
    importlib.import_module(f"{stages.__name__}.{module.name}")
    for module in pkgutil.iter_modules(stages.__path__)
]
SECTION = re.compile(r"^(Arguments|Returns|Raises|Example):\n((?:(?: .*)?\n|$)+)", re.MULTILINE)


def functions_of(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The public functions of a module by name: those of its `__all__`, or those written there."""
    names = getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])
    found = {name: getattr(module, name) for name in names}
    return {
        f"{module.__name__}.{name}": one
        for name, one in found.items()
        if inspect.isfunction(one)
        and (hasattr(module, "__all__") or one.__module__ == module.__name__)
    }


FUNCTIONS = {
    name: one
    for home in (odeflow, odeflow.design, *STAGES)
    for name, one in functions_of(home).items()
} | {f"Reproduction.{name}": getattr(Reproduction, name) for name in ("check", "write")}
#: What has examples besides these.
OTHERS = {"odeflow.Status": Status, stages.__name__: stages}


def sections(documented: Any) -> dict[str, str]:
    return dict(SECTION.findall(f"{inspect.getdoc(documented)}\n"))


def raises(function: Callable[..., Any]) -> bool:
    """Whether the function itself has a `raise` of a new error."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return any(isinstance(node, ast.Raise) and node.exc is not None for node in ast.walk(tree))


def test_there_are_functions_of_all_three_kinds():
    for name in ("odeflow.run", "odeflow.design.rows", "odeflow.workflow.stages.solve.solve_chunk"):
        assert name in FUNCTIONS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_docstring_has_a_section_for_all_that_a_caller_must_know(name: str):
    function = FUNCTIONS[name]
    found, signature = sections(function), inspect.signature(function)
    arguments = [argument for argument in signature.parameters if argument != "self"]
    listed = re.findall(r"^    (\w+):", found.get("Arguments", ""), re.MULTILINE)
    assert listed == arguments
    returns = signature.return_annotation not in (None, "None", inspect.Signature.empty)
    assert ("Returns" in found) == returns
    assert "Raises" in found or not raises(function)


EXAMPLES = {
    name: one for name, one in (FUNCTIONS | OTHERS).items() if ">>>" in (inspect.getdoc(one) or "")
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    text = inspect.getdoc(EXAMPLES[name]) or ""
    example = doctest.DocTestParser().get_doctest(text, {}, name, None, 0)
    printed: list[str] = []
    doctest.DocTestRunner().run(example, out=printed.append)
    assert example.examples
    assert "".join(printed) == ""


def test_the_doors_have_examples():
    assert {"odeflow.compose", "odeflow.run", "odeflow.reproduce", stages.__name__} <= {*EXAMPLES}
