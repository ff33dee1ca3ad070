"""What would be measured: laws of residual errors, the same whatever else is there."""

import numpy as np
import pytest
import xarray as xr

from odeflow.analysis.summary import summarise
from odeflow.config.summary import SummaryConfig


def ensemble(samples: int, level: float = 10.0) -> xr.Dataset:
    time = np.array([0.0, 1.0, 2.0])
    values = np.tile(level * np.array([1.0, 2.0, 0.5]), (samples, 1))
    return xr.Dataset(
        {
            "x": (("sample", "time"), values, {"units": "mg", "long_name": "amount"}),
            "status": ("sample", np.zeros(samples, np.int8)),
        },
        {"sample": np.arange(samples), "time": ("time", time, {"units": "h"})},
    )


def asked(**error: float) -> SummaryConfig:
    return SummaryConfig.model_validate({"residual_error": {"x": error}})


ERRORS = [{"proportional": 0.2}, {"additive": 3.0}, {"proportional": 0.1, "additive": 2.0}]


@pytest.mark.parametrize("error", ERRORS)
def test_errors_have_the_variance_asked_for(error: dict[str, float]) -> None:
    size = 4000
    found = summarise(ensemble(size), asked(**error))
    truth = ensemble(1)["x"].values[0]
    off = found["x_with_error"].values - truth
    variance = error.get("additive", 0.0) ** 2 + (error.get("proportional", 0.0) * truth) ** 2
    assert (np.abs(off.mean(axis=0)) < 4 * np.sqrt(variance / size)).all()
    assert (np.abs(off.var(axis=0) - variance) < 4 * variance * np.sqrt(2 / size)).all()
    assert np.abs(np.corrcoef(off.T) - np.eye(3)).max() < 4 / np.sqrt(size)
    band = found["x_with_error_quantiles"].sel(quantile=[0.05, 0.95]).values
    expected = truth + np.array([[-1.645], [1.645]]) * np.sqrt(variance)
    assert (np.abs(band - expected) < 0.15 * np.sqrt(variance)).all()
    assert found["x_with_error"].attrs == {"units": "mg", "long_name": "amount with residual error"}
    assert (found["x_max"] == truth.max()).all()  # metrics are of what is simulated


def test_more_samples_keep_the_errors_of_the_first() -> None:
    few, many = (summarise(ensemble(n), asked(additive=1.0)) for n in (7, 3000))
    np.testing.assert_array_equal(few["x_with_error"], many["x_with_error"][:7])
    other = summarise(ensemble(7), asked(additive=1.0, seed=1))
    assert (other["x_with_error"] != few["x_with_error"]).all()


def test_bands_by_group_are_those_of_the_group_alone() -> None:
    whole = ensemble(3000)
    dose = np.tile([50.0, 100.0, 200.0], 1000)
    scaled = whole.assign_coords(dose=("sample", dose, {"units": "mg"}))
    scaled["x"] = whole["x"] * scaled["dose"] / 100
    asked_for = SummaryConfig.model_validate(
        {"group": "dose", "residual_error": {"x": {"proportional": 0.2}}}
    )
    found = summarise(scaled, asked_for)
    assert found["group"].values.tolist() == [50, 100, 200]
    for place, value in enumerate((50.0, 100.0, 200.0)):
        own = found["x_with_error"].values[dose == value]
        expected = np.quantile(own, asked_for.quantiles, axis=0)
        band = found["x_with_error_quantiles_by_group"].values[place]
        np.testing.assert_allclose(band, expected, rtol=1e-12)
    together = np.quantile(found["x_with_error"].values, asked_for.quantiles, axis=0)
    np.testing.assert_allclose(found["x_with_error_quantiles"].values, together, rtol=1e-12)
