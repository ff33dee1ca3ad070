"""What a method cannot be beside: another engine."""

from odeflow.config.root import Config
from odeflow.files.errors import ConfigError
from odeflow.problem.methods import METHODS


def check_method_use(config: Config) -> None:
    """Raises ConfigError where `solver.method` is not for what else is asked for."""
    if config.solver.is_chosen or (method := METHODS[config.solver.method]).in_diffrax:
        return
    for key, is_there in {
        "runtime.engine=diffrax": config.runtime.engine == "diffrax",
        "runtime.device=gpu": config.runtime.device == "gpu",
    }.items():
        if is_there:
            raise ConfigError(
                f"solver.method: {method.name} is the native engine's on a CPU, not beside {key}; "
                f"take {method.substitute}"
            )
