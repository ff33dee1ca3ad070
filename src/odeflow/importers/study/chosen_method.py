"""Where a method cannot be chosen: what is solved there is not a trajectory of the design."""

from odeflow.config.root import Config
from odeflow.files.errors import ConfigError


def check_chosen_method(config: Config) -> None:
    """Raises ConfigError where `solver.method` is `auto` beside what needs one method."""
    if not config.solver.is_chosen:
        return
    model = config.model
    needs = {
        "analyse.estimate": config.analyse.estimate is not None,
        "saveat.steady_state": config.saveat.steady_state,
        "design.preequilibration": bool(config.design.preequilibration),
        "design.nonmem": config.records is not None,
        "model.algebraic": bool(model.algebraic) or model.mass_matrix is not None,
        "runtime.engine: diffrax": config.runtime.engine == "diffrax",
        "runtime.device: gpu": config.runtime.device == "gpu",
    }
    for key, is_there in needs.items():
        if is_there:
            raise ConfigError(
                f"solver.method: auto does not choose beside {key}; name a method, such as "
                "solver=rodas5p"
            )
