"""Figures and sentences of sensitivity indices, for every design that has any."""

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb

import odeflow
from odeflow.analysis.sensitivity.indices import sensitivity_indices
from odeflow.analysis.summary import summarise
from odeflow.config.figure_choice import OF_INDICES, figure_kinds
from odeflow.config.root import Config
from odeflow.report import figures as plots
from odeflow.report.figures.style import BLUE
from odeflow.report.sensitivity import sensitivity_section, sentences
from odeflow.report.sensitivity_outputs import parameter_names
from tests.support.marks import fast
from tests.support.snakes import PROJECT

COMMON = (
    "experiment=sensitivity", "design.second_order=false", "saveat.ts={linspace: [0, 10, 6]}",
    "analyse.sensitivity.resamples=20",
)  # fmt: skip
DESIGNS = {
    "sobol": ["design.size=256"],
    "pairs": ["design.size=256", "design.second_order=true"],
    "groups": ["design.size=64", "design.groups={kinetics: [vmax, km]}"],
    "morris": ["design.kind=morris", "design.size=20"],
    "fast": ["design.kind=fast", "design.size=129"],
    "given": ["design.kind=sobol", "design.size=64"],
    "delta": [
        *("design.kind=random", "design.size=64", "analyse.sensitivity.methods=[delta]"),
        "analyse.sensitivity.variables=[substrate]",
    ],
    "derivatives": [
        *("design.kind=sobol", "design.size=64", "saveat.sensitivities=[vmax, km, enzyme]"),
        "analyse.sensitivity.methods=[dgsm]",
    ],
    "no intervals": ["design.size=64", "analyse.sensitivity.resamples=0"],
    "variables alone": ["design.size=64", "analyse.sensitivity.metrics=[]"],
    "conditions": [
        "design.size=32", "~design.axes.km", "design.conditions={low: {km: 1}, high: {km: 8}}",
    ],
}  # fmt: skip


def made(name: str, study: Path) -> tuple[Config, xr.Dataset]:
    config = odeflow.compose(*COMMON, *DESIGNS[name], study=study)
    ensemble = odeflow.run(config)
    summary = summarise(ensemble, config.summary)
    return config, sensitivity_indices(config, study, ensemble, summary)


@pytest.mark.parametrize("name", fast({"morris"}, list(DESIGNS)))
def test_every_figure_draws_and_the_page_says_what_matters(name: str, tmp_path: Path):
    config, indices = made(name, tmp_path)
    kinds = [kind for kind in figure_kinds(config) if kind in OF_INDICES]
    assert {"sensitivity_indices", "sensitivity_over_time"} <= set(kinds)
    assert ("morris_plane" in kinds) == (name == "morris")
    assert ("sensitivity_pairs" in kinds) == (name == "pairs")
    assert ("sensitivity_convergence" in kinds) == (name != "fast")
    for kind in kinds:
        file = tmp_path / f"{kind}.png"
        plots.save(plots.draw_sensitivity(kind, indices, config), file, dpi=40)
        assert file.read_bytes()[:4] == b"\x89PNG"
    first = sentences(indices, config)[0]
    wanted = {
        "morris": r"moves the first time .* most: by .* min per whole range; then [\w ]+ \d",
        "given": r"explains \d+% \(-?\d+ to \d+\) of the variance of the first time",
        "delta": r"shifts the distribution of the first time .* most: delta 0\.\d+",
        "derivatives": r"\w+ explains at most \d+%",
        "no intervals": r"explains \d+% of the variance",
        "fast": r"explains \d+% \(-?\d+ to \d+\) of the variance",
        "variables alone": r"explains \d+% .* at the end",
        "groups": r"^kinetics explains",
        "conditions": r"of the variance of the first time .*, low",
    }
    assert re.search(wanted.get(name, r"^vmax explains \d+% \(\d+ to \d+\)"), first), first
    section = "".join(sensitivity_section(indices, config))
    assert "<h2>Sensitivity</h2>" in section and "left out" in section


def test_pairs_are_drawn_with_their_intervals_the_strongest_on_top(tmp_path: Path):
    config, indices = made("pairs", tmp_path)
    ax = plots.draw_sensitivity("sensitivity_pairs", indices, config).axes[0]
    second = indices["substrate_first_time_below_second_order"].values
    bars = {text.get_text(): bar for text, bar in zip(ax.get_yticklabels(), ax.patches)}
    names = parameter_names(indices, config)
    assert len(bars) == 3 and ax.patches[-1].get_width() == np.nanmax(second)
    low = indices["substrate_first_time_below_second_order_bounds"].sel(bound="lower").values
    for i, j in ((0, 1), (0, 2), (1, 2)):
        bar = bars[f"{names[i]} \N{MULTIPLICATION SIGN} {names[j]}"]
        assert bar.get_width() == second[i, j]
        dark = bar.get_facecolor()[:3] == to_rgb(BLUE)
        assert dark == (low[i, j] > 0)


