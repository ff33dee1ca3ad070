"""A result rebuilt from its file alone."""

import json
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.files.digests import text_digest
from odeflow.files.errors import ConfigError
from odeflow.files.netcdf import DamagedFileError
from odeflow.trust.reproduce import NotReproducedError, reproduce
from tests.support.snakes import MODELS, copy_of, make_study, snakemake

TABLE = "k,y\n0.5,1\n1.25,2\n0.1,3.3000000000000003\n"


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that has run, by a table: its model file imports a neighbour."""
    study = make_study(tmp_path_factory.mktemp("study"))
    models = MODELS.replace("-args", "sign * args")
    (study / "models.py").write_text(f"from rates import sign\n{models}")
    (study / "rates.py").write_text("sign = -1\n")
    (study / "table.csv").write_text(TABLE)
    experiment = study / "config/experiment/decay.yaml"
    grid = "  axes:\n    k: {linspace: [0.5, 2.0, 4]}\n"
    text = experiment.read_text().replace("/design: grid", "/design: table")
    assert grid in text
    experiment.write_text(text.replace(grid, "  path: table.csv\n"))
    snakemake(study, "results/decay/ensemble.nc")
    return study


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> Path:
    return copy_of(finished, tmp_path)


def ensemble(study: Path) -> Path:
    return study / "results/decay/ensemble.nc"


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "odeflow", "reproduce", *arguments],
        text=True, capture_output=True, cwd=cwd, check=False,
    )  # fmt: skip


def test_the_file_has_all_of_it(finished: Path):
    found = reproduce(ensemble(finished), finished)
    assert found.config.name == "decay"
    assert set(found.sources) == {"models.py", "rates.py"}
    assert found.sources["rates.py"] == "sign = -1\n"
    assert found.changed_sources == [] and found.versions == {} and found.same_odeflow
    assert found.config.model.states["y"].units == "mg"
    assert {axis: values.tolist() for axis, values in found.table().items()} == {
        "k": [0.5, 1.25, 0.1], "y": [1, 2, 3.3000000000000003],
    }  # fmt: skip
    with xr.open_dataset(ensemble(finished), decode_times=False) as dataset:
        assert str(finished) not in json.dumps({k: str(v) for k, v in dataset.attrs.items()})


def test_a_check_is_bit_for_bit(study: Path):
    done = command("results/decay/ensemble.nc", "--check", "--number", "2", cwd=study)
    assert done.returncode == 0, done.stderr
    assert "check: 2 of 3 trajectories solved again, the same bit for bit" in done.stdout
    with netCDF4.Dataset(ensemble(study), "a") as file:
        file["y"][1, 3] = np.nextafter(file["y"][1, 3], 10)
    with pytest.raises(NotReproducedError, match="1 of 3 trajectories differ, in y, the first in"):
        reproduce(ensemble(study), study).check()


def test_versions_that_differ_are_named(study: Path):
    with netCDF4.Dataset(ensemble(study), "a") as file:
        file.odeflow_versions = json.dumps({**json.loads(file.odeflow_versions), "jax": "0.0.1"})
    found = reproduce(ensemble(study), study)
    assert list(found.versions) == ["jax"]
    assert "versions: differ: jax 0.0.1 (here " in found.report()


def test_stored_source_runs_only_when_asked_for(study: Path):
    (study / "rates.py").write_text("sign = -2\n")
    found = reproduce(ensemble(study), study)
    assert found.changed_sources == ["rates.py"]
    assert "models.py (same), rates.py (differs)" in found.report()
    with pytest.raises(
        ConfigError, match=r"another source than is here \(rates.py\).*--run-stored"
    ):
        found.check()
    done = command(
        "results/decay/ensemble.nc", "--check", "--run-stored-source", cwd=study
    )  # in a process of its own: this one has imported `rates`
    assert done.returncode == 0 and "3 of 3 trajectories" in done.stdout, done.stderr


def test_reading_a_file_runs_nothing_of_it(study: Path):
    marker = study / "was_run"
    source = {"models.py": f"open({str(marker)!r}, 'w')\n" + MODELS}
    text = json.dumps(source)
    with netCDF4.Dataset(ensemble(study), "a") as file:
        file.odeflow_model_source = text
        file.odeflow_model_sha256 = text_digest(text)
    done = command("results/decay/ensemble.nc", "--check", "--write", "new", cwd=study)
    assert done.returncode == 1 and "--run-stored-source" in done.stderr
    assert done.stderr.count("\n") == 1
    assert (study / "new/models.py").is_file() and not marker.exists()


def test_a_stored_name_cannot_lead_out_of_the_study(study: Path, tmp_path: Path):
    text = json.dumps({"models.py": MODELS, "../../escaped.py": "x = 1\n"})
    with netCDF4.Dataset(ensemble(study), "a") as file:
        file.odeflow_model_source = text
        file.odeflow_model_sha256 = text_digest(text)
    found = reproduce(ensemble(study), study)
    with pytest.raises(ConfigError, match="not inside a study"):
        found.check(run_stored_source=True)
    with pytest.raises(ConfigError, match="not inside a study"):
        found.write(tmp_path / "a/b")
    assert not list(tmp_path.rglob("escaped.py"))


def test_a_written_study_makes_the_same_file(study: Path, tmp_path: Path):
    new = tmp_path / "new"
    found = reproduce(ensemble(study), study)
    written = {str(path.relative_to(new)) for path in found.write(new)}
    assert {"models.py", "rates.py", "table.csv", "config/experiment/decay.yaml"} <= written
    assert (new / "table.csv").read_text().splitlines()[3] == "0.1,3.3000000000000003"
    with pytest.raises(ConfigError, match="is there already"):
        found.write(new)
    snakemake(new)
    assert ensemble(new).read_bytes() == ensemble(study).read_bytes()


def test_other_files_are_refused_in_one_line(study: Path):
    with pytest.raises(ConfigError, match="no attribute odeflow_config"):
        reproduce(study / "results/decay/design.nc")
    (study / "text.nc").write_text("no NetCDF")
    with pytest.raises(DamagedFileError, match=r"text\.nc: cannot be read"):
        reproduce(study / "text.nc")
    done = command("missing.nc", cwd=study)
    assert done.returncode == 1 and done.stderr.startswith("odeflow: missing.nc")
    with netCDF4.Dataset(ensemble(study), "a") as file:
        file.odeflow_model_source = "{}"
    with pytest.raises(DamagedFileError, match="model source stored in it"):
        reproduce(ensemble(study))


def test_a_grid_of_a_shipped_model_is_reproduced_anywhere(tmp_path: Path):
    config = odeflow.compose("experiment=seed_zip", "design.axes.vmax.linspace=[8,12,7]")
    odeflow.run(config).to_netcdf(tmp_path / "ensemble.nc")
    found = reproduce(tmp_path / "ensemble.nc", tmp_path)
    assert list(found.sources) == ["odeflow/models/enzyme.py"]
    assert found.check(3).startswith("check: 3 of 7")
    assert found.check(3, run_stored_source=True).startswith("check: 3 of 7")
