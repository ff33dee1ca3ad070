"""Every figure, for every shape of ensemble; the same bytes twice."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from odeflow.analysis.summary import summarise
from odeflow.config.figure_choice import figure_kinds
from odeflow.config.root import Config
from odeflow.files.errors import ConfigError
from odeflow.importers.study.compose import compose
from odeflow.problem.status import Status
from odeflow.report import figures as plots
from odeflow.report.captions import figure_caption
from odeflow.report.scales import value_scale
from odeflow.report.selection import shown_metrics

GRID = ["experiment=quickstart", "design.axes.vmax.linspace=[8,12,5]"]
LINE = ["~experiment", "+design.axes.vmax={linspace: [8, 12, 5]}", "saveat.ts=[0,60,120]"]
SAMPLES = [
    "~experiment", "design=sobol", "design.size=30", "+design.axes.vmax={loguniform: [8, 12]}",
    "+design.axes.substrate={uniform: [5, 10]}", "saveat.ts={geomspace: [0.01, 120, 30]}",
]  # fmt: skip
END = [*LINE[:2], "saveat.ts=null"]


def make(config: Config, failed: float = 0.0) -> tuple[xr.Dataset, xr.Dataset]:
    """An ensemble of decaying curves over the design of a config, and its summary."""
    from odeflow.config.saved_times import save_times
    from odeflow.design import grid_levels, rows
    from odeflow.problem.axis_names import axis_coordinate

    t = np.array(save_times(config))
    coords: dict = {"time": ("time", t, {"units": "min", "long_name": "time"})}
    if config.design.kind == "grid":
        levels = {
            axis_coordinate(n, config.model): v for n, v in grid_levels(config.design).items()
        }
        dims, shape = tuple(levels), tuple(map(len, levels.values()))
        attributes = {"long_name": "axis", "units": "1"}
        coords |= {n: (n, v, attributes) for n, v in levels.items()}
    else:
        assert config.design.size is not None
        dims, shape = ("sample",), (config.design.size,)
        for name, values in rows(config.design, 0, shape[0], Path()).items():
            coords[axis_coordinate(name, config.model)] = ("sample", values, {"long_name": name})
    rng = np.random.default_rng(1)
    rate = rng.uniform(0.01, 0.1, shape)[..., None]
    status = (rng.uniform(size=shape) < failed) * np.int8(Status.non_finite)
    y = np.exp(-rate * t)
    y[status != 0] = np.nan
    steps = rng.integers(10, 99, shape)
    units = {"units": "mmol/L"}
    ensemble = xr.Dataset(
        {
            "substrate": ((*dims, "time"), y, units | {"long_name": "substrate concentration"}),
            "enzyme": ((*dims, "time"), 1 - y, units | {"long_name": "enzyme concentration"}),
            "status": (dims, status.astype(np.int8)),
            **dict.fromkeys(
                ("num_steps", "num_accepted_steps", "num_rejected_steps"), (dims, steps)
            ),
        },
        coords,
    )
    return ensemble, summarise(ensemble, config.summary)


DESIGNS = {"grid": GRID, "line": LINE, "samples": SAMPLES, "end only": END}


@pytest.mark.parametrize("failed", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("name", DESIGNS)
def test_every_figure_draws(name: str, failed: float, tmp_path: Path):
    config = compose(*DESIGNS[name], "plot.dpi=40", study=tmp_path)
    ensemble, summary = make(config, failed)
    kinds = [kind for kind in figure_kinds(config) if kind != "verification"]
    assert ("time_courses" in kinds) == (name != "end only")
    for kind in kinds:
        path = tmp_path / f"{kind}.png"
        plots.save(plots.draw(kind, ensemble, summary, config), path, dpi=40)
        assert path.read_bytes()[:4] == b"\x89PNG"


def test_labels_have_long_names_and_units(tmp_path: Path):
    config = compose(*GRID, study=tmp_path)
    figure = plots.draw("time_courses", *make(config), config)
    assert figure.axes[0].get_xlabel() == "Time (min)"
    words = figure.axes[0].get_ylabel().split()
    assert words == ["Substrate", "concentration", "(mmol", "L⁻¹)"]


def test_log_spaced_times_and_axes_are_drawn_so(tmp_path: Path):
    config = compose(*SAMPLES, study=tmp_path)
    ensemble, summary = make(config)
    assert plots.draw("time_courses", ensemble, summary, config).axes[0].get_xscale() == "log"
    scatter = plots.draw("metric_scatter", ensemble, summary, config)
    assert [ax.get_xscale() for ax in scatter.axes] == ["log", "linear"]


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_the_same_figure_is_the_same_bytes(suffix: str, tmp_path: Path):
    config = compose(*SAMPLES, study=tmp_path)
    ensemble, summary = make(config)
    for name in ("a", "b"):
        figure = plots.draw("metric_scatter", ensemble, summary, config)
        plots.save(figure, tmp_path / f"{name}.{suffix}", dpi=40)
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_wrong_names_are_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"plot.metric: 'nothing'.*substrate_final"):
        compose(*GRID, "plot.metric=nothing", study=tmp_path)
    with pytest.raises(ConfigError, match=r"plot.figures: heat_map needs"):
        compose(*LINE, "plot.figures=[heat_map]", study=tmp_path)


def test_several_metrics_are_in_one_figure(tmp_path: Path):
    both = "plot.metric=[substrate_min, substrate_mean, enzyme_integral]"
    config = compose(*LINE, both, study=tmp_path)
    (values, integral) = plots.draw("metric_scatter", *make(config), config).axes
    assert len(values.get_lines()) == 2  # those in the same units, each named
    assert [text.get_text() for text in values.get_legend().get_texts()] == [
        "Minimum of substrate concentration",
        "Time average of substrate concentration",
    ]
    assert len({line.get_linestyle() for line in values.get_lines()}) == 2
    assert (
        values.get_ylabel() == "mmol\N{NO-BREAK SPACE}L⁻¹" and "integral" in integral.get_ylabel()
    )
    config = compose(*GRID, both, study=tmp_path)
    maps = plots.draw("heat_map", *make(config), config)
    assert len(maps.axes) == 6  # three panels, a bar of colours each
    assert figure_caption(config, "heat_map").count("substrate_m") == 2


def test_the_caption_names_the_metric_that_is_taken(tmp_path: Path):
    for overrides in (GRID, [*GRID, "plot.metric=null"], [*LINE, "summary.metrics=[max]"], SAMPLES):
        config = compose(*overrides, "plot.figures=[metric_scatter]", study=tmp_path)
        _, summary = make(config)
        taken = shown_metrics(summary, config)
        assert len(taken) == 1
        assert f"Metric: {taken[0]}." in figure_caption(config, "metric_scatter")


def test_a_drift_is_the_last_metric_to_be_taken(tmp_path: Path):
    config = compose(*LINE, "summary.metrics=[max]", study=tmp_path)
    _, summary = make(config)
    drift = summary["substrate_max"].assign_attrs(drift_of="total")
    first = xr.Dataset({"status": summary["status"], "total_drift": drift, **summary.data_vars})
    assert shown_metrics(first, config) == ["substrate_max"]
    assert shown_metrics(first[["status", "total_drift"]], config) == ["total_drift"]


def test_a_portrait_has_a_colour_and_a_name_for_each_group(tmp_path: Path):
    levels = [8.0, 8.00001, 8.00002]  # which four digits do not tell apart
    config = compose(*LINE, f"design.axes.vmax={{values: {levels}}}", "plot.group=vmax",
                     study=tmp_path)  # fmt: skip
    figure = plots.draw("phase_portrait", *make(config), config)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["vmax = 8", "vmax = 8.00001", "vmax = 8.00002", "start", "end"]


def test_a_few_small_values_do_not_make_an_axis_logarithmic():
    rates = np.concatenate([np.full(12, 1e-6), np.linspace(50, 120, 88)])
    assert value_scale(rates, 1e-7).kind == "linear"
    assert value_scale(np.geomspace(1e-6, 100, 100), 1e-7).kind == "log"
