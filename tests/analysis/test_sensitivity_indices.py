"""Sensitivity indices of solved ensembles: closed forms over time, failures, conditions, labels."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from SALib.analyze import morris as salib_morris

import odeflow
from odeflow.analysis.sensitivity import methods
from odeflow.analysis.sensitivity.indices import sensitivity_indices
from odeflow.analysis.summary import summarise
from odeflow.config.metrics import TimeCourses, metric_function
from odeflow.config.root import Config
from odeflow.config.wanted import WantedMetric
from odeflow.design import rows
from odeflow.problem.status import has_failed
from tests.support.sensitivity_cases import ishigami_indices, sobol_g_indices

MODELS = """import jax.numpy as jnp

def decay(t, y, args):
    return {"y": -args.k * y.y}

def blow_up(t, y, args):
    return {"y": jnp.where(args.k > 1.9, 1e3 * y.y**2, -args.k * y.y)}

def ishigami(t, y, args):
    x = [jnp.pi * (2 * u - 1) for u in (args.a, args.b, args.c)]
    return {"y": jnp.sin(x[0]) + 7 * jnp.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * jnp.sin(x[0])}

def sobol_g(t, y, args):
    parts = zip((args.a, args.b, args.c, args.d, args.e, args.f), (0, 1, 4.5, 9, 99, 99))
    product = 1.0
    for u, weight in parts:
        product = product * (jnp.abs(4 * u - 2) + weight) / (1 + weight)
    return {"y": product}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    (folder / "models.py").write_text(MODELS)
    return folder


def composed(study: Path, function: str, axes: str, *more: str) -> Config:
    names = {"decay": "k", "blow_up": "k", "ishigami": "abc", "sobol_g": "abcdef"}[function]
    parameters = ", ".join(f"{name}: {{value: 0.5}}" for name in names)
    (study / "config/model").mkdir(parents=True, exist_ok=True)
    (study / f"config/model/{function}.yaml").write_text(
        f"name: {function}\nvector_field: models.py:{function}\nt0: 0.0\nt1: 1.0\n"
        f"states:\n  y: {{initial: {1.0 if 'k' in names else 0.0}, units: mol}}\n"
        f"parameters: {{{parameters}}}\n"
    )
    return odeflow.compose(
        *(
            "~experiment",
            f"model={function}",
            "name=test",
            "design=saltelli",
            f"design.axes={axes}",
        ),
        *("analyse=sensitivity", "saveat.ts={linspace: [0, 1, 5]}", *more),
        study=study,
    )


def analysed(config: Config) -> tuple[xr.Dataset, xr.Dataset]:
    ensemble = odeflow.run(config)
    summary = summarise(ensemble, config.summary)
    return ensemble, sensitivity_indices(config, config.study, ensemble, summary)


def with_seed(config: Config, seed: int) -> Config:
    """The same experiment from other points and other resamples."""
    asked = config.analyse.sensitivity
    assert asked is not None
    analyse = {"sensitivity": asked.model_copy(update={"seed": seed})}
    design = config.design.model_copy(update={"seed": seed})
    changed = {"design": design, "analyse": config.analyse.model_copy(update=analyse)}
    return config.model_copy(update=changed).in_study(config.study)


DECAY = "{k: {uniform: [0.5, 2.5]}, y: {uniform: [1, 3]}}"


