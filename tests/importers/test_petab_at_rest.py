"""PEtab's preequilibration and measurements at rest, against a closed form."""

import numpy as np
import pytest

import odeflow
from odeflow.analysis.summary import summarise
from odeflow.files.errors import ConfigError
from odeflow.workflow.stages.summarise import measurements_of
from tests.support.petab_at_rest import MODEL, TABLES, log_likelihood, make_problem_at_rest
from tests.support.petab_text import make_problem
from tests.support.sbml_text import initial

#: A starts as half.
STARTS = f"<listOfInitialAssignments>{initial('A', 'half')}</listOfInitialAssignments>"
TIGHT = ("solver=rodas5p", "solver.rtol=1e-10", "solver.atol=1e-13")


@pytest.mark.parametrize("engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)])
def test_log_likelihood_of_the_closed_form(tmp_path, engine):
    study = make_problem_at_rest(tmp_path)
    config = odeflow.compose(
        "experiment=mine", "design.size=3", f"runtime.engine={engine}", *TIGHT, study=study
    )
    assert list(config.design.conditions) == ["low.main", "lower.main", "low.anew", "anew"]
    assert config.design.preequilibration["low.anew"].reset == ["A"]
    assert config.design.preequilibration["low.main"].reset == []
    ensemble = odeflow.run(config)
    assert (ensemble["status"] == 0).all()
    summary = summarise(ensemble, config.summary, measurements_of(config, study))
    for i in range(0, 12, 4):
        one = ensemble.isel(sample=i)
        expected = log_likelihood(*(float(one[name]) for name in ("k", "base", "high", "sd")))
        assert float(summary["log_likelihood"][i]) == pytest.approx(expected, rel=1e-8)
    assert np.isinf(summary["measured_time"]).sum() == 2


def test_conditions_that_are_only_before_are_not_solved(tmp_path):
    config = odeflow.compose("experiment=mine", study=make_problem_at_rest(tmp_path))
    assert not {"low", "lower"} & {*config.design.conditions}


def test_a_start_that_the_model_computes_stays_at_rest(tmp_path):
    """An empty cell is no mistake where the condition always begins at rest."""
    computed = MODEL.replace("</listOfParameters>", f"</listOfParameters>{STARTS}")
    conditions = TABLES["conditions"].replace("| base |", "| base | 1").replace("0.5  |", "0.5 | 1")
    study = make_problem(tmp_path, sbml=computed, **TABLES | {"conditions": conditions})
    config = odeflow.compose("experiment=mine", "design.size=1", *TIGHT, study=study)
    assert config.model.computed == {"A": ["half"]}
    ensemble = odeflow.run(config)
    one = ensemble.isel(sample=0)
    assert float(one["initial_A"]) == pytest.approx(float(one["base"] / one["k"]), rel=1e-9)
    with pytest.raises(ConfigError, match="row 3, column A: is empty, and the model has no number"):
        rows = TABLES["measurements"].replace("| low                         | main", "| | main")
        tables = TABLES | {"conditions": conditions, "measurements": rows}
        odeflow.compose(
            "experiment=mine", study=make_problem(tmp_path / "other", sbml=computed, **tables)
        )


def test_a_condition_before_that_is_not_there(tmp_path):
    wrong = TABLES["measurements"].replace("| lower ", "| lowest")
    study = make_problem(tmp_path, sbml=MODEL, **TABLES | {"measurements": wrong})
    with pytest.raises(ConfigError, match="row 3, column preequilibrationConditionId: 'lowest' is"):
        odeflow.compose("experiment=mine", study=study)
