"""PEtab problems of format version 2: against closed forms, and what is refused."""

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.analysis.summary import summarise
from odeflow.files.errors import ConfigError
from odeflow.importers.petab.priors import read_prior
from odeflow.importers.petab.tables import TableRow
from odeflow.trust.verification import verify
from odeflow.workflow.stages.summarise import measurements_of
from tests.support.estimation_studies import objective
from tests.support.petab_version2 import (
    MODEL,
    TABLES,
    THETA,
    YAML,
    log_likelihood,
    make_version2,
    without_rest,
)
from tests.support.sbml_text import compartment, event, initial, parameter, rule, sbml, species
from tests.support.snakes import planned, snakemake

#: A parameter of the model starts as twice the rate.
STARTS = f"<listOfInitialAssignments>{initial('half', '2 * u')}</listOfInitialAssignments>"
FINITE = TABLES | {"measurements": TABLES["measurements"].replace("| inf  |", "| 80   |")}
TIGHT = ("solver=rodas5p", "solver.rtol=1e-10", "solver.atol=1e-13")


@pytest.mark.parametrize(
    ("engine", "tables"),
    [
        ("native", without_rest()),
        pytest.param("native", TABLES, marks=pytest.mark.slow),
        pytest.param("diffrax", TABLES, marks=pytest.mark.slow),
    ],
)
def test_log_likelihood_of_the_closed_form(tmp_path, engine, tables):
    study = make_version2(tmp_path, **tables)
    config = odeflow.compose(
        "experiment=mine", "design.size=3", f"runtime.engine={engine}", *TIGHT, study=study
    )
    ensemble = odeflow.run(config)
    assert (ensemble["status"] == 0).all()
    summary = summarise(ensemble, config.summary, measurements_of(config, study))
    runs = len(config.design.conditions)
    with_rest = tables is TABLES
    rested = ["rested", "both"] if with_rest else []
    assert list(config.design.conditions) == ["grown", *rested, "late", "model"]
    for i in range(0, 3 * runs, runs):
        values = (float(ensemble[name][i]) for name in THETA)
        expected = log_likelihood(*values, with_rest=with_rest)
        assert float(summary["log_likelihood"][i]) == pytest.approx(expected, rel=1e-8)


