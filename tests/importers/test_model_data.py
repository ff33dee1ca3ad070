"""`model.data`: files that odeflow reads, checks, hands to the field, stores and restores."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.files.errors import ConfigError
from odeflow.importers.loading import load_model
from odeflow.importers.model_data import read_data, restored, stored
from odeflow.trust.reproduce import reproduce
from odeflow.trust.verification.numpy_functions import PointFunctions
from odeflow.workflow.chunks import solve_digest
from tests.support.snakes import make_study, snakemake

DAY = np.array([0.0, 0.5, 1.25, 2.0])
CELSIUS = np.array([1.0, 3.0, 2.0, 4.0])
FIELD = """
import jax.numpy as jnp

def decay(t, y, args):
    return {"y": jnp.interp(t, args.temperature.day, args.temperature.celsius) - args.k * y.y}

def observed(t, y, args):
    return {"celsius": jnp.interp(t, args.temperature.day, args.temperature.celsius)}
"""
CSV = "day,celsius,station\n" + "".join(f"{d},{c},Kiel\n" for d, c in zip(DAY, CELSIUS))


def write_netcdf(path: Path) -> None:
    xr.Dataset({"day": ("day", DAY), "celsius": ("day", CELSIUS)}).to_netcdf(path)


def write_parquet(path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"day": DAY, "celsius": CELSIUS, "no": ["a"] * 4}), path)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "t.csv": lambda path: path.write_text(CSV),
    "sub/t.parquet": write_parquet,
    "t.nc": write_netcdf,
}


def study_with(folder: Path, file: str = "t.csv", more: str = "", field: str = FIELD) -> Path:
    study = make_study(folder)
    (study / "models.py").write_text(field)
    model = study / "config/model/decay.yaml"
    model.write_text(
        model.read_text()
        + "observables: {function: 'models.py:observed'}\n"
        + f"data:\n  temperature: {{file: {file}{more}}}\n"
    )
    return study


def exact(rate: float, t1: float = 2.0) -> float:
    """y(t1) of y' = celsius(t) - k y, y(0) = 3, piece by piece in closed form."""
    y, ends = 3.0, [*DAY[:-1], t1]
    for a, b in zip(ends, ends[1:]):
        c0, c1 = np.interp([a, b], DAY, CELSIUS)
        slope, h = (c1 - c0) / (b - a), b - a
        # a particular solution is linear in time
        start, end = (c0 - slope / rate) / rate, (c1 - slope / rate) / rate
        y = end + (y - start) * np.exp(-rate * h)
    return y


@pytest.mark.parametrize("file", WRITERS)
def test_the_columns_of_each_kind_of_file_are_read(file: str, tmp_path: Path):
    study = study_with(tmp_path, file, ", columns: [day, celsius]")
    (study / file).parent.mkdir(exist_ok=True)
    WRITERS[file](study / file)
    arrays = read_data(odeflow.compose("experiment=decay", study=study).model, study)["temperature"]
    assert list(arrays) == ["day", "celsius"]
    np.testing.assert_array_equal(arrays["day"], DAY)
    np.testing.assert_array_equal(arrays["celsius"], CELSIUS)
    assert not arrays["day"].flags.writeable


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_both_engines_solve_with_them(engine: str, tmp_path: Path):
    study = study_with(tmp_path, more=", columns: [day, celsius]")
    WRITERS["t.csv"](study / "t.csv")
    overrides = ["experiment=decay", f"runtime.engine={engine}", "solver.rtol=1e-9"]
    data = odeflow.run(odeflow.compose(*overrides, study=study))
    assert data.attrs["odeflow_engine"] == engine
    expected = [exact(float(rate)) for rate in data["k"]]
    np.testing.assert_allclose(data["y"].isel(time=-1), expected, rtol=1e-7)
    np.testing.assert_allclose(
        data["celsius"][0], np.interp(data["time"], DAY, CELSIUS), rtol=1e-12
    )