def test_sentences_are_the_numbers(tmp_path: Path):
    config, indices = made("sobol", tmp_path)
    name = "substrate_first_time_below_first_order"
    place = int(np.argmax(indices[name].values))
    value = 100 * indices[name].values[place]
    low, high = 100 * indices[f"{name}_bounds"].transpose("bound", "parameter").values[:, place]
    said = f"{indices['parameter'].values[place]} explains {value:.0f}% ({low:.0f} to {high:.0f})"
    assert sentences(indices, config)[0].startswith(said)


def first_of(indices: xr.Dataset, values: list[float], half: float) -> xr.Dataset:
    """The same with other first order indices of the first time, and intervals as wide."""
    name = "substrate_first_time_below_first_order"
    value = indices[name].copy(data=np.array(values))
    bounds = indices[f"{name}_bounds"].transpose("bound", "parameter")
    ends = bounds.copy(data=np.stack([value - half, value + half]))
    return indices.assign({name: value, f"{name}_bounds": ends})


def test_what_depends_on_the_same_is_said_once(tmp_path: Path):
    config, indices = made("sobol", tmp_path)
    said = sentences(indices, config)
    # it falls all the time, so that the last value is the smallest
    assert not [text for text in said if "time integral of" in text or "minimum of" in text]
    assert [text for text in said if "time average of" in text] and len(said) == 4


def test_a_sample_that_is_too_small_says_so_and_comes_last(tmp_path: Path):
    config, indices = made("sobol", tmp_path)
    unsure = first_of(indices, [0.5, 0.3, 0.1], half=0.6)
    assert "first time" not in sentences(unsure, config)[0]
    others = [name for name in indices.data_vars if "first_time_below" not in str(name)]
    (text,) = sentences(first_of(indices.drop_vars(others), [0.5, 0.3, 0.1], half=0.6), config)
    assert text.startswith("The sample is too small to say what the first time")


def test_no_share_is_written_as_minus_nothing_or_as_more_than_all(tmp_path: Path):
    config, indices = made("sobol", tmp_path)
    text = sentences(first_of(indices, [0.02, -0.1, -0.2], half=0.0201), config)[0]
    assert "2% (0 to 4)" in text and text.endswith("what acts only together 100%.")


def test_bars_and_rows_are_in_the_order_of_the_larger_index(tmp_path: Path):
    config, indices = made("sobol", tmp_path)
    total = indices["substrate_first_time_below_total_order"].copy(data=np.array([0.1, 0.2, 0.9]))
    other = indices.assign(substrate_first_time_below_total_order=total)
    ax = plots.draw_sensitivity("sensitivity_indices", other, config).axes[0]
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names[-1] == parameter_names(indices, config)[2]
    section = "".join(sensitivity_section(other, config))
    section = section[section.index("<td>first time") :]
    assert section.index(f"<td>{names[-1]}</td>") < section.index(f"<td>{names[0]}</td>")


def test_outputs_that_do_not_vary_are_not_said_anything_of(tmp_path: Path):
    config, indices = made("sobol", tmp_path)
    assert not [text for text in sentences(indices, config) if "maximum of substrate" in text]
    blank = indices.map(lambda array: array * np.nan if array.dtype.kind == "f" else array)
    for name in blank.data_vars:
        blank[name].attrs = indices[name].attrs
    assert sentences(blank, config) == []
    for kind in ("sensitivity_indices", "sensitivity_over_time", "sensitivity_convergence"):
        plots.save(plots.draw_sensitivity(kind, blank, config), tmp_path / f"{kind}.png", dpi=40)


def test_without_an_analysis_the_page_says_nothing_of_it(tmp_path: Path):
    config = odeflow.compose(study=tmp_path)
    assert list(sensitivity_section(None, config)) == []


@pytest.mark.slow
def test_the_changelog_says_what_the_example_says(tmp_path: Path):
    config = odeflow.compose("experiment=sensitivity", study=tmp_path)
    ensemble = odeflow.run(config)
    indices = sensitivity_indices(config, tmp_path, ensemble, summarise(ensemble, config.summary))
    said = re.search(r'such as "(vmax explains .*?)"', (PROJECT / "CHANGELOG.md").read_text(), re.S)
    assert said and " ".join(said.group(1).split()) in sentences(indices, config)[0]
