"""Figures and the page's section of estimates: of a fit, and of one that failed everywhere."""

import numpy as np
import pytest

import odeflow
from odeflow.analysis.estimation.estimates import estimates, options_of
from odeflow.analysis.estimation.multistart import fit
from odeflow.report.estimates_section import estimates_section, estimates_summary
from odeflow.report.figures import ESTIMATE_FIGURES, draw_estimates
from odeflow.report.figures.style import svg_text
from tests.support.estimation_studies import linear_study, objective


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    asked = "analyse.estimate.posterior={draws: 20, warmup: 5}"
    config = linear_study(tmp_path_factory.mktemp("linear"), asked, sd=False)
    estimate = config.analyse.estimate
    batch = objective(config)
    return estimates(batch, fit(batch, 0, range(6), options_of(estimate)), estimate)


@pytest.mark.parametrize("kind", ESTIMATE_FIGURES)
def test_every_kind_is_drawn(fitted, kind):
    text = svg_text(draw_estimates(kind, fitted))
    panels = {"waterfall": 1, "estimates": 1, "best_fit": 2, "profiles": 4, "posterior": 4}
    panels["predictive"] = 1
    assert text.count('<g id="axes_') == panels[kind]


@pytest.mark.parametrize("kind", ESTIMATE_FIGURES)
def test_where_no_start_is_finite_the_figure_says_so(fitted, kind):
    failed = failed_everywhere(fitted)
    assert "<svg" in svg_text(draw_estimates(kind, failed))
    assert "<p>No start is finite: at 6 x &lt; 0.</p>" in " ".join(estimates_section(failed))


def failed_everywhere(fitted):
    kept = [name for name in fitted.data_vars if set(fitted[name].dims) <= {"start", "parameter"}]
    made_later = ("estimate", "best_point", "standard_error", "profile_low", "profile_high")
    starts = fitted[[name for name in kept if name not in made_later]]
    starts = starts.assign(objective=("start", np.full(starts.sizes["start"], np.inf)))
    return starts.assign_attrs(comment="no start is finite: at 6 x < 0")


def test_the_page_says_what_is_identified(fitted):
    page = " ".join(estimates_section(fitted))
    assert "identified: the interval has both limits" in page
    assert "starts within 0.1 of it" in page
    assert "measurements within 90% of the posterior predictive" in page
    for name in ("a", "b", "x", "s"):
        assert f"<td>{name}</td>" in page
    assert list(estimates_section(None)) == []


def test_the_page_begins_with_the_estimates(fitted):
    (text,) = estimates_summary(fitted)
    a = fitted.sel(parameter="a")
    low, high = float(a["profile_low"]), float(a["profile_high"])
    assert f"a is {float(a['estimate']):.3g} ({low:.3g} to {high:.3g})" in text
    assert "the best fit of 6 starts" in text
    lost = fitted.assign(profile_low=fitted["profile_low"] * np.nan)
    assert f"a is {float(a['estimate']):.3g} (below {high:.3g})" in next(
        iter(estimates_summary(lost))
    )
    assert "None of 6 starts" in next(iter(estimates_summary(failed_everywhere(fitted))))
    assert list(estimates_summary(None)) == []


def test_figures_are_those_that_fit_the_estimation(tmp_path):
    kinds = lambda *more: odeflow.config.figure_choice.figure_kinds(linear_study(tmp_path, *more))
    assert {"waterfall", "profiles"} <= {*kinds()} and "posterior" not in kinds()
    assert "profiles" not in kinds("analyse.estimate.profiles=[]")
    assert "waterfall" not in kinds("analyse.estimate=null")
