# Composes and checks every experiment before any job: a mistake is one line, and nothing runs.
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# The checkout's own source, whatever else is installed.
sys.path.insert(0, f"{workflow.basedir}/src")

from odeflow.config.base import ConfigError
from odeflow.ownership import check_results
from odeflow.planning import chunk_table, names_in, plan, share_source

share_source()
try:
    EXPERIMENTS = plan(config, Path.cwd())
    CHUNKS = chunk_table(EXPERIMENTS)
    check_results(EXPERIMENTS.values(), Path.cwd())
except ConfigError as error:
    raise WorkflowError(f"config: {error}") from None


wildcard_constraints:
    experiment="|".join(EXPERIMENTS),
    chunk="[0-9a-f]{16}/[0-9][0-9a-z-]+",
    digest="[0-9a-f]{16}",


def experiment_of(wildcards):
    return EXPERIMENTS[wildcards.experiment]


def spec_of(stage):
    return lambda wildcards: experiment_of(wildcards).stage_spec(stage)


def chunk_of(wildcards):
    """The chunk that a file holds, and an experiment that has it."""
    return CHUNKS[f"results/chunks/{wildcards.chunk}.nc"]


def chunk_spec(wildcards):
    experiment, chunk = chunk_of(wildcards)
    return experiment.chunk_spec(chunk)


def model_spec(wildcards):
    """What checking the model of a folder of chunks is given."""
    folder = f"results/chunks/{wildcards.digest}/"
    experiment, chunk = next(CHUNKS[file] for file in CHUNKS if file.startswith(folder))
    return experiment.chunk_spec(chunk)


def verification_of(experiment):
    """The verification as an input by name, if trajectories are verified."""
    return {} if experiment.verification is None else {"verification": experiment.verification}


def figures_of(experiment):
    """Every figure file by name; the first format of each kind goes into the report."""
    files = {}
    for kind in experiment.figures:
        shown, *others = experiment.figure_files(kind)
        files[kind] = report(
            shown,
            caption=f"../report/{kind}.rst",
            category=experiment.name,
            labels={"page": kind.replace("_", " ")},
        )
        files |= {f"{kind}_{Path(other).suffix[1:]}": other for other in others}
    return files
