"""The version of odeflow, and those of the packages that can change a number."""

from __future__ import annotations

import importlib.metadata
import tomllib
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from odeflow.files.shipped import shipped

if TYPE_CHECKING:
    from odeflow.config.model import ModelConfig


def _version() -> str:
    """That of a checkout, which may be newer than what is installed; else the installed one."""
    project = shipped() / "pyproject.toml"  # no wheel has it
    if not project.is_file():
        return importlib.metadata.version("odeflow")
    return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])


VERSION = _version()
#: Packages whose version can change the numbers of a trajectory.
NUMERICAL_PACKAGES = (
    "diffrax", "equinox", "jax", "jaxlib", "lineax", "numba", "numpy", "optimistix", "scipy",
)  # fmt: skip
#: Those that can do so too where `runtime.device` is gpu.
_GPU_PACKAGES = ("jax-cuda12-plugin", "jax-cuda13-plugin", "numba-cuda")
#: What else a dataset records.
RECORDED_PACKAGES = (*NUMERICAL_PACKAGES, "hydra-core", "netcdf4", "snakemake", "xarray")


def versions(packages: Iterable[str] = RECORDED_PACKAGES) -> dict[str, str]:
    """Installed versions by package, in order; packages that are not installed are left out."""
    found = {package: _installed(package) for package in packages}
    return {package: version for package, version in found.items() if version is not None}


@cache
def _installed(package: str) -> str | None:
    """Looked up once: a process goes on with what it has imported."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def numerical_packages(model: ModelConfig, device: str) -> tuple[str, ...]:
    """Packages whose version can change the numbers of this model's trajectories there."""
    readers = {"sbml": ("python-libsbml",), "antimony": ("antimony", "python-libsbml")}
    used = next((names for key, names in readers.items() if getattr(model, key)), ())
    used = (*used, *(_GPU_PACKAGES if device == "gpu" else ()))
    return tuple(sorted((*NUMERICAL_PACKAGES, *used)))