@pytest.mark.slow
def test_changes_are_verified(tmp_path):
    study = make_version2(tmp_path)
    config = odeflow.compose("experiment=mine", "design.size=2", "solver=rodas5p", study=study)
    found = verify(config, study, odeflow.run(config))
    assert found.attrs["verdict"] == "passed", found.attrs
    assert found.attrs["number_verified"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_value_and_gradient_of_an_estimation(tmp_path, engine):
    """Starts by formulas, what is set at rest and later periods are in the derivatives."""
    study = make_version2(tmp_path, **FINITE)
    tight = ("solver=rodas5p", "solver.rtol=1e-11", "solver.atol=1e-13", "analyse=estimate")
    config = odeflow.compose("experiment=mine", *tight, f"runtime.engine={engine}", study=study)
    batch = objective(config)
    assert batch.parameters.lower.tolist() == [0.1, 1, 1, 0.05]
    theta = np.array([[0.9, 2.2, 1.7, 0.3]])
    assert batch.log_likelihood(theta)[0] == pytest.approx(log_likelihood(*theta[0]), rel=1e-8)
    k, base = theta[0][[0, 2]]
    normal = lambda m, y, s: -((m - y) ** 2) / (2 * s**2) - np.log(s * np.sqrt(2 * np.pi))
    prior = normal(np.log(k), -0.3, 0.4) - np.log(k) + normal(base, 2, 0.7)
    assert batch.parameters.log_prior(theta)[0] == pytest.approx(prior, rel=1e-12)
    found = batch.slopes(theta)
    assert not found.failed.any()
    total = lambda x: log_likelihood(*x) + batch.parameters.log_prior(x[None])[0]
    h = 1e-6 * np.eye(4)
    expected = [-(total(theta[0] + one) - total(theta[0] - one)) / 2e-6 for one in h]
    np.testing.assert_allclose(found.gradient[0], expected, rtol=1e-6, atol=1e-6)


def test_derivatives_at_rest_after_a_change_are_refused(tmp_path):
    study = make_version2(tmp_path)
    with pytest.raises(ConfigError, match="b_1 is measured at time inf under rested, which"):
        odeflow.compose("experiment=mine", "analyse=estimate", study=study)


#: S grows by p; the model's own event doubles c when it is 4, after what a condition sets then.
GROWING = sbml(
    compartment("c", 2, constant=False), species("S", "c", concentration=3), parameter("p", 1),
    parameter("half", constant=False), initial("half", "p / 2"), rule("rate", "S", "p"),
    event("time >= 4", {"c": "c * 2"}, at_trigger=False),
)  # fmt: skip
PARAMETERS = """
    parameterId | lowerBound | upperBound | nominalValue | estimate
    size        | 1          | 9          | 5            | true
"""


def test_a_new_size_keeps_amounts_and_comes_before_events(tmp_path):
    """What is assigned at once reads what was before; starts are computed from what is set."""
    study = make_version2(
        tmp_path,
        sbml=GROWING,
        yaml=YAML + "mapping_files: [mapping.tsv]\n",
        mapping="petabEntityId|modelEntityId\nlevel|S\nvolume|c",
        parameters=PARAMETERS,
        conditions="conditionId|targetId|targetValue\nless|level|level - p\nmore|volume|size\n"
        "fast|p|2\nswap|level|volume\nswap|volume|level",
        experiments="experimentId|time|conditionId\nx|0|less\nx|4|more\ny|0|fast\ny|1|swap",
        observables="observableId|observableFormula|noiseFormula\ns|level|1\nsize_|volume|1\n"
        "n|volume * level|1\nh|half|1",
        measurements="observableId|experimentId|measurement|time\n"
        "s|x|1|0\ns|x|1|3\ns|x|1|4\ns|x|1|6\nn|x|1|4\nsize_|x|1|4\nh|x|1|0\n"
        "s|y|1|0\ns|y|1|1\nsize_|y|1|1\nh|y|1|3",
    )  # fmt: skip
    config = odeflow.compose(
        "experiment=mine", "design.nominal=true", "~design.size", "solver.rtol=1e-10", study=study
    )
    ensemble = odeflow.run(config)
    summary = summarise(ensemble, config.summary, measurements_of(config, study))
    expected = [2, 5, 6 * 2 / 10, 6 * 2 / 10 + 2, 12, 10, 0.5, 3, 2, 5, 1]
    np.testing.assert_allclose(summary["best_value"], expected, rtol=1e-8)


@pytest.mark.slow
def test_what_is_computed_before_rest_stays(tmp_path):
    """A parameter that starts as twice another one has that of when the experiment begins."""
    text = MODEL.replace("</listOfParameters>", f"</listOfParameters>{STARTS}")
    study = make_version2(
        tmp_path,
        sbml=text,
        conditions="conditionId|targetId|targetValue\nslow|u|base\nfeed|u|fixed",
        experiments="experimentId|time|conditionId\nx|-inf|slow\nx|0|feed",
        observables="observableId|observableFormula|noiseFormula\na|A + start + sd|1\nh|half|1",
        measurements="observableId|experimentId|measurement|time\na|x|1|0\nh|x|1|1",
    )
    config = odeflow.compose("experiment=mine", "design.size=1", *TIGHT, study=study)
    ensemble = odeflow.run(config)
    base, k = float(ensemble["base"][0]), float(ensemble["k"][0])
    assert float(ensemble["A"][0, 0]) == pytest.approx(base / k, rel=1e-9)
    np.testing.assert_allclose(ensemble["h"], 2 * base, rtol=1e-12)
    np.testing.assert_allclose(ensemble["u"], 3)


@pytest.mark.parametrize(
    ("kind", "numbers", "bounds", "law"),
    [
        ("", "", (0, 5), {"uniform": [0, 5]}),
        ("uniform", "2;8", (0, 5), {"uniform": [2, 5]}),
        ("log-uniform", "2;8", (0, 5), {"loguniform": [2, 5]}),
        ("normal", "2;0.5", (0, 5), {"truncnormal": [2, 0.5, 0, 5]}),
        ("normal", "2;0.5", ("-inf", "inf"), {"normal": [2, 0.5]}),
        ("log-normal", "2;0.5", (0.5, 5), {"trunclognormal": [2, 0.5, 0.5, 5]}),
        ("log-normal", "2;0.5", (0, "inf"), {"lognormal": [2, 0.5]}),
        ("laplace", "2;0.5", (0, 5), {"trunclaplace": [2, 0.5, 0, 5]}),
        ("log-laplace", "2;0.5", (0.5, 5), {"truncloglaplace": [2, 0.5, 0.5, 5]}),
        ("laplace", "2;0.5", (0, "inf"), "infinite bound is not supported"),
        ("cauchy", "2;0.5", (-1, 5), {"trunccauchy": [2, 0.5, -1, 5]}),
        ("chisquare", "3", (-1, 5), {"truncgamma": [1.5, 2, 0, 5]}),
        ("exponential", "2", (1, 5), {"truncgamma": [1, 2, 1, 5]}),
        ("gamma", "3;2", (0, 5), {"truncgamma": [3, 2, 0, 5]}),
        ("rayleigh", "2", (0, 5), {"truncrayleigh": [2, 0, 5]}),
        ("rayleigh", "2", (0, "inf"), "infinite bound is not supported"),
    ],
)
def test_priors_are_laws_within_the_bounds(kind, numbers, bounds, law):
    row = TableRow("p.tsv", 1, {"priorDistribution": kind, "priorParameters": numbers})
    prior = read_prior(row, *map(float, bounds))
    if isinstance(law, str):
        assert not prior.law and law in prior.refused
    else:
        assert prior.law == law and not prior.refused


@pytest.mark.slow
def test_through_the_workflow(tmp_path):
    """Changes are reproduced from the dataset alone, and nothing is stale."""
    study = make_version2(tmp_path, **FINITE)
    snakemake(study, config="experiment=mine")
    results = study / "results/mine"
    copy = study / "copy"
    odeflow.reproduce(results / "ensemble.nc", study=study).write(copy)
    again = odeflow.run(odeflow.compose("experiment=mine", study=copy))
    with xr.open_dataset(results / "ensemble.nc", decode_times=False) as ensemble:
        np.testing.assert_array_equal(again["a"], ensemble["a"])
        assert ensemble["experiment"].attrs["long_name"].startswith("number of the experiment")
    for name, old, new, is_solved in (
        ("measurements", "4.4", "4.5", False),
        ("conditions", "A + base", "A + 2 * base", True),
        ("experiments", "late\t1.5", "late\t1.25", True),
    ):
        text = (study / f"{name}.tsv").read_text()
        assert old in text
        (study / f"{name}.tsv").write_text(text.replace(old, new))
        jobs = planned(study, config="experiment=mine")
        assert "summarise" in jobs and ("solve" in jobs) is is_solved, name
        (study / f"{name}.tsv").write_text(text)
