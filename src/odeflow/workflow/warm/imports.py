"""What the scripts of the workflow import sooner or later, so that it is imported once for all.

Only a matter of time: what is missing here, the job imports by itself. Nothing of a study is, nor
what starts threads when it is imported. JAX starts none before it is used.
"""

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

#: What every reader of a result ends up with.
_DATA = (
    "odeflow.workflow.warm.without_dask",
    "netCDF4",
    "odeflow.files.netcdf",
    "odeflow.files.opening",
)
_FIGURES = (
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
)
_ENGINES = (
    "odeflow.ensemble.solve",
    "odeflow.engines.choice",
    "odeflow.engines.native.engine",
    "odeflow.engines.native.targets.machine_code",
    "odeflow.engines.diffrax.engine",
)

#: Modules by script, in the order in which a run needs them; the stage's own is not among them.
_OF_SCRIPT = {
    "design": (*_DATA, "odeflow.workflow.ownership"),
    "solve": (*_ENGINES, *_DATA, "odeflow.workflow.pilot", "odeflow.workflow.progress"),
    "fit": _ENGINES,
    "assemble": _DATA,
    "summarise": _DATA,
    "diagnose": _DATA,
    "verify": (*_DATA, "odeflow.workflow.solve_time"),
    "plot": (*_DATA, *_FIGURES),
    "plot_results": (*_DATA, *_FIGURES),
    "plot_verification": (*_DATA, *_FIGURES),
    "plot_sensitivity": (*_DATA, *_FIGURES),
    "plot_estimates": (*_DATA, *_FIGURES),
    "plot_training": (*_DATA, *_FIGURES),
    "sensitivity": _DATA,
    "estimate": _ENGINES,
    "simulate_for_inference": _DATA,
    "overview": (*_DATA, *_FIGURES),
    "compare": (*_DATA, *_FIGURES),
    "verdict": ("odeflow.trust.verdict", *_DATA),
}
_OF_ALL = ("snakemake.iocontainers", "odeflow.config.validate", "odeflow.workflow.script")


def modules_of(script: str) -> tuple[str, ...]:
    """Modules that a script of the workflow needs, by its name, such as `plot`."""
    stage = f"odeflow.workflow.stages.{script}"
    known = (stage,) if find_spec(stage) else ()
    return (*_OF_ALL, *known, *_OF_SCRIPT.get(script, ()))


def in_order(scripts: Iterable[str]) -> list[str]:
    """Those of the scripts that are worth a worker, in the order in which they are needed."""
    asked = set(scripts)
    return [script for script in _OF_SCRIPT if script in asked]


def import_if_there(module: str) -> None:
    """Imports a module whose package is installed; raises what its import raises."""
    if find_spec(module.partition(".")[0]):
        import_module(module)
