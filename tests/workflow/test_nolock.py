"""Runs beside one another that ignore Snakemake's locks: none spoils what another is at."""

import shutil
from pathlib import Path

import pytest

from tests.support.faults import fault, results
from tests.support.snakes import copy_of, snakemake, start_snakemake
from tests.support.waiting_stages import HOLD, waiting

pytestmark = pytest.mark.slow

OTHER = "experiment=decay solver__rtol=1e-5"


@fault(
    "A second and a third run with `--nolock` at the same files",
    "the same command, when the first has ended",
    "they are refused in one line; the same bytes",
)
@pytest.mark.parametrize("config", ["experiment=decay", OTHER], ids=["same", "other"])
def test_runs_that_ignore_locks(config: str, undisturbed: Path, tmp_path: Path):
    study = copy_of(undisturbed, tmp_path)
    (study / "results/decay/ensemble.nc").unlink()
    with waiting(study, "assemble", flags=["--nolock"]) as (first, _, said):
        others = [start_snakemake(study, "--nolock", config=config) for _ in range(2)]
        for other in others:
            text, _ = other.communicate(timeout=240)
            assert other.returncode != 0 and "Traceback" not in text, text
            line = r": another run is using it (process "
            assert line in text and "run again when that one has ended" in text
        # what Snakemake knows of it is taken away
        shutil.rmtree(study / ".snakemake/metadata")
        for file in study.glob("results/**/.*.tmp"):
            file.unlink()
        (study / HOLD).unlink()
        first.wait(timeout=240)
        assert b"Traceback" not in b"".join(said), b"".join(said).decode()
    snakemake(study)
    assert results(study) == results(undisturbed)


def test_runs_that_begin_together(undisturbed: Path, tmp_path: Path):
    """Each ends well, one after another, or with one line; all may do that, and one alone does."""
    study = copy_of(undisturbed, tmp_path)
    runs = [start_snakemake(study, "--nolock", config=OTHER) for _ in range(3)]
    ended = [(run.communicate()[0], run.returncode) for run in runs]
    for text, code in ended:
        assert "Traceback" not in text, text
        assert code == 0 or "another run is using it" in text, text
    if 0 not in [code for _, code in ended]:
        snakemake(study, config=OTHER)
    assert "Nothing to be done" in snakemake(study, config=OTHER).stdout
