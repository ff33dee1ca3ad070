"""Figure, sentence and section of a training set, with failures and without."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from odeflow.files.shards import write_shards
from odeflow.report.figures import draw_training
from odeflow.report.figures.style import svg_text
from odeflow.report.training_section import read_facts, training_section, training_summary
from tests.support.training_studies import solved, training_set, training_study


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    config = training_study(tmp_path_factory.mktemp("decay"), "design.size=1500")
    made = training_set(config, *solved(config)).rows(0, 1500)
    failed, missing = made["failed"].copy(), made["num_missing"].copy()
    failed[[3, 1200]], missing[[3, 9, 1200]] = 1, 1
    valid = ((failed == 0) & (missing == 0)).astype(np.int8)
    return made.assign(failed=failed, num_missing=missing, valid=valid)


@pytest.fixture(params=["training", "training.zarr"])
def facts(rows: xr.Dataset, tmp_path: Path, request: pytest.FixtureRequest) -> xr.Dataset:
    shards = (rows.isel(sample=slice(i, i + 1024)) for i in (0, 1024))
    write_shards(tmp_path / request.param, shards, 1024, 1500, "sample")
    return read_facts(tmp_path / request.param)


def test_the_page_begins_with_what_can_be_learned_from(facts: xr.Dataset):
    (text,) = training_summary(facts)
    assert "1,497 of 1,500 simulations can be learned from: 2 parameters and 7 outputs" in text
    assert "2 failed and are masked; 1 miss an output and are masked." in text
    assert list(training_summary(None)) == [] == list(training_section(None))


def test_the_section_says_what_is_drawn_and_with_which_noise(facts: xr.Dataset):
    text = " ".join(training_section(facts))
    for part in ("rate constant", "uniform [0.5, 2.0]", "loguniform [0.1, 1.0]", "lognormal 0.1"):
        assert part in text
    assert '<th scope="row">failed</th><td>2</td>' in text
    assert "<td>y@0.5</td><td>mg</td>" in text


def test_the_figure_has_a_panel_for_each_parameter_and_output(rows: xr.Dataset):
    assert svg_text(draw_training("training_set", rows)).count('<g id="axes_') == 2 * (1 + 4)


def test_the_figure_says_so_where_nothing_can_be_learned(rows: xr.Dataset):
    none = rows.assign(valid=rows["valid"] * 0)
    assert svg_text(draw_training("training_set", none)).count('<g id="axes_') == 0
