"""Whether what is asked for goes with delays."""

from pathlib import Path

import numpy as np

from odeflow.config.ladder import ladder
from odeflow.config.root import Config
from odeflow.design import column_names, number_of_samples, rows
from odeflow.files.errors import ConfigError
from odeflow.problem.delays import WITH_DELAYS, while_of
from odeflow.problem.methods import METHODS

#: Rows of a design that are looked at when a run is planned; of more, a chunk says so.
_MOST_ROWS, _SLAB = 10**6, 10**5


def check_delays_use(config: Config, study: Path) -> None:
    """Raises ConfigError, one line, for the first key that does not."""
    if not config.model.delays:
        return
    if config.runtime.engine == "diffrax":
        raise ConfigError(
            "runtime.engine: diffrax has no delays, which the native engine solves; take "
            "runtime.engine=auto, or leave model.delays out"
        )
    _check_methods(config)
    for key, value, allowed in (
        ("runtime.precision", config.runtime.precision, "float64"),
        ("runtime.device", config.runtime.device, "cpu"),
        ("verify.method", config.verify.method, "auto"),
    ):
        if value in ("float32", "gpu", "radau"):
            raise ConfigError(f"{key}: {value} cannot be had with model.delays; take {allowed}")
    stop, declared = config.stop, config.model.declaration()
    for key, asked in (
        ("saveat.sensitivities", config.saveat.sensitivities),
        ("saveat.steady_state", config.saveat.steady_state),
        ("stop.steady_state", stop is not None and stop.steady_state),
        ("design.preequilibration", config.design.preequilibration),
        ("design.nonmem", config.design.records is not None),
        ("analyse.estimate", config.analyse.estimate),
        ("model.algebraic", declared.algebraic),
        ("model.mass_matrix", declared.mass_matrix is not None),
    ):
        if asked:
            raise ConfigError(f"{key}: not with model.delays; remove one of them")
    _check_switches(config)
    _check_lengths(config, study)


def _check_methods(config: Config) -> None:
    for number, rung in enumerate(ladder(config)):
        key = f"runtime.retry.{number - 1}" if 0 < number <= len(config.runtime.retry) else "solver"
        method = rung.solver.method
        # a rung whose method has no delays is passed over
        if number == 0 and METHODS[method].family not in WITH_DELAYS:
            raise ConfigError(
                f"{key}.method: {method} has no delays; take tsit5, dopri8 or another explicit "
                "method, or rodas5p"
            )
        if rung.solver.stepsize_controller == "constant":
            raise ConfigError(
                f"{key}.stepsize_controller: constant steps do not end where model.delays ask; "
                "take pid"
            )


def _check_switches(config: Config) -> None:
    """A delay stays as long as it is at t0."""
    for name, delay in config.model.delays.items():
        for number, dose in enumerate(config.doses):
            if dose.parameter in delay.named().get("by", ()):
                raise ConfigError(
                    f"doses.{number}.parameter: model.delays.{name} depends on {dose.parameter}, "
                    "and a delay does not change on the way; take the dose out, or give the delay "
                    "a parameter of its own"
                )


def _check_lengths(config: Config, study: Path) -> None:
    """Delays are positive in every sample."""
    numbers = {name: np.array(x.value) for name, x in config.model.parameters.items()}
    read = {name for delay in config.model.delays.values() for name in delay.named().get("by", ())}
    varied = read & {*column_names(config.design, study)}
    last = min(number_of_samples(config.design, study), _MOST_ROWS) if varied else 1
    for start in range(0, last, _SLAB):
        found = rows(config.design, start, min(start + _SLAB, last), study) if varied else {}
        known = {**numbers, **{name: np.asarray(found[name], float) for name in varied}}
        for name, delay in config.model.delays.items():
            while_of(name, delay.delay, known)
