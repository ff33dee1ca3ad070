"""SBML's algebraic rules: which quantity each determines, and what comes of it in a trajectory."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("libsbml")

import odeflow
from odeflow.config.validate import validate
from odeflow.files.errors import ConfigError
from odeflow.importers.sbml.config import imported_model, read_system
from odeflow.importers.sbml.quantities import Quantities
from odeflow.importers.sbml.source import model_source
from odeflow.trust.sbml_suite.run import run_case
from tests.support.marks import fast
from tests.support.sbml_text import (
    compartment,
    event,
    initial,
    parameter,
    reaction,
    rule,
    sbml,
    species,
)

CELL = compartment("c", 1)


def system_of(folder: Path, text: str) -> Any:
    (folder / "model.xml").write_text(text)
    source = model_source({"sbml": "model.xml"}, folder)
    assert source is not None
    return read_system(source)


def case(folder: Path, text: str, columns: dict[str, Any], steps: int = 10) -> Path:
    """A case of the suite's form over t = 0..steps."""
    path = folder / "00001"
    path.mkdir()
    (path / "00001-sbml-l3v2.xml").write_text(text)
    names = ", ".join(columns)
    (path / "00001-settings.txt").write_text(
        f"start: 0\nduration: {steps}\nsteps: {steps}\nvariables: {names}\nabsolute: 1e-7\n"
        f"relative: 1e-5\namount:\nconcentration: \n"
    )
    t = np.arange(steps + 1.0)
    values = [np.broadcast_to(f(t), t.shape) for f in columns.values()]
    rows = [f"time,{names.replace(' ', '')}"]
    rows += [",".join(map(repr, map(float, row))) for row in zip(t, *values)]
    (path / "00001-results.csv").write_text("\n".join(rows) + "\n")
    return path


