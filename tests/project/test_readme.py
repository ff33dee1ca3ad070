"""The README's study, exactly as printed, and what else it claims."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from benchmarks.ratios import ASKED, ratio
from benchmarks.report import number
from odeflow.provenance.versions import VERSION
from tests.support.snakes import PROJECT

README = (PROJECT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which a reader has typed all files of the README."""
    folder = tmp_path_factory.mktemp("reader")
    files = [(re.match(r"(?:# @.*\n)?# (my_study/\S+)\n", text), text) for _, text in BLOCKS]
    for match, text in files:
        if match:
            path = folder / match.group(1)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return folder


@pytest.mark.slow
def test_the_study_runs_as_printed(study: Path):
    command = next(text for kind, text in BLOCKS if kind == "bash" and "$ODEFLOW" in text)
    environment = {
        **os.environ,
        "ODEFLOW": str(PROJECT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-ec", command], cwd=study, env=environment, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    results = study / "my_study/results/transit"
    with xr.open_dataset(results / "ensemble.nc", decode_times=False) as ensemble:
        assert dict(ensemble.sizes) == {"sample": 512, "time": 97}
        assert (ensemble.status == 0).all()
        np.testing.assert_allclose(ensemble.concentration, ensemble.blood / 40.0, rtol=1e-12)
    with xr.open_dataset(results / "summary.nc", decode_times=False) as summary:
        assert "concentration_first_time_above" in summary
    assert list((results / "figures").glob("*.svg"))


def test_the_python_example_runs_as_printed(study: Path):
    code = next(text for kind, text in BLOCKS if kind == "python" and "odeflow.run" in text)
    code += "\nassert dict(ds.sizes) == {'sample': 64, 'time': 97}, ds\n"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
    subprocess.run([sys.executable, "-c", code], cwd=study, env=environment, check=True)


def test_every_file_it_links_to_exists():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (PROJECT / target).exists(), target


def test_it_names_the_wheel_of_this_version():
    assert {*re.findall(r"odeflow-[\w.]+-py3-none-any\.whl", README)} == {
        f"odeflow-{VERSION}-py3-none-any.whl"
    }


def test_its_ratios_are_those_of_the_benchmarks():
    cases = json.loads((PROJECT / "benchmarks" / "results.json").read_text())["cases"]
    for against in ("naive", "numbalsoda"):
        found = [ratio(a, cases[a.case]) for a in ASKED if a.against == against]
        times = [r.equal_error for r in found if r is not None]
        assert f"{number(min(times))} to {number(max(times))} times" in README.replace("\n  ", " ")
