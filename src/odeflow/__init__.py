"""odeflow: declarative, batched ODE solving that scientists can publish from.

cfg = odeflow.compose("experiment=robertson", "solver.rtol=1e-8")
ds = odeflow.run(cfg)

sol = odeflow.ensemble_solve(term, solver, t0, t1, dt0, y0, args)  # Diffrax's own objects
"""

from typing import TYPE_CHECKING, Any

from odeflow.files.errors import ConfigError
from odeflow.files.extras import needed
from odeflow.problem.status import Status

if TYPE_CHECKING:
    __version__: str
    from odeflow.api.ensemble_solve import ensemble_solve
    from odeflow.api.explain import explain
    from odeflow.api.solution import EnsembleSolution
    from odeflow.config.root import Config
    from odeflow.engines.diffrax.rosenbrock import Rodas3P, Rodas5P
    from odeflow.ensemble.run import run
    from odeflow.importers.study.compose import compose
    from odeflow.trust.reproduce import reproduce

__all__ = [
    "Config",
    "ConfigError",
    "EnsembleSolution",
    "Rodas3P",
    "Rodas5P",
    "Status",
    "__version__",
    "compose",
    "ensemble_solve",
    "explain",
    "reproduce",
    "run",
]

_HOMES = {
    "Config": "odeflow.config.root",
    "EnsembleSolution": "odeflow.api.solution",
    "Rodas3P": "odeflow.engines.diffrax.rosenbrock",
    "Rodas5P": "odeflow.engines.diffrax.rosenbrock",
    "compose": "odeflow.importers.study.compose",
    "ensemble_solve": "odeflow.api.ensemble_solve",
    "explain": "odeflow.api.explain",
    "reproduce": "odeflow.trust.reproduce",
    "run": "odeflow.ensemble.run",
}


def __getattr__(name: str) -> Any:
    """Imports the rest when first used: most jobs need neither Hydra nor JAX.

    Raises MissingPackageError where that needs an extra: `pip install 'odeflow[workflow]'`.
    """
    if name == "__version__":
        from odeflow.provenance.versions import VERSION

        return VERSION
    if name not in _HOMES:
        raise AttributeError(f"module 'odeflow' has no attribute {name!r}")
    import importlib

    with needed(f"odeflow.{name}"):
        found = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = found  # what is found there is not asked for again
    return found
