"""Files that a study reads, or has written, are changed by hand: right values, or a line."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.support.petab_text import TABLES, make_problem, tabbed
from tests.support.snakes import EXPERIMENT_YAML, copy_of, make_study, planned, snakemake

pytestmark = pytest.mark.slow

TABLE = (
    EXPERIMENT_YAML.replace("/design: grid", "/design: table").replace(
        "  axes:\n    k: {linspace: [0.5, 2.0, 4]}", "  path: rows.csv"
    )
    + "  figures: [solver_effort]\nverify:\n  number: 2\n"
)
Row = tuple[float, float]
START: list[Row] = [(0.5, 3.0), (1.0, 2.0), (2.0, 1.0)]
#: The rows of the table after a change, and how many of them no chunk holds.
TABLES_AFTER: dict[str, tuple[list[Row], int]] = {
    "a value changed": ([(0.5, 3.0), (1.25, 2.0), (2.0, 1.0)], 1),
    "rows reordered": (START[::-1], 0),
    "a row appended": ([*START, (3.0, 4.0)], 1),
    "a row removed": (START[1:], 0),
    "all at once": ([(3.0, 4.0), *START[:0:-1], (0.5, 3.5)], 2),
}
BY_DATE = ["--rerun-triggers", "mtime"]


def write_rows(study: Path, rows: list[Row], date: int | None = None) -> None:
    file = study / "rows.csv"
    file.write_text("k,y\n" + "".join(f"{k},{y}\n" for k, y in rows))
    if date is not None:
        os.utime(file, (date, date))


def check_rows(study: Path, rows: list[Row]) -> None:
    """Every dataset has these rows by label, with the right values."""
    rates, amounts = np.array(rows).T
    folder = study / "results/decay"
    with (
        xr.open_dataset(folder / "design.nc", decode_times=False) as design,
        xr.open_dataset(folder / "ensemble.nc", decode_times=False) as ensemble,
        xr.open_dataset(folder / "summary.nc", decode_times=False) as summary,
        xr.open_dataset(folder / "verification.nc", decode_times=False) as verification,
    ):
        for dataset in (design, ensemble, summary):
            np.testing.assert_array_equal(dataset["k"], rates)
        for dataset in (ensemble, summary):
            np.testing.assert_array_equal(dataset["initial_y"], amounts)
        exact = amounts[:, None] * np.exp(-np.outer(rates, ensemble["time"]))
        np.testing.assert_allclose(ensemble["y"], exact, rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(summary["y_final"], ensemble["y"].isel(time=-1))
        assert set(verification["k"].values.tolist()) <= set(rates.tolist())


def rows_solved(study: Path, known: set[Path]) -> int:
    """Rows that the new chunk did not take from others."""
    (log,) = set(study.glob("results/chunks/*/*.log")) - known
    said = re.search(r"(\d+) of (\d+) rows are in .*: kept", log.read_text())
    assert said, log.read_text()
    return int(said[2]) - int(said[1])


@pytest.fixture(scope="module")
def with_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = make_study(tmp_path_factory.mktemp("study"), TABLE)
    write_rows(study, START)
    snakemake(study)
    check_rows(study, START)
    return study


@pytest.mark.parametrize("flags, date", [([], None), (BY_DATE, 10**9)], ids=["new", "old"])
@pytest.mark.parametrize("change", TABLES_AFTER)
def test_a_changed_table(
    change: str, flags: list[str], date: int | None, with_table: Path, tmp_path: Path
):
    study = copy_of(with_table, tmp_path)
    logs = set(study.glob("results/chunks/*/*.log"))
    rows, new = TABLES_AFTER[change]
    write_rows(study, rows, date)
    snakemake(study, *flags)
    check_rows(study, rows)
    assert rows_solved(study, logs) == new


# An SBML file, and the tables of a PEtab problem


@pytest.fixture(scope="module")
def with_problem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = make_problem(tmp_path_factory.mktemp("study"))
    with (study / "config/experiment/mine.yaml").open("a") as file:
        file.write(
            "plot: {figures: [measurements], formats: [png], dpi: 50}\nverify: {number: 2}\n"
        )
    snakemake(study, config="experiment=mine")
    return study


def likelihood(study: Path) -> np.ndarray:
    with xr.open_dataset(study / "results/mine/summary.nc", decode_times=False) as summary:
        return summary["log_likelihood"].values


def check_decay(study: Path, factor: float, low: float) -> None:
    """A falls from what its condition says, at the rate of its parameter."""
    with xr.open_dataset(study / "results/mine/ensemble.nc", decode_times=False) as ensemble:
        start = np.where(ensemble["condition"] == 0, low, ensemble["start"])
        exact = start[:, None] * np.exp(-factor * np.outer(ensemble["k"], ensemble["time"]))
        np.testing.assert_allclose(ensemble["A"], exact, rtol=1e-5, atol=1e-7)


#: The file, what is replaced in it, the rules that run for it at the least and those that do not.
PROBLEM_CHANGES = {
    "measurements.tsv": ("measurements", "7.1 ", "6.1 ", {"summarise", "plot"}, {"solve"}),
    "observables.tsv": ("observables", "0.05 +", "0.06 +", {"summarise", "plot"}, {"solve"}),
    "conditions.tsv": ("conditions", "1.5", "1.75", {"solve", "summarise"}, set()),
    "parameters.tsv": ("parameters", "0.1        | 10 ", "0.2        | 10 ", {"solve"}, set()),
    "decay.xml": (None, "c * k * A", "c * k * 2 * A", {"solve", "summarise"}, set()),
}


@pytest.mark.parametrize("name", PROBLEM_CHANGES)
def test_a_changed_file_of_a_problem(name: str, with_problem: Path, tmp_path: Path):
    study = copy_of(with_problem, tmp_path)
    before = likelihood(study)
    table, old, new, rules, others = PROBLEM_CHANGES[name]
    if table is None:
        text = (study / name).read_text()
        changed = text.replace("<times/>", "<times/><cn>2</cn>", 1)
    else:
        text, changed = tabbed(TABLES[table]), tabbed(TABLES[table].replace(old, new))
    assert changed != text
    (study / name).write_text(changed)
    os.utime(study / name, (10**9, 10**9))
    jobs = planned(study, "experiment=mine")
    assert rules <= jobs.keys() and jobs.keys().isdisjoint(others)
    snakemake(study, *BY_DATE, config="experiment=mine")
    check_decay(study, 2.0 if table is None else 1.0, 1.75 if "conditions" in name else 1.5)
    assert not np.array_equal(likelihood(study), before)
    assert planned(study, "experiment=mine") == {}


# The page that compares experiments

BOTH = "experiment=decay,other compare=decay,other"
FEW = EXPERIMENT_YAML + "  figures: []\nverify:\n  number: 0\n"


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = make_study(tmp_path_factory.mktemp("study"), FEW)
    other = FEW.replace("name: decay", "name: other\nsolver:\n  rtol: 1e-9")
    (study / "config/experiment/other.yaml").write_text(other)
    snakemake(study, config=BOTH)
    return study


@pytest.mark.parametrize("flags", [[], BY_DATE], ids=["default", "mtime"])
def test_the_page_is_of_what_is_compared(flags: list[str], compared: Path, tmp_path: Path):
    study = copy_of(compared, tmp_path)
    page = study / "results/compare/decay-other.html"
    before = page.read_bytes()
    file = study / "config/experiment/other.yaml"
    file.write_text(file.read_text().replace("1e-9", "1e-3"))
    os.utime(file, (10**9, 10**9))
    snakemake(study, *flags, config=BOTH)
    assert page.read_bytes() != before
    file.write_text(file.read_text().replace("1e-3", "1e-9"))
    snakemake(study, *flags, config=BOTH)
    assert page.read_bytes() == before


# Results that were edited

#: A result, and the rules that read it.
EDITED = {
    "design.nc": "assemble",
    "ensemble.nc": "summarise",
    "summary.nc": "plot",
    "failures.csv": "overview",
    "verification.nc": "overview",
    "verdict.json": "verdict",
}


def edit(file: Path) -> None:
    """As someone's script would: every number a thousandth larger; one more line in a text."""
    if file.suffix == ".nc":
        dataset = xr.load_dataset(file, decode_times=False)
        (dataset * 1.001).assign_attrs(dataset.attrs).to_netcdf(file)
    else:
        file.write_bytes(file.read_bytes() + b"\n")


