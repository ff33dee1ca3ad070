"""Which figures an experiment has. Cheap: the Snakefile asks when it is parsed."""

from odeflow.config.root import Config
from odeflow.config.sensitivity_choice import sensitivity_methods
from odeflow.files.errors import ConfigError

#: Figures that are drawn from `indices.nc`.
OF_INDICES = (
    "sensitivity_indices",
    "sensitivity_over_time",
    "sensitivity_pairs",
    "morris_plane",
    "sensitivity_convergence",
)
#: Kinds that are drawn of `estimates.nc`.
ESTIMATE_FIGURES = ("waterfall", "estimates", "best_fit", "profiles", "posterior", "predictive")
#: Kinds that are drawn of a training set.
TRAINING_FIGURES = ("training_set",)
#: What is drawn of trajectories and metrics; what the solver did is beside it.
_OF_RESULTS = (
    "measurements",
    "time_courses",
    "heat_map",
    "metric_scatter",
    "phase_portrait",
    "vpc",
    "event_times",
    "event_section",
)
#: The kinds that stages of their own draw, by their names; `plot` draws all others.
DRAWN_BY = {
    "plot_results": _OF_RESULTS,
    "plot_verification": ("verification",),
    "plot_sensitivity": OF_INDICES,
    "plot_estimates": ESTIMATE_FIGURES,
    "plot_training": TRAINING_FIGURES,
}


def drawing_stage(kind: str) -> str:
    """The stage that draws figures of a kind; `kind` is one of those here or the user's own."""
    return next((stage for stage, kinds in DRAWN_BY.items() if kind in kinds), "plot")


def _has_section(config: Config) -> bool:
    """Whether the first of the saved events keeps more than its times."""
    first = next(iter(config.saveat.events.values()), None)
    return first is not None and first.variables != []


def figure_kinds(config: Config) -> list[str]:
    """The kinds of figures to draw; `plot.figures: auto` takes those that fit the design.

    Raises ConfigError for a figure asked for that the design cannot have.
    """
    has_times = config.saveat.ts is not None
    states = config.model.states
    kept = config.saveat.variables or list(states)
    scalars = [name for name in kept if name not in states or not states[name].shape]
    axes = 1 if config.design.kind == "table" else len(config.design.axes)
    is_map = config.design.kind == "grid" and axes >= 2
    petab, estimate = config.design.petab is not None, config.analyse.estimate
    methods, analysis = sensitivity_methods(config), "analyse=sensitivity"
    asked = config.analyse.sensitivity
    is_followed = asked is not None and asked.halvings > 0 and methods != ["fast"]
    needs = {
        "measurements": (petab, "measurements (design.petab)"),
        "time_courses": (has_times, "saved times (saveat.ts)"),
        "heat_map": (axes >= 2, "a design of two or more axes"),
        "metric_scatter": (axes >= 1, "a design with an axis"),
        "phase_portrait": (has_times and len(scalars) >= 2, "saved times of two scalar variables"),
        "vpc": (bool(config.summary.vpc), "summary.vpc"),
        "event_times": (bool(config.saveat.events), "saveat.events"),
        "event_section": (_has_section(config), "saveat.events that keep variables"),
        "solver_effort": (True, ""),
        "status_map": (axes >= 1, "a design with an axis"),
        "sensitivity_indices": (bool(methods), analysis),
        "sensitivity_over_time": (bool(methods) and has_times, f"{analysis} and saved times"),
        "sensitivity_pairs": (
            "sobol" in methods and config.design.second_order,
            f"{analysis} of a saltelli design with second_order",
        ),
        "morris_plane": ("morris" in methods, "analyse.sensitivity of a morris design"),
        "sensitivity_convergence": (is_followed, "analyse.sensitivity.halvings above 0"),
        "verification": (config.is_verified, "verify.number above 0"),
        **dict.fromkeys(ESTIMATE_FIGURES, (estimate is not None, "analyse.estimate")),
    }
    trains = config.analyse.simulate_for_inference is not None
    needs["training_set"] = (trains, "analyse.simulate_for_inference")
    needs["profiles"] = (bool(estimate and estimate.profiles), "analyse.estimate.profiles")
    needs["posterior"] = (bool(estimate and estimate.posterior), "analyse.estimate.posterior")
    if config.plot.figures == "auto":
        unfit = {"metric_scatter" if is_map else "heat_map"}
        if petab:  # conditions apart, and not all of them in one band
            unfit |= {"time_courses", "phase_portrait"}
        return [kind for kind, (fits, _) in needs.items() if fits and kind not in unfit]
    own = {reference: name for name, reference in config.plot.functions.items()}
    for kind in config.plot.figures:
        fits, need = needs.get(kind, (True, ""))
        if not fits:
            raise ConfigError(f"plot.figures: {kind} needs {need}; remove it or add those")
    return [own.get(kind, kind) for kind in config.plot.figures]
