"""The wheel works alone: its files, digests and commands, and the engine without extras."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import xarray as xr

from odeflow.importers.study.compose import compose
from odeflow.provenance.sources import source_digest
from odeflow.provenance.versions import VERSION
from odeflow.workflow.experiment import Experiment
from odeflow.workflow.specs import STAGES
from tests.support.snakes import PROJECT
from tests.support.wheels import install_wheel, link_packages, surroundings

ASKED = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that has the wheel's files alone."""
    return install_wheel(tmp_path_factory.mktemp("built"))


def odeflow(wheel: Path, folder: Path, *words: str, check: bool = True) -> str:
    """What the command of the wheel prints in a folder, which is not the checkout's."""
    done = subprocess.run(
        [sys.executable, "-P", str(wheel / "bin/odeflow"), *words], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=surroundings(wheel), check=False,
    )  # fmt: skip
    assert (done.returncode == 0) is check, done.stdout
    return done.stdout


def python(wheel: Path, folder: Path, code: str, *flags: str, beside: tuple[Path, ...] = ()) -> str:
    """What Python code prints that imports the wheel's odeflow."""
    code = f"import odeflow\nassert odeflow.__file__.startswith({str(wheel)!r})\n{code}"
    done = subprocess.run(
        [sys.executable, *flags, "-c", code], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=surroundings(wheel, *beside),
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout.strip()


def files(folder: Path) -> dict[str, bytes]:
    """Content by name of the files that a folder has in git's eyes: no caches."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }  # fmt: skip


def test_it_has_the_files_of_the_checkout_once(wheel: Path):
    shared = wheel / "odeflow/_share"
    for folder in ("config", "profiles", "workflow"):
        assert files(shared / folder) == files(PROJECT / folder)
    assert (shared / "Snakefile").read_bytes() == (PROJECT / "Snakefile").read_bytes()
    own = {name: x for name, x in files(wheel / "odeflow").items() if not name.startswith("_share")}
    assert own == files(PROJECT / "src/odeflow")
    plugin = "snakemake_logger_plugin_odeflow"
    assert files(wheel / plugin) == files(PROJECT / "src" / plugin)


def test_its_digests_are_those_of_the_checkout(wheel: Path, tmp_path: Path):
    code = (
        "from pathlib import Path\n"
        "from odeflow.provenance.sources import source_digest\n"
        "from odeflow.workflow.experiment import Experiment\n"
        "from odeflow.workflow.specs import STAGES\n"
        "here = Experiment(odeflow.compose('experiment=quickstart'), Path.cwd())\n"
        "print(here.chunk_files)\n"
        "print([source_digest(f'odeflow.workflow.stages.{one}') for one in STAGES])\n"
        "print(odeflow.__version__)\n"
    )
    here = Experiment(compose("experiment=quickstart", study=tmp_path), tmp_path)
    digests = [source_digest(f"odeflow.workflow.stages.{one}") for one in STAGES]
    said = python(wheel, tmp_path, code).splitlines()
    assert said == [str(here.chunk_files), str(digests), VERSION]
    assert ASKED["version"] == VERSION


@pytest.mark.slow
def test_every_command_helps_and_mistakes_are_one_line(wheel: Path, tmp_path: Path):
    commands = re.findall(r"^    (\w+)\b", odeflow(wheel, tmp_path, "--help"), re.MULTILINE)
    known = {
        "run",
        "answers",
        "explore",
        "new",
        "reproduce",
        "schema",
        "where",
        "crate",
        "antimony",
    }
    assert known == {*commands}
    for command in commands:
        assert f"usage: odeflow {command}" in odeflow(wheel, tmp_path, command, "--help")
    for words in ("rum", "run solver", "run --core", "reproduce x.nc", "new 1", "new a --from b.c"):
        said = odeflow(wheel, tmp_path, *words.split(), check=False)
        assert said.startswith("odeflow") and len(said.splitlines()) == 1, said
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_new_study_runs_to_its_end_and_the_package_stays_as_it_is(wheel: Path, tmp_path: Path):
    before = files(wheel), sorted(wheel.rglob("*"))
    odeflow(wheel, tmp_path, "new", "my_study")
    study = tmp_path / "my_study"
    said = odeflow(wheel, study, "run", "experiment=my_study", "solver.rtol=1e-8", "--cores", "2")
    assert re.match(r"\S+ -P -m snakemake -s \S+/_share/Snakefile --cores 2 --config", said)
    with xr.open_dataset(study / "results/my_study/ensemble.nc", decode_times=False) as ensemble:
        assert dict(ensemble.sizes) == {"ka": 10, "cl": 3, "time": 97}
        assert (ensemble.status == 0).all()
        assert "rtol: 1.0e-08" in ensemble.attrs["odeflow_config"]
        assert ensemble.attrs["odeflow_version"] == VERSION
    command = 'snakemake -s "$(odeflow where)/Snakefile" --cores 2 --config experiment=my_study'
    command += " solver__rtol=1e-8"
    bins = [str(wheel / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    done = subprocess.run(
        ["bash", "-ec", command], cwd=study, text=True, check=False, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env=surroundings(wheel, PATH=os.pathsep.join(bins)),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "Nothing to be done" in done.stdout
    said = odeflow(wheel, study, "reproduce", "results/my_study/ensemble.nc", "--check")
    assert "the same bit for bit" in said
    assert (files(wheel), sorted(wheel.rglob("*"))) == before


def test_a_run_that_fails_has_its_exit_status(wheel: Path, tmp_path: Path):
    said = odeflow(wheel, tmp_path, "run", "experiment=quickstrat", check=False)
    assert "-m snakemake" in said.splitlines()[0]
    assert "no such experiment" in said and "quickstart" in said


def test_the_engine_needs_no_extra(wheel: Path, tmp_path: Path):
    """In an environment of what `dependencies` name and bring, and nothing else."""
    base = link_packages(ASKED["dependencies"], tmp_path / "base")
    assert not (base / "snakemake").exists() and not (base / "hydra").exists()
    code = """
import importlib, pkgutil
import odeflow.design, odeflow.engines, odeflow.problem
for room in (odeflow.design, odeflow.engines, odeflow.problem):
    for one in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
        importlib.import_module(one.name)
solved = odeflow.run(odeflow.Config.model_validate(CONFIG))
assert solved.sizes["vmax"] == 2 and (solved.status == 0).all()
for name in ("compose", "reproduce"):
    try:
        getattr(odeflow, name)
    except ImportError as error:
        print(error)
from odeflow.__main__ import main
try:
    main(["run", "experiment=quickstart"])
except SystemExit as ended:
    print(ended.code)
"""
    config = compose("experiment=quickstart", study=tmp_path).model_dump(mode="json")
    config["design"]["axes"] = {"vmax": {"values": [8.0, 9.0]}}
    said = python(wheel, tmp_path, f"CONFIG = {config!r}\n{code}", "-S", beside=(base,))
    assert said.splitlines() == [
        "odeflow.compose: it needs the package hydra: pip install 'odeflow[workflow]'",
        "odeflow.reproduce: it needs the package netCDF4: pip install 'odeflow[workflow]'",
        "odeflow: run: it needs the package snakemake: pip install 'odeflow[workflow]'",
        "1",
    ]


@pytest.mark.slow
def test_the_extra_workflow_is_all_that_a_run_needs(wheel: Path, tmp_path: Path):
    """Without libSBML, Antimony, Zarr and Dask, too."""
    asked = [*ASKED["dependencies"], *ASKED["optional-dependencies"]["workflow"]]
    folder = link_packages(asked, tmp_path / "installed")
    assert not (folder / "libsbml").exists() and not (folder / "zarr").exists()
    study = tmp_path / "study"
    study.mkdir()
    code = "import sys\nfrom odeflow.__main__ import main\nmain(sys.argv[1:])"
    for words in (["new", "."], ["run", "experiment=study"]):
        done = subprocess.run(
            [sys.executable, "-S", "-c", code, *words], cwd=study, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=surroundings(wheel, folder),
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
    assert (study / "results/study/verdict.json").is_file()
