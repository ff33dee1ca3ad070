"""Experiments side by side: the numbers of the page, and when there is one."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.analysis.differences import SolvedExperiment, difference, not_comparable
from odeflow.analysis.summary import summarise
from odeflow.config.root import Config
from odeflow.files.errors import ConfigError
from odeflow.report.comparison import comparison_page
from odeflow.workflow.plan import compared, plan
from tests.support.snakes import EXPERIMENT_YAML, make_study, planned, request, snakemake


def solved(study: Path, *overrides: str) -> SolvedExperiment:
    config = odeflow.compose("experiment=decay", *overrides, study=study)
    ensemble = odeflow.run(config)
    return SolvedExperiment(config, ensemble, summarise(ensemble, config.summary))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def tsit5(study: Path) -> SolvedExperiment:
    return solved(study, "name=tsit5", "solver.rtol=1e-4", "solver.atol=1e-6")


def shifted(one: SolvedExperiment, **changes: xr.DataArray) -> SolvedExperiment:
    return SolvedExperiment(one.config, one.ensemble.assign(changes), one.summary)


def test_a_difference_is_in_units_of_tolerance(tsit5: SolvedExperiment):
    y = tsit5.ensemble.y
    moved = y.copy(data=y.values + 2 * (1e-6 + 1e-4 * np.abs(y.values)))
    moved[1, 3] = y[1, 3] * 1.01
    found = difference(tsit5, shifted(tsit5, y=moved), "y")
    expected = float(0.01 * y[1, 3] / (1e-6 + 1e-4 * 1.01 * y[1, 3]))
    np.testing.assert_allclose(found.largest_of, [2, expected, 2, 2], rtol=3e-4)
    assert found.where == {"k": float(y.k[1]), "time": float(y.time[3])}
    scaled = np.full(y.shape, 2.0)
    scaled[1, 3] = expected
    np.testing.assert_allclose(found.rms, np.sqrt((scaled**2).mean()), rtol=3e-4)


def test_a_trajectory_that_failed_in_one_counts_in_none(tsit5: SolvedExperiment):
    status = tsit5.ensemble.status.copy(deep=True)
    status[2] = 3
    found = difference(tsit5, shifted(tsit5, status=status), "y")
    np.testing.assert_array_equal(found.largest_of, [0, 0, np.nan, 0])
    assert found.rms == 0


def test_only_like_is_compared_with_like(tsit5: SolvedExperiment, study: Path):
    change = lambda **data: SolvedExperiment(
        Config.model_validate(tsit5.config.model_dump() | data), tsit5.ensemble, tsit5.summary
    )
    assert not_comparable(tsit5, tsit5) is None
    model = tsit5.config.model.model_dump() | {"t1": 3.0}
    assert not_comparable(tsit5, change(model=model)) == "their models differ"
    other = tsit5.ensemble.assign_coords(k=tsit5.ensemble.k + 1)
    assert not_comparable(tsit5, tsit5._replace(ensemble=other)) == "their designs differ"
    later = tsit5.ensemble.assign_coords(time=tsit5.ensemble.time + 1)
    assert not_comparable(tsit5, tsit5._replace(ensemble=later)) == "their saved times differ"


def test_the_page_says_what_was_compared(tsit5: SolvedExperiment, study: Path):
    dopri5 = solved(study, "name=dopri5", "solver=dopri5", "solver.rtol=1e-4", "solver.atol=1e-6")
    text = comparison_page([tsit5, dopri5])
    assert "<h1>tsit5 and dopri5</h1>" in text
    assert "time integral of amount" in text and "mg h" in text
    assert text.count("image/svg+xml") == 1 and "1970" not in text
    assert text == comparison_page([tsit5, dopri5])
    found = difference(tsit5, dopri5, "y")
    assert 0 < found.rms < found.largest_of.max() < 50
    assert f"{found.largest_of.max():.3g}" in text


def test_names_are_checked(study: Path):
    settings = {"experiment": "decay", "compare": "decay,deacy"}
    asked = request(settings, study)
    with pytest.raises(ConfigError, match=r"compare: 'deacy' is not one of .*\(decay\)"):
        compared(asked, plan(asked, study))
    asked = request(settings | {"compare": "decay"}, study)
    with pytest.raises(ConfigError, match="compare: two different experiments are needed"):
        compared(asked, plan(asked, study))


@pytest.mark.slow
def test_experiments_in_one_go_with_a_page(tmp_path: Path):
    study = make_study(tmp_path)
    other = EXPERIMENT_YAML.replace("name: decay", "name: other\nsolver:\n  rtol: 1e-9")
    (study / "config/experiment/other.yaml").write_text(other)
    both = "experiment=decay,other compare=decay,other"
    jobs = planned(study, both)
    assert jobs["solve"] == 2 and jobs["compare"] == 1
    snakemake(study, config=both)
    page = (study / "results/compare/decay-other.html").read_text()
    assert "Differences between decay and other" in page
    assert planned(study, both) == {}
    assert "compare" not in planned(study, "experiment=decay,other")
