"""Real Snakemake runs in temporary folders, for tests."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from odeflow.config.sources import Request, SettingsSource, settle

PROJECT = Path(__file__).resolve().parents[2]

#: What `config/workflow.yaml` sets before `--config` does.
SHIPPED_SETTINGS = yaml.safe_load((PROJECT / "config" / "workflow.yaml").read_text())

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
#: Whose a study is: its `study.yaml`.
STUDY_YAML = """
creator:
  - {name: Ada Lovelace, url: "https://orcid.org/0000-0000-0000-0000", institution: Analytical}
  - Grace Hopper
license: CC-BY-4.0
keywords: [decay, kinetics]
summary: A substance that decays.
"""


def make_study(folder: Path, experiment: str = EXPERIMENT_YAML) -> Path:
    """A study with a model, an experiment `decay` and nothing else."""
    for name in ("model", "experiment"):
        (folder / "config" / name).mkdir(parents=True, exist_ok=True)
    (folder / "models.py").write_text(MODELS)
    (folder / "config" / "model" / "decay.yaml").write_text(MODEL_YAML)
    (folder / "config" / "experiment" / "decay.yaml").write_text(experiment)
    return folder


def request(settings: Mapping[str, Any], study: Path) -> Request:
    """What a command line's settings ask for, after those that ship."""
    return settle(
        [SettingsSource("shipped", SHIPPED_SETTINGS), SettingsSource("--config", settings)], study
    )


def start_snakemake(
    study: Path,
    *arguments: str,
    config: str = "experiment=decay",
    cores: int = 2,
    largest_file: int | None = None,
    environment: Mapping[str, str] | None = None,
    **how: Any,
) -> subprocess.Popen[str]:
    """Starts this project's Snakefile on a study; `largest_file` limits the bytes of its files.

    Without the default profile, so that all is said that Snakemake says. `environment` is added to
    the tests' own, `how` goes to `Popen`.
    """
    command = [
        sys.executable, "-m", "snakemake", "-s", str(PROJECT / "Snakefile"),
        "--directory", str(study), "--cores", str(cores), "--workflow-profile", "none", *arguments,
        *(["--config", *config.split()] if config else []),
    ]  # fmt: skip
    if largest_file is not None:
        command = ["prlimit", f"--fsize={largest_file}", *command]
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **how}
    env = {**os.environ, "PYTHONWARNINGS": "default", **(environment or {})}
    return subprocess.Popen(command, text=True, env=env, cwd=study, **how)


def snakemake(
    study: Path, *arguments: str, check: bool = True, **how: Any
) -> subprocess.CompletedProcess[str]:
    """Runs it to its end; stderr and stdout together in `stdout`."""
    process = start_snakemake(study, *arguments, **how)
    output, _ = process.communicate()
    done = subprocess.CompletedProcess(process.args, process.returncode, output)
    assert not check or done.returncode == 0, done.stdout
    return done


def planned(study: Path, config: str = "experiment=decay") -> dict[str, int]:
    """Number of jobs by rule that a dry run plans, without `all`."""
    text = snakemake(study, "--dry-run", config=config).stdout
    table = re.search(r"Job stats:\njob\s+count\n[-\s]+\n((?:\S+\s+\d+\n)+)", text)
    if table is None:
        assert "Nothing to be done" in text, text
        return {}
    jobs: dict[str, int] = {}
    for rule, number in (line.split() for line in table.group(1).splitlines()):
        if rule not in {"all", "total"}:
            name = re.sub("_.*", "", rule)
            jobs[name] = jobs.get(name, 0) + int(number)
    return jobs


def whole(study: Path) -> dict[Path, int]:
    """Chunks in place, and their inodes, which change where one is written again.

    Snakemake gives what is done a new date, so dates say nothing. A second link keeps an inode from
    being used again.
    """
    found = {}
    (study / "held").mkdir(exist_ok=True)
    for path in (study / "results/chunks").glob("*/*.nc"):
        number = path.stat().st_ino
        found[path] = number
        with contextlib.suppress(FileExistsError):
            os.link(path, study / "held" / str(number))
    return found


def copy_of(study: Path, folder: Path) -> Path:
    """A copy of a study in a folder, times of files and Snakemake's records included."""
    return Path(shutil.copytree(study, folder / "study", copy_function=shutil.copy2))
