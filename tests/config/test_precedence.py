"""The later source wins, whatever its spelling; a source that contradicts itself is refused."""

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from odeflow.config.root import Config
from odeflow.config.sources import Request, SettingsSource, settle
from odeflow.files.errors import ConfigError
from odeflow.workflow.plan import plan
from tests.support.snakes import EXPERIMENT_YAML, SHIPPED_SETTINGS, make_study, snakemake

SOURCES = ("shipped", "config/workflow.yaml", "--configfile", "--config")

#: What a setting may be called in a source, by setting: two values of it, and how to read it.
Spelling = Callable[[Any], dict[str, Any]]
SETTINGS: dict[str, tuple[Any, Any, Callable[[Config], Any], dict[str, Spelling]]] = {
    "method": (
        "dopri5",
        "dopri8",
        lambda config: config.solver.method,
        {
            "group": lambda v: {"solver": v},
            "group in text": lambda v: {"overrides": f"solver={v}"},
            "group in a list": lambda v: {"overrides": ["plot.dpi=60", f"solver={v}"]},
            "added group": lambda v: {"overrides": f"+solver={v}"},
            "key": lambda v: {"solver__method": v},
            "key in text": lambda v: {"overrides": f"plot.dpi=60 solver.method={v}"},
            "added key": lambda v: {"overrides": f"+solver.method={v}"},
            "forced key": lambda v: {"overrides": f"++solver.method={v}"},
        },
    ),
    "tolerance": (
        1e-3,
        1e-8,
        lambda config: config.solver.rtol,
        {
            "__": lambda v: {"solver__rtol": v},
            "dotted": lambda v: {"solver.rtol": v},
            "text of a file": lambda v: {"solver__rtol": str(v)},
            "overrides": lambda v: {"overrides": f"solver.rtol={v}"},
            "added": lambda v: {"overrides": [f"+solver.rtol={v}"]},
        },
    ),
    "axis": (
        [0.5, 1.0],
        [2.0],
        lambda config: config.design.axes["k"].values,
        {
            "dict": lambda v: {"design__axes__k": {"values": v}},
            "dict of the axes": lambda v: {"design__axes": {"k": {"values": v}}},
            "record": lambda v: {"overrides": f"design.axes.k={{values:{v}}}".replace(" ", "")},
            "added": lambda v: {"overrides": [f"+design.axes.k={{values:{v}}}".replace(" ", "")]},
        },
    ),
    "times": (
        [0.0, 1.0],
        [0.5, 2.0],
        lambda config: config.saveat.ts,
        {
            "list": lambda v: {"saveat__ts": v},
            "list in text": lambda v: {"overrides": f"saveat.ts={v}".replace(" ", "")},
        },
    ),
    "experiment": (
        "decay",
        "other",
        lambda config: config.name,
        {
            "name": lambda v: {"experiment": v},
            "list": lambda v: {"experiment": [v]},
            "text": lambda v: {"overrides": f"experiment={v}"},
        },
    ),
}
PAIRS = [
    (setting, first, second)
    for setting, (_, _, _, spellings) in SETTINGS.items()
    for first, second in itertools.product(spellings, spellings)
]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_study(tmp_path_factory.mktemp("study"))
    other = EXPERIMENT_YAML.replace("name: decay", "name: other")
    (folder / "config/experiment/other.yaml").write_text(other)
    return folder


@pytest.fixture(scope="module")
def composed(study: Path) -> Callable[[Request], Config]:
    """The one config of a request; those that differ in a `+` alone are composed once."""
    known: dict[Any, Config] = {}

    def compose(request: Request) -> Config:
        texts = [text.lstrip("+").replace("1e-08", "1e-8") for text in request.overrides]
        key = (*request.experiments, *(text for text in texts if text != "plot.dpi=60"))
        if key not in known:
            (known[key],) = (e.config for e in plan(request, study).values())
        return known[key]

    return compose


def settled(study: Path, asked: Mapping[str, Mapping[str, Any]]) -> Request:
    """What sources ask for that are given over `experiment: decay`."""
    first = SettingsSource("first", SHIPPED_SETTINGS | {"experiment": "decay"})
    return settle([first, *(SettingsSource(name, asked.get(name, {})) for name in SOURCES)], study)


