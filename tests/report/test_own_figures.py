"""Figures by functions of the study: drawn, stale when their file changes, errors in one line."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from odeflow.config.figure_choice import figure_kinds
from odeflow.files.errors import ConfigError
from odeflow.importers.study.compose import compose
from odeflow.report import figures as plots
from odeflow.report.captions import figure_caption
from odeflow.report.page_figures import page_figures
from odeflow.workflow.specs import stage_spec
from tests.support.gallery import CASES, made

GOOD = """
from matplotlib.figure import Figure
def peaks(ensemble, summary):
    figure = Figure()
    figure.subplots().hist(summary["substrate_max"].values.ravel())
    return figure
"""
OVERRIDES = ["experiment=quickstart", "plot.figures=[time_courses,figures.py:peaks]"]


def drawn(text: str, study: Path) -> Figure:
    (study / "figures.py").write_text(text)
    case = CASES["grid courses"]
    overrides = [*case.overrides, OVERRIDES[1]]
    ensemble, summary, config = made(case._replace(overrides=overrides), study)
    return plots.draw("peaks", ensemble, summary, config)


def test_a_function_of_the_study_draws(tmp_path: Path):
    assert len(drawn(GOOD, tmp_path).axes[0].patches) == 10
    config = compose(*OVERRIDES, study=tmp_path)
    assert figure_kinds(config) == ["time_courses", "peaks"]
    assert "n = 4,096 trajectories" in figure_caption(config, "peaks")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("(ensemble, summary)", "(ensemble)"), "two arguments, (ensemble, summary)"),
        (GOOD.replace("substrate_max", "nothing"), "figures.py:peaks, line 5: KeyError"),
        (GOOD.replace("return figure", "return 1"), "gives int; return a matplotlib Figure"),
    ],
)
def test_what_is_wrong_with_it_is_one_line(text: str, words: str, tmp_path: Path):
    with pytest.raises(ConfigError) as raised:
        drawn(text, tmp_path)
    assert words in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ("[figures.py:peeks]", "has no function 'peeks'"),
        ("[none.py:peaks]", "no file 'none.py'"),
        ("[figures.py:heat_map]", "heat_map is taken"),
        ("[pie]", "'pie' is neither"),
    ],
)
def test_a_function_that_is_not_there_is_said_before_anything_runs(
    figures: str, words: str, tmp_path: Path
):
    (tmp_path / "figures.py").write_text(GOOD)
    with pytest.raises(ConfigError, match=r"plot\.figures") as raised:
        compose(OVERRIDES[0], f"plot.figures={figures}", study=tmp_path)
    assert words in str(raised.value)


def test_figures_are_stale_when_their_function_or_style_changes(tmp_path: Path):
    files = {"figures.py": GOOD, "own.mplstyle": "axes.linewidth: 2\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    config = compose(*OVERRIDES, "plot.style=own.mplstyle", study=tmp_path)
    specs = [stage_spec(config, tmp_path, "plot")]
    other = stage_spec(config, tmp_path, "summarise")
    for name, text in files.items():
        (tmp_path / name).write_text(f"{text}x = 1\n")
        specs.append(stage_spec(config, tmp_path, "plot"))
    assert specs[0] != specs[1] != specs[2] != specs[0]
    assert stage_spec(config, tmp_path, "summarise") == other


def test_a_docstring_is_the_caption_and_the_page_begins_with_the_figure(tmp_path: Path):
    said = '(ensemble, summary):\n    """How high they\n    come.\n\n    More of it.\n    """'
    (tmp_path / "figures.py").write_text(GOOD.replace("(ensemble, summary):", said))
    config = compose(*OVERRIDES, study=tmp_path)
    assert figure_caption(config, "peaks").startswith("How high they come. n = 4,096")
    files = [tmp_path / f"{kind}.png" for kind in ("time_courses", "heat_map", "peaks")]
    for file in files:
        plots.save(Figure(figsize=(3, 2)), file, dpi=50)
    first, others = page_figures(config, files)
    assert [one.kind for one in first] == ["peaks", "heat_map"]
    assert [one.kind for one in others] == ["time_courses"]
    assert first[0].caption.startswith("How high they come.")
