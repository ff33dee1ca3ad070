# Composes and checks every experiment before any job: a mistake is one line, and nothing runs.
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# The checkout's own source, here and in the jobs, whatever else is installed.
SOURCE = workflow.basedir + "/src"
sys.path.insert(0, SOURCE)
os.environ["PYTHONPATH"] = os.pathsep.join([SOURCE, os.environ.get("PYTHONPATH", "")]).strip(":")

from odeflow.config.base import ConfigError
from odeflow.planning import chunk_table, plan

try:
    EXPERIMENTS = plan(config, Path.cwd())
    CHUNKS = chunk_table(EXPERIMENTS)
except ConfigError as error:
    raise WorkflowError(f"config: {error}") from None


wildcard_constraints:
    experiment="|".join(EXPERIMENTS),
    chunk="[0-9a-f]{16}/[0-9a-z-]+",


def experiment_of(wildcards):
    return EXPERIMENTS[wildcards.experiment]


def spec_of(stage):
    return lambda wildcards: experiment_of(wildcards).stage_spec(stage)
