"""A whole run of a data set: replicates of typical values, occasions, a predictive check."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import odeflow
from tests.importers.test_nonmem import FUNCTIONS, MODEL
from tests.support.snakes import snakemake

EXPERIMENT = """# @package _global_
defaults:
  - override /model: oral
  - override /design: nonmem
  - override /solver: tsit5
name: oral
model:
  time_after_dose: tad
  observables: {variables: {since: {units: h}}}
saveat: {ts: {linspace: [0, 24, 13]}}
runtime: {chunk_size: 16}
summary:
  vpc: {concentration: {bins: 3, group: ARM}}
  residual_error: {concentration: {additive: 0.1}}
verify: {number: 4}
design:
  nonmem: {file: data.csv, observed: concentration, at_doses: true}
  random_effects:
    of: {cl: exp}
    omega: [[0.09]]
    occasion: {of: {ka: exp}, omega: [[0.04]], by: OCC}
  theta: {of: {v: log}, covariance: [[0.01]], replicates: 10}
"""


def data() -> str:
    """Four subjects, two occasions each."""
    lines = ["ID,TIME,AMT,EVID,OCC,ARM,DV"]
    for subject, arm in ((1, "low"), (2, "high"), (3, "low"), (4, "high")):
        for occasion, start in enumerate((0, 12), start=1):
            amount = 100 if arm == "low" else 300
            lines.append(f"{subject},{start},{amount},1,{occasion},{arm},.")
            for after in (1, 3, 8):
                concentration = amount / 32 * np.exp(-0.1 * after) + 0.01 * subject
                lines.append(f"{subject},{start + after},.,0,{occasion},{arm},{concentration:.3f}")
    return "\n".join(lines) + "\n"


@pytest.mark.slow
def test_replicates_occasions_and_a_predictive_check(tmp_path: Path):
    for name in ("model", "experiment"):
        (tmp_path / "config" / name).mkdir(parents=True)
    (tmp_path / "config/model/oral.yaml").write_text(MODEL)
    (tmp_path / "config/experiment/oral.yaml").write_text(EXPERIMENT)
    seen = FUNCTIONS.replace("y.central / args.v}", 'y.central / args.v, "since": args.tad}')
    (tmp_path / "models.py").write_text(seen)
    (tmp_path / "data.csv").write_text(data())
    snakemake(tmp_path, config="experiment=oral")
    results = tmp_path / "results/oral"
    with xr.open_dataset(results / "ensemble.nc") as found:
        assert found.sizes["sample"] == 4 * 10 and found["row_size"].values.tolist() == [10] * 40
        assert found["replicate"].values.tolist() == np.repeat(np.arange(10), 4).tolist()
        # what differs between occasions and replicates
        assert len(np.unique(found["ka_occasion_1"])) == 40
        assert (found["ka_occasion_1"] != found["ka_occasion_2"]).all()
        assert len(np.unique(found["v"])) == 10
        before = found["record_dose_side"].values == 0
        assert before.sum() == 80 and (found["gut_at_record"].values[before][::2] == 0).all()
        since = found["since_at_record"].values.reshape(40, 10)
        np.testing.assert_allclose(since, [[0, 0, 1, 3, 8, 12, 0, 1, 3, 8]] * 40, atol=1e-10)
        kept = found["concentration_at_record"].values
    # the same in memory, to the bit
    again = odeflow.run(odeflow.compose("experiment=oral", study=tmp_path))
    np.testing.assert_array_equal(again["concentration_at_record"], kept)
    with xr.open_dataset(results / "summary.nc") as found:
        assert found["concentration_vpc_observed"].sizes["vpc_bin_concentration"] == 3
        low, middle, high = found["concentration_vpc_simulated"].values
        assert (low <= middle).all() and (middle <= high).all() and np.isfinite(high).all()
        assert found["concentration_vpc_number"].values.sum() == 24
    with xr.open_dataset(results / "verification.nc") as found:
        assert found.attrs["verdict"] == "passed", found.attrs["verdict_reason"]
    assert (results / "figures/vpc.svg").is_file()
    assert "vpc" in (results / "overview.html").read_text()
