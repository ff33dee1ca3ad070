"""The commands of `odeflow`: what `run` hands to Snakemake, and the studies that `new` writes."""

import json
import shlex
from pathlib import Path

import pytest
import yaml

from odeflow.__main__ import main
from odeflow.files.errors import ConfigError
from odeflow.importers.study.compose import compose
from odeflow.report.answers import INDICES, Answer
from odeflow.workflow.commands.new import write_study
from odeflow.workflow.commands.run import snakemake_command
from tests.support.snakes import PROJECT, make_study, planned, request

MODELS = PROJECT / "config/model"


def words(study: Path, *settings: str, cores: str | None = None, flags: str = "") -> str:
    """The command after the Snakefile's name."""
    command = snakemake_command(settings, cores, flags.split(), study)
    at = command.index("-s")
    assert command[at - 1 : at + 2] == ["snakemake", "-s", str(PROJECT / "Snakefile")]
    return shlex.join(command[at + 2 :])


def test_run_says_the_command_of_snakemake_that_the_readme_has(tmp_path: Path):
    assert words(tmp_path) == "--cores all"
    said = words(tmp_path, "experiment=robertson", "solver=kvaerno5", "solver.rtol=1e-8")
    overrides = "'overrides=solver=kvaerno5 solver.rtol=1e-8'"
    assert said == f"--cores all --config experiment=robertson {overrides}"
    said = words(tmp_path, "experiment=a,b", "compare=a,b", cores="2", flags="--dry-run")
    assert said == "--cores 2 --dry-run --config experiment=a,b compare=a,b"
    said = words(tmp_path, "~experiment", flags="prune")
    assert shlex.split(said) == ["--cores", "all", "prune", "--config", "overrides=~experiment"]


def test_run_leaves_the_cores_to_a_profile(tmp_path: Path):
    assert words(tmp_path, flags="--workflow-profile slurm") == "--workflow-profile slurm"
    assert words(tmp_path, cores="3", flags="--profile=x") == "--cores 3 --profile=x"


def test_what_run_hands_on_is_what_is_asked_for(tmp_path: Path):
    settings = ("experiment=lorenz", "solver.rtol=1e-8", "design.axes.rho={values:[20,30]}")
    command = snakemake_command(settings, None, [], tmp_path)
    given = dict(text.split("=", 1) for text in command[command.index("--config") + 1 :])
    asked = request(given, tmp_path)
    assert asked.experiments == ["lorenz"]
    assert asked.overrides == list(settings[1:])


@pytest.mark.parametrize(
    ("settings", "flags", "says"),
    [
        (["solver"], [], "write key=value"),
        (["experiment=a", "experiment=b"], [], "experiment is given once"),
        (["experiment"], [], "experiment is given once"),
        (["design.axes.k={values: [1, 2]}"], [], "no spaces"),
        (["model.title=$(ls)"], [], "the character '$' is refused"),
        (["solver=tsit5", "solver=kvaerno5"], [], "contradicts itself"),
        (["experiment=a"], ["--config", "solver=tsit5"], "only one counts"),
    ],
)
def test_run_refuses_in_one_line(settings: list[str], flags: list[str], says: str, tmp_path: Path):
    with pytest.raises(ConfigError) as error:
        snakemake_command(settings, None, flags, tmp_path)
    assert says in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["my_study", "Decay-2"])
def test_a_new_study_composes_and_says_its_command(name: str, tmp_path: Path):
    files, model = write_study(tmp_path / name), name.replace("-", "_")
    assert sorted(path.name for path in files) == sorted(
        ["models.py", f"{name}.yaml", f"{model}.yaml", "README.md", ".gitignore"]
    )
    config = compose(f"experiment={name}", study=tmp_path / name)
    assert (config.name, config.model.name) == (name, model)
    assert f"odeflow run experiment={name}" in (tmp_path / name / "README.md").read_text()


@pytest.mark.parametrize("file", ["goldbeter1991.xml", "goldbeter1991.ant"])
def test_a_new_study_of_a_file_composes(file: str, tmp_path: Path):
    study = tmp_path / "cycle"
    write_study(study, MODELS / file)
    config = compose("experiment=cycle", study=study)
    assert (study / file).read_bytes() == (MODELS / file).read_bytes()
    ((name, law),) = config.design.axes.items()
    value = config.model.parameters["vi"].value
    assert name == "vi" and law.linspace == (value / 2, value * 2, 16)


def test_a_new_study_overwrites_nothing_and_then_writes_nothing(tmp_path: Path):
    make_study(tmp_path / "decay")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(ConfigError, match=r"models\.py: is there already"):
        write_study(tmp_path / "decay")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("name", ["2nd", "my study", "a.b", "chunks", "lambda", "time", "ä"])
def test_a_new_study_needs_a_name_for_its_experiment(name: str, tmp_path: Path):
    with pytest.raises(ConfigError, match="no name for a study"):
        write_study(tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_new_study_of_a_broken_file_is_not_written(tmp_path: Path):
    (tmp_path / "broken.xml").write_text("<sbml>")
    for file in ("broken.xml", "none.xml", "model.txt"):
        with pytest.raises(ConfigError):
            write_study(tmp_path / "new", tmp_path / file)
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_a_new_study_is_planned_by_plain_snakemake(tmp_path: Path):
    write_study(tmp_path / "mine", MODELS / "goldbeter1991.xml")
    jobs = planned(tmp_path / "mine", "experiment=mine")
    assert jobs["solve"] == 1 and {"design", "assemble", "plot", "verify"} <= {*jobs}


def test_where_prints_the_checkout(capsys: pytest.CaptureFixture[str]):
    main(["where"])
    folder = Path(capsys.readouterr().out.strip())
    assert folder == PROJECT and (folder / "Snakefile").is_file()
    yaml.safe_load((folder / "config/config.yaml").read_text())


def test_the_command_line_s_mistakes_are_one_line(capsys: pytest.CaptureFixture[str]):
    for given in ([], ["runn"], ["run", "--no"], ["reproduce"], ["new", "a", "--from"]):
        with pytest.raises(SystemExit) as ended:
            main(given)
        said = capsys.readouterr().err
        assert ended.value.code == 2 and said.count("\n") == 1 and "--help" in said


def test_answers_are_what_analyses_have_found(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    solved, said = "All 9 trajectories were solved.", "k explains 90% of the variance."
    cards = {"growth": [Answer(solved, "ensemble.nc"), Answer(said, INDICES)], "plain": []}
    for name, answers in cards.items():
        (tmp_path / "results" / name).mkdir(parents=True)
        card = {"answers": [answer._asdict() for answer in answers]}
        (tmp_path / "results" / name / "verdict.json").write_text(json.dumps({"card": card}))
    main(["answers", "growth"])
    assert capsys.readouterr().out == f"{said}\n"
    for experiment, error in (("grwth", "name one of growth"), ("plain", "nothing was analysed")):
        with pytest.raises(SystemExit):
            main(["answers", experiment])
        assert error in capsys.readouterr().err
