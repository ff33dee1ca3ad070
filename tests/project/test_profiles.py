"""The profiles that ship: what their jobs ask for. `test_slurm.py` runs them."""

import re
from pathlib import Path

import pytest

from tests.support.snakes import PROJECT, make_study, snakemake

PROFILES = PROJECT / "profiles"


def asked_by_rule(study: Path, profile: str, *arguments: str) -> dict[str, dict[str, str]]:
    """The resources of one job of each rule, as a dry run on this machine prints them."""
    options = ("--workflow-profile", str(PROFILES / profile), "--executor", "local", *arguments)
    two_chunks = "experiment=decay runtime__chunk_size=2"
    text = snakemake(study, "--dry-run", *options, config=two_chunks).stdout
    jobs = re.findall(r"^ *(?:local)?rule (\w+):\n(?:.*\n)*? +resources: (.*)$", text, re.MULTILINE)
    return {rule: dict(pair.split("=", 1) for pair in asked.split(", ")) for rule, asked in jobs}


@pytest.mark.slow
def test_solving_jobs_ask_for_a_gpu_and_others_do_not(tmp_path: Path):
    asked = asked_by_rule(make_study(tmp_path), "gpu", "--resources", "gpu=1")
    asking = {rule: resources["gpu"] for rule, resources in asked.items() if "gpu" in resources}
    assert asking == {"solve_pilot": "1", "solve": "1"}
    assert asked["assemble"]["mem_mb"] == "2000" and asked["assemble"]["runtime"] == "5"
