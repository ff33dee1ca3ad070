"""What the first chunk measures, and what it changes: resources, and never a bit of the results."""

import json
import math
from pathlib import Path

import pytest

from odeflow.files.slabs import SLAB_BYTES
from odeflow.importers.study.compose import compose
from odeflow.workflow.experiment import Experiment
from odeflow.workflow.job_resources import threads
from odeflow.workflow.pilot import (
    ChunkCost,
    Stopwatch,
    advised_chunk_size,
    memory_mb,
    minutes,
    read_measurement,
    write_measurement,
)
from tests.support.snakes import EXPERIMENT_YAML, make_study, planned, snakemake, whole

CHUNKED = EXPERIMENT_YAML.replace("/design: grid", "/design: sobol").replace(
    "design:\n  axes:\n    k: {linspace: [0.5, 2.0, 4]}",
    "design:\n  size: 24\n  axes:\n    k: {uniform: [0.5, 2.0]}\nruntime:\n  chunk_size: 8",
)
MEASURED = ChunkCost(trajectories=1000, threads=2, seconds=90, seconds_each=0.06, peak_mb=800)


def experiment(study: Path, *overrides: str) -> Experiment:
    return Experiment(compose("experiment=decay", *overrides, study=study), study)


def test_only_a_full_first_chunk_with_room_for_others_is_a_pilot(tmp_path: Path):
    study = make_study(tmp_path, CHUNKED)
    three = experiment(study).chunks
    assert [chunk.is_pilot for chunk in three] == [True, False, False]
    assert {chunk.pilot for chunk in three} == {three[0].file.removesuffix(".nc") + ".pilot.json"}
    (alone,) = experiment(study, "design.size=7").chunks
    assert alone.pilot is None and not alone.is_pilot


def test_the_pilot_takes_all_cores_and_the_others_share_them(tmp_path: Path):
    study = make_study(tmp_path, CHUNKED)
    three = experiment(study)
    assert [threads(three, chunk, 8) for chunk in three.chunks] == [8, 4, 4]
    assert [threads(three, chunk, None) for chunk in three.chunks] == [1, 1, 1]
    assert [threads(three, chunk, 8, apart=True) for chunk in three.chunks] == [8, 8, 8]
    diffrax = experiment(study, "runtime.engine=diffrax")
    assert [threads(diffrax, chunk, 8) for chunk in diffrax.chunks] == [4, 4, 4]
    asked = experiment(study, "runtime.threads=3")
    assert [threads(asked, chunk, 8) for chunk in asked.chunks] == [3, 3, 3]


def test_resources_follow_from_what_was_measured():
    assert minutes(1000, 2, None) == 30
    assert memory_mb(2**24, None) == 1600
    assert memory_mb(2**40, None) == 100 * math.ceil(15 + 8 * SLAB_BYTES / 2**20 / 100)
    assert memory_mb(2**30, MEASURED) == 1200
    # three times (90 s + 1000 * 0.06 s), in minutes, and two
    assert minutes(1000, 2, MEASURED) == 2 + 8
    assert minutes(1000, 1, MEASURED) == 2 + 11
    assert advised_chunk_size(MEASURED) == 8192


def test_a_stopwatch_leaves_the_start_out(monkeypatch: pytest.MonkeyPatch):
    clock = iter([0.0, 50.0, 51.0, 53.0, 53.5])
    monkeypatch.setattr("odeflow.workflow.pilot.time.monotonic", lambda: next(clock))
    watch = Stopwatch(trajectories=400, threads=2)
    for done in (100, 200, 400):
        watch(done)
    measured = watch.stop()
    assert measured.seconds == 53.5
    assert measured.seconds_each == pytest.approx(3.0 / 300)
    assert measured.peak_mb > 10


def test_measurements_are_kept(tmp_path: Path):
    path = tmp_path / "00000.pilot.json"
    assert read_measurement(path) is None
    write_measurement(MEASURED, path)
    write_measurement(None, path)
    assert read_measurement(path) == MEASURED
    path.write_text("{")
    assert read_measurement(path) is None


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three chunks that has run once."""
    study = make_study(tmp_path_factory.mktemp("study"), CHUNKED)
    snakemake(study)
    return study


@pytest.mark.slow
def test_the_first_chunk_measures_for_the_others(finished: Path):
    (pilot,) = (finished / "results/chunks").glob("*/*.pilot.json")
    assert json.loads(pilot.read_text())["trajectories"] == 8
    text = snakemake(finished, "advice").stdout
    assert "decay: 3 chunks of 8 trajectories" in text
    assert "runtime.chunk_size=" in text


@pytest.mark.slow
def test_a_whole_chunk_is_kept_whatever_snakemake_thinks(finished: Path):
    before = whole(finished)
    ensemble = (finished / "results/decay/ensemble.nc").read_bytes()
    # One after the other: behind a job that runs Snakemake looks at none whose input is ancient.
    snakemake(finished, "--forcerun", "solve_pilot")
    snakemake(finished, "--forcerun", "solve")
    assert whole(finished) == before and len(before) == 3
    assert all("kept" in path.with_suffix(".log").read_text() for path in before)
    assert (finished / "results/decay/ensemble.nc").read_bytes() == ensemble
    assert planned(finished) == {}


@pytest.mark.slow
def test_a_lost_chunk_is_solved_alone(finished: Path):
    for lost in list(whole(finished))[:2]:
        before = whole(finished)
        lost.unlink()
        (finished / "results/decay/ensemble.nc").unlink()
        assert planned(finished)["solve"] == 1
        snakemake(finished)
        now = whole(finished)
        assert [path for path in now if now[path] != before[path]] == [lost]