def decay_indices(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First and total order of k and y(0) in y(0) exp(-k t), and their second order."""
    late = np.maximum(t, 1e-9)
    m, square = (
        np.where(t > 0, (np.exp(-0.5 * s) - np.exp(-2.5 * s)) / s / 2, 1.0)
        for s in (late, 2 * late)
    )
    v_k, (m_y, v_y) = square - m**2, (2.0, 4 / 12)
    variance = square * (m_y**2 + v_y) - (m * m_y) ** 2
    first = np.stack([m_y**2 * v_k, m**2 * v_y]) / variance
    second = v_k * v_y / variance
    return first, first + second, second


def covered(indices: xr.Dataset, output: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether the intervals over time hold the closed forms."""
    truths = decay_indices(indices["time"].values)
    held = []
    for name, truth in zip(("first_order", "total_order"), truths):
        low, high = (
            indices[f"{output}_{name}_bounds"].transpose("bound", "parameter", "time").values
        )
        held.append((low <= truth + 1e-6) & (truth <= high + 1e-6))
    both = indices[f"{output}_second_order_bounds"].sel(parameter="k", parameter_2="y")
    low, high = both.transpose("bound", "time").values
    held.append((low <= truths[2] + 1e-6) & (truths[2] <= high + 1e-6))
    return held[0], held[1], held[2]


def test_indices_of_decay_over_time_are_the_closed_form(study: Path):
    _, found = analysed(
        composed(study, "decay", DECAY, "design.size=4096", "design.second_order=true")
    )
    for name, truth in zip(("first_order", "total_order"), decay_indices(found["time"].values)):
        values = found[f"y_{name}"].transpose("parameter", "time").values
        np.testing.assert_allclose(values, truth, atol=0.02)
    np.testing.assert_allclose(found["y_final_first_order"], found["y_first_order"][:, -1], 1e-9)
    assert found["y_first_order"].dims == ("parameter", "time")
    assert found["parameter"].values.tolist() == ["k", "y"]
    assert found["parameter_long_name"].values.tolist() == ["k", "initial y"]
    assert found["y_first_order"].attrs["units"] == "1"
    assert found["y_standard_deviation"].attrs["units"] == "mol"
    assert found["prefix"].values.tolist() == [256, 512, 1024, 2048, 4096]
    assert (found["y_left_out"] == 0).all() and found.attrs["number_of_blocks"] == 4096


@pytest.mark.slow
def test_intervals_of_decay_over_time_hold_in_95_of_100_seeds(study: Path):
    held = [np.zeros(1)] * 3
    config = composed(
        study, "decay", DECAY, "design.size=4096", "design.second_order=true",
        "analyse.sensitivity.halvings=0", "analyse.sensitivity.metrics=[]", "verify=skip",
    )  # fmt: skip
    for seed in range(100):
        _, found = analysed(with_seed(config, seed))
        held = [a + b for a, b in zip(held, covered(found, "y"))]
    assert min(one.min() for one in held) >= 95, held


@pytest.mark.slow
@pytest.mark.parametrize("function", ["ishigami", "sobol_g"])
def test_functions_as_models_in_95_of_100_seeds(study: Path, function: str):
    names = "abc" if function == "ishigami" else "abcdef"
    truths = ishigami_indices() if function == "ishigami" else sobol_g_indices()
    axes = ", ".join(f"{name}: {{uniform: [0, 1]}}" for name in names)
    config = composed(
        study, function, f"{{{axes}}}", "design.size=4096", "saveat.ts=[0,1]", "verify=skip",
        "analyse.sensitivity.halvings=0", "summary.metrics=[final]", "summary.quantiles=[]",
        "analyse.sensitivity.variables=[]",
    )  # fmt: skip
    held = [np.zeros(len(names))] * 2
    for seed in range(100):
        _, found = analysed(with_seed(config, seed))
        for place, name in enumerate(("first_order", "total_order")):
            low, high = found[f"y_final_{name}_bounds"].transpose("bound", "parameter").values
            held[place] = held[place] + ((low <= truths[place]) & (truths[place] <= high))
    assert min(one.min() for one in held) >= 95, held


def test_blocks_with_a_failed_trajectory_are_left_out_and_counted(study: Path):
    asked = (
        "design.size=256",
        "runtime.retry=[]",
        "solver.max_steps=200",
        "analyse.sensitivity.halvings=0",
    )
    config = composed(study, "blow_up", "{k: {uniform: [0.5, 2]}, y: {uniform: [1, 3]}}", *asked)
    ensemble, found = analysed(config)
    failed = has_failed(ensemble["status"].values).reshape(256, 4).any(axis=1)
    assert 0 < failed.sum() < 100
    assert (found["y_left_out"] == failed.sum()).all()
    assert int(found["y_final_left_out"]) == failed.sum()
    a, *ab, b = (ensemble["y"].values[:, -1].reshape(256, 4)[~failed]).T
    total = [np.mean((a - one) ** 2) / 2 / np.var(np.concatenate([a, b])) for one in ab]
    np.testing.assert_allclose(found["y_total_order"][:, -1], total, rtol=1e-9)
    np.testing.assert_allclose(found["y_final_total_order"], total, rtol=1e-9)


def test_morris_of_an_ensemble_is_salibs(study: Path):
    config = composed(
        study, "decay", DECAY, "design.kind=morris", "design.size=30", "design.levels=6"
    )
    ensemble, found = analysed(config)
    x = np.stack(list(rows(config.design, 0, 90, study).values()), axis=1)
    problem = {"num_vars": 2, "names": ["k", "y"], "bounds": [[0.5, 2.5], [1, 3]]}
    for place in (1, 4):
        y = ensemble["y"].values[:, place].astype(float)
        wanted = salib_morris.analyze(problem, x, y, num_levels=6, num_resamples=2)
        for name in ("mu", "mu_star", "sigma"):
            theirs = np.asarray(wanted[name], float)
            np.testing.assert_allclose(found[f"y_{name}"][:, place], theirs, rtol=1e-9)
    assert found["y_mu_star"].attrs["units"] == "mol"


def test_each_condition_has_its_own_indices(study: Path):
    config = composed(
        study, "decay", "{y: {uniform: [1, 3]}}", "design.size=128",
        "design.conditions={slow: {k: 0.5}, fast: {k: 2.0}}",
    )  # fmt: skip
    _, found = analysed(config)
    assert found["y_total_order"].dims == ("parameter", "condition", "time")
    assert found["condition"].attrs["flag_meanings"] == "slow fast"
    np.testing.assert_allclose(found["y_total_order"].values, 1, atol=0.05)
    ratio = found["y_standard_deviation"].isel(time=-1).values
    assert ratio[0] / ratio[1] == pytest.approx(np.exp(1.5), rel=1e-5)


def test_derivative_based_measures_are_the_closed_form(study: Path):
    config = composed(
        study, "decay", DECAY, "design.kind=sobol", "design.size=4096",
        "saveat.sensitivities=[k, y]", "analyse.sensitivity.methods=[dgsm]",
    )  # fmt: skip
    _, found = analysed(config)
    t = found["time"].values
    square = np.where(t > 0, (np.exp(-t) - np.exp(-5 * t)) / (4 * np.maximum(t, 1e-9)), 1.0)
    wanted = np.stack([t**2 * square * (4 + 1 / 3), square])
    np.testing.assert_allclose(found["y_dgsm"], wanted, rtol=2e-3, atol=1e-9)
    total = decay_indices(t)[1]
    assert (found["y_total_order_at_most"].values >= total - 0.01).all()


def test_derivative_based_measures_of_metrics_are_those_of_their_functions(study: Path):
    config = composed(
        study, "decay", DECAY, "design.kind=sobol", "design.size=512",
        "saveat.sensitivities=[k, y]", "analyse.sensitivity.methods=[dgsm]", "solver.rtol=1e-9",
        "summary.first_time_below={y: 0.8}",
    )  # fmt: skip
    ensemble, found = analysed(config)
    assert not [name for name in found if "time_of" in str(name)]
    columns = rows(config.design, 0, 512, study)
    points, t = np.stack([columns["k"], columns["y"]]), ensemble["time"].values

    def course(k: np.ndarray, y: np.ndarray) -> np.ndarray:
        return y * np.exp(-k * t[:, None])

    of = ["final", "min", "max", "mean", "integral", "amplitude", "first_time_below"]
    step = 1e-6
    for metric in of:
        threshold = 0.8 if metric == "first_time_below" else None
        function = metric_function(WantedMetric(metric, threshold))
        assert function is not None
        at = lambda p, function=function: function(TimeCourses(course(*p), t))
        for place, name in enumerate(("k", "y")):
            move = step * np.eye(2)[place][:, None]
            slopes = (at(points + move) - at(points - move)) / (2 * step)
            mean = np.nanmean(slopes**2)
            ours = float(found[f"y_{metric}_dgsm"].sel(parameter=name))
            assert ours == pytest.approx(mean, rel=1e-5, abs=1e-8), (metric, name)


def test_indices_do_not_depend_on_what_fits_into_memory(
    study: Path, monkeypatch: pytest.MonkeyPatch
):
    config = composed(study, "decay", DECAY, "design.size=300", "design.second_order=true")
    ensemble = odeflow.run(config)
    summary = summarise(ensemble, config.summary)
    whole = sensitivity_indices(config, study, ensemble, summary)
    monkeypatch.setattr(methods, "_AT_ONCE", 2**15)
    xr.testing.assert_allclose(
        sensitivity_indices(config, study, ensemble, summary), whole, rtol=1e-9
    )


def test_a_table_may_have_parameters_that_depend_on_one_another(study: Path):
    k = np.linspace(0.5, 2.5, 200)
    y = k + np.random.default_rng(0).uniform(0, 0.5, 200)
    lines = [f"{a!r},{b!r}" for a, b in zip(k.tolist(), y.tolist())]
    (study / "samples.csv").write_text("\n".join(["k,y", *lines]))
    asked = ("~design.axes", "~design.size", "design.path=samples.csv", "design=table")
    config = composed(study, "decay", "{}", *asked, "analyse.sensitivity.resamples=10")
    _, found = analysed(config)
    assert found.attrs["sensitivity_methods"] == "pawn"
    assert found["parameter"].values.tolist() == ["k", "y"]
    assert (found["y_final_pawn"] > 0.3).all()
    with pytest.raises(odeflow.ConfigError, match=r"'k' and 'y' of .* are correlated"):
        composed(study, "decay", "{}", *asked, "analyse.sensitivity.methods=[rbd_fast]")


@pytest.mark.parametrize("kind", ["fast", "sobol"])
def test_other_methods_agree_with_the_closed_form(study: Path, kind: str):
    size = 1025 if kind == "fast" else 2048
    config = composed(
        study, "decay", DECAY, f"design.kind={kind}", f"design.size={size}",
        "analyse.sensitivity.resamples=10", "analyse.sensitivity.metrics=[y_final]",
    )  # fmt: skip
    _, found = analysed(config)
    first = decay_indices(found["time"].values)[0]
    np.testing.assert_allclose(found["y_first_order"].values[:, 1:], first[:, 1:], atol=0.03)
    assert ("y_final_pawn" in found) == (kind == "sobol")
