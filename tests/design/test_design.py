"""Designs: any range of rows without the others, distributions, tables, and every error."""

import json
import math
import subprocess
import sys
from itertools import pairwise, product
from pathlib import Path

import netCDF4
import numpy as np
import pyarrow as pa
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from scipy import stats

from odeflow.config.axis import Axis, Levels
from odeflow.config.design import DesignConfig
from odeflow.config.levels import count, expand
from odeflow.config.root import Config
from odeflow.design import (
    axis_names,
    check_axes,
    design_to_file,
    grid_levels,
    number_of_samples,
    rows,
    table_digest,
)
from odeflow.design.laws import quantile
from odeflow.files.errors import ConfigError

HERE = Path()
SEQUENTIAL = ["random", "sobol", "halton"]
SAMPLERS = [*SEQUENTIAL, "latin_hypercube"]
LAWS = {
    "uniform": [-2.0, 3.0],
    "loguniform": [1e-3, 1e2],
    "normal": [1.0, 2.0],
    "lognormal": [0.5, 0.7],
    "truncnormal": [1.0, 2.0, -0.5, 2.5],
    "trunclaplace": [1.0, 0.7, -0.5, 2.5],
    "truncloglaplace": [0.2, 0.5, 0.3, 4.0],
}
lean = settings(max_examples=25, deadline=None)
in_folder = settings(lean, suppress_health_check=[HealthCheck.function_scoped_fixture])


def design(**keys) -> DesignConfig:
    return DesignConfig.model_validate(keys)


def sampler(kind: str, size: int = 64, seed: int = 3, **axes) -> DesignConfig:
    axes = axes or {name: {name: law} for name, law in LAWS.items()}
    return design(kind=kind, size=size, seed=seed, axes=axes)


def experiment(**keys) -> Config:
    model = {
        "name": "michaelis_menten",
        "vector_field": "odeflow.models.enzyme:michaelis_menten",
        "t1": 120.0,
        "states": {
            "substrate": {"initial": 10.0, "units": "mmol/L", "long_name": "concentration"},
            "enzyme": {"initial": 0.2, "units": "mmol/L"},
            "field": {"initial": [0.0, 1.0, 2.0], "dims": ["x"]},
        },
        "parameters": {
            "vmax": {"value": 10.0, "units": "1/min", "long_name": "rate"},
            "km": {"value": 5.0, "units": "mmol/L"},
        },
    }
    return Config.model_validate({"name": "test", "model": model, "design": keys})


def one_line(error: pytest.ExceptionInfo) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def assert_same_rows(a, b):
    assert list(a) == list(b)
    for name in a:
        assert a[name].dtype == b[name].dtype == np.float64
        np.testing.assert_array_equal(a[name].view(np.uint64), b[name].view(np.uint64))


def joined(parts):
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def in_chunks(plan, cuts, root=HERE):
    edges = [0, *sorted(cuts), number_of_samples(plan, root)]
    return joined([rows(plan, start, stop, root) for start, stop in pairwise(edges)])


# Listed laws


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        ({"linspace": [8, 12, 5]}, [8, 9, 10, 11, 12]),
        ({"linspace": [8, 12, 1]}, [8]),
        ({"linspace": [1, 0, 3]}, [1, 0.5, 0]),
        ({"logspace": [-1, 2, 4]}, [0.1, 1, 10, 100]),
        ({"geomspace": [1, 8, 4]}, [1, 2, 4, 8]),
        ({"geomspace": [1e-5, 1e5, 3]}, [1e-5, 1, 1e5]),
        ({"arange": [0, 3, 1]}, [0, 1, 2]),
        ({"arange": [0, 3.5, 1]}, [0, 1, 2, 3]),
        ({"arange": [3, 0, -1]}, [3, 2, 1]),
        ({"arange": [1, 1.3, 0.1]}, [1, 1.1, 1.2]),  # numpy.arange gives a fourth, 1.3
        ({"arange": [0, 0.3, 0.1]}, [0, 0.1, 0.2]),
        ({"arange": [0, 1e-3, 1]}, [0]),
        ({"values": [3, 1, 2]}, [3, 1, 2]),
    ],
)
def test_expand(law, expected):
    levels = Levels.model_validate(law)
    values = expand(levels)
    assert values.dtype == np.float64
    np.testing.assert_allclose(values, expected, rtol=1e-15)
    assert count(levels) == len(expected)


