"""The table of failures, the page's part of it, and the check of their number."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.config.root import Config
from odeflow.problem.status import Status
from odeflow.report.answers import answers
from odeflow.report.experiment_results import ExperimentResults
from odeflow.report.failed import Failed
from odeflow.report.overview import overview_page
from odeflow.trust import failures as failures_module
from odeflow.trust.failures import failed_fraction, failures, write_failures
from tests.support.snakes import EXPERIMENT_YAML, MODELS, make_study, snakemake

GRID = ["design.axes.vmax={linspace:[8,12,5]}", "design.axes.km={linspace:[4,6,3]}"]


def config_of(*overrides: str) -> odeflow.Config:
    return odeflow.compose(*GRID, *overrides)


@pytest.fixture(scope="module")
def failed() -> xr.Dataset:
    """A grid of 5 x 3 of which all fail, for want of steps."""
    return odeflow.run(config_of("solver.max_steps=3", "runtime.retry=[]"))


def some_failed(failed: xr.Dataset, *samples: int) -> xr.Dataset:
    status = np.zeros(failed.status.size, np.int8)
    status[list(samples)] = Status.max_steps_reached
    return failed.assign(status=failed.status.copy(data=status.reshape(failed.status.shape)))


def table(config: odeflow.Config, ensemble: xr.Dataset) -> list[dict[str, str]]:
    text = io.StringIO()
    write_failures(config, ensemble, text)
    return list(csv.DictReader(io.StringIO(text.getvalue())))


def test_a_failure_is_a_row_with_its_axes_and_an_advice(failed: xr.Dataset):
    config = config_of("solver.max_steps=3", "runtime.retry=[]")
    rows = table(config, some_failed(failed, 4, 14))
    assert list(rows[0]) == [
        "sample", "vmax", "km", "status", "attempt", "method", "time_reached", "num_steps",
        "reject_ratio", "cause", "advice",
    ]  # fmt: skip
    assert [row["sample"] for row in rows] == ["4", "14"]
    first = rows[0]  # sample 4 of a 5 x 3 grid is (1, 1)
    assert (float(first["vmax"]), float(first["km"])) == (9.0, 5.0)
    assert (first["status"], first["method"], first["attempt"]) == (
        "max_steps_reached", "tsit5", "0",
    )  # fmt: skip
    assert float(first["time_reached"]) == float(failed.time_reached[1, 1])
    assert first["num_steps"] == "3" and first["cause"] == "too few steps"
    assert first["advice"].startswith("raise solver.max_steps")


def test_the_table_is_the_same_whatever_is_in_memory(
    failed: xr.Dataset, monkeypatch: pytest.MonkeyPatch
):
    config = config_of("solver.max_steps=3", "runtime.retry=[]")
    whole = list(failures(config, failed))
    assert [row["sample"] for row in whole] == list(range(15))
    for size in (1, 4, 7):
        monkeypatch.setattr(failures_module, "_SLAB", size)
        assert list(failures(config, failed)) == whole


def test_axes_of_samples_own_ends_and_of_a_table(tmp_path: Path):
    (tmp_path / "samples.csv").write_text("km,t1\n4,50\n5,60\n6,70\n")
    config = odeflow.compose(
        "~experiment", "+name=t", "design=table", "design.path=samples.csv", "solver.max_steps=3",
        "runtime.retry=[{max_steps:4}]", study=tmp_path,
    )  # fmt: skip
    rows = table(config, odeflow.run(config))
    assert [(row["sample"], row["km"], row["t1"]) for row in rows] == [
        ("0", "4.0", "50.0"), ("1", "5.0", "60.0"), ("2", "6.0", "70.0"),
    ]  # fmt: skip
    assert {(row["attempt"], row["num_steps"]) for row in rows} == {("1", "4")}


def test_nothing_failed_is_a_header(failed: xr.Dataset):
    text = io.StringIO()
    write_failures(config_of(), some_failed(failed), text)
    assert text.getvalue().count("\n") == 1


def page_of(config: Config, ensemble: xr.Dataset, rows: list[dict[str, str]]) -> str:
    found = ExperimentResults(config, ensemble, failed=Failed.of(rows))
    return overview_page(found, answers(found))


def test_the_page_counts_attempts_and_causes(failed: xr.Dataset):
    config = config_of("solver.max_steps=130")
    ensemble = odeflow.run(config)
    page = page_of(config, ensemble, table(config, ensemble))
    number = int((ensemble.attempt == 1).sum())
    assert number > 0
    assert '<td class="number">1</td><td>max steps x10</td><td>tsit5</td><td>native</td>' in page
    assert f'<td class="number">{number}</td>' in page
    assert "Failed trajectories" not in page
    config = config_of("solver.max_steps=3", "runtime.retry=[]")
    page = page_of(config, failed, table(config, failed))
    assert "<h2>Failed trajectories (15)</h2>" in page and "too few steps" in page
    assert "<h2>Attempts</h2>" not in page


def test_a_page_of_many_failures_shows_the_first_and_counts_all(failed: xr.Dataset):
    config = config_of("solver.max_steps=3", "runtime.retry=[]")
    rows = table(config, failed) * 10
    page = page_of(config, failed, rows)
    assert "Failed trajectories (150)" in page
    assert "the first 100 shown; all are in failures.csv" in page
    by_sample = page[page.index("By sample") :]
    assert by_sample.count("raise solver.max_steps: about") == 100


@pytest.mark.parametrize(
    "count, allowed, fails", [(2, 0.1, True), (3, 0.2, False), (0, 0.0, False)]
)
def test_the_fraction_that_may_fail(failed: xr.Dataset, count: int, allowed: float, fails: bool):
    config = config_of(f"runtime.max_failed={allowed}")
    ensemble = some_failed(failed, *range(count))
    line = failed_fraction(config, ensemble, "failures.csv")
    if not fails:
        assert line is None
        return
    assert line is not None
    assert line.startswith("2 of 15 trajectories failed (0.133), more than runtime.max_failed 0.1;")


@pytest.mark.slow
def test_a_run_with_too_many_failures_fails_after_everything_is_written(tmp_path: Path):
    # y' = y^2 from 3 for k = -1: infinite at t = 1 / 3, whatever the method
    few_figures = "  figures: [solver_effort]\n"
    experiment = EXPERIMENT_YAML.replace("[0.5, 2.0, 4]", "[-1.0, 2.0, 4]") + few_figures
    study = make_study(tmp_path, experiment)
    (study / "models.py").write_text(MODELS.replace("args.k * y.y", "args.k * y.y**2"))
    config = "experiment=decay runtime__max_failed="
    done = snakemake(study, config=config + "0.2", check=False)
    assert done.returncode != 0
    line = "1 of 4 trajectories failed (0.25), more than runtime.max_failed 0.2; results/decay/fai"
    assert line in done.stdout and "Traceback" not in done.stdout
    folder = study / "results/decay"
    for file in ("design.nc", "ensemble.nc", "summary.nc", "failures.csv", "overview.html"):
        assert (folder / file).exists()
    assert (folder / "figures/solver_effort.png").exists()
    assert not (folder / "logs" / "passed").exists()
    with (folder / "failures.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["sample"], row["k"], row["cause"]) == ("0", "-1.0", "step size vanished")
    assert abs(float(row["time_reached"]) - 1 / 3) < 1e-6
    # the page and the verdict alone run again
    done = snakemake(study, config=config + "0.5")
    assert re.findall(r"^(?:local)?rule (\w+):", done.stdout, re.MULTILINE) == [
        "overview",
        "verdict",
        "all",
    ]
    assert (folder / "logs" / "passed").exists()
