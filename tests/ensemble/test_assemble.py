"""Chunks to ensembles, and files that are whole or not there."""

import contextlib
import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import odeflow
from odeflow.ensemble.assemble import assemble_in_memory, assemble_to_file
from odeflow.ensemble.chunk_file import read_chunk, write_chunk
from odeflow.files import slabs
from odeflow.files.netcdf import DamagedFileError, atomic_path, read_dataset, write_dataset
from odeflow.files.slabs import hyperslabs
from odeflow.importers.study.compose import compose


@given(st.lists(st.integers(1, 5), max_size=4), st.data())
def test_hyperslabs_cover_a_range_once_and_in_order(shape: list[int], data: st.DataObject):
    size = math.prod(shape)
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    flat = np.arange(size).reshape(shape)
    found = []
    pieces = list(hyperslabs(start, stop, tuple(shape)))
    for index, first, last in pieces:
        assert last - first == flat[index].size
        found += flat[index].ravel().tolist()
    assert found == list(range(start, stop))
    assert len(pieces) <= max(1, 2 * len(shape) - 1)


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
        {"engine": "diffrax", "engine_reason": "", "time_switches": "", "model_source": "{}"},
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
    assemble_to_file(config, 12, iter(chunks), path)
    with xr.open_dataset(path, decode_times=False) as stored:
        xr.testing.assert_identical(stored.load(), memory)
    expected = {"vmax": 3, "km": 4, "time": 3} if kind == "grid" else {"sample": 12, "time": 3}
    assert dict(memory.sizes) == expected
    np.testing.assert_array_equal(
        memory.substrate.values.reshape(12, 3)[:, 1], np.arange(12) + 0.06
    )


@pytest.mark.parametrize("kind", ["grid", "zip"])
def test_the_bytes_do_not_depend_on_the_chunks(kind: str, tmp_path: Path):
    levels = {"vmax": np.linspace(8, 9, 3), "km": np.linspace(4, 6, 1100)}
    if kind == "zip":
        levels = {name: np.linspace(4, 6, 3300) for name in levels}
    laws = [
        f"+design.axes.{n}={{linspace: [{v[0]}, {v[-1]}, {len(v)}]}}" for n, v in levels.items()
    ]
    config = compose("~experiment", f"design={kind}", *laws, study=tmp_path)
    if kind == "grid":
        mesh = np.meshgrid(*levels.values(), indexing="ij")
        levels = {name: values.ravel() for name, values in zip(levels, mesh)}
    written = set()
    for cut in (7, 1000, 1024, 3300):
        chunks = (
            fake_chunk(a, min(a + cut, 3300), {n: v[a : a + cut] for n, v in levels.items()})
            for a in range(0, 3300, cut)
        )
        assemble_to_file(config, 3300, chunks, tmp_path / "ensemble.nc")
        written.add((tmp_path / "ensemble.nc").read_bytes())
    assert len(written) == 1


def test_nothing_half_written_is_ever_visible(tmp_path: Path):
    target = tmp_path / "result.nc"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        assert target.read_text() == "old"
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def whole_chunk(path: Path) -> xr.Dataset:
    return xr.concat(read_chunk(path), "sample", data_vars="minimal", coords="minimal")


def test_a_chunk_is_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "chunk.nc"
    chunk = fake_chunk(0, 500, {"km": np.linspace(1, 2, 500)})
    chunk.status.attrs = {"flag_values": np.array([0, 1], np.int8), "flag_meanings": "a b"}
    write_chunk([chunk.isel(sample=slice(0, 123)), chunk.isel(sample=slice(123, 500))], 500, path)
    xr.testing.assert_identical(whole_chunk(path), chunk)
    monkeypatch.setattr(slabs, "PIECE", 7)
    monkeypatch.setattr(slabs, "SLAB_BYTES", 1)
    assert len(list(read_chunk(path))) == 72
    xr.testing.assert_identical(whole_chunk(path), chunk)


@pytest.mark.parametrize("written", [1, 100, 5000])
def test_how_much_is_written_at_a_time_is_not_in_a_chunk(
    written: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    parts = [fake_chunk(0, 123, {}), fake_chunk(123, 500, {})]
    write_chunk(parts, 500, tmp_path / "at_once.nc")
    monkeypatch.setattr("odeflow.ensemble.chunk_file._WRITTEN_BYTES", written)
    write_chunk(parts, 500, tmp_path / "in_parts.nc")
    assert (tmp_path / "in_parts.nc").read_bytes() == (tmp_path / "at_once.nc").read_bytes()


def test_a_damaged_chunk_is_found(tmp_path: Path):
    path = tmp_path / "chunk.nc"
    write_chunk([fake_chunk(0, 500, {})], 500, path)
    whole = path.read_bytes()

    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        DamagedFileError, match=r"chunk.nc.*delete it \(rm .*chunk.nc\) and run again"
    ):
        whole_chunk(path)

    value = whole.index(np.float64(250.06).tobytes())
    path.write_bytes(b"".join([whole[:value], np.float64(250.07).tobytes(), whole[value + 8 :]]))
    with pytest.raises(DamagedFileError, match="digest differs"):
        whole_chunk(path)


def test_no_flipped_byte_goes_unseen(tmp_path: Path):
    path = tmp_path / "chunk.nc"
    chunk = fake_chunk(0, 20, {"k": np.arange(20.0)})
    write_chunk([chunk], 20, path)
    whole = path.read_bytes()
    for place in range(0, len(whole), 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(DamagedFileError):
            xr.testing.assert_identical(whole_chunk(path), chunk)


_attributes = st.dictionaries(
    st.from_regex(r"[a-z]{1,8}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
    | st.integers(-(2**31), 2**31)
    | st.floats(allow_nan=False),
    max_size=3,
)


@settings(max_examples=40, deadline=None)
@given(
    values=arrays(np.float64, array_shapes(min_dims=1, max_dims=3, max_side=4)),
    kind=st.sampled_from(["float64", "float32", "int8", "int64"]),
    attributes=_attributes,
)
def test_a_dataset_comes_back_as_it_was(values: np.ndarray, kind: str, attributes: dict):
    with np.errstate(all="ignore"):
        stored = (values if kind.startswith("f") else np.nan_to_num(values) % 100).astype(kind)
    dims = [f"d{i}" for i in range(stored.ndim)]
    dataset = xr.Dataset({"y": (dims, stored, attributes)}, attrs=attributes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.nc"
        write_dataset(dataset, path)
        again = read_dataset(path)
    xr.testing.assert_identical(again, dataset)
    assert again.y.dtype == stored.dtype


def test_the_same_dataset_gives_the_same_bytes(tmp_path: Path):
    for name in ("a.nc", "b.nc"):
        write_dataset(fake_chunk(0, 50, {}), tmp_path / name)
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()


def test_a_single_trajectory_needs_no_axes():
    ensemble = odeflow.run(odeflow.compose("~experiment", "model=sir", "saveat.ts=[0,10]"))
    assert dict(ensemble.sizes) == {"time": 2}
    assert ensemble.status.shape == () and ensemble.population_drift.shape == ()
