"""A study written from what a result says of it: config, model files, table."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from odeflow.config.root import Config
from odeflow.config.validate import validate
from odeflow.config.yaml_text import write_yaml
from odeflow.files.errors import ConfigError
from odeflow.provenance.stored_attributes import check_file_name

#: What a model has no need of where its file is the one that was read, changes made.
_STANDS_ALONE: dict[str, Any] = {"omex": None, "sedml": None, "task": None, "edits": []}


def study_files(
    config: Config, sources: Mapping[str, str], table: Mapping[str, np.ndarray] | None
) -> dict[str, str]:
    """Text by name of the files of a study that has this one experiment.

    `table` are the columns of a table design. Of `sources` those of a package are left out.
    """
    model = config.model.name
    data = config.slice("design", "doses", "stop", "solver", "saveat", "summary", "runtime")
    for key in ("chunk_size", "threads"):
        data["runtime"].pop(key)
    # what they say is in the other keys
    data["design"] |= {"petab": None, "nominal": False, "nonmem": None}
    record = config.slice("model")["model"] | _STANDS_ALONE
    texts = {f"config/model/{model}.yaml": write_yaml(record)}
    if table is not None:
        path = PurePosixPath(data["design"]["path"])
        if path.suffix != ".csv" or path.is_absolute():
            path = PurePosixPath("table.csv")
        data["design"]["path"] = str(path)
        texts[str(path)] = _csv(table)
    defaults = [
        {"override /model": model},
        {"override /design": config.design.kind},
        {"override /solver": config.solver.method},
    ]
    experiment = {"defaults": defaults, "name": config.name, **data}
    text = write_yaml(experiment)
    texts[f"config/experiment/{config.name}.yaml"] = f"# @package _global_\n{text}"
    about = config.about.model_dump(mode="json", exclude_defaults=True)
    if about:
        texts["study.yaml"] = write_yaml(about)
    if config.model.is_imported:
        texts |= sources
    own = [f.rsplit(":", 1)[0] for f in config.model.functions if ".py:" in f]
    folders = {str(PurePosixPath(file).parent) for file in own}
    for name, source in sources.items():
        if any(folder == "." or name.startswith(f"{folder}/") for folder in folders):
            texts[name] = source
    return texts


def write_files(texts: Mapping[str, str | bytes], folder: Path) -> list[Path]:
    """Writes files under a folder and returns them; runs none of them.

    Raises ConfigError, before anything is written, for a name that leads out of the folder or is
    no model's, and for a file that is there already.
    """
    for name in texts:
        check_file_name(name)
        if any(str(parent) in texts for parent in PurePosixPath(name).parents):
            raise ConfigError(f"the stored file {name!r} is below a file")
    paths = {name: (folder / name).resolve() for name in texts}
    for name, path in paths.items():
        if not path.is_relative_to(folder.resolve()):
            raise ConfigError(f"the stored file {name!r} is not inside a study")
        if os.path.lexists(path):
            raise ConfigError(f"{folder}: {name} is there already; name a new folder")
    try:
        for name, path in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            content = texts[name]
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{folder}: cannot be written ({error}); name a new folder") from None
    return [folder / name for name in texts]


def with_stored_functions(config: Config, sources: Mapping[str, str]) -> Config:
    """The same config with every function taken from a stored file, a module's too.

    So is the file of an imported model.
    """

    def of_file(reference: str) -> str:
        module, function = reference.rsplit(":", 1)
        file = module.replace(".", "/")
        for name in (f"{file}.py", f"{file}/__init__.py"):
            if not module.endswith(".py") and name in sources:
                return f"{name}:{function}"
        return reference

    data = config.model_dump(mode="json")
    model = data["model"]
    if config.model.is_imported:
        return validate({**data, "model": model | _STANDS_ALONE})
    model["vector_field"] = of_file(model["vector_field"])
    for key in ("observables", "invariants"):
        if model[key] is not None:
            model[key]["function"] = of_file(model[key]["function"])
    for state in model["states"].values():
        if isinstance(state["initial"], dict):
            state["initial"]["function"] = of_file(state["initial"]["function"])
    return validate(data)


def _csv(columns: Mapping[str, np.ndarray]) -> str:
    """A table with every number in as many digits as tell it from all others."""
    rows = zip(*(map(repr, map(float, column)) for column in columns.values()))
    return "\n".join(map(",".join, [list(columns), *rows])) + "\n"