@pytest.mark.parametrize("setting, first, second", PAIRS)
def test_the_later_source_wins(
    setting: str, first: str, second: str, study: Path, composed: Callable[[Request], Config]
):
    one, two, read, spellings = SETTINGS[setting]
    for earlier, later in itertools.combinations(SOURCES, 2):
        asked = {earlier: spellings[first](one), later: spellings[second](two)}
        assert read(composed(settled(study, asked))) == two, (earlier, later)
        asked = {earlier: spellings[first](two), later: spellings[second](one)}
        assert read(composed(settled(study, asked))) == one, (earlier, later)


@pytest.mark.parametrize("setting, first, second", PAIRS)
def test_a_source_that_contradicts_itself_is_refused(
    setting: str, first: str, second: str, study: Path
):
    one, two, _, spellings = SETTINGS[setting]
    texts = [spellings[first](one), spellings[second](two)]
    both: dict[str, Any] = {}
    for settings in texts:
        for key, value in settings.items():
            items = value.split() if key == "overrides" and isinstance(value, str) else value
            both[key] = [*both.get(key, []), *items] if key == "overrides" else value
    if len(both.get("overrides", [])) < 2 and len(both) < 2:
        return  # one key of a mapping holds one value
    with pytest.raises(ConfigError, match=r"--config contradicts itself: .*; keep one of them"):
        settled(study, {"--config": both})


@pytest.mark.parametrize(
    "earlier, later, left",
    [
        ("+design.axes.y={values:[1]}", "~design.axes.y", False),
        ("~design.axes.y", "+design.axes.y={values:[1]}", True),
        ("design.axes.y={values:[1]}", "+design.axes.y={values:[2]}", True),
    ],
)
def test_what_is_taken_away_later_is_gone(earlier: str, later: str, left: bool, study: Path):
    base = {"overrides": ["+design.axes.y={values:[3]}"]}
    asked = {
        "shipped": base,
        "--configfile": {"overrides": earlier},
        "--config": {"overrides": later},
    }
    (experiment,) = plan(settled(study, asked), study).values()
    assert ("y" in experiment.config.design.axes) == left


def test_a_group_chosen_later_replaces_what_was_set_in_it_and_that_is_said(study: Path):
    asked = {
        "config/workflow.yaml": {"overrides": "solver.rtol=1e-3 solver=dopri5 plot.dpi=60"},
        "--config": {"solver": "dopri8", "solver__atol": 1e-9},
    }
    request = settled(study, asked)
    (experiment,) = plan(request, study).values()
    solver = experiment.config.solver
    assert (solver.method, solver.rtol, solver.atol) == ("dopri8", 1e-6, 1e-9)
    assert experiment.config.plot.dpi == 60
    assert request.replaced == [
        "solver.rtol=1e-3 (config/workflow.yaml) by solver=dopri8 (--config)"
    ]


def test_order_within_a_source_says_nothing(study: Path):
    both = ["solver.rtol=1e-3", "solver=dopri5", "design.axes.k.values=[1]", "design.axes.k={}"]
    for overrides in (both, both[::-1]):
        (experiment,) = plan(settled(study, {"--config": {"overrides": overrides}}), study).values()
        config = experiment.config
        assert (config.solver.method, config.solver.rtol) == ("dopri5", 1e-3)
        assert config.design.axes["k"].values == [1.0]


@pytest.mark.slow
def test_snakemake_gives_the_sources_in_this_order(tmp_path: Path):
    study = make_study(tmp_path)
    (study / "config/workflow.yaml").write_text(
        'experiment: decay\noverrides: "solver.rtol=1e-3 solver=dopri5 plot.dpi=61"\n'
        "design__axes__k: {linspace: [1, 2, 3]}\n"
    )
    (study / "more.yaml").write_text("solver__rtol: 1e-5\ndesign__axes__k: {values: [7]}\n")
    done = snakemake(
        study, "results/decay/design.nc", "--configfile", "more.yaml", "--config", "solver=dopri8",
        "solver__atol=1e-7", config="",
    )  # fmt: skip
    assert "solver.rtol=1e-3 (config/workflow.yaml) by solver=dopri8 (--config)" in done.stdout
    with xr.open_dataset(study / "results/decay/design.nc") as design:
        assert design.k.values.tolist() == [7.0]
