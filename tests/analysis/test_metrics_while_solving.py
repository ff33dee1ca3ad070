"""Metrics of runs that save no times: from the config through chunks and summary to figures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.analysis.summary import summarise
from odeflow.config.figure_choice import figure_kinds
from odeflow.files.errors import ConfigError
from odeflow.report import figures as plots
from odeflow.workflow.chunks import solve_digest
from odeflow.workflow.specs import solve_config
from tests.support.snakes import EXPERIMENT_YAML, make_study, planned, snakemake

END_ONLY = EXPERIMENT_YAML.replace("ts: {linspace: [0, 2, 5]}", "ts: null").replace(
    "plot:", "summary:\n  metrics: [final, mean, max]\n  first_time_below: {y: 2.0}\nplot:"
)
K = np.linspace(0.5, 2.0, 4)


def composed(study: Path, *overrides: str) -> Any:
    return odeflow.compose("experiment=decay", *overrides, study=study)


def check_metrics(dataset: xr.Dataset) -> None:
    np.testing.assert_allclose(dataset.y_mean, 1.5 * (1 - np.exp(-2 * K)) / K, rtol=1e-5)
    np.testing.assert_allclose(dataset.y_max, 3.0)
    crossing = np.log(1.5) / K
    np.testing.assert_allclose(dataset.y_first_time_below, crossing, rtol=1e-4)
    assert dataset.y_first_time_below.attrs["units"] == "h"
    assert dataset.y_first_time_below.attrs["long_name"] == "first time amount is below 2 mg"
    assert dataset.y_mean.attrs["units"] == "mg"
    assert dataset.y_mean.attrs["long_name"] == "time average of amount"
    assert dataset.y_mean.dims == ("k",)


def test_metrics_are_in_the_ensemble_and_the_summary_takes_them(tmp_path: Path):
    config = composed(make_study(tmp_path, END_ONLY))
    ensemble = odeflow.run(config)
    assert ensemble.sizes["time"] == 1 and "y_final" not in ensemble
    check_metrics(ensemble)
    summary = summarise(ensemble, config.summary)
    check_metrics(summary)
    np.testing.assert_array_equal(summary.y_final, ensemble.y[:, 0])
    for kind in set(figure_kinds(config)) - {"verification"}:
        plots.save(plots.draw(kind, ensemble, summary, config), tmp_path / f"{kind}.png", dpi=40)
    assert (tmp_path / "metric_scatter.png").exists()


def test_only_what_is_reduced_decides_on_the_chunks(tmp_path: Path):
    study = make_study(tmp_path, END_ONLY)
    digest = lambda *overrides: solve_digest(composed(study, *overrides), study)
    first = digest()
    assert digest("summary.quantiles=[0.5]") == first
    assert digest("summary.metrics=[max,mean]") == first
    assert digest("summary.metrics=[max,mean,min]") != first
    assert digest("summary.first_time_below={y: 1.0}") != first
    saved = digest("saveat.ts=[0,1,2]")
    assert digest("saveat.ts=[0,1,2]", "summary.metrics=[min]") == saved
    nothing = ("summary.metrics=[final]", "summary.first_time_below={}")
    assert solve_config(composed(study, *nothing))["summary"]["metrics"] == []
    assert solve_config(composed(study))["summary"]["metrics"] == ["max", "mean"]


def test_a_metric_with_the_name_of_a_parameter_is_refused(tmp_path: Path):
    study = make_study(tmp_path, END_ONLY)
    model = study / "config" / "model" / "decay.yaml"
    model.write_text(model.read_text() + "  y_max: {value: 1.0}\n")
    with pytest.raises(ConfigError, match="the max of 'y' would be called y_max"):
        composed(study)
    assert composed(study, "saveat.ts=[0,1]").saveat.ts == [0, 1]
    assert composed(study, "summary.metrics=[mean]").summary.metrics == ["mean"]


@pytest.mark.slow
def test_snakemake_without_saved_times(tmp_path: Path):
    study = make_study(tmp_path, END_ONLY)
    snakemake(study)
    results = study / "results" / "decay"
    for name in ("ensemble", "summary"):
        with xr.open_dataset(results / f"{name}.nc", decode_times=False) as dataset:
            check_metrics(dataset)
    assert (results / "figures" / "metric_scatter.png").exists()
    again = planned(study, config="experiment=decay summary__quantiles=[0.5]")
    assert "solve" not in again and again["summarise"] == 1
    more = planned(study, config="experiment=decay summary__metrics=[min]")
    assert more["solve"] == 1
