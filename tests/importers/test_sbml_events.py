"""Events of SBML and Antimony models through the whole flow, against closed forms."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("libsbml")
pytest.importorskip("antimony")

import odeflow
from odeflow.trust.reproduce import reproduce
from odeflow.trust.verification import verify
from tests.importers.test_sbml import configured, grid
from tests.support.sbml_text import compartment, event, parameter, reaction, rule, sbml, species
from tests.support.snakes import make_study, snakemake

ENGINES = pytest.mark.parametrize(
    "engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)]
)

BALL = """
    height' = speed; speed' = -g; height = 1; speed = 0; g = 2; e = 0.8; bounces = 0
    at height <= 0 && speed < 0: height = 0, speed = -e*speed, bounces = bounces + 1
"""


@ENGINES
def test_a_ball_bounces(engine: str):
    config = configured(
        {"antimony": BALL, "t1": 3.0}, design=grid(e=[0.6, 0.8]),
        saveat={"ts": {"linspace": [0.05, 2.95, 30]}}, solver={"dt0": 0.05},
        runtime={"engine": engine},
    )  # fmt: skip
    assert config.model.events and "bounces" in config.model.states
    result = odeflow.run(config)
    assert result.attrs["odeflow_engine"] == engine
    for e in result.e.values:
        one, start, speed, bounces = result.sel(e=e), -1.0, 2.0, 0
        for time in result.time.values:
            while time > start + speed:  # a flight takes 2 speed / g
                start, speed, bounces = start + speed, speed * e, bounces + 1
            here = one.sel(time=time)
            assert here.height == pytest.approx(
                speed * (time - start) - (time - start) ** 2, abs=1e-7
            )
            assert here.bounces == bounces


DOSING = sbml(
    compartment("V", 2, False), species("C", "V", concentration=0), parameter("k", 0.5),
    parameter("n", 0, False), parameter("dose", 3), parameter("given", 1, False),
    parameter("period", 1.5), reaction("J", "C", "", "k * V * C"),
    event("time >= (n + 1) * period", {"n": "n + 1"}, "tick"),
    event("time >= (n + 1) * period", {"C": "C + dose"}, "give", delay="0.25", at_trigger=False),
    event("time >= 2", {"V": "4"}, "grow"), event("n >= 2", {"given": "given / 2"}, "halve"),
)  # fmt: skip


@ENGINES
def test_doses_at_intervals_with_a_delay_into_a_compartment_that_grows(engine: str, tmp_path: Path):
    """C decays with k, gains the dose at 0.25 after each period, halves as V doubles."""
    (tmp_path / "dosing.xml").write_text(DOSING)
    ts = np.linspace(0, 5, 41)
    config = configured(
        {"sbml": "dosing.xml", "t1": 5.0}, tmp_path, design=grid(given=[1.0, 3.0], k=[0.2, 0.7]),
        saveat={"ts": ts.tolist()}, runtime={"engine": engine},
    )  # fmt: skip
    assert config.model.events == ["tick", "give", "grow", "halve"]
    result = odeflow.run(config)
    for k in result.k.values:
        expected = np.zeros(len(ts))
        for time in (1.75, 3.25, 4.75):
            amount = np.where((time < 2) & (ts >= 2), 1.5, 3.0)
            expected += np.where(ts >= time, amount * np.exp(-k * (ts - time)), 0.0)
        for start in (1.0, 3.0):
            one = result.sel(k=k, initial_given=start)
            np.testing.assert_allclose(one.C.values, expected, rtol=1e-6, atol=1e-9)
            np.testing.assert_array_equal(one.V, np.where(ts >= 2, 4.0, 2.0))
            np.testing.assert_array_equal(one.given, np.where(ts >= 3, start / 2, start))
            np.testing.assert_allclose(one.C_amount, one.C * one.V, rtol=1e-14)


@pytest.mark.slow
def test_a_run_with_events_says_what_it_leaves_out_and_is_made_again_to_the_bit(tmp_path: Path):
    study = make_study(tmp_path)
    (study / "config/model/decay.yaml").write_text("sbml: dosing.xml\nt1: 2.0\n")
    (study / "dosing.xml").write_text(DOSING)
    snakemake(study)
    results = study / "results/decay"
    assert "passed: largest error" in (results / "overview.html").read_text()
    assert reproduce(results / "ensemble.nc", study).check(2).startswith("check: 2 of 4")


def test_what_events_rule_out_is_refused(tmp_path: Path):
    (tmp_path / "dosing.xml").write_text(DOSING)
    study = make_study(tmp_path)
    (study / "config/model/dosing.yaml").write_text("sbml: dosing.xml\nt1: 5.0\n")
    overrides = ["model=dosing", "~experiment", "name=x", "design.axes={k:{values:[0.2,0.7]}}"]
    config = odeflow.compose(*overrides, study=study)
    assert config.is_verified
    odeflow.compose(*overrides, "saveat.sensitivities=[k]", study=study)


@pytest.mark.slow
@ENGINES
def test_a_rate_rule_in_a_compartment_that_an_event_shrinks_keeps_the_amount(
    engine: str, tmp_path: Path
):
    """dC/dt = 1 whatever the size; where the size halves the concentration doubles."""
    text = sbml(
        compartment("V", 2, False), species("C", "V", concentration=1, boundary=True),
        rule("rate", "C", "1"), event("time >= 1", {"V": "V / 2"}, delay="0.5"),
    )  # fmt: skip
    (tmp_path / "shrinks.xml").write_text(text)
    config = configured(
        {"sbml": "shrinks.xml", "t1": 2.0}, tmp_path, saveat={"ts": [1.0, 1.5, 2.0]},
        runtime={"engine": engine},
    )  # fmt: skip
    np.testing.assert_allclose(odeflow.run(config).C.squeeze(), [2.0, 5.0, 5.5], rtol=1e-9)


BY_EQUALITY = """
    x' = rate; y' = x - 0.3*y; x = 0; y = 0; n = 0; rate = 1
    meets: at x == 2: x = 0, n = n + 1
"""


def test_a_trigger_by_equality_fires_and_is_not_judged():
    """The independent side looks for truths that last; it says so, and does not say passed."""
    config = configured(
        {"antimony": BY_EQUALITY, "t1": 7.0}, design=grid(rate=[0.7, 1.0, 1.3]),
        saveat={"ts": {"linspace": [0, 7, 8]}},
    )  # fmt: skip
    result = odeflow.run(config)
    np.testing.assert_array_equal(result.n.isel(time=-1), [2, 3, 4])
    found = verify(config, Path(), result)
    assert found.attrs["verdict"] == "not judged" and found.attrs["number_verified"] == 0
    assert (
        "the trigger of event meets tests whether changing numbers are equal"
        in (found.attrs["verdict_reason"])
    )