def test_ends_of_spaced_laws_are_exact():
    for law in ({"linspace": [0.1, 0.7, 7]}, {"geomspace": [0.1, 0.7, 7]}):
        values = expand(Levels.model_validate(law))
        assert (values[0], values[-1]) == (0.1, 0.7)


@lean
@given(
    start=st.decimals(-100, 100, places=2),
    step=st.decimals("0.01", 10, places=2),
    number=st.integers(1, 50),
)
def test_arange_of_decimals_stops_before_stop(start, step, number):
    stop = start + step * number
    values = expand(Levels(arange=(float(start), float(stop), float(step))))
    exact = [float(start + step * i) for i in range(number)]
    np.testing.assert_allclose(values, exact, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    "law",
    [
        {"linspace": [0, 1, 10**12]},
        {"arange": [0, 1e300, 1e-300]},
        {"arange": [0, 1e12, 1]},
    ],
)
def test_too_many_levels_are_refused_before_they_are_made(law):
    with pytest.raises(ConfigError, match=r"^saveat\.ts: .* at most 100,000,000") as error:
        expand(Levels.model_validate(law), "saveat.ts")
    one_line(error)


@pytest.mark.parametrize("law", [{"logspace": [0, 400, 3]}, {"linspace": [-1e308, 1e308, 3]}])
def test_levels_beyond_float64_are_refused(law):
    with pytest.raises(ConfigError, match=r"^design\.axes\.k: \w+space \[.* 1\.8e308") as error:
        expand(Levels.model_validate(law), "design.axes.k")
    one_line(error)


# Grid and zip


def test_grid_is_in_c_order():
    plan = design(kind="grid", axes={"a": {"values": [1, 2]}, "b": {"linspace": [0, 2, 3]}})
    expected = np.array(list(product([1, 2], [0, 1, 2])), float)
    got = rows(plan, 0, 6, HERE)
    np.testing.assert_array_equal(np.column_stack(list(got.values())), expected)
    np.testing.assert_array_equal(grid_levels(plan)["b"], [0, 1, 2])
    assert axis_names(plan, HERE) == ["a", "b"]


@lean
@given(data=st.data())
def test_grid_and_zip_chunks_are_the_whole(data):
    kind = data.draw(st.sampled_from(["grid", "zip"]))
    same = data.draw(st.integers(1, 9))
    lengths = [same if kind == "zip" else data.draw(st.integers(1, 5)) for _ in range(3)]
    axes = {f"x{i}": {"linspace": [0.1, i + 1, n]} for i, n in enumerate(lengths)}
    plan = design(kind=kind, axes=axes)
    total = number_of_samples(plan, HERE)
    assert total == (same if kind == "zip" else math.prod(lengths))
    cuts = data.draw(st.lists(st.integers(0, total), max_size=4))
    assert_same_rows(in_chunks(plan, cuts), rows(plan, 0, total, HERE))


def test_rows_far_into_a_large_grid_need_no_whole_grid():
    axes = {name: {"linspace": [0, 999, 1000]} for name in "abc"}
    plan = design(kind="grid", axes=axes)
    assert number_of_samples(plan, HERE) == 10**9
    last = rows(plan, 10**9 - 2, 10**9, HERE)
    assert {name: list(values) for name, values in last.items()} == {
        "a": [999, 999],
        "b": [999, 999],
        "c": [998, 999],
    }


@pytest.mark.parametrize("kind", ["grid", "zip"])
def test_no_axes_is_a_single_trajectory(kind):
    plan = design(kind=kind)
    assert number_of_samples(plan, HERE) == 1
    assert rows(plan, 0, 1, HERE) == {}


def test_too_large_grid_is_refused_with_its_size():
    axes = {name: {"linspace": [0, 1, 10**6]} for name in "ab"}
    plan = design(kind="grid", axes=axes)
    with pytest.raises(ConfigError, match=r"design\.axes: 1,000,000,000,000 samples \(a 1,0") as e:
        number_of_samples(plan, HERE)
    one_line(e)


def test_too_large_sampler_is_refused():
    with pytest.raises(ConfigError, match=r"design\.size: 1,000,000,001 samples \(sobol\)"):
        number_of_samples(sampler("sobol", 10**9 + 1), HERE)