def contents(study: Path) -> dict[str, bytes]:
    files = (study / "results").rglob("*")
    kinds = {".nc", ".csv", ".html", ".png", ".json"}
    return {
        str(file.relative_to(study)): file.read_bytes()
        for file in files
        if file.suffix in kinds and "records" not in file.parts
    }


@pytest.mark.parametrize("name", EDITED)
def test_an_edited_result_is_named_and_made_again(name: str, with_table: Path, tmp_path: Path):
    study = copy_of(with_table, tmp_path)
    good, file = contents(study), f"results/decay/{name}"
    edit(study / file)
    for _ in range(2):  # it is not forgotten
        done = snakemake(study, check=False)
        assert done.returncode != 0 and "Traceback" not in done.stdout
        assert f"odeflow: {file}: is not what was written" in done.stdout
        assert {k: v for k, v in contents(study).items() if k != file} == {
            k: v for k, v in good.items() if k != file
        }  # nothing good is lost
    command = re.search(r"\((rm (results/\S+))\)", done.stdout)
    assert command is not None and command[2] == file
    (study / command[2]).unlink()
    snakemake(study)
    assert contents(study) == good
    assert planned(study) == {}


def test_an_edited_store_is_named_and_made_again(tmp_path: Path):
    zarr = "experiment=decay assemble__format=zarr"
    study = make_study(tmp_path, FEW)
    snakemake(study, config=zarr)
    store = study / "results/decay/ensemble.zarr"
    good = {file: file.read_bytes() for file in store.rglob("*") if file.is_file()}
    chosen = next(file for file in good if "y/c" in file.as_posix())
    chosen.write_bytes(good[chosen][:-1] + b"\0")
    (study / "results/decay/summary.nc").unlink()
    done = snakemake(study, check=False, config=zarr)
    assert done.returncode != 0 and "Traceback" not in done.stdout
    assert "results/decay/ensemble.zarr: is not what was written" in done.stdout
    assert "(rm -r results/decay/ensemble.zarr)" in done.stdout
    shutil.rmtree(store)
    snakemake(study, config=zarr)
    assert {
        file: file.read_bytes()
        for file in store.rglob("*")
        if file.is_file() and file.name != ".snakemake_timestamp"
    } == {file: text for file, text in good.items() if file.name != ".snakemake_timestamp"}


