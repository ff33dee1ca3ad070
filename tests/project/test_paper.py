"""A user's own workflow that has this one as a module: `examples/paper`."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.snakes import PROJECT

pytestmark = pytest.mark.slow


def paper(folder: Path, *arguments: str) -> str:
    """What the paper's one command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def planned(folder: Path) -> dict[str, int]:
    """Number of jobs by rule that a dry run plans."""
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", paper(folder, "--dry-run"), re.MULTILINE))
    return {rule: int(number) for rule, number in jobs.items() if rule not in ("total", "paper")}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The paper of a fresh clone, after its one command."""
    clone = tmp_path_factory.mktemp("clone")
    for name in ("Snakefile", "config", "src", "workflow"):
        (clone / name).symlink_to(PROJECT / name)
    kept = shutil.ignore_patterns("results", "paper", ".snakemake")
    shutil.copytree(PROJECT / "examples/paper", clone / "examples/paper", ignore=kept)
    folder = clone / "examples/paper"
    paper(folder)
    return folder


def test_one_command_builds_figure_and_numbers(built: Path):
    assert (built / "paper/figure_1.pdf").read_bytes().startswith(b"%PDF")
    numbers = (built / "paper/numbers.tex").read_text()
    # the final size z of an epidemic with R0 = 2 solves 1 - z = exp(-2 z) (S(0) is close to 1)
    assert r"\newcommand{\ShareAtTwo}{79.7}" in numbers
    assert (built / "results/threshold/overview.html").exists()


def test_then_there_is_nothing_to_do(built: Path):
    assert "Nothing to be done" in paper(built, "--dry-run")


def test_a_changed_tolerance_redoes_what_depends_on_it(built: Path):
    experiment = built / "config/experiment/courses.yaml"
    before = experiment.read_text()
    try:
        experiment.write_text(before.replace("rtol: 1e-6", "rtol: 1e-7"))
        once = (
            *("solve", "assemble", "summarise", "verify", "diagnose", "overview"),
            *("plot_courses", "plot_results_courses", "plot_verification_courses"),
        )
        assert planned(built) == {
            **{f"odeflow_{rule}": 1 for rule in once},
            "odeflow_verdict": 2,  # each waits for the files of both experiments
            "figure_1": 1,
        }
    finally:
        experiment.write_text(before)
