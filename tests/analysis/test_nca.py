"""Noncompartmental analysis against closed forms."""

import numpy as np
import pytest
import xarray as xr

from odeflow.analysis.nca import interval
from odeflow.analysis.summary import summarise
from odeflow.config.summary import SummaryConfig

KA, KE, DOSE, TAU = 1.5, 0.12, 100.0, 12.0


def after_doses(t: np.ndarray, ke: float = KE) -> np.ndarray:
    """The amount by mouth at 0, 12, 24, ..., a sum over doses."""
    since = t[None] - TAU * np.arange(40)[:, None]
    course = KA / (KA - ke) * (np.exp(-ke * since) - np.exp(-KA * since))
    return DOSE * np.where(since >= 0, course, 0.0).sum(axis=0)


def test_an_exponential_is_exact() -> None:
    """The logarithmic trapezoid and the log-linear fit have no error of their own."""
    t = np.array([0.0, 0.5, 2.0, 5.0, 9.0, 12.0])
    rates = np.array([0.1, 0.3])
    found = interval(t, 50 * np.exp(-rates[:, None] * t))
    np.testing.assert_allclose(found.auc_tau, 50 * (1 - np.exp(-12 * rates)) / rates, rtol=1e-12)
    np.testing.assert_allclose(found.half_life, np.log(2) / rates, rtol=1e-10)
    np.testing.assert_array_equal(found.cmax, [50, 50])
    np.testing.assert_array_equal(found.tmax, [0, 0])
    np.testing.assert_allclose(found.trough, 50 * np.exp(-12 * rates))


def test_a_line_that_rises_is_exact_and_has_no_half_life() -> None:
    t = np.linspace(0, 10, 6)
    found = interval(t, 3 * t[None])
    np.testing.assert_allclose(found.auc_tau, [150])
    assert found.tmax.tolist() == [10] and np.isnan(found.half_life).all()


def test_dosing_intervals_by_mouth() -> None:
    """Bateman's function, summed over doses; a fine grid for what is integrated."""
    t = np.linspace(0, 240, 9601)
    rates = np.array([KE, 0.2])
    ensemble = xr.Dataset(
        {
            "x": (
                ("sample", "time"),
                np.array([after_doses(t, k) for k in rates]),
                {"units": "mg"},
            ),
            "status": ("sample", np.zeros(2, np.int8)),
        },
        {"sample": [0, 1], "time": ("time", t, {"units": "h"})},
    )
    asked = SummaryConfig.model_validate(
        {"nca": {"x": {"times": [0, 12, 228], "tau": 12}}, "metrics": [], "quantiles": []}
    )
    found = summarise(ensemble, asked)
    assert found["interval_x"].values.tolist() == [0, 12, 228]
    tmax = np.log(KA / rates) / (KA - rates)
    np.testing.assert_allclose(found["x_tmax"].values[:, 0], tmax, atol=0.025)
    largest = [
        DOSE * KA / (KA - k) * (np.exp(-k * m) - np.exp(-KA * m)) for k, m in zip(rates, tmax)
    ]
    np.testing.assert_allclose(found["x_cmax"].values[:, 0], largest, rtol=1e-4)
    # in the steady state the area of an interval is that of a single dose without end
    np.testing.assert_allclose(found["x_auc_tau"].values[:, 2], DOSE / rates, rtol=5e-5)
    single = (
        DOSE * KA / (KA - rates) * ((1 - np.exp(-rates * 12)) / rates - (1 - np.exp(-KA * 12)) / KA)
    )
    np.testing.assert_allclose(found["x_auc_tau"].values[:, 0], single, rtol=5e-5)
    expected = DOSE / rates / single
    np.testing.assert_allclose(found["x_accumulation"].values[:, 2], expected, rtol=5e-5)
    np.testing.assert_allclose(found["x_half_life"].values[:, 2], np.log(2) / rates, rtol=1e-2)
    np.testing.assert_allclose(found["x_trough"].values[0, 0], after_doses(np.array([12.0]))[0])
    assert found["x_auc_tau"].attrs["units"] == "mg h"
    assert found["x_accumulation"].attrs["units"] == "1"


def test_a_trajectory_that_failed_has_none() -> None:
    ensemble = xr.Dataset(
        {
            "x": (("sample", "time"), np.ones((2, 3))),
            "status": ("sample", np.array([0, 3], np.int8)),
        },
        {"sample": [0, 1], "time": ("time", [0.0, 1.0, 2.0], {"units": "h"})},
    )
    found = summarise(
        ensemble, SummaryConfig.model_validate({"nca": {"x": {"times": [0], "tau": 2}}})
    )
    assert found["x_cmax"].values[0] == 1 and np.isnan(found["x_cmax"].values[1])
    assert found["x_auc_tau"].values[0, 0] == pytest.approx(2)
