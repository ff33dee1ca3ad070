"""From what a user asks for to the experiments that run: composed and checked before any job.

Cheap, and without JAX: the Snakefile imports this and what it names.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from odeflow.config.sources import Request
from odeflow.files.digests import digest
from odeflow.files.errors import ConfigError
from odeflow.importers.study.compose import compose
from odeflow.provenance.records import Stage
from odeflow.workflow.chunks import RESULTS, Chunk
from odeflow.workflow.experiment import Experiment


def plan(request: Request, study: Path) -> dict[str, Experiment]:
    """Every experiment asked for, by name, composed and checked.

    Raises ConfigError, one line.
    """
    experiments: dict[str, Experiment] = {}
    for asked in request.experiments:
        chosen = [] if asked is None else [f"experiment={asked}"]
        overrides = (*chosen, *request.overrides)
        config = compose(*overrides, study=study, resolvers=request.resolvers)
        if config.name in experiments:
            raise ConfigError(
                f"name: two of the experiments asked for are called {config.name!r} and would "
                "share one results folder; give each its own name"
            )
        experiments[config.name] = Experiment(config, study)
    return experiments


def compared(request: Request, experiments: Mapping[str, Experiment]) -> list[Experiment]:
    """The experiments that `compare` names, in that order; none without it.

    Raises ConfigError for a name that is not among the experiments, and for a single one.
    """
    names = request.compare
    for name in names:
        if name not in experiments:
            raise ConfigError(
                f"compare: {name!r} is not one of the experiments asked for "
                f"({', '.join(experiments)}); add it to experiment"
            )
    if len(set(names)) != len(names) or len(names) == 1:
        raise ConfigError(f"compare: two different experiments are needed (got {','.join(names)})")
    return [experiments[name] for name in names]


def comparison_file(experiments: Sequence[Experiment]) -> str:
    """The page that compares these experiments."""
    return str(RESULTS / "compare" / f"{'-'.join(e.name for e in experiments)}.html")


def chunk_table(experiments: Mapping[str, Experiment]) -> dict[str, tuple[Experiment, Chunk]]:
    """File of every chunk needed -> the chunk and an experiment that has it; shared ones once."""
    return {
        chunk.file: (experiment, chunk)
        for experiment in experiments.values()
        for chunk in experiment.chunks
    }


def comparison_stage(experiments: Sequence[Experiment]) -> Stage:
    """The stage that writes the page."""
    page = Path(comparison_file(experiments))
    made = [(e.stage("assemble"), e.stage("summarise")) for e in experiments]
    return Stage(
        f"compare-{page.stem}",
        str(page.parent),
        digest([experiment.stage_spec("compare") for experiment in experiments]),
        {file: stage.record for pair in made for stage in pair for file in stage.outputs},
        (str(page),),
    )
