"""Every feature of SBML that is claimed: derivatives and values against those found by hand."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("libsbml")

from odeflow.config.model import ModelConfig
from odeflow.engines.shared.watch import RoundOutcome, Watch
from odeflow.files.errors import ConfigError
from odeflow.importers.loading import load_model
from odeflow.importers.sbml.config import imported_model
from odeflow.problem.model import Model
from tests.support.problems import make_problem
from tests.support.sbml_features import FEATURES, PAGE, Feature, page_with_table

NAMES = [f"{feature.group}: {feature.name}" for feature in FEATURES]


def imported(feature: Feature, folder: Path) -> ModelConfig:
    (folder / "model.xml").write_text(feature.model)
    data = {"sbml": "model.xml", "t1": 1.0, "reaction_rates": True}
    return ModelConfig.model_validate(imported_model(data, folder))


@pytest.mark.parametrize("feature", FEATURES, ids=NAMES)
def test_a_feature_is_as_claimed(feature: Feature, tmp_path: Path):
    if feature.refused:
        with pytest.raises(ConfigError, match=f"line \\d+: .*{feature.refused}.* not supported"):
            imported(feature, tmp_path)
        return
    config = imported(feature, tmp_path)
    start = {name: state.initial for name, state in config.states.items()}
    start |= {name: parameter.value for name, parameter in config.parameters.items()}
    for name, value in feature.start.items():
        assert start[name] == pytest.approx(value, rel=1e-14), name
    model = load_model(config, tmp_path)

    def point(names: Any) -> list[Any]:
        return [jnp.asarray(feature.at.get(name, start[name]), float) for name in names]

    y, args = model.State(*point(config.states)), model.Args(*point(config.parameters))
    t = jnp.asarray(feature.at.get("time", 0.0), float)
    rates = model.vector_field(t, y, args)._asdict()
    values = model.observables(t, y, args)
    for name, expected in feature.rates.items():
        np.testing.assert_allclose(rates[name], expected, rtol=1e-14, err_msg=name)
    for name, expected in feature.values.items():
        np.testing.assert_allclose(values[name], expected, rtol=2e-14, atol=1e-15, err_msg=name)
    for name, values in after_events(model, point, feature).items():
        for (time, expected), value in zip(feature.after.items(), values):
            assert value == expected.get(name, value), f"{name} after the events at {time}"


def after_events(model: Model, point: Any, feature: Feature) -> dict[str, list[float]]:
    """Each state after the events of each time."""
    if not feature.after:
        return {}
    problem = make_problem(model)
    watch, args = Watch(problem), model.Args(*point(model.declared.parameters))
    y = model.State(*point(model.declared.states))
    start = jnp.asarray(0.0)
    memory = watch.start(start, y, args)
    found: dict[str, list[float]] = {name: [] for name in model.declared.states}
    for time in (0.0, *feature.after):
        outcome = RoundOutcome.event
        while outcome == RoundOutcome.event:
            y, memory, outcome = watch.round(jnp.asarray(time, float), y, args, memory)
        assert outcome == RoundOutcome.nothing
        for name, values in found.items():
            values.append(float(getattr(y, name)))
    return {name: values[1:] for name, values in found.items()}


def test_the_page_has_this_table():
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with_table(page), "run `python -m tests.support.sbml_features`"
