"""Which sensitivity indices an experiment has. Cheap: the Snakefile asks when it is parsed."""

from odeflow.config.design import PLANNED
from odeflow.config.root import Config
from odeflow.files.errors import ConfigError

#: The method that a design is made for; every other method takes any independent sample.
DESIGN_OF = {"sobol": "saltelli", "morris": "morris", "fast": "fast"}
#: Methods that hold where parameters depend on one another.
FOR_DEPENDENT = ("pawn", "delta")
_KEY = "analyse.sensitivity"


def sensitivity_methods(config: Config) -> list[str]:
    """The methods of the analysis, none where none is asked for.

    Raises ConfigError for one that the design cannot have.
    """
    asked, design = config.analyse.sensitivity, config.design
    if asked is None:
        return []
    kind = design.kind
    own = {made_for: method for method, made_for in DESIGN_OF.items()}.get(kind)
    if kind in ("grid", "zip"):
        raise ConfigError(
            f"{_KEY}: a {kind} is no random sample of its axes; choose a design that is, such as "
            "design=saltelli, design=morris or design=sobol, and give axes distributions"
        )
    if asked.methods == "auto":
        return [own] if own else ["pawn"] if kind == "table" else ["rbd_fast", "pawn"]
    if not asked.methods:
        raise ConfigError(f"{_KEY}.methods: an empty list asks for nothing; auto takes those")
    for method in asked.methods:
        needed = DESIGN_OF.get(method)
        if needed and needed != kind:
            raise ConfigError(f"{_KEY}.methods: {method} needs design.kind: {needed}, not {kind}")
        if not needed and kind in PLANNED:
            raise ConfigError(
                f"{_KEY}.methods: {method} needs independent samples, which rows of a {kind} "
                f"design are not; choose {own}, or design=sobol"
            )
        if method == "dgsm":
            _check_derivatives(config)
    return list(asked.methods)


def _check_derivatives(config: Config) -> None:
    """Derivative-based measures are of saved derivatives to each axis, along its law."""
    if config.design.kind == "table":
        raise ConfigError(
            f"{_KEY}.methods: dgsm needs the laws of the axes, which a table does not tell; use a "
            "sampler, such as design=sobol"
        )
    given = config.saveat.sensitivities or []
    missing = [axis for axis in config.design.axes if axis not in given]
    if missing or config.saveat.ts is None:
        what = f"derivatives to {', '.join(missing)}" if missing else "saved times"
        key = "saveat.sensitivities" if missing else "saveat.ts"
        raise ConfigError(f"{_KEY}.methods: dgsm needs {what}; add them to {key}")
