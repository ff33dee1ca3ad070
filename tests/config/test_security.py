"""Config is data: attempts to have it run something, read something or fill the memory."""

from collections.abc import Callable
from pathlib import Path

import pytest

from odeflow.files.errors import ConfigError
from odeflow.importers.study.compose import compose
from odeflow.workflow.plan import plan
from tests.support.bad_input import EXPERIMENT, MODEL
from tests.support.hostile import CASES, Case
from tests.support.snakes import EXPERIMENT_YAML, MODEL_YAML, make_study, request, snakemake

#: Overrides that would create a file `pwned` if anything ran them.
ATTACKS = [
    "name=$(touch pwned)",
    "name=`touch pwned`",
    "name=a;touch pwned",
    "name=a|touch pwned",
    "name=a&touch pwned",
    "name=a>pwned",
    "name=a\ntouch pwned",
    "name='a'",
    'name="a"',
    "name=a\\",
    "+solver._target_=os.system",
    "+model.parameters.k._target_=builtins.open",
    "model={_target_:pathlib.Path.touch}",
    "+hydra.run.dir=pwned",
    "hydra.searchpath=[file://.]",
    "model.title=${oc.env:HOME}",
    "experiment=../../../etc/passwd",
    "model=/etc/hostname",
]


@pytest.mark.parametrize("override", ATTACKS)
def test_an_override_runs_nothing(override: str, tmp_path: Path):
    study = make_study(tmp_path)
    before = set(study.rglob("*"))
    with pytest.raises(ConfigError):
        compose("experiment=decay", override, study=study)
    assert set(study.rglob("*")) == before


@pytest.mark.parametrize(
    "text",
    [
        "title: !!python/object/apply:os.system ['touch pwned']",
        "title: !!python/object/new:os.system ['touch pwned']",
        "title: !!python/name:os.system ''",
        "title: {_target_: os.system, command: touch pwned}",
        "title: ${oc.env:HOME}",
        "title: ${oc.decode:'${oc.env:HOME}'}",
        "title: ${now:%Y}",
        "title: ${hydra:run.dir}",
        "title: ${oc.create:{a:1}}",
    ],
)
def test_a_config_file_runs_and_reads_nothing(text: str, tmp_path: Path):
    study = make_study(tmp_path)
    (study / MODEL).write_text(f"{MODEL_YAML}\n{text}\n")
    with pytest.raises(ConfigError):
        compose("experiment=decay", study=study)
    assert not list(study.rglob("pwned"))


def test_the_defaults_list_reads_nothing(tmp_path: Path):
    study = make_study(tmp_path, EXPERIMENT_YAML.replace("model: decay", "model: ${oc.env:WHICH}"))
    with pytest.raises(ConfigError):
        compose("experiment=decay", study=study)


def test_a_model_is_not_imported_to_plan(tmp_path: Path):
    study = make_study(tmp_path)
    text = (study / "models.py").read_text()
    (study / "models.py").write_text(f"{text}\nopen('pwned', 'w')\n")
    plan(request({"experiment": "decay"}, study), study)
    assert not list(study.rglob("pwned"))


def test_a_study_turns_resolvers_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WHO", "me")
    study = make_study(tmp_path)
    (study / MODEL).write_text(f"{MODEL_YAML}\ntitle: by ${{oc.env:WHO}}\n")
    asked = request({"experiment": "decay", "resolvers": ["oc.env"]}, study)
    assert plan(asked, study)["decay"].config.model.title == "by me"
    with pytest.raises(ConfigError, match=r"oc\.env.*refused"):  # and they do not stay on
        compose("experiment=decay", study=study)
    with pytest.raises(ConfigError, match=r"resolvers: 'oc\.envy'.*did you mean oc\.env\?"):
        compose("experiment=decay", study=study, resolvers=["oc.envy"])


def test_one_key_may_name_another(tmp_path: Path):
    study = make_study(tmp_path)
    (study / MODEL).write_text(f"{MODEL_YAML}\ntitle: model ${{model.name}}\n")
    assert compose("experiment=decay", study=study).model.title == "model decay"


HOSTILE = "$(touch pwned) `touch pwned`; touch pwned <script>alert(1)</script> {wildcards} %s"


@pytest.mark.slow
def test_text_in_a_config_is_text_through_the_whole_workflow(tmp_path: Path):
    study = make_study(tmp_path)
    for name, old in ((MODEL, "long_name: amount"), (MODEL, "long_name: rate constant")):
        text = (study / name).read_text()
        (study / name).write_text(text.replace(old, f"long_name: '{HOSTILE}'"))
    text = (study / MODEL).read_text()
    (study / MODEL).write_text(f"{text}\ntitle: '{HOSTILE}'\nreferences: '{HOSTILE}'\n")
    snakemake(study)
    assert not list(study.rglob("pwned"))
    page = (study / "results/decay/overview.html").read_text()
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


@pytest.mark.slow
@pytest.mark.parametrize(
    "prepare",
    [
        lambda study: None,
        lambda study: (study / "config/workflow.yaml").write_text("resolvers: [oc.env]\n"),
    ],
    ids=["refused", "turned on"],
)
def test_the_study_s_workflow_file_decides(
    prepare: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MODEL", "decay")
    study = make_study(tmp_path)
    (study / EXPERIMENT).write_text(f"{EXPERIMENT_YAML}\nmodel:\n  title: ${{oc.env:MODEL}}\n")
    prepare(study)
    on = (study / "config/workflow.yaml").exists()
    done = snakemake(study, "--dry-run", check=False)
    assert (done.returncode == 0) is on, done.stdout


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.where}: {case.what}")
def test_a_hostile_file_is_refused_with_one_line(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as raised:
        case.attempt(tmp_path / "in")
    message = str(raised.value)
    assert case.line in message and message.isprintable() and len(message) < 10_000, message
    assert list(tmp_path.iterdir()) == [tmp_path / "in"]
    assert not list(tmp_path.rglob("pwned")) and "root:" not in message
    written = tmp_path / "in" / "written"
    assert not written.exists() or not [p for p in written.rglob("*") if p.name.startswith(".")]