def test_zip_of_unequal_axes_is_refused():
    axes = {"a": {"linspace": [0, 1, 7]}, "b": {"values": [1, 2]}}
    with pytest.raises(ConfigError, match=r"lengths differ: a 7, b 2; .*grid") as error:
        number_of_samples(design(kind="zip", axes=axes), HERE)
    one_line(error)


@pytest.mark.parametrize("law", [{"values": [1, 2, 1.0]}, {"linspace": [2, 2, 3]}])
def test_repeated_level_is_refused_in_a_grid_only(law):
    with pytest.raises(ConfigError, match=r"design\.axes\.b: the level [12] occurs") as error:
        grid_levels(design(kind="grid", axes={"a": {"values": [0]}, "b": law}))
    one_line(error)
    assert len(rows(design(kind="zip", axes={"b": law}), 0, 3, HERE)["b"]) == 3


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (3, 2), (0, 65)])
def test_rows_outside_are_refused(start, stop):
    with pytest.raises(ValueError, match="are not among the 64"):
        rows(sampler("random"), start, stop, HERE)


# Samplers


@pytest.mark.parametrize("kind", SAMPLERS)
@lean
@given(cuts=st.lists(st.integers(0, 203), max_size=5), seed=st.integers(0, 2**80))
def test_sampler_chunks_are_the_whole(kind, cuts, seed):
    plan = sampler(kind, size=203, seed=seed)
    assert_same_rows(in_chunks(plan, cuts), rows(plan, 0, 203, HERE))


@pytest.mark.parametrize("kind", SEQUENTIAL)
@lean
@given(size=st.integers(1, 100), more=st.integers(0, 100))
def test_more_samples_keep_the_first(kind, size, more):
    few, many = sampler(kind, size=size), sampler(kind, size=size + more)
    assert_same_rows(rows(few, 0, size, HERE), rows(many, 0, size, HERE))


@pytest.mark.parametrize("kind", SAMPLERS)
def test_seed_matters_and_repeats(kind):
    first = rows(sampler(kind, seed=1), 0, 64, HERE)
    assert_same_rows(first, rows(sampler(kind, seed=1), 0, 64, HERE))
    other = rows(sampler(kind, seed=2), 0, 64, HERE)
    assert all((first[name] != other[name]).any() for name in first)


@pytest.mark.parametrize("kind", ["random", "latin_hypercube"])
def test_an_axis_does_not_depend_on_the_others(kind):
    alone = rows(sampler(kind, b={"uniform": [0, 1]}), 0, 64, HERE)
    axes = {name: {"uniform": [0, 1]} for name in "abc"}
    among = rows(sampler(kind, **axes), 0, 64, HERE)
    np.testing.assert_array_equal(alone["b"], among["b"])
    assert (among["a"] != among["b"]).all()


PINNED = {
    "random": (
        [0.7992280997501754, 0.25578706072315327],
        [-0.7666873219410338, -1.7521189856835524],
    ),
    "sobol": ([0.2927154848584905, 0.245535466237925], [0.6907002044235095, -0.38425810254808823]),
    "halton": (
        [0.08222483568602834, 0.8322248356860283],
        [-1.9662438296827687, 0.2023815676937428],
    ),
    "latin_hypercube": (
        [0.6104852560161653, 0.05308694382643893],
        [1.0524997388047046, 0.23894914621670968],
    ),
}


@pytest.mark.parametrize("kind", SAMPLERS)
def test_published_samples_stay(kind):
    """A new version of odeflow, NumPy or SciPy must not change the samples of a study unseen."""
    plan = sampler(kind, 8, 0, x={"uniform": [0, 1]}, y={"normal": [0, 1]})
    got = rows(plan, 5, 7, HERE)
    np.testing.assert_allclose([got["x"], got["y"]], PINNED[kind], rtol=1e-13)


@pytest.mark.parametrize("kind", ["sobol", "halton"])
def test_rows_far_ahead_cost_little(kind):
    plan = sampler(kind, size=10**9, x={"uniform": [0, 1]}, y={"uniform": [0, 1]})
    start = 10**8 if kind == "sobol" else 10**9 - 3
    far = rows(plan, start, start + 3, HERE)
    assert all(((values > 0) & (values < 1)).all() for values in far.values())


