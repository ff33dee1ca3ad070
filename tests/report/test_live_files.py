"""What is taken from the live page: a figure, a dataset, and YAML that draws the same again."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.files.errors import ConfigError
from odeflow.files.netcdf import read_dataset
from odeflow.report import figures
from odeflow.report.captions import MESSAGE
from odeflow.report.live import chosen_dataset as choosing
from odeflow.report.live.files_of import Files
from odeflow.report.live.plot_yaml import plot_yaml
from odeflow.report.live.selection import Selection
from odeflow.report.live.stored import Stored
from odeflow.report.live.views import marks, pictures
from tests.report.test_live_views import grid, rod, solved_at, subjects
from tests.support.explored import CONDITIONS, GRID, ROD

SELECTIONS = {
    "courses": (grid, GRID, Selection(variables=("substrate", "enzyme"), log_values=True)),
    "courses by group": (grid, GRID, Selection(variables=("substrate",), group="km")),
    "phase": (grid, GRID, Selection("phase", variables=("enzyme", "substrate"))),
    "map": (grid, GRID, Selection("metric", axes=("km", "vmax"), metric="enzyme_final")),
    "scatter": (subjects, CONDITIONS, Selection("metric", axes=("v",), metric="concentration_max")),
    "conditions": (subjects, CONDITIONS, Selection(variables=("concentration",), log_time=True)),
    "space": (rod, ROD, Selection("space", variables=("u",))),
}


@pytest.mark.parametrize(
    "name",
    [
        *("courses by group", "map"),
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in SELECTIONS
            if name not in ("courses by group", "map")
        ),
    ],
)
def test_the_yaml_is_a_plot_that_composes_and_draws(name: str, tmp_path: Path):
    made, overrides, selection = SELECTIONS[name]
    known = made()
    text = plot_yaml(known, selection)
    options = tmp_path / "config/plot"
    options.mkdir(parents=True)
    (options / "explored.yaml").write_text(text)
    asked = [one for one in overrides if not one.startswith("plot.")]
    config = odeflow.compose(*asked, "plot=explored", study=tmp_path)
    (kind,) = config.plot.figures
    assert known.summary is not None
    figure = figures.draw(kind, known.ensemble, known.summary, config)
    assert figure.get_label() != MESSAGE and figure.axes
    assert f"experiment={known.config.name} plot=explored" in text


def test_the_yaml_says_what_a_plot_cannot_have():
    selection = Selection(variables=("substrate",), slices={"km": (5.0, 5.0)})
    assert "what was seen was a part: km = 5" in plot_yaml(grid(), selection)


@pytest.mark.slow
@pytest.mark.parametrize("name", SELECTIONS)
@pytest.mark.parametrize("kind", ["svg", "png"])
def test_every_view_is_a_figure(name: str, kind: str):
    made, _, selection = SELECTIONS[name]
    content = files(made(), selection).content(kind)
    assert content.startswith(b"\x89PNG" if kind == "png" else b"<?xml")
    if kind == "svg" and selection.view == "courses":
        assert b">solved</text>" in content  # text is text


def files(known: Stored, selection: Selection) -> Files:
    solved, at, nearest = solved_at(known)
    shown = [
        (picture, marks(known, selection, picture, solved, at, nearest))
        for picture in pictures(known, selection)
    ]
    return Files(known, selection, shown, solved, at)


def opened(content: bytes, folder: Path) -> xr.Dataset:
    file = folder / "selection.nc"
    file.write_bytes(content)
    return read_dataset(file)


def test_the_selection_is_a_dataset_beside_what_was_solved(tmp_path: Path):
    known = grid()
    slices = {"km": (5.0, 5.0)}
    content = files(known, Selection(variables=("substrate",), slices=slices)).content("nc")
    found = opened(content, tmp_path)
    assert dict(found.sizes) == {"vmax": 5, "km": 1, "time": 3}
    expected = known.ensemble["substrate"].sel(km=[5])
    np.testing.assert_array_equal(found["substrate"], expected)
    np.testing.assert_array_equal(found["substrate_solved"], expected.sel(vmax=10, km=5))
    assert found["substrate"].attrs == known.ensemble["substrate"].attrs
    assert found.attrs["selection"] == "km = 5" and '"vmax":10.0' in found.attrs["solved_values"]
    assert "status" in found and "odeflow_config" not in found.attrs


def test_samples_of_a_condition_are_chosen_with_their_metric(tmp_path: Path):
    known = subjects()
    selection = Selection("metric", axes=("v",), metric="concentration_max", condition="severe")
    content = files(known, selection).content("nc")
    found = opened(content, tmp_path)
    assert found.sizes["sample"] == 32 and (found["condition"] == 2).all()
    assert known.summary is not None
    expected = known.summary["concentration_max"].sel(sample=found["sample"])
    np.testing.assert_array_equal(found["concentration_max"], expected)


def test_more_than_a_page_sends_is_one_line(monkeypatch):
    monkeypatch.setattr(choosing, "_MOST_BYTES", 100)
    with pytest.raises(ConfigError, match="choose slices, or read"):
        files(grid(), Selection(variables=("substrate",))).content("nc")
