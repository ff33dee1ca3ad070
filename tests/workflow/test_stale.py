"""Whatever Snakemake is asked after a change, a dataset says what the config says.

One real run after each change under each way of asking: what it solves, and what is in the files.
"""

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import yaml

from odeflow.ensemble.chunk_file import read_chunk
from odeflow.workflow.plan import plan
from odeflow.workflow.staleness import stale_stages
from tests.support.snakes import EXPERIMENT_YAML, MODELS, copy_of, make_study, request, snakemake

pytestmark = pytest.mark.slow

QUICK = EXPERIMENT_YAML + "  figures: [solver_effort]\nverify:\n  number: 2\n"
RATES = [0.5, 1.0, 1.5, 2.0]
NOT_AS_ASKED = "not of the settings, code and data asked for: "


def change_axis(study: Path) -> None:
    text = QUICK.replace("{linspace: [0.5, 2.0, 4]}", "{values: [1.0, 3.0]}")
    (study / "config/experiment/decay.yaml").write_text(text)


def change_field(study: Path) -> None:
    (study / "models.py").write_text(MODELS.replace("-args.k", "-2 * args.k"))


def change_tolerance(study: Path) -> None:
    (study / "config/experiment/decay.yaml").write_text(QUICK + "solver:\n  rtol: 1e-7\n")


def change_plot(study: Path) -> None:
    text = QUICK.replace("dpi: 50", "dpi: 61")
    (study / "config/experiment/decay.yaml").write_text(text)


