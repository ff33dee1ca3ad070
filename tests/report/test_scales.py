"""Scales that know what is dust, ticks that fit, groups, units: what decides how a figure reads."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from odeflow.files.errors import ConfigError
from odeflow.importers.study.compose import compose
from odeflow.report import figures as plots
from odeflow.report.figures.groups import groups
from odeflow.report.figures.look import look, widths
from odeflow.report.figures.ticks import log_ticks
from odeflow.report.scales import dust_of, metric_dust, value_scale
from odeflow.report.units import printed_units
from tests.support.gallery import CASES, made

DECAY = np.exp(-np.linspace(0, 30, 200))  # thirteen decades


def test_a_logarithmic_axis_is_for_decades_above_the_dust():
    assert value_scale(DECAY, 1e-14).kind == "log"
    assert value_scale(DECAY[:40], 1e-14).kind == "linear"  # two and a half decades
    assert value_scale(DECAY, 1e-4).kind == "linear"  # most of it is dust
    assert value_scale(DECAY[:150], 1e-8).floor == pytest.approx(1e-8)
    assert value_scale(-DECAY, 1e-14).kind == "linear"
    assert value_scale(DECAY, 1e-4, "log") == ("log", 1e-4)
    assert value_scale(np.array([np.nan, np.inf]), 1e-8, "log").kind == "linear"


def test_no_logarithmic_axis_goes_below_the_dust():
    figure = Figure()
    ax = figure.subplots()
    ax.plot(DECAY)
    value_scale(DECAY[:150], 1e-8).apply(ax.yaxis, DECAY)
    assert ax.get_yscale() == "log" and ax.get_ylim()[0] == pytest.approx(1e-8)


def test_dust_is_what_the_tolerance_says(tmp_path: Path):
    config = compose("experiment=quickstart", "solver.atol=1e-9", study=tmp_path)
    assert dust_of("substrate", config) == pytest.approx(1e-8)
    assert metric_dust("substrate_final", config) == pytest.approx(1e-8)
    assert metric_dust("substrate_integral", config) == 0.0
    each = "solver.atol={substrate: 1e-9, enzyme: 1e-6}"
    config = compose("experiment=quickstart", each, study=tmp_path)
    assert [dust_of(x, config) for x in ("substrate", "enzyme")] == pytest.approx([1e-8, 1e-5])


@pytest.mark.parametrize(
    ("low", "high", "most", "wanted"),
    [
        (1, 1000, 4, [1, 10, 100, 1000]),
        (0.2, 40, 3, [1, 10]),
        (0.02, 0.07, 4, [0.02, 0.04, 0.06]),
        (1.8e7, 5e7, 4, [2e7, 3e7, 4e7, 5e7]),
        (1e-30, 1e30, 4, None),
        (5.01, 5.02, 3, None),
    ],
)
def test_ticks_are_round_and_few(low: float, high: float, most: int, wanted: list | None):
    found = log_ticks(low, high, most)
    assert 2 <= len(found) <= most and found == sorted(found)
    assert low * 0.999 <= found[0] and found[-1] <= high * 1.001
    if wanted is not None:
        np.testing.assert_allclose(found, wanted)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mmol/L/min", "mmol L⁻¹ min⁻¹"),
        ("1/h", "h⁻¹"),
        ("mg/(L*h)", "mg L⁻¹ h⁻¹"),
        ("kg*m**2/s^2", "kg m² s⁻²"),
        ("a/(b/c)", "a b⁻¹ c"),
        ("J/(mol K)", "J mol⁻¹ K⁻¹"),
        ("µmol/L", "µmol L⁻¹"),
        ("%", "%"),
        ("cells per mL", "cells per mL"),
        (r"$\mu$g", r"$\mu$g"),
        ("1/(", "1/("),
        ("", ""),
    ],
)
def test_units_are_printed_as_in_a_paper(text: str, shown: str):
    assert printed_units(text).replace("\N{NO-BREAK SPACE}", " ") == shown


def test_groups_are_conditions_or_levels_of_an_axis(tmp_path: Path):
    ensemble, _, config = made(CASES["conditions"], tmp_path)
    found = groups(ensemble, config)
    assert [one.name for one in found] == ["control", "inhibited", "twice as much of it"]
    assert [one.rows[:2].tolist() for one in found] == [[0, 3], [1, 4], [2, 5]]
    ensemble, _, config = made(CASES["grid groups"], tmp_path)
    found = groups(ensemble, config)
    assert len(found) == 7 and found[0].name == "km = 4"
    assert found[1].rows[:2].tolist() == [1, 8]  # the last axis of the grid varies fastest
    assert len({one.line for one in found}) == 7  # told apart in grey, too


def test_too_many_levels_are_refused(tmp_path: Path):
    case = CASES["grid groups"]
    overrides = [x.replace("group=km", "group=vmax") for x in case.overrides]
    ensemble, _, config = made(case._replace(overrides=overrides), tmp_path)
    with pytest.raises(ConfigError, match=r"plot.group: vmax has 9 levels, 7 can be told apart"):
        groups(ensemble, config)


def test_a_group_that_is_no_axis_is_refused_before_anything_runs(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"plot.group: .*known: vmax, km"):
        compose("experiment=quickstart", "plot.group=substrate", study=tmp_path)


def test_a_figure_has_a_journals_width(tmp_path: Path):
    config = compose("experiment=quickstart", "plot.size=nature", study=tmp_path)
    with look(config):
        assert widths() == pytest.approx((89 / 25.4, 183 / 25.4))
    assert widths() == (3.4, 6.9)


def test_a_style_sheet_is_taken(tmp_path: Path):
    (tmp_path / "own.mplstyle").write_text("axes.linewidth: 3.5\n")
    case = CASES["grid courses"]
    overrides = [*case.overrides, "plot.style=own.mplstyle"]
    ensemble, summary, config = made(case._replace(overrides=overrides), tmp_path)
    figure = plots.draw("time_courses", ensemble, summary, config)
    assert figure.axes[0].spines["left"].get_linewidth() == 3.5
    with pytest.raises(ConfigError, match=r"plot.style: no file 'none.mplstyle'"):
        compose("plot.style=none.mplstyle", study=tmp_path)
    with pytest.raises(ConfigError, match=r"plot.style.*ggplto.*ggplot"):
        compose("plot.style=ggplto", study=tmp_path)
