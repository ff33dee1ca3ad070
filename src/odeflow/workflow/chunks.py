"""How a design is cut into chunks, and the file each chunk is kept in. Cheap, and without JAX.

The folder of a chunk is a digest of all that decides its numbers, so that a finished chunk is
never stale, is shared by every experiment that needs it, and is found again after a change back.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odeflow.config.design import SEQUENTIAL
from odeflow.config.metrics import reduced_summary
from odeflow.config.root import Config
from odeflow.config.saved_times import solve_times
from odeflow.config.wanted import wanted_metrics
from odeflow.design import axis_names, has_own_ends, number_of_samples, table_digest
from odeflow.files.digests import digest
from odeflow.importers.model_data import data_digests
from odeflow.problem.methods import METHODS
from odeflow.provenance.observed.manifest import reading_digest
from odeflow.provenance.sources import SOLVING, model_digests, source_digest
from odeflow.provenance.versions import numerical_packages, versions

#: Everything that is made, relative to the study.
RESULTS = Path("results")
#: Bytes of results that a chunk holds at most, and trajectories it holds at most.
_CHUNK_BYTES = 2**31
_CHUNK_MOST = 2**20
#: Bytes of a trajectory's schedule for each of its jumps, roughly.
_JUMP_BYTES = 128
#: Seconds of work on one core that a chunk should have: start-up is a few.
_CHUNK_SECONDS = 60.0
#: Seconds per trajectory, roughly: a few hundred steps of the native engine, per state (explicit
#: methods) or per entry of the Jacobian; the diffrax engine takes some ten times longer.
_SECONDS_A_STATE, _SECONDS_AN_ENTRY, _DIFFRAX_FACTOR = 2e-6, 1e-6, 10.0


@dataclass(frozen=True)
class Chunk:
    """Samples start..stop of a design and the file, relative to the study.

    Files are text: there may be ten thousand, and each is asked for many times. `pilot` is the
    file for what the folder's first chunk measures, which the other chunks wait for; None where
    the first chunk is not full, so that there are no others.
    """

    start: int
    stop: int
    file: str
    pilot: str | None = None

    @property
    def size(self) -> int:
        """Number of trajectories."""
        return self.stop - self.start

    @property
    def is_pilot(self) -> bool:
        """Whether others wait for it."""
        return self.start == 0 and self.pilot is not None


def chunk_size(config: Config) -> int:
    """Trajectories per chunk: as asked, or a power of two that bounds its bytes and its time.

    Depends on what one trajectory is and not on how many there are, so that a longer run keeps
    the chunks of a shorter one.
    """
    if config.runtime.chunk_size != "auto":
        return config.runtime.chunk_size
    fitting = min(
        _CHUNK_BYTES / trajectory_bytes(config), _CHUNK_SECONDS / _seconds(config), _CHUNK_MOST
    )
    return 2 ** int(math.log2(max(fitting, 1)))


def trajectory_bytes(config: Config) -> int:
    """Bytes of the results of one trajectory."""
    itemsize = 8 if config.runtime.precision == "float64" else 4
    kept = config.saveat.variables
    scalars = sum(
        math.prod(state.shape)
        for name, state in config.model.states.items()
        if kept is None or name in kept
    )
    observables = config.model.observables
    if observables is not None:
        names = observables.variables  # undeclared ones are not known here
        declared = sum(kept is None or name in kept for name in names)
        scalars += declared if names else len(config.model.states)
    scalars *= 1 + len(config.saveat.sensitivities or [])
    reduced = reduced_summary(config, own_ends=False)
    values = (len(solve_times(config)) + len(reduced.metrics)) * max(scalars, 1)
    for name in {name for names in reduced.named.values() for name in names}:
        state = config.model.states.get(name)
        number = len(wanted_metrics(reduced, name)) - len(reduced.metrics)
        values += number * (1 if state is None else math.prod(state.shape))
    for event in config.saveat.events.values():
        named = config.model.states if event.variables is None else event.variables
        shapes = [config.model.states[x].shape for x in named if x in config.model.states]
        kept = 1 + sum(map(math.prod, shapes)) + len(named) - len(shapes)
        values += event.most * kept
    jumps = sum(dose.number_of_jumps for dose in config.doses)
    return itemsize * values + _JUMP_BYTES * jumps


def _seconds(config: Config) -> float:
    """Of one trajectory on one core, to an order of magnitude."""
    size = sum(math.prod(state.shape) for state in config.model.states.values())
    size *= 1 + len(config.saveat.sensitivities or [])
    method = METHODS[config.solver.candidates[0]]
    seconds = _SECONDS_AN_ENTRY * size**2 if method.implicit else _SECONDS_A_STATE * size
    return seconds * (_DIFFRAX_FACTOR if config.runtime.engine == "diffrax" else 1.0)


def solve_slice(config: Config, axes: Iterable[str]) -> dict[str, Any]:
    """The part of the config that decides the numbers of a trajectory, as plain data."""
    data = config.slice("model", "doses", "stop", "solver", "saveat")
    # what they say is in the other keys and the model's text
    data["model"] |= dict.fromkeys(("omex", "sedml", "task", "algorithm", "edits"))
    reduced = reduced_summary(config, has_own_ends(config, axes))
    data["summary"] = reduced.model_dump(mode="json")
    runtime = config.slice("runtime")["runtime"]
    return data | {key: runtime[key] for key in ("engine", "device", "precision", "retry")}


def design_slice(config: Config) -> dict[str, Any]:
    """The part of the config that decides which sample stands in which row."""
    design = config.slice("design")["design"]
    if config.design.kind in SEQUENTIAL:
        design |= {"size": None, "path": None}
    design |= {"petab": None, "nonmem": None}  # what they say is in the other keys
    if design["records"] is not None:
        design["records"] |= {"carried": None, "meanings": None, "observed": None}
    if design["theta"] is not None:
        design["theta"] |= {"replicates": None}  # more of them keep the first
    elif design["random_effects"] is not None:
        design["random_effects"] |= {"subjects": None}  # so do these
    if not config.design.is_sampler:
        design.pop("seed")
    return design


def solve_digest(config: Config, study: Path) -> str:
    """Digest of all that decides the numbers of the chunks: config, source, versions, size."""
    made_by = solve_sources(config, study)
    axes = axis_names(config.design, study)
    parts = (solve_slice(config, axes), design_slice(config), axes, chunk_size(config))
    return digest(*parts, made_by["packages"], sources_in_order(made_by))


def sources_in_order(made_by: Mapping[str, Any]) -> list[str]:
    """The digests of what `solve_sources` has of code and data, one after another."""
    return [made_by["source"], *made_by["model"], made_by["data"], made_by["reading"]]


def solve_sources(config: Config, study: Path, stage: str = SOLVING) -> dict[str, Any]:
    """What decides numbers that are solved for besides the config: code, data, versions; by name.

    `stage` is the module that solves.
    """
    return {
        "source": source_digest(stage),
        "model": model_digests(config.model, study),
        "data": data_digests(config.model, study),
        "reading": reading_digest(config.model, study),
        "packages": versions(numerical_packages(config.model, config.runtime.device)),
    }


def chunks(config: Config, study: Path) -> list[Chunk]:
    """All chunks of an experiment, in order.

    A chunk is named by its number; the last one, if it is not full, also by its length, and a
    table's also by a digest of its rows: the folder's digest does not cover those.
    """
    total, size = number_of_samples(config.design, study), chunk_size(config)
    folder = RESULTS / "chunks" / solve_digest(config, study)
    result: list[Chunk] = []
    pilot = None
    for number, start in enumerate(range(0, total, size)):
        stop = min(start + size, total)
        name = f"{number:05d}"
        if stop - start < size:
            name += f"-n{stop - start}"
        if config.design.kind == "table":
            name += "-" + table_digest(config.design, study, start, stop)
        if number == 0 and stop == size:
            pilot = f"{folder}/{name}.pilot.json"
        result.append(Chunk(start, stop, f"{folder}/{name}.nc", pilot))
    return result
