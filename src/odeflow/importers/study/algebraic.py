"""Whether what is asked for goes with algebraic equations."""

from pathlib import Path

from odeflow.config.algebraic import without_derivative
from odeflow.config.root import Config
from odeflow.design import axis_names
from odeflow.files.errors import ConfigError


def check_algebraic_use(config: Config, study: Path) -> None:
    """Raises ConfigError, one line, for the first key that does not."""
    declared = config.model.declaration()
    if not declared.is_implicit:
        return
    found = declared.algebraic if declared.free is None else declared.free
    set_at_start = [("design.axes", name) for name in axis_names(config.design, study)]
    set_at_start += [
        (f"design.conditions.{condition}", name)
        for condition, settings in config.design.conditions.items()
        for name in settings
    ]
    set_at_start += [("saveat.sensitivities", name) for name in config.saveat.sensitivities or ()]
    for key, name in set_at_start:
        if name in found:
            raise ConfigError(
                f"{key}: the value of {name} at t0 is found from the algebraic equations; take it "
                "out, or name another state in model.free"
            )
    residuals = without_derivative(declared)
    for number, dose in enumerate(config.doses):
        if dose.state in residuals:
            raise ConfigError(
                f"doses.{number}.state: {dose.state} follows from algebraic equations, so nothing "
                "can be added to it; give the dose to a state with a derivative"
            )
    for key, asked in (
        ("design.preequilibration", config.design.preequilibration),
        ("design.nonmem", config.design.records is not None),
        ("saveat.steady_state", config.saveat.steady_state),
    ):
        if asked and residuals:
            raise ConfigError(f"{key}: not beside algebraic equations; remove one of them")