@pytest.mark.parametrize("kind", ["sobol", "latin_hypercube"])
def test_one_sample_a_stratum(kind):
    """Both put one of 2**m samples into each of 2**m equal intervals, on every axis."""
    axes = {name: {"uniform": [0, 1]} for name in "abc"}
    for values in rows(sampler(kind, 128, **axes), 0, 128, HERE).values():
        np.testing.assert_array_equal(np.sort((values * 128).astype(int)), np.arange(128))


def test_latin_hypercube_axes_are_paired_at_random():
    got = rows(sampler("latin_hypercube", 512), 0, 512, HERE)
    order = np.array([stats.rankdata(values) for values in got.values()])
    off_diagonal = np.corrcoef(order)[np.triu_indices(len(order), 1)]
    assert np.abs(off_diagonal).max() < 0.2


@pytest.mark.parametrize("kind", ["sobol", "halton"])
def test_coverage_is_more_even_than_at_random(kind):
    axes = {name: {"uniform": [0, 1]} for name in "ab"}

    def discrepancy(kind):
        return stats.qmc.discrepancy(
            np.column_stack(list(rows(sampler(kind, 256, **axes), 0, 256, HERE).values()))
        )

    assert discrepancy(kind) < discrepancy("random") / 5


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("kind", SAMPLERS)
def test_tiny_samplers(kind, size):
    got = rows(sampler(kind, size), 0, size, HERE)
    assert all(values.shape == (size,) and np.isfinite(values).all() for values in got.values())
    assert all(values.shape == (0,) for values in rows(sampler(kind, size), 0, 0, HERE).values())


# Distributions


class Truncated:
    """A law of SciPy's conditioned on an interval."""

    def __init__(self, law, low, high):
        self._law, self._low, self._high = law, low, high

    def ppf(self, unit):
        below, above = self._law.cdf([self._low, self._high])
        return self._law.ppf(below + (above - below) * unit)

    def cdf(self, values):
        below, above = self._law.cdf([self._low, self._high])
        return (self._law.cdf(values) - below) / (above - below)

    def support(self):
        return self._low, self._high


def reference(law):
    given = LAWS[law]
    if law == "uniform":
        return stats.uniform(given[0], given[1] - given[0])
    if law == "loguniform":
        return stats.loguniform(*given)
    if law == "normal":
        return stats.norm(*given)
    if law == "lognormal":
        return stats.lognorm(given[1], scale=math.exp(given[0]))
    if law == "trunclaplace":
        return Truncated(stats.laplace(*given[:2]), *given[2:])
    mean, deviation, low, high = given
    if law == "truncloglaplace":
        return Truncated(stats.loglaplace(1 / deviation, scale=math.exp(mean)), low, high)
    return stats.truncnorm((low - mean) / deviation, (high - mean) / deviation, mean, deviation)


@pytest.mark.parametrize("law", LAWS)
def test_quantiles_are_scipys(law):
    unit = np.array([2.0**-53, 1e-9, 1e-3, 0.25, 0.5, 0.75, 0.999, 1 - 1e-9])
    got = quantile(Axis.model_validate({law: LAWS[law]}), unit)
    np.testing.assert_allclose(got, reference(law).ppf(unit), rtol=1e-10)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("kind", SAMPLERS)
def test_samples_follow_their_law(kind, law):
    values = rows(sampler(kind, 2000), 0, 2000, HERE)[law]
    assert stats.kstest(values, reference(law).cdf).pvalue > 1e-3


@pytest.mark.parametrize("law", LAWS)
def test_laws_are_finite_and_bounded_at_the_ends_of_the_unit_interval(law):
    values = quantile(Axis.model_validate({law: LAWS[law]}), np.array([2.0**-53, 1 - 2.0**-53]))
    assert np.isfinite(values).all()
    low, high = reference(law).support()
    assert low <= values[0] < values[1] <= high


@pytest.mark.parametrize("bounds", [(2.0, 3.0), (-9.0, -8.0), (-900.0, -899.0), (700.0, 900.0)])
def test_truncated_laplace_beside_its_peak_is_exponential(bounds):
    unit = np.array([1e-6, 0.3, 0.5, 0.9])
    low, high = bounds
    got = quantile(Axis.model_validate({"trunclaplace": [0.0, 1.0, low, high]}), unit)
    near, far = (low, high) if low > 0 else (-high, -low)
    of = unit if low > 0 else 1 - unit
    distance = -np.log1p(of * math.expm1(near - far))
    np.testing.assert_allclose(got, np.sign(low) * (near + distance), rtol=1e-12)


