"""From what a user asks for to the files that have to exist. Cheap, and without JAX.

This is all that the Snakefile imports: it composes and checks every experiment before any job
runs, and says for each which files it has and what each of its stages depends on.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from odeflow.chunks import Chunk, chunks, trajectory_bytes
from odeflow.config.base import ConfigError
from odeflow.config.compose import compose, flatten_overrides
from odeflow.config.design import SEQUENTIAL
from odeflow.config.outputs import EFFORT, RuntimeConfig
from odeflow.config.root import Config
from odeflow.figure_choice import figure_kinds
from odeflow.metrics import reduced_summary
from odeflow.petab.meaning import measurements_digest
from odeflow.pilot import Measurement, advice, memory_mb, minutes, read_measurement
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
        names = ("design.nc", "summary.nc", "failures.csv", "overview.html")
        fixed = [str(self.folder / name) for name in names]
        figures = [file for kind in self.figures for file in self.figure_files(kind)]
        verification = [self.verification] if self.verification else []
        return [self.ensemble, *fixed, *verification, *figures]

    @property
    def checks(self) -> list[str]:
        """The files that it has besides if nothing speaks against its results."""
        return [str(self.folder / "logs" / "passed")]

    @property
    def ensemble(self) -> str:
        """The file, or the folder, of all trajectories."""
        suffix = {"netcdf": "nc", "zarr": "zarr"}[self.config.assemble.format]
        return str(self.folder / f"ensemble.{suffix}")

    def threads(self, chunk: Chunk, cores: int | None) -> int:
        """Cores of one solving job: as asked, or the cores there are shared among the chunks.

        The pilot, which all others wait for, takes them all. Not with Diffrax alone: its program
        depends on the number of devices, and the others would compile theirs once more.
        """
        if self.config.runtime.threads != "auto":
            return self.config.runtime.threads
        if chunk.is_pilot and self.config.runtime.engine != "diffrax":
            return cores or 1
        return max(1, (cores or 1) // max(len(self.chunks) - (chunk.pilot is not None), 1))

    def memory_mb(self, chunk: Chunk) -> int:
        """Memory that a solving job asks a cluster for."""
        return memory_mb(chunk.size * self._trajectory_bytes, measured_lately(chunk))

    def minutes(self, chunk: Chunk, threads: int) -> int:
        """Time limit that a solving job asks a cluster for."""
        return minutes(chunk.size, threads, measured_lately(chunk))

    @property
    def advice(self) -> str:
        """What its first chunk cost, and what that means for a larger run."""
        first = self.chunks[0]
        cut = f"{self.name}: {len(self.chunks)} chunks of {first.size:,} trajectories"
        return "\n  ".join([cut, *advice(first.size, measured_lately(first))])

    @cached_property
    def _trajectory_bytes(self) -> int:
        return trajectory_bytes(self.config)

    def stage_spec(self, stage: str) -> dict[str, Any]:
        """What a stage is given and depends on besides its input files: plain data.

        `config` is the experiment's config, with the groups that the stage does not use left at
        what they are for every experiment; `source` is a digest of the code that runs.
        """
        groups = _STAGE_GROUPS[stage]
        kept = ("max_failed",) if stage == "overview" else ()
        config = _numbers_of(self.config, *kept)
        measured = measurements_digest(self.config, self.study) if stage == "summarise" else None
        return {
            "config": config.slice("name", *groups),
            "source": source_digest(f"odeflow.{_STAGE_MODULES[stage]}"),
            **({} if measured is None else {"measurements": measured}),
        }

    def chunk_spec(self, chunk: Chunk) -> dict[str, Any]:
        """What solving one chunk is given; the same for every experiment that shares the chunk."""
        data = self._solve_data
        if self.config.design.kind in SEQUENTIAL and self.config.design.size is not None:
            # rows before it do not depend on what follows
            size = -(-chunk.stop // self.config.design.runs)
            data = data | {"design": data["design"] | {"size": size}}
        return {"config": data, "start": chunk.start, "stop": chunk.stop}

    @cached_property
    def _solve_data(self) -> dict[str, Any]:
        """The config of its chunks, as plain data; once, since there may be many."""
        groups = ("model", "design", "doses", "stop", "solver", "saveat", "runtime")
        data = _numbers_of(self.config).slice(*groups)
        data["summary"] = reduced_summary(self.config).model_dump(mode="json")
        return {"name": "shared", **data}


def measured_lately(chunk: Chunk) -> Measurement | None:
    """What the pilot of a chunk measured, None before; one look a second for all its chunks."""
    if chunk.pilot is None:
        return None
    return _read_measurement(RESULTS / chunk.pilot, int(time.monotonic()))


@lru_cache(maxsize=64)
def _read_measurement(path: Path, second: int) -> Measurement | None:
    return read_measurement(path)


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
    "compare": ("model", "design", "solver", "saveat"),
}
_STAGE_MODULES = {
    "design": "design",
    "assemble": "assemble",
    "summarise": "summary",
    "verify": "verification",
    "plot": "plots",
    "diagnose": "failures",
    "overview": "overview",
    "compare": "comparison",
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
    ours = {"experiment", "compare", "resolvers"}
    others = {key: value for key, value in settings.items() if key not in ours}
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


def compared(
    settings: Mapping[str, Any], experiments: Mapping[str, Experiment]
) -> list[Experiment]:
    """The experiments that `compare` names, in that order; none without it.

    Raises ConfigError for a name that is not among the experiments, and for a single one.
    """
    names = names_in(settings, "compare")
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
        str(RESULTS / chunk.path): (experiment, chunk)
        for experiment in experiments.values()
        for chunk in experiment.chunks
    }
