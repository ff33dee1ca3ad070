"""`model.inputs` of files: digests, storing and restoring, SBML, verification."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import odeflow
from odeflow.files.errors import ConfigError
from odeflow.importers.loading import load_model
from odeflow.trust.reproduce import reproduce
from odeflow.trust.verification import verify
from odeflow.trust.verification.inputs import GivenInputs
from odeflow.trust.verification.trajectory import Trajectories
from odeflow.workflow.chunks import solve_digest
from tests.engines.test_inputs import TIMES, VALUES, exact, study_with
from tests.support.snakes import make_study, snakemake

CSV = "day,celsius\n" + "".join(f"{d},{c}\n" for d, c in zip(TIMES, VALUES))
COURSE = "file: u.csv, time: day, value: celsius"
ANTIMONY = """
model decay
  var y = 3; const u = 7; k = 1
  J: -> y; u
  K: y -> ; k*y
  total := y + u
end
"""


def study_of_a_file(folder: Path, text: str = CSV, course: str = COURSE) -> Path:
    study = study_with(folder, course)
    (study / "u.csv").write_text(text)
    return study


def config_of(study: Path, *overrides: str) -> Any:
    return odeflow.compose("experiment=decay", *overrides, study=study)


def test_the_digest_is_that_of_the_content_and_of_the_keys(tmp_path: Path):
    study = study_of_a_file(tmp_path)
    digest = lambda *overrides: solve_digest(config_of(study, *overrides), study)
    before = digest()
    assert digest("plot.dpi=60") == before
    assert digest("model.inputs.u.interpolation=cubic") != before
    (study / "u.csv").write_text(CSV.replace("4.0", "5.0"))
    assert digest() != before
    (study / "u.csv").write_text(CSV)
    assert digest() == before


@pytest.mark.slow
def test_an_input_is_held_outside_where_that_is_asked_for(tmp_path: Path):
    study = study_of_a_file(tmp_path, CSV.replace("2.0,4.0\n", "").replace("0.0,", "0.1,"))
    with pytest.raises(ConfigError, match=r"0.1 to 1.25, do not cover the time span \[0, 2\]"):
        config_of(study)
    config = config_of(study, "+model.inputs.u.outside=hold", "solver.rtol=1e-9")
    found = odeflow.run(config)
    seen = np.interp(found["time"], [0.1, 0.5, 1.25], VALUES[:3])
    np.testing.assert_allclose(found["seen"][0], 2 * seen, rtol=1e-13)
    times, values = [0.0, 0.1, 0.5, 1.25, 2.0], [1.0, 1.0, 3.0, 2.0, 2.0]
    expected = [exact(float(rate), times, values) for rate in found["k"]]
    np.testing.assert_allclose(found["y"].isel(time=-1), expected, rtol=1e-7)


@pytest.mark.slow
def test_results_keep_the_file_and_are_made_again_of_it(tmp_path: Path):
    study = study_of_a_file(tmp_path / "study")
    snakemake(study)
    found = reproduce(study / "results/decay/ensemble.nc", study)
    assert found.data == {"u.csv": CSV.encode()} and found.changed_sources == []
    found.check(number=2)
    found.write(tmp_path / "again")
    assert (tmp_path / "again/u.csv").read_text() == CSV


@pytest.mark.parametrize(
    "kind",
    ["cubic", *(pytest.param(x, marks=pytest.mark.slow) for x in ("linear", "previous", "next"))],
)
def test_verification_has_its_own_interpolants_and_agrees(kind: str, tmp_path: Path):
    courses = "file: u.csv, time: day, value: {a: celsius, b: other}, by: site"
    text = "day,celsius,other\n" + "".join(f"{d},{c},{5 - c}\n" for d, c in zip(TIMES, VALUES))
    study = study_of_a_file(tmp_path, text, f"{courses}, interpolation: {kind}")
    axes = "design.axes={k: {values: [0.5, 2]}, site: {names: [b, a]}}"
    config = config_of(study, axes, "solver.rtol=1e-8", "verify.number=4")
    ensemble = odeflow.run(config)
    found = verify(config, study, ensemble)
    assert found.attrs["verdict"] == "passed", found.attrs["verdict_reason"]
    trajectories = Trajectories(config, load_model(config.model, study), study)
    assert trajectories.functions.evaluator == "numpy"
    problem = trajectories.problem(ensemble.isel(k=0, site=0))
    np.testing.assert_array_equal(problem.given_times, TIMES)
    given = GivenInputs(config.model, study)
    slope = problem.field(0.7, problem.y0, problem.changes[0].args)
    assert slope[0] == pytest.approx(given.value("u", 0.7, 1) - 0.5 * 3.0)


@pytest.mark.slow
def test_verification_sees_a_wrong_course(tmp_path: Path):
    """A result solved with other numbers than the file has by now."""
    study = study_of_a_file(tmp_path)
    ensemble = odeflow.run(config_of(study, "verify.number=2"))
    (study / "u.csv").write_text(CSV.replace("3.0", "3.01"))
    found = verify(config_of(study, "verify.number=2"), study, ensemble)
    assert found.attrs["verdict"] == "failed"


def study_of_antimony(folder: Path, text: str = ANTIMONY) -> Path:
    study = make_study(folder)
    (study / "decay.ant").write_text(text)
    (study / "u.csv").write_text(CSV)
    (study / "config/model/decay.yaml").write_text(
        f"name: decay\nantimony: decay.ant\nt1: 2.0\ninputs:\n  u: {{{COURSE}}}\n"
    )
    return study


@pytest.mark.parametrize("engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)])
def test_of_antimony_it_takes_the_place_of_a_parameter(engine: str, tmp_path: Path):
    study = study_of_antimony(tmp_path)
    config = config_of(study, f"runtime.engine={engine}", "solver.rtol=1e-9", "verify.number=2")
    assert "u" not in config.model.parameters
    found = odeflow.run(config)
    expected = [exact(float(rate)) for rate in found["k"]]
    np.testing.assert_allclose(found["y"].isel(time=-1), expected, rtol=1e-7)
    seen = np.interp(found["time"], TIMES, VALUES)
    np.testing.assert_allclose(found["total"] - found["y"], np.tile(seen, (4, 1)), rtol=1e-12)
    trajectories = Trajectories(config, load_model(config.model, study), study)
    assert trajectories.functions.evaluator == "numpy"
    assert not trajectories.functions.is_autonomous
    problem = trajectories.problem(found.isel(k=0))
    slope = problem.field(0.25, problem.y0, problem.changes[0].args)
    assert slope[0] == pytest.approx(2.0 - 0.5 * 3.0)


@pytest.mark.slow
def test_what_the_file_needs_at_t0_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"model.inputs.u: the file computes the start of y"):
        config_of(study_of_antimony(tmp_path, ANTIMONY.replace("y = 3", "y = 2*u")))
    with pytest.raises(ConfigError, match=r"model.inputs.u: it is no parameter of the file"):
        config_of(study_of_antimony(tmp_path / "b", re.sub(r"\bu\b", "w", ANTIMONY)))


def test_an_estimation_is_refused_with_categories(tmp_path: Path):
    study = study_of_a_file(
        tmp_path, course="file: u.csv, time: day, value: {a: celsius, b: celsius}, by: site"
    )
    (study / "d.csv").write_text("time,variable,value,sd\n1,y,1,0.1\n")
    with pytest.raises(
        ConfigError, match=r"analyse.estimate: nothing says which of the categories"
    ):
        config_of(
            study, "design.axes={site: {names: [a]}}",
            "analyse.estimate={data: d.csv, parameters: {k: {bounds: [0.1, 10]}}}",
        )  # fmt: skip