@pytest.mark.parametrize("flags", [["--rerun-triggers", "params", "code"], BY_DATE], ids=str)
def test_an_edit_that_no_trigger_sees_is_seen_by_who_reads_it(
    flags: list[str], with_table: Path, tmp_path: Path
):
    """The ensemble keeps its date; the next change makes the figures due, which read it."""
    study = copy_of(with_table, tmp_path)
    file = study / "results/decay/ensemble.nc"
    date = file.stat().st_mtime_ns
    edit(file)
    os.utime(file, ns=(date, date))
    done = snakemake(study, *flags, check=False, config="experiment=decay plot__dpi=70")
    assert done.returncode != 0
    assert "odeflow: results/decay/ensemble.nc: is not what was written" in done.stdout


def test_a_design_left_behind_by_another_run_is_named(with_table: Path, tmp_path: Path):
    study = copy_of(with_table, tmp_path)
    good = contents(study)
    (study / "other.csv").write_text("k,y\n7,3\n")
    target = "results/other/design.nc"
    snakemake(study, target, config="experiment=decay name=other design__path=other.csv")
    shutil.copyfile(study / target, study / "results/decay/design.nc")
    done = snakemake(study, check=False)
    assert "odeflow: results/decay/design.nc: is not what was written" in done.stdout
    assert (study / "results/decay/ensemble.nc").read_bytes() == good["results/decay/ensemble.nc"]
    (study / "results/decay/design.nc").unlink()
    snakemake(study)
    assert {name: contents(study)[name] for name in good} == good
