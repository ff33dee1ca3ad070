"""How a result was made: digests of config and source, versions. Cheap, and without JAX."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import tokenize
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from odeflow.source_code import PACKAGE, bare_code, module_file, source_tree

if TYPE_CHECKING:
    from odeflow.config.model import ModelConfig

VERSION = "0.1.0"
#: The module of the stage that solves: what it imports decides the numbers of a trajectory.
SOLVING = "odeflow.stages.solve"
#: Packages whose version can change the numbers of a trajectory.
NUMERICAL_PACKAGES = (
    "diffrax", "equinox", "jax", "jaxlib", "lineax", "numba", "numpy", "optimistix", "scipy",
)  # fmt: skip
#: Those that can besides where `runtime.device` is gpu.
_GPU_PACKAGES = ("jax-cuda12-plugin", "jax-cuda13-plugin", "numba-cuda")
#: What a dataset records besides.
RECORDED_PACKAGES = (*NUMERICAL_PACKAGES, "hydra-core", "netcdf4", "snakemake", "xarray")


def canonical_json(data: Any) -> str:
    """The one JSON text of plain data: sorted keys, no spaces, exact numbers."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(*parts: Any) -> str:
    """16 hexadecimal digits of SHA-256 over plain data."""
    return hashlib.sha256(canonical_json(list(parts)).encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions(packages: Iterable[str] = RECORDED_PACKAGES) -> dict[str, str]:
    """Installed versions by package, in order; packages that are not installed are left out."""
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@cache
def source_digest(module: str) -> str:
    """Digest of an odeflow module and of every odeflow module it imports, directly or not.

    `module` is dotted, such as `odeflow.stages.solve`. Comments and docstrings do not change it,
    nor does an unrelated module: that is what decides whether a stage's files are stale.
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
            start = module_file(parts) or _installed_file(parts)
            root = start and _import_root(start, parts)
            within = root and _package(root, parts)
        if start is None or root is None or within is None or not start.is_file():
            continue
        for path in source_tree([start], root, within):
            name = path.relative_to(root.resolve()).as_posix()
            with tokenize.open(path) as file:  # in the file's encoding; newlines are \\n
                found[str(prefix / name)] = file.read()
    return dict(sorted(found.items()))


def text_digest(text: str) -> str:
    """SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


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
    path = module_file(parts) or _installed_file(parts)
    if path is None:
        return ""
    root = _import_root(path, parts)
    return _tree_digest(path, root, _package(root, parts))


def _package(root: Path, parts: list[str]) -> Path:
    """Where the files are that belong to a module: its package, or the module's own file."""
    package = root / parts[0]
    return package if package.is_dir() else package.with_suffix(".py")


def file_of_module(name: str) -> Path | None:
    """The file of a module, odeflow's own or an installed one; None where it has none."""
    parts = name.split(".")
    return module_file(parts) or _installed_file(parts)


def model_digests(model: ModelConfig, study: Path) -> list[str]:
    """Digests of all source that a model's equations come from: code, or a file of SBML's."""
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
    from odeflow.sbml.source import model_source

    source = model_source({"sbml": model.sbml, "antimony": model.antimony}, study)
    return {} if source is None or source.is_inline else {source.name: source.text}


def numerical_packages(model: ModelConfig, device: str) -> tuple[str, ...]:
    """Packages whose version can change the numbers of this model's trajectories there."""
    readers = {"sbml": ("python-libsbml",), "antimony": ("antimony", "python-libsbml")}
    used = next((names for key, names in readers.items() if getattr(model, key)), ())
    used = (*used, *(_GPU_PACKAGES if device == "gpu" else ()))
    return tuple(sorted((*NUMERICAL_PACKAGES, *used)))


def _import_root(path: Path, parts: list[str]) -> Path:
    depth = len(parts) if path.name == "__init__.py" else len(parts) - 1
    return path.parents[depth]


def _installed_file(parts: list[str]) -> Path | None:
    import importlib.util

    try:
        spec = importlib.util.find_spec(".".join(parts))
    except Exception:  # a package on the way there may raise anything; said when it is imported
        return None
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None


def _tree_digest(start: Path, root: Path, within: Path | None = None) -> str:
    """Digest over `start` and all files that it imports, as `source_tree` has them."""
    return files_digest(root, source_tree([start], root, within))


def files_digest(root: Path, found: Mapping[Path, bytes]) -> str:
    """Digest of the names, relative to a folder, and the contents of files."""
    named = ((str(path.relative_to(root.resolve())), text) for path, text in found.items())
    return digest(sorted((name, hashlib.sha256(text).hexdigest()) for name, text in named))
