"""Real Snakemake runs in temporary folders, for tests."""

import os
import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]

#: A model of a user's own, small enough to solve in a second.
MODELS = """
def decay(t, y, args):
    return {"y": -args.k * y.y}
"""
MODEL_YAML = """
name: decay
vector_field: models.py:decay
t1: 2.0
time_units: h
states:
  y: {initial: 3.0, units: mg, long_name: amount}
parameters:
  k: {value: 1.0, units: 1/h, long_name: rate constant}
"""
EXPERIMENT_YAML = """
# @package _global_
defaults:
  - override /model: decay
  - override /design: grid
name: decay
design:
  axes:
    k: {linspace: [0.5, 2.0, 4]}
saveat:
  ts: {linspace: [0, 2, 5]}
plot:
  formats: [png]
  dpi: 50
"""


def make_study(folder: Path, experiment: str = EXPERIMENT_YAML) -> Path:
    """A study with a model, an experiment `decay` and nothing else."""
    for name in ("model", "experiment"):
        (folder / "config" / name).mkdir(parents=True, exist_ok=True)
    (folder / "models.py").write_text(MODELS)
    (folder / "config" / "model" / "decay.yaml").write_text(MODEL_YAML)
    (folder / "config" / "experiment" / "decay.yaml").write_text(experiment)
    return folder


def snakemake(
    study: Path, *arguments: str, config: str = "experiment=decay", check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Runs this project's Snakefile on a study; stderr and stdout together in `stdout`."""
    command = [
        sys.executable, "-m", "snakemake", "-s", str(PROJECT / "Snakefile"),
        "--directory", str(study), "--cores", "2", *arguments,
        *(["--config", *config.split()] if config else []),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONWARNINGS": "default"}
    done = subprocess.run(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
        cwd=study, check=False,
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stdout
    return done


def planned(study: Path, config: str = "experiment=decay") -> dict[str, int]:
    """Number of jobs by rule that a dry run plans, without `all`."""
    text = snakemake(study, "--dry-run", config=config).stdout
    table = re.search(r"Job stats:\njob\s+count\n[-\s]+\n((?:\S+\s+\d+\n)+)", text)
    if table is None:
        assert "Nothing to be done" in text, text
        return {}
    rows = (line.split() for line in table.group(1).splitlines())
    return {re.sub("_.*", "", rule): int(n) for rule, n in rows if rule not in {"all", "total"}}
