"""The gallery: nothing is cut off, no text covers other text, the same bytes twice."""

from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from odeflow.report import figures as plots
from tests.support.gallery import CASES, drawn
from tests.support.layout_faults import layout_faults


@pytest.mark.parametrize("name", CASES)
def test_no_text_is_cut_off_or_covered(name: str, tmp_path: Path):
    assert layout_faults(drawn(name, tmp_path)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_same_figure_is_the_same_bytes_and_its_text_is_text(name: str, tmp_path: Path):
    for copy in ("a", "b"):
        plots.save(drawn(name, tmp_path), tmp_path / f"{copy}.svg", dpi=40)
    one, other = (tmp_path / f"{copy}.svg" for copy in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()
    assert "<text " in one.read_text(encoding="utf-8")


def test_the_check_sees_what_is_wrong():
    figure = Figure(figsize=(3, 2))
    left, right = figure.subplots(1, 2)
    left.set_xticks([0.5, 0.51], ["a long label", "another one"])
    right.set_ylabel("lies on the panel to its left" * 3, labelpad=40)
    figure.text(0.9, 0.5, "leaves the figure")
    found = " ".join(layout_faults(figure))
    assert "'a long label' overlaps 'another one'" in found
    assert "is cut off" in found and "lies on a panel" in found


def test_a_gallery_of_thirty_at_least():
    assert len(CASES) >= 30
    assert mpl.rcParams["svg.fonttype"] == "path"  # nothing global is set