def test_an_array_is_args_name_and_keeps_whole_numbers(tmp_path: Path):
    field = """
import jax.numpy as jnp

def decay(t, y, args):
    assert args.temperature.dtype == jnp.int64, args.temperature.dtype
    return {"y": -args.temperature[1, 0] * y.y}

def observed(t, y, args):
    return {"all": jnp.sum(args.temperature) + 0 * t}
"""
    study = study_with(tmp_path, "map.npy", field=field)
    np.save(study / "map.npy", np.array([[1, 2], [3, 4]]))
    model = load_model(odeflow.compose("experiment=decay", study=study).model, study)
    t, y, args = model.example()
    assert model.vector_field(t, y, args).y == -9
    assert model.observables(t, y, args)["all"] == 10


def test_verification_has_them_by_numpy(tmp_path: Path):
    study = study_with(tmp_path, more=", columns: [day, celsius]")
    WRITERS["t.csv"](study / "t.csv")
    model = load_model(odeflow.compose("experiment=decay", study=study).model, study)
    functions = PointFunctions(model)
    assert functions.evaluator == "numpy"
    for t in (0.3, 1.1, 1.9):
        point = t, np.array([3.0]), np.array([0.5])
        np.testing.assert_allclose(functions.vector_field(*point), np.interp(t, DAY, CELSIUS) - 1.5)
        np.testing.assert_allclose(functions.observables(*point), np.interp(t, DAY, CELSIUS))


