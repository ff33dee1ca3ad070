"""A run whose verification cannot keep up: it ends, says how far it came, and in time."""

import csv
from pathlib import Path

import pytest
import xarray as xr

from tests.support.snakes import make_study, snakemake


def seconds(tsv: Path) -> float:
    """The longest of what Snakemake measured of a job."""
    with tsv.open(encoding="utf-8", newline="") as file:
        return max(float(row["s"]) for row in csv.DictReader(file, delimiter="\t"))


@pytest.mark.slow
def test_a_heavy_verification_ends_in_its_budget_and_says_how_far_it_came(tmp_path: Path):
    """Oscillators from harmonic to very stiff over 3,000 units of time, of which an explicit method
    by SciPy needs some 200,000 evaluations each: far more than the engine takes for thousands.
    """
    config = "experiment=van_der_pol verify__number=500"
    done = snakemake(make_study(tmp_path), config=config, check=False)
    results = tmp_path / "results" / "van_der_pol"
    with xr.open_dataset(results / "verification.nc") as found:
        reason, verdict = found.attrs["verdict_reason"], found.attrs["verdict"]
        reached = found.sizes["sample"]
    assert 0 < reached < 500
    assert f"{reached:,} of 500 trajectories were reached in" in reason
    assert "(verify.budget)" in reason
    page = (results / "overview.html").read_text(encoding="utf-8")
    assert f"{reached} of 500 trajectories" in page
    assert verdict == "passed" and done.returncode == 0, done.stdout
    solving = sum(seconds(tsv) for tsv in (tmp_path / "results" / "chunks").rglob("*.tsv"))
    checking = seconds(results / "benchmarks" / "verify.tsv")
    print(f"solve {solving:.1f} s, verify {checking:.1f} s, {reached} of 500")
    assert checking < 2 * solving
