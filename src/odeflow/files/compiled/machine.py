"""What machine code depends on besides its source."""

import os
import sys
from functools import cache
from importlib import metadata

import llvmlite.binding

#: Numba's settings that say where and how many, not what is compiled.
_NOT_CODE = ("NUMBA_NUM_THREADS", "NUMBA_CACHE_DIR", "NUMBA_CACHE_LOCATOR_CLASSES")


@cache
def machine() -> str:
    """The processor, the compilers and their settings, and Python, as text."""
    features = llvmlite.binding.get_host_cpu_features().flatten()
    versions = [f"{name} {_version(name)}" for name in ("numba", "llvmlite", "numba-cuda")]
    settings = [
        f"{name}={value}"
        for name, value in sorted(os.environ.items())
        if name.startswith("NUMBA_") and name not in _NOT_CODE
    ]
    processor = (llvmlite.binding.get_process_triple(), llvmlite.binding.get_host_cpu_name())
    return "\n".join([*processor, features, *versions, sys.version, *settings])


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "-"
