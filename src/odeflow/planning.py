"""From what a user asks for to the files that have to exist. Cheap, and without JAX.

This is all that the Snakefile imports: it composes and checks every experiment before any job
runs, and says for each which files it has and what each of its stages depends on.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from odeflow.chunks import Chunk, chunks
from odeflow.config.base import ConfigError
from odeflow.config.compose import compose, flatten_overrides
from odeflow.config.design import SEQUENTIAL
from odeflow.config.outputs import EFFORT, RuntimeConfig
from odeflow.config.root import Config
from odeflow.figure_choice import figure_kinds
from odeflow.metrics import reduced_summary
from odeflow.provenance import PACKAGE, source_digest

RESULTS = Path("results")


@dataclass(frozen=True)
class Experiment:
    """One validated experiment: its config, its files and what its stages depend on."""

    config: Config
    study: Path

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.config.name

    @property
    def folder(self) -> Path:
        """Its results folder, relative to the study."""
        return RESULTS / self.name

    @cached_property
    def chunks(self) -> list[Chunk]:
        """The solved chunks it is made of, in order."""
        return chunks(self.config, self.study)

    @property
    def chunk_files(self) -> list[str]:
        """Files of the chunks, relative to the study."""
        return [str(RESULTS / chunk.path) for chunk in self.chunks]

    @cached_property
    def figures(self) -> list[str]:
        """Kinds of figures it draws."""
        return figure_kinds(self.config)

    def figure_files(self, kind: str) -> list[str]:
        """Files of one kind of figure, a file a format."""
        return [str(self.folder / "figures" / f"{kind}.{f}") for f in self.config.plot.formats]

    @property
    def tables(self) -> list[str]:
        """Files of the user's that the design is read from."""
        path = self.config.design.path
        return [] if path is None else [path]

    @property
    def verification(self) -> str | None:
        """File of the verification, if trajectories are verified."""
        return str(self.folder / "verification.nc") if self.config.is_verified else None

    @property
    def targets(self) -> list[str]:
        """The files that a finished experiment has."""
        fixed = ["design.nc", "ensemble.nc", "summary.nc", "failures.csv", "overview.html"]
        figures = [file for kind in self.figures for file in self.figure_files(kind)]
        verification = [self.verification] if self.verification else []
        return [str(self.folder / name) for name in fixed] + verification + figures

    @property
    def checks(self) -> list[str]:
        """The files that it has besides if nothing speaks against its results."""
        return [str(self.folder / "logs" / "passed")]

    def threads(self, cores: int | None) -> int:
        """Cores of one solving job: as asked, or the cores there are shared among the chunks."""
        if self.config.runtime.threads != "auto":
            return self.config.runtime.threads
        return max(1, (cores or 1) // len(self.chunks))

    def stage_spec(self, stage: str) -> dict[str, Any]:
        """What a stage is given and depends on besides its input files: plain data.

        `config` is the experiment's config, with the groups that the stage does not use left at
        what they are for every experiment; `source` is a digest of the code that runs.
        """
        groups = _STAGE_GROUPS[stage]
        kept = ("max_failed",) if stage == "overview" else ()
        config = _numbers_of(self.config, *kept)
        return {
            "config": config.slice("name", *groups),
            "source": source_digest(f"odeflow.{_STAGE_MODULES[stage]}"),
        }

    def chunk_spec(self, chunk: Chunk) -> dict[str, Any]:
        """What solving one chunk is given; the same for every experiment that shares the chunk."""
        groups = ("model", "design", "doses", "stop", "solver", "saveat", "runtime")
        data = _numbers_of(self.config).slice(*groups)
        data["summary"] = reduced_summary(self.config).model_dump(mode="json")
        if self.config.design.kind in SEQUENTIAL and self.config.design.size is not None:
            data["design"]["size"] = chunk.stop  # rows before it do not depend on what follows
        return {"config": {"name": "shared", **data}, "start": chunk.start, "stop": chunk.stop}


def _numbers_of(config: Config, *kept: str) -> Config:
    """The config without what cannot change a number: no stage is to run again for that.

    Except for the keys of `runtime` that are to be kept.
    """
    standard = RuntimeConfig.model_validate({})
    effort = {key: getattr(standard, key) for key in EFFORT if key not in kept}
    return config.model_copy(update={"runtime": config.runtime.model_copy(update=effort)})


_STAGE_GROUPS = {
    "design": ("model", "design", "doses"),
    "assemble": ("model", "design", "doses", "stop", "solver", "saveat", "runtime", "summary"),
    "summarise": ("model", "design", "saveat", "summary"),
    "verify": ("model", "design", "solver", "saveat", "runtime", "verify"),
    "plot": ("model", "design", "saveat", "summary", "plot"),
    "diagnose": ("model", "design", "solver", "saveat", "runtime"),
    "overview": (
        *("model", "design", "doses", "stop", "solver", "saveat", "summary", "runtime", "plot"),
        "verify",
    ),
}
_STAGE_MODULES = {
    "design": "design",
    "assemble": "assemble",
    "summarise": "summary",
    "verify": "verification",
    "plot": "plots",
    "diagnose": "failures",
    "overview": "overview",
}


def share_source() -> None:
    """Lets the jobs that this process starts import the same odeflow as it does itself."""
    paths = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)


def names_in(settings: Mapping[str, Any], key: str) -> list[str]:
    """The names that a setting lists: `experiment=a,b` or a list of names.

    Raises ConfigError where it is neither.
    """
    asked = settings.get(key) or ""
    if not isinstance(asked, str | list):
        raise ConfigError(f"{key}: expected a name or a list of names (got {asked!r})")
    names = asked.split(",") if isinstance(asked, str) else [str(name) for name in asked]
    return [name.strip() for name in names if name.strip()]


def plan(settings: Mapping[str, Any], study: Path) -> dict[str, Experiment]:
    """Every experiment asked for, by name, composed and checked.

    `settings` is what Snakemake parsed from `config/workflow.yaml` and `--config`. Raises
    ConfigError, one line.
    """
    others = {k: v for k, v in settings.items() if k not in {"experiment", "resolvers"}}
    resolvers = names_in(settings, "resolvers")
    overrides = flatten_overrides(others)
    experiments: dict[str, Experiment] = {}
    for asked in names_in(settings, "experiment") or [None]:
        chosen = [] if asked is None else [f"experiment={asked}"]
        config = compose(*chosen, *overrides, study=study, resolvers=resolvers)
        if config.name in experiments:
            raise ConfigError(
                f"name: two of the experiments asked for are called {config.name!r} and would "
                "share one results folder; give each its own name"
            )
        experiments[config.name] = Experiment(config, study)
    return experiments


def chunk_table(experiments: Mapping[str, Experiment]) -> dict[str, tuple[Experiment, Chunk]]:
    """File of every chunk needed -> the chunk and an experiment that has it; shared ones once."""
    return {
        str(RESULTS / chunk.path): (experiment, chunk)
        for experiment in experiments.values()
        for chunk in experiment.chunks
    }
