"""Formulas in doses: what they read, what they give, and their sensitivities."""

from pathlib import Path

import numpy as np
import pytest

import odeflow
from odeflow.config.doses import DoseConfig
from odeflow.problem.formulas import formula_names, formula_value
from odeflow.trust.verification.dose_formulas import evaluated, names_in
from odeflow.trust.verification.run import verify

FORMULAS = [
    ("f * dose", {"f": 0.5, "dose": 30.0}, 15.0),
    ("24 + lag", {"lag": 1.5}, 25.5),
    ("-(a - b) / 4 ** 0.5", {"a": 1.0, "b": 5.0}, 2.0),
    ("exp(log(a)) + sqrt(b) + abs(-a)", {"a": 3.0, "b": 4.0}, 8.0),
    ("min(a, b, 2) * max(a, b)", {"a": 3.0, "b": 4.0}, 8.0),
    ("log10(a) + log2(b)", {"a": 100.0, "b": 8.0}, 5.0),
]


@pytest.mark.parametrize(("text", "numbers", "expected"), FORMULAS)
def test_a_formula_reads_and_gives(text: str, numbers: dict[str, float], expected: float) -> None:
    assert formula_names(text) == names_in(text) == numbers.keys()
    columns = {name: np.full(3, value) for name, value in numbers.items()}
    np.testing.assert_allclose(formula_value(text, columns), expected)
    assert evaluated(text, numbers) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text", ["a.b", "a[0]", "__import__('os')", "lambda: a", "a if b else c", "'a'", "a and b",
             "f(a)", "a, b", "exp(x=a)", "", "2026-10-11", "a := 2"]
)  # fmt: skip
def test_nothing_else_is_a_formula(text: str) -> None:
    with pytest.raises(ValueError):
        DoseConfig.model_validate({"state": "gut", "amount": text, "time": 0})


EXPERIMENT = """
# @package _global_
defaults:
  - override /model: pk_one_compartment
  - override /design: zip
  - override /solver: tsit5
name: formulas
model: {states: {gut: {initial: 0}}}
design: {axes: {dose: {values: [40, 100]}, ka: {values: [0.8, 1.2]}}}
doses:
  - {state: gut, amount: "0.5 * ka * dose", time: "1 + 2 / ka"}
solver: {rtol: 1e-10, atol: 1e-10}
saveat: {ts: [0, 2, 12, 24], variables: [gut], sensitivities: [ka]}
summary: {metrics: []}
"""


def test_amounts_and_times_by_formulas(tmp_path: Path) -> None:
    """A dose of F * dose at 1 + tlag, against the closed form, with its derivative."""
    folder = tmp_path / "config" / "experiment"
    folder.mkdir(parents=True)
    (folder / "formulas.yaml").write_text(EXPERIMENT)
    cfg = odeflow.compose("experiment=formulas", study=tmp_path)
    ds = odeflow.run(cfg)
    ka, dose = ds["ka"].values[:, None], ds["dose"].values[:, None]
    t = ds["time"].values
    amount, start = 0.5 * ka * dose, 1 + 2 / ka
    expected = np.where(t >= start, amount * np.exp(-ka * (t - start)), 0)
    np.testing.assert_allclose(ds["gut"].values, expected, atol=1e-8)
    slope = expected * (1 / ka - (t - start) - 2 / ka)
    np.testing.assert_allclose(ds["d_gut_d_ka"].values, slope, atol=1e-5)
    assert verify(cfg, cfg.study, ds).attrs["verdict"] == "passed"
