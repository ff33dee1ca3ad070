"""Parameters that differ between the occasions of a subject, against the closed form."""

from pathlib import Path

import numpy as np
import pytest

import odeflow
from odeflow.config.root import Config
from odeflow.design import number_of_samples, rows
from odeflow.trust.verification.run import verify
from tests.ensemble.test_dosing_situations import study

#: Two doses, each the beginning of an occasion, and what is observed of these.
TIMES = {1: (1.0, 5.0, 11.0), 2: (13.0, 20.0, 24.0)}


def composed(folder: Path, subjects: int = 2, *more: str) -> Config:
    lines = ["ID,TIME,AMT,CMT,OCC"]
    for one in (1, 2):
        for occasion, at in TIMES.items():
            lines.append(f"{one},{12 * (occasion - 1)},{100 * one},2,{occasion}")
            lines += [f"{one},{t},.,2,{occasion}" for t in at]
    (study(folder, "\n".join(lines)) if not (folder / "data.csv").exists() else folder)
    effects = (
        f"design.random_effects={{of: {{cl: exp}}, omega: [[0.09]], subjects: {subjects}, "
        "occasion: {of: {cl: exp, v: exp}, omega: [[0.04, 0.01], [0.01, 0.02]], by: OCC}}"
    )
    return odeflow.compose(
        "experiment=recorded", "design.nonmem=data.csv", effects, "summary.metrics=[]",
        "model.states.central.initial=0", "saveat.variables=[central]", *more, study=folder,
    )  # fmt: skip


@pytest.mark.parametrize("engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)])
def test_parameters_change_at_the_first_record_of_an_occasion(tmp_path: Path, engine: str) -> None:
    config = composed(tmp_path, 2, f"runtime.engine={engine}")
    ds = odeflow.run(config)
    found = ds["central_at_record"].values.reshape(4, 6)
    assert ds["cl_occasion_1"].attrs["long_name"] == "cl in occasion 1"
    first, second = (
        (ds[f"cl_occasion_{n}"] / ds[f"v_occasion_{n}"]).values[:, None] for n in (1, 2)
    )
    assert (np.abs(first / second - 1) > 1e-3).all()
    dose = 100 * ds["subject"].values[:, None]
    early, late = (np.array(TIMES[n]) for n in (1, 2))
    np.testing.assert_allclose(found[:, :3], dose * np.exp(-first * early), rtol=1e-8)
    left = dose * np.exp(-first * 12) + dose
    np.testing.assert_allclose(found[:, 3:], left * np.exp(-second * (late - 12)), rtol=1e-8)


@pytest.mark.slow
def test_verification_finds_the_same(tmp_path: Path) -> None:
    """By the values of occasions that the dataset has, not by how they were drawn."""
    more = ("solver.rtol=1e-7", "solver.atol=1e-8", "verify.number=1")
    config = composed(tmp_path, 1, *more)
    ds = odeflow.run(config)
    assert verify(config, config.study, ds).attrs["verdict"] == "passed"
    wrong = ds.assign_coords(cl_occasion_2=1.3 * ds["cl_occasion_2"])
    assert verify(config, config.study, wrong).attrs["verdict"] == "failed"


def test_effects_of_occasions_have_their_covariance_and_keep_the_first(tmp_path: Path) -> None:
    config = composed(tmp_path, 1000)
    columns = rows(config.design, 0, number_of_samples(config.design, tmp_path), tmp_path)
    few = rows(composed(tmp_path, 3).design, 0, 6, tmp_path)
    kappa = [
        np.log(np.stack([columns[f"cl_occasion_{n}"] / columns["cl"], columns[f"v_occasion_{n}"]]))
        for n in (1, 2)
    ]
    omega = np.array([[0.04, 0.01], [0.01, 0.02]])
    error = np.sqrt((omega**2 + np.outer(np.diag(omega), np.diag(omega))) / 2000)
    for one in kappa:
        assert (np.abs(np.cov(one) - omega) < 4 * error).all()
    assert abs(np.corrcoef(kappa[0][0], kappa[1][0])[0, 1]) < 4 / np.sqrt(2000)
    eta = np.log(columns["cl"] / config.model.parameters["cl"].value)
    assert abs(np.corrcoef(kappa[0][0], eta)[0, 1]) < 4 / np.sqrt(2000)
    for name, column in few.items():
        assert column.tobytes() == columns[name][:6].tobytes()
