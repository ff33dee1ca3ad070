"""Chunks to ensembles, and files that are whole or not there."""

import math
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from odeflow.assemble import assemble_in_memory, assemble_to_file, hyperslabs
from odeflow.config.compose import compose
from odeflow.netcdf import DamagedFileError, atomic_path, content_digest, write_dataset
from odeflow.stages import read_chunk


@given(st.lists(st.integers(1, 5), max_size=4), st.data())
def test_hyperslabs_cover_a_range_once_and_in_order(shape: list[int], data: st.DataObject):
    size = math.prod(shape)
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    flat = np.arange(size).reshape(shape)
    found = []
    slabs = list(hyperslabs(start, stop, tuple(shape)))
    for index, first, last in slabs:
        assert last - first == flat[index].size
        found += flat[index].ravel().tolist()
    assert found == list(range(start, stop))
    assert len(slabs) <= max(1, 2 * len(shape) - 1)


def fake_chunk(start: int, stop: int, axes: dict[str, np.ndarray]) -> xr.Dataset:
    """A chunk whose values tell their sample and time."""
    samples, time = np.arange(start, stop), np.array([0.0, 60.0, 120.0])
    value = samples[:, None] + time / 1000
    per_lane = {"status": np.zeros(stop - start, np.int8), "num_steps": samples}
    return xr.Dataset(
        {
            "substrate": (("sample", "time"), value, {"units": "mmol/L", "long_name": "s"}),
            **{name: ("sample", v, {"long_name": name}) for name, v in per_lane.items()},
        },
        {"sample": samples, "time": time, **{n: ("sample", v) for n, v in axes.items()}},
        {"engine": "diffrax", "engine_reason": ""},
    )


@pytest.mark.parametrize("kind", ["grid", "zip"])
@pytest.mark.parametrize("cut", [1, 4, 5, 12])
def test_a_file_holds_what_memory_holds(kind: str, cut: int, tmp_path: Path):
    axes = ["+design.axes.vmax={values: [8, 9, 10]}", "+design.axes.km={values: [4, 5, 6, 7]}"]
    if kind == "zip":
        twelve = "{linspace: [4, 6, 12]}"
        axes = [f"+design.axes.vmax={twelve}", f"+design.axes.km={twelve}"]
    config = compose("~experiment", f"design={kind}", *axes, study=tmp_path)
    columns = {"vmax": np.linspace(4, 6, 12), "km": np.linspace(4, 6, 12)}
    chunks = [
        fake_chunk(a, min(a + cut, 12), {n: v[a : a + cut] for n, v in columns.items()})
        for a in range(0, 12, cut)
    ]
    memory = assemble_in_memory(config, 12, chunks)
    path = tmp_path / "ensemble.nc"
    with netCDF4.Dataset(path, "w") as file:
        assemble_to_file(config, 12, iter(chunks), file)
    with xr.open_dataset(path, decode_times=False) as stored:
        xr.testing.assert_identical(stored.load(), memory)
    expected = {"vmax": 3, "km": 4, "time": 3} if kind == "grid" else {"sample": 12, "time": 3}
    assert dict(memory.sizes) == expected
    np.testing.assert_array_equal(
        memory.substrate.values.reshape(12, 3)[:, 1], np.arange(12) + 0.06
    )


def test_nothing_half_written_is_ever_visible(tmp_path: Path):
    target = tmp_path / "result.nc"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        assert target.read_text() == "old"
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_damaged_chunk_is_found(tmp_path: Path):
    path = tmp_path / "chunk.nc"
    chunk = fake_chunk(0, 500, {})
    chunk.attrs["content_sha256"] = content_digest(chunk)
    write_dataset(chunk, path)
    xr.testing.assert_identical(read_chunk(path), chunk)
    whole = path.read_bytes()

    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DamagedFileError, match=r"chunk.nc.*delete the file and run again"):
        read_chunk(path)

    middle = len(whole) * 3 // 4
    path.write_bytes(b"".join([whole[:middle], bytes(4), whole[middle + 4 :]]))
    damaged = False
    try:
        damaged = not read_chunk(path).identical(chunk)
    except DamagedFileError:
        damaged = True
    assert damaged or path.read_bytes() == whole

    chunk["substrate"][3, 1] = 7.0  # written whole, but not what its digest says
    write_dataset(chunk, path)
    with pytest.raises(DamagedFileError, match="digest differs"):
        read_chunk(path)


def test_the_same_dataset_gives_the_same_bytes(tmp_path: Path):
    for name in ("a.nc", "b.nc"):
        write_dataset(fake_chunk(0, 50, {}), tmp_path / name)
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()
