"""What a dataset says of where it was solved, and of whose it is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from odeflow import compose, run
from odeflow.engines.choice import Resources
from odeflow.ensemble.assemble import assemble_in_memory
from odeflow.ensemble.solve import solve_samples
from odeflow.files.errors import ConfigError
from odeflow.provenance.environment import CHANGES_NOTHING
from odeflow.trust.reproduce import reproduce
from odeflow.workflow.plan import plan
from tests.support.snakes import (
    EXPERIMENT_YAML,
    STUDY_YAML,
    make_study,
    planned,
    request,
    snakemake,
)

ATTRIBUTES = {
    "creator_name": "Ada Lovelace; Grace Hopper",
    "creator_url": "https://orcid.org/0000-0000-0000-0000; ",
    "creator_institution": "Analytical; ",
    "license": "CC-BY-4.0",
    "keywords": "decay, kinetics",
    "summary": "A substance that decays.",
}


def test_the_dataset_says_where_it_was_solved(tmp_path: Path):
    config = compose("experiment=decay", study=make_study(tmp_path))
    parts = [solve_samples(config, tmp_path, a, a + 2, Resources(threads=1)) for a in (0, 2)]
    one = assemble_in_memory(config, 4, parts).attrs["odeflow_environment"]
    told = json.loads(one)
    (here,) = told["changes_bits"]
    assert here["processor"] and here["lapack"] and here["vectors"]
    assert told["changes_nothing"] == list(CHANGES_NOTHING)
    assert os.uname().nodename not in one
    parts[1].attrs["environment"] = json.dumps({**here, "processor": "another"})
    both = assemble_in_memory(config, 4, parts).attrs["odeflow_environment"]
    assert {x["processor"] for x in json.loads(both)["changes_bits"]} == {
        here["processor"],
        "another",
    }


SOLVE = """
import os, sys
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = sys.argv[2]
import hashlib
from odeflow import compose, run
asked = ("experiment=decay", "solver=kvaerno5", "runtime.engine=diffrax")
found = run(compose(*asked, study=sys.argv[1]))
print(hashlib.sha256(found["y"].values.tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_threads_of_blas_change_no_bit(tmp_path: Path):
    """With a field that calls LAPACK itself."""
    study = make_study(tmp_path)
    (study / "models.py").write_text(
        "import jax.numpy as jnp\n"
        "def decay(t, y, args):\n"
        "    matrix = jnp.eye(40) + 0.1 * jnp.cos(jnp.arange(1600.0)).reshape(40, 40)\n"
        "    return {'y': -args.k * y.y * jnp.linalg.solve(matrix, jnp.ones(40)).mean()}\n"
    )
    bits = {
        subprocess.run(
            [sys.executable, "-c", SOLVE, str(study), threads],
            check=True, text=True, stdout=subprocess.PIPE,
        ).stdout
        for threads in ("1", "2")
    }  # fmt: skip
    assert len(bits) == 1


def test_a_study_says_whose_it_is(tmp_path: Path):
    study = make_study(tmp_path)
    before = plan(request({"experiment": "decay"}, study), study)["decay"]
    assert not {*ATTRIBUTES} & {*run(compose("experiment=decay", study=study)).attrs}
    (study / "study.yaml").write_text(STUDY_YAML)
    found = run(compose("experiment=decay", study=study))
    assert ATTRIBUTES.items() <= found.attrs.items()
    after = plan(request({"experiment": "decay"}, study), study)["decay"]
    assert after.chunk_files == before.chunk_files  # nothing is solved again for it
    assert after.stage_spec("assemble") != before.stage_spec("assemble")
    assert after.stage_spec("verify") == before.stage_spec("verify")
    (tmp_path / "written").mkdir()
    found.to_netcdf(tmp_path / "ensemble.nc")
    reproduce(tmp_path / "ensemble.nc", study).write(tmp_path / "again")
    again = compose("experiment=decay", study=tmp_path / "again")
    assert again.about == compose("experiment=decay", study=study).about


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("licence: MIT", "about.licence: no such key.*license"),
        ("keywords: ['a, b']", "about.keywords: 'a, b': commas part keywords"),
        ("creator: [{email: a@b.c}]", "about.creator.0.name: needed but not given"),
        ('license: "\\e[2J"', "about.license: it has the control character"),
        ("- a", "study.yaml: expected keys and values"),
    ],
)
def test_a_mistake_in_it_is_one_line(text: str, message: str, tmp_path: Path):
    study = make_study(tmp_path)
    (study / "study.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        compose("experiment=decay", study=study)


@pytest.mark.slow
def test_a_new_license_solves_nothing_again(tmp_path: Path):
    study = make_study(tmp_path, EXPERIMENT_YAML)
    snakemake(study)
    (study / "study.yaml").write_text(STUDY_YAML)
    jobs = planned(study)
    assert "assemble" in jobs and "solve" not in jobs
