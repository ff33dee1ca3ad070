"""A table that changed: only rows that no chunk holds are solved, and all values are right."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from odeflow.engines.choice import Resources
from odeflow.ensemble.chunk_file import read_chunk
from odeflow.ensemble.known_rows import known_rows
from odeflow.importers.study.compose import compose
from odeflow.workflow.chunks import chunks
from odeflow.workflow.stages.solve import solve_chunk
from tests.support.snakes import EXPERIMENT_YAML, make_study

TABLE = EXPERIMENT_YAML.replace("/design: grid", "/design: table").replace(
    "  axes:\n    k: {linspace: [0.5, 2.0, 4]}", "  path: rates.csv"
)
START = [0.5, 1.0, 1.5, 2.0]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return make_study(tmp_path, TABLE)


def solve(study: Path, rates: list[float], *overrides: str) -> tuple[int, xr.Dataset]:
    """Rows solved for a table of these rates, and the chunk."""
    (study / "rates.csv").write_text("k\n" + "".join(f"{rate}\n" for rate in rates))
    config = compose("experiment=decay", "runtime.threads=1", *overrides, study=study)
    (chunk,) = chunks(config, study)
    file = study / chunk.file
    resources = Resources(threads=1, cache=study / "results/cache")
    solved = solve_chunk(config, study, chunk.start, chunk.stop, file, resources)
    (whole,) = read_chunk(file)
    assert whole["sample"].values.tolist() == list(range(len(rates)))
    assert whole["k"].values.tolist() == rates
    exact = 3 * np.exp(-np.outer(rates, whole["time"]))
    np.testing.assert_allclose(whole["y"], exact, rtol=1e-5, atol=1e-7)
    return solved, whole


@pytest.mark.parametrize(
    "rates, new",
    [
        ([*START, 2.5], 1),
        ([0.5, 1.25, 1.5, 2.0], 1),
        (START[::-1], 0),
        ([3.0, *START[::-1], 2.5], 2),
        ([1.0, 1.0], 0),
        ([7.0], 1),
    ],
    ids=["appended", "edited", "reordered", "all of it", "removed", "other rows"],
)
def test_only_what_is_new_is_solved(rates: list[float], new: int, study: Path):
    assert solve(study, START)[0] == len(START)
    solved, chunk = solve(study, rates)
    assert solved == new
    for file in (study / "results/chunks").glob("*/*.nc"):
        file.unlink()
    alone, all_solved = solve(study, rates)
    assert alone == len(rates)
    assert chunk.identical(all_solved)  # to the last bit, attributes too
    assert list(chunk.variables) == list(all_solved.variables)


def test_rows_are_handed_on_from_chunk_to_chunk(study: Path):
    tables = [START, [*START, 3.0], [3.0, 0.7, 2.0, 0.5], [0.7, 1.5]]
    assert [solve(study, rates)[0] for rates in tables] == [4, 1, 1, 0]


def test_what_was_solved_otherwise_or_is_damaged_is_not_taken(study: Path):
    solve(study, START)
    assert solve(study, START, "solver.rtol=1e-7")[0] == len(START)
    for file in (study / "results/chunks").glob("*/*.nc"):
        file.write_bytes(file.read_bytes()[:-50])
    assert solve(study, [*START, 2.5])[0] == 5


def test_a_longer_sobol_run_in_one_chunk_solves_what_is_new(tmp_path: Path):
    sobol = EXPERIMENT_YAML.replace("/design: grid", "/design: sobol").replace(
        "axes:\n    k: {linspace: [0.5, 2.0, 4]}", "size: 8\n  axes:\n    k: {uniform: [0.5, 2]}"
    )
    study, solved = make_study(tmp_path, sobol), []
    for size in (8, 12):
        config = compose("experiment=decay", f"design.size={size}", study=study)
        (chunk,) = chunks(config, study)
        resources = Resources(threads=1, cache=study / "results/cache")
        args = (config, study, chunk.start, chunk.stop, study / chunk.file, resources)
        solved.append(solve_chunk(*args))
    assert solved == [8, 4]


def test_bits_tell_rows_apart(study: Path):
    solve(study, START)
    config = compose("experiment=decay", study=study)
    (chunk,) = chunks(config, study)
    columns = {"k": np.array([1.0, np.nextafter(1.0, 2.0), 0.0, -0.0])}
    known = known_rows(config, columns, (study / chunk.file).with_stem("00000-other"))
    assert known is not None and known.places.tolist() == [0]
