"""PEtab problems through the whole flow: against closed forms, and what is refused."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import yaml

from tests.support.snakes import PROJECT, planned, snakemake

pytest.importorskip("libsbml")

import odeflow
from odeflow.analysis.summary import summarise
from odeflow.config.root import Config
from odeflow.design import number_of_samples, rows
from odeflow.files.errors import ConfigError
from odeflow.importers.study.compose import compose
from odeflow.problem.noise import log_density
from odeflow.report import figures as plots
from odeflow.workflow.plan import Experiment
from odeflow.workflow.stages.summarise import measurements_of
from tests.support.petab_text import DECAY, TABLES, make_problem
from tests.support.sbml_text import compartment, initial, parameter, reaction, rule, sbml, species

EXAMPLE = PROJECT / "examples/petab"
REFERENCE = PROJECT / "tests/support/petab_reference.json"
TIGHT = ("solver.rtol=1e-9", "solver.atol=1e-11")


def solved(study: Path, *overrides: str) -> tuple[Config, xr.Dataset, xr.Dataset]:
    config = compose("experiment=mine", *TIGHT, *overrides, study=study)
    ensemble = odeflow.run(config)
    return config, ensemble, summarise(ensemble, config.summary, measurements_of(config, study))


def test_the_tables_become_a_model_axes_and_conditions(tmp_path: Path):
    config = compose("experiment=mine", study=make_problem(tmp_path))
    design, model = config.design, config.model
    assert (design.kind, design.size) == ("sobol", 8)
    assert {name: axis.law for name, axis in design.axes.items()} == {
        "k": "loguniform", "start": "uniform", "sd": "loguniform",
    }  # fmt: skip
    assert design.axes["k"].loguniform == (0.1, 10)
    assert design.conditions == {"low": {"A": 1.5}, "high": {"A": "start"}}
    assert (model.sbml, model.t1, config.saveat.ts) == ("decay.xml", 2.0, [0.0, 0.5, 2.0])
    assert model.parameters["fixed"].value == 3 and model.parameters["k"].value == 0.7
    assert number_of_samples(design, tmp_path) == 16


def test_rows_are_the_same_however_they_are_cut(tmp_path: Path):
    design = compose("experiment=mine", study=make_problem(tmp_path)).design
    whole = rows(design, 0, 16, tmp_path)
    assert whole["condition"].tolist() == [0, 1] * 8
    assert whole["parameter_set"].tolist() == np.repeat(range(8), 2).tolist()
    assert (whole["A"][::2] == 1.5).all() and (whole["A"][1::2] == whole["start"][1::2]).all()
    for cuts in ([0, 1, 16], [0, 3, 4, 9, 16], range(17)):
        parts = [rows(design, a, b, tmp_path) for a, b in zip(cuts, list(cuts)[1:])]
        for name, values in whole.items():
            assert np.concatenate([part[name] for part in parts]).tobytes() == values.tobytes()


def test_log_likelihood_of_the_closed_form(tmp_path: Path):
    _, ensemble, summary = solved(make_problem(tmp_path))
    start = ensemble["initial_A"].values
    rate, sd = ensemble["k"].values, ensemble["sd"].values
    a = lambda t: start * np.exp(-rate * t)
    normal = lambda m, y, s: -0.5 * ((m - y) / s) ** 2 - np.log(s * np.sqrt(2 * np.pi))
    laplace = lambda m, y, s: -np.abs(m - y) / s - np.log(2 * s)
    noise = lambda t: 0.05 + 0.1 * 3 * a(t)
    of_a = np.where(
        ensemble["condition"] == 0,
        normal(1.1, a(0.5), sd) + normal(0.4, a(2.0), 0.3), normal(1.9, a(0.5), sd),
    )  # fmt: skip
    of_scaled = np.where(
        ensemble["condition"] == 1,
        laplace(7.1, 3 * a(0), noise(0)) + laplace(1.2, 3 * a(2.0), noise(2.0)), 0.0,
    )  # fmt: skip
    np.testing.assert_allclose(summary["a_log_likelihood"], of_a, rtol=1e-6)
    np.testing.assert_allclose(summary["scaled_log_likelihood"], of_scaled, rtol=1e-6)
    total = (of_a + of_scaled).reshape(-1, 2).sum(axis=1)
    np.testing.assert_allclose(summary["log_likelihood"], np.repeat(total, 2), rtol=1e-6)
    best = int(np.argmax(total))
    simulated = [a(0.5)[2 * best], a(2.0)[2 * best], a(0.5)[2 * best + 1]]
    np.testing.assert_allclose(summary["best_value"][:3], simulated, rtol=1e-6)
    assert summary["measured_value"].values.tolist() == [1.1, 0.4, 1.9, 7.1, 1.2]
    assert summary["condition"].attrs["flag_meanings"] == "low high"


@pytest.mark.slow
def test_a_failed_trajectory_has_no_likelihood(tmp_path: Path):
    overrides = ("solver.max_steps=3", "runtime.retry=[]")
    _, ensemble, summary = solved(make_problem(tmp_path), *overrides)
    failed = (ensemble["status"].values != 0).reshape(-1, 2).any(axis=1)
    assert failed.any()
    assert (np.isnan(summary["log_likelihood"].values[::2]) == failed).all()


def test_log_likelihood_is_libpetabs(tmp_path: Path):
    """Values of `petab.v1.calculate.calculate_llh`, which `petab_reference.py` wrote."""
    for name, case in json.loads(REFERENCE.read_text())["cases"].items():
        study = make_problem(tmp_path / name, **case["tables"])
        _, ensemble, summary = solved(study, "design.nominal=true", "~design.size")
        assert ensemble.sizes["sample"] == 2
        np.testing.assert_allclose(summary["log_likelihood"][0], case["log_likelihood"], rtol=1e-7)


def test_density_is_normalised():
    m = np.geomspace(1e-4, 1e4, 200_001)
    for transformation in ("log", "log10"):
        for distribution in ("normal", "laplace"):
            density = np.exp(log_density(m, np.array(2.0), 0.3, transformation, distribution))
            np.testing.assert_allclose(np.trapezoid(density, m), 1, rtol=1e-5)
    assert log_density(np.array(1.0), np.array(0.0), 0.1, "log", "normal") == -np.inf


def test_laws_of_priors(tmp_path: Path):
    priors = """
        parameterId|parameterScale|lowerBound|upperBound|estimate|initializationPriorType|initializationPriorParameters
        k          |log10         |0.1       |10        |1       |parameterScaleNormal   |0;0.5
        start      |lin           |1         |4         |1       |normal                 |2;1
        sd         |log           |0.01      |1         |1       |parameterScaleUniform  |-3;-1
        fixed      |lin           |1         |5         |1       |uniform                |0;4
    """  # fmt: skip
    config = compose("experiment=mine", study=make_problem(tmp_path, parameters=priors))
    axes = config.design.axes
    assert axes["k"].trunclognormal == (0.0, 0.5 * np.log(10), 0.1, 10.0)
    assert axes["start"].truncnormal == (2, 1, 1, 4)
    assert axes["sd"].loguniform == (np.exp(-3), np.exp(-1))
    assert axes["fixed"].uniform == (1, 4)
    k = rows(config.design, 0, 16, tmp_path)["k"]
    assert (k >= 0.1).all() and (k <= 10).all()


def test_what_the_config_says_comes_first(tmp_path: Path):
    config = compose(
        "experiment=mine", "design.kind=random", "design.axes={k: {uniform: [1, 2]}}",
        "saveat.ts={linspace: [0, 4, 5]}", "model.t1=5", "model.time_units=h",
        study=make_problem(tmp_path),
    )  # fmt: skip
    assert config.design.kind == "random" and config.design.axes["k"].uniform == (1, 2)
    assert config.saveat.ts == [0, 0.5, 1, 2, 3, 4]
    assert (config.model.t1, config.model.time_units) == (5, "h")


def test_one_observable_with_several_overrides(tmp_path: Path):
    observables = """
        observableId|observableFormula            |noiseFormula
        a           |observableParameter1_a * A   |observableParameter1_a * 0.1
    """
    measurements = """
        observableId|simulationConditionId|measurement|time|observableParameters
        a           |low                  |1          |1   |fixed
        a           |high                 |1          |1   |2.5
        a           |high                 |2          |1   |sd
    """
    tables = {"observables": observables, "measurements": measurements}
    config, ensemble, summary = solved(make_problem(tmp_path, **tables))
    assert config.model.observables is not None
    assert config.model.observables.formulas == {
        "a_1": "fixed * A",
        "a_2": "(2.5) * A",
        "a_3": "sd * A",
    }
    np.testing.assert_allclose(ensemble["a_2"], 2.5 * ensemble["A"])
    y = ensemble["sd"] * ensemble["A"].sel(time=1)
    s = 0.1 * ensemble["sd"]
    expected = -0.5 * ((2 - y) / s) ** 2 - np.log(s * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(summary["a_3_log_likelihood"][1::2], expected[1::2], rtol=1e-9)


MISTAKES = {
    "no file": ({"yaml": None}, "problem.yaml: no such file"),
    "a version": ({"yaml": ("version: 1", "version: 3")}, "format_version: 3 is not supported"),
    "no model": ({"yaml": ("[decay.xml]", "[b.xml]")}, "sbml_files: no file 'b.xml'"),
    "a column missing": (
        {"parameters": ("estimate", "estimated")},
        r"parameters.tsv: has no column estimate; did you mean estimate by estimated\?",
    ),
    "commas": ({"conditions": "conditionId,A\nlow,1"}, "columns are separated by tabs"),
    "twice": (
        {"parameters": ("sd          | log", "k          | log")},
        "parameters.tsv, row 3, column parameterId: k is in row 1 of parameters.tsv already",
    ),
    "no number": (
        {"parameters": ("| 10 ", "| ten ")},
        "parameters.tsv, row 1, column upperBound: 'ten' is not a number",
    ),
    "bounds": (
        {"parameters": ("| 10 ", "| 0.1 ")}, "row 1, column upperBound: 0.1 is not above lowerBound"
    ),
    "a log of zero": (
        {"parameters": ("| 0.1 ", "| 0 ")}, "row 1, column lowerBound: 0 is not > 0, as .* log10"
    ),
    "a scale": (
        {"parameters": ("log10 ", "log2 ")},
        "row 1, column parameterScale: 'log2' is not one of lin, log, log10",
    ),
    "no nominal value": (
        {"parameters": ("| 3   ", "|    ")}, "row 4, column nominalValue: is empty"
    ),
    "a parameter of nothing": (
        {"parameters": ("fixed ", "loose ")}, "row 2, column observableFormula: .*'fixed'"
    ),
    "unused": (
        {"observables": ("fixed * A", "A")},
        "row 4, column parameterId: fixed is not in decay.xml, and nothing reads it; remove",
    ),
    "a species": (
        {"parameters": ("fixed ", "A ")},
        "row 4, column parameterId: A has a column in the condition table",
    ),
    "no such quantity": (
        {"conditions": ("| A\n", "| AA\n")},
        "conditions.tsv: column AA: no such id in decay.xml",
    ),
    "a value of a condition": (
        {"conditions": ("| start\n", "| strat\n")},
        "conditions.tsv, row 2, column A: 'strat' is not a number, a parameter or in the model; "
        r"did you mean start\?",
    ),
    "a condition": (
        {"measurements": ("| low ", "| lwo ")},
        "measurements.tsv, row 1, column simulationConditionId: 'lwo' is not in the condition table"
        r"; did you mean low\?",
    ),
    "an observable": (
        {"measurements": ("scaled       | high                  | 7.1", "b | high | 7.1")},
        "measurements.tsv, row 4, column observableId: 'b' is not in the observable table",
    ),
    "preequilibration": (
        {"measurements": ("noiseParameters\n", "noiseParameters|preequilibrationConditionId\n"),
         "+measurements": ("0.5  | sd\n", "0.5  | sd|lowest\n")},
        "row 1, column preequilibrationConditionId: 'lowest' is not in the condition table; did",
    ),
    "noise parameters": (
        {"measurements": ("| 0.3", "| ")},
        r"row 2, column noiseParameters: 0 given, but the formulas have 1 \(noiseParameter1_a\)",
    ),
    "too many": (
        {"measurements": ("| 0.3", "| 0.3;1")}, "row 2, column noiseParameters: 2 given"
    ),
    "an unknown parameter": (
        {"measurements": ("| 0.3", "| sdd")}, "row 2, column noiseParameters: 'sdd' is not .*sd"
    ),
    "a logarithm for a value": (
        {"parameters": ("fixed       | lin            |            |            | 3  ",
                        "fixed       | log10          |            |            | -2 ")},
        "row 4, column nominalValue: -2 is not > 0, though parameterScale is log10: .*"
        "write 0.01 if it is the log10 of the value",
    ),
    "a logarithm beyond the bounds": (
        {"parameters": ("fixed       | lin            |            |            | 3  ",
                        "fixed       | log10          | 10         | 1e5        | 3  ")},
        "row 4, column nominalValue: 3 is below lowerBound, 10, .* write 1000 if it is the log10",
    ),
    "an estimated logarithm": (
        {"parameters": ("| 0.2 ", "| -1.6 ")},
        "row 3, column nominalValue: -1.6 is not > 0, though parameterScale is log:",
    ),
    "no noise": (
        {"measurements": ("| 0.3", "| 0")},
        "measurements.tsv, row 2, column noiseParameters: the noise is 0; .* is > 0",
    ),
    "no noise by a fixed parameter": (
        {"observables": ("noiseParameter1_a ", "noiseParameter1_a*(fixed-3)"),
         "measurements": ("| 0.3", "| 0.3")},
        "measurements.tsv, row 2, column noiseParameters: the noise is 0;",
    ),
    "negative noise": (
        {"observables": ("0.05 + 0.1 * scaled ", "-0.5 ")},
        "observables.tsv, row 2, column noiseFormula: the noise is -0.5;",
    ),
    "not a measurement": (
        {"measurements": ("| 1.1 ", "| NaN ")},
        "measurements.tsv, row 1, column measurement: is NaN; remove the row",
    ),
    "no measurement": (
        {"measurements": ("| 1.1 ", "| ")}, "row 1, column measurement: is empty; a value is needed"
    ),
    "a formula": (
        {"observables": ("fixed * A", "fixed * (A")},
        "observables.tsv, row 2, column observableFormula: .*syntax error",
    ),
    "an unknown name": (
        {"observables": ("fixed * A", "fixed * B")},
        "observables.tsv, row 2, column observableFormula: unknown name 'B'",
    ),
    "a function": (
        {"observables": ("fixed * A", "f(A)")}, "row 2, column observableFormula: the function 'f'"
    ),
    "a distribution": (
        {"observables": ("laplace", "student")},
        "row 2, column noiseDistribution: 'student' is not one of normal, laplace",
    ),
    "a prior": (
        {"parameters": ("estimate\n", "estimate|initializationPriorType\n"),
         "+parameters": ("0.7          | 1", "0.7|1|laplace")},
        "row 1, column initializationPriorType: laplace is not supported",
    ),
    "nominal and a size": (
        {"experiment": ("size: 8", "size: 8, nominal: true")}, "design.size: design.nominal is one"
    ),
    "an axis": (
        {"experiment": ("size: 8", "size: 8, axes: {kk: {uniform: [0, 1]}}")},
        "design.axes.kk: neither in the parameter table",
    ),
    "another model": (
        {"experiment": ("name:", "defaults: [override /model: lorenz63]\nname:")},
        "model.vector_field: design.petab: problem.yaml has a model of its own, decay.xml",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_one_line(mistake: str, tmp_path: Path):
    from tests.support.petab_text import EXPERIMENT, YAML

    changes, message = MISTAKES[mistake]
    texts = {**TABLES, "yaml": YAML, "experiment": EXPERIMENT}
    for key, change in changes.items():
        key = key.removeprefix("+")
        if isinstance(change, tuple):
            assert change[0] in texts[key]
            texts[key] = texts[key].replace(change[0], change[1], 1)
        else:
            texts[key] = change if change is not None else ""
    study = make_problem(tmp_path, **texts)
    if changes.get("yaml", "") is None:
        (study / "problem.yaml").unlink()
    if isinstance(changes.get("conditions"), str):
        (study / "conditions.tsv").write_text(changes["conditions"])
    with pytest.raises(ConfigError, match=message) as error:
        compose("experiment=mine", study=study)
    assert "\n" not in str(error.value)


def test_a_computed_start_needs_a_number_in_every_condition(tmp_path: Path):
    text = sbml(
        compartment("c"), species("A", "c", concentration=1), parameter("k", 0.5),
        parameter("half"), initial("half", "k / 2"), reaction("J", "A", "", "c * k * A"),
    )  # fmt: skip
    conditions = "conditionId|A|half\nlow|1|\nhigh|2|3"
    study = make_problem(tmp_path, sbml=text, conditions=conditions)
    with pytest.raises(ConfigError, match="row 1, column half: is empty"):
        compose("experiment=mine", study=study)


def test_a_rule_cannot_be_set(tmp_path: Path):
    text = sbml(
        compartment("c"), species("A", "c", concentration=1), parameter("k", constant=False),
        rule("assignment", "k", "2"), reaction("J", "A", "", "c * k * A"),
    )  # fmt: skip
    with pytest.raises(ConfigError, match=r"row 1, column parameterId: decay\.xml computes k"):
        compose("experiment=mine", study=make_problem(tmp_path, sbml=text))


def test_a_start_that_the_model_computes_follows_the_condition(tmp_path: Path):
    """A starts at 4 * half, half is what the condition says, and A decays."""
    text = sbml(
        compartment("c", 2), species("A", "c"), initial("A", "4 * half"), parameter("k", 0.5),
        parameter("half", 0.5), reaction("J", "A", "", "c * k * A"),
    )  # fmt: skip
    conditions = "conditionId|half\nlow|0.25\nhigh|start"
    _, ensemble, _ = solved(make_problem(tmp_path, sbml=text, conditions=conditions))
    half = np.where(ensemble["condition"] == 0, 0.25, ensemble["start"])
    np.testing.assert_array_equal(ensemble["half"], half)
    np.testing.assert_allclose(
        ensemble["A"].isel(time=-1), 4 * half * np.exp(-2 * ensemble["k"]), rtol=1e-7, atol=1e-10
    )


@pytest.mark.slow
def test_a_parameter_called_noise(tmp_path: Path):
    tables = {name: TABLES[name].replace("sd ", "noise ") for name in TABLES}
    tables["measurements"] = tables["measurements"].replace("| sd\n", "| noise\n")
    plain, named = make_problem(tmp_path / "a"), make_problem(tmp_path / "b", **tables)
    values = [solved(study)[2]["log_likelihood"] for study in (plain, named)]
    np.testing.assert_array_equal(*values)


def test_formulas_without_petab(tmp_path: Path):
    (tmp_path / "decay.xml").write_text(DECAY)
    model = {
        "sbml": "decay.xml", "t1": 2.0,
        "parameters": {"scale": {"value": 3.0, "added": True}},
        "observables": {"formulas": {"a": "scale * A + log2(8) * log(exp(time))", "b": "a^2 / 2"}},
    }  # fmt: skip
    (tmp_path / "config/model").mkdir(parents=True)

    def composed(**changes: object) -> Config:
        text = yaml.safe_dump(model | changes)
        (tmp_path / "config/model/mine.yaml").write_text(text)
        return compose("~experiment", "model=mine", "name=x", *TIGHT, study=tmp_path)

    ensemble = odeflow.run(composed())
    a = 3 * np.exp(-1.0) + 3 * 2.0
    np.testing.assert_allclose(ensemble["a"].item(), a, rtol=1e-7)
    np.testing.assert_allclose(ensemble["b"].item(), a**2 / 2, rtol=1e-7)
    for formulas, message in (
        ({"A": "k"}, "model.observables.formulas.A: the model has 'A' already"),
        ({"a": "b", "b": "a"}, "model.observables.formulas: these define each other"),
        ({"a": "log(A, 2)"}, "model.observables.formulas.a: "),
        ({"a": "__import__('os')"}, "model.observables.formulas.a: "),
        ({"a": "sclae * A"}, "unknown name 'sclae'; did you mean scale"),
    ):
        with pytest.raises(ConfigError, match=message):
            composed(observables={"formulas": formulas})


def test_the_page_makes_a_study(tmp_path: Path):
    page = (PROJECT / "docs/petab.md").read_text()
    lines = page.split("```bash\n")[1].split("```")[0].splitlines()
    assert len(lines) == 5
    make_problem(tmp_path)
    shutil.rmtree(tmp_path / "config")
    subprocess.run("\n".join(lines[:3]), shell=True, cwd=tmp_path, check=True)
    assert compose("experiment=mine", study=tmp_path / "my_study").design.size == 1024
    yaml_text = page.split("```yaml\n")[1].split("```")[0].replace("k1:", "k:")
    (tmp_path / "my_study/config/experiment/mine.yaml").write_text(yaml_text)
    config = compose("experiment=mine", study=tmp_path / "my_study")
    assert config.design.kind == "random" and config.solver.method == "rodas5p"


def test_conditions_without_petab(tmp_path: Path):
    """The design alone: a wild type and a mutant, each sample under both."""
    config = compose(
        "~experiment", "design=sobol", "design.size=4", "name=both",
        "design.axes={vmax: {uniform: [8, 12]}}",
        "design.conditions={wild: {km: 5}, mutant: {km: vmax}}", "saveat.ts=[0, 60]",
        study=tmp_path,
    )  # fmt: skip
    ensemble = odeflow.run(config)
    mutant = ensemble["condition"] == 1
    assert (ensemble["km"] == xr.where(mutant, ensemble["vmax"], 5)).all()
    assert ensemble.sizes["sample"] == 8
    for given, message in {
        "{a: {kn: 5}}": "neither a parameter nor a state",
        "{a: {km: 5}, b: {}}": "design.conditions.b.km: needed, since another condition sets km",
        "{a: {km: x}}": "design.conditions.a.km: 'x' is not an axis; axes: vmax",
        "{a: {vmax: 5}}": "vmax is an axis too",
    }.items():
        with pytest.raises(ConfigError, match=message):
            compose(
                "~experiment", "design=sobol", "design.axes={vmax: {uniform: [8, 12]}}",
                f"design.conditions={given}", study=tmp_path,
            )  # fmt: skip


def test_only_the_summary_depends_on_the_measurements(tmp_path: Path):
    def specs(**tables: str) -> tuple[object, object]:
        study = make_problem(tmp_path, **tables)
        experiment = Experiment(compose("experiment=mine", study=study), study)
        return experiment.chunk_spec(experiment.chunks[0]), experiment.stage_spec("summarise")

    before, changed = specs(), specs(measurements=TABLES["measurements"].replace("7.1", "7.2"))
    assert before[0] == changed[0] and before[1] != changed[1]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("petab") / "study"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("results", ".snakemake"))
    return folder


def test_figure_of_the_example(example: Path, tmp_path: Path):
    config = compose("experiment=conversion", "design.size=64", study=example)
    ensemble = odeflow.run(config)
    summary = summarise(ensemble, config.summary, measurements_of(config, example))
    figure = plots.draw("measurements", ensemble, summary, config)
    assert [ax.get_yscale() for ax in figure.axes] == ["linear", "log"]
    plots.save(figure, tmp_path / "measurements.png", dpi=80)
    drawn = (tmp_path / "measurements.png").read_bytes()
    plots.save(plots.draw("measurements", ensemble, summary, config), tmp_path / "b.png", dpi=80)
    assert drawn == (tmp_path / "b.png").read_bytes()


@pytest.mark.slow
def test_the_example_through_the_workflow(example: Path):
    chosen = "experiment=conversion design__size=64"
    snakemake(example, config=chosen)
    results = example / "results/conversion"
    summary = xr.open_dataset(results / "summary.nc", decode_times=False)
    assert summary["log_likelihood"].size == 128
    assert (results / "figures/measurements.png").is_file()
    done = subprocess.run(
        [sys.executable, "-m", "odeflow", "reproduce", str(results / "ensemble.nc"), "--check"],
        cwd=example, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "32 of 128 trajectories solved again, the same bit for bit" in done.stdout
    copy = example / "copy"
    odeflow.reproduce(results / "ensemble.nc", study=example).write(copy)
    config = compose("experiment=conversion", study=copy)
    again = odeflow.run(config)
    ensemble = xr.open_dataset(results / "ensemble.nc", decode_times=False)
    np.testing.assert_array_equal(again["assay_b"], ensemble["assay_b"])
    text = (example / "measurements.tsv").read_text()
    (example / "measurements.tsv").write_text(re.sub("0.711", "0.712", text))
    jobs = planned(example, config=chosen)
    assert "summarise" in jobs and "plot" in jobs and "solve" not in jobs and "assemble" not in jobs
