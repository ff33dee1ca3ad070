"""What of a machine could change a bit of a trajectory, and what could but does not."""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from odeflow.files.digests import canonical_json

#: Families of features that decide how wide code is, and whether a product is rounded before a sum.
_VECTORS = ("amx", "avx", "f16c", "fma", "neon", "sse", "sve")
#: What does not matter, each with a test: `test_determinism.py`, `test_environment.py`.
CHANGES_NOTHING = (
    "cores of the run",
    "number of threads",
    "size of the chunks",
    "trajectories beside it",
    "threads of BLAS",
)


@cache
def environment(device: str) -> str:
    """What matters here, as JSON: processor, its vectors, LAPACK, and the GPU where one solves.

    No name of the machine is in it. Code of either engine is compiled for the processor; LAPACK is
    what a vector field's own linear algebra calls under Diffrax.
    """
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    found: dict[str, Any] = {
        "architecture": llvm.get_process_triple().split("-")[0],
        "processor": llvm.get_host_cpu_name(),
        "vectors": " ".join(sorted(f for f in features if features[f] and f.startswith(_VECTORS))),
        "lapack": _lapack(),
    }
    if device == "gpu":
        import jax

        found["gpu"] = ", ".join(sorted({d.device_kind for d in jax.devices()}))
    return canonical_json(found)


def _lapack() -> str:
    """The LAPACK of SciPy, which JAX calls on a CPU."""
    from scipy.__config__ import CONFIG  # type: ignore[attr-defined]

    built = CONFIG.get("Build Dependencies", {}).get("lapack", {})
    return " ".join(str(built.get(key, "")) for key in ("name", "version")).strip()


def environment_attribute(found: Iterable[str]) -> dict[str, str]:
    """The dataset's attribute for the environments of its chunks, each once; none without any."""
    kinds = sorted(set(found))
    if not kinds:
        return {}
    told = {"changes_bits": list(map(json.loads, kinds)), "changes_nothing": CHANGES_NOTHING}
    return {"odeflow_environment": canonical_json(told)}
