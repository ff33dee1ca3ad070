"""Sensitivities where a stop ends a trajectory: of its end value and of its time.

Against closed forms, and against central differences of the ends of other trajectories.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import odeflow
from odeflow.config.base import ConfigError
from odeflow.config.validate import validate

MODELS = Path(__file__).parent / "stop_models.py"
ENGINES = ("native", "diffrax")


def study(tmp_path: Path, field: str, states: Mapping[str, Any], **groups: Any) -> Any:
    """The ensemble of a small model; groups by key, model's own in `model`."""
    own = dict(groups.pop("model", {}))
    data = {
        "name": "test",
        "model": {
            "name": "stops",
            "vector_field": f"{MODELS.name}:{field}",
            "t0": 0.0,
            "t1": own.pop("t1", 10.0),
            "time_units": "min",
            "states": {n: {"initial": x, "units": "mg"} for n, x in states.items()},
            **own,
        },
        "solver": {"method": "tsit5", "rtol": 1e-10, "atol": 1e-12} | groups.pop("solver", {}),
        "runtime": {"engine": "native"} | groups.pop("runtime", {}),
        "summary": {"metrics": []} | groups.pop("summary", {}),
        **groups,
    }
    return odeflow.run(validate(data).in_study(MODELS.parent))


def grid(**axes: Any) -> dict[str, Any]:
    return {"kind": "grid", "axes": {name: {"values": list(x)} for name, x in axes.items()}}


def units(**values: Any) -> dict[str, Any]:
    return {n: {"value": v, "units": u} for n, (v, u) in values.items()}


GROWTH = {"k": (0.5, "1/min"), "top": (2.0, "mg")}


@pytest.mark.parametrize("engine", [ENGINES[0], pytest.param(ENGINES[1], marks=pytest.mark.slow)])
def test_the_end_of_growth(engine: str, tmp_path: Path):
    """x = x0 exp(k t) is 2 at log(2 / x0) / k; slow ones do not get there."""
    ks = np.array([0.05, 0.4, 0.7])
    found = study(
        tmp_path,
        "growth",
        {"x": 1.0, "other": 0.0},
        model={"parameters": units(k=(0.5, "1/min"))},
        design=grid(k=ks),
        stop={"above": {"x": 2.0}},
        saveat={"ts": None, "sensitivities": ["k", "x"]},
        runtime={"engine": engine},
    )
    stopped = np.log(2) / ks < 10
    end = np.where(stopped, np.log(2) / ks, 10.0)
    np.testing.assert_allclose(found.time_reached, end, rtol=1e-8)
    of_k, of_x = found.d_time_reached_d_k, found.d_time_reached_d_initial_x
    np.testing.assert_allclose(of_k, np.where(stopped, -np.log(2) / ks**2, 0), rtol=1e-7)
    np.testing.assert_allclose(of_x, np.where(stopped, -1 / ks, 0), rtol=1e-7)
    assert of_k.attrs["units"] == "min/(1/min)" and of_x.attrs["units"] == "min/mg"
    # other' = x: at the stop (2 - 1) / k, else (exp(10 k) - 1) / k
    x_of_k = np.where(stopped, 0.0, 10 * np.exp(10 * ks))
    at_end = np.exp(10 * ks)
    other_of_k = np.where(stopped, -1 / ks**2, (10 * ks * at_end - at_end + 1) / ks**2)
    other_of_x = np.where(stopped, -1 / ks, (at_end - 1) / ks)
    last = lambda name: found[name].isel(time=-1)
    np.testing.assert_allclose(last("d_x_d_k"), x_of_k, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(last("d_other_d_k"), other_of_k, rtol=1e-7)
    np.testing.assert_allclose(last("d_other_d_initial_x"), other_of_x, rtol=1e-7)
