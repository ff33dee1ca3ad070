"""The same bytes in another folder, on other cores, in other chunks; nothing in them of the run."""

import re
import socket
from pathlib import Path

import pytest
import xarray as xr

from tests.support.faults import results
from tests.support.snakes import EXPERIMENT_YAML, make_study, snakemake

pytestmark = pytest.mark.slow

GRID = EXPERIMENT_YAML.replace(
    "k: {linspace: [0.5, 2.0, 4]}",
    "k: {linspace: [0.5, 2.0, 50]}\n    y: {linspace: [1, 3, 40]}",
).replace("[png]", "[svg, png]")
SOBOL = GRID.replace("/design: grid", "/design: sobol").replace(
    "axes:\n    k: {linspace: [0.5, 2.0, 50]}\n    y: {linspace: [1, 3, 40]}",
    "size: 2000\n  axes:\n    k: {uniform: [0.5, 2.0]}\n    y: {uniform: [1, 3]}",
)


@pytest.mark.parametrize("engine", ["native", "diffrax"])
@pytest.mark.parametrize("experiment", [GRID, SOBOL], ids=["grid", "sobol"])
def test_two_runs_are_the_same_bytes(experiment: str, engine: str, tmp_path: Path):
    one = make_study(tmp_path / "one", experiment)
    two = make_study(tmp_path / "elsewhere" / "two", experiment)
    config = f"experiment=decay runtime__engine={engine}"
    snakemake(one, config=config, cores=1)
    snakemake(two, config=f"{config} runtime__chunk_size=700 runtime__threads=2", cores=2)
    here, there = results(one), results(two)
    assert len(list(two.glob("results/chunks/*/*.nc"))) == 3
    assert {name for name in here if name.endswith(".svg")}
    assert {name for name in here if here[name] != there[name]} == set()
    assert here.keys() == there.keys()
    assert_nothing_of_the_run(one)


def assert_nothing_of_the_run(study: Path) -> None:
    """No date, absolute path or host name in the attributes or the page."""
    texts = [(study / "results/decay/overview.html").read_text()]
    for name in ("design", "ensemble", "summary"):
        with xr.open_dataset(study / f"results/decay/{name}.nc", decode_times=False) as dataset:
            variables = [dataset, *dataset.variables.values()]
            texts += [str(value) for one in variables for value in one.attrs.values()]
    for text in texts:
        assert str(study.parent) not in text
        assert not re.search(rf"\b{re.escape(socket.gethostname())}\b", text)
        assert not re.search(r"\b20\d\d-\d\d-\d\d\b", text)