#: What is changed, with what is then asked for: rates, factor of the field, `rtol`, dpi.
CHANGES = {
    "axis": (change_axis, ([1.0, 3.0], 1.0, 1e-6, 50)),
    "tolerance": (change_tolerance, (RATES, 1.0, 1e-7, 50)),
    "field": (change_field, (RATES, 2.0, 1e-6, 50)),
    "plot": (change_plot, (RATES, 1.0, 1e-6, 61)),
}
#: The rules that a change makes due.
AFTER_ASSEMBLE = {"summarise", "verify", "diagnose", "plot_decay", "overview", "verdict", "all"}
DUE = {
    "axis": {"design", "solve", "assemble", *AFTER_ASSEMBLE},
    "tolerance": {"solve", "assemble", *AFTER_ASSEMBLE},
    "field": {"solve", "assemble", *AFTER_ASSEMBLE},
    "plot": {"plot_decay", "overview", "verdict", "all"},
}
AFTER_SUMMARISE = {"summarise", "plot_decay", "overview", "verdict", "all"}
#: How Snakemake is asked, and which of the rules that are due it is asked to leave.
FLAGS: dict[str, tuple[list[str], set[str]]] = {
    "default": ([], set()),
    "mtime": (["--rerun-triggers", "mtime"], set()),
    "params and code": (["--rerun-triggers", "params", "code"], set()),
    "touch": (["--touch"], {"design", "solve", "assemble", *AFTER_ASSEMBLE}),
    "forcerun": (["--forcerun", "summarise"], set()),
    "until": (["--until", "assemble"], AFTER_ASSEMBLE),
    "omit-from": (["--omit-from", "summarise"], AFTER_SUMMARISE),
    "keep-going": (["--keep-going"], set()),
    "notemp": (["--notemp"], set()),
    "nolock": (["--nolock"], set()),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = make_study(tmp_path_factory.mktemp("study"), QUICK)
    snakemake(study)
    check(study, RATES, 1.0, 1e-6, 50)
    return study


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> Path:
    return copy_of(finished, tmp_path)


def check(study: Path, rates: list[float], factor: float, rtol: float, dpi: int) -> None:
    """The files are what is asked for: each dataset, the page and the figure."""
    check_ensemble(study, rates, factor, rtol)
    folder = study / "results/decay"
    with (
        xr.open_dataset(folder / "design.nc", decode_times=False) as design,
        xr.open_dataset(folder / "ensemble.nc", decode_times=False) as ensemble,
        xr.open_dataset(folder / "summary.nc", decode_times=False) as summary,
        xr.open_dataset(folder / "verification.nc", decode_times=False) as verification,
    ):
        assert design["k"].values.tolist() == rates == summary["k"].values.tolist()
        np.testing.assert_array_equal(summary["y_final"], ensemble["y"].isel(time=-1))
        assert set(verification["k"].values.tolist()) <= set(rates)
    with (folder / "figures/solver_effort.png").open("rb") as file:
        assert dots_per_inch(file.read()) == dpi
    assert f"{rtol:g}" in (folder / "overview.html").read_text()


def check_ensemble(study: Path, rates: list[float], factor: float, rtol: float) -> None:
    with xr.open_dataset(study / "results/decay/ensemble.nc", decode_times=False) as ensemble:
        assert ensemble["k"].values.tolist() == rates
        exact = 3 * np.exp(-factor * np.outer(rates, ensemble["time"]))
        np.testing.assert_allclose(ensemble["y"], exact, rtol=1e-3, atol=1e-6)
        config = yaml.safe_load(ensemble.attrs["odeflow_config"])
        assert config["solver"]["rtol"] == rtol


def dots_per_inch(png: bytes) -> int:
    """From the chunk `pHYs` of a PNG file, which counts dots a metre."""
    at = png.index(b"pHYs") + 4
    return round(int.from_bytes(png[at : at + 4], "big") * 0.0254)


def rules_run(output: str) -> set[str]:
    return set(re.findall(r"^(?:local)?rule (\w+):", output, re.MULTILINE))


def solved_rates(study: Path, known: set[Path]) -> list[float]:
    """The rates in chunks that are new."""
    new = set(study.glob("results/chunks/*/*.nc")) - known
    return [rate for file in sorted(new) for slab in read_chunk(file) for rate in slab["k"].values]


def stale(study: Path) -> set[str]:
    """Rules whose files are not what is asked for, as a plan finds them."""
    (experiment,) = plan(request({"experiment": "decay"}, study), study).values()
    found = {stage.rule for stage in stale_stages(experiment.made, study)}
    return {"plot_decay" if rule == "plot" else rule for rule in found}


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("change", CHANGES)
def test_the_dataset_says_what_the_config_says(change: str, flags: str, study: Path):
    make_change, expected = CHANGES[change]
    asked, left_out = FLAGS[flags]
    chunks = set(study.glob("results/chunks/*/*.nc"))
    make_change(study)
    said = snakemake(study, *asked).stdout
    assert f"results/decay: {NOT_AS_ASKED}" in said
    left = DUE[change] & left_out
    if flags != "touch":  # which lists what it touches as if it ran
        forced = {"summarise", *AFTER_SUMMARISE} if flags == "forcerun" else set()
        assert rules_run(said) == (DUE[change] | forced) - left_out
    is_solved = "solve" in DUE[change] - left_out
    assert solved_rates(study, chunks) == (expected[0] if is_solved else [])
    named = re.findall(rf"results/decay: left as they were, {NOT_AS_ASKED}(.*); a run wi", said)
    not_as_asked = left - {"solve", "all"}
    assert {rule for text in named for rule in text.split(", ")} == {
        rule.removesuffix("_decay") for rule in not_as_asked
    }
    if not left:
        check(study, *expected)
    elif flags != "touch":
        check_ensemble(study, *expected[:3])
    assert stale(study) == not_as_asked
    if left or flags == "mtime":  # a plain command by date alone makes the rest and nothing else
        said = snakemake(study, *FLAGS["mtime"][0]).stdout
        assert rules_run(said) == left
        assert left or "Nothing to be done" in said
        assert "left as they were" not in said
        check(study, *expected)
        assert stale(study) == set()
    # nothing is solved twice, nothing is lost
    assert solved_rates(study, chunks) == (expected[0] if "solve" in DUE[change] else [])
    assert all(file.exists() for file in chunks)