def test_lognormal_by_its_median():
    a, b = (
        quantile(Axis.model_validate({"lognormal": law}), np.linspace(0.1, 0.9, 9))
        for law in ({"median": 5.0, "sigma": 0.3}, [math.log(5.0), 0.3])
    )
    np.testing.assert_array_equal(a, b)
    assert a[4] == pytest.approx(5.0, rel=1e-15)


@pytest.mark.parametrize(
    ("law", "median"),
    [
        ([0.0, 1.0, 30.0, 31.0], 30 + math.log(2) / 30),  # an exponential tail
        ([0.0, 1.0, -31.0, -30.0], -30 - math.log(2) / 30),
        ([5.0, 1.0, -1e300, 1e300], 5.0),
        ([0.0, 1e-300, 1.0, 2.0], 1.0),
        ([0.0, 1e-300, -2.0, -1.0], -1.0),
        ([0.0, 1.0, 0.9e8, 1e8], 0.9e8),
        ([0.0, 1.0, 1.1e8, 1.2e8], 1.1e8),
        ([1.0, 1e6, 3.0, 4.0], 3.5),
    ],
)
def test_truncated_normal_far_from_its_mean(law, median):
    low, mid, high = quantile(Axis.model_validate({"truncnormal": law}), np.array([0.1, 0.5, 0.9]))
    assert law[2] <= low <= mid <= high <= law[3]
    assert mid == pytest.approx(median, rel=1e-4)


def test_truncated_normal_is_symmetric():
    unit = np.array([1e-6, 0.2, 0.5, 0.8])
    right = quantile(Axis(truncnormal=(0, 1, 1, 3)), unit)
    left = quantile(Axis(truncnormal=(0, 1, -3, -1)), 1 - unit)
    np.testing.assert_allclose(right, -left, rtol=1e-9)


def test_uniform_over_all_of_float64():
    values = quantile(Axis(uniform=(-1.5e308, 1.5e308)), np.array([0.25, 0.5]))
    np.testing.assert_allclose(values, [-0.75e308, 0])


@pytest.mark.parametrize(
    "law", [{"normal": [1e308, 1e308]}, {"lognormal": [700, 10]}, {"lognormal": [0, 100]}]
)
def test_law_that_leaves_float64_is_refused(law):
    config = experiment(kind="random", size=4, axes={"km": law})
    with pytest.raises(ConfigError, match=r"^design\.axes\.km: within 8\.3 standard dev") as error:
        check_axes(config, HERE)
    one_line(error)


# Tables


def table_file(folder: Path, suffix: str, columns: dict[str, np.ndarray]) -> str:
    name = f"table.{suffix}"
    if suffix == "csv":
        lines = [
            ",".join(columns),
            *(",".join(map(repr, map(float, r))) for r in zip(*columns.values())),
        ]
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    elif suffix == "parquet":
        parquet.write_table(pa.table(columns), folder / name)
    else:
        data = {key: ("sample", values) for key, values in columns.items()}
        numbers = {"sample": np.arange(len(next(iter(columns.values()))))}
        xr.Dataset(data, numbers).to_netcdf(folder / name)
    return name


def table(name: str) -> DesignConfig:
    return design(kind="table", path=name)


FORMATS = ["csv", "parquet", "nc"]


@pytest.mark.parametrize("suffix", FORMATS)
@in_folder
@given(
    data=st.lists(
        st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**40), 2**40)),
        min_size=1,
        max_size=20,
    ),
    cuts=st.lists(st.integers(0, 20), max_size=3),
)
def test_tables_read_back_and_in_chunks(tmp_path, suffix, data, cuts):
    columns = {
        "km": np.array([row[0] for row in data], float),
        "vmax": np.array([row[1] for row in data], np.int64),
    }
    (tmp_path / f"table.{suffix}").unlink(missing_ok=True)
    plan = table(table_file(tmp_path, suffix, columns))
    assert axis_names(plan, tmp_path) == ["km", "vmax"]
    assert number_of_samples(plan, tmp_path) == len(data)
    whole = rows(plan, 0, len(data), tmp_path)
    assert_same_rows(whole, {name: values.astype(float) for name, values in columns.items()})
    assert_same_rows(in_chunks(plan, [min(c, len(data)) for c in cuts], tmp_path), whole)


