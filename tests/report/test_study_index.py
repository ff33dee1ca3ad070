"""`results/index.html`: what has a page, what each says, what is still to be run."""

import json
from pathlib import Path

from odeflow.workflow import specs
from odeflow.workflow.results_index import write_results_index

ANSWERS = [{"text": "All 4 trajectories were solved.", "light": "good", "word": "solved"}]
CARD = {"title": "Decay <b>", "subtitle": "Grid", "answers": ANSWERS}


def study(folder: Path, **verdicts: str) -> Path:
    for name, verdict in verdicts.items():
        results = folder / "results" / name
        results.mkdir(parents=True)
        (results / "overview.html").write_text("a page")
        (results / "verdict.json").write_text(verdict)
    return folder


def test_an_experiment_says_for_itself_what_it_is(tmp_path: Path):
    told = json.dumps({"complaints": [], "card": CARD})
    study(tmp_path, one=told, old=json.dumps({"complaints": []}), broken="{")
    (tmp_path / "config/experiment").mkdir(parents=True)
    for name in ("one", "later"):
        (tmp_path / f"config/experiment/{name}.yaml").touch()
    write_results_index(tmp_path)
    page = (tmp_path / "results/index.html").read_text(encoding="utf-8")
    assert "Decay &lt;b&gt;" in page and "All 4 trajectories were solved." in page
    for name in ("one", "old", "broken"):
        assert f'href="{name}/overview.html"' in page
    assert "experiment=later" in page and "experiment=one" not in page


def test_it_is_written_only_where_it_says_something_new(tmp_path: Path):
    write_results_index(tmp_path)
    assert not (tmp_path / "results").exists()
    study(tmp_path, one=json.dumps({"card": CARD}))
    write_results_index(tmp_path)
    page = tmp_path / "results/index.html"
    before = page.stat().st_mtime_ns
    write_results_index(tmp_path)
    assert page.stat().st_mtime_ns == before
    study(tmp_path, two=json.dumps({"card": CARD}))
    write_results_index(tmp_path)
    assert 'href="two/overview.html"' in page.read_text(encoding="utf-8")


def test_a_page_of_the_users_stays(tmp_path: Path):
    page = study(tmp_path, one=json.dumps({"card": CARD})) / "results/index.html"
    page.write_text("my own")
    write_results_index(tmp_path)
    assert page.read_text() == "my own"


def test_pages_are_stale_when_a_template_changes(tmp_path: Path, monkeypatch):
    from odeflow.importers.study.compose import compose

    config = compose("experiment=quickstart", study=tmp_path)
    stages = ("overview", "compare", "plot")
    before = {stage: specs.stage_spec(config, tmp_path, stage) for stage in stages}
    monkeypatch.setattr(specs, "_templates_digest", lambda: "another")
    after = {stage: specs.stage_spec(config, tmp_path, stage) for stage in stages}
    changed = [stage for stage in stages if before[stage] != after[stage]]
    assert changed == ["overview", "compare"]