#: The text of the file, what follows `file:` in the config, and the message.
MISTAKES = {
    "missing": (None, "", r"model.data.temperature.file: t.csv: no such file; it is looked for in"),
    "column": (CSV, ", columns: [day, celcius]", "no column 'celcius'; did you mean celsius"),
    "text": (
        CSV.replace("3.0", "cold"),
        ", columns: [day, celsius]",
        "t.csv: line 3: column 'celsius': 'cold' is not a number",
    ),
    "text in all": (CSV, "", "t.csv: line 2: column 'station': 'Kiel' is not a number"),
    "NaN": (CSV.replace("2.0", "nan", 1), ", columns: [day, celsius]", "line 4: the value of"),
    "unsorted": (
        "# by hand\n" + CSV.replace("1.25", "0.25"),
        ", columns: [day, celsius]",
        r"line 5: 'day' must increase, but 0.25 follows 0.5; sort the rows",
    ),
    "twice": (CSV.replace("0.5,", "0.0,"), ", columns: [day, celsius]", "line 3: 'day' must incr"),
    "asked to increase": (
        CSV, ", columns: [day, celsius], increasing: [celsius]", "line 4: 'celsius' must increase",
    ),
    "increasing unknown": (
        CSV, ", columns: [day], increasing: [d]", "increasing: 'd' is not among the columns",
    ),
    "ragged": (CSV + "1,2\n", ", columns: [day]", "row 5 has 2 values, the header 3 names"),
    "odd name": ("day,T [C]\n1,2\n", "", r"its column 'T \[C\]' cannot stand behind a dot"),
    "empty": ("day,celsius\n", "", "t.csv: holds no numbers"),
    "outside": (CSV, "/../../t.csv", "is outside of the study; copy the file into its"),
    "kind": (CSV, ".txt", "'t.csv.txt' is not a kind of file that is read; known: .csv, .parquet"),
    "no Python": (CSV, ", columns: [lambda]", "'lambda' cannot stand behind a dot in Python"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_before_anything_runs(mistake: str, tmp_path: Path):
    text, more, message = MISTAKES[mistake]
    study = study_with(tmp_path, more=more)
    if text is not None:
        (study / "t.csv").write_text(text)
    with pytest.raises(ConfigError, match=message) as found:
        odeflow.compose("experiment=decay", study=study)
    assert "\n" not in str(found.value)


def test_columns_may_have_any_name_and_any_order(tmp_path: Path):
    more = ', columns: {celsius: "T [°C]", day: "Tag", level: "µ"}, increasing: []'
    study = study_with(tmp_path, more=more)
    (study / "t.csv").write_text("Tag,T [°C],µ\n2,5,1\n1,6,1\n")
    arrays = read_data(odeflow.compose("experiment=decay", study=study).model, study)["temperature"]
    assert {name: values.tolist() for name, values in arrays.items()} == {
        "celsius": [5, 6], "day": [2, 1], "level": [1, 1],
    }  # fmt: skip


def test_columns_that_python_takes_for_one_are_told_apart(tmp_path: Path):
    study = study_with(tmp_path, more=", columns: [time, x2]")
    (study / "t.csv").write_text("time,x2,x²\n0,1,100\n1,2,200\n")
    with pytest.raises(ConfigError, match="'x2' and 'x²' are one name in Python"):
        read_data(odeflow.compose("experiment=decay", study=study).model, study)
    model = study / "config/model/decay.yaml"
    shipped = model.read_text()
    model.write_text(shipped.replace(", columns: [time, x2]", ""))
    with pytest.raises(ConfigError, match="'x2' and 'x²' are one name in Python"):
        read_data(odeflow.compose("experiment=decay", study=study).model, study)
    (study / "t.csv").write_text("time,lambda\n0,1\n1,2\n")
    with pytest.raises(ConfigError, match="its column 'lambda' cannot stand behind a dot"):
        read_data(odeflow.compose("experiment=decay", study=study).model, study)
    (study / "t.csv").write_text("time,x2,x²\n0,1,100\n1,2,200\n")
    text = shipped.replace("[time, x2]", "{time: time, plain: x2, squared: x²}")
    model.write_text(text)
    found = read_data(odeflow.compose("experiment=decay", study=study).model, study)["temperature"]
    assert list(found["plain"]) == [1, 2] and list(found["squared"]) == [100, 200]


def test_data_and_parameter_cannot_have_one_name_and_times_stay_apart(tmp_path: Path):
    study = study_with(tmp_path, more=", columns: [day]")
    WRITERS["t.csv"](study / "t.csv")
    with pytest.raises(ConfigError, match="data: 'temperature' is a parameter already"):
        odeflow.compose("experiment=decay", "+model.parameters.temperature.value=1", study=study)
    (study / "t.csv").write_text("day\n1700000000\n1700000001\n")
    asked = ["experiment=decay", "+model.data.temperature.increasing=[day]"]
    odeflow.compose(*asked, study=study)
    with pytest.raises(ConfigError, match="'day' are no longer apart in float32"):
        odeflow.compose(*asked, "runtime.precision=float32", study=study)


def test_the_digest_is_that_of_the_content(tmp_path: Path):
    study = study_with(tmp_path, more=", columns: [day, celsius]")

    def digest(text: str) -> str:
        (study / "t.csv").write_text(text)
        return solve_digest(odeflow.compose("experiment=decay", study=study), study)

    first = digest(CSV)
    assert digest(CSV.replace("4.0", "4.5")) != first
    assert digest(CSV) == first


def test_files_are_stored_byte_for_byte():
    contents = {"a.csv": "x\r\n1\n\ufeffµ".encode(), "b.npy": bytes(range(256)), "c": b""}
    assert restored(stored(contents)) == contents


@pytest.mark.slow
def test_a_real_run_stores_verifies_and_restores_them(tmp_path: Path):
    study = study_with(tmp_path / "one", more=", columns: [day, celsius]")
    WRITERS["t.csv"](study / "t.csv")
    snakemake(study)
    result = study / "results/decay/ensemble.nc"
    with xr.open_dataset(study / "results/decay/verification.nc", decode_times=False) as checked:
        assert "jax" not in str(checked.attrs)
    found = reproduce(result, study)
    assert found.data == {"t.csv": CSV.encode()} and found.changed_sources == []
    assert "data of the model: t.csv (same)" in found.report()
    found.check(number=2)
    found.check(number=2, run_stored_source=True)
    found.write(tmp_path / "two")
    assert (tmp_path / "two/t.csv").read_bytes() == CSV.encode()
    snakemake(tmp_path / "two")
    assert (tmp_path / "two/results/decay/ensemble.nc").read_bytes() == result.read_bytes()
    (study / "t.csv").write_text(CSV.replace("4.0", "4.5"))
    assert found.changed_sources == ["t.csv"]
    snakemake(study)
    with xr.open_dataset(result, decode_times=False) as after:
        assert after["celsius"].values[0, -1] == 4.5
