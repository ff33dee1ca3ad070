"""What a method cannot be beside: another engine, or what needs one method where it is chosen."""

from odeflow.config.root import Config
from odeflow.files.errors import ConfigError
from odeflow.problem.methods import METHODS


def check_method_use(config: Config) -> None:
    """Raises ConfigError where `solver.method` is not for what else is asked for."""
    solver, runtime = config.solver, config.runtime
    elsewhere = {
        "runtime.engine=diffrax": runtime.engine == "diffrax",
        "runtime.device=gpu": runtime.device == "gpu",
    }
    if solver.is_chosen:
        _refuse("auto does not choose", elsewhere | _single(config), "name a method")
    elif not (method := METHODS[solver.method]).in_diffrax:
        why = f"{method.name} is the native engine's on a CPU, not"
        _refuse(why, elsewhere, f"take {method.substitute}")


def _single(config: Config) -> dict[str, bool]:
    """What is solved by one method, by the key that asks for it."""
    model = config.model
    return {
        "analyse.estimate": config.analyse.estimate is not None,
        "saveat.steady_state": config.saveat.steady_state,
        "design.preequilibration": bool(config.design.preequilibration),
        "design.nonmem": config.records is not None,
        "model.algebraic": bool(model.algebraic),
        "model.mass_matrix": model.mass_matrix is not None,
    }


def _refuse(why: str, keys: dict[str, bool], instead: str) -> None:
    for key, is_there in keys.items():
        if is_there:
            raise ConfigError(f"solver.method: {why} beside {key}; {instead}")
