"""Estimates and sensitivity indices that come out the same, or not."""

import shutil

import pytest

import odeflow
from odeflow.engines.choice import Resources
from odeflow.files.errors import ConfigError
from odeflow.files.netcdf import read_dataset, write_dataset
from odeflow.trust.reproduce import NotReproducedError, reproduce
from odeflow.workflow.stages.estimate import estimate
from odeflow.workflow.stages.fit import fit_starts
from odeflow.workflow.stages.sensitivity import sensitivity
from odeflow.workflow.stages.summarise import summarise
from tests.support.estimation_studies import linear_study

ONE = Resources(threads=1)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    study = tmp_path_factory.mktemp("study")
    config = linear_study(study, "analyse.estimate.profiles=[]")
    starts = study / "0123456789abcdef" / "000000-000006.nc"
    starts.parent.mkdir()
    fit_starts(config, study, 0, 6, starts, ONE)
    estimate(config, study, [starts], study / "estimates.nc", ONE)
    return study


def changed(path, new, name, factor):
    found = read_dataset(path)
    write_dataset(found.assign({name: factor * found[name]}), new)
    return new


def test_estimates(fitted, tmp_path):
    made = reproduce(fitted / "estimates.nc", fitted)
    assert made.kind == "estimates" and made.same_odeflow and made.versions == {}
    assert made.changed_sources == [] and "linear" in made.report()
    assert made.check(4) == "check: 4 starts fitted again, the same bit for bit"
    other = changed(fitted / "estimates.nc", tmp_path / "other.nc", "end_point", 1.1)
    with pytest.raises(NotReproducedError, match="2 of 2 starts end elsewhere, the first is"):
        reproduce(other, fitted).check(2)
    with pytest.raises(ConfigError, match="holds no measurements"):
        made.write(tmp_path / "new")


def test_other_measurements(fitted, tmp_path):
    study = tmp_path / "study"
    shutil.copytree(fitted, study)
    data = study / "data.csv"
    data.write_text(data.read_text().replace("x,2", "x,3", 1))
    with pytest.raises(ConfigError, match="was fitted to other measurements than are here"):
        reproduce(study / "estimates.nc", study).check(1)


@pytest.mark.slow
def test_indices(tmp_path):
    config = odeflow.compose("experiment=sensitivity", "design.size=32")
    odeflow.run(config).to_netcdf(tmp_path / "ensemble.nc")
    files = tmp_path / "ensemble.nc", tmp_path / "summary.nc", tmp_path / "indices.nc"
    summarise(config, config.study, *files[:2])
    sensitivity(config, config.study, *files)
    made = reproduce(files[2])
    assert made.kind == "indices" and made.path == files[0]
    assert made.check() == "check: all indices computed again, the same bit for bit"
    name = next(str(n) for n in read_dataset(files[2]) if str(n).endswith("_total_order"))
    again = changed(files[2], tmp_path / "again.nc", name, 2.0)
    with pytest.raises(NotReproducedError, match=f"{name} differ"):
        reproduce(again).check()
    files[0].unlink()
    with pytest.raises(ConfigError, match=r"has no ensemble\.nc beside it"):
        reproduce(files[2])
