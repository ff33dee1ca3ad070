"""What is kept at crossings as contiguous ragged arrays: over chunks, in files, in figures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.analysis.summary import summarise
from odeflow.engines.choice import Resources
from odeflow.ensemble.assemble import assemble_to_file
from odeflow.ensemble.chunk_file import read_chunk, stored_totals, write_chunk
from odeflow.ensemble.labels import trajectory
from odeflow.ensemble.solve import configure_jax, solve_samples
from odeflow.files.opening import open_ensemble
from odeflow.report import figures as plots
from tests.support.snakes import EXPERIMENT_YAML, make_study

K = np.linspace(0.5, 2.0, 4)
THIRD = """  events:
    third: {crossing: y, threshold: 1, direction: down, variables: [y]}
"""
EVENTS = f"""{THIRD}    slow: {{crossing: "-k * y + 1 + 0 * t", most: 1, variables: []}}
    never: {{crossing: y - 9}}
"""


WAVE = """  events:
    wave: {crossing: cos(20 * t), direction: both, variables: [y], most: 3}
"""


def decaying(folder: Path, events: str, *overrides: str) -> Any:
    study = make_study(folder)
    text = EXPERIMENT_YAML.replace("  ts: {linspace: [0, 2, 5]}\n", events)
    (study / "config/experiment/decay.yaml").write_text(text)
    settings = ["solver.rtol=1e-9", "solver.atol=1e-9", *overrides]
    return odeflow.compose("experiment=decay", *settings, study=study)


def check_third(ds: xr.Dataset) -> None:
    """Of all trajectories but the first 3 exp(-k t) is 1 before 2, at ln 3 / k."""
    third = np.log(3) / K
    np.testing.assert_array_equal(ds["third_count"].values.ravel(), third < 2)
    np.testing.assert_allclose(ds["third_time"], third[third < 2], rtol=1e-7)
    np.testing.assert_allclose(ds["third_y"], 1.0, rtol=1e-7)
    assert ds["third_count"].attrs["sample_dimension"] == "third"
    assert ds["third_time"].dims == ("third",) and ds["third_time"].attrs["units"] == "h"


def check_all(ds: xr.Dataset) -> None:
    """Its rate is -1 at ln (3 k) / k."""
    check_third(ds)
    slow = np.log(3 * K) / K
    np.testing.assert_allclose(ds["slow_time"], slow[slow < 2], rtol=1e-7)
    assert ds["never_count"].sum() == 0 and ds.sizes["never"] == 0
    assert (ds["slow_not_kept"] == 0).all() and "slow_y" not in ds


def test_trajectories_follow_one_another(tmp_path: Path):
    config = decaying(tmp_path, THIRD)
    ds = odeflow.run(config)
    check_third(ds)
    # each trajectory has its own, the first none
    own = [trajectory(ds, row)["third_time"].values for row in range(4)]
    assert [len(times) for times in own] == [0, 1, 1, 1]
    np.testing.assert_allclose(own[2], np.log(3) / K[2], rtol=1e-7)
    summary = summarise(ds, config.summary)
    for kind in ("event_times", "event_section"):
        figure = plots.draw(kind, ds, summary, config)
        assert figure.axes and figure.axes[0].collections


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ensemble.nc", "ensemble.zarr"])
def test_files_of_chunks_make_the_same(name: str, tmp_path: Path):
    config = decaying(tmp_path, EVENTS)
    resources = Resources()
    configure_jax(resources)
    paths = [tmp_path / "0.nc", tmp_path / "1.nc"]
    for path, start in zip(paths, (0, 3)):
        stop = min(start + 3, 4)
        part = solve_samples(config, config.study, start, stop, resources)
        write_chunk([part], stop - start, path)
    totals = stored_totals(config.saveat.events, paths)
    assert totals == {"third": 3, "slow": 4, "never": 0}
    parts = (slab for path in paths for slab in read_chunk(path))
    assemble_to_file(config, 4, parts, tmp_path / name, totals)
    with open_ensemble(tmp_path / name) as ds:
        check_all(ds.load())


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_more_than_most_are_counted(engine: str, tmp_path: Path):
    config = decaying(tmp_path, WAVE, f"runtime.engine={engine}", "solver.dtmax=0.1")
    ds = odeflow.run(config)
    # cos(20 t) has 13 zeros in (0, 2]
    assert (ds["wave_count"] == 3).all() and ds.sizes["wave"] == 12
    assert (ds["wave_count"] + ds["wave_not_kept"] == 13).all()