def test_digest_of_rows_is_of_their_content(tmp_path):
    km, vmax = np.linspace(0, 1, 8), np.linspace(2, 3, 8)
    digests = set()
    for suffix in FORMATS:
        plan = table(table_file(tmp_path, suffix, {"km": km[:6], "vmax": vmax[:6]}))
        digests.add(table_digest(plan, tmp_path, 0, 4))
    (digest,) = digests  # the format does not matter
    assert len(digest) == 16
    grown = table(table_file(tmp_path, "csv", {"km": km, "vmax": vmax}))
    assert table_digest(grown, tmp_path, 0, 4) == digest
    assert table_digest(grown, tmp_path, 4, 8) != digest
    assert table_digest(grown, tmp_path, 0, 3) != digest
    for other in (
        {"km": np.where(km > 0, km, 1e-300), "vmax": vmax},
        {"vmax": km, "km": vmax},
        {"kn": km, "vmax": vmax},
    ):
        plan = table(table_file(tmp_path, "csv", other))
        assert table_digest(plan, tmp_path, 0, 4) != digest


def test_a_table_that_changes_is_read_again(tmp_path):
    plan = table(table_file(tmp_path, "csv", {"km": np.arange(3.0)}))
    assert number_of_samples(plan, tmp_path) == 3
    taken = rows(plan, 0, 3, tmp_path)["km"]
    taken += 1  # the caller's own
    assert rows(plan, 0, 3, tmp_path)["km"][0] == 0
    table_file(tmp_path, "csv", {"km": np.arange(2.0)})
    with pytest.raises(ConfigError, match="has 2 rows, but samples 0 to 3 are needed") as error:
        rows(plan, 0, 3, tmp_path)
    one_line(error)


@pytest.mark.parametrize(
    "text",
    [
        "km,vmax\n1,2\n3,4\n",
        "\ufeffkm,vmax\r\n1,2\r\n3,4\r\n\r\n",  # as spreadsheets write it
        '"km", vmax \n 1.0, 2e0 \n"3",+4',
        "sep=,\r\nkm,vmax\r\n1,2\r\n3,4\r\n",
        '"sep=;"\nkm;vmax\n1;2\n3;4\n',
        "km,vmax,,\n1,2,,\n3,4,,\n,,,\n,,,\n",
        "km,vmax\n1,2,\n3,4,\n",
        "# of the assay in May\nkm,vmax\n# the second day: 5,6\n1,2\n3,4\n# done\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_csv_dialects(tmp_path, text, encoding):
    written = text if encoding == "utf-8" else text.lstrip("\ufeff")  # UTF-16 has its own mark
    (tmp_path / "t.csv").write_text(written, encoding=encoding, newline="")
    got = rows(table("t.csv"), 0, 2, tmp_path)
    assert {name: list(values) for name, values in got.items()} == {"km": [1, 3], "vmax": [2, 4]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("km,vmax\n1,2\n3,abc\n", "column 'vmax', row 2: 'abc' is not a number"),
        ("km,vmax\n1,2\n,4\n", "column 'km', row 2: the value is missing"),
        ("km,vmax\n1,nan\n3,4\n", "column 'vmax', row 1: the value is missing"),
        ("km,vmax\n1,2\n3,-inf\n", "column 'vmax', row 2: the value is -inf"),
        ("km,vmax\n1,2\n3\n", "row 2 has 1 values, the header 2 names"),
        ("km,vmax\n1,2\n\n3,4\n", "row 2 has 0 values, the header 2 names"),
        ("km,km\n1,2\n", "column 'km' occurs more than once"),
        ("km,vmax\n", "has no rows below its header"),
        ("", "is empty"),
        ("\n", "is empty"),
        ("km;vmax\n1;2\n", "columns are separated by commas"),
        ("km,\n1,2\n", "row 1 has 2 values, the header 1 names"),
        ("# km,vmax\n1,2\n", "its first line must name the columns"),
        ("km\n0,5\n", "row 1 has 2 values, .*; write 0.5 for 0,5 where commas"),
        ('km\n"0,5"\n', "column 'km', row 1: '0,5' is not a number; write 0.5 for 0,5"),
        ("1,2\n3,4\n", "its first line must name the columns, but is 1, 2"),
        (",km\n0,1\n", r"column 1 has no name.*index=False"),
        ('km\n"1\n', "cannot be read: unexpected end of data"),
    ],
)
def test_csv_mistakes(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ConfigError, match=rf"^design\.path: t\.csv: .*{message}") as error:
        number_of_samples(table("t.csv"), tmp_path)
    one_line(error)


def test_table_files_that_are_none(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "t.csv").write_bytes(b"km\n\xff\xfe\n")
    (tmp_path / "t.nc").write_bytes(b"not NetCDF")
    (tmp_path / "t.parquet").write_bytes(b"not Parquet")
    for name, message in (
        ("missing.csv", "no such file"),
        ("folder.csv", "is a folder"),
        ("t.xlsx", r"not a kind of table; write one of \.csv, \.parquet, \.nc"),
        ("t.csv", "is not text in UTF-8 or UTF-16; save it as that"),
        ("t.nc", "cannot be read"),
        ("t.parquet", "cannot be read"),
    ):
        with pytest.raises(ConfigError, match=rf"^design\.path: {name}: {message}") as error:
            axis_names(table(name), tmp_path)
        assert str(tmp_path) not in one_line(error).split(": ", 2)[1]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"km": ["a", "b"]}, "column 'km' holds string, not numbers"),
        ({"km": [True, False]}, "column 'km' holds bool, not numbers"),
        ({"km": [1.0, None]}, "column 'km', row 2: the value is missing"),
        ({"km": pa.array([None, 2], pa.int64())}, "column 'km', row 1: the value is missing"),
        ({"km": pa.array([], pa.float64())}, "has no rows"),
        ({}, "has no columns"),
    ],
)
def test_parquet_mistakes(tmp_path, columns, message):
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    with pytest.raises(ConfigError, match=message) as error:
        number_of_samples(table("t.parquet"), tmp_path)
    one_line(error)


