"""Sensitivities beside recorded doses: against closed forms, differences and verification."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import odeflow
from odeflow.config.root import Config
from odeflow.engines.choice import Resources, solve
from odeflow.ensemble.build import Built, build
from odeflow.ensemble.solve import configure_jax
from odeflow.trust.verification.run import verify
from tests.ensemble.test_dosing_situations import study
from tests.support.dosing_situations import PARAMETERS, SITUATIONS, STATES, data_set

#: Nothing arrives just when something is observed, where derivatives are of one side only.
MOVED = {"tlag": 0.173, "f1": -0.063, "d1": 0.026, "r1": 0.34, "q": 0.5}
OF_FIELD, OF_DOSES = ("cl",), ("f1", "tlag", "d1")
CHOSEN = [one for one in SITUATIONS if not one.changes]


def composed(folder: Path, axes: tuple[str, ...], *more: str) -> Config:
    asked = f"saveat.sensitivities=[{','.join(axes)}]" if axes else "saveat.sensitivities=null"
    fixed = ("experiment=recorded", "design.nonmem={file: data.csv}", "summary.metrics=[]")
    return odeflow.compose(*fixed, asked, *more, study=folder)


def solved(built: Built, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    lanes = built.lanes(columns, Resources())
    solution = solve(built.problem, lanes, built.engine, Resources())
    assert not solution.status.any()
    return dict(solution.values)


def difference(value, at: np.ndarray, step: float = 2e-3) -> np.ndarray:
    """A derivative by differences of fourth order; `at` are values of the axis, one per lane."""
    ends = {k: value(at * (1 + k * step)) for k in (-2, -1, 1, 2)}
    width = 12 * step * at.reshape(-1, 1)
    return (ends[-2] - 8 * ends[-1] + 8 * ends[1] - ends[2]) / width


@pytest.mark.slow
def test_forty_situations_have_the_derivatives_of_their_closed_forms(tmp_path: Path) -> None:
    """Along what the field reads; along what doses read, those of differences of solutions."""
    configure_jax(Resources())
    folder, subjects = study(tmp_path, data_set(CHOSEN)), np.arange(1.0, len(CHOSEN) + 1)
    columns = {"subject": subjects}
    for name, usual in PARAMETERS.items():
        own = np.array([one.parameters.get(name, usual) for one in CHOSEN])
        columns[name] = own + MOVED.get(name, 0.0)
    config = composed(folder, OF_FIELD + OF_DOSES)
    built = build(config, folder, columns)
    values, ts = solved(built, columns), built.problem.ts
    assert ts is not None and config.records is not None
    plain = build(composed(folder, ()), folder, columns)
    apart = 4096 * 2.0**-52 * config.model.t1
    at = [np.searchsorted(ts, config.records.observed(one, apart)) for one in subjects]
    for axis in OF_FIELD + OF_DOSES:
        along = difference(
            lambda x, axis=axis: np.stack(
                [solved(plain, {**columns, axis: x})[name] for name in STATES], axis=-1
            ).reshape(len(x), -1),
            columns[axis],
        ).reshape(len(subjects), len(ts), -1)
        for lane, places in enumerate(at):
            found = np.stack([values[f"d_{n}_d_{axis}"][lane, places] for n in STATES], axis=-1)
            expected = along[lane, places]
            scale = max(np.abs(expected).max(), 1e-3)
            assert np.abs(found - expected).max() < 1e-6 * scale, (axis, CHOSEN[lane].name)


@pytest.mark.slow
def test_verification_finds_the_same_sensitivities(tmp_path: Path) -> None:
    """A bolus with lag, a new start, and a steady state, by differences of SciPy's solutions."""
    names = (
        "additional doses with lag",
        "a new start with a dose (EVID 4)",
        "steady state with lag",
    )
    some = [replace(one, times=(1.1, 7.7, 17.3)) for one in SITUATIONS if one.name in names]
    assert len(some) == 3
    folder = study(tmp_path, data_set(some))
    more = ("runtime.engine=native", "model.parameters.tlag.value=0.4", "verify.number=3",
            "solver.rtol=1e-8", "solver.atol=1e-8")  # fmt: skip
    config = composed(folder, ("cl", "f1", "tlag"), *more)
    ds = odeflow.run(config)
    assert "d_central_d_cl_at_record" in ds
    found = verify(config, config.study, ds)
    assert found.attrs["verdict"] == "passed"
    wrong = ds.assign({name: ds[name] * 1.05 for name in ds if "central_d_tlag" in str(name)})
    assert verify(config, config.study, wrong).attrs["verdict"] == "failed"
