"""Every wrong input of the table is one line that names it, and nothing is written."""

from pathlib import Path

import pytest
from snakemake.cli import parse_config

from odeflow.design import axis_names
from odeflow.ensemble.build import build
from odeflow.files.errors import ConfigError
from odeflow.workflow.ownership import check_results
from odeflow.workflow.plan import chunk_table, plan
from tests.support.bad_input import BAD_INPUTS, BadInput
from tests.support.snakes import request, snakemake

EACH = pytest.mark.parametrize("case", BAD_INPUTS, ids=lambda case: case.title)


def message_of(case: BadInput, study: Path) -> str:
    """What the workflow says to it, found as the Snakefile and the first job do."""
    with pytest.raises(ConfigError) as caught:
        experiments = plan(request(parse_config(case.config.split()), study), study)
        chunk_table(experiments)
        check_results(experiments.values(), study)
        assert case.needs_jax, "accepted"
        config = experiments["decay"].config
        build(config, study, axis_names(config.design, study))
    return str(caught.value)


def everything_in(folder: Path) -> dict[str, bytes | None]:
    """The user's files: path and content."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if not {".snakemake", "__pycache__"} & {*path.parts}
    }


@EACH
def test_one_line_names_it_and_nothing_is_written(case: BadInput, tmp_path: Path):
    study = case.make(tmp_path)
    before = everything_in(study)
    message = message_of(case, study)
    assert "\n" not in message and len(message) < 600
    for name in case.names:
        assert name in message, message
    assert everything_in(study) == before


def test_the_table_has_no_row_twice():
    assert len({case.title for case in BAD_INPUTS}) == len(BAD_INPUTS) >= 60


@pytest.mark.slow
@EACH
def test_snakemake_says_the_same(case: BadInput, tmp_path: Path):
    study = case.make(tmp_path)
    before = everything_in(study)
    done = snakemake(study, config=case.config, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    # Snakemake breaks no lines of its own into a message.
    lines = [line for line in done.stdout.splitlines() if all(n in line for n in case.names)]
    assert lines, done.stdout
    after = everything_in(study)
    if case.needs_jax:  # the first job has run: its log, and the design beside it
        after = {name: content for name, content in after.items() if not name.startswith("results")}
        assert not list(study.glob("results/**/ensemble.nc"))
        assert not list(study.glob("results/chunks/*/*.nc"))
    assert after == before
