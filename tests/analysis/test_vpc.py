"""Visual predictive checks: by quantiles computed by hand, and of data the model is true of."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.analysis.summary import summarise
from odeflow.analysis.vpc import vpc_variables
from odeflow.config.vpc import VpcConfig
from odeflow.files.flags import flag_attributes
from odeflow.report.figures import draw
from tests.ensemble.test_dosing_situations import study

#: Subjects, records of each, replicates.
SUBJECTS, EACH, REPLICATES = 4, 3, 5


def replicated(copies: int = 1) -> xr.Dataset:
    """Four subjects that are observed thrice, in five replicates; the second record is none."""
    rng = np.random.default_rng(1)
    samples = SUBJECTS * copies * REPLICATES
    time = np.tile([1.0, 1.5, 4.0], samples)
    dv = np.tile(rng.random(SUBJECTS * EACH), copies * REPLICATES)
    arm = np.tile(np.repeat([0, 1, 0, 1], EACH), copies * REPLICATES).astype(np.int16)
    kinds = {"long_name": "of", **flag_attributes(["none", "c", "e"], np.int16, -1)}
    return xr.Dataset(
        {
            "status": ("sample", np.zeros(samples, np.int8)),
            "c": (("sample", "time"), np.zeros((samples, 1)), {"units": "mg/L"}),
            "row_size": ("sample", np.full(samples, EACH)),
            "c_at_record": ("record", rng.random(samples * EACH)),
            "record_time": ("record", time, {"units": "h"}),
            "record_dv": ("record", dv),
            "record_arm": ("record", arm, flag_attributes(["missing", "a", "b"], np.int16, -1)),
            "record_observed": ("record", np.tile([0, -1, 0], samples).astype(np.int16), kinds),
        },
        {
            "subject": ("sample", np.tile(np.arange(SUBJECTS), copies * REPLICATES)),
            "replicate": ("sample", np.repeat(np.arange(REPLICATES), SUBJECTS * copies)),
            "time": [0.0],
        },
    )


@pytest.mark.parametrize("copies", [1, 2])
def test_quantiles_of_bins_and_groups(copies: int) -> None:
    data = replicated(copies)
    asked = VpcConfig(quantiles=[0.1, 0.5], band=0.8, group="ARM")
    found = vpc_variables(data, {"c": asked}, {})
    assert found["c_vpc_time"].values.tolist() == [1.0, 4.0]
    assert found["vpc_group_c"].values.tolist() == [0, 1]
    assert found["c_vpc_number"].values.tolist() == [[2, 2], [2, 2]]
    dv = data["record_dv"].values[: SUBJECTS * EACH].reshape(SUBJECTS, EACH)
    simulated = data["c_at_record"].values.reshape(REPLICATES, copies, SUBJECTS, EACH)
    for group, bin, place in ((0, 0, 0), (0, 1, 2), (1, 0, 0), (1, 1, 2)):
        expected = np.quantile(dv[group::2, place], [0.1, 0.5])
        np.testing.assert_allclose(found["c_vpc_observed"].values[group, :, bin], expected)
        own = simulated[:, :, group::2, place].reshape(REPLICATES, -1)
        each = np.array([np.quantile(one, [0.1, 0.5]) for one in own])
        band = np.quantile(each, [0.1, 0.5, 0.9], axis=0)
        np.testing.assert_allclose(found["c_vpc_simulated"].values[:, group, :, bin], band)


def test_bins_by_edges_and_by_number() -> None:
    edges = vpc_variables(replicated(), {"c": VpcConfig(bins=[0.0, 2.0, 3.0, 4.0])}, {})
    assert edges["c_vpc_number"].values.tolist() == [[4, 0, 4]]
    assert np.isnan(edges["c_vpc_observed"].values[0, :, 1]).all()
    number = vpc_variables(replicated(), {"c": VpcConfig(bins=2)}, {})
    assert number["c_vpc_number"].values.sum() == 8


@pytest.mark.slow
def test_bands_hold_what_the_model_is_true_of(tmp_path: Path) -> None:
    """Forty subjects drawn from the model: most quantiles observed are within their bands."""
    folder, rng = study(tmp_path, "x"), np.random.default_rng(4)
    times, lines = np.array([0.5, 2.0, 6.0, 12.0, 24.0]), ["ID,TIME,AMT,CMT,DV"]
    for one in range(1, 41):
        k = 0.1 * np.exp(0.3 * rng.normal())
        drawn = 100 / 30 * np.exp(-k * times) * (1 + 0.1 * rng.normal(size=5))
        lines.append(f"{one},0,100,2,.")
        lines += [f"{one},{t},.,2,{x}" for t, x in zip(times, drawn)]
    (folder / "data.csv").write_text("\n".join(lines))
    config = odeflow.compose(
        "experiment=recorded", "design.nonmem={file: data.csv, observed: concentration}",
        "design.random_effects={of: {cl: exp}, omega: [[0.09]]}", "solver.rtol=1e-7",
        "design.theta={of: {cl: log}, covariance: [[0.0]], replicates: 100}",
        "model.parameters.cl.value=3", "model.states.central.initial=0", "summary.metrics=[]",
        "summary.residual_error={concentration: {proportional: 0.1}}",
        "summary.vpc={concentration: {}}", "saveat.variables=[concentration]", study=folder,
    )  # fmt: skip
    ds = odeflow.run(config)
    assert ds.sizes["sample"] == 4000
    found = summarise(ds, config.summary)
    # what would be measured at the records, of which the bands are
    simulated, error = ds["concentration_at_record"], found["concentration_at_record_with_error"]
    off = ((error - simulated) / (0.1 * simulated)).values[simulated.values > 1e-6]
    assert abs(off.std() - 1) < 4 / np.sqrt(2 * off.size) and abs(off.mean()) < 0.05
    low, middle, high = found["concentration_vpc_simulated"].values
    seen = found["concentration_vpc_observed"].values
    inside = (low <= seen) & (seen <= high)
    assert inside.size == 15 and inside.sum() >= 11
    # the median of all is that of the closed form
    np.testing.assert_allclose(middle[0, 1], 100 / 30 * np.exp(-0.1 * times), rtol=0.05)
    axes = draw("vpc", ds, found, config).axes
    assert len(axes) == 1 and len(axes[0].collections) == 3