def test_parquet_duplicate_columns(tmp_path):
    twice = pa.Table.from_arrays([pa.array([1.0])] * 2, names=["km", "km"])
    parquet.write_table(twice, tmp_path / "t.parquet")
    with pytest.raises(ConfigError, match="'km' occurs more than once"):
        number_of_samples(table("t.parquet"), tmp_path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"km": (("a", "b"), np.zeros((2, 2)))}, r"variable 'km' has the dimensions \(a, b\)"),
        ({"km": ("a", [1.0]), "vmax": ("b", [1.0])}, r"'vmax' has the dimensions \(b\)"),
        ({"km": ((), 1.0)}, r"'km' has the dimensions \(\)"),
        ({"km": ("a", ["x"])}, "variable 'km' does not hold numbers"),
        ({"km": ("a", [1.0, np.nan])}, "column 'km', row 2: the value is missing"),
    ],
)
def test_netcdf_mistakes(tmp_path, data, message):
    xr.Dataset(data).to_netcdf(tmp_path / "t.nc")
    with pytest.raises(ConfigError, match=message) as error:
        number_of_samples(table("t.nc"), tmp_path)
    one_line(error)


def test_netcdf_values_that_were_never_written_are_missing(tmp_path):
    with netCDF4.Dataset(tmp_path / "t.nc", "w") as file:
        file.createDimension("sample", 3)
        file.createVariable("km", "f8", ("sample",))[:2] = [1, 2]
    with pytest.raises(ConfigError, match="row 3: the value is missing"):
        number_of_samples(table("t.nc"), tmp_path)


# The design and its model


def test_axes_of_the_model_pass():
    axes = {"vmax": {"values": [1, 2]}, "substrate": {"values": [1, 2]}}
    check_axes(experiment(kind="grid", axes=axes), HERE)
    check_axes(experiment(kind="zip", axes=axes), HERE)
    check_axes(experiment(kind="grid"), HERE)
    check_axes(experiment(kind="sobol", size=3, axes={"km": {"lognormal": [0, 1]}}), HERE)


def test_unknown_axis_is_refused_with_a_hint():
    with pytest.raises(ConfigError) as error:
        check_axes(experiment(kind="grid", axes={"vmx": {"values": [1]}}), HERE)
    assert one_line(error) == (
        "design.axes.vmx: neither a parameter nor a state of model michaelis_menten, nor named by "
        "a dose; did you mean vmax? parameters: vmax, km, states: substrate, enzyme; "
        "t1 is a trajectory's end"
    )


