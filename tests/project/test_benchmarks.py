"""The benchmarks' problems are the same for every contender; the report says what was measured."""

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.fields import array_field, scalar_field, write_ring
from benchmarks.gpu import measure as measure_on_gpu
from benchmarks.measure import scaled_error, tightened
from benchmarks.problems import CASES, ring_case
from benchmarks.ratios import Asked, less_exact, ratio
from benchmarks.reference import native_solution, scipy_solution
from benchmarks.report import number, table, write_report
from benchmarks.run import known_results, measure_into, write_results
from benchmarks.since import parts_kept
from benchmarks.speed import with_ratios
from odeflow.engines.native.loop.cuda_launch import missing_device

MODULES = sorted(
    path.stem
    for path in Path("benchmarks").glob("*.py")
    if path.stem not in ("__init__", "gpu", "tight")
)
MODELS = {case.model_name: case for case in CASES.values()}


@pytest.mark.parametrize("name", MODULES)
def test_it_names_what_there_is(name: str):
    assert importlib.import_module(f"benchmarks.{name}").__doc__


@pytest.mark.parametrize("name", MODELS)
def test_fields_written_for_others_are_the_models(name: str):
    case = MODELS[name]
    lanes = case.lanes(3)
    y = np.abs(lanes.y0[:, 2]) + np.linspace(0.1, 0.3, len(lanes.y0))
    p = lanes.args[:, 2]
    expected = np.array(case.model.flat_vector_field(0.0, tuple(y), tuple(p)))
    if name == "ring":
        scalar = np.empty_like(y)
        write_ring(scalar, y, p)
    else:
        scalar = np.array(scalar_field(name)(0.0, y.tolist(), p.tolist()))
    for found in (scalar, array_field(name)(0.0, y, p)):
        size = np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13 * size)


@pytest.mark.parametrize("case", [CASES["seed_times"], ring_case(3, 2)], ids=lambda c: c.name)
def test_the_reference_agrees_with_scipy(case, tmp_path: Path):
    tight = native_solution(case, 2, 1, tmp_path)
    assert tight.shape == (2, len(case.times), len(case.model.components))
    _, difference = scaled_error(case, tight, scipy_solution(case, 2, 1e-10))
    assert difference < 0.05


def test_lanes_do_not_depend_on_how_many_there_are():
    few, many = CASES["robertson"].lanes(3), CASES["robertson"].lanes(50)
    np.testing.assert_array_equal(few.args, many.args[:, :3])
    low, high = CASES["robertson"].varied["k1"]
    assert (low < many.args[0]).all() and (many.args[0] < high).all()


def test_the_less_exact_one_is_the_one_run_again():
    run = lambda microseconds, error: {"microseconds": microseconds, "error": error}
    asked = Asked("seed", "naive", 10)
    native = {"base": run(1.0, 0.5)}
    tightened_other = {"base": run(20.0, 4.0), "matched": run(30.0, 0.4)}
    found = ratio(asked, {"native": native, "naive": tightened_other})
    assert found is not None
    assert (found.same_tolerance, found.equal_error, found.verdict) == (20.0, 30.0, "met")
    exact = {"base": run(20.0, 0.1)}
    assert less_exact(native["base"], exact["base"], 0.0)
    assert not less_exact(native["base"], exact["base"], certainty=1.0)
    native["as naive"] = {"method": "rodas5p", "run": run(4.0, 0.1)}  # type: ignore
    found = ratio(asked, {"native": native, "naive": exact})
    assert found is not None
    assert (found.equal_error, found.verdict) == (5.0, "missed")
    assert ratio(asked, {"native": native, "naive": {"reason": "not installed"}}) is None


def test_the_loosest_tolerance_that_is_exact_enough():
    ladder = [{"scale": s, "error": e} for s, e in ((1.0, 2.0), (0.3, 0.5), (0.1, 0.1))]
    assert tightened(ladder, 0.6) == 0.3
    assert tightened(ladder, 0.01) is None


@pytest.mark.skipif(missing_device() is None, reason="there is a GPU")
def test_without_a_gpu_the_report_says_unmeasured(tmp_path: Path):
    found = measure_on_gpu(10, tmp_path)
    results = {"machine": {"cores": 2, "cpu": "x", "python": "3", "versions": {}}, "seconds": {}}
    write_report(results | {"cases": {}, "gpu": found}, tmp_path)
    assert "The native engine: no GPU: unmeasured" in (tmp_path / "README.md").read_text()


def test_a_part_is_kept_until_it_is_measured_again_and_goes_where_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_results(
        {"cases": {"seed": 1, "gone": 2}, "compile": 3, "rivals": {"kepler": 4}}, tmp_path
    )
    results = known_results(tmp_path)
    assert (results["cases"], results["compile"]) == ({"seed": 1}, 3)
    measured = lambda session, name: {"kepler": {"certainty": 0}}[name]
    monkeypatch.setattr("benchmarks.run.measure_part", measured)
    session: Any = SimpleNamespace(elapsed=0.0)
    for name in ("kepler", "seed", "compile"):
        measure_into(results, session, name)
    assert (results["rivals"], results["cases"]) == ({"kepler": {"certainty": 0}}, {})
    assert "compile" not in results and {*results["seconds"]} == {"kepler", "seed", "compile"}


def test_what_became_slower_is_told_by_its_row():
    run = lambda microseconds: {"base": {"microseconds": microseconds, "error": 1.0}}
    rival = lambda time: {"runs": [{"error": 1e-4, "microseconds": time}]}
    page = lambda ours, **more: {
        "cases": {"seed": {"native": run(ours), "naive": run(100.0)}},
        "rivals": {
            "kepler": {"certainty": 0, "contenders": {"auto": rival(ours)} | more},
        },
    }
    old = page(2.0, casadi=rival(10.0))
    new = page(4.0, casadi=rival(10.0), heyoka=rival(1.0))  # who is new does not count
    assert {kept for _, kept in parts_kept(new, old)} == {0.5}
    assert {kept for _, kept in parts_kept({}, old)} == {None}


def test_pages_say_the_ratios_that_were_measured():
    ratios = {"a": {"naive": 20.04, "numbalsoda": 3.0, "cpp": 6.04}, "b": {"naive": 4100.0}}
    said = (
        "others over odeflow: 1 to 2 for jit(vmap(diffeqsolve)), 1 to 2 for numbalsoda, 9 for C++] "
        "1 to 2 times as fast as `jit` and 5.5 to 1,000 times\nas fast as numbalsoda"
    )
    assert with_ratios(said, ratios) == (
        "others over odeflow: 20 to 4,100 for jit(vmap(diffeqsolve)), 3 to 3 for numbalsoda, "
        "6 for C++] 20 to 4,100 times as fast as `jit` and 3 to 3 times\nas fast as numbalsoda"
    )


def test_table_and_numbers():
    assert table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"
    assert [number(x) for x in (0.0, 1234.5, 0.01234, 3.2e-7)] == [
        "0",
        "1,230",
        "0.0123",
        "3.2e-07",
    ]
