"""`odeflow new`: a small study that runs, to be changed into one's own."""

import re
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from odeflow.config.base import check_variable_name
from odeflow.files.errors import ConfigError
from odeflow.files.extras import needed
from odeflow.workflow.commands import new_study
from odeflow.workflow.commands.parser import Commands

#: The key of the config that names a model's file, by the file's suffix.
_KEYS = {".xml": "sbml", ".sbml": "sbml", ".ant": "antimony"}
_TASKS = {".omex": "omex", ".sedml": "sedml"}
#: Names of folders in `results/` that are the workflow's own.
_TAKEN = {"chunks", "cache", "compare"}


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "new",
        help="write a small study that runs, with comments",
        description="Writes a small study that runs: a model, an experiment, and how to run it. "
        "Nothing that is there is overwritten.",
    )
    parser.add_argument("folder", type=Path, help="the study's folder; its name is the study's")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="take the model from a file in SBML (.xml, .sbml) or Antimony (.ant), or all tasks of "
        "a COMBINE archive (.omex) or SED-ML file (.sedml), an experiment for each",
    )
    parser.set_defaults(run=_new)


def _new(given: Namespace) -> None:
    written = write_study(given.folder, given.source)
    print("written: " + ", ".join(map(str, written)))
    run = "odeflow run"  # all that `config/workflow.yaml` names, where that is written
    if all(path.name != "workflow.yaml" for path in written):
        run += f" experiment={given.folder.resolve().name}"
    print(f"next: cd {given.folder} && {run}")


def write_study(folder: Path, source: Path | None = None) -> list[Path]:
    """Writes a study called like its folder, which runs as it is.

    Arguments:
        folder: where it goes; made where it is missing.
        source: a model in SBML or Antimony, an archive or a SED-ML file, which is copied into it;
            None for a model in Python.

    Returns:
        The files.

    Raises:
        ConfigError: where the name is not fit for an experiment, a file is there already, or the
            model cannot be read. Nothing is written then.
    """
    name = folder.resolve().name
    _check_name(name)
    if source is None:
        files = new_study.own_model(name)
    elif source.suffix.lower() in _TASKS:
        files = _tasks(name, source)
    else:
        files = _imported(name, source)
    there = [file for file in files if (folder / file).exists()]
    if there:
        raise ConfigError(f"{folder / there[0]}: is there already; name a new folder")
    for file, content in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content)
    return [folder / file for file in files]


def _check_name(name: str) -> None:
    """Raises ConfigError where an experiment, or its model, could not be called so."""
    try:
        check_variable_name(new_study.model_name(name))
        usable = re.fullmatch(r"[A-Za-z0-9_-]+", name) and name not in _TAKEN
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            f"{name}: no name for a study; letters, digits, '_' and '-', a letter first, no word "
            f"of Python's or the dataset's, and not {', '.join(sorted(_TAKEN))}"
        )


def _imported(name: str, source: Path) -> Mapping[str, bytes]:
    """The files of a study of a model's file, which varies the first parameter that is not 0."""
    from odeflow.importers.sbml.config import imported_model

    key = _KEYS.get(source.suffix.lower())
    if key is None:
        raise ConfigError(f"{source}: a model ends with {', '.join((*_KEYS, *_TASKS))}")
    content = _content(source)
    model = imported_model({key: source.name}, source.parent)
    values = {
        axis: one.get(field)
        for group, field in (("parameters", "value"), ("states", "initial"))
        for axis, one in model[group].items()
    }
    axis = next((x for x, v in values.items() if isinstance(v, int | float) and v != 0), None)
    if axis is None:
        raise ConfigError(f"{source}: no parameter or state has a value that could be varied")
    return new_study.of_a_file(name, source.name, content, key, axis, float(values[axis]))


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None


def _tasks(name: str, source: Path) -> Mapping[str, bytes]:
    """The files of a study of an archive or a SED-ML file: an experiment for each task."""
    key = _TASKS[source.suffix.lower()]
    with needed(f"model.{key}"):
        from odeflow.importers.sedml.tasks import every_task
    found = every_task({key: source.name}, source.parent)
    experiments: dict[str, dict[str, str]] = {}
    ids = [task for _, task, _ in found]
    for file, task, _ in found:
        said = {key: source.name, "sedml": file.name, "task": task}
        own = (
            task
            if ids.count(task) == 1 and task not in _TAKEN
            else f"{Path(file.name).stem}_{task}"
        )
        experiments[own] = said
    names = [source.name]
    names += [model for _, _, models in found for model in models] if key == "sedml" else []
    contents = {file: _content(source.parent / file) for file in dict.fromkeys(names)}
    return {**contents, **new_study.of_tasks(name, source.name, experiments)}
