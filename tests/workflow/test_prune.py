"""Pruning solved chunks: what nothing configured uses and that no run is using."""

from pathlib import Path

import pytest

from tests.support.faults import chunk_files, fault, results, waiting_jobs, waiting_study
from tests.support.snakes import make_study, planned, snakemake

pytestmark = pytest.mark.slow


def test_unused_chunks_are_listed_and_removed(tmp_path: Path):
    study = make_study(tmp_path)
    snakemake(study, "--until", "solve")
    used = set(chunk_files(study))
    snakemake(study, "--until", "solve", config="experiment=decay solver=dopri5")
    (unused,) = set(chunk_files(study)) - used
    listed = snakemake(study, "prune").stdout
    assert set(chunk_files(study)) == used
    assert f"  {unused.relative_to(study)}\n" in listed and not unused.parent.exists()
    assert not (study / "results/chunks/.leases").exists()
    assert planned(study).get("solve") is None


OTHER = "experiment=decay solver=dopri5"


@fault("`snakemake prune` beside a run with other overrides", "nothing", "the same bytes")
def test_pruning_beside_a_run(tmp_path: Path):
    alone = waiting_study(tmp_path / "alone")
    snakemake(alone, config=OTHER)
    study = waiting_study(tmp_path / "study")
    with waiting_jobs(study, 2, config=OTHER) as (process, _):
        (pilot,) = chunk_files(study)  # solved, and not yet assembled
        listed = snakemake(study, "prune").stdout
        assert f"{pilot.relative_to(study)}, kept: a run is using it" in listed and pilot.exists()
        (study / "hold").unlink()
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
    assert results(study) == results(alone)
    snakemake(study, "prune")
    assert chunk_files(study) == []


def test_what_a_killed_run_needed_is_removed(tmp_path: Path):
    study = waiting_study(tmp_path)
    with waiting_jobs(study, 2, config=OTHER) as (process, _):
        process.kill()
        process.wait()
        (lease,) = (study / "results/chunks/.leases").iterdir()
        snakemake(study, "--nolock", "prune")
        assert chunk_files(study) == [] and not lease.exists()