def test_unknown_column_is_refused(tmp_path):
    name = table_file(tmp_path, "csv", {"km": np.ones(2), "zzz": np.ones(2)})
    with pytest.raises(ConfigError, match=r"^design\.path: table\.csv: column 'zzz': neither"):
        check_axes(experiment(kind="table", path=name), tmp_path)


def test_array_state_is_refused():
    config = experiment(kind="grid", axes={"field": {"values": [1]}})
    with pytest.raises(ConfigError, match=r"axes\.field: the state field is an array \(3\)") as e:
        check_axes(config, HERE)
    one_line(e)


def test_axis_whose_coordinate_is_taken_is_refused():
    data = experiment(kind="grid", axes={"enzyme": {"values": [1]}}).model_dump()
    data["model"]["parameters"]["initial_enzyme"] = {"value": 1.0}
    with pytest.raises(ConfigError, match="calls this axis initial_enzyme") as error:
        check_axes(Config.model_validate(data), HERE)
    one_line(error)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"kind": "grid", "axes": {"km": {"values": [1, 1]}}}, "occurs more than once"),
        ({"kind": "zip", "axes": {"km": {"logspace": [0, 400, 2]}}}, "design.axes.km: logspace"),
        (
            {"kind": "zip", "axes": {"km": {"values": [1]}, "vmax": {"values": [1, 2]}}},
            "lengths differ",
        ),
    ],
)
def test_check_sees_what_expansion_would(keys, message):
    with pytest.raises(ConfigError, match=message):
        check_axes(experiment(**keys), HERE)


def design_dataset(config, folder: Path) -> xr.Dataset:
    design_to_file(config, folder, folder / "design.nc")
    return xr.load_dataset(folder / "design.nc")


def test_dataset_of_a_grid(tmp_path):
    axes = {"vmax": {"linspace": [8, 12, 3]}, "substrate": {"values": [6, 12]}}
    config = experiment(kind="grid", axes=axes)
    made = design_dataset(config, tmp_path)
    assert dict(made.sizes) == {"sample": 6}
    assert made["sample"].dtype == np.int64
    assert list(made.data_vars) == ["vmax", "initial_substrate"]
    assert made["initial_substrate"].dtype == np.float64
    assert made["vmax"].attrs == {"units": "1/min", "long_name": "rate"}
    assert made["initial_substrate"].attrs == {
        "units": "mmol/L",
        "long_name": "initial concentration",
    }
    assert "seed" not in made.attrs
    assert json.loads(made.attrs["axes"]) == ["vmax", "substrate"]
    assert json.loads(made.attrs["grid_axes"]) == list(made.data_vars)
    shape = json.loads(made.attrs["grid_shape"])
    levels = grid_levels(config.design)["vmax"]
    np.testing.assert_array_equal(made["vmax"].values.reshape(shape)[:, 1], levels)


def test_dataset_of_a_sampler(tmp_path):
    config = experiment(kind="halton", size=5, seed=2**100, axes={"km": {"normal": [0, 1]}})
    made = design_dataset(config, tmp_path)
    assert made.attrs == {"kind": "halton", "axes": '["km"]', "seed": str(2**100)}
    assert made["km"].attrs["long_name"] == "km"
    np.testing.assert_array_equal(made["km"], rows(config.design, 0, 5, HERE)["km"])


def test_dataset_without_axes(tmp_path):
    made = design_dataset(experiment(kind="grid"), tmp_path)
    assert dict(made.sizes) == {"sample": 1}
    assert (made.attrs["axes"], made.attrs["grid_shape"]) == ("[]", "[]")


def test_dataset_of_a_table_is_a_table(tmp_path):
    name = table_file(tmp_path, "csv", {"km": np.arange(1.0, 4.0)})
    design_to_file(experiment(kind="table", path=name), tmp_path, tmp_path / "design.nc")
    again = rows(table("design.nc"), 0, 3, tmp_path)
    assert_same_rows(again, rows(table(name), 0, 3, tmp_path))


def test_importing_designs_is_cheap():
    """The Snakefile imports them, and every job parses the Snakefile."""
    heavy = "{'jax', 'scipy', 'pandas', 'xarray', 'pyarrow', 'netCDF4', 'numba'}"
    code = f"import sys, odeflow.design; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
