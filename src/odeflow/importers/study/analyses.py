"""Whether what is analysed of an experiment is there: outputs, methods and derivatives."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from odeflow.config.metrics import METRICS, WITHOUT_SLOPE, reduces_metrics
from odeflow.config.root import Config
from odeflow.config.sensitivity_choice import FOR_DEPENDENT, sensitivity_methods
from odeflow.config.validate import nearest
from odeflow.config.wanted import wanted_metrics
from odeflow.design import axis_names, has_own_ends, number_of_samples, rows
from odeflow.design.correlation import strongest_correlation
from odeflow.files.errors import ConfigError

#: Times that may be saved: 8 MB per variable and trajectory.
_MOST_TIMES = 10**6


def check_analysis(config: Config, study: Path) -> None:
    """Raises ConfigError, one line, for the first mistake of `analyse.sensitivity`."""
    asked, design = config.analyse.sensitivity, config.design
    methods = sensitivity_methods(config)
    if asked is None:
        return
    if design.kind == "table" and not set(methods) <= {*FOR_DEPENDENT}:
        found = strongest_correlation(rows(design, 0, number_of_samples(design, study), study))
        if found:
            a, b, rho = found
            raise ConfigError(
                f"analyse.sensitivity.methods: {methods[0]} needs independent parameters, but "
                f"columns {a!r} and {b!r} of {design.path} are correlated ({rho:.2f}); take "
                f"{' or '.join(FOR_DEPENDENT)}, which hold for such too"
            )
    _check_outputs(config, asked.variables, asked.metrics, "analyse.sensitivity")
    if "dgsm" in methods:
        _check_slopes(config, asked.metrics or (), study)


def _check_slopes(config: Config, metrics: Sequence[str], study: Path) -> None:
    """The metrics that are named have derivatives."""
    key, columns = "analyse.sensitivity.metrics", axis_names(config.design, study)
    followed = {
        f"{variable}_{ending}"
        for variable in {name for names in config.summary.named.values() for name in names}
        for ending, wanted in wanted_metrics(config.summary, variable).items()
        if wanted.threshold is None and wanted.metric not in METRICS
    }
    for name in metrics:
        if name.endswith(WITHOUT_SLOPE):
            raise ConfigError(
                f"{key}: dgsm needs a derivative of {name}, which is one of the saved times and "
                "moves in jumps; leave it out, or take another method"
            )
        if name in followed:
            raise ConfigError(
                f"{key}: dgsm needs a derivative of {name}, which is followed between the saved "
                "times and has none yet; leave it out, or take another method"
            )
        if reduces_metrics(config, has_own_ends(config, columns)):
            raise ConfigError(
                f"{key}: dgsm needs a derivative of {name}, which is computed while solving, since "
                "trajectories may jump or end; leave it out, or take another method"
            )


def _check_outputs(
    config: Config, variables: Sequence[str] | None, metrics: Sequence[str] | None, key: str
) -> list[str] | None:
    """The outputs of an analysis: saved variables and metrics; None where the model knows them."""
    states, observables = config.model.states, config.model.observables
    if observables is not None and not observables.variables:
        return None  # their names are known when the model is loaded
    known = config.saveat.variables or [*states, *(observables.variables if observables else ())]
    if variables and config.saveat.ts is None:
        raise ConfigError(
            f"{key}.variables: no times are saved to analyse variables over; set saveat.ts, or "
            "name metrics"
        )
    known_names(f"{key}.variables", variables or (), known, "a saved variable")
    of = config.summary.variables or known
    there = [f"{name}_{metric}" for name in of for metric in wanted_metrics(config.summary, name)]
    there += config.summary.function_units
    if config.design.petab is not None:
        there += ["log_likelihood", *(f"{name}_log_likelihood" for name in of)]
    known_names(f"{key}.metrics", metrics or (), there, "a metric of the summary")
    return [*(known if variables is None else variables), *(there if metrics is None else metrics)]


def check_training_outputs(config: Config) -> None:
    """Raises ConfigError, one line, where an output of a training set is not there."""
    asked, key = config.analyse.simulate_for_inference, "analyse.simulate_for_inference"
    if asked is None:
        return
    outputs = _check_outputs(config, asked.variables, asked.metrics, key)
    if outputs is not None:
        known_names(f"{key}.noise", asked.noise, outputs, "one of the outputs")
    if outputs == []:
        raise ConfigError(f"{key}: no outputs; name metrics or variables, or give null")


def known_names(key: str, names: Iterable[str], known: Iterable[str], what: str) -> None:
    """Raises ConfigError where a name is not among those that are there."""
    known = list(known)
    for name in names:
        if name not in known:
            raise ConfigError(f"{key}: {name!r} is not {what}{nearest(name, known)}")
