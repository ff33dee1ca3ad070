"""The source that a result comes from, and its digests. Cheap, and without JAX."""

from __future__ import annotations

import hashlib
import tokenize
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from odeflow.files.digests import digest
from odeflow.files.source_code import PACKAGE, bare_code, installed_file, module_file, source_tree

if TYPE_CHECKING:
    from odeflow.config.model import ModelConfig

#: The module of the stage that solves: what it imports decides the numbers of a trajectory.
SOLVING = "odeflow.workflow.stages.solve"
#: The stage of an estimation's starts: what it imports decides their numbers.
FITTING = "odeflow.workflow.stages.fit"


@cache
def source_digest(module: str) -> str:
    """Digest of an odeflow module and of every odeflow module it imports, directly or not.

    `module` is dotted, such as `odeflow.workflow.stages.solve`. Comments and docstrings do not
    change it, nor does an unrelated module: that is what decides whether a stage's files are stale.
    """
    return files_digest(PACKAGE.parent, stage_code(module))


def stage_code(module: str) -> dict[Path, bytes]:
    """The files that a module of odeflow runs, and their code without what says nothing."""
    parts = module.split(".")
    ways = [module_file(parts[:depth]) for depth in range(1, len(parts) + 1)]
    if ways[-1] is None:
        raise ValueError(f"no module {module}")
    tree = source_tree(filter(None, ways), PACKAGE.parent)
    return {path: bare_code(text) for path, text in tree.items()}


def model_sources(references: Iterable[str], study: Path) -> dict[str, str]:
    """Text by name of the files that function references name, and of the neighbours they import.

    The name of a study's file is relative to the study, that of a module's to where its package
    is: nothing of the machine is in it. Of a package only its own files are taken.
    """
    found: dict[str, str] = {}
    for target in dict.fromkeys(reference.rsplit(":", 1)[0] for reference in references):
        if target.endswith(".py"):
            start, prefix = study / target, PurePosixPath(target).parent
            root, within = start.parent, start.parent
        else:
            parts, prefix = target.split("."), PurePosixPath()
            start = module_file(parts) or installed_file(parts)
            root = start and _import_root(start, parts)
            within = root and _package(root, parts)
        if start is None or root is None or within is None or not start.is_file():
            continue
        for path in source_tree([start], root, within):
            name = path.relative_to(root.resolve()).as_posix()
            with tokenize.open(path) as file:  # in the file's encoding; newlines are \\n
                found[str(prefix / name)] = file.read()
    return dict(sorted(found.items()))


def model_source_digest(reference: str, study: Path) -> str:
    """Digest of the file a function reference names and of its neighbours that it imports.

    `reference` is `module:function` or `file.py:function`. An installed module outside odeflow
    counts by its file; where there is no file, by its name.
    """
    target = reference.rsplit(":", 1)[0]
    if target.endswith(".py"):
        path = study / target
        return _tree_digest(path, path.parent) if path.is_file() else ""
    parts = target.split(".")
    path = module_file(parts) or installed_file(parts)
    if path is None:
        return ""
    root = _import_root(path, parts)
    return _tree_digest(path, root, _package(root, parts))


def _package(root: Path, parts: list[str]) -> Path:
    """Where the files are that belong to a module: its package, or the module's own file."""
    package = root / parts[0]
    return package if package.is_dir() else package.with_suffix(".py")


def model_digests(model: ModelConfig, study: Path) -> list[str]:
    """Digests of all source that a model's equations come from: code, or an SBML file."""
    if model.is_imported:
        return [digest(model_texts(model, study))]
    return [model_source_digest(reference, study) for reference in model.functions]


def all_sources(model: ModelConfig, study: Path) -> dict[str, str]:
    """The text of each file that a model's equations come from: code, SBML or Antimony."""
    return model_sources(model.functions, study) | model_texts(model, study)


def model_texts(model: ModelConfig, study: Path) -> dict[str, str]:
    """The text of each file that holds an imported model, by the name in the config.

    Empty for a model that the config itself holds, and for one that is code.
    """
    from odeflow.importers.sbml.source import source_of

    source = source_of(model, study)
    return {} if source is None or source.is_inline else {source.name: source.text}


def _import_root(path: Path, parts: list[str]) -> Path:
    depth = len(parts) if path.name == "__init__.py" else len(parts) - 1
    return path.parents[depth]


def _tree_digest(start: Path, root: Path, within: Path | None = None) -> str:
    """Digest over `start` and all files that it imports, as `source_tree` has them."""
    return files_digest(root, source_tree([start], root, within))


def files_digest(root: Path, found: Mapping[Path, bytes]) -> str:
    """Digest of the names, relative to a folder, and the contents of files."""
    root = root.resolve()
    named = ((str(path.relative_to(root)), text) for path, text in found.items())
    return digest(sorted((name, hashlib.sha256(text).hexdigest()) for name, text in named))
