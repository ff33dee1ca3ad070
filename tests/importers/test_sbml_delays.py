"""The csymbol `delay` of SBML, and Antimony's: closed forms, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import odeflow
from odeflow.files.errors import ConfigError
from odeflow.trust.verification import verify
from tests.support.sbml_text import event, initial, parameter, rule, sbml

Y = parameter("y", 1, False)


def solved(folder: Path, text: str, *overrides: str, key: str = "sbml") -> tuple[Any, Any]:
    (folder / "config/model").mkdir(parents=True)
    (folder / "mine.xml").write_text(text)
    (folder / "config/model/mine.yaml").write_text(f"{key}: mine.xml\nt1: 4\n")
    given = ["model=mine", "~experiment", "name=mine", "saveat.ts={linspace: [0, 4, 17]}"]
    tight = ["solver.rtol=1e-10", "solver.atol=1e-12"]
    config = odeflow.compose(*given, *tight, *overrides, study=folder)
    return config, odeflow.run(config)


def two_steps(ts: np.ndarray) -> np.ndarray:
    """Y' = -y(t - 2) until 4."""
    return 1 - ts + np.maximum(ts - 2, 0) ** 2 / 2


@pytest.mark.parametrize(
    ("text", "key"),
    [
        # the length is computed from an axis, and what is delayed by way of a rule
        (sbml(Y, parameter("k", 4), parameter("z", constant=False),
              rule("assignment", "z", "k * y + time"),
              rule("rate", "y", "-(delay(z, k / 2) - time + 2) / k")), "sbml"),
        pytest.param("model m\n y = 1; y' = -delay(y, tau); tau = 2;\nend\n", "antimony",
                     marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_closed_form(text: str, key: str, tmp_path: Path):
    config, data = solved(tmp_path, text, key=key)
    (delay,) = config.model.delays.values()
    assert delay.of == "y"
    ts = data["time"].values
    np.testing.assert_allclose(data["y"].values.ravel(), two_steps(ts), atol=1e-9)
    assert verify(config, tmp_path, data).attrs["verdict"] == "passed"


@pytest.mark.slow
def test_events_and_rules(tmp_path: Path):
    """An event sets a state to what was; a rule reads it a while later, over an axis."""
    text = sbml(
        Y, parameter("seen", constant=False), parameter("tau", 1.5),
        rule("assignment", "seen", "delay(y, 1)"), rule("rate", "y", "-delay(y, tau)"),
        event("y < -0.3", {"y": "0.8 + delay(y, 1)"}),
    )  # fmt: skip
    config, data = solved(tmp_path, text, "design.axes={tau: {values: [0.6, 1.5]}}")
    assert verify(config, tmp_path, data).attrs["verdict"] == "passed"
    late = data["time"].values >= 1
    shifted = data["y"].values[:, : late.sum()]
    np.testing.assert_allclose(data["seen"].values[:, late], shifted, atol=1e-8)


REFUSED = [
    ("by what changes, 'y'", sbml(Y, rule("rate", "y", "-delay(y, 1 + y)"))),
    ("by what changes, 'time'", sbml(Y, rule("rate", "y", "-delay(y, 1 + time)"))),
    ("by what changes, 'tau'", sbml(Y, parameter("tau", 1, False), rule("rate", "y",
     "-delay(y, tau)"), event("y < 0.5", {"tau": "2"}))),
    ("a delay of a delay", sbml(Y, rule("rate", "y", "-delay(delay(y, 1), 2)"))),
    ("a delay by -1", sbml(Y, rule("rate", "y", "-delay(y, -1)"))),
    ("trigger of the event 'e'", sbml(Y, rule("rate", "y", "-y"),
     event("delay(y, 1) < 0.5", {"y": "2"}))),
    ("start of 'x'", sbml(Y, parameter("x", 1), initial("x", "delay(y, 1)"),
     rule("rate", "y", "-x * y"))),
]  # fmt: skip


@pytest.mark.parametrize(("words", "text"), REFUSED, ids=[words for words, _ in REFUSED])
def test_refused_with_a_line(words: str, text: str, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"mine\.xml, line \d+: .*") as error:
        solved(tmp_path, text)
    assert words in str(error.value)
