"""Studies whose parameters are estimated: a model whose solution is linear in them, and others."""

from pathlib import Path

import numpy as np

import odeflow
from odeflow.analysis.estimation.estimates import make_objective
from odeflow.analysis.estimation.objective import Objective
from odeflow.config.root import Config
from odeflow.engines.choice import Resources

#: x' = a + b cos(t), x(0) = c: x is linear in a, b and c, so all of estimation has closed forms.
LINEAR = """
import jax.numpy as jnp


def field(t, y, args):
    return {"x": args.a + args.b * jnp.cos(t)}
"""
TRUTH, SD = {"a": 0.7, "b": -1.3, "x": 2.0}, 0.3


def linear_data(number: int = 20) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, what is measured, and the matrix by which it is linear in a, b and the start."""
    t = np.linspace(0.3, 6.0, number)
    matrix = np.stack([t, np.sin(t), np.ones_like(t)], axis=1)
    noise = SD * np.random.default_rng(5).standard_normal(number)
    return t, matrix @ np.array(list(TRUTH.values())) + noise, matrix


def linear_study(folder: Path, *overrides: str, sd: bool = True) -> Config:
    """A study of the linear model with its data; without the column sd the noise is estimated."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "models.py").write_text(LINEAR)
    t, values, _ = linear_data()
    header = "time,variable,value" + (",sd" if sd else "")
    rows = [
        f"{a!r},x,{b!r}" + (f",{SD}" if sd else "") for a, b in zip(t.tolist(), values.tolist())
    ]
    (folder / "data.csv").write_text("\n".join([header, *rows]) + "\n")
    parameters = dict.fromkeys(("a", "b", "x"), "{bounds: [-10, 10], scale: lin}")
    noise = []
    if not sd:
        parameters["s"] = "{bounds: [1e-3, 1e3]}"
        noise = ["analyse.estimate.noise={x: s}"]
    given = ", ".join(f"{name}: {text}" for name, text in parameters.items())
    model = (
        "{name: linear, vector_field: 'models.py:field', t1: 6.0, states: {x: {initial: 2.0}}, "
        "parameters: {a: {value: 0.7}, b: {value: -1.3}}}"
    )
    (folder / "config" / "experiment").mkdir(parents=True, exist_ok=True)
    (folder / "config" / "model").mkdir(exist_ok=True)
    (folder / "config" / "model" / "linear.yaml").write_text(model.replace("'", ""))
    (folder / "config" / "experiment" / "linear.yaml").write_text(
        "# @package _global_\n"
        "defaults: [override /model: linear, override /analyse: estimate]\n"
        "name: linear\ndesign: {axes: {}}\nsolver: {rtol: 1e-10, atol: 1e-12}\n"
        f"analyse: {{estimate: {{data: data.csv, parameters: {{{given}}}}}}}\n"
    )
    return odeflow.compose("experiment=linear", *noise, *overrides, study=folder)


def objective(config: Config) -> Objective:
    """The objective of a config, solved on one core."""
    return make_objective(config, config.study, Resources(threads=1))
