"""What the live page says of results that are stale or lack a file, one line each."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from odeflow.config.root import Config
from odeflow.files.errors import ConfigError
from odeflow.provenance.records import read_record, record_file

#: What decides the numbers of an ensemble and its summary.
_GROUPS = ("model", "design", "doses", "stop", "solver", "saveat", "summary")
_MOST_NAMED = 4


def as_in_study(recorded: Config) -> tuple[Config, list[str]]:
    """A result's config with the plots that its study asks for, and what is otherwise there now.

    Arguments:
        recorded: what the result says that it was made of, in its study.

    Returns:
        The config, and a line where the study's experiment of this name has other settings. A
        study that has no such experiment, or none that can be read, says nothing.
    """
    from odeflow.importers.study.compose import compose

    study = recorded.study
    try:
        now = compose(f"experiment={recorded.name}", study=study)
    except (ConfigError, OSError):
        return recorded, []
    if now.name != recorded.name:
        return recorded, []
    changed = list(_differences(recorded.slice(*_GROUPS), now.slice(*_GROUPS)))
    config = recorded.model_copy(update={"plot": now.plot}).in_study(study)
    if not changed:
        return config, []
    more = f" and {len(changed) - _MOST_NAMED} more" if len(changed) > _MOST_NAMED else ""
    return config, [
        f"These results are of other settings than the experiment has now "
        f"({', '.join(changed[:_MOST_NAMED])}{more}): to make them as it says, odeflow run "
        f"experiment={recorded.name}"
    ]


def missing_or_stale(folder: Path, name: str) -> list[str]:
    """A line for what is not there, or was made of other files than are.

    Arguments:
        folder: the results.
        name: the experiment's name.
    """
    again = f"run odeflow run experiment={name}"
    if not (folder / "summary.nc").is_file():
        return [f"There is no summary.nc here, so there are no metrics: {again}"]
    read = _digests(read_record(folder / record_file("", "summarise").lstrip("/")), "inputs")
    made: dict[str, str] = {}
    for rule in ("assemble", "assemble_zarr"):
        made |= _digests(read_record(folder / record_file("", rule).lstrip("/")), "outputs")
    for file, digest in read.items():
        if file in made and made[file] != digest:
            return [f"summary.nc was made of another {file} than is here: {again}"]
    return []


def _digests(record: Mapping[str, Any], key: str) -> dict[str, str]:
    """Digests by the name of the file, wherever it was."""
    return {Path(file).name: digest for file, digest in record.get(key, {}).items()}


def _differences(one: Any, other: Any, key: str = "") -> Iterator[str]:
    """Dotted keys whose values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in {**one, **other}:
            yield from _differences(one.get(name), other.get(name), f"{key}.{name}".strip("."))
    elif one != other:
        yield key
