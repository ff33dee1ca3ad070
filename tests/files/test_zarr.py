"""Ensembles as Zarr stores: the same data as the NetCDF file, read a piece at a time."""

import os
import re
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.ensemble.assemble import assemble_to_file
from odeflow.files.opening import open_ensemble
from odeflow.files.zarr import new_store, open_store
from odeflow.importers.study.compose import compose
from tests.support.snakes import PROJECT, make_study, planned, snakemake

ZARR = "experiment=decay assemble__format=zarr"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study whose ensemble is a store."""
    study = make_study(tmp_path_factory.mktemp("study"))
    snakemake(study, config=ZARR)
    return study


@pytest.mark.slow
def test_a_store_holds_what_memory_holds(study: Path):
    memory = odeflow.run(compose("experiment=decay", study=study))
    with open_ensemble(study / "results/decay/ensemble.zarr") as store:
        xr.testing.assert_equal(memory, store)
        assert store.attrs == memory.attrs
        for name in memory.variables:
            expected = {
                key: value.tolist() if isinstance(value, np.ndarray) else value
                for key, value in memory[name].attrs.items()
            }
            assert store[name].attrs == expected
    assert (study / "results/decay/overview.html").exists()
    assert not (study / "results/decay/ensemble.nc").exists()
    assert planned(study, ZARR) == {}


def pieces_of(tmp_path: Path, times: int) -> tuple[int, ...]:
    """The piece of a variable of 3,000 trajectories with so many times."""
    config = compose("experiment=pk_population", "design.size=3000", study=tmp_path)
    chunk = xr.Dataset(
        {
            "gut": (("sample", "time"), np.random.default_rng(0).normal(size=(3000, times))),
            "status": ("sample", np.zeros(3000, np.int8)),
        },
        {"sample": np.arange(3000), "time": np.arange(float(times))},
        {"engine": "native", "engine_reason": "", "time_switches": "", "model_source": "{}"},
    )
    assemble_to_file(config, 3000, [chunk], tmp_path / "ensemble.zarr")
    with open_store(tmp_path / "ensemble.zarr") as stored:
        np.testing.assert_array_equal(stored.gut, chunk.gut)
        pieces = stored.gut.encoding["chunks"]
    assemble_to_file(config, 3000, [chunk], tmp_path / "ensemble.nc")
    with netCDF4.Dataset(tmp_path / "ensemble.nc") as file:
        assert tuple(file["gut"].chunking()) == pieces
    return pieces


def test_pieces_are_small_both_ways(tmp_path: Path):
    assert pieces_of(tmp_path, 97) == (1024, 97)
    assert pieces_of(tmp_path, 1000) == (1024, 128)


def test_a_store_is_whole_or_not_there(tmp_path: Path):
    path = tmp_path / "ensemble.zarr"
    with new_store(path) as store:
        store.create_array("x", shape=(2,), dtype="f8")[:] = [1, 2]
    with pytest.raises(RuntimeError), new_store(path) as store:
        store.create_array("x", shape=(2,), dtype="f8")[:] = [3, 4]
        raise RuntimeError
    with new_store(tmp_path / "other.zarr"):
        assert not (tmp_path / "other.zarr").exists()
    assert {p.name for p in tmp_path.iterdir()} == {"ensemble.zarr", "other.zarr"}
    import zarr

    assert zarr.open_group(str(path), mode="r")["x"][:].tolist() == [1, 2]


def test_flipped_bytes_are_found(tmp_path: Path):
    assert pieces_of(tmp_path, 10) == (1024, 10)
    piece = tmp_path / "ensemble.zarr/gut/c/1/0"
    raw = bytearray(piece.read_bytes())
    raw[len(raw) // 2] ^= 255
    piece.write_bytes(bytes(raw))
    with (
        open_store(tmp_path / "ensemble.zarr") as store,
        pytest.raises(ValueError, match="checksum"),
    ):
        store.gut.values.sum()


@pytest.mark.slow
def test_the_guide_opens_both_with_dask(study: Path):
    results = study / "results/decay"
    with open_store(results / "ensemble.zarr") as store:
        store.to_netcdf(results / "ensemble.nc")
    blocks = re.findall(
        r"```python\n(.*?)```", (PROJECT / "docs/guide/results.md").read_text(), re.DOTALL
    )
    code = next(block for block in blocks if "chunks=" in block)
    code = code.replace("quickstart", "decay").replace("substrate", "y")
    code = code.replace("vmax=10, km=5", "k=1").replace('["vmax", "km"]', '["k"]')
    code = code.replace('{"vmax": -1, "km": -1, "time": 8}', '{"k": -1, "time": 8}')
    code = code.replace("time=6", "time=1")
    code += "\nassert course.sizes == {'time': 5} and slice_.ndim == 0, (course, slice_)\n"
    code += "import dask.array\nassert isinstance(by_time.y.data, dask.array.Array)\n"
    environment = {**os.environ, "MPLBACKEND": "agg"}
    subprocess.run([sys.executable, "-c", code], cwd=study, env=environment, check=True)
