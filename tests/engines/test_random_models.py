"""Random models by both engines and by SciPy: five hundred of them agree, to a millionth.

The Diffrax engine solves a third of them: for each family it traces and compiles for most of a
minute.

A model that does not is made as small as it can be before it is shown.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import odeflow
from tests.support.random_models import END, Family, RandomModel, by_scipy, random_model

#: Models that are compiled together, and families in all.
MODELS, FAMILIES = 10, 50
TS = np.linspace(0.0, END, 21)
METHODS = ("tsit5", "dopri8", "rodas5p")
ENGINES = ("native", "diffrax")


def family(seed: int) -> list[RandomModel]:
    rng = np.random.default_rng(seed)
    size = 2 + seed % 11
    return [random_model(rng, size) for _ in range(MODELS)]


def solve(
    models: Sequence[RandomModel], engine: str, method: str, study: Path
) -> tuple[np.ndarray, np.ndarray]:
    """States (model, time, state) and the times reached."""
    one = Family(models)
    described = json.dumps([repr(model) for model in models])
    (study / "models.py").write_text(
        "from tests.support.random_models import *\n\n"
        f"FAMILY = Family([eval(text) for text in {described}])\n\n\n"
        "def field(t, y, args):\n    return FAMILY.field(t, y, args)\n\n\n"
        "def observables(t, y, args):\n    return FAMILY.observables(t, y, args)\n"
    )
    groups = one.study()
    for name in ("model", "experiment"):
        (study / "config" / name).mkdir(parents=True, exist_ok=True)
    (study / "config/model/family.yaml").write_text(json.dumps(groups.pop("model")))
    head = "# @package _global_\n"
    experiment = groups | {
        "name": "family",
        "defaults": [{"override /model": "family"}],
        "saveat": {"ts": {"linspace": [0.0, END, len(TS)]}},
        "solver": {"method": method, "rtol": 1e-10, "atol": 1e-12, "max_steps": 1_000_000},
        "runtime": {"engine": engine},
        "summary": {"metrics": []},
    }
    (study / "config/experiment/family.yaml").write_text(head + json.dumps(experiment))
    data = odeflow.run(odeflow.compose("experiment=family", study=study))
    assert (data["status"] != -1).all()
    states = np.stack([data[f"y{i}"].values for i in range(one.size)], axis=-1)
    return states, data["time_reached"].values


def difference(model: RandomModel, states: np.ndarray, reached: float) -> float:
    """The largest difference to SciPy's course, over the scale of each state."""
    expected, end = by_scipy(model, TS)
    scale = np.maximum(np.nanmax(np.abs(expected), axis=0), 1e-3)
    near = np.abs(TS - end) <= 1e-6  # which side a rounding puts a time to save on
    known = ~near | (np.isnan(states) == np.isnan(expected)).all(axis=1)
    a, b = states[known], expected[known]
    if (np.isnan(a) != np.isnan(b)).any():
        return np.inf
    return max(float(np.nanmax(np.abs(a - b) / scale, initial=0.0)), abs(reached - end) / END)


def smallest(model: RandomModel, engine: str, method: str, study: Path) -> RandomModel:
    """The model without whatever can go while it still fails."""
    for other in model.smaller():
        states, reached = solve([other], engine, method, study)
        if difference(other, states[0], float(reached[0])) > 1e-6:
            return smallest(other, engine, method, study)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(FAMILIES))
def test_engines_and_scipy_agree(seed: int, tmp_path: Path) -> None:
    models, method = family(seed), METHODS[seed % 3]
    failures = []
    for engine in ENGINES if seed // len(METHODS) % 3 == 0 else ENGINES[:1]:
        states, reached = solve(models, engine, method, tmp_path)
        for model, course, end in zip(models, states, reached):
            if (error := difference(model, course, float(end))) > 1e-6:
                small = smallest(model, engine, method, tmp_path)
                failures.append(f"{engine} {method} {error:.2g}: {small}")
    assert not failures, "\n".join(failures)


def test_a_lost_pulse_is_found_and_shown_small(tmp_path: Path, monkeypatch) -> None:
    """The check itself: an engine that knows nothing of one process fails by that process alone."""
    models = family(3)
    model = next(m for m in models if any(type(p).__name__ == "Pulse" for p in m.processes))
    pulse = next(p for p in model.processes if type(p).__name__ == "Pulse")
    without = lambda m: RandomModel(
        m.y0, m.losses, tuple(p for p in m.processes if p != pulse), m.doses, m.stop
    )
    right = lambda m: difference(m, *(lambda s: (s[0], s[1]))(by_scipy(without(m), TS)))
    assert right(model) > 1e-6 and right(without(model)) <= 1e-6