CASES = {
    "a species in a total": (
        sbml(CELL, species("A", amount=0.5), species("B", amount=0.5), parameter("total", 1.0),
             parameter("k", 0.8), rule("algebraic", "", "A + B - total"),
             reaction("J", "", "A", "c * k * B")),
        {"A": lambda t: 1 - 0.5 * np.exp(-0.8 * t), "B": lambda t: 0.5 * np.exp(-0.8 * t)},
    ),
    "a root": (
        sbml(parameter("x", 4, False), parameter("r", None, False),
             rule("algebraic", "", "r^2 - x"), rule("rate", "x", "-2 * r * 0.05")),
        {"r": lambda t: 2 - 0.05 * t, "x": lambda t: (2 - 0.05 * t) ** 2},
    ),
    "two that determine one another": (
        sbml(parameter("a", 1, False), parameter("b", 1, False), parameter("s", 3, False),
             rule("algebraic", "", "a + b - s"), rule("algebraic", "", "a - b - 1"),
             rule("rate", "s", "1")),
        {"a": lambda t: (4 + t) / 2, "b": lambda t: (2 + t) / 2},
    ),
    "an event at t0 because of one": (
        sbml(parameter("k", 0, False), parameter("p", 1, False), rule("algebraic", "", "10 - k"),
             event("k > 4.5", {"p": "3"}, initial=False)),
        {"k": lambda t: 10, "p": lambda t: 3},
    ),
    "an event that a root triggers, and that moves it": (
        sbml(parameter("x", 1, False), parameter("r", 1, False), rule("algebraic", "", "r^2 - x"),
             rule("rate", "x", "2 * r"), event("r > 3.3", {"x": "1"})),
        {"r": lambda t: np.where(t < 2.3, 1 + t, 1 + np.mod(t - 2.3, 2.3))},
    ),
    "a compartment of that size": (
        sbml(compartment("c", None, False), species("S", amount=2, only_amount=True),
             species("C", amount=3), parameter("k", 0.1), rule("algebraic", "", "c - 1 - k * S"),
             reaction("J", "", "S", "5")),
        {"c": lambda t: 1.2 + 0.5 * t, "C": lambda t: 3 / (1.2 + 0.5 * t)},
    ),
    "an initial value of it": (
        sbml(parameter("k", None, False), parameter("x", None, False), initial("x", "2 * k"),
             rule("algebraic", "", "k - 3"), rule("rate", "x", "-x")),
        {"x": lambda t: 6 * np.exp(-t)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", fast(["an event that a root triggers, and that moves it"], CASES))
def test_a_case_has_its_closed_form(name: str, tmp_path: Path):
    text, columns = CASES[name]
    outcome = run_case(case(tmp_path, text, columns))
    assert outcome.verdict == "pass", outcome.detail


#: Cases of the SBML Test Suite: the model, a time, and published values then.
SUITE = {
    "00576": (
        sbml(parameter("p1", 1e-3, False), parameter("p2", 2e-3, False), parameter("k2", 0.25),
             parameter("p3", 1e-3, False), parameter("p4", 1e-3, False), parameter("k1", 0.75),
             rule("algebraic", "", "p4 - p1"), rule("rate", "p1", "k2 * p3 - k1 * p1 * p2"),
             rule("rate", "p2", "k2 * p3 - k1 * p1 * p2"),
             rule("rate", "p3", "k1 * p1 * p2 - k2 * p3")),
        10.0,
        {"p1": 0.001904365951692707, "p2": 0.002904365951692706, "p4": 0.001904365951692707},
    ),
    "00780": (
        sbml(compartment("C", 1), species("X0", "C"), species("X1", "C", amount=1.5),
             species("T", "C", amount=1), species("S1", "C", amount=3.75), parameter("k1", 0.1),
             parameter("k2", 0.2), initial("X0", "X1 - 0.25"),
             rule("algebraic", "", "X0 + X1 + T - S1"),
             reaction("J0", "X0", "T", "C * k1 * X0"), reaction("J1", "T", "X1", "C * k2 * T"),
             event("X1 > 2", {"X1": "1"}, delay="4.3")),
        15.0,
        {"X0": 0.2789127001850799, "X1": 1.625613447645951, "S1": 2.170992080922104},
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("linear", [True, False], ids=["solved for", "algebraic states"])
@pytest.mark.parametrize("name", SUITE)
def test_values_of_the_suite(
    name: str, linear: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A linear rule leaves no algebraic state; as one it comes to the same."""
    if not linear:
        monkeypatch.setattr(Quantities, "solve_linear", lambda self: None)
    text, end, values = SUITE[name]
    (tmp_path / "model.xml").write_text(text)
    read_system.cache_clear()
    group = imported_model({"sbml": "model.xml", "t1": end}, tmp_path)
    assert bool(group["algebraic"]) is not linear
    config = validate(
        {
            "name": "case",
            "model": group,
            "design": {"kind": "grid", "axes": {}},
            "solver": {"method": "rodas5p", "rtol": 1e-10, "atol": 1e-14},
        }
    ).in_study(tmp_path)
    found = odeflow.run(config)
    read_system.cache_clear()
    for variable, value in values.items():
        assert float(found[variable].squeeze()) == pytest.approx(value, rel=1e-5), variable


@pytest.mark.parametrize(
    ("elements", "determined"),
    [
        # each rule has one of its own, whatever their order
        ([parameter("a", 1, False), parameter("b", 1, False),
          rule("algebraic", "", "a^2 + b^2 - 5"), rule("algebraic", "", "a^2 - 1")], ["a", "b"]),
        # what is constant, or has another rule, is left alone
        ([parameter("a", 2), parameter("b", 3, False), rule("algebraic", "", "b^2 - a^2")], ["b"]),
        ([parameter("a", 2, False), parameter("b", 3, False), rule("rate", "a", "1"),
          rule("algebraic", "", "b^2 - a^2")], ["b"]),
        # what has a value, or an event sets, comes last
        ([parameter("a", 2, False), parameter("b", None, False),
          rule("algebraic", "", "b^2 - a^2")], ["b"]),
        ([parameter("a", None, False), parameter("b", 3, False),
          rule("algebraic", "", "b^2 - a^2"), event("time > 1", {"a": "1"})], ["b"]),
        # by way of an assignment rule
        ([parameter("a", None, False), parameter("b", 3, False), rule("assignment", "a", "b^2"),
          rule("algebraic", "", "a - 4")], ["b"]),
    ],
)  # fmt: skip
def test_each_rule_determines_one_quantity(
    elements: list[str], determined: list[str], tmp_path: Path
):
    assert sorted(system_of(tmp_path, sbml(*elements)).algebraic) == determined


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ([parameter("a", 1, False), rule("algebraic", "", "a^2 - 1"),
          rule("algebraic", "", "a - 1")], ("algebraic rule", "more than there is to determine")),
        ([parameter("a", 1, False), parameter("x", None, False), initial("x", "a"),
          rule("algebraic", "", "a^2 - 1"), rule("rate", "x", "1")],
         ("the start of 'x' from 'a'",)),
        ([parameter("a", 1, False), parameter("x", 1, False), rule("algebraic", "", "a^2 - x"),
          rule("rate", "x", "rateOf(a)")], ("rateOf(a)", "algebraicRule")),
    ],
)  # fmt: skip
def test_what_cannot_be_determined_is_named(
    elements: list[str], words: tuple[str, ...], tmp_path: Path
):
    (tmp_path / "model.xml").write_text(sbml(*elements))
    with pytest.raises(ConfigError) as caught:
        imported_model({"sbml": "model.xml", "t1": 1.0}, tmp_path)
    for word in words:
        assert word in str(caught.value)
