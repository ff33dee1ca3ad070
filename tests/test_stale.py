"""Whatever Snakemake is asked, a dataset holds what the config says."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import yaml
from snakes import EXPERIMENT_YAML, MODELS, copy_of, make_study, planned, snakemake

from odeflow.netcdf import DamagedFileError
from odeflow.records import Stage, checked_inputs, content_digest, is_stale, write_record
from odeflow.staleness import renew_marks, stale_stages

QUICK = EXPERIMENT_YAML + "  figures: [solver_effort]\nverify:\n  number: 2\n"


# The parts, without Snakemake


@pytest.fixture
def stages(tmp_path: Path) -> list[Stage]:
    """Two stages of which the second reads what the first made; both done."""
    first = Stage("one", "results/x", "p", {}, ("results/x/a",))
    second = Stage("two", "results/x", "q", {"results/x/a": first.record}, ("results/x/b",))
    for stage in (first, second):
        (tmp_path / "results/x").mkdir(parents=True, exist_ok=True)
        (tmp_path / stage.outputs[0]).write_text(stage.plan)
        write_record(stage, checked_inputs(stage, tmp_path), tmp_path)
    return [first, second]


def other(stage: Stage, **changes: Any) -> Stage:
    return Stage(**(stage.as_data() | changes))


def test_what_was_made_as_asked_is_not_stale(stages: list[Stage], tmp_path: Path):
    assert stale_stages(stages, tmp_path) == []
    assert stale_stages([Stage(**one.as_data()) for one in stages], tmp_path) == []


def test_another_plan_or_a_missing_record_is_stale(stages: list[Stage], tmp_path: Path):
    first, second = stages
    assert is_stale(other(first, plan="p2"), tmp_path)
    assert is_stale(other(first, outputs=["results/x/a", "results/x/more"]), tmp_path)
    for broken in ("", "[]", '{"plan": "q"}'):
        (tmp_path / second.record).write_text(broken)
        assert is_stale(second, tmp_path)
    (tmp_path / second.outputs[0]).unlink()
    assert not is_stale(second, tmp_path)  # it is missing, which Snakemake sees


def test_what_was_made_of_another_input_is_stale(stages: list[Stage], tmp_path: Path):
    first, second = stages
    (tmp_path / "results/x/a").write_text("made again")
    write_record(first, {}, tmp_path)
    assert stale_stages(stages, tmp_path) == [second]


def test_an_edited_input_is_refused_with_the_command(stages: list[Stage], tmp_path: Path):
    (tmp_path / "results/x/a").write_text("edited")
    with pytest.raises(DamagedFileError, match=r"results/x/a: is not what .* \(rm results/x/a\)"):
        checked_inputs(stages[1], tmp_path)


def test_a_mark_is_newer_than_stale_files_and_new_each_time(stages: list[Stage], tmp_path: Path):
    stale = [other(stages[0], plan="p2")]
    (mark,) = renew_marks(stale, tmp_path, write=True).values()
    text = (tmp_path / mark).read_text()
    assert renew_marks(stale, tmp_path, write=True) == {}  # newer than the files already
    later = (tmp_path / mark).stat().st_mtime_ns + 10**9
    os.utime(tmp_path / "results/x/a", ns=(later, later))  # as `--touch` does
    assert renew_marks(stale, tmp_path, write=False).keys() == {mark}
    assert (tmp_path / mark).read_text() == text
    os.utime(tmp_path / "results/x/a", ns=(0, 0))
    (tmp_path / mark).unlink()
    ((_, place),) = renew_marks(stale, tmp_path, write=False).items()
    assert Path(place).is_file() and not (tmp_path / mark).exists()


def test_the_digest_of_a_folder_or_a_large_file_is_that_of_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("odeflow.records._PIECE", 7)
    file, same = tmp_path / "file", tmp_path / "same"
    file.write_bytes(bytes(range(100)))
    same.write_bytes(bytes(range(100)))
    found = {content_digest(file)}
    assert content_digest(same) in found
    for place in (0, 6, 7, 50, 99):
        content = bytearray(range(100))
        content[place] ^= 1
        same.write_bytes(content)
        found.add(content_digest(same))
    assert len(found) == 6
    folder = tmp_path / "folder"
    (folder / "part").mkdir(parents=True)
    (folder / "part/a").write_text("1")
    before = content_digest(folder)
    (folder / ".snakemake_timestamp").write_text("")
    assert content_digest(folder) == before
    (folder / "part/a").rename(folder / "part/b")
    assert content_digest(folder) != before


# Real runs


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = make_study(tmp_path_factory.mktemp("study"), QUICK)
    snakemake(study)
    return study


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> Path:
    return copy_of(finished, tmp_path)


def check(study: Path, rates: list[float], factor: float = 1.0, rtol: str = "1e-6") -> None:
    """The dataset has these rates and right values, and its summary is of it."""
    folder = study / "results/decay"
    with (
        xr.open_dataset(folder / "ensemble.nc", decode_times=False) as ensemble,
        xr.open_dataset(folder / "summary.nc", decode_times=False) as summary,
        xr.open_dataset(folder / "verification.nc", decode_times=False) as verification,
    ):
        assert ensemble["k"].values.tolist() == rates == summary["k"].values.tolist()
        exact = 3 * np.exp(-factor * np.outer(rates, ensemble["time"]))
        np.testing.assert_allclose(ensemble["y"], exact, rtol=1e-3, atol=1e-6)
        np.testing.assert_array_equal(summary["y_final"], ensemble["y"].isel(time=-1))
        config = yaml.safe_load(ensemble.attrs["odeflow_config"])
        assert config["solver"]["rtol"] == float(rtol)
        assert set(verification["k"].values.tolist()) <= set(rates)


def change_axis(study: Path) -> None:
    text = QUICK.replace("{linspace: [0.5, 2.0, 4]}", "{values: [1.0, 3.0]}")
    (study / "config/experiment/decay.yaml").write_text(text)


def change_field(study: Path) -> None:
    (study / "models.py").write_text(MODELS.replace("-args.k", "-2 * args.k"))


def change_tolerance(study: Path) -> None:
    (study / "config/experiment/decay.yaml").write_text(QUICK + "solver:\n  rtol: 1e-7\n")


START = [0.5, 1.0, 1.5, 2.0]
#: What is changed, and what `check` is given then.
CHANGES: dict[str, tuple[Callable[[Path], None], tuple]] = {
    "axis": (change_axis, ([1.0, 3.0],)),
    "field": (change_field, (START, 2.0)),
    "tolerance": (change_tolerance, (START, 1.0, "1e-7")),
}
FLAGS: dict[str, list[str]] = {
    "default": [],
    "mtime": ["--rerun-triggers", "mtime"],
    "params and code": ["--rerun-triggers", "params", "code"],
    "forcerun": ["--forcerun", "summarise"],
    "keep-going": ["--keep-going"],
    "notemp": ["--notemp"],
    "nolock": ["--nolock"],
}


@pytest.mark.slow
@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("change", CHANGES)
def test_the_dataset_says_what_the_config_says(change: str, flags: str, study: Path):
    make_change, expected = CHANGES[change]
    check(study, START)
    make_change(study)
    done = snakemake(study, *FLAGS[flags])
    assert "results/decay: not of the settings, code and data asked for: " in done.stdout
    check(study, *expected)
    assert len(list(study.glob("results/chunks/*/*.nc"))) == 2  # the old one and a new one
    assert "Nothing to be done" in snakemake(study, *FLAGS["mtime"]).stdout


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_what_touch_took_for_new_is_made_again(change: str, study: Path):
    make_change, expected = CHANGES[change]
    make_change(study)
    snakemake(study, "--touch")
    for flags in (["--dry-run", *FLAGS["mtime"]], []):
        said = snakemake(study, *flags).stdout
        assert "results/decay: not of the settings, code and data asked for: " in said
        assert "assemble" in said
    check(study, *expected)


@pytest.mark.slow
def test_a_run_in_parts_and_a_touch_between_them(study: Path):
    """Another tolerance changes no spec of the summary: that its input is another one is seen."""
    change_tolerance(study)
    snakemake(study, "--until", "assemble")
    snakemake(study, "--touch")
    snakemake(study, *FLAGS["mtime"])
    check(study, START, 1.0, "1e-7")
    change_axis(study)
    snakemake(study, "--omit-from", "summarise", check=False)
    snakemake(study, *FLAGS["mtime"])
    check(study, [1.0, 3.0])


@pytest.mark.slow
def test_a_plot_setting_redraws_by_date_alone_and_a_dry_run_writes_nothing(study: Path):
    config = "experiment=decay plot__dpi=61"
    before = {path: path.stat().st_mtime_ns for path in (study / "results").rglob("*")}
    text = snakemake(study, "--dry-run", *FLAGS["mtime"], config=config).stdout
    assert "plot_decay" in text and "solve" not in text
    assert {path: path.stat().st_mtime_ns for path in (study / "results").rglob("*")} == before
    figure = study / "results/decay/figures/solver_effort.png"
    old = figure.read_bytes()
    snakemake(study, *FLAGS["mtime"], config=config)
    assert figure.read_bytes() != old


@pytest.mark.slow
def test_a_changed_table_is_solved_where_it_is_new(tmp_path: Path):
    """An appended row, then a value edited and rows reordered; its date says nothing."""
    text = QUICK.replace("/design: grid", "/design: table").replace(
        "  axes:\n    k: {linspace: [0.5, 2.0, 4]}", "  path: rates.csv"
    )
    study = make_study(tmp_path, text)
    rows: list[float] = [0.5, 1.0, 2.0]
    known = {"": rows, "3 of 4 rows": [*rows, 3.0], "3 of 4 rows are": [3.0, 0.7, 2.0, 0.5]}
    for number, (said, rates) in enumerate(known.items()):
        (study / "rates.csv").write_text("k\n" + "".join(f"{rate}\n" for rate in rates))
        os.utime(study / "rates.csv", (10**9, 10**9))
        snakemake(study, *(FLAGS["mtime"] if number == 2 else []))
        check(study, rates)
        logs = [log.read_text() for log in study.glob("results/chunks/*/*.log")]
        assert len(logs) == number + 1 and sum("rows are in" in log for log in logs) == number
        assert any(said in log for log in logs)
    assert planned(study) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["summary.nc", "failures.csv"])
def test_an_edited_file_is_named_and_made_again(name: str, finished: Path, study: Path):
    file = study / "results/decay" / name
    good, folder = file.read_bytes(), study / "results/decay"
    edited = xr.load_dataset(file, decode_times=False) if name.endswith(".nc") else None
    if edited is None:
        file.write_bytes(good + b"\n")
    else:
        (edited * 1.001).assign_attrs(edited.attrs).to_netcdf(file)
    kept = {path: path.read_bytes() for path in folder.glob("*.nc") if path != file}
    done = snakemake(study, check=False)
    assert done.returncode != 0 and "Traceback" not in done.stdout
    line = f"odeflow: results/decay/{name}: is not what was written"
    assert line in done.stdout and f"(rm results/decay/{name})" in done.stdout
    assert {path: path.read_bytes() for path in kept} == kept  # nothing good is lost
    assert line in snakemake(study, check=False).stdout  # and it is not forgotten
    subprocess.run(["rm", f"results/decay/{name}"], cwd=study, check=True)
    snakemake(study)
    assert file.read_bytes() == good == (finished / "results/decay" / name).read_bytes()
    assert planned(study) == {}
