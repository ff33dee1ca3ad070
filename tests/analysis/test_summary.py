"""Metrics against closed forms; failures never counted in silence."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from odeflow.analysis.summary import summarise
from odeflow.config.metrics import METRICS, first_time_beyond, product_units
from odeflow.config.summary import SummaryConfig
from odeflow.files import slabs
from odeflow.files.errors import ConfigError
from odeflow.problem.status import Status

T = np.linspace(0.0, 2 * np.pi, 401)


def make(y: np.ndarray, t: np.ndarray = T, status: np.ndarray | None = None) -> xr.Dataset:
    """An ensemble of one variable `y` over (sample, time)."""
    if status is None:
        status = np.zeros(len(y), np.int8)
    return xr.Dataset(
        {
            "y": (("sample", "time"), y, {"units": "mg/L", "long_name": "dose"}),
            "status": ("sample", status),
        },
        {"time": ("time", t, {"units": "h"}), "sample": np.arange(len(y))},
    )


ALL = SummaryConfig.model_validate({"metrics": list(METRICS)})


def test_metrics_of_sines():
    a = np.array([1.0, 3.0])
    s = summarise(make(a[:, None] * np.sin(T) + 2.0), ALL)
    expected = {
        "final": 2.0, "min": 2.0 - a, "max": 2.0 + a, "mean": 2.0, "integral": 4 * np.pi,
        "time_of_max": np.pi / 2, "time_of_min": 3 * np.pi / 2, "amplitude": 2 * a,
    }  # fmt: skip
    for name, value in expected.items():
        np.testing.assert_allclose(s[f"y_{name}"], np.broadcast_to(value, 2), rtol=1e-9)
    assert s.y_integral.attrs == {"units": "mg/L h", "long_name": "time integral of dose"}
    assert s.y_time_of_max.attrs["units"] == "h"


def test_integral_and_mean_over_uneven_times():
    t = np.geomspace(1.0, 100.0, 2001)
    s = summarise(make(1.0 / t[None], t), ALL)
    np.testing.assert_allclose(s.y_integral, np.log(100.0), rtol=1e-5)
    np.testing.assert_allclose(s.y_mean, np.log(100.0) / 99.0, rtol=1e-5)


@given(st.floats(-3, 3), st.floats(0.1, 2), st.floats(-4, 4), st.booleans())
def test_threshold_times_of_a_line(start: float, slope: float, threshold: float, above: bool):
    t = np.linspace(0.0, 2.0, 7)
    sign = 1 if above else -1
    found = first_time_beyond(sign * (start + slope * t)[:, None], t, sign * threshold, above)[0]
    crossing = (threshold - start) / slope
    if start > threshold:
        assert found == 0.0
    elif crossing >= 2.0 - 1e-12:
        assert np.isnan(found) or found == pytest.approx(2.0)
    else:
        assert found == pytest.approx(max(crossing, 0.0), abs=1e-9)


def test_a_failed_trajectory_has_no_metrics_and_no_part_in_quantiles():
    y = np.stack([np.full_like(T, v) for v in (1.0, 2.0, 3.0, 100.0)])
    y[3, 200:] = np.nan
    status = np.array([0, 0, 0, Status.non_finite], np.int8)
    s = summarise(make(y, status=status), ALL)
    for name in METRICS:
        assert np.isnan(s[f"y_{name}"][3]) and np.isfinite(s[f"y_{name}"][:3]).all(), name
    np.testing.assert_array_equal(s.y_quantiles.sel(quantile=0.5), 2.0)
    assert s.attrs["number_of_success"] == 3 and s.attrs["number_of_non_finite"] == 1


def test_all_failed():
    y = np.full((3, T.size), np.nan)
    s = summarise(make(y, status=np.full(3, Status.max_steps_reached, np.int8)), ALL)
    assert np.isnan(s.y_quantiles).all() and np.isnan(s.y_final).all()


def test_one_saved_time_has_no_time_metrics():
    s = summarise(make(np.array([[1.0], [2.0]]), np.array([5.0])), ALL)
    assert "y_final" in s and "y_integral" not in s and "y_time_of_max" not in s


def test_slabs_give_what_one_piece_gives(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5, 4, 6, 3))
    ensemble = xr.Dataset(
        {
            "u": (("a", "b", "time", "x"), values, {"units": "1"}),
            "status": (("a", "b"), rng.integers(0, 2, (5, 4)).astype(np.int8)),
        },
        {"time": np.arange(6.0)},
    )
    config = SummaryConfig.model_validate({"first_time_above": {"u": 0.5}})
    whole = summarise(ensemble, config)
    monkeypatch.setattr(slabs, "READ_BYTES", 200)
    monkeypatch.setattr(slabs, "PIECE", 3)
    xr.testing.assert_identical(summarise(ensemble, config), whole)
    assert whole.u_max.dims == ("a", "b", "x")
    assert whole.u_quantiles.dims == ("quantile", "time", "x")


def test_an_unknown_variable_is_named():
    with pytest.raises(ConfigError, match=r"summary.variables: 'z'.*known: y"):
        summarise(make(np.zeros((1, T.size))), SummaryConfig.model_validate({"variables": ["z"]}))


def test_units_of_products():
    assert product_units("{y} {t}", "1", "1") == "1"
    assert product_units("{y} {t}", "1", "h") == "h"
    assert product_units("{y} {t}", "mmol/L", "min") == "mmol/L min"
