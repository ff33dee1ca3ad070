"""The README and the guide: what they print runs, and what they claim is so."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import odeflow
from benchmarks.ratios import ASKED, ratio
from benchmarks.report import number
from benchmarks.speed import FIGURE, figure, points
from odeflow.provenance.versions import VERSION
from tests.support.snakes import PROJECT

README = (PROJECT / "README.md").read_text()
GUIDE = {page.name: page.read_text() for page in (PROJECT / "docs/guide").glob("*.md")}
#: Lines of a screen or two.
MOST_LINES = 90


def blocks(text: str) -> list[tuple[str, str]]:
    """Blocks of code of a page, with their languages."""
    return re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)


BLOCKS = blocks(GUIDE["own_model.md"])


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which a reader has typed all files of the guide's study."""
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


def test_every_file_they_link_to_exists():
    pages = {PROJECT / "README.md": README}
    pages |= {PROJECT / "docs/guide" / name: text for name, text in GUIDE.items()}
    for page, text in pages.items():
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_the_readme_is_short_and_the_index_of_the_guide_names_every_page():
    assert len(README.splitlines()) <= MOST_LINES
    index = GUIDE["index.md"]
    assert {name for name in GUIDE if name != "index.md" and f"({name})" not in index} == set()


def test_ten_lines_of_yaml_are_an_experiment(tmp_path: Path):
    (text,) = (text for kind, text in blocks(README) if kind == "yaml")
    path = tmp_path / re.findall(r"^# (my_study/\S+)$", text, re.MULTILINE)[0]
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert len([line for line in text.splitlines() if line.strip()[:1] not in {"#", ""}]) <= 10
    config = odeflow.compose("experiment=outbreaks", "design.size=8", study=tmp_path / "my_study")
    ensemble = odeflow.run(config)
    assert ensemble.sizes["sample"] == 8 and (ensemble.status == 0).all()
    assert config.plot.metric == "infected_max"


def test_ten_lines_of_python_run():
    (code,) = (text for kind, text in blocks(README) if kind == "python")
    code += "assert sol.ys.shape == (100_000, 1) and sol.engine == 'native', sol.ys.shape\n"
    code += "np.testing.assert_allclose(sol.ys[:, 0], np.exp(-5 * k), rtol=1e-3, atol=1e-6)\n"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def test_the_figure_shows_the_results_of_the_benchmarks():
    results = json.loads((PROJECT / "benchmarks" / "results.json").read_text())["cases"]
    shown = points(results)
    assert max(shown["Robertson, end"].values()) == shown["Robertson, end"]["naive"] > 2000
    drawn = figure(shown)
    numbers = {text.get_text() for text in drawn.axes[0].texts}
    assert numbers == {number(x) for row in shown.values() for x in row.values()}
    assert FIGURE.is_file() and f"docs/{FIGURE.name}" in README


def test_it_names_the_wheel_of_this_version():
    assert {*re.findall(r"odeflow-[\w.]+-py3-none-any\.whl", GUIDE["installation.md"])} == {
        f"odeflow-{VERSION}-py3-none-any.whl"
    }


def test_its_ratios_are_those_of_the_benchmarks():
    cases = json.loads((PROJECT / "benchmarks" / "results.json").read_text())["cases"]
    for against in ("naive", "numbalsoda"):
        found = [ratio(a, cases[a.case]) for a in ASKED if a.against == against]
        times = [r.equal_error for r in found if r is not None]
        said = f"{number(min(times))} to {number(max(times))} times"
        for text in (README, GUIDE["features.md"]):
            assert said in re.sub(r"\s+", " ", text)
